"""Hits as Markdown: a heading with the place, and the whole chunk in a code fence."""

from __future__ import annotations

from collections.abc import Iterator

from codeseek import markdown, screen
from codeseek.cli.report import Report
from codeseek.cli.terminal import Terminal


def render(report: Report, terminal: Terminal) -> Iterator[str]:
    """Yield a section for each hit."""
    for position, hit in enumerate(report.result.hits):
        chunk = hit.chunk
        place = f"{report.path(chunk.path)}:{chunk.first_line}-{chunk.last_line}"
        anchor = f" {screen.safe(chunk.anchor)}," if chunk.anchor else ""
        title = f"{markdown.span(place)}{anchor} {chunk.kind}"
        title += f" {markdown.span(chunk.symbol)}" if chunk.symbol else ""
        title += f" in {markdown.span(project)}" if (project := report.project(chunk.path)) else ""
        body = markdown.block(markdown.visible(chunk.text) + "\n", chunk.language)
        yield "\n" * (position > 0) + f"### {title}\n\n{body}\n"
