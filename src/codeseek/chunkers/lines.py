"""A text by lines as an editor counts them, with the way from bytes to lines and characters."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from itertools import accumulate, count, pairwise
from operator import add

_LONE_RETURN = re.compile(rb"\r(?!\n)")
_TERMINATOR = re.compile(r"\r\n?|\n")


class Lines:
    """A text by lines, each ended by a line feed, a carriage return, or both; numbers are from 0.

    `starts` is where lines start in the text.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        if "\r" in text:
            self.starts = [0, *(match.end() for match in _TERMINATOR.finditer(text))]
            self.lines = [text[start:end].rstrip("\r\n") for start, end in pairwise((*self.starts, len(text)))]
        else:
            self.lines = text.split("\n")
            self.starts = [0, *map(add, accumulate(map(len, self.lines)), count(1))]
            self.starts.pop()
        self.ascii = text.isascii()

    @cached_property
    def data(self) -> bytes:
        """The text in UTF-8, as parsers want it, which know no lone carriage return."""
        data = self.text.encode("utf-8", "surrogatepass")
        return _LONE_RETURN.sub(b"\n", data) if data.count(b"\r") > data.count(b"\r\n") else data

    @cached_property
    def byte_starts(self) -> list[int]:
        """Where lines start in `data`."""
        if self.ascii:
            return self.starts
        starts = [0, *map(add, accumulate(map(len, self.data.split(b"\n"))), count(1))]
        starts.pop()
        return starts

    @property
    def longest(self) -> int:
        """How many characters the longest line has."""
        return max(map(len, self.lines))

    def line_of(self, byte: int) -> int:
        """Return the number of the line that holds a byte of `data`."""
        return bisect_right(self.byte_starts, byte) - 1

    def character(self, byte: int) -> int:
        """Return the place in `text` of a byte of `data`."""
        if self.ascii:
            return byte
        line = self.line_of(byte)
        start = self.byte_starts[line]
        return self.starts[line] + len(self.data[start:byte].decode("utf-8", "ignore"))

    def end(self, line: int) -> int:
        """Return the place in `text` where a line ends, its terminator left out."""
        return self.starts[line] + len(self.lines[line])

    def size(self, first: int, last: int) -> int:
        """Return how many characters the lines from first to last have."""
        return self.starts[last] + len(self.lines[last]) - self.starts[first]

    def trimmed(self, first: int, last: int) -> tuple[int, int]:
        """Return the lines without blank ones at both ends; first > last where all are blank."""
        lines = self.lines
        while first <= last and not lines[first].strip():
            first += 1
        while last > first and not lines[last].strip():
            last -= 1
        return first, last

    def cuts(self, first: int, last: int, piece: int, largest: int) -> list[tuple[int, int]]:
        """Cut lines into pieces of about `piece` characters at blank or least indented lines; up to `largest` they stay one.

        A piece is cut in its second half. A line that is too long by itself is a piece of its own.
        """
        pieces = []
        starts = self.starts
        while first < last and self.size(first, last) > largest:
            limit = min(bisect_right(starts, starts[first] + piece) - 1, last)
            middle = bisect_right(starts, starts[first] + piece // 2)
            cut, least = max(limit, first + 1), 1 << 30
            for number in range(limit, max(first, middle - 1), -1):
                line = self.lines[number]
                bare = line.lstrip()
                indentation = len(line) - len(bare) if bare else -1
                if indentation < least:
                    cut, least = number, indentation
            pieces.append((first, cut - 1))
            first = cut
        pieces.append((first, last))
        return pieces
