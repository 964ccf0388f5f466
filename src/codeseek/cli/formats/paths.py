"""The files of the hits, each once, best first."""

from __future__ import annotations

from collections.abc import Iterator

from codeseek import screen
from codeseek.cli.report import Report
from codeseek.cli.terminal import Terminal


def render(report: Report, terminal: Terminal, end: str = "\n") -> Iterator[str]:
    """Yield each path with its end; to a pipe as it is on disk, so that other programs can open it."""
    for shown in dict.fromkeys(report.path(hit.chunk.path) for hit in report.result.hits):
        yield f"{screen.safe(shown) if terminal.live else shown}{end}"
