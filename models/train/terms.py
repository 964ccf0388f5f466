"""The term table: which English words of code a Chinese word stands for, by IBM Model 1 over short translated segments."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import words
from codeseek import analysis

VERSION = 1
_ROUNDS = 6
_LONGEST_ENGLISH, _LONGEST_CHINESE = 220, 120  # characters of a segment
_MOST_WORDS = 40  # of a segment, in either language
_LEAST_ENGLISH = 3  # segments that an English word stands in
_LEAST_PROBABILITY, _LEAST_EXPECTED, _MOST_TRANSLATIONS = 0.015, 1.0, 12
_NULL = 0

_LATIN = re.compile(r"[A-Za-z][A-Za-z]+|[A-Za-z]\d+\w*")
_HAN = re.compile("[㐀-鿿]+")

Numbers = NDArray[np.int64]


class Row(NamedTuple):
    """A Chinese word: how often it stands, and English words with the probability that they stand for it."""

    word: str
    times: int
    translations: tuple[tuple[str, float], ...]


class _Side:
    """Numbers the words of one language."""

    def __init__(self) -> None:
        self.names: list[str] = ["\0"]
        self.numbers: dict[str, int] = {"\0": _NULL}

    def number(self, word: str) -> int:
        number = self.numbers.get(word)
        if number is None:
            number = self.numbers[word] = len(self.names)
            self.names.append(word)
        return number


def table(segments: Iterable[tuple[str, str]], dictionary: Mapping[str, int]) -> list[Row]:
    """Return the table, commonest words first, from (English, Chinese) segments and the words to cut Chinese into."""
    english, chinese = _Side(), _Side()
    logs = {word: float(np.log(count)) - 20 for word, count in dictionary.items()}
    counts: Counter[int] = Counter()
    pairs: list[tuple[list[int], list[int]]] = []
    frequency: Counter[int] = Counter()
    for source, target in segments:
        if len(source) > _LONGEST_ENGLISH or len(target) > _LONGEST_CHINESE:
            continue
        target = analysis.fold(target)
        shared = {word.lower() for word in _LATIN.findall(target)}
        of_english = {word for word in spelled(source) if word not in shared}
        of_chinese = {piece for run in _HAN.findall(target) for piece in words.cut(run, logs)}
        first, second = sorted(map(english.number, of_english)), sorted(map(chinese.number, of_chinese))
        counts.update(second)
        frequency.update(first)
        if 0 < len(first) <= _MOST_WORDS and 0 < len(second) <= _MOST_WORDS:
            pairs.append((first, [_NULL, *second]))
    common = {word for word, times in frequency.items() if times >= _LEAST_ENGLISH}
    pairs = [([word for word in first if word in common], second) for first, second in pairs]
    probability, cells, expected = _model_1(pairs, len(english.names))
    return _rows(probability, cells, expected, english.names, chinese.names, counts)


def spelled(text: str) -> list[str]:
    """Return the English words of a text that may stand in code: parts of identifiers, singular, no question words."""
    found = []
    for word in _LATIN.findall(text):
        found += [
            analysis.singular(part)
            for part in analysis.parts(word)
            if len(part) > 1 and part.isascii() and part not in analysis.STOP_WORDS and not part.isdigit()
        ]
    return found


def _model_1(
    pairs: Sequence[tuple[list[int], list[int]]], width: int
) -> tuple[NDArray[np.float64], Numbers, NDArray[np.float64]]:
    """Return p(English | Chinese) for each cell (Chinese * width + English), the cells, and the expected counts."""
    cell_parts, place_parts, place = [], [], 0
    for first, second in pairs:
        if first:
            ours, theirs = np.array(first, np.int64), np.array(second, np.int64)
            cell_parts.append((theirs[:, None] * width + ours).ravel())
            place_parts.append(np.tile(np.arange(place, place + len(ours)), len(theirs)))
            place += len(ours)
    cells, index = np.unique(np.concatenate(cell_parts), return_inverse=True)
    places = np.concatenate(place_parts).astype(np.int64)
    of_chinese = cells // width
    probability = np.full(len(cells), 1.0)
    expected = probability
    for _ in range(_ROUNDS):
        here = probability[index]
        here /= np.bincount(places, here, place)[places]
        expected = np.bincount(index, here, len(cells))
        probability = expected / np.bincount(of_chinese, expected)[of_chinese]
    return probability, cells, expected


def _rows(
    probability: NDArray[np.float64],
    cells: Numbers,
    expected: NDArray[np.float64],
    english: Sequence[str],
    chinese: Sequence[str],
    counts: Mapping[int, int],
) -> list[Row]:
    keep = (probability >= _LEAST_PROBABILITY) & (expected >= _LEAST_EXPECTED) & (cells >= len(english))
    found: dict[int, list[tuple[str, float]]] = {number: [] for number in counts}
    for cell, value in zip(cells[keep].tolist(), probability[keep].tolist(), strict=True):
        found[cell // len(english)].append((english[cell % len(english)], value))
    rows = []
    for number, translations in found.items():
        best = sorted(translations, key=lambda pair: (-pair[1], pair[0]))[:_MOST_TRANSLATIONS]
        rows.append(Row(chinese[number], counts[number], tuple(best)))
    return sorted(rows, key=lambda row: (-row.times, row.word))
