"""What a question quotes: an error message or a pasted passage. Where that stands word for word is what is meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from codeseek import analysis

_TOKEN = re.compile(r"[㐀-鿿]|[^\W㐀-鿿]+")
_TWO_CHARACTERS = re.compile(r"(?=([㐀-鿿]{2}))")
_CHARACTERS = 2  # of Chinese that count as a word
_LEAST = 4  # words: fewer stand next to each other by chance, or only name what is looked for
_SHORT = 8  # of up to so many all must stand in a row
_RUN = 5  # of a longer text it is counted how many runs of so many words or characters stand somewhere
_LEAST_SHARE = 0.5  # of these: what has less of it does not hold it


class Quotation:
    """A question taken for a passage that stands somewhere."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        characters = sum("㐀" <= token <= "鿿" for token in self._tokens)
        self._length = len(self._tokens) - characters + characters / _CHARACTERS
        self._is_short = self._length <= _SHORT
        self._together = f" {' '.join(self._tokens)} "
        self._runs = _runs(self._tokens)
        self._pairs = _TWO_CHARACTERS.findall(analysis.fold(text))

    @property
    def least_share(self) -> float:
        """How much of the passage there has to be in a text that holds it."""
        return 1.0 if self._is_short else _LEAST_SHARE

    def may_stand(self, knows: Callable[[str], bool]) -> bool:
        """Tell whether it is long enough to be a passage, and may stand in a text, of which `knows` tells the terms."""
        return self._length >= _LEAST and not (self._is_short and not all(map(knows, self._pairs)))

    def share(self, text: str) -> float:
        """Return how surely a text holds the passage, from 0 to 1: less surely the shorter it is, and the more is lacking."""
        if self._is_short:
            lowered = text.lower()
            if not all(token in lowered for token in self._tokens):
                return 0.0
            return self._length / _SHORT if self._together in f" {' '.join(_tokens(text))} " else 0.0
        share = len(self._runs & _runs(_tokens(text))) / len(self._runs)
        return max(0.0, (share - _LEAST_SHARE) / (1 - _LEAST_SHARE))


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text.lower())


def _runs(tokens: Sequence[str]) -> set[tuple[str, ...]]:
    return {tuple(tokens[start : start + _RUN]) for start in range(len(tokens) - _RUN + 1)}
