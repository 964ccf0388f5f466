"""Hits for people: where, what, how good, and the lines that show it."""

from __future__ import annotations

from collections.abc import Iterator

from codeseek import screen, snippets
from codeseek.cli.report import Report
from codeseek.cli.terminal import BOLD, DIM, MAGENTA, RED, Terminal, columns
from codeseek.records import Hit

_FIRST, _LINES, _LINES_LATER = 3, 4, 2
"""The first hits show more lines than the later ones, so that ten fit on a screen or two."""
_BAR = 5
_ALSO = 4
_WIDEST = 100
"""Columns of a heading: on a wider screen the eye would lose the line."""


def render(report: Report, terminal: Terminal) -> Iterator[str]:
    """Yield each hit as a block of lines, blocks apart by an empty line."""
    words = snippets.pattern(report.query, report.result.terms)
    best = max((hit.score for hit in report.result.hits), default=0.0)
    for position, hit in enumerate(report.result.hits):
        chosen = snippets.choose(hit.chunk, words, most=_LINES if position < _FIRST else _LINES_LATER)
        first_line = chosen[0].number if chosen else hit.chunk.first_line
        lines = [*_heading(hit, first_line, report, terminal, best)]
        digits = max((len(str(line.number)) for line in chosen), default=1)
        for line in chosen:
            if line.gap:
                lines.append(terminal.styled(" " * (digits + 1) + terminal.sign("⋮", ":"), DIM))
            number = terminal.styled(f"{line.number:>{digits + 2}}", DIM)
            lines.append(f"{number}  {_marked(line, terminal, terminal.width - digits - 4)}")
        lines += _below(hit, report, terminal)
        yield "\n" * (position > 0) + "".join(f"{line.rstrip()}\n" for line in lines)


def _heading(hit: Hit, first_line: int, report: Report, terminal: Terminal, best: float) -> Iterator[str]:
    """Yield one line where it fits, else two: place and score, then symbol and kind."""
    chunk = hit.chunk
    folder, _, name = screen.safe(report.path(chunk.path)).rpartition("/")
    place = terminal.linked(
        (f"{folder}/" if folder else "") + terminal.styled(name, BOLD) + f":{first_line}",
        report.uri(chunk.path, chunk.anchor),
    )
    if chunk.anchor:
        place += f"  {screen.safe(chunk.anchor)}"
    bar = terminal.bar(hit.score / best if best > 0 else 0.0, _BAR)
    facts = [screen.safe(report.project(chunk.path)), chunk.kind, chunk.language]
    kind = terminal.styled(terminal.sign(" · ", " - ").join(filter(None, facts)), DIM)
    symbol = screen.safe(chunk.symbol)
    room = min(terminal.width, _WIDEST)
    free = room - columns(place) - columns(kind) - columns(bar) - 6
    if columns(symbol) <= free:
        left = f"{place}  {terminal.styled(symbol, MAGENTA)}" if symbol else place
        yield _spread(left, f"{kind}  {bar}", room)
        return
    yield _spread(place, bar, room) if columns(place) + 2 + _BAR <= room else place
    if columns(kind) > room // 2:
        kind = ""
    symbol = screen.cut(symbol, room - columns(kind) - 4, terminal.sign("…", "~"))
    yield _spread(f"  {terminal.styled(symbol, MAGENTA)}", kind, room)


def _spread(left: str, right: str, width: int) -> str:
    """Put two texts at the two ends of a line."""
    return f"{left}{' ' * max(2, width - columns(left) - columns(right))}{right}"


def _marked(line: snippets.Line, terminal: Terminal, width: int) -> str:
    """Return a line cut to the width around its first mark, with its marks coloured."""
    more = terminal.sign("…", "~")
    start = 0
    if line.marks and columns(screen.safe(line.text[: line.marks[0][1]])) >= width:
        start = max(0, line.marks[0][0] - width // 3)
    pieces = [more] if start else []
    room = width - len(pieces)
    cut = columns(screen.safe(line.text[start:])) > room
    room -= cut
    at = start
    for begin, end in (*line.marks, (len(line.text), len(line.text))):
        for text, codes in ((line.text[at:begin], ()), (line.text[max(begin, at) : end], (BOLD, RED))):
            shown = screen.cut(screen.safe(text), room, "")
            room -= columns(shown)
            pieces.append(terminal.styled(shown, *codes) if codes else shown)
        at = max(at, end)
    return "".join(pieces) + more * cut


def _below(hit: Hit, report: Report, terminal: Terminal) -> Iterator[str]:
    """Yield the other places in the file and, where asked for, why the hit is here."""
    if hit.also:
        ranges = [f"{first}-{last}" if last > first else f"{first}" for first, last in hit.also]
        more = f" and {len(ranges) - _ALSO} more" if len(ranges) > _ALSO else ""
        yield _dim(f"  also {', '.join(ranges[:_ALSO])}{more}", terminal)
    if report.explain and hit.why:
        dot, line = terminal.sign(" · ", " - "), ""
        for name, value in hit.why.items():
            reason = f"{screen.safe(name)} {_shown(value)}"
            longer = f"{line}{dot}{reason}" if line else f"  why {reason}"
            if line and columns(longer) > terminal.width:
                yield _dim(line, terminal)
                longer = f"      {reason}"
            line = longer
        yield _dim(line, terminal)


def _dim(text: str, terminal: Terminal) -> str:
    return terminal.styled(screen.cut(text, terminal.width, terminal.sign("…", "~")), DIM)


def _shown(value: float | str | tuple[str, ...]) -> str:
    if isinstance(value, tuple):
        return screen.safe(", ".join(value))
    return f"{value:.3g}" if isinstance(value, float) else screen.safe(str(value))
