"""Pieces of untrusted text made into strips: escaped, measured in columns, marked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from codeseek import screen
from codeseek.tui.source import Spans

Piece = tuple[str, Style]
"""A text as it is to be seen, and how."""


def strip(pieces: Iterable[Piece], width: int, under: Style) -> Strip:
    """Return a strip of exactly `width` columns on a background."""
    return Strip(fitted(pieces, width, under), width)


def spread(left: Sequence[Piece], right: Sequence[Piece], width: int, under: Style) -> Strip:
    """Put pieces at the two ends of a line; the left ones give way."""
    right_width = columns(right)
    if right_width >= width:
        return strip(left, width, under)
    segments = fitted(left, width - right_width, under)
    segments += [Segment(text, under + style) for text, style in right if text]
    return Strip(segments, width)


def fitted(pieces: Iterable[Piece], width: int, under: Style) -> list[Segment]:
    """Return pieces on a background, cut or filled up to a width."""
    segments = [Segment(text, under + style) for text, style in pieces if text]
    return Segment.adjust_line_length(segments, width, style=under)


def columns(pieces: Iterable[Piece]) -> int:
    """Return how many columns pieces take."""
    return sum(screen.columns(text) for text, _ in pieces)


def cut_front(text: str, width: int) -> str:
    """Return the end of a text, with a mark when there was more before it."""
    if screen.columns(text) <= width:
        return text
    if width < 2:
        return ""
    taken, at = 1, len(text)
    while at > 0:
        taken += screen.columns(text[at - 1])
        if taken > width:
            break
        at -= 1
    return "…" + text[at:]


def marked(
    text: str,
    plain: Style,
    mark: Style,
    marks: Sequence[tuple[int, int]],
    spans: Spans = (),
    styles: Mapping[str, Style] | None = None,
) -> list[Piece]:
    """Return a line in pieces: coloured by `spans`, with `marks` on top; every piece is made safe."""
    edges = {0, len(text)}
    for start, end in (*marks, *((start, end) for start, end, _ in spans)):
        edges.update((min(start, len(text)), min(end, len(text))))
    pieces: list[Piece] = []
    span_at = mark_at = 0
    for start, end in pairwise(sorted(edges)):
        while span_at < len(spans) and spans[span_at][1] <= start:
            span_at += 1
        while mark_at < len(marks) and marks[mark_at][1] <= start:
            mark_at += 1
        style = plain
        if styles and span_at < len(spans) and spans[span_at][0] <= start:
            style += styles.get(spans[span_at][2], plain)
        if mark_at < len(marks) and marks[mark_at][0] <= start:
            style += mark
        pieces.append((screen.safe(text[start:end]), style))
    return pieces
