"""A large file by its lines: newlines are counted once, and then only what is looked at is read."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path
from typing import overload

_PIECE = 65_536
_KEPT = 8
"""Pieces that are kept as they were read."""


class LargeFile(Sequence[str]):
    """The lines of a file, each read when it is wanted, with tabs made spaces and cut to `widest` characters."""

    def __init__(self, file: Path, encoding: str, widest: int) -> None:
        """Count the lines; raises OSError when the file cannot be read."""
        self._file = file
        self._encoding = encoding
        self._widest = widest
        self._before = [0]  # newlines before each piece
        last = b"\n"
        with file.open("rb") as stream:
            while piece := stream.read(_PIECE):
                self._before.append(self._before[-1] + piece.count(b"\n"))
                last = piece[-1:]
        self._count = self._before[-1] + (last != b"\n")
        self._pieces: dict[int, list[str]] = {}

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, at: int) -> str: ...

    @overload
    def __getitem__(self, at: slice) -> list[str]: ...

    def __getitem__(self, at: int | slice) -> str | list[str]:
        if isinstance(at, slice):
            return [self[number] for number in range(*at.indices(self._count))]
        if at < 0:
            at += self._count
        if not 0 <= at < self._count:
            raise IndexError(at)
        # Line n begins behind the nth newline, which is in the last piece before which there are fewer.
        piece = max(0, bisect_left(self._before, at) - 1)
        lines = self._lines(piece)
        place = at - self._before[piece] - (piece > 0)
        return lines[place] if place < len(lines) else ""  # the file may have become shorter

    def _lines(self, piece: int) -> list[str]:
        """Return the lines that begin behind the newlines in a piece of the file; in the first also the very first."""
        if piece not in self._pieces:
            while len(self._pieces) >= _KEPT:
                self._pieces.pop(next(iter(self._pieces)))
            self._pieces[piece] = self._read(piece)
        return self._pieces[piece]

    def _read(self, piece: int) -> list[str]:
        try:
            with self._file.open("rb") as stream:
                stream.seek(piece * _PIECE)
                data = stream.read(_PIECE)
                rest = stream.readline(self._widest * 4)
        except OSError:
            return []
        parts = (data + rest).split(b"\n")[: data.count(b"\n") + 1]
        return [self._text(part) for part in (parts[1:] if piece else parts)]

    def _text(self, line: bytes) -> str:
        text = line[: self._widest * 4].decode(self._encoding, "replace").removesuffix("\r")
        return text.expandtabs(4)[: self._widest]
