"""Cut documentation at its headings, and long sections at blank lines outside of code."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from codeseek.chunkers.headings import Heading, Outline, outline
from codeseek.chunkers.lines import Lines
from codeseek.records import Chunk, SourceFile

LARGEST = 2400
"""Characters up to which a section is one chunk."""

_PIECE = 1500
_LARGEST_KEPT = 8000  # code in a fence is cut only beyond this
_BARE = 60  # a section with less than this beside its heading goes with the next one below it
_TINY, _SMALL = 120, 800  # sections of so few bytes are put together, up to so many characters
_SHORT_PREAMBLE = 200  # so does what stands before the first heading, such as badges
_PREAMBLE = 99  # its depth


class _Section(NamedTuple):
    """The lines from first to last (from 0) below a heading, with the headings that enclose it."""

    first: int
    last: int
    heading: str
    breadcrumb: tuple[str, ...]


def chunk(file: SourceFile, text: str) -> list[Chunk]:
    """Return the sections of a document; they tile it. A text without headings is cut at its paragraphs."""
    lines = Lines(text)
    return cut(file, lines, outline(file.language, lines.lines))


def cut(file: SourceFile, lines: Lines, found: Outline, starts: Sequence[int] = ()) -> list[Chunk]:
    """Return the sections of a text with a known outline; they tile it, and none goes over a line of `starts`."""
    chunks = []
    for section in _merged(lines, _parted(_sections(lines, found), starts), frozenset(starts)):
        for start, stop in _pieces(lines, found.kept, section.first, section.last):
            start, stop = lines.trimmed(start, stop)
            if start <= stop and lines.lines[start].strip():
                body = lines.text[lines.starts[start] : lines.end(stop)]
                chunks += [
                    Chunk(
                        file.path,
                        start + 1,
                        stop + 1,
                        file.language,
                        "section",
                        section.heading,
                        part,
                        section.breadcrumb,
                    )
                    for part in (parts(body) if start == stop else (body,))
                ]
    return chunks


def _sections(lines: Lines, found: Outline) -> Iterator[_Section]:
    """Yield the sections in order; a heading with nothing below it goes with what comes next."""
    above: list[tuple[int, str]] = [(0, found.title)] if found.title else []
    headings = found.headings
    if not headings or headings[0].line:
        headings = [Heading(0, _PREAMBLE, ""), *headings]
    first = 0
    for number, heading in enumerate(headings):
        following = headings[number + 1] if number + 1 < len(headings) else None
        last = following.line - 1 if following else len(lines.lines) - 1
        if heading.depth < _PREAMBLE:
            while above and above[-1][0] >= heading.depth:
                above.pop()
        size = lines.size(heading.line, last) if last >= heading.line else 0
        if heading.depth == _PREAMBLE:
            bare = size < _SHORT_PREAMBLE
        else:
            bare = size - len(lines.lines[heading.line]) < _BARE and (not following or following.depth > heading.depth)
        if not (bare and following):
            symbol = heading.title or found.title
            enclosing = tuple(dict.fromkeys(title for _, title in above if title not in ("", symbol)))
            yield _Section(first, last, symbol, enclosing)
            first = last + 1
        if heading.depth < _PREAMBLE:
            above.append((heading.depth, heading.title))


def _merged(lines: Lines, sections: Iterable[_Section], starts: frozenset[int]) -> Iterator[_Section]:
    """Yield sections, neighbours of a line or so beside each other as one, but not over one of some lines."""
    pending: _Section | None = None
    joined = False
    for section in sections:
        if (
            pending is not None
            and section.first not in starts
            and section.breadcrumb == pending.breadcrumb
            and _is_tiny(lines, section)
            and (joined or _is_tiny(lines, pending))
            and lines.size(pending.first, section.last) <= _SMALL
        ):
            pending = pending._replace(last=section.last, heading=f"{pending.heading}, {section.heading}")
            joined = True
            continue
        if pending is not None:
            yield pending
        pending, joined = section, False
    if pending is not None:
        yield pending


def _parted(sections: Iterable[_Section], starts: Sequence[int]) -> Iterator[_Section]:
    """Yield sections, cut where one of some lines lies within."""
    for section in sections:
        first = section.first
        for start in starts[bisect_right(starts, first) : bisect_right(starts, section.last)]:
            yield section._replace(first=first, last=start - 1)
            first = start
        yield section._replace(first=first)


def _is_tiny(lines: Lines, section: _Section) -> bool:
    """Tell whether a section has a heading and a line at most; a Chinese sign says as much as three letters."""
    first, last = section.first, section.last
    if not section.heading or lines.size(first, last) > _TINY:
        return False
    return len(lines.text[lines.starts[first] : lines.end(last)].encode("utf-8", "replace")) <= _TINY


def _pieces(lines: Lines, kept: set[int], first: int, last: int) -> Iterator[tuple[int, int]]:
    """Cut a long section at the last good place before the size that is wanted, else at the next one after it."""
    starts = lines.starts

    def reached(size: int) -> int:
        return bisect_right(starts, starts[first] + size, first + 1, last + 1)

    while lines.size(first, last) > LARGEST:
        early, wanted, late = reached(_PIECE // 2), reached(_PIECE), reached(LARGEST)
        cut = (
            _cut(lines, kept, range(wanted - 1, early - 1, -1))
            or _cut(lines, kept, range(wanted, late))
            or _line(lines, kept, range(wanted - 1, early - 1, -1))
            or _cut(lines, kept, range(early - 1, first, -1))
            or _line(lines, kept, range(wanted, reached(_LARGEST_KEPT)))
            or _cut(lines, set(), range(wanted - 1, early - 1, -1))
            or max(late - 1, first + 1)
        )
        if not first < cut <= last:
            break
        yield first, cut - 1
        first = cut
    yield first, last


def _line(lines: Lines, kept: set[int], candidates: Iterable[int]) -> int | None:
    """Return the first line among the candidates that may be parted from the one before, rather an unindented one."""
    fallback = None
    for at in candidates:
        if at not in kept:
            if lines.lines[at][:1].strip():
                return at
            fallback = fallback or at
    return fallback


def _cut(lines: Lines, kept: set[int], candidates: Iterable[int]) -> int | None:
    """Return the first line among the candidates that begins something new, rather a paragraph than a list's item."""
    fallback = None
    for at in candidates:
        if at and at < len(lines.lines) and at not in kept and not lines.lines[at - 1].strip():
            line = lines.lines[at]
            if line[:1].strip():
                return at
            if fallback is None and line.strip():
                fallback = at
    return fallback


def parts(text: str) -> Iterator[str]:
    """Cut a line that is longer than any section, at spaces where there are some."""
    if len(text) <= 2 * LARGEST:
        yield text
        return
    start = 0
    while len(text) - start > LARGEST:
        cut = max(text.rfind(sign, start + _PIECE, start + LARGEST) for sign in (" ", "。", "，", ",", ";")) + 1
        cut = cut or start + LARGEST
        yield text[start:cut]
        start = cut
    yield text[start:]
