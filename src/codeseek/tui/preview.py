"""The file at the hit: coloured, with the found words and lines marked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from codeseek import screen
from codeseek.tui import painting
from codeseek.tui.painting import Piece
from codeseek.tui.palette import Palette
from codeseek.tui.pane import Pane
from codeseek.tui.source import Source, Spans
from codeseek.tui.strings import say


class Place(NamedTuple):
    """What of a file is shown: lines of the hit, lines of others, and words to mark."""

    first_line: int
    last_line: int
    others: tuple[tuple[int, int], ...] = ()
    words: re.Pattern[str] | None = None


_NOWHERE = Place(0, 0)
_WIDEST = 2_000
"""Columns of a large file, whose lines are not read to find out."""


class Preview(Pane):
    """Shows a whole file, line by line; paints only what is seen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "scroll_by(1)", show=False),
        Binding("k,up", "scroll_by(-1)", show=False),
        Binding("h,left", "scroll_sideways(-8)", show=False),
        Binding("l,right", "scroll_sideways(8)", show=False),
        Binding("pagedown,ctrl+f", "scroll_page(1)", show=False),
        Binding("pageup,ctrl+b", "scroll_page(-1)", show=False),
        Binding("ctrl+d", "scroll_page(0.5)", show=False),
        Binding("ctrl+u", "scroll_page(-0.5)", show=False),
        Binding("home,g", "scroll_top", show=False),
        Binding("end,G", "scroll_bottom", show=False),
    ]

    class Plain(Message):
        """A line is seen that has no colours yet."""

        def __init__(self, source: Source, line: int) -> None:
            super().__init__()
            self.source = source
            self.line = line

    def __init__(self, palette: Palette) -> None:
        super().__init__("preview")
        self.palette = palette
        self.source: Source | None = None
        self.place = _NOWHERE
        self.wrapped = False
        self._reached = 0
        self._starts: list[int] = []
        self._lines: Sequence[int] = ()
        self._cache: dict[tuple[object, ...], Strip] = {}

    # ------------------------------------------------------------ what is shown

    def show(self, source: Source, place: Place) -> None:
        """Show a place in a file."""
        if source is not self.source:
            self.source = source
            self._lay_out()
        self.place = place
        self._cache.clear()
        self.jump(place.first_line, place.last_line)
        self.refresh()

    def show_nothing(self) -> None:
        """Show nothing."""
        self.source, self.place = None, _NOWHERE
        self._lay_out()
        self.refresh()

    def colour(self, source: Source, first: int, spans: Sequence[Spans]) -> None:
        """Take the colours of some lines of a file; paint again if they are seen."""
        source.spans.update(enumerate(spans, first))
        top = self.top_line - 1
        if source is self.source and first < top + self.size.height and top <= first + len(spans):
            self._cache.clear()
            self.refresh()

    def repaint(self, palette: Palette) -> None:
        """Show everything in other colours."""
        self.palette = palette
        self._cache.clear()
        self.refresh()

    def wrap(self, *, wrapped: bool) -> None:
        """Break long lines at the edge, or let them go beyond it."""
        top = self.top_line
        self.wrapped = wrapped
        self._lay_out()
        self.scroll_to(0, self._row_of(top), animate=False, force=True)
        self.refresh()

    def jump(self, first: int, last: int) -> None:
        """Scroll so that a range of lines is seen: its beginning a third from the top, or all of it if it fits."""
        top, bottom, height = self._row_of(first), self._row_of(last) + 1, max(1, self.size.height)
        lead = 2 if bottom - top > height * 2 // 3 else max(2, (height - (bottom - top)) // 3)
        self.scroll_to(0, max(0, top - lead), animate=False, immediate=True, force=True)
        self._reached = self.scroll_offset.y

    def step(self, by: int) -> tuple[int, int] | None:
        """Go to the next or previous found range in the file, and return it."""
        ranges = sorted({(self.place.first_line, self.place.last_line), *self.place.others})
        if self.source is None or not ranges[0][0]:
            return None
        current = (self.place.first_line, self.place.last_line)
        chosen = ranges[(ranges.index(current) + by) % len(ranges)]
        self.place = self.place._replace(
            first_line=chosen[0], last_line=chosen[1], others=tuple(one for one in ranges if one != chosen)
        )
        self._cache.clear()
        self.jump(*chosen)
        self.refresh()
        return chosen

    @property
    def top_line(self) -> int:
        """The first line that is seen, counted from 1."""
        row = int(self.scroll_offset.y)
        return self._lines[row] + 1 if 0 <= row < len(self._lines) else 1

    # ------------------------------------------------------------ layout

    @property
    def _wraps(self) -> bool:
        """Whether long lines are broken: those of a document unless that is not wanted, others if it is."""
        return self.wrapped != (self.source is not None and self.source.prose)

    @property
    def _gutter(self) -> int:
        return max(3, len(str(len(self.source.lines)))) + 3 if self.source else 0

    def _lay_out(self) -> None:
        """Decide which line each row of the pane shows, and from which of its characters."""
        self._cache.clear()
        lines = self.source.lines if self.source else ()
        width = max(8, self.size.width - self._gutter - 1)
        large = self.source is not None and self.source.large
        if large or not self._wraps:
            self._lines, self._starts = range(len(lines)), []
            widest = _WIDEST
            if not large:
                widest = max(map(len, lines), default=0)
                widest = max((screen.columns(line) for line in lines if len(line) * 2 > widest), default=0)
            across = max(self.size.width, self._gutter + widest + 2)
        else:
            rows = [(number, start) for number, line in enumerate(lines) for start in _breaks(line, width)]
            self._lines, self._starts = [number for number, _ in rows], [start for _, start in rows]
            across = self.size.width
        size = Size(across, len(self._lines))
        if size != self.virtual_size:
            self.virtual_size = size

    def _row_of(self, line: int) -> int:
        if not self._starts:
            return max(0, min(line, len(self._lines)) - 1)
        from bisect import bisect_left

        return min(bisect_left(self._lines, line - 1), max(0, len(self._lines) - 1))

    def on_resize(self) -> None:
        """Lay lines out for another size; go to the hit again, unless the reader has gone elsewhere."""
        top, lowest = self.top_line, self.max_scroll_y  # no pane scrolls beyond it, nor does one that has grown
        unmoved = min(self.scroll_offset.y, lowest) == min(self._reached, lowest)
        self._lay_out()
        if unmoved:
            self.jump(self.place.first_line, self.place.last_line)
        elif self._wraps:
            self.scroll_to(0, self._row_of(top), animate=False, force=True)

    # ------------------------------------------------------------ moving

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Want colours for what comes into sight."""
        super().watch_scroll_y(old_value, new_value)
        if self.source is None or not self._lines:
            return
        last = self._lines[min(int(new_value) + self.size.height, len(self._lines)) - 1]
        if last not in self.source.spans or self._lines[int(new_value)] not in self.source.spans:
            self.post_message(self.Plain(self.source, last + 1))

    def action_scroll_by(self, by: int) -> None:
        """Scroll by lines."""
        self.scroll_to(y=self.scroll_offset.y + by, animate=False, force=True)

    def action_scroll_sideways(self, by: int) -> None:
        """Scroll by columns."""
        self.scroll_to(x=self.scroll_offset.x + by, animate=False, force=True)

    def action_scroll_page(self, share: float) -> None:
        """Scroll by a share of the pane."""
        self.scroll_to(y=self.scroll_offset.y + int(share * max(1, self.size.height - 1)), animate=False, force=True)

    def action_scroll_top(self) -> None:
        """Go to the first line."""
        self.scroll_to(y=0, animate=False, force=True)

    def action_scroll_bottom(self) -> None:
        """Go to the last line."""
        self.scroll_to(y=len(self._lines), animate=False, force=True)

    # ------------------------------------------------------------ painting

    def render_line(self, y: int) -> Strip:
        """Paint a line of the screen."""
        width, under = self.size.width, self.under
        source = self.source
        row = y + int(self.scroll_offset.y)
        if source is None or source.problem:
            if source is not None and y == 1:
                return painting.strip([(f"  {say('problem-' + source.problem)}", self.palette.warning)], width, under)
            return Strip.blank(width, under)
        if row >= len(self._lines):
            return Strip.blank(width, under)
        left = int(self.scroll_offset.x)
        key = (row, left, width, under)
        if (strip := self._cache.get(key)) is None:
            strip = self._cache[key] = self._paint(source, row, left, width)
        return strip

    def _paint(self, source: Source, row: int, left: int, width: int) -> Strip:
        styles, number = self.palette, self._lines[row]
        line, place = number + 1, self.place
        start = self._starts[row] if self._starts else 0
        text = source.lines[number]
        within = place.first_line <= line <= place.last_line
        under = self.under + styles.within if within else self.under
        also = any(first <= line <= last for first, last in place.others)
        edge: Piece = ("▌", styles.accent) if within else ("▏", styles.warning) if also else (" ", styles.plain)
        shown = f"{line:>{self._gutter - 3}} " if not start else " " * (self._gutter - 2)
        gutter = [edge, (shown, styles.dim if within else styles.faint), (" ", styles.plain)]
        marks = tuple(match.span() for match in place.words.finditer(text, 0, 1_000)) if place.words else ()
        spans = source.spans.get(number, ())
        mark = styles.mark if within else styles.mark_away
        pieces = painting.marked(text, styles.plain, mark, marks, spans, styles.syntax)
        if start:
            left = screen.columns(screen.safe(text[:start]))
        room = max(1, width - self._gutter)
        if not left:
            return painting.strip([*gutter, *pieces], width, under)
        body = painting.strip(pieces, left + room, under).crop(left, left + room)
        return Strip([*painting.fitted(gutter, self._gutter, under), *body], width)


def _breaks(line: str, width: int) -> list[int]:
    """Return where the rows of a wrapped line begin."""
    if len(line) <= width and line.isascii():
        return [0]
    starts, taken = [0], 0
    for at, character in enumerate(line):
        wide = screen.columns(screen.safe(character))
        if taken + wide > width:
            starts.append(at)
            taken = 0
        taken += wide
    return starts
