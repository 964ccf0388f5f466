"""A result as one JSON object: the schema that README documents."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime

from codeseek.cli.report import Report
from codeseek.cli.terminal import Terminal
from codeseek.records import Hit

SCHEMA_VERSION = 1
"""Grows when a key goes or changes its meaning; a new key leaves it as it is."""

_DIRECTION = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def render(report: Report, terminal: Terminal) -> Iterator[str]:
    """Yield the object, indented for a reader on a terminal."""
    result = report.result
    record = {
        "version": SCHEMA_VERSION,
        "query": report.query,
        "root": str(report.root),
        "freshness": result.freshness,
        "indexed_at": moment(result.indexed_at),
        "tier": result.tier,
        "coverage": result.coverage,
        "degraded": list(result.degraded),
        "notes": list(result.notes),
        "terms": list(result.terms),
        "elapsed_ms": round(result.elapsed_ms, 3),
        "hits": [hit_record(hit) for hit in result.hits],
    }
    yield dumped(record, indent=2 if terminal.live else None) + "\n"


def hit_record(hit: Hit) -> dict[str, object]:
    """Return a hit as JSON values."""
    chunk = hit.chunk
    return {
        "path": str(chunk.path),
        "first_line": chunk.first_line,
        "last_line": chunk.last_line,
        "language": chunk.language,
        "kind": chunk.kind,
        "symbol": chunk.symbol,
        "score": round(hit.score, 6),
        "text": chunk.text,
        "why": {name: list(value) if isinstance(value, tuple) else value for name, value in hit.why.items()},
        "also": [{"first_line": first, "last_line": last} for first, last in hit.also],
    }


def moment(seconds: float | None) -> str | None:
    """Return a time as RFC 3339 in UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def dumped(record: object, indent: int | None = None) -> str:
    """Return JSON that keeps Chinese readable and escapes what could deceive a reader's eye."""
    text = json.dumps(record, ensure_ascii=False, indent=indent, allow_nan=False)
    return _DIRECTION.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
