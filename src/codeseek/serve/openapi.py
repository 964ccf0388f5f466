"""The OpenAPI document of the operations."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from codeseek import __version__
from codeseek.serve.answers import Schema

_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}


class Operation(NamedTuple):
    """What a route does. `tool` is its name for those who call the API as a set of tools; others are left alone."""

    method: str
    path: str
    summary: str
    handler: Callable[[Request], Awaitable[Response]]
    answer: Schema
    body: Schema | None = None
    query: Mapping[str, Schema] = {}
    description: str = ""
    tool: str = ""
    media_type: str = "application/json"


def document(operations: Sequence[Operation]) -> dict[str, Any]:
    """Return the document. Operations that are tools have an `operationId`: others are no tools to Open WebUI."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "codeseek",
            "version": __version__,
            "description": "Find code and documentation by meaning, in English, Chinese and the mix of both.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": {"Error": _ERROR},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],
    }


def _described(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {"summary": operation.summary}
    if operation.tool:
        described["operationId"] = operation.tool
    if operation.description:
        described["description"] = operation.description
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"{(\w+)}", operation.path)
    ]
    parameters += [{"name": name, "in": "query", "schema": dict(schema)} for name, schema in operation.query.items()]
    if parameters:
        described["parameters"] = parameters
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": operation.body}}}
    described["responses"] = {
        "200": {"description": "Done.", "content": {operation.media_type: {"schema": operation.answer}}},
        "default": {
            "description": "Refused; the message says why.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        },
    }
    return described
