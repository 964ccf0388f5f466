"""Named arrays in one memory-mapped file: written whole or not at all, checked when opened."""

from __future__ import annotations

import json
import mmap
import os
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_MAGIC = b"codeseek arrays 1\n"
_PREFIX = struct.Struct("<18sIIQ")  # magic, length and CRC of the header, size of the file
_ALIGNMENT = 64


class Damaged(Exception):
    """The file is not what was written; what it held has to be made again."""


def save(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write the arrays to a new private file (0600) and rename it over `path`; raises OSError."""
    contents = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    table: dict[str, tuple[str, tuple[int, ...], int, int]] = {}
    offset = 0
    for name, array in contents.items():
        table[name] = (array.dtype.str, array.shape, offset, zlib.crc32(_bytes(array)))
        offset += -(-array.nbytes // _ALIGNMENT) * _ALIGNMENT
    header = json.dumps(table, separators=(",", ":")).encode()
    start = _data_start(len(header))
    temporary = path.with_name(path.name + ".tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
        with open(descriptor, "wb") as file:
            file.write(_PREFIX.pack(_MAGIC, len(header), zlib.crc32(header), start + offset))
            file.write(header)
            for (_, _, at, _), array in zip(table.values(), contents.values(), strict=True):
                file.write(b"\0" * (start + at - file.tell()))
                file.write(_bytes(array))
            file.write(b"\0" * (start + offset - file.tell()))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def load(path: Path) -> dict[str, Array]:
    """Map the arrays, read-only; raises FileNotFoundError, and `Damaged` when header or length are wrong."""
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size < _PREFIX.size:
            raise Damaged(f"{path.name}: too short")
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    magic, length, checksum, size = _PREFIX.unpack_from(data)
    header = data[_PREFIX.size : _PREFIX.size + length]
    if magic != _MAGIC or size != len(data) or zlib.crc32(header) != checksum:
        raise Damaged(f"{path.name}: not as it was written")
    start = _data_start(length)
    return {
        name: np.frombuffer(data, dtype, count=int(np.prod(shape)), offset=start + at).reshape(shape)
        for name, (dtype, shape, at, _) in json.loads(header).items()
    }


def verify(path: Path) -> None:
    """Read the whole file and raise `Damaged` if any array differs from what was written."""
    arrays = load(path)
    with path.open("rb") as file:
        *_, length, _, _ = _PREFIX.unpack(file.read(_PREFIX.size))
        table = json.loads(file.read(length))
    for name, (*_, checksum) in table.items():
        if zlib.crc32(_bytes(arrays[name])) != checksum:
            raise Damaged(f"{path.name}: `{name}` is not as it was written")


def checksum(path: Path) -> int:
    """Return the CRC of a whole file; raises OSError."""
    value = 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            value = zlib.crc32(block, value)
    return value


def _bytes(array: Array) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


def _data_start(header_length: int) -> int:
    return -(-(_PREFIX.size + header_length) // _ALIGNMENT) * _ALIGNMENT
