"""Vector indexes: an exact scan of a segment, or HNSW (hnswlib) where rows are very many; a sketch of all rows between."""

from __future__ import annotations

import contextlib
import importlib.util
import math
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]

SCANNED_ROWS = 8_000
"""Up to so many rows in all segments, every question is compared with each of them."""

SKETCHED_ROWS = 150_000
"""Up to so many rows in all, a sketch finds candidates as quickly as graphs do, and takes no time to build."""

HNSW_ROWS = 30_000
"""Where there are more, a graph is worth building over a segment of at least so many."""

_HEAD, _SHORTLIST = 72, 8  # of 256 dimensions and k = 100: eight times as many hold .99 of the nearest
_COUNTED = 32  # rows of a shortlist by which its length is judged

_LINKS, _BUILD_WIDTH, _SEARCH_WIDTH = 12, 80, 64  # hnswlib's M, ef_construction, ef: recall .99 of 50 in 30k x 256


class VectorIndex(Protocol):
    """Finds the rows of a matrix of unit vectors that are most like a question's vector."""

    matrix: Matrix

    def nearest(self, query: NDArray[np.float32], k: int, allowed: Mask | None = None) -> tuple[Rows, Matrix]:
        """Return at most `k` rows, best first, and their cosines; only rows where `allowed` is true."""
        ...


class ExactIndex:
    """Compares the question with every row."""

    def __init__(self, matrix: Matrix) -> None:
        self.matrix = matrix

    def nearest(self, query: NDArray[np.float32], k: int, allowed: Mask | None = None) -> tuple[Rows, Matrix]:
        """Return the best rows; equal cosines in the order of the rows."""
        if allowed is None:
            return best(self.matrix @ query, k)
        rows = np.flatnonzero(allowed)
        if len(rows) * 8 < len(self.matrix):
            chosen, cosines = best(self.matrix[rows] @ query, k)
            return rows[chosen], cosines
        cosines = np.where(allowed, self.matrix @ query, -np.inf).astype(np.float32)
        return best(cosines, min(k, len(rows)))


class HnswIndex:
    """A navigable graph over the rows: near enough, and quick where there are very many.

    The graph is read at the second question: one question alone is answered sooner by the scan.
    """

    def __init__(self, matrix: Matrix, path: Path) -> None:
        self.matrix = matrix
        self._path = path
        self._exact = ExactIndex(matrix)
        self._graph: Any = None
        self._asked = 0

    @staticmethod
    def build(matrix: Matrix, path: Path, advance: Callable[[int], None] | None = None) -> None:
        """Build the graph and write it to `path` (0600, renamed into place); `advance` hears of rows done."""
        import hnswlib

        graph = hnswlib.Index(space="ip", dim=matrix.shape[1])
        graph.init_index(max_elements=len(matrix), M=_LINKS, ef_construction=_BUILD_WIDTH, random_seed=1)
        for start in range(0, len(matrix), 2000):
            rows = np.arange(start, min(start + 2000, len(matrix)))
            graph.add_items(matrix[rows], rows)
            if advance is not None:
                advance(len(rows))
        temporary = path.with_name(path.name + ".tmp")
        try:
            os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
            graph.save_index(os.fspath(temporary))
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def nearest(self, query: NDArray[np.float32], k: int, allowed: Mask | None = None) -> tuple[Rows, Matrix]:
        """Return about the best rows; exactly the best when a filter leaves few or the graph cannot reach enough."""
        self._asked += 1
        wanted = k
        if allowed is not None:
            count = int(np.count_nonzero(allowed))
            if count * 2 < len(self.matrix):
                return self._exact.nearest(query, k, allowed)
            wanted = k * len(self.matrix) // max(count, 1) + 16
        if self._asked == 1 or wanted * 8 > len(self.matrix) or not self._load():
            return self._exact.nearest(query, k, allowed)
        self._graph.set_ef(max(_SEARCH_WIDTH, wanted + wanted // 2))
        try:
            labels, _ = self._graph.knn_query(query, k=wanted)
        except RuntimeError:  # hnswlib cannot return `k` rows when fewer are reachable
            return self._exact.nearest(query, k, allowed)
        rows = labels[0].astype(np.int64)
        if allowed is not None:
            rows = rows[allowed[rows]]
            if len(rows) < min(k, count):
                return self._exact.nearest(query, k, allowed)
        cosines = self.matrix[rows] @ query
        order = np.lexsort((rows, -cosines))[:k]
        return rows[order], cosines[order]

    def _load(self) -> bool:
        if self._graph is None:
            import hnswlib

            graph = hnswlib.Index(space="ip", dim=self.matrix.shape[1])
            with contextlib.suppress(RuntimeError, OSError):
                graph.load_index(os.fspath(self._path), max_elements=len(self.matrix))
            self._graph = graph if graph.element_count == len(self.matrix) else False
        return self._graph is not False


class Spread(NamedTuple):
    """Mean and standard deviation of cosines: 0 and 1 where there are fewer than two."""

    mean: float = 0.0
    deviation: float = 1.0

    @classmethod
    def of(cls, cosines: Matrix) -> Spread:
        """Return the spread of cosines, [n]."""
        return _spread(len(cosines), float(cosines.sum()), float(cosines @ cosines))


class Moments:
    """Sums over vectors, [n, dimensions], from which follows how their cosines to any question are spread."""

    def __init__(self, vectors: Matrix) -> None:
        self._count = len(vectors)
        self._sum: Matrix = vectors.sum(axis=0)
        self._products: Matrix = vectors.T @ vectors

    def spread(self, query: NDArray[np.float32]) -> Spread:
        """Return the spread of the vectors' cosines to a question's vector."""
        return _spread(self._count, float(self._sum @ query), float(query @ self._products @ query))


def _spread(count: int, total: float, squares: float) -> Spread:
    if count < 2:
        return Spread()
    mean = total / count
    return Spread(mean, math.sqrt(max(squares / count - mean * mean, 0.0)) or 1.0)


class Sketch:
    """The first dimensions of many rows, where models put most of what tells texts apart: they foretell the cosines."""

    def __init__(self, matrices: Iterable[Matrix]) -> None:
        heads = np.concatenate([_heads(matrix) for matrix in matrices])
        self._heads = np.ascontiguousarray(heads.T)  # one dimension after the other: read in fewer, longer runs
        self._moments = Moments(heads)

    def likeness(self, query: NDArray[np.float32]) -> Matrix:
        """Return for each row a number that is larger the nearer it probably is."""
        likeness: Matrix = query[:_HEAD] @ self._heads
        return likeness

    def spread(self, query: NDArray[np.float32]) -> Spread:
        """Return how these numbers are spread."""
        return self._moments.spread(query[:_HEAD])


def _heads(matrix: Matrix) -> Matrix:
    heads = matrix[:, :_HEAD]
    norms = np.sqrt(np.einsum("ij,ij->i", heads, heads))
    return np.divide(heads, np.where(norms > 0, norms, 1)[:, None], dtype=np.float32)


def shortlist(likeness: Matrix, k: int, allowed: Mask) -> Rows:
    """Return rows, ascending, that hold nearly all of the `k` nearest of those allowed: about `_SHORTLIST` times as many."""
    likeness = np.where(allowed, likeness, np.float32(-np.inf))
    step = max(1, k * _SHORTLIST // _COUNTED)
    sample = likeness[::step]  # enough to know from which likeness on rows are so many
    wanted = k * _SHORTLIST // step
    least = np.partition(sample, len(sample) - wanted)[len(sample) - wanted] if wanted < len(sample) else -np.inf
    likely: Rows = np.flatnonzero(likeness >= least) if least > -np.inf else np.flatnonzero(allowed)
    return likely


def open_index(matrix: Matrix, graph: Path | None) -> VectorIndex:
    """Return the index over a segment's matrix: HNSW where its file and hnswlib are there, else the exact one."""
    if graph is not None and has_hnswlib() and graph.exists():
        return HnswIndex(matrix, graph)
    return ExactIndex(matrix)


def has_hnswlib() -> bool:
    """Tell whether hnswlib is installed, without importing it."""
    return importlib.util.find_spec("hnswlib") is not None


def best(cosines: Matrix, k: int) -> tuple[Rows, Matrix]:
    """Return the positions of the `k` largest values, largest first, the earlier of equals first, and the values."""
    k = min(k, len(cosines))
    if k <= 0:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    if k < len(cosines):
        least = np.partition(cosines, len(cosines) - k)[len(cosines) - k]
        rows = np.flatnonzero(cosines > least)
        rows = np.concatenate((rows, np.flatnonzero(cosines == least)[: k - len(rows)]))
    else:
        rows = np.arange(len(cosines))
    rows = rows[np.lexsort((rows, -cosines[rows]))].astype(np.int64)
    return rows, cosines[rows]
