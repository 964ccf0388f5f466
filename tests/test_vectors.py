from __future__ import annotations

import stat
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from codeseek import vectors
from codeseek.vectors import ExactIndex, HnswIndex, Matrix, VectorIndex

pytest.importorskip("hnswlib")


def unit_rows(count: int, dimensions: int = 16, seed: int = 0) -> Matrix:
    rows = np.random.default_rng(seed).standard_normal((count, dimensions)).astype(np.float32)
    unit: Matrix = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def graph_over(matrix: Matrix, folder: Path) -> VectorIndex:
    path = folder / "s.hnsw"
    HnswIndex.build(matrix, path)
    index = vectors.open_index(matrix, path)
    assert isinstance(index, HnswIndex)
    index.nearest(matrix[0], 1)  # the first question is answered without the graph
    return index


@given(
    st.integers(0, 60),
    st.integers(0, 70),
    st.integers(0, 5),
    st.one_of(st.none(), st.lists(st.booleans(), min_size=60, max_size=60)),
)
def test_the_exact_index_returns_the_best_rows_in_order(count: int, k: int, seed: int, kept: list[bool] | None) -> None:
    matrix = np.round(unit_rows(count, 4, seed), 1)  # rounded, so that there are ties
    query = np.array([1, 0.5, 0, 0], np.float32)
    allowed = None if kept is None else np.array(kept[:count], bool)
    rows, cosines = ExactIndex(matrix).nearest(query, k, allowed)
    candidates = [row for row in range(count) if allowed is None or allowed[row]]
    expected = sorted(candidates, key=lambda row: (-float(matrix[row] @ query), row))[:k]
    assert np.allclose(cosines, [float(matrix[row] @ query) for row in expected])
    assert np.allclose(cosines, matrix[rows] @ query)
    assert len(set(rows.tolist())) == len(rows)


def test_equal_cosines_keep_the_order_of_rows() -> None:
    assert vectors.best(np.array([0.5, 0.9, 0.5, 0.5, 0.5], np.float32), 3)[0].tolist() == [1, 0, 2]


def test_the_graph_finds_nearly_what_the_exact_index_finds(tmp_path: Path) -> None:
    matrix = unit_rows(3000, seed=1)
    graph, exact = graph_over(matrix, tmp_path), ExactIndex(matrix)
    found = [
        len(set(graph.nearest(query, 10)[0].tolist()) & set(exact.nearest(query, 10)[0].tolist()))
        for query in unit_rows(50, seed=2)
    ]
    assert np.mean(found) >= 9.5


@pytest.mark.parametrize("share", [0.0, 0.01, 0.4, 0.6, 0.999])
@pytest.mark.parametrize("k", [1, 10, 2000, 5000])
def test_rows_that_are_not_allowed_never_come_from_the_graph_and_none_is_missing(
    tmp_path: Path, share: float, k: int
) -> None:
    matrix = unit_rows(2000, 8)
    allowed = np.random.default_rng(3).random(2000) < share
    rows, cosines = graph_over(matrix, tmp_path).nearest(matrix[7], k, allowed)
    assert len(rows) == min(k, int(allowed.sum())) == len(set(rows.tolist()))
    assert allowed[rows].all()
    assert (np.diff(cosines) <= 0).all()


def test_more_rows_than_the_graph_can_reach_come_from_the_exact_index(tmp_path: Path) -> None:
    same: NDArray[np.float32] = np.zeros((500, 8), np.float32)  # a graph over equal rows falls apart
    rows, _ = graph_over(same, tmp_path).nearest(same[0], 60)
    assert len(rows) == 60


def test_a_damaged_graph_is_not_used(tmp_path: Path) -> None:
    matrix = unit_rows(300)
    path = tmp_path / "s.hnsw"
    HnswIndex.build(unit_rows(200), path)
    index = vectors.open_index(matrix, path)
    for _ in range(3):
        assert index.nearest(matrix[250], 1)[0].tolist() == [250]


def test_a_graph_is_private_and_says_how_far_it_is(tmp_path: Path) -> None:
    heard: list[int] = []
    HnswIndex.build(unit_rows(5000, 4), tmp_path / "s.hnsw", heard.append)
    assert stat.S_IMODE((tmp_path / "s.hnsw").stat().st_mode) == 0o600
    assert sum(heard) == 5000
    assert len(heard) > 1
    assert [path.name for path in tmp_path.iterdir()] == ["s.hnsw"]


def test_without_a_graph_the_index_is_exact(tmp_path: Path) -> None:
    assert isinstance(vectors.open_index(unit_rows(3), None), ExactIndex)
    assert isinstance(vectors.open_index(unit_rows(3), tmp_path / "missing.hnsw"), ExactIndex)


@pytest.mark.parametrize("kept", [1.0, 0.5])
def test_a_shortlist_holds_nearly_all_of_the_nearest(kept: float) -> None:
    scale = (1 + np.arange(256, dtype=np.float32) / 40) ** -0.5  # as in the model: 61 % of the squares in the first 96
    rows = unit_rows(5000, 256, seed=3) * scale
    matrix: Matrix = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    sketch = vectors.Sketch([matrix[:2000], matrix[2000:]])
    allowed = np.random.default_rng(4).random(len(matrix)) < kept
    found = []
    for query in matrix[::500]:
        exact, _ = ExactIndex(matrix).nearest(query, 50, allowed)
        shortlist = vectors.shortlist(sketch.likeness(query), 50, allowed)
        assert allowed[shortlist].all()
        assert sorted(set(shortlist.tolist())) == shortlist.tolist()
        found.append(len(set(exact.tolist()) & set(shortlist.tolist())) / len(exact))
    assert np.mean(found) > 0.9


def test_a_shortlist_of_few_rows_is_all_of_them() -> None:
    matrix = unit_rows(20, 4)
    allowed = np.arange(20) % 2 == 0
    assert vectors.shortlist(vectors.Sketch([matrix]).likeness(matrix[0]), 5, allowed).tolist() == [*range(0, 20, 2)]
