"""Hits as `path:line:column:text`, which editors read."""

from __future__ import annotations

from collections.abc import Iterator

from codeseek import screen, snippets
from codeseek.cli.report import Report
from codeseek.cli.terminal import Terminal


def render(report: Report, terminal: Terminal) -> Iterator[str]:
    """Yield a line for each hit: the line that defines or heads it; columns count UTF-8 bytes, as in Vim."""
    for hit in report.result.hits:
        path = report.path(hit.chunk.path)
        heads = snippets.choose(hit.chunk, None, most=1)
        line, text = (heads[0].number, heads[0].text) if heads else (hit.chunk.first_line, "")
        marks = (report.project(hit.chunk.path), hit.chunk.anchor)
        shown = "".join(f"[{mark}] " for mark in marks if mark) + text
        yield f"{screen.safe(path) if terminal.live else path}:{line}:1:{screen.safe(shown)}\n"
