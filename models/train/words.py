"""Chinese words, found in running text by what holds them together and how freely they stand; nothing is looked up.

A run of two to six characters is a word if it is frequent, its characters come together far more often than by chance
(cohesion), and what stands before and after it varies (freedom). A unigram model over those found then cuts the text, and
words that it does not need are dropped.
"""

from __future__ import annotations

import itertools
import math
import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

VERSION = 1
LONGEST = 6
LEAST_COUNT = 12
LEAST_COHESION = {2: 1.0, 3: 2.5, 4: 3.5, 5: 5.0}  # nats, by length (5: and more)
LEAST_FREEDOM = 0.8  # nats
_MOST_REPEATS = 3  # of one run: what stands in every file says nothing of words
_SAMPLED = 150_000
_ROUNDS = 3
_FUNCTION = frozenset("的了是在和与及或将把被该此这那为而则于从到就都也并且您你我它他们若当每各些个新更很")
"""Characters with a grammatical duty: no longer word has one inside, none of three characters at its ends."""
_GRAMMAR = frozenset(
    "怎么 怎样 如何 什么 哪里 哪个 哪些 哪儿 可以 需要 应该 必须 我们 你们 他们 它们 一个 一种 一些 一下 这个 那个 这些 那些"
    " 这里 那里 如果 以及 或者 并且 但是 通过 根据 对于 关于 为了 没有 进行 是否 以下 如下 之前 之后 之间 所有 每个 这种"
    " 此外 因此 例如 只有 就是 不是 不能 不会 正在 已经 将会 其他 其中 时候 使用".split()
)
"""Words with such a duty: no longer word begins or ends with one."""
_HAN = re.compile("[㐀-鿿]+")

Codes = NDArray[np.int64]


class _Grams(NamedTuple):
    """Distinct runs of one length: where each stands first, how often it stands, and the entropy of its neighbours."""

    first: Codes
    times: Codes
    freedom: NDArray[np.float64]
    of_place: Codes


class Candidate(NamedTuple):
    """A run that may be a word: how often it stands, the cohesion of its weakest place, the freedom of its less free side."""

    times: int
    cohesion: float
    freedom: float


def mine(runs: Mapping[str, int], seed: int) -> dict[str, int]:
    """Return words of two characters and more with their counts, from runs of Han characters with theirs."""
    found = candidates(runs)
    return _needed(runs, {word: of.times for word, of in found.items() if _is_word(word, of)}, seed)


def candidates(runs: Mapping[str, int]) -> dict[str, Candidate]:
    """Return all runs of two to six characters that are frequent, with what speaks for each."""
    text = "\n".join(run for run, times in runs.items() for _ in range(min(times, _MOST_REPEATS))) + "\n"
    places = np.frombuffer(text.encode("utf-32-le"), np.uint32).astype(np.int64)
    alphabet, codes = np.unique(places, return_inverse=True)
    codes = codes.astype(np.int64)
    end = int(np.searchsorted(alphabet, ord("\n")))
    single = np.bincount(codes, minlength=len(alphabet)).astype(np.float64)
    total = single.sum() - single[end]
    counts_at = {1: single[codes]}  # by length: how often the run stands that begins at each place
    found: dict[str, Candidate] = {}
    for length in range(2, LONGEST + 1):
        grams = _grams(codes, length, end)
        counts_at[length] = np.where(grams.of_place >= 0, grams.times[grams.of_place], 0).astype(np.float64)
        for number in np.flatnonzero(grams.times >= LEAST_COUNT).tolist():
            at, count = int(grams.first[number]), float(grams.times[number])
            cohesion = min(
                math.log(count * total / (counts_at[cut][at] * counts_at[length - cut][at + cut]))
                for cut in range(1, length)
            )
            found[text[at : at + length]] = Candidate(int(count), cohesion, float(grams.freedom[number]))
    return found


def _is_word(word: str, of: Candidate) -> bool:
    if len(word) > 2 and not _FUNCTION.isdisjoint(word if len(word) > 3 else word[0] + word[-1]):
        return False
    if len(word) > 2 and not _GRAMMAR.isdisjoint((word[:2], word[-2:])) and word != "使用者":
        return False
    return of.freedom >= LEAST_FREEDOM and of.cohesion >= LEAST_COHESION[min(len(word), 5)]


def _grams(codes: Codes, length: int, end: int) -> _Grams:
    """Count the runs of a length that cross no line."""
    windows = len(codes) - length + 1
    key = np.zeros(windows, np.uint64)
    inside = np.ones(windows, bool)
    for offset in range(length):
        piece = codes[offset : offset + windows]
        key = key * np.uint64(0x9E3779B97F4A7C15) + (piece + 1).astype(
            np.uint64
        )  # a hash: 2^64 is far beyond the count
        inside &= piece != end
    at = np.flatnonzero(inside)
    _, first, numbers, count = np.unique(key[at], return_index=True, return_inverse=True, return_counts=True)
    of_place = np.full(len(codes), -1, np.int64)
    of_place[at] = numbers
    keep = (count >= LEAST_COUNT)[numbers]
    before, after = codes[at[keep] - 1], codes[at[keep] + length]
    freedom = np.minimum(*(_entropy(numbers[keep], side, len(count), end) for side in (before, after)))
    return _Grams(at[first], count, freedom, of_place)


def _entropy(groups: Codes, values: Codes, size: int, end: int) -> NDArray[np.float64]:
    """Return the entropy of the values in each group; every line's end is a neighbour of its own."""
    width = int(values.max(initial=0)) + 1
    pairs, counts = np.unique(groups * width + values, return_counts=True)
    of, value = pairs // width, pairs % width
    total = np.bincount(of, counts, size)
    share = counts / total[of]
    own = np.where(value == end, share * np.log(np.maximum(total[of], 1)), -share * np.log(share))
    entropy: NDArray[np.float64] = np.bincount(of, own, size).astype(np.float64)
    return entropy


def _needed(runs: Mapping[str, int], words: Mapping[str, int], seed: int) -> dict[str, int]:
    """Cut a sample of the runs by the words, count what is used, and drop what is not, a few times over."""
    chance = random.Random(seed)  # noqa: S311  a sample, no secret
    share = min(1.0, _SAMPLED / max(1, len(runs)))
    sample = {run: times for run, times in runs.items() if chance.random() < share}
    counts: dict[str, float] = {**words, **Counter(itertools.chain.from_iterable(runs))}
    for _ in range(_ROUNDS):
        total = sum(counts.values())
        logs = {word: math.log(count / total) for word, count in counts.items()}
        used: Counter[str] = Counter()
        for run, times in sample.items():
            for piece in cut(run, logs):
                used[piece] += times
        counts = {word: count / share for word, count in used.items() if len(word) == 1 or count / share >= LEAST_COUNT}
    return {word: round(count) for word, count in counts.items() if len(word) > 1}


def cut(run: str, logs: Mapping[str, float], unknown: float = -20.0) -> list[str]:
    """Cut a run into the words whose log probabilities add up to most."""
    size = len(run)
    best = [0.0] + [-math.inf] * size
    came = [0] * (size + 1)
    for end in range(1, size + 1):
        for start in range(max(0, end - LONGEST), end):
            value = logs.get(run[start:end])
            if value is None:
                if end - start > 1:
                    continue
                value = unknown
            if best[start] + value > best[end]:
                best[end], came[end] = best[start] + value, start
    pieces = []
    end = size
    while end:
        pieces.append(run[came[end] : end])
        end = came[end]
    return pieces[::-1]


def runs_of(texts: Iterable[str]) -> Counter[str]:
    """Count the runs of Han characters of folded texts."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(_HAN.findall(text))
    return counts
