"""How many tokens of a language model a text takes, estimated, and texts cut to that."""

from __future__ import annotations

import re

_LINE = re.compile(r".*?(?:\r\n|\r|\n)|.+", re.DOTALL)
_PER_TOKEN = 3
"""Characters of code in a token, at the least: real tokenizers take from 3 to 4.5."""


def tokens(text: str) -> int:
    """Return about how many tokens a text has; rather too many than too few."""
    wide = 0 if text.isascii() else sum(not character.isascii() for character in text)
    return wide + -(-(len(text) - wide) // _PER_TOKEN)


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
