"""Markdown that no text can break out of: code spans and code blocks."""

from __future__ import annotations

import re

from codeseek import screen

_TICKS = re.compile("`+")
_LINE_END = re.compile(r"\r\n|\r|\n")


def span(text: str) -> str:
    """Return a text as a code span, whatever ticks it holds."""
    shown = screen.safe(text)
    ticks = "`" * (1 + _longest_ticks(shown))
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def block(text: str, language: str = "") -> str:
    """Return a text as it is as a code block, without an end of line after it."""
    fence = "`" * max(3, 1 + _longest_ticks(text))
    end = "" if text.endswith("\n") or not text else "\n"
    return f"{fence}{language}\n{text}{end}{fence}"


def visible(text: str) -> str:
    """Return a text for a code block in which nothing hides or steers a terminal; tabs are spaces."""
    return "\n".join(screen.safe(line.expandtabs(4)) for line in _LINE_END.split(text.rstrip()))


def _longest_ticks(text: str) -> int:
    return max(map(len, _TICKS.findall(text)), default=0)
