"""MCP: search as tools for coding agents, with answers that keep to a budget of tokens."""

from __future__ import annotations

import asyncio
import signal
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
    ToolAnnotations,
)
from starlette.applications import Starlette

from codeseek import __version__, budget, markdown, schema
from codeseek import context as contexts
from codeseek.errors import CodeseekError, StoreError
from codeseek.records import Chunk, SearchResult
from codeseek.serve.answers import Refusal, Schema, checked
from codeseek.serve.door import MOST_BYTES, Report
from codeseek.serve.pool import Pool
from codeseek.serve.projects import Project, chunk_id
from codeseek.serve.questions import FILTERS, NARROWING, QUERY, search_request, similar_request

_LEAST_TOKENS, _TOKENS, _MOST_TOKENS = 200, 4_000, 50_000
_LEAST_SHARE = 60
"""A hit that gets fewer tokens shows nothing: rather fewer hits."""
_FENCE = 8  # tokens around a hit's text, and the line that says how to read on


class _Answer(NamedTuple):
    """What a tool says: to the model, and to the program."""

    text: str
    record: dict[str, Any]


class _Definition(NamedTuple):
    title: str
    description: str
    takes: Schema
    gives: Schema
    call: Callable[[Any], Awaitable[_Answer]]


def _taking(properties: Mapping[str, Schema], *required: str) -> Schema:
    return {
        "type": "object",
        "properties": {
            **properties,
            "max_tokens": {
                "type": "integer",
                "minimum": _LEAST_TOKENS,
                "maximum": _MOST_TOKENS,
                "default": _TOKENS,
                "description": "About how long the answer may be; longer texts are cut, and say how to read on.",
            },
        },
        "required": list(required),
        "additionalProperties": False,
    }


_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "integer"}
_PLACE: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 4096,
    "description": "`path:line` or `path:first-last` as search gives it, the path from the project's root.",
}
_HITS: Schema = {
    "type": "object",
    "required": ["hits", "left_off", "freshness", "degraded"],
    "properties": {
        "hits": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "path", "first_line", "last_line", "kind", "symbol", "anchor", "text", "cut"],
                "properties": {
                    "id": {"type": "string", "description": "Give it to read_chunk or similar as `place`."},
                    "path": _TEXT,
                    "first_line": _NUMBER,
                    "last_line": _NUMBER,
                    "language": _TEXT,
                    "kind": _TEXT,
                    "symbol": _TEXT,
                    "anchor": {"type": "string", "description": "Where a document has it: `page 3`, `cell 12`."},
                    "score": {"type": "number"},
                    "text": _TEXT,
                    "cut": {"type": "boolean", "description": "Whether `text` is only the first lines."},
                },
            },
        },
        "left_off": {"type": "integer", "description": "So many hits did not fit into `max_tokens`."},
        "freshness": _TEXT,
        "degraded": {"type": "array", "items": _TEXT},
    },
}
_CONTEXT: Schema = {
    "type": "object",
    "required": ["passages", "tokens", "left_off", "freshness", "degraded"],
    "properties": {
        "passages": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["path", "first_line", "last_line", "kind", "symbol", "text", "cut"],
                "properties": {**_HITS["properties"]["hits"]["items"]["properties"], "tokens": _NUMBER},
            },
        },
        "tokens": _NUMBER,
        "left_off": {"type": "integer", "description": "So many hits did not fit, or not whole."},
        "freshness": _TEXT,
        "degraded": {"type": "array", "items": _TEXT},
    },
}
_LINES: Schema = {
    "type": "object",
    "required": ["path", "first_line", "last_line", "text", "cut"],
    "properties": {
        "path": _TEXT,
        "first_line": _NUMBER,
        "last_line": _NUMBER,
        "language": _TEXT,
        "text": _TEXT,
        "cut": {"type": "boolean"},
    },
}
_STATUS: Schema = {
    "type": "object",
    "required": ["root", "problem"],
    "properties": {
        "root": _TEXT,
        "problem": {"type": "string", "description": "Why nothing can be searched yet; empty when all is well."},
        "files": _NUMBER,
        "chunks": _NUMBER,
        "freshness": _TEXT,
    },
}


class Tools:
    """The tools over one project."""

    def __init__(self, project: Project, pool: Pool, report: Report) -> None:
        self._project = project
        self._pool = pool
        self._report = report
        self._definitions = {
            "search": _Definition(
                "Search by meaning",
                "Find the functions, classes, comments and documentation of this project that answer a question, best"
                " first, with their path, lines and text. Understands what code does, in English and Chinese: ask"
                " `where are retries decided` or `缓存失效` rather than guess a name. Prefer it to grep when you do not"
                " know the exact words; use grep for an exact string.",
                _taking({"query": QUERY, **NARROWING}, "query"),
                _HITS,
                self._search,
            ),
            "context": _Definition(
                "Gather context",
                "Gather the passages of this project that answer a question, as one text within `max_tokens`: neighbours"
                " merged, none twice, whole ones rather than cut ones, each with its path and lines. Prefer it to search when"
                " you want to read rather than to choose, or need more than a few hits.",
                _taking({"query": QUERY, **FILTERS}, "query"),
                _CONTEXT,
                self._context,
            ),
            "similar": _Definition(
                "Find similar code",
                "Find code of this project that does the same as the code at a place: duplicates, siblings, other"
                " implementations of an idea, the places that need the same change.",
                _taking({"place": _PLACE, **NARROWING}, "place"),
                _HITS,
                self._similar,
            ),
            "read_chunk": _Definition(
                "Read lines",
                "Read a chunk whole, or the lines of a file around it, as they are in the index. Only indexed files of"
                " this project can be read.",
                _taking(
                    {
                        "place": _PLACE,
                        "context": {
                            "type": "integer",
                            "minimum": 0,
                            "maximum": 1000,
                            "default": 0,
                            "description": "So many lines before and after.",
                        },
                    },
                    "place",
                ),
                _LINES,
                self._read,
            ),
            "status": _Definition(
                "Say what is indexed",
                "Say how many files and chunks the index holds, in which languages, how fresh it is, and whether it is"
                " still being built.",
                {"type": "object", "properties": {}, "additionalProperties": False},
                _STATUS,
                self._status,
            ),
        }

    def listed(self) -> list[Tool]:
        """Return the tools as clients see them."""
        return [
            Tool(
                name=name,
                title=one.title,
                description=one.description,
                input_schema=dict(one.takes),
                output_schema=dict(one.gives),
                annotations=ToolAnnotations(read_only_hint=True, open_world_hint=False),
            )
            for name, one in self._definitions.items()
        ]

    async def call(self, name: str, arguments: Mapping[str, Any]) -> CallToolResult:
        """Return what a tool says; a failure is told to the model, who may do better."""
        definition = self._definitions.get(name)
        if definition is None:
            return _failed(f"there is no tool `{name}`: there are {', '.join(self._definitions)}")
        try:
            answer = await definition.call(checked(dict(arguments), definition.takes))
        except CodeseekError as error:
            return _failed(f"{error.message} ({error.hint})" if error.hint else error.message)
        except Refusal as error:
            return _failed(error.message)
        except Exception as error:  # noqa: BLE001 # the agent goes on without this answer
            self._report("".join(traceback.format_exception(error)))
            return _failed("this is a bug in codeseek; the server's own messages show more")
        return CallToolResult(
            content=[TextContent(text=_sayable(answer.text))], structured_content=_sayable(answer.record)
        )

    async def _search(self, asked: Any) -> _Answer:
        request = search_request(asked)
        return await self._found(asked, lambda: self._project.search(request))

    async def _context(self, asked: Any) -> _Answer:
        request = search_request(asked)
        query, most = asked["query"], asked["max_tokens"]
        try:
            packed, result = await self._pool.run(self._project.context, query, request, most)
        except StoreError as error:
            return self._nothing_yet(error, passages=[], tokens=0)
        if not packed.passages:
            return _Answer("Nothing found: use other words.", contexts.record(packed, result))
        return _Answer("".join(contexts.rendered(packed)), contexts.record(packed, result))

    async def _similar(self, asked: Any) -> _Answer:
        request = similar_request(asked, self._project)
        return await self._found(asked, lambda: self._project.similar(request))

    async def _found(self, asked: Any, ask: Callable[[], SearchResult]) -> _Answer:
        try:
            result = await self._pool.run(ask)
        except StoreError as error:
            return self._nothing_yet(error, hits=[])
        return _shown(result, asked["max_tokens"])

    def _nothing_yet(self, error: StoreError, **nothing: object) -> _Answer:
        """Say that the index is being built; where it is not, raise the error."""
        building = self._project.building
        if not building:
            raise error
        record = {**nothing, "left_off": 0, "freshness": "unknown", "degraded": [building]}
        return _Answer(f"Nothing can be found yet: {building}. Ask again in a few seconds.", record)

    async def _read(self, asked: Any) -> _Answer:
        path, first, last, language, text = await self._pool.run(
            _lines_of, self._project, asked["place"], asked["context"]
        )
        kept = budget.cut(text, asked["max_tokens"] - _FENCE * 4 - budget.tokens(path))
        cut = kept != text
        last = first + len(budget.lines(kept)) - 1 if cut else last
        record = {
            "path": path, "first_line": first, "last_line": last, "language": language, "text": kept, "cut": cut
        }  # fmt: skip
        more = f"\n(cut: read on with place `{path}:{last + 1}`)" if cut else ""
        return _Answer(f"{path}:{first}-{last}\n{markdown.block(kept, language)}{more}", record)

    async def _status(self, asked: Any) -> _Answer:  # noqa: ARG002 # called as the others are
        root = str(self._project.root)
        try:
            status = await self._pool.run(self._project.status)
        except StoreError as error:
            return _Answer(f"{root}: {error.message}.", {"root": root, "problem": error.message})
        languages = ", ".join(f"{name} {count:,}" for name, count in list(status.languages.items())[:8])
        lines = [
            f"{root}: {status.files:,} files, {status.chunks:,} chunks ({languages}); index {status.freshness}.",
            *status.degraded,
        ]
        return _Answer("\n".join(lines), schema.status_record(status) | {"problem": ""})


def server(project: Project, pool: Pool, report: Report) -> Server[Any]:
    """Return an MCP server with the tools over a project."""
    tools = Tools(project, pool, report)

    async def list_tools(_: ServerRequestContext[Any], __: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=tools.listed())

    async def call_tool(_: ServerRequestContext[Any], params: CallToolRequestParams) -> CallToolResult:
        return await tools.call(params.name, params.arguments or {})

    return Server(
        "codeseek",
        version=__version__,
        instructions=f"Finds code and documentation of the project {project.root} by meaning, in English, Chinese and the"
        " mix of both. The index follows the files by itself.",
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def run_stdio(served: Server[Any]) -> None:
    """Serve on standard input and output until the client closes them; nothing else reaches standard output.

    An interrupt ends the process at once: the thread that reads could not be woken. What is indexed is kept.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    async def run() -> None:
        async with stdio_server() as (read, write):
            await served.run(read, write, served.create_initialization_options())

    asyncio.run(run())


def application(served: Server[Any]) -> Starlette:
    """Return a server as streamable HTTP at `/mcp`, without its door, which has checks of its own."""
    return served.streamable_http_app(
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        max_request_body_size=MOST_BYTES,
    )


# ------------------------------------------------------------ within the budget


def _shown(result: SearchResult, most: int) -> _Answer:
    """Return hits with as much of their texts as fits: short ones whole, long ones all to the same length."""
    nothing = "Nothing found so far." if result.degraded else "Nothing found: use other words."
    head = f"{len(result.hits)} hits, index {result.freshness}." if result.hits else nothing
    head = "\n".join((head, *result.degraded, *result.notes))
    room = most - budget.tokens(head) - _FENCE
    hits = result.hits[: max(1, room // _LEAST_SHARE)]
    headings = [_heading(hit.chunk) for hit in hits]
    room -= sum(
        budget.tokens(heading) + 3 * _FENCE + budget.tokens(chunk_id(hit.chunk))
        for heading, hit in zip(headings, hits, strict=True)
    )
    level = _level([budget.tokens(hit.chunk.text) for hit in hits], max(0, room))
    blocks, records = [head], []
    for heading, hit in zip(headings, hits, strict=True):
        chunk = hit.chunk
        text = budget.cut(chunk.text, level)
        cut = text != chunk.text
        more = f"\n(cut: read_chunk `{chunk_id(chunk)}` shows all)" if cut else ""
        blocks.append(f"{heading}\n{markdown.block(text, chunk.language)}{more}")
        record = {"id": chunk_id(chunk), **schema.chunk_record(chunk), "score": round(hit.score, 6)}
        records.append(record | {"text": text, "cut": cut})
    left_off = len(result.hits) - len(hits)
    if left_off:
        blocks.append(f"({left_off} more with a larger max_tokens)")
    return _Answer(
        "\n\n".join(blocks),
        {
            "hits": records,
            "left_off": left_off,
            "freshness": result.freshness,
            "degraded": [*result.degraded, *result.notes],
        },
    )


def _heading(chunk: Chunk) -> str:
    anchor = f" ({chunk.anchor})" if chunk.anchor else ""
    return f"{chunk_id(chunk)}{anchor} {chunk.kind} {chunk.symbol}".rstrip()


def _level(costs: Sequence[int], room: int) -> int:
    """Return the length to which the longest are cut so that all together take no more than there is room for."""
    for at, cost in enumerate(sorted(costs)):
        share = room // (len(costs) - at)
        if cost > share:
            return share
        room -= cost
    return max(costs, default=0)


def _lines_of(project: Project, identity: str, context: int) -> tuple[str, int, int, str, str]:
    """Return path, first and last line, language and text of the lines at a place; raises `UsageError`."""
    path, first, last = project.place(identity)
    if last is None and (chunk := project.chunk(identity)) is not None:
        first, last = chunk.first_line, chunk.last_line
    first, last = max(1, first - context), (last or first) + context
    chunks = [chunk for chunk in project.chunks(path, first, last) if chunk.kind != "comment"]
    numbered = {number: line for chunk in chunks for number, line in _numbered(chunk) if first <= number <= last}
    if not numbered:
        raise Refusal(404, f"nothing is indexed at `{identity}`: take a place that search gave")
    first, last = min(numbered), max(numbered)
    text = "".join(numbered.get(number, "\n") for number in range(first, last + 1))
    return str(path), first, last, chunks[0].language, text


def _numbered(chunk: Chunk) -> list[tuple[int, str]]:
    found = budget.lines(chunk.text)
    if found and not found[-1].endswith(("\n", "\r")):
        found[-1] += "\n"  # where a file or a chunk ends without one
    return list(enumerate(found, chunk.first_line))


def _failed(message: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(text=_sayable(message))], is_error=True)


def _sayable(value: Any) -> Any:
    """Return a value without lone surrogates, which stand for bytes of a file's name that is not UTF-8."""
    match value:
        case str():
            return value if value.isascii() else value.encode("utf-8", "replace").decode()
        case dict():
            return {name: _sayable(part) for name, part in value.items()}
        case list():
            return [_sayable(part) for part in value]
        case _:
            return value
