"""Hits as Markdown: a heading with the place, and the whole chunk in a code fence."""

from __future__ import annotations

import re
from collections.abc import Iterator

from codeseek import screen
from codeseek.cli.report import Report
from codeseek.cli.terminal import Terminal

_LINE_END = re.compile(r"\r\n|\r|\n")
_TICKS = re.compile(r"`+")


def render(report: Report, terminal: Terminal) -> Iterator[str]:
    """Yield a section for each hit."""
    for position, hit in enumerate(report.result.hits):
        chunk = hit.chunk
        place = f"{report.path(chunk.path)}:{chunk.first_line}-{chunk.last_line}"
        title = f"{_code(place)} {chunk.kind}" + (f" {_code(chunk.symbol)}" if chunk.symbol else "")
        title += f" in {_code(project)}" if (project := report.project(chunk.path)) else ""
        lines = [screen.safe(line.expandtabs(4)) for line in _LINE_END.split(chunk.text.rstrip())]
        fence = "`" * max(3, 1 + max(map(len, _TICKS.findall(chunk.text)), default=0))
        body = "\n".join(lines)
        yield "\n" * (position > 0) + f"### {title}\n\n{fence}{chunk.language}\n{body}\n{fence}\n"


def _code(text: str) -> str:
    """Return a text as a code span, whatever ticks it holds."""
    shown = screen.safe(text)
    ticks = "`" * (1 + max(map(len, _TICKS.findall(shown)), default=0))
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"
