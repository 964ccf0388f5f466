"""What answers are worth: ranks to NDCG, reciprocal rank and recall; means with confidence intervals by bootstrap."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeseek.mining.question import Target

CUTOFF = 10
"""Hits that are looked at, as many as people do."""

_SAMPLES = 4_000
_LEVEL = 0.95
_FEWEST = 5
"""Questions; drawn from fewer again and again, all may be alike, as if there were no doubt."""

Floats = NDArray[np.float64]


class Place(NamedTuple):
    """Where a hit lies."""

    path: str
    first_line: int
    last_line: int


class Ranks(NamedTuple):
    """Of `wanted` targets those found: their ranks from 1, each rank once; `in_file` counts a hit in the right file as found."""

    wanted: int
    exact: tuple[int, ...]
    in_file: tuple[int, ...]


class Estimate(NamedTuple):
    """A mean over so many questions, and the interval that holds the true one with 95 % confidence."""

    mean: float
    low: float
    high: float
    questions: int


def ranks(hits: Sequence[Place], targets: Sequence[Target]) -> Ranks:
    """Return where the targets are among the hits: a target's rank is that of the first hit that overlaps it."""
    exact: set[int] = set()
    in_file: set[int] = set()
    for target in targets:
        same = [(rank, hit) for rank, hit in enumerate(hits[:CUTOFF], 1) if hit.path == target.path]
        over = [rank for rank, hit in same if not target.last_line or _overlaps(hit, target)]
        in_file.update(rank for rank, _ in same[:1])
        exact.update(over[:1])
    return Ranks(len(targets), tuple(sorted(exact)), tuple(sorted(in_file)))


def _overlaps(hit: Place, target: Target) -> bool:
    return hit.first_line <= target.last_line and hit.last_line >= target.first_line


def ndcg(found: Ranks) -> float:
    """Return the normalised discounted cumulative gain: each rank gains 1/log2(rank + 1); the ideal has all on top."""
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(CUTOFF, found.wanted) + 1))
    return sum(1 / math.log2(rank + 1) for rank in found.exact) / ideal


def reciprocal_rank(found: Ranks) -> float:
    """Return one over the rank of the first right hit, 0 where there is none."""
    return 1 / found.exact[0] if found.exact else 0.0


def recall(found: Sequence[int], wanted: int, within: int) -> float:
    """Return the share of the targets that are found within so many hits."""
    return sum(rank <= within for rank in found) / min(wanted, within)


METRICS: dict[str, Callable[[Ranks], float]] = {
    "ndcg@10": ndcg,
    "mrr@10": reciprocal_rank,
    "recall@1": lambda found: recall(found.exact, found.wanted, 1),
    "recall@5": lambda found: recall(found.exact, found.wanted, 5),
    "recall@10": lambda found: recall(found.exact, found.wanted, 10),
    "file recall@10": lambda found: recall(found.in_file, found.wanted, 10),
}
"""The measures by their names, each between 0 and 1."""


class Bootstrap:
    """Draws questions again and again, whole clusters of them, to see how much a mean owes to chance.

    Questions of one cluster, such as those on one file, are alike: drawn together, they do not feign certainty.
    """

    def __init__(self, clusters: Iterable[str], seed: int) -> None:
        numbers: dict[str, int] = {}
        self._cluster = np.array([numbers.setdefault(name, len(numbers)) for name in clusters], np.int64)
        generator = np.random.default_rng(seed)
        size = len(numbers)
        self._draws = (
            generator.multinomial(size, np.full(size, 1 / size), _SAMPLES).astype(np.float64) if size else None
        )

    def estimate(
        self, values: Sequence[float] | Floats, among: Sequence[bool] | None = None, least: float = 0.0
    ) -> Estimate:
        """Return the mean of the questions' values, only `among` some of them, with its interval.

        Differences of two ways to answer the same questions are such values: their interval is that of a paired comparison.
        Values are no less than `least` and no more than 1: that is all that is sure where there are too few of them.
        """
        every = np.asarray(values, np.float64)
        chosen = np.ones(len(every), bool) if among is None else np.asarray(among, bool)
        count = int(chosen.sum())
        if not count or self._draws is None:
            return Estimate(0.0, 0.0, 0.0, 0)
        size = self._draws.shape[1]
        sums = np.bincount(self._cluster[chosen], every[chosen], size)
        counts = np.bincount(self._cluster[chosen], minlength=size).astype(np.float64)
        if count < _FEWEST:
            return Estimate(float(every[chosen].mean()), least, 1.0, count)
        drawn = self._draws @ counts
        means = (self._draws @ sums)[drawn > 0] / drawn[drawn > 0]
        low, high = np.quantile(means, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
        return Estimate(float(every[chosen].mean()), float(low), float(high), count)
