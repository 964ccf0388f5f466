"""Questions from comments in code: what a definition's documentation, or a comment inside, says in its first sentence."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence

from codeseek import chunkers
from codeseek.chunkers.lines import Lines
from codeseek.mining import wording
from codeseek.mining.question import Hidden, Question, Source, Target
from codeseek.records import Chunk, SourceFile

_SHORTEST_COMMENT = 7  # words inside of code; those of documentation may be fewer
_LINES_MEANT = 12  # a comment inside of code is about so many lines at most
_ATTRIBUTES = 12  # lines between a documentation comment and what it documents
_ATTRIBUTE = re.compile(r"\s*(?:@|#\[|\[|\]|\)|template\b|export\b|$)")
_BEFORE = re.compile(r"\s*(?:$|//|/?\*|#|@|\[|--|;|%|\(\*|\{-)")
_LITERAL = re.compile(r"\s*(?:@(?:module|type)?doc\b|[A-Za-z]{0,2}[\"'])")
_OF_FILE = re.compile(r"\s*(?://!|@moduledoc\b)")
_BANNER = re.compile(r"[-=*#/~_]{5,}")


def questions(file: SourceFile, text: str) -> Iterator[Question]:
    """Yield what the comments of a source file ask for; the lines around are the answer, the comment is to be hidden."""
    chunks = [chunk for chunk in chunkers.chunk(file, text) if chunk.kind != "comment"]
    lines = Lines(text)
    defined = _ends(chunks, lines)
    for start, end in _blocks(chunks, lines):
        raw = text[start:end]
        first, last = _line(lines, start), _line(lines, max(start, end - 1))
        if text[lines.starts[first] : start].strip() or _BANNER.search(raw):
            continue  # beside code, or a heading drawn in signs
        asked = wording.first_sentence(wording.plain(raw))
        if not wording.is_question(asked):
            continue
        source, target = _meant(file, lines, defined, raw, first, last)
        if source == "comment" and not _says_enough(asked):
            continue
        hidden = Hidden(str(file.path), start + wording.hidden_from(raw), end)
        yield Question(asked, source, wording.tongue(asked), (target,), (hidden,))


def _blocks(chunks: Sequence[Chunk], lines: Lines) -> list[tuple[int, int]]:
    """Return where comments start and end in the text; those that were cut with their chunks are whole again."""
    ranges: list[tuple[int, int]] = []
    is_cut = False
    for chunk in chunks:
        offset = lines.starts[chunk.first_line - 1]
        if not lines.text.startswith(chunk.text, offset):
            continue  # a piece of a line that is too long
        for start, end in chunk.comments:
            if is_cut and start == 0:
                ranges[-1] = (ranges[-1][0], offset + end)
            else:
                ranges.append((offset + start, offset + end))
            is_cut = end == len(chunk.text)
    return ranges


def _ends(chunks: Sequence[Chunk], lines: Lines) -> dict[int, int]:
    """Return the lines where definitions begin, ascending, with where each ends: before the next that is not inside."""
    starts = sorted({definition.line - 1 for chunk in chunks for definition in chunk.definitions})
    ends, open_ = dict.fromkeys(starts, len(lines.lines)), list[int]()
    for start in starts:
        while open_ and _indentation(lines, open_[-1]) >= _indentation(lines, start):
            ends[open_.pop()] = start
        open_.append(start)
    for start, end in ends.items():
        while end > start + 1 and _BEFORE.match(lines.lines[end - 1]):
            end -= 1  # comments and attributes of the next one
        ends[start] = end
    return ends


def _indentation(lines: Lines, line: int) -> int:
    text = lines.lines[line]
    return len(text) - len(text.lstrip())


def _meant(
    file: SourceFile, lines: Lines, defined: Mapping[int, int], raw: str, first: int, last: int
) -> tuple[Source, Target]:
    """Return whether a comment documents something or stands inside of code, and the lines that it is about."""
    path = str(file.path)
    following = next((line for line in defined if line > last), len(lines.lines))
    enclosing = max((line for line in defined if line <= first), default=-1)
    if _LITERAL.match(raw) and enclosing >= 0 and first - enclosing <= 2 * _ATTRIBUTES:
        return "docstring", Target(path, enclosing + 1, max(defined[enclosing], last + 1))
    if _OF_FILE.match(raw) or (_LITERAL.match(raw) and enclosing < 0):
        return "docstring", Target(path)
    if following - last <= _ATTRIBUTES and all(
        _ATTRIBUTE.match(lines.lines[line]) and lines.lines[line].strip() for line in range(last + 1, following)
    ):
        return "docstring", Target(path, first + 1, defined.get(following, len(lines.lines)))
    return "comment", Target(path, first + 1, min(last + 1 + _LINES_MEANT, max(following, last + 2), len(lines.lines)))


def _line(lines: Lines, at: int) -> int:
    return bisect_right(lines.starts, at) - 1


def _says_enough(asked: str) -> bool:
    return wording.tongue(asked) != "English" or len(asked.split()) >= _SHORTEST_COMMENT
