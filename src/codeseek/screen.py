"""Text made safe for a screen and measured in columns."""

from __future__ import annotations

import re
import unicodedata

_DANGEROUS = (
    "["
    "\x00-\x1f\x7f-\x9f"  # control characters: they move the cursor, clear the screen, set the title
    "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"  # direction and separators: text reads other than it is
    "\u200b\u2060-\u2064\ufeff\U000e0000-\U000e007f"  # invisible
    "\ud800-\udfff"  # bytes of a file name that are not UTF-8
    "]"
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def safe(text: str) -> str:
    r"""Return text for one line of a screen: what would steer the terminal or hide is written out, as in `\x1b`."""
    return text if text.isprintable() else re.sub(_DANGEROUS, _written_out, text)


def _written_out(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return _SHORT.get(character) or (
        f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    )


def columns(text: str) -> int:
    """Return how many columns a text takes: two for a wide character, none for a combining one."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def _columns(character: str) -> int:
    if character.isascii():
        return 1
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, width: int, mark: str = "…") -> str:
    """Return a text that takes at most `width` columns, ending in a mark when it was longer."""
    if columns(text) <= width:
        return text
    left = width - columns(mark)
    if left < 0:
        return ""
    taken = 0
    for position, character in enumerate(text):
        taken += _columns(character)
        if taken > left:
            return text[:position] + mark
    return text
