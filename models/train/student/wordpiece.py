"""MiniLM's vocabulary and tokenizer, extended by Chinese: which characters are added, and with which vectors they begin.

Characters only, no words: BERT's pre-tokenizer puts every Han character and every punctuation mark by itself before it
looks anything up, in `tokenizers` as in llama.cpp. A token of two characters would never be found.

Neither of them folds traditional characters or full-width marks, as the rest of the program does. The vocabulary does
instead: what `analysis.fold` maps to a character with a token has a token too, whose vector is a copy of the other's.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from tokenizers import Tokenizer

from codeseek import analysis
from student.encoder import Floats, Texts

LEAST_COUNT = 3  # texts that a character stands in, to be given a token
_AT_ONCE = 10_000  # texts to tokenise: what is found takes a hundred times the room of its numbers
_FOLDED = (range(0x2000, 0xA000), range(0xFE10, 0xFFF0))  # where all that is folded to one character lies
_HAN = re.compile("[㐀-䶿一-鿿\U00020000-\U0003ffff]")


class Vocabulary(NamedTuple):
    """Tokens, of which the first `known` are the teacher's; `copies` are pairs of a token and the one it is folded to."""

    tokens: list[str]
    known: int
    copies: list[tuple[int, int]]

    def to_begin(self) -> NDArray[np.int64]:
        """Return the tokens that need a first vector: all new ones that are no copies, and every Han character."""
        copies = {copy for copy, _ in self.copies}
        return np.array(
            [n for n, token in enumerate(self.tokens) if n not in copies and (n >= self.known or _is_han(token))],
            np.int64,
        )


def extend(tokens: Sequence[str], chinese: Iterable[str]) -> Vocabulary:
    """Add the characters of Chinese texts, folded, to a vocabulary, and all that is folded to a character in it."""
    counts = Counter(character for text in chinese for character in {*text} if _stands_alone(character))
    extended = dict.fromkeys(tokens)
    often = sorted((-count, character) for character, count in counts.items() if count >= LEAST_COUNT)
    extended.update(dict.fromkeys(character for _, character in often))
    folded = [(copy, analysis.fold(copy)) for copy in map(chr, (number for span in _FOLDED for number in span))]
    pairs = [(copy, of) for copy, of in folded if copy != of and of in extended and _stands_alone(copy)]
    extended.update(dict.fromkeys(copy for copy, _ in pairs))
    numbers = {token: number for number, token in enumerate(extended)}
    return Vocabulary([*extended], len(tokens), [(numbers[copy], numbers[of]) for copy, of in pairs])


def load(teacher: Path, vocabulary: Sequence[str] = ()) -> Any:
    """Load the teacher's tokenizer, with another vocabulary if one is given; it neither pads nor cuts."""
    about = json.loads((teacher / "tokenizer.json").read_text("utf-8"))
    about["truncation"] = about["padding"] = None
    if vocabulary:
        about["model"]["vocab"] = {token: number for number, token in enumerate(vocabulary)}
    tokenizer = Tokenizer.from_str(json.dumps(about))
    tokenizer.encode_special_tokens = True  # what reads like a special token is text
    return tokenizer


def tokenised(tokenizer: Any, texts: Sequence[str], longest: int) -> Texts:
    """Return texts as tokens with those at the ends, `longest` at most."""
    tokenizer.enable_truncation(longest)
    parts = (texts[start : start + _AT_ONCE] for start in range(0, len(texts), _AT_ONCE))
    return Texts.of(found.ids for part in parts for found in tokenizer.encode_batch_fast(part))


def first_vectors(table: Floats, vocabulary: Vocabulary, english: Texts, chinese: Texts) -> Floats:
    """Return the teacher's table with rows for all tokens; pairs of texts say what the new ones mean.

    A character begins as the mean of the English tokens that stand opposite more often than by chance, each weighted by
    how often, times the cube of the logarithm of how much more often: a plain mean says nothing, as the same common words
    stand opposite everything. The mean's deviation from that of the table is set to a usual length.
    """
    centre = table.mean(0)
    extended = np.tile(centre, (len(vocabulary.tokens), 1))
    extended[: len(table)] = table
    wanted = vocabulary.to_begin()
    here, there = _stands(chinese, len(extended))[:, wanted], _stands(english, len(extended))[:, : vocabulary.known]
    together = (here.T @ there).tocoo()
    chance = np.asarray(here.sum(0)).ravel()[together.row] * np.asarray(there.sum(0)).ravel()[together.col]
    lift = np.log(together.data * here.shape[0] / chance)
    weights = sp.csr_matrix((together.data * np.maximum(lift, 0) ** 3, (together.row, together.col)), together.shape)
    spread = table - centre
    directions = weights @ spread
    lengths = np.linalg.norm(directions, axis=1)
    said = lengths > 0  # of the rest nothing is known: a character that no text has, or that stands opposite everything
    usual = np.median(np.linalg.norm(spread, axis=1))
    extended[wanted[said]] = centre + directions[said] * (usual / lengths[said])[:, None]
    return copied(extended, vocabulary)


def copied(table: Floats, vocabulary: Vocabulary) -> Floats:
    """Return a table whose copies are such."""
    table = table.copy()
    copies, of = np.array(vocabulary.copies, np.int64).reshape(-1, 2).T
    table[copies] = table[of]
    return table


def _stands(texts: Texts, size: int) -> Any:
    """Return which tokens stand in which texts, as ones in a sparse matrix."""
    ones, shape = np.ones(len(texts.ids), np.float32), (len(texts.lengths), size)
    stands = sp.csr_matrix((ones, texts.ids, texts.starts), shape, copy=True)  # of the texts: next they are sorted
    stands.sum_duplicates()
    stands.data[:] = 1
    return stands


def _stands_alone(character: str) -> bool:
    """Tell whether BERT cuts a text before and after a character, which no normalisation takes away."""
    alone = _is_han(character) or (not character.isascii() and unicodedata.category(character).startswith("P"))
    return alone and unicodedata.normalize("NFD", character) == character


def _is_han(token: str) -> bool:
    return _HAN.fullmatch(token) is not None
