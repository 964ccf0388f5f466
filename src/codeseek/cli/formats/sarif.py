"""Hits as SARIF 2.1.0, which code scanning views read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from codeseek import __version__
from codeseek.cli.report import Report
from codeseek.cli.terminal import Terminal
from codeseek.records import Hit
from codeseek.schema import dumped

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render(report: Report, terminal: Terminal) -> Iterator[str]:
    """Yield one log with one run; each kind of chunk is a rule, `rank` is the score in percent of the best."""
    hits = report.result.hits
    best = max((hit.score for hit in hits), default=0.0)
    kinds = list(dict.fromkeys(hit.chunk.kind for hit in hits))
    log = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "codeseek",
                        "version": __version__,
                        "semanticVersion": __version__,
                        "rules": [
                            {"id": kind, "shortDescription": {"text": f"A {kind} that answers the query."}}
                            for kind in kinds
                        ],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {
                    name: {"uri": f"{root.as_uri().rstrip('/')}/"} for name, root in _bases(report).items()
                },
                "properties": {
                    "query": report.query,
                    "freshness": report.result.freshness,
                    "tier": report.result.tier,
                    "coverage": report.result.coverage,
                    "degraded": list(report.result.degraded),
                },
                "results": [_result(hit, report, best, kinds) for hit in hits],
            }
        ],
    }
    yield dumped(log, indent=2 if terminal.live else None) + "\n"


def _bases(report: Report) -> Mapping[str, Path]:
    """Return what paths begin at: the project's root, or those of several by their names."""
    return report.projects or {"PROJECT": report.root}


def _result(hit: Hit, report: Report, best: float, kinds: list[str]) -> dict[str, object]:
    chunk = hit.chunk
    project, _, path = report.origin(chunk.path)
    named = chunk.symbol or chunk.kind
    if chunk.anchor:
        named += f" ({chunk.anchor})"
    return {
        "ruleId": chunk.kind,
        "ruleIndex": kinds.index(chunk.kind),
        "level": "note",
        "message": {"text": _literal(f"{named} answers: {report.query}")},
        "rank": round(100 * hit.score / best, 2) if best > 0 and hit.score > 0 else 0.0,
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {
                        "uri": quote(bytes(path)),
                        "uriBaseId": project if report.projects else "PROJECT",
                    },
                    "region": {
                        "startLine": chunk.first_line,
                        "endLine": chunk.last_line,
                        "snippet": {"text": chunk.text},
                    },
                },
                "logicalLocations": [{"fullyQualifiedName": chunk.symbol, "kind": chunk.kind}],
            }
        ],
        **({"properties": {"anchor": chunk.anchor}} if chunk.anchor else {}),
    }


def _literal(text: str) -> str:
    """Escape what is a placeholder in a SARIF message."""
    return text.replace("{", "{{").replace("}", "}}")
