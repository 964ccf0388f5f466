"""What all rows and files mean: their vectors over all segments, and how near they are to one question."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from codeseek.segments import OVERLAY, begins, concatenated
from codeseek.vectors import SCANNED_ROWS, ExactIndex, Moments, Sketch, Spread, VectorIndex, best, shortlist
from codeseek.words import Index

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_SAMPLED = 32_768  # rows of a set from which the spread of cosines is known
_UNIT = 32_767  # as what 1 is kept: half of a float's size, and more exact than a small float
_AT_ONCE = 8192  # rows that are added up to vectors of files
_FOREMOST = 400  # rows that one look into the graphs brings, of code and documentation alike
_DOUBT = 0.75  # standard deviations by which what a sketch foretells is seldom too low
_DOUBTED = 3  # times as many rows as are wanted are compared exactly
_NARROW = 5  # what is less than a fifth of the rows, a set or what a filter leaves, is searched by itself


class MeaningIndex:
    """The vectors of all segments seen as one, aligned with an index's rows.

    The first question is compared with all rows; what makes the next ones quicker takes longer than one such scan.
    """

    def __init__(self, index: Index, vectors: Sequence[VectorIndex]) -> None:
        self.index = index
        self.vectors = vectors
        self.firsts = np.cumsum([0, *(len(each.matrix) for each in vectors)]).tolist()
        self.has_graphs = not all(isinstance(each, ExactIndex) for each in vectors)
        self._sketches: dict[int, Sketch] = {}
        self._moments: dict[int, Moments] = {}
        self._questions = 0

    def ask(self, *queries: Floats) -> list[Meaning]:
        """Return how near all rows are to one question, for each of the vectors that it has."""
        self._questions += 1
        if self._questions > 1 and len(self.index) > SCANNED_ROWS:
            return [Meaning(self, query, None) for query in queries]
        together = np.array(queries).T
        cosines = np.concatenate(
            [np.zeros((0, len(queries)), np.float32), *(each.matrix @ together for each in self.vectors)]
        )
        return [Meaning(self, query, cosines[:, at]) for at, query in enumerate(queries)]

    def ask_nothing(self) -> Meaning:
        """Return a meaning to which all rows are alike, and none is near: words alone decide."""
        return Meaning(self, np.zeros(0, np.float32), np.zeros(len(self.index), np.float32))

    def gather(self, rows: Ints) -> Floats:
        """Return the vectors of rows, which are ascending, [n, dimensions]."""
        gathered = np.empty((len(rows), self.vectors[0].matrix.shape[1]), np.float32)
        done = 0
        for matrix, within in self._parts(rows):
            matrix.take(within, axis=0, out=gathered[done : done + len(within)], mode="clip")  # other modes take a copy
            done += len(within)
        return gathered

    def _parts(self, rows: Ints) -> Iterator[tuple[Floats, Ints]]:
        """Yield the matrix of each segment with those of the rows that lie in it, numbered as there."""
        bounds = rows.searchsorted(self.firsts).tolist()
        for vectors, first, start, stop in zip(self.vectors, self.firsts, bounds, bounds[1:], strict=False):
            yield vectors.matrix, rows[start:stop] - first

    def of_files(self, files: NDArray[np.int32], *, comments: bool = False) -> Floats:
        """Return the unit vectors of ascending files, [n, dimensions]: the mean of what tiles each, or of its comments.

        For the first question they are made of these files alone, for the next ones of all files at once.
        """
        if self._questions > 1:
            known = self._every_comment if comments else self._every_file
            return known.take(files, axis=0).astype(np.float32) / np.float32(_UNIT)
        wanted = np.zeros(self.index.file_count, bool)
        wanted[files] = True
        rows = self._rows(comments=comments)
        rows = rows[wanted[self.index.chunk_file[rows]]]
        return self._means(rows, files.searchsorted(self.index.chunk_file[rows]), len(files))

    @cached_property
    def _every_file(self) -> NDArray[np.int16]:
        return self._of_all(comments=False)

    @cached_property
    def _every_comment(self) -> NDArray[np.int16]:
        return self._of_all(comments=True)

    def _of_all(self, *, comments: bool) -> NDArray[np.int16]:
        rows = self._rows(comments=comments)
        means = self._means(rows, self.index.chunk_file[rows], self.index.file_count)
        return np.rint(means * _UNIT).astype(np.int16)

    def _rows(self, *, comments: bool) -> Ints:
        """Return the rows that are comments, or those that tile files."""
        return np.flatnonzero((self.index.chunk_set == OVERLAY) == comments)

    def _means(self, rows: Ints, owners: Ints | NDArray[np.int32], count: int) -> Floats:
        """Return the unit vectors in the mean directions of `count` owners' rows; both arrays are ascending."""
        sums = np.zeros((count, self.vectors[0].matrix.shape[1]), np.float32)
        for first in range(0, len(rows), _AT_ONCE):
            part = owners[first : first + _AT_ONCE]
            starts = np.flatnonzero(begins(part))
            sums[part[starts]] += np.add.reduceat(self.gather(rows[first : first + _AT_ONCE]), starts, axis=0)
        return _units(sums)

    def sketch(self, of_set: int) -> Sketch:
        """Return what foretells the cosines of a set's rows without a look at the whole of every row."""
        if of_set not in self._sketches:
            parts = self._parts(self.index.rows_of[of_set])
            self._sketches[of_set] = Sketch(matrix[within] for matrix, within in parts)
        return self._sketches[of_set]

    def moments(self, of_set: int) -> Moments:
        """Return what tells how the cosines of a set's rows are spread, by an even sample where they are many."""
        if of_set not in self._moments:
            rows = self.index.rows_of[of_set]
            self._moments[of_set] = Moments(self.gather(rows[:: -(-len(rows) // _SAMPLED) or 1]))
        return self._moments[of_set]


class Meaning:
    """How near every row is to one question in meaning: of all rows where they are few, else of those asked for."""

    def __init__(self, meanings: MeaningIndex, query: Floats, cosines: Floats | None) -> None:
        """`cosines` are those of all rows, where they are known."""
        self._meanings = meanings
        self._query = query
        self._all = cosines
        self._foretold: dict[int, tuple[Floats, Spread]] = {}
        self._spreads: dict[int, Spread] = {}
        self._top: tuple[Ints, Floats] | None = None

    def cosines(self, rows: Ints) -> Floats:
        """Return the cosines of rows, which are ascending."""
        return self._all[rows] if self._all is not None else self._meanings.gather(rows) @ self._query

    def file_cosines(self, files: NDArray[np.int32], *, comments: bool = False) -> Floats:
        """Return the cosines of whole files, or of all that their comments say; 0 where there are none."""
        if not len(self._query):
            return np.zeros(len(files), np.float32)
        return self._meanings.of_files(files, comments=comments) @ self._query

    def standing(self, rows: Ints, of_set: int) -> Floats:
        """Return how many deviations above their set's mean rows promise to lie: exactly so only where that is cheap."""
        if self._by_graphs(of_set):
            values, (mean, deviation) = self.cosines(rows), self.spread(of_set)
        else:
            known, (mean, deviation) = self._foretell(of_set)
            values = known[self._meanings.index.place[rows]]
        return (values - np.float32(mean)) / np.float32(deviation)

    def standing_out(self, allowed: Mask, known: Ints, of_set: int, k: int, least: float) -> Ints:
        """Return at most `k` of a set's rows that are allowed, those that lie highest, more than `least` deviations.

        Those `known` already are looked at only where that costs nothing.
        """
        mean, deviation = self.spread(of_set)
        least_cosine = mean + least * deviation
        if self._by_graphs(of_set):
            return self.nearest(allowed, k, least_cosine)[0]
        values, foretold = self._foretell(of_set)
        found = np.flatnonzero(values > np.float32(foretold.mean + (least - _DOUBT) * foretold.deviation))
        rows = self._meanings.index.rows_of[of_set][found]
        others = allowed.copy()
        others[known] = False
        found, rows = found[others[rows]], rows[others[rows]]
        if len(rows) > _DOUBTED * k:
            rows = rows[np.sort(best(values[found], _DOUBTED * k)[0])]
        cosines = self.cosines(rows)
        rows, cosines = rows[cosines > least_cosine], cosines[cosines > least_cosine]
        return rows[best(cosines, k)[0]]

    def nearest(self, allowed: Mask, k: int, least: float = 0.0) -> tuple[Ints, Floats]:
        """Return the nearest of the rows allowed whose cosine is above `least`, nearest first, and their cosines."""
        if self._all is None and self._meanings.has_graphs:
            rows, cosines = self._found(allowed, k)
        else:
            rows = self._likely(allowed, k) if self._all is None else np.flatnonzero(allowed & (self._all > least))
            order, cosines = best(self.cosines(rows), k)
            rows = rows[order]
        enough = cosines > least
        return rows[enough][:k], cosines[enough][:k]

    def _by_graphs(self, of_set: int) -> bool:
        """Tell whether a set is looked for in the graphs; of a small one too little is among what they bring of all sets."""
        index = self._meanings.index
        is_large = len(index.rows_of[of_set]) * _NARROW >= len(index)
        return self._all is None and self._meanings.has_graphs and is_large

    def _foretell(self, of_set: int) -> tuple[Floats, Spread]:
        """Return the cosines of all rows of a set, or numbers in their stead, and how these are spread."""
        if of_set not in self._foretold:
            if self._all is not None:
                values = self._all[self._meanings.index.rows_of[of_set]]
                spread = Spread.of(values)
            else:
                sketch = self._meanings.sketch(of_set)
                values, spread = sketch.likeness(self._query), sketch.spread(self._query)
            self._foretold[of_set] = (values, spread)
        return self._foretold[of_set]

    def _likely(self, allowed: Mask, k: int) -> Ints:
        """Return rows, ascending, that hold nearly all of the `k` nearest of those allowed."""
        found = []
        for of_set, rows in enumerate(self._meanings.index.rows_of):
            if (wanted := allowed[rows]).any():
                found.append(rows[shortlist(self._foretell(of_set)[0], k, wanted)])
        return np.sort(concatenated(found))

    def _found(self, allowed: Mask, k: int) -> tuple[Ints, Floats]:
        """Look into the graphs: once for code and documentation alike, but for a filter that leaves little."""
        if np.count_nonzero(allowed) * _NARROW < len(allowed):
            return self._found_in_each(k, allowed)
        if self._top is None:
            self._top = self._found_in_each(_FOREMOST, None)
        rows, cosines = self._top
        return rows[allowed[rows]], cosines[allowed[rows]]

    def _found_in_each(self, k: int, allowed: Mask | None) -> tuple[Ints, Floats]:
        rows, cosines = [], []
        firsts = self._meanings.firsts
        for vectors, first, last in zip(self._meanings.vectors, firsts, firsts[1:], strict=False):
            found, values = vectors.nearest(self._query, k, None if allowed is None else allowed[first:last])
            rows.append(found + first)
            cosines.append(values)
        order, values = best(concatenated(cosines, np.float32), k)
        return concatenated(rows)[order], values

    def spread(self, of_set: int) -> Spread:
        """Return how the cosines of a set's rows are spread."""
        if of_set not in self._spreads:
            if self._all is not None:
                self._spreads[of_set] = self._foretell(of_set)[1]
            else:
                self._spreads[of_set] = self._meanings.moments(of_set).spread(self._query)
        return self._spreads[of_set]


def _units(rows: Floats) -> Floats:
    """Return rows made unit vectors; zeros stay zeros."""
    norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    return np.divide(rows, np.where(norms > 0, norms, 1)[:, None], dtype=np.float32)
