"""The lexical index over all live segments: BM25F over chunks and files, and symbols by name."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeseek import arrays
from codeseek.segments import FIELDS, OVERLAY, SET_OF_KIND, Segment, begins, concatenated, joined, term_hash

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]
Hashes = NDArray[np.uint64]

_LEAST = np.float32(1e-9)


class Postings(NamedTuple):
    """Where terms stand: documents, with the field and count of each occurrence, and which term it is of.

    They come term by term, of a term document by document; where segments are looked into one by one, so in each of them.
    """

    documents: Ints
    fields: NDArray[np.uint8]
    counts: NDArray[np.uint16]
    terms: Ints


class Weights(NamedTuple):
    """BM25F's constants for each set of documents: `weight` and `b` are [sets, fields], `k1` is [sets]."""

    weight: Floats
    b: Floats
    k1: Floats


class Scores(NamedTuple):
    """What a question finds at one level: BM25F scores, and the weighted inverse document frequency of all that matched.

    `weight` gives for each term its weight times its inverse document frequency in each set, [sets]; `frequency` in how
    many live documents it stands.
    """

    score: Floats
    matched: Floats
    weight: Mapping[str, Floats]
    frequency: Mapping[str, int]


class _Level(NamedTuple):
    """A level as BM25F's constants see it: each document's set, documents per set, what a count in a field is worth.

    `worth` is [documents * fields]: w / (1 - b + b * length / average length).
    """

    weights: Weights
    sets: NDArray[np.uint8]
    number: Ints
    worth: Floats


class Index:
    """All live segments seen as one. Rows are chunks, numbered through the segments; so are files and symbols."""

    def __init__(self, segments: Sequence[Segment], dead: Ints | None = None) -> None:
        self.segments = [segment for segment in segments if len(segment.chunk_ids)]
        self._dead = np.zeros(0, np.int64) if dead is None else np.sort(np.asarray(dead, np.int64))
        self._columns: dict[str, arrays.Array] = {}
        self._levels: dict[str, _Level] = {}
        self._joined: dict[str, Segment] = {}
        self._is_later = False  # than the first question: what makes the next ones quicker takes longer than that one
        self._first: dict[str, list[int]] = {
            level: list(itertools.accumulate((len(s.columns[name]) for s in self.segments), initial=0))
            for level, name in (("chunk", "chunk_ids"), ("file", "file_title"), ("symbol", "symbol_kind"))
        }

    def __len__(self) -> int:
        return self._first["chunk"][-1]

    @property
    def file_count(self) -> int:
        """Files in all segments, dead ones included."""
        return self._first["file"][-1]

    def column(self, name: str) -> arrays.Array:
        """Return a column over all segments; numbers of files and chunks in it are made global."""
        if name in self._columns:
            return self._columns[name]
        pieces = [segment.columns[name] for segment in self.segments]
        if name in ("chunk_file", "symbol_chunk"):
            firsts = self._first["file" if name == "chunk_file" else "chunk"]
            pieces = (
                [piece + first for piece, first in zip(pieces, firsts, strict=False)] if len(pieces) > 1 else pieces
            )
        self._columns[name] = pieces[0] if len(pieces) == 1 else concatenated(pieces)
        return self._columns[name]

    @cached_property
    def chunk_ids(self) -> Ints:
        """The rows' numbers in the store."""
        return self.column("chunk_ids")

    @cached_property
    def chunk_file(self) -> NDArray[np.int32]:
        """The rows' files."""
        return self.column("chunk_file")

    @cached_property
    def chunk_kind(self) -> NDArray[np.uint8]:
        """The rows' kinds, as numbers."""
        return self.column("chunk_kind")

    @cached_property
    def chunk_set(self) -> NDArray[np.uint8]:
        """Which statistics each row belongs to."""
        return SET_OF_KIND[self.chunk_kind]

    @cached_property
    def alive(self) -> NDArray[np.bool_]:
        """Which rows are not dead."""
        alive = np.ones(len(self), bool)
        if len(self._dead):
            at = np.minimum(np.searchsorted(self._dead, self.chunk_ids), len(self._dead) - 1)
            alive = self._dead[at] != self.chunk_ids
        return alive

    @cached_property
    def file_set(self) -> NDArray[np.uint8]:
        """Which statistics each file belongs to: documentation if its first chunk is."""
        sets = np.full(self.file_count, OVERLAY, np.uint8)
        np.minimum.at(sets, self.chunk_file, self.chunk_set)
        return sets

    @cached_property
    def file_alive(self) -> NDArray[np.bool_]:
        """Which files are not dead."""
        alive = np.zeros(self.file_count, bool)
        alive[self.chunk_file[self.alive]] = True
        return alive

    @cached_property
    def live_file_count(self) -> int:
        """Files that are not dead."""
        return int(np.count_nonzero(self.file_alive))

    @cached_property
    def paths(self) -> list[str]:
        """The files' paths."""
        return [path for segment in self.segments for path in segment.paths]

    @cached_property
    def languages(self) -> list[str]:
        """The files' languages."""
        return [language for segment in self.segments for language in segment.languages]

    @cached_property
    def rows_of(self) -> tuple[Ints, ...]:
        """The live rows of each set, ascending."""
        return tuple(np.flatnonzero(self.alive & (self.chunk_set == each)) for each in range(3))

    @cached_property
    def place(self) -> NDArray[np.int32]:
        """Each live row's place among those of its set."""
        place = np.zeros(len(self), np.int32)
        for rows in self.rows_of:
            place[rows] = np.arange(len(rows))
        return place

    @cached_property
    def depth(self) -> Floats:
        """How many folders deep each file lies, less the median of all."""
        depth = np.fromiter((path.count("/") for path in self.paths), np.float32, self.file_count)
        live = np.sort(depth[self.file_alive])
        return depth - (live[len(live) // 2] if len(live) else np.float32(0))

    def postings(self, level: str, terms: Iterable[str]) -> Postings:
        """Return the postings of terms over all live documents of a level (`chunk`, `file` or `symbol`)."""
        hashes = np.array([term_hash(term) for term in terms], np.uint64)
        found = [
            (segment.columns, slice(start, stop), first, number)
            for segment, first in self._looked_into(level)
            for number, (start, stop) in enumerate(segment.postings(level, hashes))
            if start < stop
        ]
        documents, fields, counts = (
            concatenated([columns[name][part] for columns, part, _, _ in found], dtype)
            for name, dtype in (
                (f"{level}_documents", np.int32),
                (f"{level}_fields", np.uint8),
                (f"{level}_counts", np.uint16),
            )
        )
        lengths = [part.stop - part.start for _, part, _, _ in found]
        firsts, numbers = (np.array([each[at] for each in found], np.int64).repeat(lengths) for at in (2, 3))
        postings = Postings(documents + firsts, fields, counts, numbers)
        if not len(self._dead):
            return postings
        alive = {"chunk": self.alive, "file": self.file_alive}.get(level)
        keep = alive[postings.documents] if alive is not None else self.alive[self.symbol_chunk[postings.documents]]
        return Postings(postings.documents[keep], postings.fields[keep], postings.counts[keep], postings.terms[keep])

    def knows(self, term: str) -> bool:
        """Tell whether any file, dead ones included, holds the term."""
        hashed = np.uint64(term_hash(term))
        for segment, _ in self._looked_into("file"):
            terms = segment.columns["file_terms"]
            at = int(terms.searchsorted(hashed))
            if at < len(terms) and terms[at] == hashed:
                return True
        return False

    def _looked_into(self, level: str) -> Iterable[tuple[Segment, int]]:
        """Return where the postings of a level are, with the number of the first document: in the end all in one."""
        if not self._is_later or len(self.segments) < 2:
            return zip(self.segments, self._first[level], strict=False)
        if level not in self._joined:
            self._joined[level] = _joined(level, self.segments, self._first[level])
        return [(self._joined[level], 0)]

    def frequency(self, hashes: Hashes) -> Ints:
        """Return in how many live files each hashed term stands."""
        total = np.zeros(len(hashes), np.int64)
        for segment, frequencies in zip(self.segments, self._file_frequencies, strict=True):
            terms = segment.columns["file_terms"]
            if len(terms):
                at = np.minimum(terms.searchsorted(hashes), len(terms) - 1)
                total += np.where(terms[at] == hashes, frequencies[at], 0)
        return total

    @cached_property
    def _file_frequencies(self) -> list[Ints]:
        """In how many live files of each segment its terms stand."""
        found = []
        for segment, first in zip(self.segments, self._first["file"], strict=False):
            columns = segment.columns
            alive = self.file_alive[first : first + len(columns["file_title"])]
            if alive.all():
                found.append(columns["file_frequencies"])
                continue
            documents, starts = columns["file_documents"], columns["file_offsets"][:-1]
            counted = begins(documents)
            counted[starts] = True
            found.append(np.add.reduceat(counted & alive[documents], starts, dtype=np.int64))
        return found

    def bm25f(self, level: str, terms: Mapping[str, float] | Mapping[str, Sequence[float]], weights: Weights) -> Scores:
        """Score all documents of a level for weighted terms: sum of q * idf * x / (k1 + x), each set by its own statistics.

        A term's weight q is a number, or as many as there are sets.
        x = sum over fields of w * count / (1 - b + b * length / average length); idf = ln(1 + (N - df + .5) / (df + .5)).
        """
        self._is_later |= level in self._levels
        _, sets, number, worth = self._level(level, weights)
        documents, fields, counts, numbers = self.postings(level, terms)
        x = worth[documents * len(FIELDS) + fields] * counts
        starts = np.flatnonzero(begins(documents) | begins(numbers))
        documents, numbers = documents[starts], numbers[starts]
        of = sets[documents]
        x = np.add.reduceat(x, starts) if len(starts) else x
        cells = numbers * len(number) + of
        df = np.bincount(cells, minlength=len(terms) * len(number)).reshape(-1, len(number))
        q = np.array([*terms.values()], np.float32).T
        weight = (q * np.log1p((number - df + 0.5) / (df + 0.5)).T).T.astype(np.float32)
        idf = weight.ravel()[cells]
        return Scores(
            np.bincount(documents, idf * x / (weights.k1[of] + x), len(sets)).astype(np.float32),
            np.bincount(documents, idf, len(sets)).astype(np.float32),
            dict(zip(terms, weight, strict=True)),
            dict(zip(terms, df.sum(1).tolist(), strict=True)),
        )

    def _level(self, level: str, weights: Weights) -> _Level:
        known = self._levels.get(level)
        if known is not None and known.weights is weights:
            return known
        chunks = level == "chunk"
        sets, alive = (self.chunk_set, self.alive) if chunks else (self.file_set, self.file_alive)
        lengths = self.column(f"{level}_lengths").reshape(-1, len(FIELDS))
        number = np.bincount(sets[alive], minlength=len(weights.k1))
        average = np.ones(weights.b.shape, np.float32)
        for each in np.flatnonzero(number):
            of_set = lengths[alive & (sets == each)]
            average[each] = np.maximum(of_set.sum(0) / np.maximum((of_set > 0).sum(0), 1), 1)
        worth = (weights.b / average)[sets]
        worth *= lengths
        worth += (1 - weights.b)[sets]
        np.maximum(worth, _LEAST, out=worth)  # a field without words counts for nothing, but must not divide by 0
        np.divide(weights.weight[sets], worth, out=worth)
        self._levels[level] = _Level(weights, sets, number, worth.ravel())
        return self._levels[level]

    @cached_property
    def symbol_chunk(self) -> NDArray[np.int32]:
        """The rows in which symbols are defined."""
        return self.column("symbol_chunk")

    @cached_property
    def symbol_kind(self) -> NDArray[np.uint8]:
        """The symbols' kinds, indices into `SYMBOL_KINDS`."""
        return self.column("symbol_kind")

    @cached_property
    def symbol_parts(self) -> tuple[Hashes, Ints]:
        """The hashed stems of all symbols' names, one after the other, and where each symbol's begin."""
        counts = self.column("symbol_parts_count")
        starts = np.zeros(len(counts) + 1, np.int64)
        np.cumsum(counts, out=starts[1:])
        return self.column("symbol_parts"), starts

    def symbols_named(self, name: str, *, exactly: bool) -> Ints:
        """Return the live symbols of a name, letter by letter or regardless of case and separators."""
        hashed = np.uint64(term_hash("=" + name if exactly else "~" + joined(name)))
        found = np.flatnonzero(self.column("symbol_exact" if exactly else "symbol_folded") == hashed)
        return found[self.alive[self.symbol_chunk[found]]]


def _joined(level: str, segments: Sequence[Segment], firsts: Sequence[int]) -> Segment:
    """Return the postings of a level of all segments as those of one, documents numbered through the segments."""
    parts = [segment.columns for segment in segments]
    terms = concatenated([part[f"{level}_terms"] for part in parts])
    sizes = concatenated([np.diff(part[f"{level}_offsets"]) for part in parts])
    order = terms.argsort(kind="stable")
    starts, sizes, terms = (sizes.cumsum() - sizes)[order], sizes[order], terms[order]
    offsets = np.append(0, sizes.cumsum())
    at = (starts - offsets[:-1]).repeat(sizes)
    at += np.arange(len(at))
    documents = [part[f"{level}_documents"] + np.int32(first) for part, first in zip(parts, firsts, strict=False)]
    distinct = np.flatnonzero(begins(terms))
    return Segment(
        {
            f"{level}_terms": terms[distinct],
            f"{level}_offsets": np.append(offsets[distinct], len(at)),
            f"{level}_documents": concatenated(documents)[at],
            f"{level}_fields": concatenated([part[f"{level}_fields"] for part in parts])[at],
            f"{level}_counts": concatenated([part[f"{level}_counts"] for part in parts])[at],
        }
    )


def inverse_document_frequency(number: int, frequency: NDArray[np.int64]) -> Floats:
    """Return ln(1 + (N - df + .5) / (df + .5)) for each frequency."""
    return np.log1p((number - frequency + 0.5) / (frequency + 0.5)).astype(np.float32)


def log_length(lines: int) -> float:
    """Return the small bonus that a long definition earns: 1 to 1.2."""
    return 1 + 0.05 * min(4.0, math.log1p(lines) / 1.5)
