"""Cut configuration at its keys, blocks, targets and rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from codeseek.chunkers import entries
from codeseek.chunkers.lines import Lines
from codeseek.chunkers.prose import parts
from codeseek.records import Chunk, Definition, SourceFile

_LARGEST = 2000  # characters of an entry that stays one chunk
_PIECE = 1500
_SMALL = 400  # up to this neighbours are put together
_TINY = 80
_DEEPEST = 6
_LONGEST_SYMBOL = 120


@dataclass(slots=True)
class _Piece:
    """Lines from first to last (from 0) that become a chunk, the keys that begin there and those that enclose them."""

    first: int
    last: int
    path: tuple[str, ...]
    keys: list[str] = field(default_factory=list)
    definitions: list[Definition] = field(default_factory=list)


def chunk(file: SourceFile, text: str) -> list[Chunk]:
    """Return the parts of a configuration file; they tile it. What has no keys that we know is cut at lines."""
    lines = Lines(text)
    find = entries.finder(file.language)
    last = len(lines.lines) - 1
    found = find(lines.lines, 0, last + 1) if find is not None else []
    chunks = []
    for piece in _without_crumbs(lines, _pieces(lines, file.language, 0, last, (), found)):
        first, last = lines.trimmed(piece.first, piece.last)
        if first > last or not lines.lines[first].strip():
            continue
        body = lines.text[lines.starts[first] : lines.end(last)]
        key = _joined(piece.keys)
        symbol = ".".join((*piece.path, key) if key else piece.path)
        chunks += [
            Chunk(
                file.path,
                first + 1,
                last + 1,
                file.language,
                "config",
                symbol,
                part,
                piece.path if key else piece.path[:-1],
                tuple(piece.definitions),
            )
            for part in (parts(body) if first == last else (body,))
        ]
    return chunks


def _pieces(
    lines: Lines,
    language: str,
    first: int,
    last: int,
    path: tuple[str, ...],
    found: Sequence[entries.Entry],
    depth: int = 0,
) -> Iterator[_Piece]:
    """Cut lines at the entries found in them; neighbours are put together as long as they are small."""
    pending = _Piece(first, first - 1, path)
    for entry, following in zip(found, [*found[1:], None], strict=False):
        end = following.line - 1 if following is not None else last
        begin = pending.last + 1
        size = lines.size(begin, end)
        if size > _LARGEST:
            # what stands before the first entry belongs to it
            if pending.keys:
                yield pending
            else:
                begin = pending.first
            yield from _large(lines, language, begin, end, path, entry, depth + 1)
            pending = _Piece(end + 1, end, path)
            continue
        if pending.keys and (
            lines.size(pending.first, end) > _PIECE or lines.size(pending.first, pending.last) > _SMALL
        ):
            yield pending
            pending = _Piece(begin, begin - 1, path)
        pending.last = end
        pending.keys.append(entry.key)
        _define(pending, entry, end)
    if pending.keys:
        yield pending
    elif pending.first <= last:
        for begin, end in lines.cuts(pending.first, last, _PIECE, _LARGEST):
            yield _Piece(begin, end, path)


def _without_crumbs(lines: Lines, pieces: Iterable[_Piece]) -> Iterator[_Piece]:
    """Yield pieces, a tiny one together with the one before it."""
    before: _Piece | None = None
    for piece in pieces:
        if (
            before is not None
            and before.path == piece.path
            and lines.size(piece.first, piece.last) < _TINY
            and lines.size(before.first, piece.last) <= _LARGEST
        ):
            before.last = piece.last
            before.keys += piece.keys
            before.definitions += piece.definitions
            continue
        if before is not None:
            yield before
        before = piece
    if before is not None:
        yield before


def _large(
    lines: Lines, language: str, first: int, last: int, path: tuple[str, ...], entry: entries.Entry, depth: int
) -> Iterator[_Piece]:
    """Cut a large entry at the entries within it; the piece with its key has what the entry defines."""
    inside = (*path, entry.key) if entry.key else path
    find = entries.inner_finder(language)
    found = find(lines.lines, entry.key_line + 1, last + 1) if find is not None and depth < _DEEPEST else []
    for piece in _pieces(lines, language, first, last, inside, found, depth):
        if piece.first <= entry.key_line <= piece.last:
            _define(piece, entry, last)
        yield piece


def _define(piece: _Piece, entry: entries.Entry, last: int) -> None:
    if entry.definition is not None and all(known.name != entry.definition[0] for known in piece.definitions):
        piece.definitions.append(Definition(*entry.definition, entry.key_line + 1, entry.line + 1, last + 1))


def _joined(keys: list[str]) -> str:
    """Return the keys of a chunk as its symbol, as many as fit."""
    symbol = ""
    for key in dict.fromkeys(key for key in keys if key):
        if symbol and len(symbol) + len(key) > _LONGEST_SYMBOL:
            return f"{symbol}, …"
        symbol = f"{symbol}, {key}" if symbol else key
    return symbol
