"""The tokens of a model, and other words cut into them: the likeliest sequence, of many words at once or of a few.

A sequence's score is the sum of its tokens' scores (unigram Viterbi). A character in no token is passed over at a penalty.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray

_LOOKED_UP = 16  # words in all, up to which looking into a text is quicker than making a dictionary
_LONGEST_TOKEN = 32
_MANY = 50  # words at once, from which on arrays are quicker
_FEW_IN_ALL = 2_000  # words; only for more is a tree of all tokens worth its time and memory
_UNKNOWN_PENALTY = 10.0
_UNKNOWN = -1

Ints = NDArray[np.int64]


class Tokens:
    """The tokens of a vocabulary, one to a line of a text; `numbers` are their lines', from 0."""

    numbers: Mapping[str, int]

    def __init__(self, lines: str) -> None:
        self._lines = "\n" + lines
        self._expected = 0
        self.numbers = _InLines(self._lines)

    @classmethod
    def of(cls, tokens: Iterable[str]) -> Self:
        """Return tokens, numbered as they come."""
        return cls("".join(f"{token}\n" for token in tokens))

    def __len__(self) -> int:
        return len(self.numbers)

    def expect(self, lookups: int) -> None:
        """Make ready for so many lookups: a search from the shell has few, and a dictionary takes longer to make."""
        self._expected += lookups
        if self._expected > _LOOKED_UP and not isinstance(self.numbers, dict):
            tokens = self._lines.split("\n")[1:-1]
            self.numbers = dict(zip(tokens, range(len(tokens)), strict=True))


class _InLines(Mapping[str, int]):
    """Numbers lines by a look into their text, which begins and ends with a line's end."""

    def __init__(self, lines: str) -> None:
        self._lines = lines

    def __getitem__(self, line: str) -> int:
        at = self._lines.find(f"\n{line}\n")
        if at < 0:
            raise KeyError(line)
        return self._lines.count("\n", 0, at)

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines.split("\n")[1:-1])

    def __len__(self) -> int:
        return self._lines.count("\n") - 1


class Pieces:
    """Cuts words into the tokens of a vocabulary."""

    def __init__(self, tokens: Tokens, score: NDArray[np.float32]) -> None:
        """`score` is aligned with the tokens' numbers."""
        tokens.expect(_MANY)  # every part of a word may be a token
        self._numbers = tokens.numbers
        self._score = score
        self._unknown_score = float(score.min()) - _UNKNOWN_PENALTY
        self._asked = 0

    def of(self, words: Sequence[str]) -> list[list[int]]:
        """Return the tokens of each word."""
        self._asked += len(words)
        if len(words) < _MANY or self._asked < _FEW_IN_ALL:
            return [self._of_one(word) for word in words]
        return self._of_many(words)

    def _of_one(self, word: str) -> list[int]:
        score, unknown = self._scores, self._unknown_score
        best = [0.0] + [float("-inf")] * len(word)
        came = [(0, _UNKNOWN)] * (len(word) + 1)
        for start in range(len(word)):
            before = best[start]
            if before + unknown > best[start + 1]:
                best[start + 1], came[start + 1] = before + unknown, (start, _UNKNOWN)
            for end in range(start + 1, min(len(word), start + _LONGEST_TOKEN) + 1):
                token = self._numbers.get(word[start:end])
                if token is not None and before + score[token] > best[end]:
                    best[end], came[end] = before + score[token], (start, token)
        pieces, end = [], len(word)
        while end:
            end, token = came[end]
            if token != _UNKNOWN:
                pieces.append(token)
        return pieces[::-1]

    def _of_many(self, words: Sequence[str]) -> list[list[int]]:
        """Do the same for all words together, which stand one after the other, an empty place behind each."""
        sizes = np.fromiter(map(len, words), np.int64, len(words)) + 1
        ends = np.cumsum(sizes) - 1
        starts, stops, tokens = self._tree.standing_in("\0".join((*words, "")))
        within = np.arange(ends[-1] + 1) - np.repeat(ends - sizes + 1, sizes)  # its word
        order = np.argsort(within[stops] * len(within) + stops, kind="stable")
        starts, stops, tokens = starts[order], stops[order], tokens[order]
        scores = np.where(tokens == _UNKNOWN, self._unknown_score, self._score.astype(np.float64)[tokens])
        best, came = np.zeros(len(within)), np.zeros(len(within), np.int64)
        bounds = np.searchsorted(within[stops], np.arange(1, sizes.max() + 1))
        for first, last in pairwise(bounds.tolist()):  # those that end with a first character, with a second, …
            reached, values = stops[first:last], best[starts[first:last]] + scores[first:last]
            heads = np.flatnonzero(np.diff(reached, prepend=-1))
            highest = np.maximum.reduceat(values, heads)
            best[reached[heads]] = highest
            winners = first + np.flatnonzero(values == np.repeat(highest, np.diff(heads, append=len(values))))
            came[stops[winners[::-1]]] = winners[::-1]  # of equals the longest, which is the last one written
        word = np.flatnonzero(sizes > 1)
        place = ends[word]
        steps = [(word[:0], tokens[:0])]
        while len(word):  # back from their ends to their beginnings
            edge = came[place]
            steps.append((word, tokens[edge]))
            place = starts[edge]
            going_on = within[place] > 0
            word, place = word[going_on], place[going_on]
        owners, pieces = (np.concatenate(column) for column in zip(*reversed(steps), strict=True))
        known = pieces != _UNKNOWN
        owners, pieces = owners[known], pieces[known]
        order = np.argsort(owners, kind="stable")
        bounds = np.searchsorted(owners[order], np.arange(len(words) + 1)).tolist()
        found = pieces[order].tolist()
        return [found[first:last] for first, last in pairwise(bounds)]

    @cached_property
    def _scores(self) -> list[float]:
        scores: list[float] = self._score.tolist()
        return scores

    @cached_property
    def _tree(self) -> _Tree:
        return _Tree(self._numbers)


class _Tree:
    """All tokens as a tree, in arrays: nodes are the beginnings of tokens, numbered from the empty one by length, then in order.

    A node's key is made of its parent and its last character: so keys ascend, and a node's place among them is its number.
    """

    def __init__(self, numbers: Mapping[str, int]) -> None:
        tokens = sorted(numbers)
        codes = np.array(tokens).view(np.uint32).reshape(len(tokens), -1)
        alphabet = np.flatnonzero(np.bincount(codes[codes > 0]))
        self._character = np.zeros(int(alphabet[-1]) + 2, np.int64)  # its number, 0 of what is in no token
        self._character[alphabet] = np.arange(1, len(alphabet) + 1)
        self._width = len(alphabet) + 1
        node = np.zeros(len(tokens), np.int64)
        keys, size = [np.zeros(1, np.int64)], 1
        for column in codes.T:
            longer = np.flatnonzero(column)
            key = node[longer] * self._width + self._character[column[longer]]
            is_new = np.diff(key, prepend=-1) != 0
            node[longer] = size - 1 + np.cumsum(is_new)
            keys.append(key[is_new])
            size += len(keys[-1])
        self._keys = np.concatenate(keys)
        self._token = np.full(size, _UNKNOWN, np.int64)
        self._token[node] = [numbers[token] for token in tokens]

    def standing_in(self, text: str) -> tuple[Ints, Ints, Ints]:
        """Return where tokens stand in a text (start, stop, token), the longest first; last come all single characters."""
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        characters = self._character[np.minimum(codes, len(self._character) - 1)]
        place = np.flatnonzero(codes)
        node = np.zeros(len(place), np.int64)
        found = [(place, place + 1, np.full(len(place), _UNKNOWN, np.int64))]
        length = 0
        while len(place):
            keys = node * self._width + characters[place + length]
            node = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
            known = self._keys[node] == keys
            known &= node > 0
            place, node = place[known], node[known]
            length += 1
            whole = self._token[node] != _UNKNOWN
            found.append((place[whole], place[whole] + length, self._token[node[whole]]))
        starts, stops, tokens = (np.concatenate(column) for column in zip(*reversed(found), strict=True))
        return starts, stops, tokens
