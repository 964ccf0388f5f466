"""The vocabulary of the static model: English words and fragments, numbers, Han characters, Chinese words."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

VERSION = 1
ENGLISH_WORDS, FRAGMENTS, NUMBERS = 26_000, 1_700, 260
_LEAST_COUNT, _LEAST_SOURCES = 4, 2
_LEAST_CHARACTERS = 1  # of a Han character in the text
_SHORTEST_FRAGMENT, _LONGEST_FRAGMENT = 2, 6
_SCORE_OFFSET = 12.0

WORDS = re.compile(r"(?i:i18n|l10n|k8s|a11y|c\+\+|[cf]#)|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
"""What the model's tokenizer takes for words in Latin script."""


class Vocabulary(NamedTuple):
    """Tokens, and the score of each for the segmentation: its log probability less a constant, so that few pieces win."""

    tokens: list[str]
    scores: list[float]


def latin(texts: Iterable[tuple[str, str]]) -> tuple[Counter[str], Counter[str]]:
    """Count the words in (text, source) pairs, once for each text, and in how many sources each stands."""
    counts: Counter[str] = Counter()
    sources: dict[str, set[str]] = {}
    for text, source in texts:
        found = {word.lower() for word in WORDS.findall(text)}
        counts.update(found)
        sources.setdefault(source, set()).update(found)
    return counts, Counter(word for found in sources.values() for word in found)


def build(
    latin_counts: Mapping[str, int], sources: Mapping[str, int], characters: Mapping[str, int], words: Mapping[str, int]
) -> Vocabulary:
    """Choose the tokens from counts of Latin words, Han characters and Chinese words."""
    chosen: dict[str, int] = {}
    letters = [*"abcdefghijklmnopqrstuvwxyz0123456789"]
    chosen.update({letter: max(1, latin_counts.get(letter, 1)) for letter in letters})
    by_count = sorted(latin_counts, key=lambda word: (-latin_counts[word], word))
    numbers = [word for word in by_count if word.isdigit() and 1 < len(word) <= 4][:NUMBERS]
    spelled = [
        word
        for word in by_count
        if not word.isdigit()
        and len(word) > 1
        and latin_counts[word] >= _LEAST_COUNT
        and sources.get(word, 0) >= _LEAST_SOURCES
    ][:ENGLISH_WORDS]
    chosen.update({word: latin_counts[word] for word in (*spelled, *numbers)})
    chosen.update(_fragments({word: times for word, times in latin_counts.items() if word not in chosen}, chosen))
    chosen.update({character: times for character, times in characters.items() if times >= _LEAST_CHARACTERS})
    chosen.update(words)
    total = sum(chosen.values())
    tokens = sorted(chosen, key=lambda token: (-chosen[token], token))
    return Vocabulary(tokens, [math.log(chosen[token] / total) - _SCORE_OFFSET for token in tokens])


def _fragments(unknown: Mapping[str, int], known: Mapping[str, int]) -> dict[str, int]:
    """Return the pieces that most words without a token are made of."""
    pieces: Counter[str] = Counter()
    for word in unknown:
        if word.isascii() and word.isalpha() and len(word) <= 20:
            for length in range(_SHORTEST_FRAGMENT, _LONGEST_FRAGMENT + 1):
                pieces.update({word[:length], word[-length:]} if length < len(word) else ())
    worth = {piece: times * (len(piece) - 1) for piece, times in pieces.items() if piece not in known}
    best = sorted(worth, key=lambda piece: (-worth[piece], piece))[:FRAGMENTS]
    return {piece: max(1, pieces[piece] // 10) for piece in best}
