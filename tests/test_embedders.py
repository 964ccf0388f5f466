"""What holds for every embedder: the bundled one, those on an engine, and the one that stands in for them in tests."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from codeseek.catalogue import ModelSpec, Variant
from codeseek.embedders import Embedder, bundled
from codeseek.embedders.gguf import GgufModel, GgufSource
from codeseek.embedders.onnx import OnnxModel, OnnxSource
from codeseek.embedders.remote import RemoteModel
from codeseek.embedders.text import TextEmbedder
from codeseek.records import Chunk
from embeddings_server import Server, serving
from fakes import HashEmbedder

Maker = Callable[[Path], Iterator[Embedder]]


class Identified:
    """A model that would run in a process of its own, run in this one."""

    def __init__(self, model: OnnxModel | GgufModel) -> None:
        self.identity, self.dimensions, self.notes = "tiny", model.dimensions, model.notes
        self.encode, self.count_tokens = model.encode, model.count_tokens

    def close(self) -> None:
        pass


def spec(dimensions: int, context: int = 512) -> ModelSpec:
    return ModelSpec(
        "model", "", "", dimensions, (Variant("only", "onnx"),), context=context, document="passage: {text}"
    )


def static(folder: Path) -> Iterator[Embedder]:
    yield bundled()


def hashed(folder: Path) -> Iterator[Embedder]:
    yield HashEmbedder()


def remote(folder: Path) -> Iterator[Embedder]:
    with serving(Server(most_texts=10, most_characters=2000)) as server:
        described = spec(32)._replace(url=server.url, remote_name="hash")
        embedder = TextEmbedder(described, RemoteModel(described))
        yield embedder
        embedder.close()


def onnx(folder: Path) -> Iterator[Embedder]:
    if any(importlib.util.find_spec(name) is None for name in ("onnx", "onnxruntime", "tokenizers")):
        pytest.skip("without onnx, onnxruntime and tokenizers")
    import bert_onnx

    bert_onnx.tiny(folder)
    model = OnnxModel(OnnxSource(folder / "model.onnx", folder / "tokenizer.json", "mean", 24, 64))
    yield TextEmbedder(spec(24, 64), Identified(model))


def gguf(folder: Path) -> Iterator[Embedder]:
    if any(importlib.util.find_spec(name) is None for name in ("gguf", "llama_cpp")):
        pytest.skip("without gguf and llama_cpp")
    from gguf_models import Qwen3

    model = GgufSource(Qwen3().write(folder / "model.gguf"), "last", 64, 512, threads=1).load()
    yield TextEmbedder(spec(64), Identified(model))
    model.close()


@pytest.fixture(params=[static, hashed, remote, onnx, gguf], ids=lambda maker: maker.__name__, scope="module")
def embedder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedder]:
    maker: Maker = request.param
    yield from maker(tmp_path_factory.mktemp("model"))


def chunk(text: str, path: str = "src/words.py") -> Chunk:
    return Chunk(PurePosixPath(path), 1, text.count("\n") + 1, "python", "function", "sort", text)


CHUNKS = [
    chunk("sort the list of words"),
    chunk("def sort(words):\n    return sorted(words)\n"),
    chunk("把列表排序", "文档/排序.md"),
    chunk(""),
    chunk("\udcff\0 odd <|endoftext|> [SEP]"),
    *(chunk(f"the list {'of words ' * number}") for number in range(40)),
]


def test_rows_are_of_unit_length(embedder: Embedder) -> None:
    rows = embedder.embed(CHUNKS)
    assert rows.shape == (len(CHUNKS), embedder.dimensions)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert np.linalg.norm(embedder.embed_query("sort the list")) == pytest.approx(1)


def test_many_at_once_are_as_one_by_one(embedder: Embedder) -> None:
    alone = np.concatenate([embedder.embed([one]) for one in CHUNKS])
    np.testing.assert_allclose(embedder.embed(CHUNKS), alone, atol=1e-3)  # llama.cpp computes in half precision


def test_the_same_is_always_the_same(embedder: Embedder) -> None:
    np.testing.assert_array_equal(embedder.embed(CHUNKS), embedder.embed(CHUNKS))
    assert embedder.fingerprint == embedder.fingerprint


def test_nothing_gives_nothing(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, embedder.dimensions)


def test_a_question_without_a_word_is_a_vector_all_the_same(embedder: Embedder) -> None:
    for question in ("", " ", "\n", "?"):
        assert embedder.embed_query(question).shape == (embedder.dimensions,)
        assert np.isfinite(embedder.embed_query(question)).all()


def test_a_text_of_any_length_has_a_vector(embedder: Embedder) -> None:
    long = chunk("sort the list of words\n" * 5000)
    (row,) = embedder.embed([long])
    assert np.linalg.norm(row) == pytest.approx(1, abs=1e-5)
    assert row @ embedder.embed([chunk("sort the list of words")])[0] > 0.5


def test_a_model_with_a_tokenizer_counts_its_tokens(embedder: Embedder, request: pytest.FixtureRequest) -> None:
    counts = embedder.count_tokens(["", "sort", "sort the list of words " * 3])
    if any(name in request.node.name for name in ("onnx", "gguf")):
        assert counts is not None
        assert counts[0] == 0 < counts[1] < counts[2]
    if any(name in request.node.name for name in ("static", "remote")):
        assert counts is None
