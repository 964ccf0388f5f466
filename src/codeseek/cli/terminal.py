"""What a stream can show: width, colours, links and signs, and text styled accordingly."""

from __future__ import annotations

import os
import re
import shutil
from typing import Literal, NamedTuple, TextIO

from codeseek import screen

WhenColour = Literal["auto", "always", "never"]

BOLD, DIM = "1", "2"
RED, GREEN, YELLOW, MAGENTA, CYAN = "31", "32", "33", "35", "36"

_STYLE = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;[^\x1b]*\x1b\\")


class Terminal(NamedTuple):
    """What a stream can show; the default is a plain pipe.

    A `live` one is a terminal, and gets no byte that could steer it; `redraws` says that a line of it can be drawn again.
    """

    width: int = 200
    colours: bool = False
    links: bool = False
    live: bool = False
    redraws: bool = False
    unicode: bool = True

    def styled(self, text: str, *codes: str) -> str:
        """Return a text in the 16 colours that every theme, light or dark, has made readable."""
        return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if self.colours and text else text

    def linked(self, text: str, uri: str) -> str:
        """Return a text that opens a file when it is clicked (OSC 8)."""
        return f"\x1b]8;;{uri}\x1b\\{text}\x1b]8;;\x1b\\" if self.links else text

    def sign(self, sign: str, plain: str) -> str:
        """Return a sign, or its stand-in where the encoding has no such signs."""
        return sign if self.unicode else plain

    def bar(self, share: float, cells: int) -> str:
        """Return a bar that is filled to a share between 0 and 1."""
        full = round(min(max(share, 0.0), 1.0) * cells)
        empty = self.styled(self.sign("▱", "-") * (cells - full), DIM)
        return self.styled(self.sign("▰", "#") * full, GREEN) + empty


def of(stream: TextIO, when: WhenColour = "auto") -> Terminal:
    """Find out what a stream can show; obeys NO_COLOR, FORCE_COLOR, COLUMNS and TERM."""
    live = stream.isatty()
    capable = live and os.environ.get("TERM") != "dumb"
    if when == "auto":
        forced = os.environ.get("FORCE_COLOR", "0") not in ("", "0")
        colours = not os.environ.get("NO_COLOR") and (forced or capable)
    else:
        colours = when == "always"
    measured = live or os.environ.get("COLUMNS")
    width = max(shutil.get_terminal_size().columns, 20) if measured else Terminal().width
    encoding = (stream.encoding or "ascii").lower().replace("-", "")
    return Terminal(width, colours, capable, live, capable, encoding.startswith(("utf", "gb18030")))


def columns(text: str) -> int:
    """Return how many columns a styled text takes."""
    return screen.columns(plain(text))


def plain(text: str) -> str:
    """Return a styled text without its colours and links."""
    return _STYLE.sub("", text)
