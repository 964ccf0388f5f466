"""ONNX models: as the reference says, whatever the graph takes and gives, and refused where they cannot be right."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codeseek import catalogue
from codeseek.catalogue import ModelSpec, Variant
from codeseek.embedders import Choice, load_embedder, selftest
from codeseek.embedders import onnx as engine
from codeseek.embedders.onnx import OnnxModel, OnnxSource
from codeseek.errors import ModelError
from minilm_reference import Bert, folder
from minilm_reference import minilm as reference

if any(importlib.util.find_spec(name) is None for name in ("onnx", "onnxruntime", "tokenizers")):
    pytest.skip("without onnx, onnxruntime and tokenizers", allow_module_level=True)

import bert_onnx

TEXTS = ["sort the list", "list", "sort 列表 the [CLS] words , of the list . [SEP]", "words of the", "把列表排序"]
needs_weights = pytest.mark.skipif(folder() is None, reason="the weights of all-MiniLM-L6-v2 are not there")


def source(path: Path, **options: Any) -> OnnxSource:
    return OnnxSource(path / "model.onnx", path / "tokenizer.json", **{"pooling": "mean", "context": 64, **options})


def tiny(path: Path, **options: Any) -> tuple[Bert, OnnxModel]:
    """Return the same random weights in numpy and in the engine."""
    bert = bert_onnx.tiny(path, **options)
    bert.tokenizer.encode_special_tokens = True
    return bert, OnnxModel(source(path))


@pytest.mark.parametrize(
    "inputs",
    [
        ("input_ids", "attention_mask"),
        ("input_ids", "attention_mask", "token_type_ids"),
        ("attention_mask", "position_ids", "input_ids", "token_type_ids"),
    ],
)
def test_a_graph_is_given_what_it_takes(tmp_path: Path, inputs: tuple[str, ...]) -> None:
    bert, model = tiny(tmp_path, inputs=inputs)
    np.testing.assert_allclose(model.encode(TEXTS), bert.encode(TEXTS), atol=1e-5)


def test_a_graph_of_small_integers_is_given_such(tmp_path: Path) -> None:
    bert, model = tiny(tmp_path, kind=bert_onnx.INT32)
    np.testing.assert_allclose(model.encode(TEXTS), bert.encode(TEXTS), atol=1e-5)


def test_a_graph_that_pools_is_believed(tmp_path: Path) -> None:
    bert, _ = tiny(tmp_path, pooled=True)
    model = OnnxModel(source(tmp_path, pooling="cls"))
    np.testing.assert_allclose(model.encode(TEXTS), bert.encode(TEXTS), atol=1e-5)


@pytest.mark.parametrize(("pooling", "place"), [("cls", 0), ("last", -1)])
def test_one_token_can_stand_for_the_text(tmp_path: Path, pooling: str, place: int) -> None:
    bert, _ = tiny(tmp_path)
    states = np.array([bert.hidden(bert.tokenizer.encode(text).ids)[place] for text in TEXTS])
    wanted = states / np.linalg.norm(states, axis=1, keepdims=True)
    np.testing.assert_allclose(OnnxModel(source(tmp_path, pooling=pooling)).encode(TEXTS), wanted, atol=1e-5)


def test_special_tokens_in_a_text_are_text(tmp_path: Path) -> None:
    _, model = tiny(tmp_path)
    rows = model.encode(["sort [SEP] list", "sort [ sep ] list"])
    np.testing.assert_allclose(rows[0], rows[1], atol=1e-6)


def test_a_text_without_a_token_is_zeros(tmp_path: Path) -> None:
    _, model = tiny(tmp_path)
    assert not model.encode(["", " \n\t", "\u200b"]).any()
    assert model.encode([]).shape == (0, 24)


def test_a_text_that_is_no_unicode_is_embedded_all_the_same(tmp_path: Path) -> None:
    _, model = tiny(tmp_path)
    assert np.linalg.norm(model.encode(["sort \udcff list"])) == pytest.approx(1)


def test_long_texts_are_embedded_in_parts_with_a_note(tmp_path: Path) -> None:
    bert, model = tiny(tmp_path)
    long = "sort the list of words " * 30
    assert not model.notes
    (row,) = model.encode([long])
    ids = bert.tokenizer.encode(long, add_special_tokens=False).ids
    parts = [bert.pooled([2, *ids[at * 150 // 3 : (at + 1) * 150 // 3], 3]) for at in range(3)]
    whole = np.sum(parts, axis=0)
    np.testing.assert_allclose(row, whole / np.linalg.norm(whole), atol=1e-5)
    assert model.notes == ("texts of more than 64 tokens are embedded in parts",)


def test_many_texts_at_once_are_as_one_by_one(tmp_path: Path) -> None:
    bert, model = tiny(tmp_path)
    texts = [
        " ".join(bert_onnx.WORDS[5 + (number * 7 + at) % 5] for at in range(1 + number % 40)) for number in range(300)
    ]
    rows = model.encode(texts)
    np.testing.assert_allclose(rows, np.concatenate([model.encode([text]) for text in texts]), atol=1e-5)
    np.testing.assert_allclose(rows, bert.encode(texts), atol=1e-5)


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda path: (path / "model.onnx").write_bytes(b"<html>not found"), "`model.onnx` does not work"),
        (lambda path: (path / "model.onnx").write_bytes((path / "model.onnx").read_bytes()[:9000]), "does not work"),
        (lambda path: (path / "model.onnx").write_bytes(b""), "does not work"),
        (lambda path: (path / "model.onnx").unlink(), "does not work"),
        (lambda path: (path / "tokenizer.json").write_text("{}"), "`tokenizer.json` does not work"),
        (lambda path: (path / "tokenizer.json").unlink(), "does not work"),
        (lambda path: bert_onnx.tiny(path, inputs=("input_ids", "attention_mask", "past")), "wants `past`"),
    ],
)
def test_a_damaged_model_is_refused_with_its_reason(tmp_path: Path, damage: Any, why: str, capfd: Any) -> None:
    bert_onnx.tiny(tmp_path)
    damage(tmp_path)
    with pytest.raises(ModelError, match=why) as raised:
        OnnxModel(source(tmp_path))
    assert raised.value.hint
    assert capfd.readouterr() == ("", ""), "the library keeps quiet"


def test_weights_that_are_not_numbers_are_refused(tmp_path: Path) -> None:
    bert = bert_onnx.tiny(tmp_path)
    bert_onnx.write(
        tmp_path / "model.onnx",
        bert_onnx.TINY,
        {**bert.weights, "encoder.layer.0.output.dense.bias": np.full(24, np.nan, np.float32)},
    )
    with pytest.raises(ModelError, match="makes vectors that are none"):
        OnnxModel(source(tmp_path)).encode(["sort"])


def test_a_context_that_the_model_has_no_positions_for_is_said(tmp_path: Path) -> None:
    bert_onnx.tiny(tmp_path)
    with pytest.raises(ModelError, match="does not work"):
        OnnxModel(source(tmp_path, context=512)).encode(["sort the list of words " * 30])


def test_a_file_of_another_length_of_vectors_is_refused(tmp_path: Path) -> None:
    bert_onnx.tiny(tmp_path)
    with pytest.raises(ModelError, match="vectors of 24 numbers, not 384"):
        OnnxModel(source(tmp_path, dimensions=384))


def test_a_card_that_cannot_be_used_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    import onnxruntime

    bert = bert_onnx.tiny(tmp_path)
    monkeypatch.setattr(
        onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
    )
    with pytest.warns(UserWarning, match="CUDAExecutionProvider"):  # that it is not of this build
        model = OnnxModel(source(tmp_path))
    assert model.notes == ("CUDA cannot be used: the model runs on the processor",)
    np.testing.assert_allclose(model.encode(["sort"]), bert.encode(["sort"]), atol=1e-5)
    assert capfd.readouterr() == ("", "")


def test_a_missing_package_is_said_with_the_command_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match="need the package `onnxruntime`") as raised:
        engine.check_installed()
    assert "pip install 'codeseek[onnx]'" in raised.value.hint


@cache
def minilm(path: Path) -> OnnxModel:
    bert_onnx.minilm(path)
    return OnnxModel(source(path, context=512, dimensions=384))


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnnxModel]:
    yield minilm(tmp_path_factory.mktemp("minilm"))
    minilm.cache_clear()


PROSE = [
    "How do I sort a list?",
    "def sort(items: list[int]) -> list[int]:\n    return sorted(items, reverse=True)\n",
    "把列表按从大到小的顺序排列",
    "Ünïcödé ☕ emoji",
    "a",
    "the network is down " * 100,
]


@needs_weights
def test_minilm_is_as_the_reference_says(real: OnnxModel) -> None:
    rows, wanted = real.encode(PROSE), reference().encode(PROSE)
    assert (rows * wanted).sum(axis=1).min() > 0.9999


@needs_weights
def test_minilm_passes_the_self_test(real: OnnxModel) -> None:
    class Named:
        identity, dimensions, notes = "minilm", 384, ()
        encode, count_tokens = staticmethod(real.encode), staticmethod(real.count_tokens)

        def close(self) -> None:
            pass

    selftest.check(Named(), ModelSpec("all-minilm-l6-v2", "", "", 384, (Variant("ONNX", "onnx"),), languages="English"))
    with pytest.raises(ModelError, match="in Chinese"):
        selftest.check(Named(), ModelSpec("m", "", "", 384, (Variant("ONNX", "onnx"),), languages="English, Chinese"))


DESCRIPTION = """
name = "mine"
family = "Own"
licence = "own"
dimensions = {dimensions}
languages = "English"
context = 64
variants = [{{ name = "ONNX", engine = "onnx", files = [{files}] }}]
"""


def describe(files: str, dimensions: int) -> None:
    folder = catalogue.user_folder()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mine.toml").write_text(DESCRIPTION.format(files=files, dimensions=dimensions))


@needs_weights
def test_a_described_model_runs_from_its_folder_in_a_process_of_its_own(tmp_path: Path, real: OnnxModel) -> None:
    describe('{ path = "onnx/model.onnx" }, { path = "tokenizer.json" }', 384)
    with pytest.raises(ModelError, match=r"`onnx/model\.onnx` of its variant ONNX is missing"):
        load_embedder(Choice("mine", data_dir=tmp_path))
    folder = tmp_path / "models" / "mine" / "ONNX"
    bert_onnx.minilm(folder)
    (folder / "onnx").mkdir()
    (folder / "model.onnx").rename(folder / "onnx" / "model.onnx")
    embedder = load_embedder(Choice("mine", data_dir=tmp_path))
    try:
        np.testing.assert_allclose(embedder.embed_query("sort a list"), real.encode(["sort a list"])[0], atol=1e-5)
        assert load_embedder(Choice("mine", data_dir=tmp_path)).fingerprint == embedder.fingerprint
    finally:
        embedder.close()


def test_a_model_of_chance_is_refused_by_its_self_test(tmp_path: Path) -> None:
    describe('{ path = "model.onnx" }, { path = "tokenizer.json" }', 24)
    bert_onnx.tiny(tmp_path / "models" / "mine" / "ONNX")
    with pytest.raises(ModelError, match="`mine` embeds nonsense"):
        load_embedder(Choice("mine", data_dir=tmp_path))


def test_a_description_without_a_tokenizer_is_said(tmp_path: Path) -> None:
    describe('{ path = "model.onnx" }', 24)
    bert_onnx.tiny(tmp_path / "models" / "mine" / "ONNX")
    with pytest.raises(ModelError, match="does not say where its graph and its tokenizer are"):
        load_embedder(Choice("mine", data_dir=tmp_path))
