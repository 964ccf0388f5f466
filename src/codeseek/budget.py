"""How many tokens of a language model a text takes, estimated, and texts cut to that."""

from __future__ import annotations

import re

_LINE = re.compile(r".*?(?:\r\n|\r|\n)|.+", re.DOTALL)
_PIECE = re.compile(r"[A-Z]?[a-z]{1,6}|[A-Z]{1,2}|[0-9]{1,2}|[^\S\n]{2,}|\n+|[^\x00-\x7f]|[^\w\s]|_")
"""What takes a token at the most: six letters of a word, a sign, an indentation. A single space belongs to the next word."""
_WIDE_TENTHS = 13
"""Tenths of a token for a character outside ASCII: Chinese takes from 7 (o200k) to 13 (Claude 2)."""


def tokens(text: str) -> int:
    """Return how many tokens a text has, rather a third too many than too few.

    Against tokenizers on 4,500 passages of code and of documentation in nine languages: the sum is 1.5 times that of
    o200k, cl100k and Llama 3, 1.3 times that of Claude 2; of contexts of eight passages none has more than estimated in
    the first three, one in a thousand has 2 % more in the last.
    """
    wide = 0 if text.isascii() else sum(not character.isascii() for character in text)
    return len(_PIECE.findall(text)) - wide * (10 - _WIDE_TENTHS) // 10


def lines(text: str) -> list[str]:
    """Return a text's lines with their ends, as an editor counts them."""
    return _LINE.findall(text)


def cut(text: str, most: int) -> str:
    """Return the first lines of a text that have no more tokens than `most`."""
    if tokens(text) <= most:
        return text
    kept: list[str] = []
    for line in lines(text):
        most -= tokens(line)
        if most < 0:
            break
        kept.append(line)
    return "".join(kept)
