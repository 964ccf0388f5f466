"""Vectors that are dear to make, by content key: files that only grow, mapped when read, each row with a checksum.

An archive is a folder: `model.json` says whose vectors these are and names the two files with the rows. A row's vector is
made durable first and its key after that, so that whenever a process ends, every key has its vector. The archive is the
truth for its model and owes nothing to the index beside it: that one may be made again, or be of another format.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import re
import secrets
import zlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from codeseek.arrays import Damaged

LOCK = "write.lock"
"""The lock of an archive's folder: one process adds rows at a time, whoever writes the index beside it."""

HEADER = "model.json"
"""Says whose vectors these are; touched whenever they are asked to be completed."""

_FORMAT = 1
_KEY = np.dtype([("key", "<u8"), ("check", "<u4"), ("spare", "<u4")])

Keys = NDArray[np.uint64]
Floats = NDArray[np.float32]
Halves = NDArray[np.float16]
Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Header(NamedTuple):
    """Whose vectors an archive holds.

    `prefix` is how many of a vector's first numbers are searched; `birth` is new whenever rows change their places.
    """

    name: str
    fingerprint: str
    dimensions: int
    prefix: int
    birth: str


class Archive:
    """An archive as it was when opened; rows that are added later are seen by opening it again."""

    def __init__(self, folder: Path, header: Header) -> None:
        """Map the rows that are there; raises FileNotFoundError."""
        self.folder = folder
        self.header = header
        size = 2 * header.dimensions
        vectors, keys = _mapped(_vectors_path(folder, header)), _mapped(_keys_path(folder, header))
        self._map = vectors
        count = min(len(keys) // _KEY.itemsize, len(vectors) // size)
        self._keys = np.frombuffer(keys, _KEY, count) if count else np.zeros(0, _KEY)
        halves = np.frombuffer(vectors, "<f2", count * header.dimensions) if count else np.zeros(0, np.float16)
        self.matrix: Halves = halves.reshape(count, header.dimensions)
        """The vectors, float16, [rows, dimensions]."""

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open an archive; raises FileNotFoundError, and `Damaged` when it is none."""
        return cls(folder, read_header(folder))

    def __len__(self) -> int:
        return len(self._keys)

    @cached_property
    def keys(self) -> Keys:
        """The rows' keys."""
        return np.ascontiguousarray(self._keys["key"])

    def rows_of(self, keys: Keys) -> Rows:
        """Return the row of each key, -1 where there is none."""
        if not len(self):
            return np.full(len(keys), -1, np.int64)
        order, known = self._order
        at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
        return np.where(known[at] == keys, order[at], -1)

    @cached_property
    def _order(self) -> tuple[Rows, Keys]:
        order = np.argsort(self.keys, kind="stable")
        return order, self.keys[order]

    def gather(self, rows: Rows) -> Floats:
        """Return the vectors of rows, float32, [n, dimensions]; the file's pages do not stay in this process's memory."""
        vectors = self.matrix[rows].astype(np.float32)
        if isinstance(self._map, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)
        return vectors

    def sound(self) -> Mask:
        """Read everything, and tell which rows are what was written."""
        return np.fromiter(
            (
                _check(key, vector) == check
                for key, vector, check in zip(self.keys, self.matrix, self._keys["check"], strict=True)
            ),
            bool,
            len(self),
        )


class ArchiveWriter:
    """Adds rows to an archive, which is made if there is none. The caller holds the folder's lock."""

    def __init__(self, folder: Path, name: str, fingerprint: str, dimensions: int, prefix: int) -> None:
        """Open for adding, and cut off what an earlier writer did not finish; raises OSError."""
        self.folder = folder
        wanted = Header(name, fingerprint, dimensions, prefix, secrets.token_hex(8))
        try:
            self.header = read_header(folder)
            if self.header._replace(birth=wanted.birth) != wanted:
                raise Damaged(f"{folder.name}: another model's")
        except (FileNotFoundError, Damaged):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.header = wanted
        vectors, keys = _vectors_path(folder, self.header), _keys_path(folder, self.header)
        count = min(_size(vectors) // (2 * dimensions), _size(keys) // _KEY.itemsize)
        for path, length in ((vectors, count * 2 * dimensions), (keys, count * _KEY.itemsize)):
            _touch(path)
            os.truncate(path, length)
        if self.header is wanted:
            _write_header(folder, wanted)
        self._sweep()

    def append(self, keys: Sequence[int] | Keys, vectors: Halves) -> None:
        """Add rows and make them durable; raises OSError, and leaves the archive as it was."""
        wide = np.ascontiguousarray(vectors, "<f2")
        rows = np.zeros(len(wide), _KEY)
        rows["key"] = keys
        rows["check"] = [_check(key, vector) for key, vector in zip(rows["key"], wide, strict=True)]
        for path, data in (
            (_vectors_path(self.folder, self.header), wide),
            (_keys_path(self.folder, self.header), rows),
        ):
            before = _size(path)
            try:
                with path.open("ab") as file:
                    file.write(data.tobytes())
                    file.flush()
                    os.fsync(file.fileno())
            except BaseException:  # such as a full disk
                os.truncate(path, before)
                raise

    def keep(self, wanted: Mask) -> None:
        """Write the archive anew with the wanted rows alone; readers go on with what they have mapped."""
        archive = Archive(self.folder, self.header)
        old, self.header = self.header, self.header._replace(birth=secrets.token_hex(8))
        try:
            _touch(_vectors_path(self.folder, self.header))
            _touch(_keys_path(self.folder, self.header))
            rows = np.flatnonzero(wanted)
            for start in range(0, len(rows), 4096):
                part = rows[start : start + 4096]
                self.append(archive.keys[part], archive.matrix[part])
            _write_header(self.folder, self.header)
        except BaseException:
            self.header = old
            raise
        finally:
            self._sweep()

    def _sweep(self) -> None:
        """Delete the files of earlier births."""
        for path in self.folder.glob("*.*"):
            if path.suffix in SUFFIXES and not path.name.startswith(self.header.birth):
                path.unlink(missing_ok=True)


SUFFIXES = (".vectors", ".keys", ".prefix", ".hnsw", ".tmp")
"""What lies in an archive's folder beside its header and lock; each name begins with the birth."""


def folder_of(directory: Path, fingerprint: str) -> Path:
    """Return where in an index's folder a model's archive lies."""
    return directory / "tiers" / re.sub(r"[^\w.-]", "_", fingerprint)


def found_in(directory: Path) -> Iterator[tuple[Path, Header]]:
    """Yield the archives in an index's folder."""
    for folder in sorted(directory.glob("tiers/*")):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, Damaged):
            yield folder, read_header(folder)


def state_of(folder: Path) -> tuple[str, int]:
    """Return what changes whenever an archive does: its birth and the length of its keys; ("", 0) where there is none."""
    try:
        header = read_header(folder)
    except (FileNotFoundError, Damaged):
        return "", 0
    return header.birth, _size(_keys_path(folder, header))


def remove(folder: Path) -> None:
    """Delete an archive, and nothing that is not ours; raises OSError."""
    for path in folder.glob("*"):
        if path.suffix in SUFFIXES or path.name in (HEADER, LOCK):
            path.unlink(missing_ok=True)
    for empty in (folder, folder.parent):
        with contextlib.suppress(OSError):
            empty.rmdir()


def read_header(folder: Path) -> Header:
    """Return whose vectors lie in a folder; raises FileNotFoundError, and `Damaged` when it does not say."""
    try:
        table: dict[str, Any] = json.loads((folder / HEADER).read_text("utf-8"))
        if table.pop("format") != _FORMAT:
            raise Damaged(f"{folder.name}: of another format")
        return Header(**table)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Damaged(f"{folder.name}: {HEADER} is not as it was written") from error


def _write_header(folder: Path, header: Header) -> None:
    temporary = folder / f"{header.birth}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        json.dump({"format": _FORMAT, **header._asdict()}, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / HEADER)


def _vectors_path(folder: Path, header: Header) -> Path:
    return folder / f"{header.birth}.vectors"


def _keys_path(folder: Path, header: Header) -> Path:
    return folder / f"{header.birth}.keys"


def _mapped(path: Path) -> mmap.mmap | bytes:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if os.fstat(file.fileno()).st_size else b""


def _touch(path: Path) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _check(key: np.uint64, vector: Halves) -> int:
    return zlib.crc32(vector.tobytes(), zlib.crc32(int(key).to_bytes(8, "little")))
