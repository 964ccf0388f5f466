"""A result as one JSON object."""

from __future__ import annotations

from collections.abc import Iterator

from codeseek import schema
from codeseek.cli.report import Report
from codeseek.cli.terminal import Terminal


def render(report: Report, terminal: Terminal) -> Iterator[str]:
    """Yield the object, indented for a reader on a terminal."""
    root = None if report.projects else report.root
    record = schema.result_record(report.result, report.query, root, report.origin)
    yield schema.dumped(record, indent=2 if terminal.live else None) + "\n"
