"""Hits as rows of a list: what each line says, in pieces of text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from rich.style import Style
from textual.strip import Strip

from codeseek import screen, snippets
from codeseek.records import Chunk, Hit
from codeseek.tui.painting import Piece, columns, cut_front, marked, spread, strip
from codeseek.tui.palette import Palette

ICONS = {"function": "ƒ", "method": "m", "class": "C", "module": "≡", "config": "=", "section": "§", "comment": "#"}
_BAR = 5
_PROJECT = 16
"""The most columns of a project's name."""


class Row(NamedTuple):
    """A line of the list: of a hit (its `part` 0 or 1), or the heading of a file (`part` -1)."""

    hit: int
    part: int


def layout(hits: Sequence[Hit], *, grouped: bool) -> tuple[list[Row], list[int]]:
    """Return the rows, and the hits in the order in which the list shows them."""
    if not grouped:
        return [Row(at, part) for at in range(len(hits)) for part in (0, 1)], [*range(len(hits))]
    files: dict[object, list[int]] = {}
    for at, hit in enumerate(hits):
        files.setdefault(hit.chunk.path, []).append(at)
    rows, order = [], []
    for members in files.values():
        rows.append(Row(members[0], -1))
        for at in members:
            rows += [Row(at, 0), Row(at, 1)]
            order.append(at)
    return rows, order


def project_columns(hits: Sequence[Hit]) -> int:
    """Return how many columns the names of projects take with which paths begin."""
    return min(_PROJECT, max((screen.columns(screen.safe(hit.chunk.path.parts[0])) for hit in hits), default=0))


class Painter(NamedTuple):
    """What every row is painted with."""

    hits: Sequence[Hit]
    words: re.Pattern[str] | None
    palette: Palette
    grouped: bool
    best: float
    projects: int = 0
    """Columns for the names of projects, with which paths begin then; 0 if they do not."""

    def paint(self, row: Row, width: int, under: Style, *, current: bool, chosen: bool) -> Strip:
        """Return a row as a strip of a width."""
        hit = self.hits[row.hit]
        styles = self.palette
        gutter: Piece = ("▌" if current else " ", styles.accent)
        check: Piece = ("✓" if chosen else " ", styles.good)
        if row.part == -1:
            return self._heading(hit, width, under)
        if row.part == 0:
            return self._title(hit, [gutter, check], width, under)
        chunk = hit.chunk
        line = best_line(chunk, self.words)
        number = [] if line is None else [(f"{line.number:>5} ", styles.faint)]
        text = [] if line is None else _around(line, width - 9, styles)
        return strip([gutter, (" ", styles.plain), *number, *text], width, under)

    def _heading(self, hit: Hit, width: int, under: Style) -> Strip:
        styles = self.palette
        members = sum(other.chunk.path == hit.chunk.path for other in self.hits)
        project, path = self._parted(hit)
        folder, _, name = screen.safe(path).rpartition("/")
        shown = cut_front(f"{folder}/" if folder else "", width - columns(project) - screen.columns(name) - 8)
        left = [("  ", styles.plain), (shown, styles.dim), (name, styles.bold)]
        return spread(left, [*project, (f"  {members} ", styles.faint)], width, under)

    def _parted(self, hit: Hit) -> tuple[list[Piece], str]:
        """Return the name of a hit's project in a column of its own, if paths have one, and the path in it."""
        path = str(hit.chunk.path)
        if not self.projects:
            return [], path
        project, _, path = path.partition("/")
        shown = screen.cut(screen.safe(project), self.projects)
        return [(f"  {shown}{' ' * (self.projects - screen.columns(shown))}", self.palette.warning)], path

    def _title(self, hit: Hit, before: list[Piece], width: int, under: Style) -> Strip:
        styles, chunk = self.palette, hit.chunk
        icon: Piece = (ICONS.get(chunk.kind, "·") + " ", styles.kinds.get(chunk.kind, styles.plain))
        share = hit.score / self.best if self.best > 0 else 0.0
        full = round(max(0.0, min(1.0, share)) * _BAR)
        bar: list[Piece] = [("  ", styles.plain), ("━" * full, styles.accent), ("─" * (_BAR - full), styles.faint)]
        bar.append((" ", styles.plain))
        project, path = ([], str(chunk.path)) if self.grouped else self._parted(hit)
        folder, _, name = screen.safe(path).rpartition("/")
        name_line = f"{name} {chunk.anchor}" if chunk.anchor else f"{name}:{chunk.first_line}"
        room = width - 4 - columns(bar) - columns(project) - 2
        symbol = screen.safe(chunk.symbol)
        if self.grouped or not symbol:
            title = symbol or name_line
            lines = chunk.anchor or f":{chunk.first_line}-{chunk.last_line}"
            place = lines if self.grouped else ""
        else:
            title, place = symbol, name_line
        most = max(8, room - min(screen.columns(place), room * 45 // 100))
        while chunk.kind != "section" and "." in title and screen.columns(title) > most:
            title = title.split(".", 1)[1]  # the last part says the most
        title = screen.cut(title, most)
        left = room - screen.columns(title)
        also = f" +{len(hit.also)}" if hit.also and not self.grouped else ""
        place = cut_front(place, left - len(also))
        head = cut_front(f"{folder}/" if folder and not self.grouped else "", left - screen.columns(place) - len(also))
        roomy = left - screen.columns(head + place + also) > 14 and not project
        language = f"  {chunk.language}" if roomy else ""
        right = [
            (head, styles.faint),
            (place, styles.dim),
            (also, styles.faint),
            (language, styles.faint),
            *project,
            *bar,
        ]
        return spread([*before, icon, (title, styles.bold)], right, width, under)


def best_line(chunk: Chunk, words: re.Pattern[str] | None) -> snippets.Line | None:
    """Return the line that shows best why a chunk was found, rather another than its title."""
    lines = snippets.choose(chunk, words, most=2)
    if not lines:
        return None
    first, *others = lines
    if others and (chunk.symbol or not first.marks) and len(others[0].marks) >= max(1, len(first.marks)):
        return others[0]
    return first


def _around(line: snippets.Line, width: int, styles: Palette) -> list[Piece]:
    """Return a line from a little before its first mark, where it is too long."""
    text, marks, start = line.text.lstrip(), line.marks, len(line.text) - len(line.text.lstrip())
    marks = tuple((first - start, last - start) for first, last in marks if first >= start)
    if marks and screen.columns(screen.safe(text[: marks[0][1]])) >= width:
        skipped = max(0, marks[0][0] - width // 3)
        text = "…" + text[skipped:]
        marks = tuple((first - skipped + 1, last - skipped + 1) for first, last in marks)
    return marked(text, styles.dim, styles.mark, marks)
