"""The output formats: each makes text from a report."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from codeseek.cli.report import Report
from codeseek.cli.terminal import Terminal

FORMATS = {
    "text": "for people",
    "json": "one object",
    "jsonl": "one object for each hit",
    "vimgrep": "path:line:column:text, for editors",
    "paths": "each file once",
    "markdown": "for documents and chats",
    "sarif": "SARIF 2.1.0, for code scanning views",
}


def render(name: str, report: Report, terminal: Terminal) -> Iterator[str]:
    """Make a report's text in a format, piece by piece; only that format's module is imported."""
    pieces: Iterator[str] = import_module(f"{__name__}.{name}").render(report, terminal)
    return pieces
