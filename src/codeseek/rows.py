"""How records lie in SQLite: the schema, and chunks and paths as rows."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from codeseek.records import Chunk, Definition, SourceFile

FORMAT = 5
"""Grows whenever an index written before means something else: other columns, other chunks, other terms."""

SCHEMA = """
CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE segments(number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE NOT NULL, rows INTEGER NOT NULL);
CREATE TABLE files(
    path BLOB PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, checked_ns INTEGER NOT NULL,
    language TEXT NOT NULL, digest BLOB NOT NULL, first_chunk INTEGER NOT NULL, chunks INTEGER NOT NULL,
    segment TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE skipped(
    path BLOB PRIMARY KEY, reason TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    checked_ns INTEGER NOT NULL, language TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE directories(path BLOB PRIMARY KEY, details BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE chunks(
    id INTEGER PRIMARY KEY AUTOINCREMENT, path BLOB NOT NULL, first_line INTEGER NOT NULL, last_line INTEGER NOT NULL,
    language TEXT NOT NULL, kind TEXT NOT NULL, symbol TEXT NOT NULL, text TEXT, details TEXT NOT NULL,
    key BLOB NOT NULL);
CREATE TABLE dead(chunk INTEGER PRIMARY KEY, segment TEXT NOT NULL);
CREATE TABLE models(
    number INTEGER PRIMARY KEY, fingerprint TEXT UNIQUE NOT NULL, name TEXT NOT NULL, dimensions INTEGER NOT NULL);
CREATE TABLE vectors(
    id INTEGER PRIMARY KEY, model INTEGER NOT NULL, key BLOB NOT NULL, vector BLOB NOT NULL, UNIQUE(model, key));
CREATE TABLE derived(
    name TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, checksum INTEGER) WITHOUT ROWID;
"""

MOST_NAMES = 30
"""So many of the names that a chunk defines count for its vector."""

CHUNK_COLUMNS = "id, path, first_line, last_line, language, kind, symbol, text, details"

Row = tuple[Any, ...]


class FileRow(NamedTuple):
    """A file as it was indexed: `checked_ns` is when it was read, `digest` identifies its text and language."""

    path: bytes
    size: int
    mtime_ns: int
    checked_ns: int
    language: str
    digest: bytes
    chunks: int


class Task(NamedTuple):
    """A file to look at; `digest` is what was known of its content, empty when nothing was."""

    file: SourceFile
    digest: bytes = b""


class Touched(NamedTuple):
    """A file whose content is what it was: only its stat is new."""

    path: bytes
    size: int
    mtime_ns: int
    checked_ns: int


class KnownFile(NamedTuple):
    """What the store remembers of a file; `reason` says why it was skipped, when it was."""

    size: int
    mtime_ns: int
    checked_ns: int
    language: str
    digest: bytes
    reason: str = ""


def digest_of(language: str, data: bytes) -> bytes:
    """Identify a file's content (its text as UTF-8, of a document its bytes) and the language that it is cut up as."""
    return hashlib.blake2b(data, digest_size=16, person=language.encode()[:16]).digest()


def content_key(chunk: Chunk) -> bytes:
    """Identify in 16 bytes all of a chunk that a vector may depend on: path, kind, names and text."""
    names = "\0".join(definition.name for definition in chunk.definitions[:MOST_NAMES])
    fields = (str(chunk.path), chunk.kind, "\0".join(chunk.breadcrumb), chunk.symbol, names, chunk.text)
    return hashlib.blake2b("\1".join(fields).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def encode_path(path: PurePosixPath | str) -> bytes:
    """Return a path as bytes: names that are not UTF-8 come back as they were."""
    return str(path).encode("utf-8", "surrogateescape")


def decode_path(data: bytes) -> str:
    """Return a stored path as text."""
    return data.decode("utf-8", "surrogateescape")


def encode_chunks(chunks: Sequence[Chunk], keys: Sequence[bytes]) -> list[Row]:
    """Return the rows of one file's chunks, without their numbers and path.

    Text is stored once: of a comment that lies within another chunk, only the place is kept.
    """
    tiles = [number for number, chunk in enumerate(chunks) if chunk.kind != "comment"]
    starts = [chunks[number].first_line for number in tiles]
    rows: list[Row] = []
    for number, (chunk, key) in enumerate(zip(chunks, keys, strict=True)):
        place = None
        if chunk.kind == "comment" and (at := bisect_right(starts, chunk.first_line)):
            place = _place(chunks, number, tiles[at - 1])
        details = json.dumps(
            (chunk.breadcrumb, chunk.definitions, chunk.comments, place, chunk.anchor),
            ensure_ascii=False,
            separators=(",", ":"),
        )
        text = None if place else chunk.text
        rows.append((chunk.first_line, chunk.last_line, chunk.language, chunk.kind, chunk.symbol, text, details, key))
    return rows


def host(row: Row) -> int | None:
    """Return the number of the chunk that holds the text of a row of `CHUNK_COLUMNS`, None when the row does itself."""
    if row[7] is not None:
        return None
    return int(row[0]) + int(json.loads(row[8])[3][0])


def decode_chunk(row: Row, host_text: str | None = None) -> Chunk:
    """Return the chunk of a row of `CHUNK_COLUMNS`."""
    _, path, first_line, last_line, language, kind, symbol, text, details = row
    breadcrumb, definitions, comments, place, anchor = json.loads(details)
    if text is None and host_text is not None:
        text = host_text[place[1] : place[2]]
    return Chunk(
        _path_of(path),
        first_line,
        last_line,
        language,
        kind,
        symbol,
        text or "",
        tuple(breadcrumb),
        tuple(Definition._make((*facts, tuple(around))) for *facts, around in definitions),
        tuple((start, end) for start, end in comments),
        anchor,
    )


@lru_cache(maxsize=1024)  # the chunks of a file share its path: pathlib takes longer than all else here
def _path_of(data: bytes) -> PurePosixPath:
    return PurePosixPath(decode_path(data))


def _place(chunks: Sequence[Chunk], number: int, tile: int) -> tuple[int, int, int] | None:
    """Return (steps to the chunk that holds this one's text, start, end), None when that one does not hold it."""
    at = chunks[tile].text.find(chunks[number].text)
    return (tile - number, at, at + len(chunks[number].text)) if at >= 0 else None
