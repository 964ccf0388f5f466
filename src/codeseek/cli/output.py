"""Standard output: the data that was asked for, and nothing else."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codeseek.cli.terminal import Terminal, WhenColour


def screen(when: WhenColour = "auto") -> Terminal:
    """Return what standard output can show."""
    from codeseek.cli import terminal

    return terminal.of(sys.stdout, when)


def interactive() -> bool:
    """Tell whether somebody sits at a terminal that can show a full screen."""
    streams = (sys.stdin, sys.stdout, sys.stderr)  # Textual draws on stderr
    return all(stream.isatty() for stream in streams) and os.environ.get("TERM") != "dumb"


def write(pieces: Iterable[str]) -> None:
    """Write pieces of text as they come; a reader that has had enough is no failure."""
    try:
        for piece in pieces:
            sys.stdout.write(piece)
        sys.stdout.flush()
    except BrokenPipeError:
        abandon()


@contextlib.contextmanager
def standard_streams() -> Iterator[None]:
    """Let both streams take every text: pipes are UTF-8, and what a terminal cannot show is written out.

    Lone surrogates stand for the bytes of a file name that is not UTF-8; a pipe gets these bytes back.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            if stream.isatty():
                stream.reconfigure(errors="backslashreplace")
            else:
                stream.reconfigure(encoding="utf-8", errors="surrogateescape")
    yield
    sys.stdout.flush()


def abandon() -> None:
    """Give standard output up after its reader has gone, so that nothing complains at exit."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
