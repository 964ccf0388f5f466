"""What an index says of itself: files, chunks, vectors and counts, each answer of one moment."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from codeseek.database import Unusable, translated
from codeseek.records import Chunk, Skipped, SourceFile
from codeseek.rows import CHUNK_COLUMNS, KnownFile, Row, decode_chunk, decode_path, encode_path, host

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BATCH = 500  # numbers in one statement

SegmentFile = tuple[SourceFile, list[tuple[int, Chunk]]]
"""A file with its chunks and their numbers."""


class Snapshot(NamedTuple):
    """What a search reads: live segments in the order of their chunks' numbers, and what is dead in them."""

    generation: int
    indexed_at: float | None
    segments: tuple[str, ...]
    dead: NDArray[np.int64]
    fingerprint: str


class Counts(NamedTuple):
    """How much an index holds."""

    files: int
    chunks: int
    languages: Mapping[str, int]
    kinds: Mapping[str, int]
    skipped: Mapping[str, int]


class Reader:
    """Reads one index, which may be written at the same time."""

    def __init__(self, directory: Path, connection: sqlite3.Connection) -> None:
        self.directory = directory
        self._connection = connection

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def one_moment(self) -> Iterator[None]:
        """Let several questions be answered of one moment."""
        if self._connection.in_transaction:
            yield
            return
        with translated():
            self._connection.execute("BEGIN")
        try:
            yield
        finally:
            with contextlib.suppress(sqlite3.Error):  # on a damaged database it has been done already
                self._connection.execute("ROLLBACK")

    def snapshot(self) -> Snapshot:
        """Return what is live now, all of one moment."""
        import numpy as np

        with self.one_moment():
            segments = [name for (name,) in self._all("SELECT name FROM segments ORDER BY number")]
            dead = [number for (number,) in self._all("SELECT chunk FROM dead ORDER BY chunk")]
            return Snapshot(
                int(self.meta("generation") or 0),
                self.meta("indexed_at"),
                tuple(segments),
                np.array(dead, np.int64),
                str(self.meta("fingerprint") or ""),
            )

    def meta(self, name: str) -> Any:
        """Return a value that concerns the whole index, None when it was never set."""
        row = self._all("SELECT value FROM meta WHERE name = ?", (name,))
        return row[0][0] if row else None

    def chunks(self, ids: Iterable[int]) -> dict[int, Chunk]:
        """Return the chunks of these numbers; a number that is no longer live is left out."""
        with self.one_moment():
            rows = self._rows(ids)
            hosts = {number: at for number, row in rows.items() if (at := host(row)) is not None}
            texts = self._rows(set(hosts.values()) - rows.keys()) | rows if hosts else rows
        try:
            return {
                number: decode_chunk(row, texts[hosts[number]][7] if number in hosts else None)
                for number, row in rows.items()
            }
        except (ValueError, TypeError, LookupError) as error:
            raise Unusable(f"the index is damaged: {error!r}", hint="make it again with `codeseek index`") from error

    def chunk_at(self, path: PurePosixPath, line: int) -> int | None:
        """Return the number of the chunk at a place: the definition there rather than its comment; None outside all."""
        row = self._all(
            "SELECT c.id FROM files f JOIN chunks c ON c.id >= f.first_chunk AND c.id < f.first_chunk + f.chunks"
            " WHERE f.path = ?1 AND c.first_line <= ?2 AND c.last_line >= ?2"
            " ORDER BY c.kind = 'comment', c.last_line - c.first_line, c.id LIMIT 1",
            (encode_path(path), line),
        )
        return row[0][0] if row else None

    def chunks_over(self, path: PurePosixPath, first_line: int, last_line: int) -> list[int]:
        """Return the numbers of the chunks that have any of these lines, in the order of the file."""
        rows = self._all(
            "SELECT c.id FROM files f JOIN chunks c ON c.id >= f.first_chunk AND c.id < f.first_chunk + f.chunks"
            " WHERE f.path = ?1 AND c.first_line <= ?3 AND c.last_line >= ?2 ORDER BY c.id",
            (encode_path(path), first_line, last_line),
        )
        return [number for (number,) in rows]

    def segments(self) -> dict[str, int]:
        """Return the live segments in order, with the chunks in each, dead ones included."""
        return dict(self._all("SELECT name, rows FROM segments ORDER BY number"))

    def dead_in_segments(self) -> dict[str, int]:
        """Count the dead chunks that lie in each segment."""
        return dict(self._all("SELECT segment, count(*) FROM dead GROUP BY segment"))

    def known_files(self) -> dict[str, KnownFile]:
        """Return what was indexed, and what was left out only after a look inside."""
        known = {
            decode_path(path): KnownFile(size, mtime_ns, checked_ns, language, digest)
            for path, size, mtime_ns, checked_ns, language, digest in self._all(
                "SELECT path, size, mtime_ns, checked_ns, language, digest FROM files"
            )
        }
        for path, reason, size, mtime_ns, checked_ns, language in self._all(
            "SELECT path, reason, size, mtime_ns, checked_ns, language FROM skipped WHERE language <> ''"
        ):
            known[decode_path(path)] = KnownFile(size, mtime_ns, checked_ns, language, b"", reason)
        return known

    def changed_since(self, time_s: float) -> set[str]:
        """Return the files that were changed at a Unix time or later, as far as the index knows."""
        return {
            decode_path(path) for (path,) in self._all("SELECT path FROM files WHERE mtime_ns >= ?", (time_s * 1e9,))
        }

    def skipped_by_walker(self) -> dict[str, Skipped]:
        """Return what was left out without a look inside."""
        rows = self._all("SELECT path, reason, size, mtime_ns FROM skipped WHERE language = ''")
        return {
            (text := decode_path(path)): Skipped(PurePosixPath(text), reason, size, mtime_ns)
            for path, reason, size, mtime_ns in rows
        }

    def skipped(self, but: str) -> Iterator[tuple[str, str]]:
        """Yield what was left out with the reason, by path, `but` for one reason."""
        rows = self._all("SELECT path, reason FROM skipped WHERE reason <> ? ORDER BY path", (but,))
        return ((decode_path(path), reason) for path, reason in rows)

    def directories(self) -> dict[str, list[Any]]:
        """Return what the walker remembers of folders: by their path, values that only the walker understands."""
        rows = self._all("SELECT path, details FROM directories")
        return {decode_path(path): json.loads(details) for path, details in rows}

    @property
    def is_finished(self) -> bool:
        """Whether all files have been looked at once: only then is it recorded what the walker saw."""
        return bool(self._all("SELECT EXISTS(SELECT 1 FROM directories)")[0][0])

    def counts(self) -> Counts:
        """Count files by language, chunks by kind, and what was left out by reason."""
        with self.one_moment():
            languages = dict(self._all("SELECT language, count(*) FROM files GROUP BY language ORDER BY 2 DESC, 1"))
            kinds = dict(self._all("SELECT kind, count(*) FROM chunks GROUP BY kind ORDER BY 2 DESC, 1"))
            skipped = dict(self._all("SELECT reason, count(*) FROM skipped GROUP BY reason ORDER BY 2 DESC, 1"))
        return Counts(sum(languages.values()), sum(kinds.values()), languages, kinds, skipped)

    def size(self) -> tuple[int, int]:
        """Count files and chunks."""
        files, chunks = self._all("SELECT count(*), coalesce(sum(chunks), 0) FROM files")[0]
        return files, chunks

    def segment_files(self, name: str) -> Iterator[SegmentFile]:
        """Yield the files of a segment with their numbered chunks, in the order of the segment."""
        for path, size, mtime_ns, language, first, count in self._all(
            "SELECT path, size, mtime_ns, language, first_chunk, chunks FROM files"
            " WHERE segment = ? AND chunks > 0 ORDER BY first_chunk",
            (name,),
        ):
            file = SourceFile(PurePosixPath(decode_path(path)), size, mtime_ns, language)
            yield file, sorted(self.chunks(range(first, first + count)).items())

    def keys(self, ids: Sequence[int]) -> dict[int, bytes]:
        """Return the keys under which the vectors of chunks are stored."""
        return {
            number: key
            for part in _parts(ids)
            for number, key in self._all(f"SELECT id, key FROM chunks WHERE id IN ({marks(part)})", part)  # noqa: S608
        }

    def vectors(self, fingerprint: str, keys: Collection[bytes]) -> dict[bytes, bytes]:
        """Return the stored vectors (float16, little-endian) of those keys that have one."""
        row = self._all("SELECT number FROM models WHERE fingerprint = ?", (fingerprint,))
        if not row:
            return {}
        return {
            key: vector
            for part in _parts(keys)
            for key, vector in self._all(
                f"SELECT key, vector FROM vectors WHERE model = ? AND key IN ({marks(part)})",  # noqa: S608
                (row[0][0], *part),
            )
        }

    def derived(self) -> dict[str, tuple[int, int, int | None]]:
        """Return the size, mtime_ns and checksum with which each derived file was written, by its relative name."""
        return {name: (size, mtime, check) for name, size, mtime, check in self._all("SELECT * FROM derived")}

    def segment_path(self, name: str) -> Path:
        """Return where a segment's words lie."""
        return self.directory / "words" / f"{name}.words"

    def vectors_path(self, name: str, fingerprint: str) -> Path:
        """Return where a segment's matrix lies; its graph, if there is one, has the suffix `.hnsw`."""
        return self.directory / "vectors" / re.sub(r"[^\w.-]", "_", fingerprint) / f"{name}.vec"

    def problem(self) -> str | None:
        """Read the whole structure of the database and say what is wrong with it."""
        try:
            found = self._all("PRAGMA quick_check(1)")
        except Unusable as error:
            return error.message
        return None if found == [("ok",)] else f"the index is damaged: {found[0][0]}"

    def _all(self, statement: str, values: Sequence[object] = ()) -> list[Any]:
        with translated():
            return self._connection.execute(statement, values).fetchall()

    def _rows(self, ids: Iterable[int]) -> dict[int, Row]:
        return {
            row[0]: row
            for part in _parts([int(number) for number in ids])
            for row in self._all(f"SELECT {CHUNK_COLUMNS} FROM chunks WHERE id IN ({marks(part)})", part)  # noqa: S608
        }


def _parts(values: Collection[Any]) -> Iterator[list[Any]]:
    listed = list(values)
    for start in range(0, len(listed), _BATCH):
        yield listed[start : start + _BATCH]


def marks(values: Collection[object]) -> str:
    """Return as many placeholders as there are values."""
    return ",".join("?" * len(values))
