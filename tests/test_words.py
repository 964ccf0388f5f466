"""The lexical index: what it finds does not depend on how files are spread over segments."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codeseek import analysis, ranking, words
from codeseek.records import Chunk, Definition, SourceFile
from codeseek.segments import Segment, analyse, term_hash

WEIGHTS = words.Weights(ranking.CHUNK_WEIGHT, ranking.CHUNK_B, ranking.CHUNK_K1)
File = tuple[SourceFile, list[Chunk]]


def file(path: str, *texts: str, kind: str = "function", symbol: str = "") -> File:
    source = SourceFile(PurePosixPath(path), 1, 1, "python")
    definitions = (Definition(symbol, "function", 1),) if symbol else ()
    chunks = [
        Chunk(source.path, at * 10 + 1, at * 10 + 9, "python", kind, symbol, text, definitions=definitions)
        for at, text in enumerate(texts)
    ]
    return source, chunks


def segment(files: Sequence[File], first_id: int = 1) -> Segment:
    count = sum(len(chunks) for _, chunks in files)
    return Segment.build([analyse(files)], np.arange(first_id, first_id + count))


def scores(index: words.Index, *terms: str) -> dict[int, float]:
    found = index.bm25f("chunk", dict.fromkeys(terms, 1.0), WEIGHTS).score
    return {int(number): float(score) for number, score in zip(index.chunk_ids, found, strict=True) if score > 0}


def test_a_term_is_found_where_it_stands() -> None:
    index = words.Index(
        [segment([file("a.py", "read the cache"), file("b.py", "write a file", "close the cache cache")])]
    )
    found = scores(index, "cach")
    assert set(found) == {1, 3}
    assert found[3] > found[1]


def test_the_score_is_bm25f_computed_by_hand() -> None:
    index = words.Index([segment([file("a/x.py", "alpha beta"), file("b/y.py", "gamma")])])
    # text: weight 1, b .75, lengths 2 and 1, average 1.5; one of two documents holds the term
    x = 1 / (1 - 0.75 + 0.75 * 2 / 1.5)
    assert scores(index, "alpha") == {1: pytest.approx(math.log1p((2 - 1 + 0.5) / 1.5) * x / (4 + x), rel=1e-5)}


def test_comments_weigh_less_than_code() -> None:
    source = SourceFile(PurePosixPath("a.py"), 1, 1, "python")
    code = Chunk(source.path, 1, 1, "python", "function", "", "cache = 1  # other")
    comment = Chunk(source.path, 2, 2, "python", "function", "", "other = 1  # cache", comments=((11, 18),))
    index = words.Index([segment([(source, [code, comment])])])
    found = scores(index, "cach")
    assert found[1] > found[2] > 0


def test_names_count_more_than_text() -> None:
    index = words.Index([segment([file("a.py", "connect()"), file("b.py", "pass", symbol="connect")])])
    found = scores(index, "connect")
    assert found[2] > found[1]


def test_symbols_are_found_exactly_and_regardless_of_spelling() -> None:
    index = words.Index([segment([file("a.py", "x", symbol="flat_hash_map"), file("b.py", "y", symbol="FlatHashMap")])])
    assert index.symbol_chunk[index.symbols_named("FlatHashMap", exactly=True)].tolist() == [1]
    assert sorted(index.symbol_chunk[index.symbols_named("flatHashMap", exactly=False)].tolist()) == [0, 1]


def test_a_dead_chunk_is_never_found() -> None:
    files = [file("a.py", "alpha"), file("b.py", "alpha beta")]
    index = words.Index([segment(files)], np.array([1]))
    assert set(scores(index, "alpha")) == {2}
    assert index.frequency(np.array([term_hash("alpha")], np.uint64)).tolist() == [1]


def test_a_segment_comes_back_from_disk(tmp_path: Path) -> None:
    made = segment([file("a.py", "alpha beta"), file("文档/b.md", "多语言代码检索", kind="section")])
    made.save(tmp_path / "s")
    loaded = Segment.load(tmp_path / "s")
    assert loaded.paths == ["a.py", "文档/b.md"]
    assert loaded.columns.keys() == made.columns.keys()
    assert all(np.array_equal(loaded.columns[name], column) for name, column in made.columns.items())


def test_sets_have_statistics_of_their_own() -> None:
    code = [file(f"{n}.py", "alpha") for n in range(5)]
    page = file("page.md", "alpha", kind="section")
    rare = scores(words.Index([segment([*code, page])]), "alpha")
    alone = scores(words.Index([segment([page])]), "alpha")
    assert rare[6] == pytest.approx(alone[1])


def test_an_empty_index_finds_nothing() -> None:
    index = words.Index([])
    assert len(index) == 0
    assert not index.knows("alpha")
    assert scores(index, "alpha") == {}


def test_later_questions_find_what_the_first_one_does() -> None:
    segments = [
        segment([file("a.py", "alpha beta", symbol="getUser"), file("b.py", "beta")]),
        segment([file("c.md", "alpha alpha", kind="section")], 3),
        segment([file("d.py", "gamma", "alpha gamma", symbol="user_cache")], 4),
    ]
    index = words.Index(segments, np.array([2]))
    before = [index.postings(level, ["user", "alpha"]) for level in ("chunk", "symbol")]
    first, later = (scores(index, "alpha", "beta", "gamma") for _ in range(2))
    assert first == later
    assert set(first) == {1, 3, 4, 5}
    for found, level in zip(before, ("chunk", "symbol"), strict=True):
        after = index.postings(level, ["user", "alpha"])
        assert sorted(zip(found.documents, found.terms, strict=True)) == sorted(
            zip(after.documents, after.terms, strict=True)
        )
    assert [index.knows(term) for term in ("alpha", "gamma", "delta")] == [True, True, False]


VOCABULARY = ["alpha", "beta", "getUser", "用户缓存", "cache", "user_cache"]
TEXTS = st.lists(st.sampled_from(VOCABULARY), max_size=8).map(" ".join)
FILES = st.lists(
    st.tuples(
        st.lists(TEXTS, min_size=1, max_size=3),
        st.sampled_from(["function", "section", "comment"]),
        st.sampled_from(["", "userCache"]),
    ),
    min_size=1, max_size=6,
)  # fmt: skip


@settings(max_examples=60)
@given(FILES, st.data())
def test_segments_deaths_and_merges_change_no_score(
    drawn: list[tuple[list[str], str, str]], data: st.DataObject
) -> None:
    files = [file(f"src/f{n}.py", *texts, kind=kind, symbol=symbol) for n, (texts, kind, symbol) in enumerate(drawn)]
    alive = [data.draw(st.booleans()) for _ in files]
    cuts = sorted({0, len(files), *data.draw(st.lists(st.integers(0, len(files)), max_size=3))})
    segments, dead, number = [], [], 1
    for start, stop in itertools.pairwise(cuts):
        segments.append(segment(files[start:stop], number))
        for at in range(start, stop):
            count = len(files[at][1])
            dead += [] if alive[at] else list(range(number, number + count))
            number += count
    kept = [each for each, live in zip(files, alive, strict=True) if live]
    fresh, spread = words.Index([segment(kept)]), words.Index(segments, np.array(dead))
    merged = words.Index([Segment.merge(segments, np.array(dead))])
    terms = sorted({term for text in VOCABULARY for word in analysis.words(text) for term in analysis.word_terms(word)})
    assert sorted(merged.paths) == sorted(fresh.paths)
    for level in ("chunk", "file"):
        expected = fresh.bm25f(level, dict.fromkeys(terms, 1.0), WEIGHTS).score
        for index in (spread, merged):
            found = index.bm25f(level, dict.fromkeys(terms, 1.0), WEIGHTS).score
            live = index.alive if level == "chunk" else index.file_alive
            assert found[live].tolist() == pytest.approx(expected.tolist(), rel=1e-5)
            assert not found[~live].any()
    hashes = np.array([term_hash(term) for term in terms], np.uint64)
    for index in (spread, merged):
        assert index.frequency(hashes).tolist() == fresh.frequency(hashes).tolist()
        found_rows = index.symbol_chunk[index.symbols_named("user_cache", exactly=False)]
        assert len(found_rows) == len(fresh.symbols_named("user_cache", exactly=False))
