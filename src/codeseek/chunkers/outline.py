"""Find definitions and comments in source code with tree-sitter: one query a language, few nodes that reach Python."""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from codeseek.chunkers import dialects, grammars, readers
from codeseek.chunkers.lines import Lines
from codeseek.chunkers.names import Reader

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Point, Query, Range, Tree

_WIDENING = 60
_LAST = 1 << 40
_PRIORITIES = {"wrap": -_LAST, "class": _LAST, "type": 2 * _LAST, "const": 3 * _LAST, "property": 3 * _LAST}
"""Which of several captures of one node counts: wrappers, then the more specific kind."""

_PATIENCE_S = 0.5
_PATIENCE_S_PER_BYTE = 3e-6
_QUICK = 16_384
"""Bytes up to which nothing can take long."""

_PARSING = threading.Lock()
_BLOCK = bytearray(4096)
_DEEPEST_NODE = 256
_DEEPEST = 40
_WIDEST = 5000
_SPACE = b" \t\r\n\f\v"


@dataclass(slots=True)
class Item:
    """A definition with its lines, widened over what belongs to it; `line` is where its name stands.

    `path` names what encloses it. `hidden` ones (tests with a title) are cut at, but define no name; `bodiless` ones are
    prototypes.
    """

    kind: str
    name: str
    path: tuple[str, ...]
    line: int
    first: int
    last: int
    end_byte: int
    hidden: bool = False
    bodiless: bool = False
    items: list[Item] = field(default_factory=list)

    @property
    def symbol(self) -> str:
        """The qualified name."""
        return ".".join((*self.path, self.name)) if self.path else self.name


@dataclass(slots=True)
class Comment:
    """A comment or documentation string, adjacent line comments joined; `alone` if no code shares its lines.

    `inside` marks a documentation string in the definition that it documents.
    """

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

    def everything(self) -> Iterator[Item]:
        """Yield all definitions, an outer one before those inside it."""
        rest = self.items[::-1]
        while rest:
            item = rest.pop()
            yield item
            rest += item.items[::-1]

    def around(self, line: int) -> Item | None:
        """Return the innermost definition around a line."""
        found = None
        items: Sequence[Item] = self.items
        while items:
            place = bisect_right(items, line, key=lambda item: item.first) - 1
            if place < 0 or items[place].last < line:
                break
            found = items[place]
            items = found.items
        return found


_Event = tuple[int, int, int, str, Reader, "Node | None"]
"""Start, negative end, order, kind, reader of the name, node."""


@dataclass(frozen=True, slots=True)
class _Grammar:
    parser: Parser
    query: Query
    captures: dict[str, tuple[str, str, Reader]]


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
        captures[capture] = (kind, rule, readers.reader(rule or "name"))
    return _Grammar(Parser(grammar), query, captures)


def outline(language: str, lines: Lines) -> Outline:
    """Return what a source text defines and comments; `language` is one of `grammars.QUERIES`."""
    if language in {"c", "cpp"}:
        return _outline(language, lines, dialects.without_macros(lines.data), None)
    if language in {"vue", "svelte"}:
        language, scripts, markup = dialects.component(lines)
        found = _outline(language, lines, lines.data, scripts) if scripts else Outline()
        found.items = sorted(
            (*found.items, *(_markup(lines, start, end) for start, end in markup)), key=lambda item: item.first
        )
        return found
    return _outline(language, lines, lines.data, None)


def _markup(lines: Lines, start: int, end: int) -> Item:
    first, last = lines.line_of(start), lines.line_of(end - 1)
    return Item("markup", "", (), first, first, last, end, hidden=True)


def _outline(language: str, lines: Lines, data: bytes, ranges: list[Range] | None) -> Outline:
    from tree_sitter import QueryCursor

    grammar = _grammar(language)
    tree = _parse(grammar.parser, data, ranges)
    if tree is None or _hopeless(tree.root_node, len(data)):
        return Outline()
    cursor = QueryCursor(grammar.query)
    cursor.set_max_start_depth(_DEEPEST_NODE)
    events: list[_Event] = []
    attached: dict[int, int] = {}
    comments: list[tuple[int, int, bool]] = []
    for capture, nodes in cursor.captures(tree.root_node).items():
        kind, rule, read_name = grammar.captures[capture]
        if rule in grammars.PREFIXES:
            nodes = [node for node in nodes if lines.data.startswith(grammars.PREFIXES[rule], node.start_byte)]
        if kind in {"comment", "doc"}:
            inner = grammars.INNER.get(language)
            for node in nodes:
                start = node.start_byte
                is_inside = kind == "doc" or (inner is not None and lines.data.startswith(inner, start))
                comments.append((start, node.end_byte, is_inside))
        elif kind == "attach":
            for node in nodes:
                first, last, _ = _span(lines, node.start_byte, node.end_byte)
                if last not in attached:
                    attached[last] = first
        else:
            order = len(events) + _PRIORITIES.get(kind, 0)
            events += [
                (node.start_byte, -node.end_byte, order + i, kind, read_name, node) for i, node in enumerate(nodes)
            ]
    if language == "sql":
        for start, end, name in dialects.procedures(lines.data):
            events.append((start, -end, len(events), "function", readers.fixed((name, start, "")), tree.root_node))
    comments.sort()
    if comments and comments[-1][1] > len(data):  # line feeds added by `_parse_patiently`
        comments[-1] = (comments[-1][0], len(data), comments[-1][2])
    events.sort()
    blocks = _blocks(lines, comments)
    items, everything = _Nesting(language, lines).nest(events)
    _widen(everything, attached, {block.last: block for block in blocks if block.alone and not block.inside})
    return Outline(items, blocks)


def _parse(parser: Parser, data: bytes, ranges: list[Range] | None) -> Tree | None:
    with _PARSING:
        if ranges is not None:
            parser.included_ranges = ranges
        try:
            return parser.parse(data) if len(data) <= _QUICK else _parse_patiently(parser, data)
        finally:
            if ranges is not None:
                del parser.included_ranges


def _parse_patiently(parser: Parser, data: bytes) -> Tree | None:
    """Parse, but give up (None) when that takes far longer than it should: error recovery is not linear.

    The binding never releases what the reading callback returns: so it is one block, filled anew, with line feeds at the
    end. It also reads the text of nodes through the callback, which rules out predicates in queries.
    """
    calls = 0
    end = time.thread_time() + _PATIENCE_S + len(data) * _PATIENCE_S_PER_BYTE

    def is_late(_offset: int, _has_error: bool) -> bool:  # noqa: FBT001  so it is called
        nonlocal calls
        calls += 1
        return calls & 15 == 0 and time.thread_time() > end

    def read(offset: int, _point: Point) -> bytearray | None:
        if offset >= len(data):
            return None
        _BLOCK[:] = data[offset : offset + len(_BLOCK)].ljust(len(_BLOCK), b"\n")
        return _BLOCK

    try:
        return parser.parse(read, progress_callback=is_late)
    except ValueError:
        parser.reset()
        return None


def _hopeless(root: Node, size: int) -> bool:
    """Tell whether somewhere thousands of tokens stand in a row without structure; queries are quadratic in their number."""
    if size < _QUICK or not root.has_error:
        return False
    for place in range(0, size, max(1, size // 64)):
        leaf = root.descendant_for_byte_range(place, place)
        for node in (leaf, leaf.parent if leaf is not None else None):
            if node is not None and node.child_count > max(_WIDEST, 50 * node.named_child_count):
                return True
    return False


def _span(lines: Lines, start: int, end: int) -> tuple[int, int, bool]:
    """Return first line, last line, and whether nothing else stands on these lines."""
    starts, data = lines.byte_starts, lines.data
    first = bisect_right(starts, start) - 1
    last = first if first + 1 == len(starts) or end <= starts[first + 1] else bisect_right(starts, end - 1) - 1
    before = data[starts[first] : start]
    if before and not before.isspace():
        return first, last, False
    after = data[end : starts[last + 1]] if last + 1 < len(starts) else data[end:]
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
        column = start - lines.byte_starts[first] if alone and first == last else -1
        follows = previous is not None and column >= 0 and column == indentation and previous.last + 1 == first
        if previous is not None and follows and previous.inside == inside:
            previous.last, previous.end_byte = last, end
        else:
            previous = Comment(first, last, start, end, alone, inside)
            blocks.append(previous)
        indentation = column
    return blocks


class _Nesting:
    """Makes definitions of captured nodes, each inside the smallest one that holds it."""

    def __init__(self, language: str, lines: Lines) -> None:
        self.lines = lines
        self.clauses = language in grammars.CLAUSES
        self.splits_names = language not in grammars.PLAIN_NAMES
        self.has_methods = language != "sql"
        self.methods_in = grammars.METHODS_IN | grammars.MORE_METHODS_IN.get(language, frozenset())
        self.top: list[Item] = []
        self.everything: list[Item] = []

    def nest(self, events: Sequence[_Event]) -> tuple[list[Item], list[Item]]:
        """Return the definitions at the top, and all, from events in order of their start."""
        data = self.lines.data
        stack: list[Item] = []
        wrap_start = wrap_end = -1
        latest = (-1, -1)
        for start, end, _, kind, read_name, node in events:
            end = min(-end, len(data))
            while end > start and data[end - 1] in _SPACE:
                end -= 1
            if kind == "wrap":
                wrap_start, wrap_end = start, end
                continue
            if kind == "tail":
                self._extend(stack, end)
                continue
            if (start, end) == latest or node is None:
                continue
            while stack and stack[-1].end_byte <= start:
                stack.pop()
            if len(stack) >= _DEEPEST:
                continue
            name, name_byte, other_kind = read_name(node, data)
            if not name:
                continue
            kind = other_kind or kind
            latest = (start, end)
            if wrap_start <= start and end <= wrap_end:
                start, end, wrap_start, wrap_end = wrap_start, wrap_end, -1, -1
            self._add(stack, kind, name, name_byte, start, end)
        return self.top, self.everything

    def _extend(self, stack: list[Item], end: int) -> None:
        """Lengthen the latest definition: its body is a node of its own."""
        if self.everything:
            latest = self.everything[-1]
            latest.end_byte = end
            latest.last = max(latest.last, self.lines.line_of(end - 1))
            if not stack or stack[-1] is not latest:
                stack.append(latest)

    def _add(self, stack: list[Item], kind: str, name: str, name_byte: int, start: int, end: int) -> None:
        starts = self.lines.byte_starts
        parent = stack[-1] if stack else None
        if parent is not None and parent.kind in {"function", "method"} and kind in {"const", "prototype"}:
            return  # a local variable between `#ifdef` and `#endif`
        qualifiers: tuple[str, ...] = ()
        hidden = kind == "test"
        if "." in name and self.splits_names and not hidden and (name[0].isalnum() or name[0] in "_$~"):
            *outer, name = (part for part in name.split(".") if part)
            qualifiers = tuple(outer)
        bodiless = kind == "prototype"
        if kind == "function" or bodiless:
            is_method = self.has_methods and (
                bool(qualifiers) or (parent is not None and parent.kind in self.methods_in)
            )
            kind = "method" if is_method else "function"
        path = qualifiers
        if parent is not None:
            around = (*parent.path, parent.name)
            common = 0
            while common < len(qualifiers) and common < len(around) and qualifiers[common] == around[common]:
                common += 1  # `absl::Cord::Find` in the namespace `absl`
            path = (*around, *qualifiers[common:])
        first = bisect_right(starts, start) - 1
        last = first if first + 1 == len(starts) or end <= starts[first + 1] else bisect_right(starts, end - 1) - 1
        siblings = self.top if parent is None else parent.items
        if self.clauses and siblings and siblings[-1].name == name:
            same = siblings[-1]
            if same.kind == kind and same.path == path:
                same.last, same.end_byte = last, end
                stack.append(same)
                return
        if parent is not None and parent.name == name and parent.last == last:
            if parent.kind == kind:
                return  # the struct inside of a typedef of the same name
            if parent.kind in {"const", "property"}:
                parent.kind = kind  # the function inside of a constant's declaration
                return
        line = first if first == last or name_byte < starts[first + 1] else bisect_right(starts, name_byte) - 1
        item = Item(kind, name, path, line, first, last, end, hidden, bodiless)
        self.everything.append(item)
        siblings.append(item)
        if not bodiless:
            stack.append(item)


def _widen(items: Sequence[Item], attached: dict[int, int], comments: dict[int, Comment]) -> None:
    """Widen definitions upward over the comments, decorators and attributes that stand right before them."""
    for item in items:
        highest = item.first - _WIDENING
        nearest = True
        while True:
            above = item.first - 1
            comment = comments.get(above)
            first = comment.first if comment is not None else attached.get(above)
            if first is None:
                break
            if comment is not None and comment.documents is None:
                comment.documents = item
            if first < highest and not nearest:
                break
            item.first = first
            nearest = nearest and comment is None
