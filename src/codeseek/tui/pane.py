"""Panes: widgets that paint whole lines themselves, and containers that paint none."""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from textual.containers import Container
from textual.geometry import Region
from textual.scroll_view import ScrollView
from textual.strip import Strip


class Pane(ScrollView, can_focus=True):
    """Shows lines, which it paints as strips of the full width and keeps.

    Textual's own way to paint a line works out margins, borders and padding each time, which takes longer than the
    lines themselves: a pane has none of these.
    """

    ALLOW_SELECT = False

    def __init__(self, name: str) -> None:
        super().__init__(id=name)
        self.under = Style()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Paint some lines; the style of the pane is worked out once for all of them."""
        self.under = self.rich_style
        filters, background, width = self.get_line_filters(), self.background_colors[1], self.outer_size.width
        strips = []
        for y in crop.line_range:
            strip = self.render_line(y)
            if strip.cell_length != width:
                strip = strip.adjust_cell_length(width, self.under)
            for each in filters:
                strip = strip.apply_filter(each, background)
            strips.append(strip)
        if crop.column_span != (0, width):
            return [strip.crop(*crop.column_span) for strip in strips]
        return strips


class Frame(Container):
    """Holds other widgets, which cover it: its own lines are blank."""

    BLANK: ClassVar[bool] = True
