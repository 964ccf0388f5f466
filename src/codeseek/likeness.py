"""Which of many texts are nearly the same: every pair that shares enough of its words, found by the rarest of them.

How alike two texts are is the share of words that they have in common: of the words of both together, each counted as often
as it stands there, those that stand in both (the Jaccard index of two bags). The k-th occurrence of a word is a thing of its
own here, so that bags become sets. For sets there is an exact join: if two are at least t alike, they share one of their
n - t n + 1 rarest members [Bayardo, Ma, Srikant: Scaling up all pairs similarity search, 2007; Xiao et al.: PPJoin, 2008].
"""

from __future__ import annotations

import itertools
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_WIDE = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[^\W{_WIDE}]+|[{_WIDE}]")
"""A name, a number, a word; where words are not written apart, each character."""

_OCCURRENCES = 20  # bits for which occurrence of a word it is
_BLOCK = 1 << 20  # words at once where that saves memory
_MOST_COMPARED, _MOST_FOUND = 2_048, 512
"""With so many others a text is compared at the most, and so many of them are kept, those nearest to it in length: only where
hundreds are all nearly the same does that leave pairs out. In 260,000 chunks of 31 repositories 62 is the most."""


def words(text: str) -> list[str]:
    """Return a text's words, in their order."""
    return _WORD.findall(text)


def likeness(one: Counter[str], other: Counter[str]) -> float:
    """Return how alike two texts are by their words, from 0 to 1."""
    common = (one & other).total()
    return common / max(1, one.total() + other.total() - common)


class Found(NamedTuple):
    """Texts that are at least as alike to one text as was asked for, by number, and how alike."""

    text: int
    others: Ints
    alike: Floats


class Bags:
    """The words of many texts, gathered one text after the other."""

    def __init__(self) -> None:
        self._numbers: defaultdict[str, int] = defaultdict(itertools.count().__next__)
        self._words = array("i")
        self._ends = array("q")

    def __len__(self) -> int:
        return len(self._ends)

    def add(self, found: Iterable[str]) -> None:
        """Add a text by its words, of which there has to be one."""
        self._words.extend(map(self._numbers.__getitem__, found))
        self._ends.append(len(self._words))

    def pairs(self, least: float) -> Iterator[Found]:
        """Yield all pairs that are at least `least` alike, each once, under the one of its texts that has more words."""
        return _joined(*self._sets(), least) if self._words else iter(())

    def _sets(self) -> tuple[Ints, Ints, Ints]:
        """Return sizes of all texts' sets, and those members that any two share: where they start, and the rarest first."""
        ends = np.frombuffer(self._ends, np.int64)
        members = np.empty(len(self._words), np.int64)
        for piece, owners in _blocks(ends):
            members[piece] = _members(owners, np.frombuffer(self._words, np.int32)[piece])
        shared, rank = _ranked(members)
        keys = np.concatenate([_ranks_of(owners, members[piece], shared, rank) for piece, owners in _blocks(ends)])
        starts = np.searchsorted(keys, np.arange(len(ends) + 1) << 32)
        return np.diff(ends, prepend=0), starts, keys & 0xFFFFFFFF


def _blocks(ends: Ints) -> Iterator[tuple[slice, Ints]]:
    """Yield the words of some texts at once, as a slice of all words and the number of each one's text."""
    first = start = 0
    while first < len(ends):
        last = max(first + 1, int(np.searchsorted(ends, start + _BLOCK)))
        sizes = np.diff(ends[first:last], prepend=start)
        yield slice(start, int(ends[last - 1])), np.repeat(np.arange(first, last), sizes)
        first, start = last, int(ends[last - 1])


def _members(owners: Ints, words: NDArray[np.int32]) -> Ints:
    """Return words as members of their texts' sets: the k-th time that a text has a word is a member of its own."""
    keys = (owners << 32) | words
    keys.sort()
    places = np.arange(len(keys))
    first = np.maximum.accumulate(np.where(np.diff(keys, prepend=-1) != 0, places, 0))
    members: Ints = ((keys & 0xFFFFFFFF) << _OCCURRENCES) | np.minimum(places - first, (1 << _OCCURRENCES) - 1)
    return members


def _ranked(members: Ints) -> tuple[Ints, Ints]:
    """Return those members that stand more than once, ascending, and which rarest each is."""
    ordered = np.sort(members)
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    counts = np.diff(starts, append=len(ordered))
    many = counts > 1
    shared, counts = ordered[starts[many]], counts[many]
    rank = np.empty(len(shared), np.int64)
    rank[np.argsort(counts, kind="stable")] = np.arange(len(shared))
    return shared, rank


def _ranks_of(owners: Ints, members: Ints, shared: Ints, rank: Ints) -> Ints:
    """Return owners, with the ranks of their members, as one number each; without those that only one has."""
    at = np.minimum(np.searchsorted(shared, members), max(0, len(shared) - 1))
    there = shared[at] == members if len(shared) else np.zeros(len(members), bool)
    keys: Ints = (owners[there] << 32) | rank[at[there]]
    keys.sort()
    return keys


def _joined(sizes: Ints, starts: Ints, members: Ints, least: float) -> Iterator[Found]:
    """Join sets with themselves; `members[starts[i]:starts[i + 1]]` are the members of i that another has too, ascending."""
    count = len(sizes)
    by_size = np.argsort(sizes, kind="stable")
    place = np.empty(count, np.int64)
    place[by_size] = np.arange(count)
    alone = sizes - np.diff(starts)  # members that no other has: the rarest of all, and so the first of the prefix
    asking = _prefixes(sizes, alone, np.ceil(least * sizes - 1e-9))
    asked = _prefixes(sizes, alone, np.ceil(2 * least / (1 + least) * sizes - 1e-9))
    owner, member = _heads(starts, members, asked)
    postings = member * count + place[owner]
    postings.sort()
    listed = postings % count
    shortest = np.searchsorted(sizes[by_size], np.ceil(least * sizes - 1e-9))
    owner, member = _heads(starts, members, asking)
    left = np.searchsorted(postings, member * count + shortest[owner])
    right = np.searchsorted(postings, member * count + place[owner])
    left = np.maximum(left, right - _MOST_COMPARED)  # postings are in the order of length
    some = right > left
    owner, left, right = owner[some], left[some], right[some]
    largest = int(members.max()) if len(members) else 0
    there = np.zeros(largest + 1, bool)
    cuts = np.flatnonzero(np.diff(owner, prepend=-1, append=-1))
    for first, last in itertools.pairwise(cuts.tolist()):
        text = int(owner[first])
        near = [listed[a:b] for a, b in zip(left[first:last].tolist(), right[first:last].tolist(), strict=True)]
        others = by_size[np.unique(np.concatenate(near))[-_MOST_COMPARED:]]
        own = members[starts[text] : starts[text + 1]]
        there[own] = True
        common = _sums(there, members, starts[others], starts[others + 1])
        there[own] = False
        alike = common / (sizes[text] + sizes[others] - common)
        enough = np.flatnonzero(alike >= least - 1e-9)[-_MOST_FOUND:]
        if len(enough):
            yield Found(text, others[enough], alike[enough])


def _prefixes(sizes: Ints, alone: Ints, overlap: Floats) -> Ints:
    """Return how many shared members of each set two that overlap so far must have one in common of."""
    prefixes: Ints = np.maximum(0, sizes - overlap.astype(np.int64) + 1 - alone)
    return prefixes


def _heads(starts: Ints, members: Ints, lengths: Ints) -> tuple[Ints, Ints]:
    """Return the first members of each set with their owners, at most `lengths` of each."""
    lengths = np.minimum(lengths, np.diff(starts))
    owner = np.repeat(np.arange(len(lengths)), lengths)
    inside = np.arange(len(owner)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return owner, members[starts[owner] + inside]


def _sums(there: NDArray[np.bool_], members: Ints, starts: Ints, ends: Ints) -> Ints:
    """Count for each slice of `members` those that are `there`."""
    lengths = ends - starts
    owner = np.repeat(np.arange(len(lengths)), lengths)
    inside = np.arange(len(owner)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    counts: Ints = np.bincount(owner[there[members[starts[owner] + inside]]], minlength=len(lengths))
    return counts


def _links(ones: array[int], others: array[int]) -> Ints:
    links = np.frombuffer(ones, np.int32).astype(np.int64)
    links <<= 32
    links |= np.frombuffer(others, np.int32)
    return links


def clusters(found: Iterable[Found]) -> list[list[int]]:
    """Return the texts that are alike to one, after that one; first those around which most are. None is in two clusters."""
    ones, others = array("i"), array("i")
    for text, near, _ in found:
        ones.extend([text] * len(near))
        others.extend(near.tolist())
    if not ones:
        return []
    links: Ints = np.concatenate([_links(ones, others), _links(others, ones)])
    links.sort()
    starts = np.searchsorted(links, np.arange((links[-1] >> 32) + 2) << 32)
    degrees = np.diff(starts)
    taken = np.zeros(len(degrees), bool)
    made = []
    for text in np.argsort(-degrees, kind="stable").tolist():
        if taken[text]:
            continue
        near = links[starts[text] : starts[text + 1]] & 0xFFFFFFFF
        near = near[~taken[near]]
        if len(near):
            taken[near] = taken[text] = True
            made.append([text, *near.tolist()])
    return made
