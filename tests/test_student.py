"""The larger model's pipeline with a tiny teacher: from data to files on which the engines and PyTorch agree."""

from __future__ import annotations

import gzip
import importlib.util
import json
from itertools import islice, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

if any(
    importlib.util.find_spec(name) is None
    for name in ("torch", "scipy", "gguf", "llama_cpp", "onnx", "onnxruntime", "tokenizers")
):
    pytest.skip(
        "PyTorch or what writes models is not installed: pip install 'codeseek[train]'", allow_module_level=True
    )

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

import bert_onnx
from codeseek import analysis
from codeseek.embedders.gguf import GgufSource
from corpus import Folder
from minilm_reference import Bert
from student import distillation, export, pipeline, wordpiece
from student.distillation import Code, Pairs, Told
from student.encoder import TABLE, Encoder, Texts, batches

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = {
    "open": "打开", "close": "关闭", "read": "读取", "delete": "删除", "copy": "复制", "sort": "排序",
    "file": "文件", "cache": "缓存", "list": "列表", "index": "索引", "thread": "线程", "error": "错误",
}  # fmt: skip
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
TOKENS = [
    *SPECIAL, *WORDS, "the", *LETTERS, *(f"##{letter}" for letter in LETTERS), *"。，國!\"#$%&'()*+,-./:;<=>?@[]^_{|}~\\`",
]  # fmt: skip
CONFIG: dict[str, Any] = {
    "vocab_size": len(TOKENS),
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 128,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 512,
}
PLAN = distillation.Plan(steps=40, pair_tokens=128, code_tokens=256, code_rows=8, rate=3e-3, keep_every=20)
MIXED = [
    "打开文件 open the file",
    "def f(x):\n    return x + 1  # 傳回下一個數，「快取」失效時",
    "關閉檔案！ＡＢＣ：１２３；naïve café 🎉 …… 【注意】",
    "[CLS] x->y != z; // 龘靐 国國",
    "",
]


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that is like MiniLM's, with random weights that are small enough to learn from."""
    folder = tmp_path_factory.mktemp("teacher")
    numbers = {token: number for number, token in enumerate(TOKENS)}
    tokenizer = Tokenizer(models.WordPiece(numbers, unk_token="[UNK]"))  # noqa: S106  no password
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", None, [("[CLS]", 2), ("[SEP]", 3)])
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps(CONFIG), "utf-8")
    (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in TOKENS), "utf-8")
    weights = bert_onnx.random_weights(CONFIG)
    small = {name: weight if "Norm" in name else weight * np.float32(0.1) for name, weight in weights.items()}
    header, at = {}, 0
    for name, weight in small.items():
        header[name] = {"dtype": "F32", "shape": weight.shape, "data_offsets": [at, at + weight.nbytes]}
        at += weight.nbytes
    head = json.dumps(header).encode()
    data = b"".join(weight.tobytes() for weight in small.values())
    (folder / "model.safetensors").write_bytes(len(head).to_bytes(8, "little") + head + data)
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of sentences made of a few words, of which some are of a repository that is held out."""
    folder = tmp_path_factory.mktemp("data")
    verbs, nouns = [*WORDS][:6], [*WORDS][6:]
    pairs = [
        {
            "en": f"{verb} the {noun}",
            "zh": f"{WORDS[verb]}{WORDS[noun]}。",
            "src": "vuejs/router" if n % 9 == 8 else "a/b",
        }
        for n, (verb, noun) in enumerate(product(verbs, nouns))
    ]
    said = [{"nl": pair["en"], "words": f"{pair['en'].split()[2]}:3 the", "src": "a/b"} for pair in pairs]
    code = [
        {"question": pair["zh"], "path": "a.py", "names": "f", "text": f"def f(): {pair['en']}", "src": "a/b"}
        for pair in pairs
    ]
    for name, lines in (("zh_en.1", pairs), ("nl_words", said), ("functions", code)):
        with gzip.open(folder / f"{name}.jsonl.gz", "wt", encoding="utf-8") as stream:
            stream.writelines(f"{json.dumps(line)}\n" for line in lines)
    return folder


@pytest.fixture
def learned(teacher: Path) -> tuple[Encoder, Pairs, Code]:
    """Return a student that is as its teacher, and something to learn."""
    tokenizer, student = wordpiece.load(teacher), Encoder.load(teacher)
    english = wordpiece.tokenised(tokenizer, [f"{verb} the {noun}" for verb, noun in product(WORDS, WORDS)], 64)
    other = wordpiece.tokenised(tokenizer, [f"{noun} {verb}" for verb, noun in product(WORDS, WORDS)], 64)
    taught = student.encode(english).astype(np.float16)
    return student, Pairs(english, other, taught), Code(english, other, np.arange(len(taught)))


def test_a_run_ends_with_files_that_the_engines_agree_on(teacher: Path, data: Path, tmp_path: Path) -> None:
    figures = pipeline.make(Folder(data), tmp_path, teacher, pipeline.Plan(PLAN, 4), "cpu")
    assert all(figures["files"][name]["least cosine"] >= least for name, least in export.LEAST_COSINES.items()), (
        figures
    )  # the run would have stopped, too, had a text been cut differently
    assert figures["retrieval"]["after training"]["pairs"] == 4
    assert json.loads((tmp_path / "model" / "figures.json").read_text("utf-8")) == figures
    assert (tmp_path / "model" / export.Q8_0).stat().st_size < (tmp_path / "model" / export.F16).stat().st_size


def test_a_second_run_makes_the_same_model_from_what_the_first_one_kept(
    teacher: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = pipeline.Plan(PLAN._replace(steps=4, keep_every=2), 4)
    files = []
    for _ in range(2):
        pipeline.make(Folder(data), tmp_path, teacher, plan, "cpu")
        files.append((tmp_path / "model" / export.GRAPH).read_bytes())
    assert files[0] == files[1]
    assert capsys.readouterr().err.count("step 4") == 1


def test_llama_cpp_and_tokenizers_cut_mixed_text_alike(teacher: Path, tmp_path: Path) -> None:
    vocabulary = wordpiece.extend(TOKENS, [*WORDS.values()] * wordpiece.LEAST_COUNT)
    tokenizer = wordpiece.load(teacher, vocabulary.tokens)
    weights = bert_onnx.random_weights({**CONFIG, "vocab_size": len(vocabulary.tokens)})
    export.write(tmp_path, tokenizer, CONFIG, vocabulary.tokens, weights)
    texts = [path.read_text("utf-8") for path in Path(__file__).parent.glob("test_[a-e]*.py")]
    model = GgufSource(tmp_path / export.Q8_0, "mean", threads=1).load()
    for text in (*MIXED, *texts):
        assert model.tokens(text).tolist() == tokenizer.encode(text, add_special_tokens=False).ids
    model.close()


def test_the_encoder_equals_an_independent_computation(teacher: Path) -> None:
    encoder, tokenizer = Encoder.load(teacher), wordpiece.load(teacher)
    reference = Bert(CONFIG, encoder.arrays(), tokenizer)
    texts = [*MIXED, "open the file", "a"] * 3
    rows = encoder.encode(wordpiece.tokenised(tokenizer, texts, 512), 64)
    np.testing.assert_allclose(rows, reference.encode(texts), atol=1e-5)


def test_what_is_folded_has_the_vector_of_what_it_is_folded_to(teacher: Path) -> None:
    vocabulary = wordpiece.extend(TOKENS, ["关闭国家，文件（一）"] * wordpiece.LEAST_COUNT)
    tokenizer, original = wordpiece.load(teacher, vocabulary.tokens), Encoder.load(teacher)
    english = Texts.of([[2, 9, 3], [2, 12, 3]])
    chinese = wordpiece.tokenised(tokenizer, ["关闭", "国家"], 64)
    weights = original.arrays()
    weights[TABLE] = wordpiece.first_vectors(weights[TABLE], vocabulary, english, chinese)
    student = Encoder({**CONFIG, "vocab_size": len(weights[TABLE])}, weights)
    for text in ("關閉國家", "国家，關閉（）", "國"):
        as_typed, folded = (  # by themselves: rows of one batch may be summed in different orders
            student.encode(wordpiece.tokenised(tokenizer, [each], 64)) for each in (text, analysis.fold(text))
        )
        np.testing.assert_array_equal(as_typed, folded)


def test_the_teachers_tokens_keep_number_and_vector_until_they_are_trained(teacher: Path) -> None:
    vocabulary = wordpiece.extend(TOKENS, [*WORDS.values()] * wordpiece.LEAST_COUNT)
    assert vocabulary.tokens[: len(TOKENS)] == TOKENS
    table = Encoder.load(teacher).arrays()[TABLE]
    tokenizer = wordpiece.load(teacher, vocabulary.tokens)
    english, chinese = ([*side] for side in zip(*WORDS.items(), strict=True))
    texts = [wordpiece.tokenised(tokenizer, side, 64) for side in (english, chinese)]
    before = [texts[0].ids.copy(), texts[1].ids.copy()]
    extended = wordpiece.first_vectors(table, vocabulary, *texts)
    latin = [number for number, token in enumerate(TOKENS) if token.isascii()]
    np.testing.assert_array_equal(extended[latin], table[latin])
    for ids, side in zip(before, texts, strict=True):
        np.testing.assert_array_equal(ids, side.ids)


def test_a_character_begins_near_the_word_that_it_stands_opposite(teacher: Path) -> None:
    vocabulary = wordpiece.extend(TOKENS, [*WORDS.values()] * wordpiece.LEAST_COUNT)
    tokenizer, table = wordpiece.load(teacher, vocabulary.tokens), Encoder.load(teacher).arrays()[TABLE]
    pairs = [(f"{verb} the {noun}", WORDS[verb] + WORDS[noun]) for verb, noun in product([*WORDS][:6], [*WORDS][6:])]
    english, chinese = (wordpiece.tokenised(tokenizer, side, 64) for side in zip(*pairs, strict=True))
    extended = wordpiece.first_vectors(table, vocabulary, english, chinese)
    numbers = {token: number for number, token in enumerate(vocabulary.tokens)}
    spread = extended - table.mean(0)
    unit = spread / np.maximum(np.linalg.norm(spread, axis=1, keepdims=True), 1e-6)
    for word, characters in WORDS.items():
        nearest = unit[[numbers[other] for other in WORDS]] @ unit[numbers[characters[0]]]
        assert [*WORDS][int(nearest.argmax())] == word


def test_training_brings_both_languages_to_the_teacher(learned: tuple[Encoder, Pairs, Code], tmp_path: Path) -> None:
    told: list[Told] = []
    distillation.train(*learned, PLAN, 1, tmp_path / "state.pt", told.append)
    assert told[-1].chinese < told[0].chinese / 2
    assert told[-1].code < told[0].code
    assert not any(weight.requires_grad for weight in learned[0].weights.values())


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(
    learned: tuple[Encoder, Pairs, Code], teacher: Path, tmp_path: Path
) -> None:
    student, pairs, code = learned
    plan = PLAN._replace(steps=9, keep_every=4)

    def stop(told: Told) -> None:
        if told.step == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        distillation.train(Encoder.load(teacher), pairs, code, plan, 1, tmp_path / "stopped.pt", stop)
    resumed = Encoder.load(teacher)
    steps: list[int] = []
    distillation.train(resumed, pairs, code, plan, 1, tmp_path / "stopped.pt", lambda told: steps.append(told.step))
    distillation.train(student, pairs, code, plan, 1, tmp_path / "whole.pt", lambda _: None)
    assert steps == [5, 6, 7, 8, 9]
    for name, weight in student.weights.items():
        torch.testing.assert_close(resumed.weights[name], weight)


@given(st.lists(st.integers(1, 40), min_size=1), st.integers(1, 200), st.integers(1, 20))
def test_batches_hold_every_text_once_and_no_more_than_asked(lengths: list[int], tokens: int, most: int) -> None:
    sizes = np.array(lengths, np.int64)
    cut = [*batches(sizes, np.argsort(sizes), tokens, most)]
    assert sorted(np.concatenate(cut).tolist()) == [*range(len(lengths))]
    assert all(len(rows) == 1 or len(rows) * sizes[rows].max() <= tokens for rows in cut)
    assert max(map(len, cut)) <= most


def test_a_round_draws_every_text_once_and_the_next_one_in_another_order() -> None:
    texts = Texts.of([[1] * (1 + number % 7) for number in range(100)])
    drawn = [rows.tolist() for rows in islice(distillation._drawn([texts, texts], 20, 8, 1), 80)]
    first: list[int] = []
    while len(first) < 100:
        first += drawn.pop(0)
    assert sorted(first) == [*range(100)]
    assert first[:8] != [number for rows in drawn for number in rows][:8]
