"""GGUF models on llama.cpp itself: vectors equal an independent computation, and nothing that a file holds is a crash."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

import minilm_reference
from codeseek.catalogue import ModelSpec, Pooling, Variant, files_folder
from codeseek.embedders import Choice, Vectors, gguf, load_embedder, on_disk
from codeseek.embedders.gguf import GgufModel, GgufSource
from codeseek.embedders.process import ModelProcess
from codeseek.embedders.text import TextEmbedder
from codeseek.errors import ModelError
from codeseek.records import Chunk

if importlib.util.find_spec("llama_cpp") is None or importlib.util.find_spec("gguf") is None:
    pytest.skip("llama_cpp or gguf is not installed: pip install 'codeseek[dev]'", allow_module_level=True)

import minilm_gguf
from gguf_models import END, STOP, JinaBert, Qwen3

TEXTS = [
    "def f(x):\n    return x + 1",
    "",
    "多语言代码检索 is 怎么实现的",
    "naïve café 🎉",
    "x",
    "a longer text about nothing much, " * 12,
    "class Cache: ...",
    "zz top " * 60,
]


def alike(rows: Vectors, others: Vectors) -> bool:
    """Tell whether unit vectors are the same but for what half precision and another order of sums change."""
    return bool(((rows * others).sum(1) > 0.9999)[others.any(1)].all() and not rows[~others.any(1)].any())


@pytest.fixture(scope="module")
def qwen3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Qwen3().write(tmp_path_factory.mktemp("qwen3") / "qwen3.gguf")


@pytest.fixture(scope="module")
def jina(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return JinaBert().write(tmp_path_factory.mktemp("jina") / "jina.gguf")


@pytest.fixture(scope="module")
def minilm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = minilm_reference.folder()
    if folder is None:
        pytest.skip("the weights of all-MiniLM-L6-v2 are not here: python tests/minilm_gguf.py")
    path = tmp_path_factory.mktemp("minilm") / "all-MiniLM-L6-v2-ggml-model-f16.gguf"
    minilm_gguf.write(folder, path)
    return path


@pytest.fixture
def load() -> Iterator[Callable[..., GgufModel]]:
    """Load a model in this process."""
    models = []

    def loaded(path: Path, pooling: Pooling = "last", **more: int | str) -> GgufModel:
        model = GgufSource(path, pooling, threads=1, **more).load()  # type: ignore[arg-type]  # any field
        models.append(model)
        return model

    yield loaded
    for model in models:
        model.close()


@pytest.fixture
def start() -> Iterator[Callable[..., ModelProcess]]:
    """Load a model in a process of its own."""
    models = []

    def started(path: Path, pooling: Pooling = "last", dimensions: int = 64) -> ModelProcess:
        source = GgufSource(path, pooling, dimensions, threads=1)
        models.append(ModelProcess("tiny", source, "tiny-1", dimensions, gguf.ENVIRONMENT))
        return models[-1]

    yield started
    for model in models:
        model.close()


def spec(**more: object) -> ModelSpec:
    variant = Variant("F32", "gguf", more.pop("files", ()))  # type: ignore[arg-type]  # files
    return ModelSpec("tiny", "", "", 64, (variant,), pooling="last", least_dimensions=16)._replace(**more)  # type: ignore[arg-type]


# ---------------------------------------------------------------- right


def test_minilm_equals_an_independent_computation(minilm: Path, load: Callable[..., GgufModel]) -> None:
    model, reference = load(minilm, "mean"), minilm_reference.minilm()
    texts = [text for text in TEXTS if 0 < len(text) < 300]  # it takes a second for a hundred tokens
    cosines = (model.encode(texts) * reference.encode(texts)).sum(1)
    assert cosines.min() > 0.999


def test_qwen3_equals_an_independent_computation(qwen3: Path, load: Callable[..., GgufModel]) -> None:
    model, reference = load(qwen3), Qwen3()
    rows = model.encode(TEXTS)
    for text, row in zip(TEXTS, rows, strict=True):
        if text:
            ids = model.framed(model.tokens(text)).tolist()
            assert row @ reference.embed(ids) > 0.99999, text
    assert model.framed(model.tokens("xyz")).tolist() == reference.ids("xyz")


def test_vectors_do_not_change_when_the_head_is_computed(qwen3: Path, load: Callable[..., GgufModel]) -> None:
    model = load(qwen3)
    rows = model.encode([*TEXTS, "long " * 500])
    assert model._states is not None
    model._headed = False
    model._close_context()
    plain = model.encode([*TEXTS, "long " * 500])
    assert [model._states] == [None]
    assert alike(rows, plain)


@pytest.mark.parametrize(("name", "pooling"), [("qwen3", "last"), ("jina", "mean"), ("jina", "cls")])
def test_a_batch_equals_one_by_one_and_rows_are_unit(
    name: str, pooling: Pooling, tmp_path: Path, load: Callable[..., GgufModel]
) -> None:
    kind: Qwen3 | JinaBert = Qwen3() if name == "qwen3" else JinaBert(pooling={"mean": 1, "cls": 2}[pooling])
    model = load(kind.write(tmp_path / name), pooling)
    texts = [*TEXTS, *(f"text {number} " * (number % 23) for number in range(150)), "word " * 700]
    together = model.encode(texts)
    alone = np.concatenate([model.encode([text]) for text in texts])
    assert alike(together, alone)
    norms = np.linalg.norm(together, axis=1)
    assert norms == pytest.approx([float(bool(text)) for text in texts], abs=1e-4)
    assert model.encode([]).shape == (0, 64)


def test_the_end_of_a_text_is_marked_once_whatever_the_file_says(
    tmp_path: Path, load: Callable[..., GgufModel]
) -> None:
    expected = load(Qwen3().write(tmp_path / "right")).encode(TEXTS)
    for number, kind in enumerate((Qwen3(adds_end=False), Qwen3(adds_end=False, end=STOP))):
        model = load(kind.write(tmp_path / f"wrong{number}"))
        assert model.framed(model.tokens("x"))[-1] == kind.vocabulary.index(END)
        assert alike(model.encode(TEXTS), expected)


def test_special_tokens_in_a_text_are_plain_text(
    qwen3: Path, jina: Path, minilm: Path, load: Callable[..., GgufModel]
) -> None:
    for path, pooling, word, number in (
        (qwen3, "last", END, Qwen3().vocabulary.index(END)),
        (jina, "mean", "</s>", 2),
        (minilm, "mean", "[SEP]", 102),
    ):
        model = load(path, pooling)
        ids = model.framed(model.tokens(f"a {word} b"))
        assert np.count_nonzero(ids == number) == 1
        assert ids[-1] == number


def test_half_a_character_and_nothing_are_no_trouble(qwen3: Path, load: Callable[..., GgufModel]) -> None:
    rows = load(qwen3).encode(["a\ud800b", "a?b", "", "a\0b"])
    assert rows[0] == pytest.approx(rows[1])
    assert not rows[2].any()
    assert rows[3].any()


# ---------------------------------------------------------------- long


def test_a_long_text_of_a_model_that_looks_back_is_one_text(qwen3: Path, load: Callable[..., GgufModel]) -> None:
    model, text = load(qwen3), "q" * 3_000
    (row,) = model.encode([text])
    assert row @ Qwen3().embed(Qwen3().ids(text)) > 0.99999
    assert model.notes == ()


def test_a_whole_context_is_one_text_and_its_memory_is_let_go(tmp_path: Path, load: Callable[..., GgufModel]) -> None:
    kind = Qwen3(layers=1, heads=1, shared_heads=1, context=32_768)
    model = load(kind.write(tmp_path / "long"))
    assert model.longest == 32_768
    rows = model.encode(["q" * 32_767, "q" * 100])
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1, 1], abs=1e-4)
    assert model.notes == ()
    assert model._room <= gguf._KEPT_TOKENS


def test_a_text_beyond_the_context_is_the_weighted_mean_of_its_parts(
    qwen3: Path, jina: Path, load: Callable[..., GgufModel]
) -> None:
    for path, pooling in ((qwen3, "last"), (jina, "mean")):
        model = load(path, pooling, context=100)
        text = "abcdefghijklmnopqrstuvwxyz" * 9
        (row,) = model.encode([text])
        room = 100 - len(model.framed(model.tokens(""))) if pooling == "mean" else 99
        count = -(-len(text) // room)
        parts = [str.join("", piece) for piece in np.array_split(np.array([*text]), count)]
        mean = np.average(model.encode(parts), axis=0, weights=[len(model.framed(model.tokens(p))) for p in parts])
        assert row @ mean > 0.9999 * np.linalg.norm(mean)
        (note,) = model.notes
        assert "100 tokens" in note


@pytest.mark.parametrize(
    "text", ["a" * 150_000, "多" * 30_000, " " * 100_000, "\n\n\t" * 30_000, "🎉" * 10_000, "a.b" * 30_000]
)
def test_no_text_is_too_long(text: str, tmp_path: Path, start: Callable[..., ModelProcess]) -> None:
    kind = JinaBert(layers=1, context=512)
    model = start(kind.write(tmp_path / "short"), "mean")
    (row,) = model.encode([text])
    assert np.linalg.norm(row) == pytest.approx(1, abs=1e-4)
    assert not [note for note in model.notes if "no vector" in note]


def test_an_encoder_is_never_given_more_than_it_has_positions_for(
    minilm: Path, start: Callable[..., ModelProcess]
) -> None:
    model = start(minilm, "mean", 384)
    rows = model.encode(["word " * count for count in (505, 510, 511, 512, 513, 600, 5_000)])
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(7), abs=1e-4)
    assert [note for note in model.notes if "512 tokens" in note]


# ---------------------------------------------------------------- broken


def broken(path: Path, kind: str, qwen3: Path) -> Path:
    data = bytearray(qwen3.read_bytes())
    if kind == "cut in its weights":
        path.write_bytes(data[: len(data) * 2 // 3])
    elif kind == "cut in its header":
        path.write_bytes(data[:200])
    elif kind == "empty":
        path.touch()
    elif kind == "a web page":
        path.write_text("<!doctype html><title>Sign in</title>")
    elif kind == "chance":
        path.write_bytes(np.random.default_rng(0).bytes(10_000))
    elif kind == "a folder":
        path.mkdir()
    elif kind == "of an unknown kind":
        Qwen3(architecture="qwen99").write(path)
    return path


@pytest.mark.parametrize(
    "kind",
    [
        "cut in its weights",
        "cut in its header",
        "empty",
        "a web page",
        "chance",
        "a folder",
        "missing",
        "of an unknown kind",
    ],
)
def test_a_file_that_is_no_model_is_an_error_that_says_why(
    kind: str, qwen3: Path, tmp_path: Path, start: Callable[..., ModelProcess], capfd: pytest.CaptureFixture[str]
) -> None:
    model = start(broken(tmp_path / "broken.gguf", kind, qwen3))
    with pytest.raises(ModelError, match=r"broken\.gguf") as error:
        model.encode(["a"])
    assert error.value.hint
    assert "no reason" not in error.value.message
    assert capfd.readouterr() == ("", "")


def test_a_file_that_makes_llama_cpp_abort_is_an_error_that_says_why(
    tmp_path: Path, start: Callable[..., ModelProcess], capfd: pytest.CaptureFixture[str]
) -> None:
    kind = Qwen3()
    kind.vocabulary[5] = kind.vocabulary[6]
    model = start(kind.write(tmp_path / "twice.gguf"))
    with pytest.raises(ModelError, match=r"SIGABRT.*GGML_ASSERT") as error:
        model.encode(["a"])
    assert error.value.hint
    assert capfd.readouterr() == ("", "")


def test_weights_that_are_no_numbers_are_an_error(tmp_path: Path, load: Callable[..., GgufModel]) -> None:
    kind = Qwen3()
    kind.weights["output_norm.weight"][3] = np.nan
    with pytest.raises(ModelError, match="no numbers"):
        load(kind.write(tmp_path / "nan")).encode(["a"])


@pytest.mark.parametrize(
    ("kind", "more", "why"),
    [
        (Qwen3(pooling=4), {}, "reranker"),
        (Qwen3(pooling=1), {}, "`mean` pooling"),
        (Qwen3(), {"dimensions": 128}, "64 dimensions, not 128"),
        (Qwen3(), {"architecture": "bert"}, "of the kind `qwen3`"),
    ],
)
def test_another_model_than_its_card_speaks_of_is_refused(
    kind: Qwen3, more: dict[str, int | str], why: str, tmp_path: Path, load: Callable[..., GgufModel]
) -> None:
    with pytest.raises(ModelError, match=why) as error:
        load(kind.write(tmp_path / "other"), **more)
    assert error.value.hint


def test_a_file_that_does_not_name_its_pooling_is_pooled_as_its_card_says(
    qwen3: Path, tmp_path: Path, load: Callable[..., GgufModel]
) -> None:
    unnamed = load(Qwen3(pooling=None).write(tmp_path / "unnamed"))
    assert alike(unnamed.encode(TEXTS), load(qwen3).encode(TEXTS))


# ---------------------------------------------------------------- apart


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
def test_a_process_that_is_killed_in_mid_batch_costs_no_vector(
    qwen3: Path, start: Callable[..., ModelProcess], load: Callable[..., GgufModel]
) -> None:
    model = start(qwen3)
    model.encode(["a"])
    assert model.pid is not None
    os.kill(model.pid, signal.SIGKILL)
    assert alike(model.encode(TEXTS), load(qwen3).encode(TEXTS))
    assert model.notes == ()


def test_llama_cpp_says_nothing_on_the_terminal(qwen3: Path) -> None:
    script = f"""
import sys
sys.path[:] = {sys.path!r}
from pathlib import Path
from codeseek.embedders.gguf import GgufSource
GgufSource(Path({str(qwen3)!r}), "last").load().encode(["a", "b" * 2_000])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=50)
    assert (done.stdout, done.stderr) == ("", "")


def test_templates_and_shorter_vectors_are_those_of_the_card(qwen3: Path, load: Callable[..., GgufModel]) -> None:
    model = load(qwen3)
    card = spec(query="Instruct: {task}\nQuery:{text}", tasks={"retrieval": "find code", "web": "find pages"})
    embedder = TextEmbedder(card, Running(model))
    (expected,) = model.encode(["Instruct: find code\nQuery:how"])
    assert embedder.embed_query("how") == pytest.approx(expected, abs=1e-5)
    (chosen,) = model.encode(["Instruct: 找到代码\nQuery:how"])
    assert TextEmbedder(card, Running(model), task="找到代码").embed_query("how") == pytest.approx(chosen, abs=1e-5)
    short = TextEmbedder(card, Running(model), dimensions=16)
    chunk = Chunk(PurePosixPath("a.py"), 1, 1, "python", "function", "f", "def f(): ...")
    (whole,), (cut,) = embedder.embed([chunk]), short.embed([chunk])
    assert cut == pytest.approx(whole[:16] / np.linalg.norm(whole[:16]), abs=1e-5)
    assert short.fingerprint != embedder.fingerprint


class Running:
    """A model in this process as a `TextModel`."""

    identity = "running"
    notes = ()

    def __init__(self, model: GgufModel) -> None:
        self.encode, self.count_tokens = model.encode, model.count_tokens
        self.close, self.dimensions = model.close, model.dimensions


def test_a_model_is_loaded_from_where_it_was_put_and_tried_once(
    minilm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = Choice("all-minilm-l6-v2", data_dir=tmp_path, threads=1)
    with pytest.raises(ModelError, match="not on this machine") as missing:
        load_embedder(choice)
    assert "codeseek models pull all-minilm-l6-v2" in missing.value.hint
    folder = tmp_path / "models" / "all-minilm-l6-v2" / "F16"
    folder.mkdir(parents=True)
    (folder / minilm.name).hardlink_to(minilm)
    embedder = load_embedder(choice)
    assert isinstance(embedder, TextEmbedder)
    near, far = (embedder.embed_query(text) for text in ("removing documents from the disk", "cooking a potato"))
    question = embedder.embed_query("how do I delete a file")
    assert question @ near > question @ far + 0.2
    embedder.close()
    monkeypatch.setattr(ModelProcess, "encode", None)  # it is neither tried nor started again
    again = load_embedder(choice)
    assert again.fingerprint == embedder.fingerprint


def test_a_model_that_embeds_nonsense_is_refused_every_time(qwen3: Path, tmp_path: Path) -> None:
    card = spec(files=(), dimensions=64)
    folder = files_folder(tmp_path, card, card.variants[0])
    folder.mkdir(parents=True)
    for _ in range(2):
        with pytest.raises(ModelError, match="nonsense"):
            on_disk.load(card, card.variants[0], tmp_path, GgufSource(qwen3, "last", 64), gguf.ENVIRONMENT)


def test_a_file_is_known_by_what_it_holds_and_read_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one")
    (tmp_path / "b").write_bytes(b"two")
    first = on_disk.hash_of(tmp_path, ["a", "b"])
    assert on_disk.hash_of(tmp_path, ["a", "b"]) == first
    assert on_disk.hash_of(tmp_path, ["a"]) != first
    (tmp_path / "a").write_bytes(b"two")
    os.utime(tmp_path / "a", ns=(0, 0))
    changed = on_disk.hash_of(tmp_path, ["a", "b"])
    assert changed != first
    (tmp_path / "a").write_bytes(b"six")
    os.utime(tmp_path / "a", ns=(0, 0))
    assert on_disk.hash_of(tmp_path, ["a", "b"]) == changed
    with pytest.raises(ModelError):
        on_disk.hash_of(tmp_path, ["c"])
