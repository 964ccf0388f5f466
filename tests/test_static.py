"""The bundled model places like meanings near each other, in both languages, and however texts are batched."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codeseek.catalogue import model_directory
from codeseek.embedders import Choice, Embedder, bundled, load_embedder
from codeseek.embedders.pieces import Pieces, Tokens
from codeseek.embedders.static import StaticEmbedder
from codeseek.errors import ModelError
from codeseek.records import Chunk, Definition
from codeseek.rows import content_key

MODEL = bundled()


def chunk(text: str, path: str = "src/cache.py", name: str = "") -> Chunk:
    definitions = (Definition(name, "function", 1),) if name else ()
    return Chunk(PurePosixPath(path), 1, 1, "python", "function", name, text, definitions=definitions)


def likeness(one: str, other: str) -> float:
    return float(MODEL.embed_query(one) @ MODEL.embed_query(other))


def test_the_bundled_model_is_an_embedder() -> None:
    embedder: Embedder = MODEL
    assert embedder.name == "bundled"
    assert embedder.dimensions == 256
    assert embedder.fingerprint == bundled().fingerprint


@pytest.mark.parametrize(
    ("question", "answer", "other"),
    [
        ("多语言代码检索", "multilingual code search", "file system watcher"),
        ("缓存失效", "cache invalidation", "user login page"),
        ("数据库连接池", "database connection pool", "draw a rectangle"),
        ("parse the configuration file", "read settings from toml", "websocket handshake"),
    ],
)
def test_a_question_is_nearer_to_its_answer_than_to_another(question: str, answer: str, other: str) -> None:
    assert likeness(question, answer) > likeness(question, other) + 0.2


def test_traditional_and_simplified_characters_are_one() -> None:
    assert likeness("重建索引", "重建索引") == pytest.approx(1, abs=1e-5)
    assert likeness("資料庫", "资料库") == pytest.approx(1, abs=1e-5)


def test_path_and_names_tell_chunks_of_equal_text_apart() -> None:
    plain, named = MODEL.embed([chunk("return x"), chunk("return x", "src/websocket.py", "handshake")])
    question = MODEL.embed_query("websocket handshake")
    assert named @ question > plain @ question + 0.3


def test_nothing_to_embed_gives_zeros_and_no_error() -> None:
    assert MODEL.embed([]).shape == (0, 256)
    assert not MODEL.embed_query("").any()
    assert not MODEL.embed_query("，。！").any()


def test_a_very_long_text_is_embedded() -> None:
    (vector,) = MODEL.embed([chunk("lorem ipsum " * 100_000 + "a" * 100_000)])
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=70))
def test_a_batch_equals_one_by_one_and_rows_are_unit(texts: list[str]) -> None:
    chunks = [chunk(text, f"f{number}.py") for number, text in enumerate(texts)]
    together = MODEL.embed(chunks)
    alone = np.concatenate([MODEL.embed([each]) for each in chunks])
    assert together == pytest.approx(alone, abs=1e-5)
    norms = np.linalg.norm(together, axis=1)
    assert np.all((np.abs(norms - 1) < 1e-4) | (norms == 0))


def test_the_key_changes_with_all_that_the_vector_depends_on() -> None:
    keys = {content_key(each) for each in (chunk("a"), chunk("b"), chunk("a", "b.py"), chunk("a", name="f"))}
    assert len(keys) == 4
    assert content_key(chunk("a")) == content_key(chunk("a"))
    assert len(content_key(chunk("a"))) == 16


def test_an_unknown_or_damaged_model_is_an_error_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as unknown:
        load_embedder(Choice("no-such-model"))
    assert unknown.value.hint
    (tmp_path / "vocabulary.txt").write_text("a\n")
    (tmp_path / "table.npy").write_bytes(b"not an array")
    with pytest.raises(ModelError) as damaged:
        StaticEmbedder.load(tmp_path)
    assert damaged.value.hint


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=60) | st.sampled_from(["缓存 cache", "parseConfig"]), max_size=40))
def test_a_text_has_the_vector_that_it_has_as_a_question(texts: list[str]) -> None:
    vectors = MODEL.embed_texts(texts)
    assert vectors.shape == (len(texts), 256)
    for vector, text in zip(vectors, texts, strict=True):
        assert vector == pytest.approx(MODEL.embed_query(text), abs=1e-5)


def test_a_token_has_the_same_number_for_the_first_question_and_for_many() -> None:
    lines = (model_directory("bundled") / "vocabulary.txt").read_bytes().decode()
    few, many = Tokens(lines), Tokens(lines)
    many.expect(1_000)
    assert isinstance(many.numbers, dict)
    assert not isinstance(few.numbers, dict)
    assert len(few) == len(many) == len(set(few.numbers))
    for token in (*[*many.numbers][::500], "depend", "dependency", "", "no such token", "存缓存"):
        assert few.numbers.get(token) == many.numbers.get(token)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text("abcdeé缓存連接", max_size=12) | st.text(max_size=8), min_size=1, max_size=70))
def test_many_words_are_cut_into_the_tokens_that_each_of_them_is_cut_into_alone(words: list[str]) -> None:
    words = [word.replace("\0", "") for word in words]
    score = np.array([-2, -3, -3.5, -4, -6, -1, -1, -5], np.float32)
    pieces = Pieces(Tokens.of(["a", "b", "ab", "abc", "abcde", "缓存", "存", "cde"]), score)
    alone = [pieces.of([word])[0] for word in words]
    together = pieces.of(words + ["abc"] * 2_000)
    assert together == [*alone, *[[3]] * 2_000]
