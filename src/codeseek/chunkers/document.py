"""Cut what was read out of a document: at its headings and anchors, a notebook's code by its language's chunker."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

from codeseek import chunkers
from codeseek.chunkers import prose
from codeseek.chunkers.headings import Heading, Outline, outline
from codeseek.chunkers.lines import Lines
from codeseek.documents.record import Document, Part
from codeseek.records import Chunk, SourceFile


def cut(file: SourceFile, document: Document) -> list[Chunk]:
    """Return a document's chunks; they tile its text, and each lies in one part and begins at its anchor."""
    parts = [
        part._replace(lines=(*part.lines, "")) for part in document.parts if part.lines
    ]  # a blank line between them
    if any(part.language for part in parts):
        return list(_cells(file, parts))
    starts = [0, *accumulate(len(part.lines) for part in parts)]
    headings = [
        Heading(start + title.line, title.depth, title.text)
        for start, part in zip(starts, parts, strict=False)
        for title in part.titles
    ]
    lines = Lines("\n".join(line for part in parts for line in part.lines))
    chunks = prose.cut(file, lines, Outline(headings, set(), document.title), starts[1:-1])

    def anchor(line: int) -> str:
        number = bisect_right(starts, line, 0, len(parts)) - 1
        return parts[number].anchor_at(line - starts[number])

    return [chunk._replace(anchor=anchor(chunk.first_line - 1)) for chunk in chunks]


# ---------------------------------------------------------------- notebooks


def _cells(file: SourceFile, parts: Sequence[Part]) -> Iterator[Chunk]:
    """Yield the chunks of a notebook cell by cell, each below the headings of the cells before it."""
    above: list[Heading] = []
    first, bare = 0, ""
    for part in parts:
        text = "\n".join(part.lines)
        trail = tuple(dict.fromkeys(heading.title for heading in above if heading.title))
        headings = outline("markdown", part.lines).headings if part.language == "markdown" else []
        for heading in headings:
            above = [*(other for other in above if other.depth < heading.depth), heading]
        if part.language == "markdown" and headings and _is_bare(part, headings):
            bare += text + "\n"  # it heads the next cell
        else:
            yield from _cell(file, part, text, trail, first, bare)
            bare = ""
        first += len(part.lines)
    if bare:
        whole = Part(parts[-1].anchor, tuple(bare.splitlines()), language="markdown")
        yield from _cell(file, whole, bare, (), first - bare.count("\n"), "")


def _is_bare(part: Part, headings: list[Heading]) -> bool:
    """Tell whether a cell has headings and nothing else."""
    return sum(bool(line.strip()) for line in part.lines) == len(headings)


def _cell(file: SourceFile, part: Part, text: str, trail: tuple[str, ...], first: int, bare: str) -> Iterator[Chunk]:
    """Yield a cell's chunks; `first` is the number of its first line from 0, `bare` are the headings right above it."""
    own = file._replace(language=part.language)
    for number, chunk in enumerate(sorted(chunkers.chunk(own, text), key=lambda chunk: chunk.kind == "comment")):
        symbol = chunk.symbol or (trail[-1] if trail and chunk.kind == "section" else "")
        moved = chunk._replace(
            first_line=chunk.first_line + first,
            last_line=chunk.last_line + first,
            symbol=symbol,
            breadcrumb=tuple(crumb for crumb in dict.fromkeys((*trail, *chunk.breadcrumb)) if crumb != symbol),
            definitions=tuple(
                one._replace(line=one.line + first, first_line=one.first_line + first, last_line=one.last_line + first)
                for one in chunk.definitions
            ),
            anchor=part.anchor,
        )
        yield _headed(moved, bare) if bare and not number else moved


def _headed(chunk: Chunk, bare: str) -> Chunk:
    """Return a chunk together with the headings right above it."""
    return chunk._replace(
        first_line=chunk.first_line - bare.count("\n"),
        text=bare + chunk.text,
        comments=tuple((start + len(bare), end + len(bare)) for start, end in chunk.comments),
    )
