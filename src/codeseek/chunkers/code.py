"""Cut source code at its definitions and comments, found with tree-sitter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from codeseek.chunkers import dialects, grammars
from codeseek.chunkers.lines import Lines
from codeseek.chunkers.outline import Item, Outline, outline
from codeseek.records import Chunk, Definition, SourceFile

LARGEST_UNIT = 2000
"""Characters up to which a definition is one chunk."""

_PIECE = 1500
_SMALL = 400
_TINY = 80
_LONGEST_LINE = 4000
_LONGEST_PARSED_LINE = 20_000
_LARGEST_PARSED = 2_000_000
_DEEPEST = 40
_SHORTEST_COMMENT = 60
_FEWEST_LETTERS = 20
_NOT_WORD = re.compile(r"[\W_]+")
_RANKS = {kind: {"class": 3, "module": 1}.get(chunk_kind, 2) for kind, chunk_kind in grammars.CHUNK_KINDS.items()}
_RANKS |= {"namespace": 1, "property": 1}
"""How much a definition stands for a chunk that has several."""

_MINOR = frozenset(("const", "property", "type", "macro"))
_LICENCE = re.compile(r"copyright|licen[sc]e|spdx|all rights reserved", re.IGNORECASE)


def chunk(file: SourceFile, text: str) -> list[Chunk]:
    """Return the chunks of a source file, those that tile it first; without a grammar it is cut by lines alone."""
    lines = Lines(text)
    found = Outline()
    if len(text) <= _LARGEST_PARSED and lines.longest <= _LONGEST_PARSED_LINE and file.language in grammars.QUERIES:
        header = file.language == "c" and file.path.suffix == ".h"
        found = outline("cpp" if header and dialects.is_cpp(lines.data) else file.language, lines)
    cutter = _Cutter(file, lines, found)
    return [*cutter.tiles(), *cutter.overlays()]


@dataclass(slots=True)
class _Unit:
    """Lines that are to be one chunk; `gap` if they lie between definitions, `sealed` if they don't merge."""

    first: int
    last: int
    kind: str
    item: Item | None
    rank: int
    gap: bool = False
    sealed: bool = False
    path: tuple[str, ...] = ()


class _Cutter:
    """Cuts one file, with its outline at hand."""

    def __init__(self, file: SourceFile, lines: Lines, found: Outline) -> None:
        self.file = file
        self.lines = lines
        self.outline = found

    def tiles(self) -> Iterator[Chunk]:
        """Yield the chunks that tile the file, in order."""
        lines, comments = self.lines, self.outline.comments
        definitions = sorted(self.outline.everything(), key=lambda item: item.line)
        next_definition = next_comment = 0
        for unit in self._units(None, 0, len(lines.lines) - 1, self.outline.items, 0):
            first, last = unit.first, unit.last
            start = lines.starts[first]
            text = lines.text[start : lines.end(last)]
            from_definition = next_definition
            while next_definition < len(definitions) and definitions[next_definition].line <= last:
                next_definition += 1
            ranges = []
            while next_comment < len(comments) and comments[next_comment].last < first:
                next_comment += 1
            number = next_comment
            while number < len(comments) and comments[number].first <= last:
                comment = comments[number]
                number += 1
                a, b = lines.character(comment.start_byte) - start, lines.character(comment.end_byte) - start
                ranges.append((max(a, 0), min(b, len(text))))
            yield from self._chunks(unit, text, definitions[from_definition:next_definition], tuple(ranges))

    def _chunks(
        self, unit: _Unit, text: str, inside: Sequence[Item], comments: tuple[tuple[int, int], ...]
    ) -> Iterator[Chunk]:
        """Make one chunk of a unit, or several if it is a line that is far too long."""
        item = unit.item
        if item is None and inside:
            item = max(inside, key=lambda item: _RANKS[item.kind])
        symbol, path = (item.symbol, item.path) if item is not None else ("", unit.path)
        definitions = tuple(
            [
                Definition(item.name, item.kind, item.line + 1, item.first + 1, item.last + 1, item.path)
                for item in inside
                if not item.hidden
            ]
        )
        file = self.file
        first, last = unit.first + 1, unit.last + 1
        if first < last or len(text) <= _LONGEST_LINE:
            yield Chunk(file.path, first, last, file.language, unit.kind, symbol, text, path, definitions, comments)
            return
        for start in range(0, len(text), _PIECE):
            piece = text[start : start + _PIECE]
            end = start + len(piece)
            if piece.strip():
                ranges = tuple(
                    (max(a, start) - start, min(b, end) - start) for a, b in comments if a < end and b > start
                )
                yield Chunk(file.path, first, last, file.language, unit.kind, symbol, piece, path, definitions, ranges)
                definitions = ()

    def _units(self, owner: Item | None, first: int, last: int, items: Sequence[Item], depth: int) -> list[_Unit]:
        """Cut the lines of one container, or of the file, into units."""
        lines = self.lines
        gap_owner = None if owner is None or owner.kind == "namespace" else owner
        kind = "module" if gap_owner is None else grammars.CHUNK_KINDS[gap_owner.kind]
        path = () if owner is None else (*owner.path, owner.name)
        units: list[_Unit] = []
        line = first
        for item in items:
            if item.last < line or self._minor(item):
                continue
            start = max(item.first, line)
            if start > line:
                units += self._pieces(_Unit(line, start - 1, kind, gap_owner, 0, gap=True, path=path), heads=not units)
            if item.items and depth < _DEEPEST and lines.size(start, item.last) > LARGEST_UNIT:
                units += self._units(item, start, item.last, item.items, depth + 1)
            else:
                item_kind = grammars.CHUNK_KINDS[item.kind]
                units += self._pieces(_Unit(start, item.last, item_kind, item, _RANKS[item.kind]))
            line = item.last + 1
        if line <= last:
            units += self._pieces(_Unit(line, last, kind, gap_owner, 0, gap=True, path=path), heads=not units)
        return self._merged(units, seal=owner is not None)

    def _minor(self, item: Item) -> bool:
        """Tell whether a definition is too short to be cut at: constants, fields, prototypes."""
        return (
            (item.kind in _MINOR or item.bodiless)
            and item.last - item.line < 3
            and self.lines.size(item.first, item.last) < _SMALL
        )

    def _pieces(self, unit: _Unit, *, heads: bool = False) -> list[_Unit]:
        """Cut a unit that is too large; a gap that heads its container stands for it, unless it is tiny."""
        lines = self.lines
        size = lines.size(unit.first, unit.last)
        if heads and unit.item is not None and size >= _TINY:
            unit.rank = _RANKS[unit.item.kind]
        if size <= LARGEST_UNIT:
            unit.first, unit.last = lines.trimmed(unit.first, unit.last)
            return [unit] if unit.first <= unit.last else []
        pieces = []
        cuts = lines.cuts(unit.first, unit.last, _PIECE, LARGEST_UNIT)
        for first, last in cuts:
            first, last = lines.trimmed(first, last)
            if first <= last:
                pieces.append(_Unit(first, last, unit.kind, unit.item, unit.rank, unit.gap, len(cuts) > 1, unit.path))
        return pieces

    def _merged(self, units: Sequence[_Unit], *, seal: bool) -> list[_Unit]:
        """Merge small neighbours of one container; what is tiny joins its neighbour whatever that is."""
        size = self.lines.size
        merged: list[_Unit] = []
        for unit in units:
            if merged:
                previous = merged[-1]
                together = size(previous.first, unit.last)
                tiny = unit.gap and size(unit.first, unit.last) < _TINY
                heading = len(merged) == 1 and previous.gap and size(previous.first, previous.last) < _TINY
                small = together <= _SMALL and not (previous.sealed or unit.sealed)
                if small or ((tiny or heading) and together <= _LONGEST_LINE):
                    if unit.rank > previous.rank:
                        previous.kind, previous.item, previous.rank = unit.kind, unit.item, unit.rank
                    previous.gap = previous.gap and unit.gap
                    previous.sealed = previous.sealed or unit.sealed
                    previous.last = unit.last
                    continue
            merged.append(unit)
        if seal:
            for unit in merged:
                unit.sealed = True
        return merged

    def overlays(self) -> Iterator[Chunk]:
        """Yield chunks of the comments that are worth finding by themselves."""
        lines, file = self.lines, self.file
        for comment in self.outline.comments:
            if not comment.alone or (
                comment.first == comment.last and comment.end_byte - comment.start_byte < _SHORTEST_COMMENT
            ):
                continue
            text = lines.text[lines.starts[comment.first] : lines.end(comment.last)]
            if len(text) < 10 * _FEWEST_LETTERS and len(_NOT_WORD.sub("", text)) < _FEWEST_LETTERS:
                continue
            if comment.first < 5 and _LICENCE.search(text):
                continue
            item = comment.documents
            path: tuple[str, ...] = ()
            if item is None:
                around = self.outline.around(comment.first)
                if comment.inside:
                    item = around
                elif around is not None:
                    if grammars.CHUNK_KINDS[around.kind] != "class":
                        continue
                    path = (*around.path, around.name)
            symbol = ""
            if item is not None:
                symbol, path = item.symbol, item.path
            for first, last in lines.cuts(comment.first, comment.last, _PIECE, LARGEST_UNIT):
                first, last = lines.trimmed(first, last)
                start = lines.starts[first]
                text = lines.text[start : lines.end(last)]
                a = max(0, lines.character(comment.start_byte) - start)
                b = min(lines.character(comment.end_byte) - start, len(text))
                yield Chunk(file.path, first + 1, last + 1, file.language, "comment", symbol, text, path, (), ((a, b),))
