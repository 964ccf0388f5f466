"""A second model's vectors seen through an index's rows: how near chunks are to a question, where they are covered.

Vectors may be long. The nearest are looked for by their prefix (a Matryoshka model's first numbers are a vector too),
exactly or in a graph, and what is found is measured again with the whole vectors, of which only these are read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codeseek import arrays
from codeseek.archive import Archive
from codeseek.segments import OVERLAY
from codeseek.vectors import HNSW_ROWS, ExactIndex, HnswIndex, VectorIndex, best, has_hnswlib, open_index
from codeseek.words import Index

_PREFIX_STEP = 8_192  # rows added since, from which the prefixes are worth writing anew
_MEASURED_AGAIN = 8  # candidates for each row wanted
_SAMPLED = 1_024

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


class TierIndex:
    """The vectors of one archive, aligned with the rows of an index. Only live chunks that are no overlays have one."""

    def __init__(self, index: Index, archive: Archive) -> None:
        self.index = index
        self.archive = archive
        self.can_cover: Mask = index.alive & (index.chunk_set != OVERLAY)
        """Which of the index's rows can have a vector."""
        self.row_of: Ints = np.where(self.can_cover, archive.rows_of(index.column("chunk_key")), -1)
        """The archive's row of each of the index's rows, -1 where it is not covered."""
        self.covered = int(np.count_nonzero(self.row_of >= 0))
        self.coverable = int(np.count_nonzero(self.can_cover))
        self.coverage = self.covered / max(1, self.coverable)
        self._samples: dict[int, Floats] = {}

    @cached_property
    def index_row(self) -> Ints:
        """The index's row of each of the archive's, -1 for what is not in the index now."""
        rows = np.full(len(self.archive), -1, np.int64)
        covered = np.flatnonzero(self.row_of >= 0)
        rows[self.row_of[covered]] = covered
        return rows

    @cached_property
    def parts(self) -> list[VectorIndex]:
        """What is searched: the prefixes as written last, and those of the rows that were added since."""
        written = _open_prefixes(self.archive)
        parts: list[VectorIndex] = [] if written is None else [written]
        done = 0 if written is None else len(written.matrix)
        if done < len(self.archive):
            parts.append(ExactIndex(prefixes(self.archive, done)))
        return parts

    def knows_all(self, row: int, allowed: Mask) -> bool:
        """Tell whether a row of the index is covered, and all those are that may be compared with it."""
        return bool(self.row_of[row] >= 0) and bool((self.row_of[allowed] >= 0).all())

    def gather(self, rows: Ints) -> Floats:
        """Return the vectors of rows of the archive, [n, dimensions]."""
        return self.archive.gather(rows)

    def sample(self, of_set: int) -> Floats:
        """Return vectors of a set's rows, evenly spread and the same at every question."""
        if of_set not in self._samples:
            rows = self.row_of[self.index.rows_of[of_set]]
            rows = rows[rows >= 0]
            self._samples[of_set] = self.gather(rows[:: -(-len(rows) // _SAMPLED) or 1])
        return self._samples[of_set]


class TierMeaning:
    """How near every covered row is to one question."""

    def __init__(self, tier: TierIndex, query: Floats) -> None:
        self._tier = tier
        self._query = query
        short = query[: tier.archive.header.prefix]
        self._short = (short / max(float(np.linalg.norm(short)), 1e-9)).astype(np.float32)

    def cosines(self, rows: Ints) -> Floats:
        """Return the cosines of the index's rows, NaN where one is not covered."""
        at = self._tier.row_of[rows]
        cosines = np.full(len(rows), np.nan, np.float32)
        covered = at >= 0
        cosines[covered] = self._tier.gather(at[covered]) @ self._query
        return cosines

    def nearest(self, allowed: Mask, k: int, least: float = -1.0) -> tuple[Ints, Floats]:
        """Return the nearest of the index's rows that are allowed, covered and above `least`, with their cosines."""
        tier = self._tier
        wanted = np.zeros(len(tier.archive), bool)
        wanted[tier.row_of[allowed & (tier.row_of >= 0)]] = True
        found, first = [], 0
        for part in tier.parts:
            last = first + len(part.matrix)
            rows, _ = part.nearest(self._short, k * _MEASURED_AGAIN, wanted[first:last])
            found.append(rows + first)
            first = last
        rows = np.concatenate(found) if found else np.zeros(0, np.int64)
        order, cosines = best(tier.gather(rows) @ self._query, k)
        enough = cosines > least
        return tier.index_row[rows[order[enough]]], cosines[enough]

    def spread(self, of_set: int) -> tuple[float, float]:
        """Return mean and standard deviation of the cosines of a set's rows, by a sample."""
        cosines = self._tier.sample(of_set) @ self._query
        if len(cosines) < 2:
            return 0.0, 1.0
        return float(cosines.mean()), float(cosines.std()) or 1.0


def prefixes(archive: Archive, first: int = 0) -> Floats:
    """Return the prefixes of an archive's rows from `first` on as unit vectors, [n, prefix]."""
    length = archive.header.prefix
    matrix = np.empty((len(archive) - first, length), np.float32)
    for start in range(0, len(matrix), 4096):
        rows = np.arange(first + start, min(first + start + 4096, len(archive)))
        part = archive.gather(rows)[:, :length]
        norms = np.linalg.norm(part, axis=1, keepdims=True)
        matrix[start : start + 4096] = part / np.where(norms > 0, norms, 1)
    return matrix


def write_prefixes(archive: Archive, *, thorough: bool = False, advance: Callable[[int], None] | None = None) -> None:
    """Write what is searched when much was added since; a graph too where it is worth it and that is `thorough`.

    `advance` hears of rows that the graph has taken. Raises OSError.
    """
    current = _open_prefixes(archive)
    added = len(archive) - (0 if current is None else len(current.matrix))
    with_graph = thorough and len(archive) >= HNSW_ROWS and has_hnswlib()
    if added < (1 if thorough else _PREFIX_STEP) and (isinstance(current, HnswIndex) or not with_graph):
        return
    matrix = prefixes(archive)
    target = archive.folder / f"{archive.header.birth}-{len(archive)}.prefix"
    graph = target.with_suffix(".hnsw")
    mark: Sequence[int] = (0, 0, 0)
    if with_graph:
        HnswIndex.build(matrix, graph, advance)
        mark = (arrays.checksum(graph), graph.stat().st_size, graph.stat().st_mtime_ns)
    arrays.save(target, {"matrix": matrix, "graph": np.array(mark, np.int64)})
    for old in archive.folder.glob(f"{archive.header.birth}-*"):
        if old not in (target, graph):
            old.unlink(missing_ok=True)


def _open_prefixes(archive: Archive) -> VectorIndex | None:
    """Open the prefixes that were written last, None where there are none that fit."""
    path = _prefix_path(archive)
    if path is None:
        return None
    try:
        found = arrays.load(path)
    except (OSError, arrays.Damaged):
        return None
    matrix, mark = found.get("matrix"), found.get("graph")
    if matrix is None or mark is None or matrix.shape[1:] != (archive.header.prefix,) or len(matrix) > len(archive):
        return None
    graph = path.with_suffix(".hnsw")
    return open_index(matrix, graph if _is_sound(graph, mark.tolist()) else None)


def _prefix_path(archive: Archive) -> Path | None:
    """Return where the prefixes lie that reach farthest."""
    return max(archive.folder.glob(f"{archive.header.birth}-*.prefix"), key=_rows_in, default=None)


def _rows_in(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])


def _is_sound(graph: Path, mark: Sequence[int]) -> bool:
    """Tell whether a graph is what was written: hnswlib itself would crash on a damaged one."""
    try:
        stat = graph.stat()
    except FileNotFoundError:
        return False
    return (stat.st_size, stat.st_mtime_ns) == tuple(mark[1:]) or arrays.checksum(graph) == mark[0]
