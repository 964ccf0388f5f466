"""Texts as bags of tokens: sparse rows of log(1 + count), which times a table of token vectors are the texts' vectors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from codeseek import analysis

Bags = Any
"""A `scipy.sparse.csr_matrix` of float32, [texts, tokens]; scipy comes without types."""
Tokens = Callable[[str], tuple[int, ...]]


class Bagger:
    """Turns texts into bags by a tokenizer of words, which is asked once for each word."""

    def __init__(self, tokens: Tokens, size: int) -> None:
        """`tokens` gives the numbers, below `size`, that a word stands for."""
        self._tokens = tokens
        self._size = size
        self._known: dict[str, tuple[int, ...]] = {}

    def bags(self, texts: Iterable[str]) -> Bags:
        """Return a row for each text, [texts, tokens]."""
        return self._rows(self._counts(text) for text in texts)

    def weighted(self, texts: Iterable[str]) -> Bags:
        """Return a row for each text of words with counts: `lock:3 mutex and:2`."""
        return self._rows(self._weighted_counts(text) for text in texts)

    def _rows(self, counted: Iterable[Counter[int]]) -> Bags:
        starts, columns, values = [0], [], []
        for counts in counted:
            columns.append(np.fromiter(counts.keys(), np.int32, len(counts)))
            values.append(np.fromiter(counts.values(), np.float32, len(counts)))
            starts.append(starts[-1] + len(counts))
        data = np.log1p(np.concatenate(values)) if values else np.zeros(0, np.float32)
        indices = np.concatenate(columns) if columns else np.zeros(0, np.int32)
        return sp.csr_matrix((data, indices, np.array(starts)), shape=(len(starts) - 1, self._size))

    def _counts(self, text: str) -> Counter[int]:
        counts: Counter[int] = Counter()
        for word in analysis.words(text):
            counts.update(self._of_word(word))
        return counts

    def _weighted_counts(self, text: str) -> Counter[int]:
        counts: Counter[int] = Counter()
        for entry in text.split():
            word, _, times = entry.rpartition(":")
            for token in self._of_word(word or entry):
                counts[token] += int(times) if word else 1
        return counts

    def _of_word(self, word: str) -> tuple[int, ...]:
        tokens = self._known.get(word)
        if tokens is None:
            tokens = self._known[word] = self._tokens(word)
        return tokens


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return rows made unit vectors; zeros stay zeros."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(norms > 0, norms, 1)).astype(np.float32)
