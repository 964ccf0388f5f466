"""An evaluation as one JSON object, which a later one can take as its baseline."""

from __future__ import annotations

from collections.abc import Iterator

from codeseek import schema, scoreboard
from codeseek.cli.terminal import Terminal
from codeseek.scoreboard import Board


def render(board: Board, terminal: Terminal) -> Iterator[str]:
    """Yield the object."""
    yield schema.dumped(scoreboard.record(board), indent=1) + "\n"
