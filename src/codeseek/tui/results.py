"""The list of hits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from codeseek.records import Hit
from codeseek.tui import asking
from codeseek.tui.palette import Palette
from codeseek.tui.pane import Pane
from codeseek.tui.rows import Painter, Row, layout, project_columns


class ResultList(Pane):
    """Shows hits and the one that the cursor is on; many may be chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("home,g", "first", show=False),
        Binding("end,G", "last", show=False),
        Binding("j", "step(1)", show=False),
        Binding("k", "step(-1)", show=False),
        Binding("ctrl+d", "page(0.5)", show=False),
        Binding("ctrl+u", "page(-0.5)", show=False),
    ]

    cursor = reactive(0, init=False)
    """Which hit, in the order shown."""

    class Moved(Message):
        """The cursor is on another hit, or on none."""

    class Opened(Message):
        """A hit was clicked twice."""

    class NearEnd(Message):
        """The cursor is close to the last hit: more are wanted."""

    def __init__(self, palette: Palette) -> None:
        super().__init__("results")
        self.palette = palette
        self.grouped = False
        self.named = False
        self.hits: tuple[Hit, ...] = ()
        self.chosen: dict[object, Hit] = {}
        self.words: re.Pattern[str] | None = None
        self._rows: list[Row] = []
        self._order: list[int] = []
        self._first_row: list[int] = []
        self._cache: dict[tuple[object, ...], Strip] = {}

    # ------------------------------------------------------------ what is shown

    @property
    def current(self) -> Hit | None:
        """The hit under the cursor."""
        return self.hits[self._order[self.cursor]] if 0 <= self.cursor < len(self._order) else None

    @property
    def picked(self) -> list[Hit]:
        """The chosen hits, or the one under the cursor."""
        return [*self.chosen.values()] or [hit for hit in (self.current,) if hit]

    def show(self, hits: Sequence[Hit], words: re.Pattern[str] | None, *, keep: bool) -> None:
        """Show hits, without a `Moved`.

        `keep` leaves the cursor on its hit, and the hit in its place on the screen, as far as that goes.
        """
        before, top = self.current, self.scroll_offset.y
        offset = self._row_of(self.cursor) - top
        self.hits, self.words = tuple(hits), words
        self._lay_out()
        at = 0
        if keep and before is not None:
            places = [asking.place(self.hits[number]) for number in self._order]
            wanted = asking.place(before)
            at = places.index(wanted) if wanted in places else min(self.cursor, max(0, len(places) - 1))
            top = max(0, self._row_of(at) - offset)
        else:
            top = 0
        self.set_reactive(ResultList.cursor, at)
        self.scroll_to(y=top, animate=False, immediate=True, force=True)
        self._reveal()
        self.refresh()

    def group(self, *, grouped: bool) -> None:
        """Show hits by file, or in the order of their score."""
        current = self.current
        self.grouped = grouped
        self._lay_out()
        if current is not None:
            self.set_reactive(ResultList.cursor, [self.hits[number] for number in self._order].index(current))
        self._reveal()
        self.refresh()

    def repaint(self, palette: Palette) -> None:
        """Show everything in other colours."""
        self.palette = palette
        self._cache.clear()
        self.refresh()

    def go_to(self, wanted: object) -> None:
        """Put the cursor on the hit at a place, if it is there."""
        places = [asking.place(self.hits[number]) for number in self._order]
        if wanted in places:
            self.cursor = places.index(wanted)

    def toggle_chosen(self) -> None:
        """Choose the hit under the cursor, or no longer, and go to the next."""
        if (hit := self.current) is not None:
            place = asking.place(hit)
            if self.chosen.pop(place, None) is None:
                self.chosen[place] = hit
            self.refresh()
            self.action_step(1)

    def toggle_all(self) -> None:
        """Choose every hit, or none."""
        everything = {asking.place(hit): hit for hit in self.hits}
        self.chosen = {} if everything.keys() <= self.chosen.keys() else self.chosen | everything
        self.refresh()

    def clear_chosen(self) -> None:
        """Choose nothing."""
        self.chosen = {}
        self.refresh()

    def _lay_out(self) -> None:
        self._rows, self._order = layout(self.hits, grouped=self.grouped)
        at = {number: position for position, number in enumerate(self._order)}
        self._first_row = [0] * len(self._order)
        for position, row in reversed([*enumerate(self._rows)]):
            if row.part == 0:
                self._first_row[at[row.hit]] = position
        self._cache.clear()
        size = Size(self.size.width, len(self._rows))
        if size != self.virtual_size:
            self.virtual_size = size

    def _row_of(self, position: int) -> int:
        return self._first_row[position] if 0 <= position < len(self._first_row) else 0

    # ------------------------------------------------------------ moving

    def watch_cursor(self) -> None:
        """Show where the cursor is."""
        self._reveal()
        self.refresh()
        self.post_message(self.Moved())
        if self._order and self.cursor >= len(self._order) - 8:
            self.post_message(self.NearEnd())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Want more hits when the last ones come into sight."""
        super().watch_scroll_y(old_value, new_value)
        if self._rows and new_value > old_value and new_value + self.size.height >= len(self._rows) - 8:
            self.post_message(self.NearEnd())

    def action_step(self, by: int) -> None:
        """Move the cursor by some hits."""
        if self._order:
            self.cursor = max(0, min(len(self._order) - 1, self.cursor + by))

    def action_page(self, share: float) -> None:
        """Move the cursor by a share of what is seen."""
        self.action_step(int(max(1, self.size.height // 2 * abs(share))) * (1 if share > 0 else -1))

    def action_first(self) -> None:
        """Go to the best hit."""
        self.action_step(-len(self._order))

    def action_last(self) -> None:
        """Go to the last hit."""
        self.action_step(len(self._order))

    def _reveal(self) -> None:
        if not self._order:
            return
        row = self._row_of(self.cursor)
        above = 1 if self.grouped and row and self._rows[row - 1].part == -1 else 0
        self.scroll_to_region(Region(0, row - above, 1, 2 + above), animate=False, immediate=True, force=True)

    # ------------------------------------------------------------ mouse

    def _at(self, y: int) -> int | None:
        """Return the position in the order of the hit at a line of the screen."""
        row = y + self.scroll_offset.y
        return self._order.index(self._rows[row].hit) if 0 <= row < len(self._rows) else None

    def on_click(self, event: events.Click) -> None:
        """Go to the hit that is clicked; open it with the second click; choose with Ctrl."""
        at = self._at(event.y)
        if at is None:
            return
        self.cursor = at
        if event.ctrl:
            self.toggle_chosen()
        elif event.chain == 2:
            self.post_message(self.Opened())

    # ------------------------------------------------------------ painting

    def on_resize(self) -> None:
        """Lay lines out for another width."""
        self._cache.clear()
        self.virtual_size = Size(self.size.width, len(self._rows))
        self.call_after_refresh(self._reveal)

    def render_line(self, y: int) -> Strip:
        """Paint a line of the screen."""
        number = y + self.scroll_offset.y
        under = self.under
        if number >= len(self._rows):
            return Strip.blank(self.size.width, under)
        row = self._rows[number]
        current = row.part >= 0 and self._order[self.cursor] == row.hit
        chosen = asking.place(self.hits[row.hit]) in self.chosen
        key = (row, self.size.width, current, chosen, under)
        if (strip := self._cache.get(key)) is None:
            if current:
                under += self.palette.cursor
            best = max((hit.score for hit in self.hits), default=0.0)
            projects = project_columns(self.hits) if self.named else 0
            painter = Painter(self.hits, self.words, self.palette, self.grouped, best, projects)
            strip = painter.paint(row, self.size.width, under, current=current, chosen=chosen)
            self._cache[key] = strip
        return strip
