"""How an evaluation is shown: each module makes text from a board of figures."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

from codeseek.cli.terminal import Terminal

if TYPE_CHECKING:
    from codeseek.scoreboard import Board

FORMATS = ("text", "json")


def render(name: str, board: Board, terminal: Terminal) -> Iterator[str]:
    """Make an evaluation's text in a format, piece by piece."""
    pieces: Iterator[str] = import_module(f"{__name__}.{name}").render(board, terminal)
    return pieces


def short(value: float, *, signed: bool = False) -> str:
    """Return a score as `.41`, as scores are read; a difference with its sign."""
    text = f"{value:+.3f}" if signed else f"{value:.3f}"
    return text.replace("0.", ".", 1) if text.lstrip("+-").startswith("0.") else text
