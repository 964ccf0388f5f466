"""A result as JSON lines, one for each hit."""

from __future__ import annotations

from collections.abc import Iterator

from codeseek.cli.report import Report
from codeseek.cli.terminal import Terminal
from codeseek.schema import dumped, hit_record


def render(report: Report, terminal: Terminal) -> Iterator[str]:
    """Yield each hit with the freshness, tier and coverage of its set."""
    trust = {"freshness": report.result.freshness, "tier": report.result.tier, "coverage": report.result.coverage}
    for hit in report.result.hits:
        yield dumped(hit_record(hit, report.origin) | trust) + "\n"
