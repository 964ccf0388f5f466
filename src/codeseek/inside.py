"""A definition inside a chunk as a chunk of its own: a small class is one chunk, and yet its methods are asked for."""

from __future__ import annotations

import re
from collections.abc import Collection

from codeseek.records import Chunk, Definition

_LINE_END = re.compile(r"\r\n|\r|\n")
_CHUNK_KINDS = {
    **dict.fromkeys("class struct trait interface protocol module object enum type".split(), "class"),
    **dict.fromkeys(("function", "macro"), "function"),
    "method": "method",
}


def kind_of(kind: str) -> str:
    """Return the kind of chunk that is asked for when definitions of a kind are; empty if none is."""
    return _CHUNK_KINDS.get(kind, "")


def of_kinds(chunk: Chunk, kinds: Collection[str], words: re.Pattern[str] | None) -> Chunk | None:
    """Return a chunk of one of the kinds as it is, of another the definition of these kinds in it that fits words best.

    None where it has no such definition.
    """
    if chunk.kind in kinds:
        return chunk
    found = [part(chunk, one) for one in chunk.definitions if kind_of(one.kind) in kinds]
    return max(found, key=lambda one: _fit(one, words), default=None)


def at_lines(chunk: Chunk, first_line: int, last_line: int) -> Chunk | None:
    """Return the definition in a chunk that has just these lines, None where there is none."""
    parts = (part(chunk, one) for one in chunk.definitions if kind_of(one.kind))
    return next((one for one in parts if (one.first_line, one.last_line) == (first_line, last_line)), None)


def part(chunk: Chunk, definition: Definition) -> Chunk:
    """Return a definition in a chunk, as much of it as the chunk has."""
    begins = [0, *(match.end() for match in _LINE_END.finditer(chunk.text))]
    ends = [*(match.start() for match in _LINE_END.finditer(chunk.text)), len(chunk.text)]
    first = max(0, (definition.first_line or definition.line) - chunk.first_line)
    last = min(len(ends) - 1, max(definition.last_line, definition.line) - chunk.first_line)
    while last > first and not chunk.text[begins[last] : ends[last]].strip():
        last -= 1
    start, end = begins[first], ends[last]
    first_line, last_line = chunk.first_line + first, chunk.first_line + last
    return chunk._replace(
        first_line=first_line,
        last_line=last_line,
        kind=kind_of(definition.kind),
        symbol=".".join((*definition.breadcrumb, definition.name)),
        text=chunk.text[start:end],
        breadcrumb=definition.breadcrumb,
        definitions=tuple(one for one in chunk.definitions if first_line <= one.line <= last_line),
        comments=tuple(
            (max(a, start) - start, min(b, end) - start) for a, b in chunk.comments if a < end and b > start
        ),
    )


def _fit(chunk: Chunk, words: re.Pattern[str] | None) -> int:
    """Count the different words in a definition, those in its name twice."""
    texts = (chunk.symbol.rpartition(".")[2], chunk.text)
    return sum(len({word.lower()[:5] for word in words.findall(text)}) for text in texts) if words else 0
