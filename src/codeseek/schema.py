"""Records as JSON values: the schema that README documents, for the command line, HTTP and agents alike."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from codeseek.records import Chunk, Cluster, DuplicatesRequest, DuplicatesResult, Hit, Origin, SearchResult, Status

Locate = Callable[[PurePosixPath], Origin]
"""Tells where the path of a hit lies."""

SCHEMA_VERSION = 1
"""Grows when a key goes or changes its meaning; a new key leaves it as it is."""

_DIRECTION = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def result_record(result: SearchResult, query: str, root: Path | None, locate: Locate) -> dict[str, object]:
    """Return the answer to a question as JSON values; `root` is None where several projects were asked."""
    return {
        "version": SCHEMA_VERSION,
        "query": query,
        "root": None if root is None else str(root),
        "freshness": result.freshness,
        "indexed_at": moment(result.indexed_at),
        "tier": result.tier,
        "coverage": result.coverage,
        "degraded": list(result.degraded),
        "notes": list(result.notes),
        "terms": list(result.terms),
        "elapsed_ms": round(result.elapsed_ms, 3),
        "hits": [hit_record(hit, locate) for hit in result.hits],
    }


def hit_record(hit: Hit, locate: Locate) -> dict[str, object]:
    """Return a hit as JSON values."""
    project, root, path = locate(hit.chunk.path)
    chunk = chunk_record(hit.chunk._replace(path=path))
    text = chunk.pop("text")
    return {
        "project": project,
        "root": str(root),
        **chunk,
        "score": round(hit.score, 6),
        "text": text,
        "why": {name: list(value) if isinstance(value, tuple) else value for name, value in hit.why.items()},
        "also": [{"first_line": first, "last_line": last} for first, last in hit.also],
    }


def duplicates_record(
    result: DuplicatesResult, request: DuplicatesRequest, root: Path, locate: Locate
) -> dict[str, object]:
    """Return clusters of duplicates as JSON values."""
    return {
        "version": SCHEMA_VERSION,
        "root": str(root),
        "min_similarity": request.min_similarity,
        "freshness": result.freshness,
        "indexed_at": moment(result.indexed_at),
        "compared": result.compared,
        "left_off": result.left_off,
        "elapsed_ms": round(result.elapsed_ms, 3),
        "clusters": [cluster_record(cluster, locate) for cluster in result.clusters],
    }


def cluster_record(cluster: Cluster, locate: Locate) -> dict[str, object]:
    """Return a cluster as JSON values."""
    members = []
    for member in cluster.members:
        project, root, path = locate(member.path)
        told = member._asdict() | {"path": str(path), "diff": list(member.diff)}
        members.append({"project": project, "root": str(root), **told})
    return {"lines": cluster.lines, "members": members}


def chunk_record(chunk: Chunk) -> dict[str, object]:
    """Return a chunk as JSON values."""
    return {
        "path": str(chunk.path),
        "first_line": chunk.first_line,
        "last_line": chunk.last_line,
        "language": chunk.language,
        "kind": chunk.kind,
        "symbol": chunk.symbol,
        "anchor": chunk.anchor,
        "text": chunk.text,
    }


def status_record(status: Status) -> dict[str, object]:
    """Return what an index holds as JSON values."""
    return {
        **status._asdict(),
        "root": str(status.root),
        "location": str(status.location),
        "languages": dict(status.languages),
        "kinds": dict(status.kinds),
        "skipped": dict(status.skipped),
        "indexed_at": moment(status.indexed_at),
        "degraded": list(status.degraded),
        "models": [model._asdict() for model in status.models],
        "unread": dict(status.unread),
    }


def moment(seconds: float | None) -> str | None:
    """Return a time as RFC 3339 in UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def dumped(record: object, indent: int | None = None) -> str:
    """Return JSON that keeps Chinese readable and escapes what could deceive a reader's eye."""
    text = json.dumps(record, ensure_ascii=False, indent=indent, allow_nan=False)
    return _DIRECTION.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
