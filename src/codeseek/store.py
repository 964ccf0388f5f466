"""The truth on disk (SQLite): files, chunks, vectors, what is stale; everything else in the folder is made from it."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple, Self

from codeseek import database
from codeseek.database import Missing, Unusable, translated
from codeseek.errors import StoreError
from codeseek.lock import WriteLock
from codeseek.reader import Reader, marks
from codeseek.records import WHOLE, Skipped
from codeseek.rows import FORMAT, SCHEMA, FileRow, Row, encode_path

DATABASE = "index.db"
LOCK = "write.lock"
PARSING = "parsing"
"""Lies there while files are parsed in the process itself: left behind, it tells that a parser may have killed it."""

_DAMAGED = "index.db.damaged"
_OURS = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", f"{DATABASE}-journal", _DAMAGED, LOCK, PARSING)


class Summary(NamedTuple):
    """One line of the list of indexes. `problem` says why an index cannot be read."""

    root: Path
    location: Path
    files: int
    chunks: int
    model: str
    created_at: float | None
    indexed_at: float | None
    size_bytes: int
    problem: str = ""


class Store(Reader):
    """One index. Reading needs nothing; writing needs the lock of the folder, which the caller holds."""

    _database: str
    _opened: os.stat_result

    @classmethod
    def open(cls, directory: Path, root: Path, *, read_only: bool = False) -> Self:
        """Open the index of `root`, or make an empty one unless `read_only`.

        Raises `StoreError` when there is none or it cannot be read, `Unusable` when it has to be made again.
        """
        with translated():
            if not read_only:
                database.make_private(directory)
            elif not (directory / DATABASE).is_file():
                raise Missing(f"there is no index of `{root}` yet", hint="make one with `codeseek index`")
            store = cls(directory, database.connect(directory / DATABASE, read_only=read_only))
            store._database = os.fspath(directory / DATABASE)
            store._opened = os.stat(store._database)
        try:
            store._check_format(root, read_only=read_only)
        except BaseException:
            store.close()
            raise
        return store

    @property
    def is_current(self) -> bool:
        """Whether the database that is open is still the index: another process may have put it aside, or deleted it."""
        try:
            return os.path.samestat(self._opened, os.stat(self._database))
        except OSError:
            return False

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Do all or nothing."""
        with translated():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def step(self) -> Iterator[None]:
        """Do all of a part of a transaction or nothing of it."""
        self._all("SAVEPOINT step")
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:
                self._all("ROLLBACK TO step")
            raise
        finally:
            if self._connection.in_transaction:
                self._all("RELEASE step")

    def set_meta(self, **values: object) -> None:
        """Set values that concern the whole index."""
        self._many("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(values.items()))

    def next_chunk(self) -> int:
        """Return the next chunk's number: one that no chunk ever had."""
        row = self._all("SELECT seq FROM sqlite_sequence WHERE name = 'chunks'")
        return (row[0][0] if row else 0) + 1

    def add_files(self, files: Sequence[FileRow], chunks: Sequence[Row], first: int, segment: str) -> None:
        """Add files instead of what was known under their paths; `chunks` are theirs, numbered from `first`."""
        self.remove_files([file.path for file in files])
        file_rows, chunk_rows, number = [], [], first
        for *row, count in files:
            file_rows.append((*row, number, count, segment))
            path = row[0]
            chunk_rows += [(at, path, *chunks[at - first]) for at in range(number, number + count)]
            number += count
        self._many("INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", file_rows)
        self._many("INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", chunk_rows)

    def remove_files(self, paths: Sequence[bytes]) -> None:
        """Forget files, whether indexed or skipped; their chunks are dead from now on."""
        for path in paths:
            for first, count, segment in self._all(
                "SELECT first_chunk, chunks, segment FROM files WHERE path = ?", (path,)
            ):
                self._many("INSERT INTO dead VALUES (?, ?)", [(first + at, segment) for at in range(count)])
                self._all("DELETE FROM chunks WHERE id >= ? AND id < ?", (first, first + count))
                self._all("DELETE FROM files WHERE path = ?", (path,))
        self._many("DELETE FROM skipped WHERE path = ?", [(path,) for path in paths])

    def touch_files(self, files: Iterable[tuple[bytes, int, int, int]]) -> None:
        """Record that files with this path, size, mtime_ns and checked_ns hold what they held."""
        rows = [(size, mtime_ns, checked_ns, path) for path, size, mtime_ns, checked_ns in files]
        for table in ("files", "skipped"):
            self._many(f"UPDATE {table} SET size = ?, mtime_ns = ?, checked_ns = ? WHERE path = ?", rows)  # noqa: S608

    def reject_file(self, skipped: Skipped, checked_ns: int, language: str) -> None:
        """Record a file that a look inside showed to be unfit, in the place of what was known under its path."""
        path = encode_path(skipped.path)
        self.remove_files([path])
        row = (path, skipped.reason, skipped.size, skipped.mtime_ns, checked_ns, language)
        self._many("INSERT INTO skipped VALUES (?, ?, ?, ?, ?, ?)", [row])

    def replace_skipped(self, skipped: Iterable[Skipped], under: PurePosixPath = WHOLE) -> None:
        """Record all that is left out under a folder without a look inside."""
        old = [path for path in self.skipped_by_walker() if PurePosixPath(path).is_relative_to(under)]
        self._many("DELETE FROM skipped WHERE path = ?", [(encode_path(path),) for path in old])
        rows = [(encode_path(item.path), item.reason, item.size, item.mtime_ns) for item in skipped]
        self._many("INSERT OR REPLACE INTO skipped VALUES (?, ?, ?, ?, 0, '')", rows)

    def set_directories(self, changed: Mapping[str, Sequence[object]], gone: Iterable[str] = ()) -> None:
        """Remember folders for the walker, and forget others."""
        rows = [(encode_path(path), json.dumps(details).encode()) for path, details in changed.items()]
        self._many("INSERT OR REPLACE INTO directories VALUES (?, ?)", rows)
        self._many("DELETE FROM directories WHERE path = ?", [(encode_path(path),) for path in gone])

    def model_number(self, fingerprint: str, name: str, dimensions: int) -> int:
        """Return the number by which a model's vectors are stored."""
        self._all(
            "INSERT INTO models(fingerprint, name, dimensions) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (fingerprint, name, dimensions),
        )
        number: int = self._all("SELECT number FROM models WHERE fingerprint = ?", (fingerprint,))[0][0]
        return number

    def add_vectors(self, model: int, vectors: Iterable[tuple[bytes, bytes]]) -> None:
        """Store vectors (float16, little-endian) under their keys; a key that has one keeps it."""
        self._many(
            "INSERT INTO vectors(model, key, vector) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            ((model, key, vector) for key, vector in vectors),
        )

    def add_segment(self, name: str, rows: int, *, instead_of: Sequence[str] = ()) -> None:
        """Make a segment live, as the last one or in the place of neighbours whose live chunks it holds."""
        if not instead_of:
            self._all("INSERT INTO segments(name, rows) VALUES (?, ?)", (name, rows))
            return
        places = marks(instead_of)
        number = self._all(f"SELECT max(number) FROM segments WHERE name IN ({places})", instead_of)[0][0]  # noqa: S608
        self.remove_segments(instead_of)
        self._all("INSERT INTO segments VALUES (?, ?, ?)", (number, name, rows))
        self._all(f"UPDATE files SET segment = ? WHERE segment IN ({places})", (name, *instead_of))  # noqa: S608

    def remove_segments(self, names: Sequence[str]) -> None:
        """Forget segments and what is dead in them."""
        for table, column in (("segments", "name"), ("dead", "segment")):
            self._many(f"DELETE FROM {table} WHERE {column} = ?", [(name,) for name in names])  # noqa: S608

    def add_derived(self, path: Path, checksum: int | None = None) -> None:
        """Record a derived file as it is now, so that a later change to it is noticed."""
        stat = path.stat()
        name = path.relative_to(self.directory).as_posix()
        self._all(
            "INSERT OR REPLACE INTO derived VALUES (?, ?, ?, ?)", (name, stat.st_size, stat.st_mtime_ns, checksum)
        )

    def remove_derived(self, names: Iterable[str]) -> None:
        """Forget derived files."""
        self._many("DELETE FROM derived WHERE name = ?", [(name,) for name in names])

    def forget_unused_vectors(self) -> int:
        """Drop the oldest vectors that no chunk uses, when these are more than those in use; return how many went.

        The grace is there for going back and forth between branches: nothing is embedded again.
        """
        used, stored = self.size()[1], self._all("SELECT count(*) FROM vectors")[0][0]
        if stored <= 2 * used + 1000:
            return 0
        unused = self._all("SELECT id FROM vectors WHERE key NOT IN (SELECT key FROM chunks) ORDER BY id DESC")
        gone = unused[used + 500 :]
        self._many("DELETE FROM vectors WHERE id = ?", gone)
        return len(gone)

    def next_generation(self) -> None:
        """Mark a change that searches have to see."""
        self.set_meta(generation=int(self.meta("generation") or 0) + 1, indexed_at=time.time())

    def _many(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        with translated():
            self._connection.executemany(statement, rows)

    def _check_format(self, root: Path, *, read_only: bool) -> None:
        with translated():
            version = self._all("PRAGMA user_version")[0][0]
            if version == FORMAT:
                self.meta("generation")
                return
            if version > FORMAT:
                raise StoreError(
                    f"the index of `{root}` is of a newer codeseek (format {version}, this one reads {FORMAT})",
                    hint="update codeseek, or drop the index with `codeseek forget`",
                )
            if version or self._all("SELECT count(*) FROM sqlite_master")[0][0]:
                raise Unusable(
                    f"the index of `{root}` is of an older format", hint="make it again with `codeseek index`"
                )
            if read_only:
                raise Missing(f"there is no index of `{root}` yet", hint="make one with `codeseek index`")
            with self.writing():
                for statement in SCHEMA.split(";"):
                    self._all(statement)
                self._all(f"PRAGMA user_version = {FORMAT}")
                self.set_meta(root=os.fsencode(root), created_at=time.time(), generation=0)


# ------------------------------------------------------------ whole indexes


def discard(directory: Path) -> None:
    """Move a database aside that cannot be used, so that a new one can be made. Needs the lock."""
    with translated():
        (directory / DATABASE).replace(directory / _DAMAGED)
        for name in (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", f"{DATABASE}-journal"):
            (directory / name).unlink(missing_ok=True)


def catalogue(data_dir: Path) -> list[Summary]:
    """Return a line for each index in the data folder, the latest first; opens nothing but the databases."""
    found = [_summary(path.parent) for path in sorted(data_dir.glob(f"indexes/*/{DATABASE}"))]
    return sorted(found, key=lambda summary: -(summary.indexed_at or 0))


def _summary(directory: Path) -> Summary:
    size = size_of(directory)
    try:
        with Store.open(directory, directory, read_only=True) as store:
            root = Path(os.fsdecode(store.meta("root") or b""))
            files, chunks = store.size()
            model = str(store.meta("model") or "")
            return Summary(
                root, directory, files, chunks, model, store.meta("created_at"), store.meta("indexed_at"), size
            )
    except StoreError as error:
        return Summary(Path(), directory, 0, 0, "", None, None, size, problem=error.message)


def size_of(directory: Path) -> int:
    """Return how many bytes an index takes on disk."""
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.stat(os.path.join(folder, name)).st_size
    return total


def remove_model(directory: Path, name: str) -> int:
    """Delete what a model beside the bundled one has read; return how many archives that were. Raises `BusyError`."""
    from codeseek import archive

    own = [folder for folder, header in archive.found_in(directory) if header.name == name]
    for folder in own:
        _remove_archive(folder)
    return len(own)


def _remove_archive(folder: Path) -> None:
    from codeseek import archive

    with translated(), WriteLock(folder / archive.LOCK):
        archive.remove(folder)


def remove(directory: Path) -> None:
    """Delete an index, and nothing in the folder that is not ours; raises `BusyError` while it is written."""
    with translated():
        if not directory.is_dir():
            return
        with WriteLock(directory / LOCK):
            for folder in directory.glob("tiers/*/"):
                _remove_archive(folder)
            for pattern in ("words/*.words*", "vectors/*/*.vec*", "vectors/*/*.hnsw*"):
                for path in directory.glob(pattern):
                    path.unlink(missing_ok=True)
            for name in _OURS:
                (directory / name).unlink(missing_ok=True)
        for folder in (*directory.glob("vectors/*"), directory / "words", directory / "vectors", directory):
            with contextlib.suppress(OSError):
                folder.rmdir()
