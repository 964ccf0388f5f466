"""The HTTP API: each operation with the schema of what it takes and gives, from which `/openapi.json` is made."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from codeseek import budget, schema
from codeseek import context as contexts
from codeseek.errors import StoreError
from codeseek.records import KINDS
from codeseek.serve.answers import Refusal, Schema, checked, parsed
from codeseek.serve.metrics import CONTENT_TYPE, Metrics
from codeseek.serve.models import Models
from codeseek.serve.openapi import Operation, document
from codeseek.serve.pool import Pool
from codeseek.serve.projects import Project, Projects, chunk_id
from codeseek.serve.questions import FILTERS, NARROWING, QUERY, search_request

# ------------------------------------------------------------ schemas

_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "integer", "minimum": 0}
_TEXTS: Schema = {"type": "array", "items": _TEXT}
_COUNTS: Schema = {"type": "object", "additionalProperties": _NUMBER}
_MOMENT: Schema = {"type": ["string", "null"], "format": "date-time"}
_FRESHNESS: Schema = {"type": "string", "enum": ["fresh", "stale", "unknown"]}


def _object(properties: Mapping[str, Schema], *optional: str) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
    }


_PROJECT: Schema = {
    "type": "string",
    "maxLength": 4096,
    "default": "",
    "description": "Name or root of one of the projects that are served; the first one if it is left out.",
}

EMBEDDINGS: Schema = {
    "type": "object",
    "required": ["model", "input"],
    "properties": {
        "model": {"type": "string", "minLength": 1, "maxLength": 200, "description": "One of `GET /v1/models`."},
        "input": {
            "description": "a text, or a list of 1 to 2048 texts, none of them empty",
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1, "maxItems": 2048},
            ],
        },
        "encoding_format": {"type": "string", "enum": ["float", "base64"], "default": "float"},
        "dimensions": {
            "type": "integer",
            "minimum": 1,
            "maximum": 1_000_000,
            "description": "Cut vectors to so many numbers and to unit length again, where the model allows it.",
        },
        "user": {"type": "string", "description": "Taken and forgotten."},
    },
}
SEARCH: Schema = {
    "type": "object",
    "required": ["query"],
    "additionalProperties": False,
    "properties": {
        "query": QUERY,
        **NARROWING,
        "per_file": {"type": "integer", "minimum": 1, "maximum": 100, "default": 1, "description": "Hits of one file."},
        "explain": {"type": "boolean", "default": False, "description": "Fill each hit's `why`."},
        "project": _PROJECT,
    },
}

CONTEXT: Schema = {
    "type": "object",
    "required": ["query"],
    "additionalProperties": False,
    "properties": {
        "query": QUERY,
        **FILTERS,
        "max_tokens": {
            "type": "integer",
            "minimum": contexts.LEAST_TOKENS,
            "maximum": contexts.MOST_TOKENS,
            "default": contexts.TOKENS,
            "description": "The most tokens that all passages take as Markdown, each with its heading.",
        },
        "project": _PROJECT,
    },
}

_CHUNK: Schema = _object(
    {
        "id": {"type": "string", "description": "`path:first-last`: names the chunk while its file stays as it is."},
        "path": _TEXT,
        "first_line": {"type": "integer", "minimum": 1},
        "last_line": {"type": "integer", "minimum": 1, "description": "Inclusive."},
        "language": _TEXT,
        "kind": {"type": "string", "enum": list(KINDS)},
        "symbol": _TEXT,
        "anchor": {"type": "string", "description": "Where a document has it: `page 3`, `slide 4`, `cell 12`."},
        "text": _TEXT,
    }
)
_PLACE: Schema = _object({"first_line": {"type": "integer"}, "last_line": {"type": "integer"}})
_HIT: Schema = _object(
    {
        "project": _TEXT,
        "root": _TEXT,
        **_CHUNK["properties"],
        "score": {"type": "number"},
        "why": {"type": "object"},
        "also": {"type": "array", "items": _PLACE},
    }
)
_RESULT: Schema = _object(
    {
        "version": {"type": "integer", "enum": [schema.SCHEMA_VERSION]},
        "query": _TEXT,
        "root": _TEXT,
        "freshness": _FRESHNESS,
        "indexed_at": _MOMENT,
        "tier": _TEXT,
        "coverage": {"type": "number"},
        "degraded": {**_TEXTS, "description": "What is weaker than it should be; empty when all is well."},
        "notes": _TEXTS,
        "terms": _TEXTS,
        "elapsed_ms": {"type": "number"},
        "hits": {"type": "array", "items": _HIT},
    }
)
_CONTEXT: Schema = _object(
    {
        **{name: _RESULT["properties"][name] for name in ("version", "query", "freshness", "tier", "coverage")},
        **{name: _RESULT["properties"][name] for name in ("degraded", "notes")},
        "tokens": _NUMBER,
        "max_tokens": _NUMBER,
        "tokenizer": {"type": "string", "description": "The model whose tokenizer counted, or `estimate`."},
        "left_off": {"type": "integer", "description": "So many hits did not fit, or not whole."},
        "passages": {
            "type": "array",
            "items": _object(
                {
                    **{name: field for name, field in _HIT["properties"].items() if name not in ("id", "why", "also")},
                    "tokens": _NUMBER,
                    "cut": {"type": "boolean", "description": "Whether `text` is only a part of what answers."},
                }
            ),
        },
    }
)
_STATUS: Schema = _object(
    {
        "root": _TEXT,
        "location": _TEXT,
        "files": _NUMBER,
        "chunks": _NUMBER,
        "languages": _COUNTS,
        "kinds": _COUNTS,
        "model": _TEXT,
        "dimensions": _NUMBER,
        "size_bytes": _NUMBER,
        "indexed_at": _MOMENT,
        "freshness": _FRESHNESS,
        "stale_files": _NUMBER,
        "skipped": _COUNTS,
        "vector_index": _TEXT,
        "degraded": _TEXTS,
        "models": {"type": "array", "items": {"type": "object"}},
        "unread": {
            "type": "object",
            "additionalProperties": _TEXT,
            "description": "Documents that were left out, by path with the reason.",
        },
    }
)
_STATUSES: Schema = _object(
    {
        "projects": {
            "type": "array",
            "items": _object({"name": _TEXT, "problem": _TEXT, "index": {"anyOf": [_STATUS, {"type": "null"}]}}),
        }
    }
)
_MODEL: Schema = _object(
    {"id": _TEXT, "object": {"type": "string", "enum": ["model"]}, "created": {"type": "integer"}, "owned_by": _TEXT}
)
_MODELS: Schema = _object({"object": {"type": "string", "enum": ["list"]}, "data": {"type": "array", "items": _MODEL}})
_VECTOR: Schema = {"anyOf": [{"type": "array", "items": {"type": "number"}}, _TEXT]}
_EMBEDDED: Schema = _object(
    {
        "object": {"type": "string", "enum": ["list"]},
        "data": {
            "type": "array",
            "items": _object(
                {"object": {"type": "string", "enum": ["embedding"]}, "index": _NUMBER, "embedding": _VECTOR}
            ),
        },
        "model": _TEXT,
        "usage": _object({"prompt_tokens": _NUMBER, "total_tokens": _NUMBER}),
    }
)


# ------------------------------------------------------------ operations


class Api:
    """The operations over some projects and models."""

    def __init__(self, projects: Projects, models: Models, pool: Pool, metrics: Metrics) -> None:
        self._projects = projects
        self._models = models
        self._pool = pool
        self._metrics = metrics

    def operations(self) -> Sequence[Operation]:
        """Return every operation, the longest known first."""
        return (
            Operation(
                "POST",
                "/v1/search",
                "Search code and documentation by meaning",
                self.search,
                _RESULT,
                SEARCH,
                description="Find the functions, classes, comments and sections of documentation of a project that answer"
                " a question, best first, each with its path, lines and text. Ask for what the code does rather than for"
                " words in it.",
                tool="search_code",
            ),
            Operation(
                "POST",
                "/v1/context",
                "Gather passages for a language model",
                self.context,
                _CONTEXT,
                CONTEXT,
                description="Pack the best passages that answer a question into a budget of tokens: neighbours merged, none"
                " twice, whole ones rather than cut ones, each with its path and lines.",
                tool="gather_context",
            ),
            Operation(
                "GET",
                "/v1/chunks/{id}",
                "Read a chunk",
                self.chunk,
                _CHUNK,
                query={"project": _PROJECT},
                description="Read a piece of a file by the `id` that a search gave, or what is at `path:line`.",
                tool="read_chunk",
            ),
            Operation(
                "GET",
                "/v1/status",
                "Say what is indexed",
                self.status,
                _STATUSES,
                description="Say which projects are served, what their indexes hold and how fresh they are.",
                tool="index_status",
            ),
            Operation(
                "POST",
                "/v1/embeddings",
                "Embed texts",
                self.embeddings,
                _EMBEDDED,
                EMBEDDINGS,
                description="Texts are embedded as they are: where a model wants words before a question, the client puts"
                " them there. `usage` is an estimate.",
            ),
            Operation("GET", "/v1/models", "List the models", self.models, _MODELS),
            Operation("GET", "/v1/models/{model}", "Describe a model", self.model, _MODEL),
            Operation("GET", "/healthz", "Say that the server is up", self.health, _object({"status": _TEXT})),
            Operation("GET", "/metrics", "Count requests", self.metrics, _TEXT, media_type="text/plain"),
        )

    async def search(self, request: Request) -> Response:
        """Answer a question about a project."""
        asked = await _body(request, SEARCH)
        project = self._projects.find(asked["project"])
        wanted = search_request(asked)
        result = await self._pool.run(project.search, wanted)
        record = schema.result_record(result, asked["query"], project.root, project.origin)
        hits = [{"id": chunk_id(hit.chunk), **schema.hit_record(hit, project.origin)} for hit in result.hits]
        return _json(record | {"hits": hits})

    async def context(self, request: Request) -> Response:
        """Gather passages for a question."""
        asked = await _body(request, CONTEXT)
        project = self._projects.find(asked["project"])
        wanted = search_request(asked)
        packed, result = await self._pool.run(project.context, asked["query"], wanted, asked["max_tokens"])
        return _json(contexts.record(packed, result))

    async def chunk(self, request: Request) -> Response:
        """Return a chunk."""
        project = self._projects.find(request.query_params.get("project", ""))
        identity = request.path_params["id"]
        chunk = await self._pool.run(project.chunk, identity)
        if chunk is None:
            raise Refusal(404, f"there is no chunk `{identity}` (search again: its file may have changed)", param="id")
        return _json({"id": chunk_id(chunk), **schema.chunk_record(chunk)})

    async def status(self, _: Request) -> Response:
        """Return what every index holds."""
        records = [
            {"name": name, **await self._pool.run(_status_of, project)} for name, project in self._projects.named()
        ]
        return _json({"projects": records})

    async def embeddings(self, request: Request) -> Response:
        """Return vectors, as OpenAI does."""
        body = parsed(await request.body())
        _refuse_tokens(body)
        asked = checked(body, EMBEDDINGS)
        texts = [asked["input"]] if isinstance(asked["input"], str) else asked["input"]
        vectors = await self._models.embed(asked["model"], texts, asked.get("dimensions", 0))
        rows = (
            [base64.b64encode(row.tobytes()).decode() for row in np.asarray(vectors, "<f4")]
            if asked["encoding_format"] == "base64"
            else vectors.tolist()
        )
        used = sum(budget.tokens(text) for text in texts)
        return _json(
            {
                "object": "list",
                "data": [{"object": "embedding", "index": at, "embedding": row} for at, row in enumerate(rows)],
                "model": asked["model"],
                "usage": {"prompt_tokens": used, "total_tokens": used},
            }
        )

    async def models(self, _: Request) -> Response:
        """Return the models by name."""
        return _json({"object": "list", "data": [_model(name) for name in self._models.names]})

    async def model(self, request: Request) -> Response:
        """Return a model."""
        return _json(_model(self._models.checked(request.path_params["model"])))

    async def health(self, _: Request) -> Response:
        """Say that the server is up."""
        return _json({"status": "ok"})

    async def metrics(self, _: Request) -> Response:
        """Return counts for Prometheus."""
        return Response(self._metrics.text(), headers={"Content-Type": CONTENT_TYPE})


def application(projects: Projects, models: Models, pool: Pool, metrics: Metrics) -> Starlette:
    """Return the API without its door; the caller closes what it is made from."""
    operations = Api(projects, models, pool, metrics).operations()
    described = _json(document(operations))

    async def openapi(_: Request) -> Response:
        return described

    routes = [
        Route(one.path.replace("{id}", "{id:path}"), one.handler, methods=[one.method], name=one.path)
        for one in operations
    ]
    return Starlette(
        routes=[*routes, Route("/openapi.json", openapi, name="/openapi.json")],
    )


async def _body(request: Request, wanted: Schema) -> Any:
    return checked(parsed(await request.body()), wanted)


def _json(record: object) -> Response:
    return Response(schema.dumped(record), media_type="application/json")


def _model(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "codeseek"}


def _status_of(project: Project) -> dict[str, object]:
    try:
        return {"problem": "", "index": schema.status_record(project.status())}
    except StoreError as error:
        return {"problem": error.message, "index": None}


def _refuse_tokens(body: Any) -> None:
    """Say of token numbers why they are not taken: they mean other words to every model."""
    given = body.get("input") if isinstance(body, dict) else None
    first = given[0] if isinstance(given, list) and given else None
    if isinstance(first, list) and first:
        first = first[0]
    if isinstance(first, int) and not isinstance(first, bool):
        raise Refusal(
            400,
            "`input` has to be text: token numbers are those of one tokenizer, and no model here has OpenAI's"
            " (LangChain sends text with `check_embedding_ctx_length=False`)",
            param="input",
            code="token_arrays_not_supported",
        )
