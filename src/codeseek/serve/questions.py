"""Questions as JSON, for HTTP and MCP alike: their schema, and the records that engines take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codeseek import query
from codeseek.records import KINDS, SearchRequest, SimilarRequest
from codeseek.serve.answers import Schema
from codeseek.serve.projects import Project


def _list_of(words: str) -> Schema:
    return {
        "type": "array",
        "items": {"type": "string", "minLength": 1, "maxLength": 1000},
        "maxItems": 100,
        "default": [],
        "description": words,
    }


QUERY: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 20_000,
    "description": "What to look for, in English, Chinese or both, in plain words or code. Words such as"
    " `lang:go`, `kind:function`, `path:src/**` and `-path:tests` narrow the search.",
}
NARROWING: Mapping[str, Schema] = {
    "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 10, "description": "The most hits."},
    "languages": _list_of("Only these languages, such as `python`."),
    "kinds": _list_of(f"Only these kinds: {', '.join(KINDS)}."),
    "paths": _list_of("Only files that match one of these glob patterns."),
    "exclude": _list_of("No files that match one of these glob patterns."),
}


FILTERS: Mapping[str, Schema] = {name: schema for name, schema in NARROWING.items() if name != "limit"}


def search_request(asked: Mapping[str, Any]) -> SearchRequest:
    """Return the request of values that keep to the schema; filters may stand in the query too. Raises `UsageError`."""
    question = query.parse(asked["query"])
    return SearchRequest(
        query.checked(question.words, asked["query"]),
        limit=asked.get("limit", 10),
        languages=(*query.languages(asked["languages"]), *question.languages),
        kinds=(*query.kinds(asked["kinds"]), *question.kinds),
        paths=(*asked["paths"], *question.paths),
        exclude=(*asked["exclude"], *question.exclude),
        per_file=asked.get("per_file", 1),
        explain=asked.get("explain", False),
        changed_since=question.changed_since,
    )


def similar_request(asked: Mapping[str, Any], project: Project) -> SimilarRequest:
    """Return the request for the likes of a place; raises `UsageError`."""
    path, line, _ = project.place(asked["place"])
    return SimilarRequest(
        path,
        line,
        limit=asked["limit"],
        languages=query.languages(asked["languages"]),
        kinds=query.kinds(asked["kinds"]),
        paths=tuple(asked["paths"]),
        exclude=tuple(asked["exclude"]),
    )
