"""Cut source code at its definitions and comments, found with tree-sitter."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from codeseek.chunkers import grammars, names
from codeseek.records import Chunk, Definition, SourceFile

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Query

LARGEST_UNIT = 2000
"""Characters up to which a definition is one chunk."""

_PIECE = 1500
_SMALL = 400
_TINY = 80
_LARGEST_PARSED = 2_000_000
_LONGEST_LINE = 20_000
_WIDENING = 60
_DEEPEST = 40
_RANKS = {"class": 3, "function": 2, "method": 2, "module": 1}
_MINOR = frozenset(("const", "property", "type", "macro"))
_ROLES = frozenset(("comment", "doc", "attach", "wrap", "tail"))
_PRIORITY = {"wrap": -1 << 40, "type": 1 << 40, "const": 1 << 40, "property": 1 << 40}
"""Which of several captures of one node counts: the more specific."""

_NEWLINE = re.compile(r"\r\n?|\n")
_LICENCE = re.compile(r"copyright|licen[sc]e|spdx|all rights reserved", re.IGNORECASE)


def chunk(file: SourceFile, text: str) -> list[Chunk]:
    """Return the chunks of a source file, those that tile it first; without a grammar it is cut by lines."""
    lines = Lines(text)
    if file.language not in grammars.QUERIES or len(text) > _LARGEST_PARSED or lines.longest > _LONGEST_LINE:
        return _Cutter(file, lines, Outline()).chunks()
    return _Cutter(file, lines, outline(file.language, lines)).chunks()


class Lines:
    """A text by lines as an editor counts them: ended by a line feed, a carriage return, or both. Numbers are from 0."""

    def __init__(self, text: str) -> None:
        self.text = text
        if "\r" in text:
            ends = [match.end() for match in _NEWLINE.finditer(text)]
            self.starts = [0, *ends]
            self.lines = [text[a:b].rstrip("\r\n") for a, b in zip(self.starts, [*ends, len(text)], strict=True)]
            widths = [b - a for a, b in zip(self.starts, [*ends, len(text)], strict=True)]
        else:
            self.lines = text.split("\n")
            widths = [len(line) + 1 for line in self.lines]
            self.starts = list(accumulate(widths, initial=0))
            self.starts.pop()
        self.longest = max(widths)
        self.ascii = text.isascii()
        if self.ascii:
            self.data = text.encode()
            self.byte_starts = self.starts
        else:
            self.data = text.encode("utf-8", "surrogatepass")
            self.byte_starts = [0]
            for line, width in zip(self.lines, widths, strict=True):
                length = len(line) if line.isascii() else len(line.encode("utf-8", "surrogatepass"))
                self.byte_starts.append(self.byte_starts[-1] + length + width - len(line))
            self.byte_starts.pop()

    def line_of(self, byte: int) -> int:
        """Return the number of the line that holds a byte of `data`."""
        return bisect_right(self.byte_starts, byte) - 1

    def character(self, byte: int) -> int:
        """Return the place in `text` of a byte of `data`."""
        if self.ascii:
            return byte
        line = self.line_of(byte)
        start = self.byte_starts[line]
        return self.starts[line] + len(self.data[start:byte].decode("utf-8", "surrogatepass"))

    def size(self, first: int, last: int) -> int:
        """Return how many characters the lines first to last have."""
        return self.end(last) - self.starts[first]

    def end(self, line: int) -> int:
        """Return the place in `text` where a line ends, its terminator left out."""
        return self.starts[line] + len(self.lines[line])

    def stripped(self, first: int, last: int) -> tuple[int, int]:
        """Return the lines without blank ones at both ends; last < first where all are blank."""
        lines = self.lines
        while first <= last and not lines[first].strip():
            first += 1
        while last > first and not lines[last].strip():
            last -= 1
        return first, last


@dataclass(slots=True)
class Item:
    """A definition with its lines, widened over what belongs to it; `line` is where its name stands."""

    kind: str
    name: str
    path: tuple[str, ...]
    line: int
    first: int
    last: int
    end_byte: int
    hidden: bool = False
    items: list[Item] = field(default_factory=list)

    @property
    def symbol(self) -> str:
        """The qualified name."""
        return ".".join((*self.path, self.name))


@dataclass(slots=True)
class Comment:
    """A comment or documentation string, adjacent line comments joined; `alone` if no code shares its lines."""

    first: int
    last: int
    start_byte: int
    end_byte: int
    alone: bool
    inside: bool = False
    documents: Item | None = None


@dataclass(slots=True)
class Outline:
    """The definitions at the top of a file, each with those inside it, and all comments in order."""

    items: list[Item] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Grammar:
    parser: Parser
    query: Query
    captures: dict[str, tuple[str, Callable[[Node, bytes], str]]]


@cache
def _grammar(language: str) -> _Grammar:
    from tree_sitter import Parser, Query
    from tree_sitter_language_pack import get_language

    name: Any = grammars.GRAMMAR_NAMES.get(language, language)
    grammar = get_language(name)
    query = Query(grammar, grammars.QUERIES[language])
    captures = {}
    for number in range(query.capture_count):
        capture = query.capture_name(number)
        kind, _, rule = capture.partition(".")
        captures[capture] = (kind, names.reader(rule or "name"))
    return _Grammar(Parser(grammar), query, captures)


def outline(language: str, lines: Lines) -> Outline:
    """Return what is defined and commented in a source text."""
    from tree_sitter import QueryCursor

    grammar = _grammar(language)
    tree = grammar.parser.parse(lines.data)
    events: list[tuple[int, int, int, str, Callable[[Node, bytes], str], Node]] = []
    attached: dict[int, int] = {}
    comments: list[tuple[int, int, bool]] = []
    for capture, nodes in QueryCursor(grammar.query).captures(tree.root_node).items():
        kind, read_name = grammar.captures[capture]
        if kind in {"comment", "doc"}:
            comments += [(node.start_byte, node.end_byte, kind == "doc") for node in nodes]
        elif kind == "attach":
            for node in nodes:
                first, last, alone = _span(lines, node.start_byte, node.end_byte)
                if alone:
                    attached[last] = first
        elif not kind.startswith("_"):
            order = len(events)
            order += _PRIORITY.get(kind, 0)
            events += [(node.start_byte, -node.end_byte, order + i, kind, read_name, node) for i, node in enumerate(nodes)]
    comments.sort()
    events.sort()
    blocks = _blocks(lines, comments)
    items, everything = _nested(language, lines, events)
    _widen(everything, attached, {block.last: block for block in blocks if block.alone and not block.inside})
    return Outline(items, blocks)


def _span(lines: Lines, start: int, end: int) -> tuple[int, int, bool]:
    """Return first line, last line, and whether nothing else stands on these lines."""
    starts = lines.byte_starts
    first = bisect_right(starts, start) - 1
    last = bisect_right(starts, max(start, end - 1)) - 1
    before = lines.data[starts[first] : start]
    if before and not before.isspace():
        return first, last, False
    after = lines.data[end : starts[last + 1]] if last + 1 < len(starts) else lines.data[end:]
    return first, last, not after or after.isspace()


def _blocks(lines: Lines, comments: Sequence[tuple[int, int, bool]]) -> list[Comment]:
    """Join line comments that follow each other, with the same indentation, into one."""
    blocks: list[Comment] = []
    indentation = -1
    previous: Comment | None = None
    for start, end, inside in comments:
        if previous is not None and start < previous.end_byte:
            continue
        first, last, alone = _span(lines, start, end)
        column = start - lines.byte_starts[first] if alone and first == last and not inside else -1
        if previous is not None and column >= 0 and column == indentation and previous.last + 1 == first:
            previous.last, previous.end_byte = last, end
        else:
            previous = Comment(first, last, start, end, alone, inside)
            blocks.append(previous)
        indentation = column
    return blocks


def _nested(
    language: str, lines: Lines, events: Sequence[tuple[int, int, int, str, Callable[[Node, bytes], str], Node]]
) -> tuple[list[Item], list[Item]]:
    """Make definitions of the captured nodes, each inside the smallest one that holds it."""
    traits = grammars.TRAITS.get(language, grammars.Traits())
    top: list[Item] = []
    everything: list[Item] = []
    stack: list[Item] = []
    wrap_start, wrap_end = -1, -1
    latest: tuple[int, int] = (-1, -1)
    for start, negative_end, _, kind, read_name, node in events:
        end = -negative_end
        if kind == "wrap":
            wrap_start, wrap_end = start, end
            continue
        if kind == "tail":
            if everything:
                everything[-1].end_byte = end
                everything[-1].last = lines.line_of(max(start, end - 1))
                stack.append(everything[-1])
            continue
        if (start, end) == latest:
            continue
        while stack and stack[-1].end_byte <= start:
            stack.pop()
        parent = stack[-1] if stack else None
        name = read_name(node, lines.data)
        if not name:
            continue
        latest = (start, end)
        line = lines.line_of(start)
        if wrap_start <= start and end <= wrap_end:
            start, end, wrap_start, wrap_end = wrap_start, max(end, wrap_end), -1, -1
        hidden = kind == "test"
        qualifiers: tuple[str, ...] = ()
        if not hidden and "." in name:
            *outer, name = (part for part in name.split(".") if part)
            qualifiers = tuple(outer)
        minor = kind == "prototype"
        if kind in {"function", "prototype"}:
            inside = parent is not None and (
                parent.kind in grammars.METHODS_IN or (traits.module_methods and parent.kind in {"module", "namespace"})
            )
            kind = "method" if inside or qualifiers else "function"
        path = (*parent.path, parent.name, *qualifiers) if parent is not None else qualifiers
        first, last = lines.line_of(start), lines.line_of(max(start, end - 1))
        siblings = parent.items if parent is not None else top
        if siblings and siblings[-1].name == name:
            same = siblings[-1]
            if traits.clauses and same.kind == kind and same.path == path:
                same.last, same.end_byte = max(same.last, last), max(same.end_byte, end)
                stack.append(same)
                continue
        if parent is not None and parent.name == name and parent.kind == kind and parent.last == last:
            continue
        item = Item(kind, name, path, line, first, last, end, hidden)
        everything.append(item)
        siblings.append(item)
        if not minor:
            stack.append(item)
    return top, everything


def _widen(items: Sequence[Item], attached: dict[int, int], comments: dict[int, Comment]) -> None:
    """Widen definitions upward over the comments, decorators and attributes that stand right before them."""
    for item in items:
        lowest = item.first - _WIDENING
        while (above := item.first - 1) >= lowest:
            if (comment := comments.get(above)) is not None:
                if comment.documents is None:
                    comment.documents = item
                item.first = comment.first
            elif above in attached:
                item.first = attached[above]
            else:
                break


@dataclass(slots=True)
class _Unit:
    """Lines that are to be one chunk; `gap` if they lie between definitions, `sealed` if they don't merge."""

    first: int
    last: int
    kind: str
    item: Item | None
    gap: bool = False
    sealed: bool = False


class _Cutter:
    """Cuts one file, with its outline at hand."""

    def __init__(self, file: SourceFile, lines: Lines, outline: Outline) -> None:
        self.file = file
        self.lines = lines
        self.outline = outline

    def chunks(self) -> list[Chunk]:
        """Return the chunks that tile the file, then the comments over them."""
        lines = self.lines
        units = self._units(None, 0, len(lines.lines) - 1, self.outline.items, 0)
        definitions = sorted(self._definitions(self.outline.items), key=lambda item: item.line)
        comments = self.outline.comments
        made: list[Chunk] = []
        next_definition = next_comment = 0
        for unit in units:
            first, last = lines.stripped(unit.first, unit.last)
            if last < first or not lines.lines[first].strip():
                continue
            inside: list[Item] = []
            while next_definition < len(definitions) and definitions[next_definition].line <= last:
                inside.append(definitions[next_definition])
                next_definition += 1
            start = lines.starts[first]
            text = lines.text[start : lines.end(last)]
            ranges: list[tuple[int, int]] = []
            while next_comment < len(comments) and comments[next_comment].first < first:
                if comments[next_comment].last >= first:
                    break
                next_comment += 1
            for number in range(next_comment, len(comments)):
                comment = comments[number]
                if comment.first > last:
                    break
                a = max(0, lines.character(comment.start_byte) - start)
                b = min(len(text), lines.character(comment.end_byte) - start)
                if a < b:
                    ranges.append((a, b))
            made += self._tiles(unit, first, last, text, inside, tuple(ranges))
        made += self._overlays()
        return made

    def _definitions(self, items: Sequence[Item]) -> Iterator[Item]:
        rest = list(reversed(items))
        while rest:
            item = rest.pop()
            yield item
            rest += reversed(item.items)

    def _tiles(
        self, unit: _Unit, first: int, last: int, text: str, inside: Sequence[Item], comments: tuple[tuple[int, int], ...]
    ) -> Iterator[Chunk]:
        item = unit.item
        if item is None and inside:
            item = max(inside, key=lambda item: _RANKS[grammars.CHUNK_KINDS[item.kind]])
        symbol, path = (item.symbol, item.path) if item is not None else ("", ())
        definitions = tuple(Definition(item.name, item.kind, item.line + 1) for item in inside if not item.hidden)
        file = self.file
        if first == last and len(text) > 2 * LARGEST_UNIT:
            for start in range(0, len(text), _PIECE):
                end = min(len(text), start + _PIECE)
                if not text[start:end].strip():
                    continue
                ranges = tuple((max(a, start) - start, min(b, end) - start) for a, b in comments if a < end and b > start)
                yield Chunk(file.path, first + 1, first + 1, file.language, unit.kind, symbol, text[start:end], path,
                            () if start else definitions, ranges)
            return
        yield Chunk(file.path, first + 1, last + 1, file.language, unit.kind, symbol, text, path, definitions, comments)

    def _units(self, owner: Item | None, first: int, last: int, items: Sequence[Item], depth: int) -> list[_Unit]:
        """Cut the lines of one container into units."""
        lines = self.lines
        kind = grammars.CHUNK_KINDS[owner.kind] if owner is not None else "module"
        units: list[_Unit] = []
        line = first
        for item in self._major(items):
            start = max(item.first, line)
            if item.last < line:
                continue
            if item.line < start and units:  # shares a line with the one before
                units[-1].last = item.last
                line = item.last + 1
                continue
            if start > line:
                units += self._pieces(_Unit(line, start - 1, kind, owner, gap=True))
            if lines.size(start, item.last) <= LARGEST_UNIT:
                units.append(_Unit(start, item.last, grammars.CHUNK_KINDS[item.kind], item))
            elif item.items and depth < _DEEPEST:
                units += self._units(item, start, item.last, item.items, depth + 1)
            else:
                units += self._pieces(_Unit(start, item.last, grammars.CHUNK_KINDS[item.kind], item))
            line = item.last + 1
        if line <= last:
            units += self._pieces(_Unit(line, last, kind, owner, gap=True))
        return self._merged(units, seal=depth > 0)

    def _major(self, items: Sequence[Item]) -> Iterator[Item]:
        """Leave out the short definitions that chunks needn't be cut at: constants, fields, prototypes."""
        for item in items:
            if item.kind in _MINOR and self.lines.size(item.first, item.last) < 200 and item.last - item.line < 3:
                continue
            yield item

    def _pieces(self, unit: _Unit) -> list[_Unit]:
        """Cut a unit that is too large at blank or least indented lines."""
        lines = self.lines
        pieces: list[_Unit] = []
        first = unit.first
        while lines.size(first, unit.last) > LARGEST_UNIT:
            limit = bisect_right(lines.starts, lines.starts[first] + _PIECE) - 1
            limit = min(max(limit, first + 1), unit.last)
            middle = bisect_right(lines.starts, lines.starts[first] + _PIECE // 2)
            cut, least = limit, 1 << 30
            for number in range(limit, max(first, min(middle, limit) - 1), -1):
                line = lines.lines[number]
                indentation = len(line) - len(line.lstrip()) if line.strip() else -1
                if indentation < least:
                    cut, least = number, indentation
            cut = max(cut, first + 1)
            pieces.append(_Unit(first, cut - 1, unit.kind, unit.item, unit.gap, sealed=True))
            first = cut
            if first > unit.last:
                break
        if first <= unit.last:
            pieces.append(_Unit(first, unit.last, unit.kind, unit.item, unit.gap, sealed=bool(pieces)))
        return pieces

    def _merged(self, units: Sequence[_Unit], *, seal: bool) -> list[_Unit]:
        """Merge small neighbours of one container."""
        lines = self.lines
        merged: list[_Unit] = []
        for unit in units:
            first, last = lines.stripped(unit.first, unit.last)
            if last < first or not lines.lines[first].strip():
                continue
            unit.first, unit.last = first, last
            previous = merged[-1] if merged else None
            if previous is not None:
                size = lines.size(first, last)
                together = lines.size(previous.first, last)
                tiny = unit.gap and size < _TINY
                heading = previous.gap and lines.size(previous.first, previous.last) < _TINY and len(merged) == 1
                if tiny or (heading and not unit.sealed) or (together <= _SMALL and not previous.sealed and not unit.sealed):
                    if not tiny and _RANKS[unit.kind] > (0 if previous.gap else _RANKS[previous.kind]):
                        previous.kind, previous.item = unit.kind, unit.item
                        previous.gap = unit.gap
                    previous.last = last
                    continue
            merged.append(unit)
        if seal:
            for unit in merged:
                unit.sealed = True
        return merged

    def _overlays(self) -> Iterator[Chunk]:
        """Make chunks of the comments that are worth finding by themselves."""
        lines = self.lines
        for comment in self.outline.comments:
            if not comment.alone or (comment.first == comment.last and comment.end_byte - comment.start_byte < 60):
                continue
            start = lines.starts[comment.first]
            text = lines.text[start : lines.end(comment.last)]
            if comment.first < 5 and _LICENCE.search(text):
                continue
            item = comment.documents
            path: tuple[str, ...] = ()
            if item is None:
                around = self._around(comment.first)
                if comment.inside:
                    item = around
                elif around is not None and grammars.CHUNK_KINDS[around.kind] != "class":
                    continue
                elif around is not None:
                    path = (*around.path, around.name)
            if item is not None:
                path = item.path
            a, b = lines.character(comment.start_byte) - start, lines.character(comment.end_byte) - start
            yield Chunk(
                self.file.path, comment.first + 1, comment.last + 1, self.file.language, "comment",
                item.symbol if item is not None else "", text, path, (), ((a, min(b, len(text))),),
            )

    def _around(self, line: int) -> Item | None:
        """Return the innermost definition around a line."""
        found = None
        items: Sequence[Item] = self.outline.items
        while items:
            place = bisect_right(items, line, key=lambda item: item.first) - 1
            if place < 0 or items[place].last < line:
                break
            found = items[place]
            items = found.items
        return found
