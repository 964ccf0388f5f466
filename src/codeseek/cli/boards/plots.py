"""Plots as SVG: dots with their intervals, curves with names at their ends, and quality over speed. Colours are the page's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from itertools import pairwise
from operator import sub
from typing import NamedTuple

from codeseek import screen
from codeseek.cli.boards import short
from codeseek.scores import Estimate

WIDTH = 760
"""Of every plot, in its own units; a page shows it as wide as there is room."""

_ROW, _GROUP = 30, 34
_LETTER = 7.2
_RIGHT = 132  # room for a value and its interval
_TOP, _BOTTOM = 8, 26

_SHAPES = {
    "both": "M0-6A6 6 0 1 1 0 6A6 6 0 1 1 0-6Z",
    "tiers": "M0-7.5L7 5.5H-7Z",
    "dense": "M0-7.5L7.5 0L0 7.5L-7.5 0Z",
    "lexical": "M-5.5-5.5H5.5V5.5H-5.5Z",
}
"""An arm's mark: told apart without colour too."""


class Series(NamedTuple):
    """What is drawn in one colour: its name, the arm that gives its mark, and the number of its colour."""

    name: str
    arm: str
    colour: int


class Dot(NamedTuple):
    """A value with its interval."""

    series: Series
    value: Estimate


class Point(NamedTuple):
    """A model's quality at its speed; the larger its vectors, the larger the point."""

    series: Series
    value: Estimate
    texts_per_s: float
    vector_bytes: int


def intervals(title: str, groups: Sequence[tuple[str, Sequence[Dot]]]) -> str:
    """Draw values as dots on their intervals, one a line, in groups with a heading each (none where it is empty)."""
    dots = [dot for _, group in groups for dot in group]
    low, high = _range([dot.value for dot in dots])
    left = 24 + _LETTER * max(screen.columns(dot.series.name) for dot in dots)
    parts, y = [], float(_TOP)
    for heading, group in groups:
        if heading:
            parts.append(_text(0, y + 20, heading, "heading"))
            y += _GROUP
        for dot in group:
            middle, value = y + _ROW / 2, dot.value
            a, b, at = (_scaled(x, low, high, left, WIDTH - _RIGHT) for x in (value.low, value.high, value.mean))
            told = f"{dot.series.name}: {value.mean:.3f}, 95 % interval {value.low:.3f} to {value.high:.3f}"
            parts.append(
                f'<g class="c{dot.series.colour}"><title>{_safe(told)}</title>'
                f'<path class="whisker" d="M{a:.1f} {middle}H{b:.1f}M{a:.1f} {middle - 4}v8M{b:.1f} {middle - 4}v8"/>'
                f"{_mark(dot.series.arm, at, middle)}</g>"
            )
            parts.append(_text(left - 14, middle + 4, dot.series.name, "name", anchor="end"))
            parts.append(_text(WIDTH - _RIGHT + 14, middle + 4, short(value.mean), "value"))
            parts.append(_text(WIDTH, middle + 4, f"{short(value.low)}–{short(value.high)}", "faint", anchor="end"))
            y += _ROW
    axis = _axis_below(low, high, left, WIDTH - _RIGHT, y)
    return _svg(title, y + _BOTTOM, [axis, *parts])


def curves(title: str, series: Sequence[tuple[Series, Sequence[float]]], below: str) -> str:
    """Draw shares that grow from 1 on, each with its name at its end."""
    left, top, height = 40.0, 14.0, 250.0
    right = WIDTH - 30 - _LETTER * max(screen.columns(each.name) for each, _ in series)
    high = max(math.ceil(max(max(values) for _, values in series) * 10) / 10, 0.1)
    count = max(len(values) for _, values in series)
    parts = [
        f'<path class="grid" d="M{left} {y:.1f}H{right:.1f}"/>'
        + _text(left - 8, y + 4, f"{share:.0%}", "tick", anchor="end")
        for share in _steps(0.0, high)
        for y in (_scaled(share, 0, high, top + height, top),)
    ]
    parts += [
        _text(_scaled(rank, 1, count, left + 12, right - 12), top + height + 20, str(rank), "tick", anchor="middle")
        for rank in range(1, count + 1)
    ]
    parts.append(_text((left + right) / 2, top + height + 40, below, "tick", anchor="middle"))
    ends = _apart([_scaled(values[-1], 0, high, top + height, top) for _, values in series], 17, top)
    for (each, values), end in zip(series, ends, strict=True):
        points = [
            (_scaled(rank, 1, count, left + 12, right - 12), _scaled(value, 0, high, top + height, top))
            for rank, value in enumerate(values, 1)
        ]
        line = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        marks = "".join(_mark(each.arm, x, y, 0.6) for x, y in points)
        told = f"{each.name}: {', '.join(f'{value:.0%} within {rank}' for rank, value in enumerate(values, 1))}"
        parts.append(f'<g class="c{each.colour}"><title>{_safe(told)}</title><path class="curve" d="M{line}"/>{marks}')
        parts.append(_text(right + 2, end + 4, each.name, "name") + "</g>")
    return _svg(title, top + height + 48, parts)


def speeds(title: str, points: Sequence[Point]) -> str:
    """Draw quality over the texts embedded a second, which is shown by powers of ten."""
    left, top, height, right = 44.0, 14.0, 250.0, WIDTH - 20.0
    low, high = _range([point.value for point in points])
    logs = [math.log10(max(point.texts_per_s, 0.01)) for point in points]
    first, last = math.floor(min(logs)), max(math.ceil(max(logs)), math.floor(min(logs)) + 1)
    parts = [
        f'<path class="grid" d="M{left} {y:.1f}H{right:.1f}"/>'
        + _text(left - 8, y + 4, short(score), "tick", anchor="end")
        for score in _steps(low, high)
        for y in (_scaled(score, low, high, top + height, top),)
    ]
    for power in range(first, last + 1):
        x = _scaled(power, first, last, left + 20, right - 20)
        parts.append(f'<path class="grid" d="M{x:.1f} {top}V{top + height}"/>')
        parts.append(_text(x, top + height + 20, f"{10**power:,g}", "tick", anchor="middle"))
    parts.append(_text((left + right) / 2, top + height + 40, "texts embedded a second", "tick", anchor="middle"))
    largest = max(point.vector_bytes for point in points) or 1
    for point, log in zip(points, logs, strict=True):
        x, value = _scaled(log, first, last, left + 20, right - 20), point.value
        y, a, b = (_scaled(each, low, high, top + height, top) for each in (value.mean, value.low, value.high))
        speed = f"{point.texts_per_s:,.0f} texts a second, {point.vector_bytes:,} bytes of vectors"
        told = f"{point.series.name}: {value.mean:.3f} at {speed}"
        radius = 7 + 15 * math.sqrt(point.vector_bytes / largest)
        beyond = x > (left + right) / 2
        parts.append(
            f'<g class="c{point.series.colour}"><title>{_safe(told)}</title>'
            f'<circle class="halo" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>'
            f'<path class="whisker" d="M{x:.1f} {a:.1f}V{b:.1f}"/>{_mark(point.series.arm, x, y)}'
            + _text(
                x + (-1 if beyond else 1) * (radius + 6),
                y - 6,
                point.series.name,
                "name",
                anchor="end" if beyond else "start",
            )
            + "</g>"
        )
    return _svg(title, top + height + 48, parts)


def _axis_below(low: float, high: float, left: float, right: float, y: float) -> str:
    pieces = []
    for score in _steps(low, high):
        x = _scaled(score, low, high, left, right)
        pieces.append(
            f'<path class="grid" d="M{x:.1f} {_TOP}V{y:.1f}"/>'
            + _text(x, y + 18, short(score)[:3], "tick", anchor="middle")
        )
    return "".join(pieces)


def _range(values: Sequence[Estimate]) -> tuple[float, float]:
    """Return tenths around all intervals."""
    low = math.floor(min(value.low for value in values) * 10 + 1e-9) / 10
    high = math.ceil(max(value.high for value in values) * 10 - 1e-9) / 10
    return max(low, 0.0), min(max(high, low + 0.1), 1.0) if low < 1 else 1.1


def _steps(low: float, high: float) -> list[float]:
    """Return the tenths from low to high, every second one where there are many."""
    first, last = round(low * 10), round(high * 10)
    return [tenth / 10 for tenth in range(first, last + 1) if last - first <= 6 or (tenth - first) % 2 == 0]


def _scaled(value: float, low: float, high: float, start: float, end: float) -> float:
    return start + (value - low) / ((high - low) or 1) * (end - start)


def _apart(places: Sequence[float], least: float, top: float) -> list[float]:
    """Return places moved so that none is nearer than `least` to the next, nor above `top`."""
    order = sorted(range(len(places)), key=lambda number: places[number])
    moved = list(places)
    for before, after in pairwise(order):
        moved[after] = max(moved[after], moved[before] + least)
    up = min(sum(map(sub, moved, places)) / len(places), min(moved) - top)  # about their middle
    return [place - max(up, 0.0) for place in moved]


def _mark(arm: str, x: float, y: float, scale: float = 1.0) -> str:
    return f'<path class="mark" transform="translate({x:.1f} {y:.1f}) scale({scale})" d="{_SHAPES[arm]}"/>'


def _text(x: float, y: float, text: str, style: str, anchor: str = "start") -> str:
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{_safe(text)}</text>'


def _safe(text: str) -> str:
    return escape(screen.safe(text))


def _svg(title: str, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{_safe(title)}" xmlns="http://www.w3.org/2000/svg">'
        f"{''.join(parts)}</svg>"
    )
