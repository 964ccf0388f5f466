"""What a file of weights says of itself: a GGUF file's header, and whether a file is what its name says."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from codeseek.errors import ModelError

_MAGIC = b"GGUF"
_PAGE = (b"<!doctype", b"<html", b"<?xml")
_PLAIN = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9
_LONGEST = 1 << 24  # bytes of a text, items of an array: more is a damaged file
_POOLING = {1: "mean", 2: "cls", 3: "last"}
_QUANTISATIONS = (
    "F32 F16 Q4_0 Q4_1 - - - Q8_0 Q5_0 Q5_1 Q2_K Q3_K_S Q3_K_M Q3_K_L Q4_K_S Q4_K_M Q5_K_S Q5_K_M Q6_K".split()
)
"""What `general.file_type` says by its number, as far as files are published; `-` was given up."""


class Header(NamedTuple):
    """What a GGUF file says of its model; empty or 0 where it says nothing."""

    architecture: str
    name: str
    licence: str
    quantisation: str
    dimensions: int
    context: int
    pooling: str


def read_header(path: Path) -> Header:
    """Read a GGUF file's header; raises `ModelError` when it is no such file or is cut off."""
    try:
        with path.open("rb") as file:
            if file.read(4) != _MAGIC:
                raise ModelError(f"`{path}` is not a GGUF file", hint=_hint(path))
            return _header(_Reader(file).table())
    except (OSError, ValueError, KeyError, RecursionError) as error:
        raise ModelError(f"`{path}` cannot be read as a GGUF file: {error}", hint="fetch it again") from error


def check(path: Path, name: str) -> None:
    """Raise `ModelError` if a file's first bytes are not those of what its name says."""
    with path.open("rb") as file:
        start = file.read(64)
    if start.lstrip().lower().startswith(_PAGE):
        raise ModelError(
            f"`{name}` is a web page, not the model's file", hint="open its address in a browser to see why"
        )
    if (name.endswith(".gguf") and not start.startswith(_MAGIC)) or (name.endswith(".onnx") and start[:1] != b"\x08"):
        raise ModelError(f"`{name}` is not {name[-4:].upper()}", hint=_hint(path))


def _hint(path: Path) -> str:
    small = path.stat().st_size < 1 << 12
    return "it may be the pointer that stands for the file in git: fetch the file itself" if small else "fetch it again"


class _Reader:
    """Reads the key-value table; numbers are little-endian, as on every machine that llama.cpp's users have."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._readers: dict[int, Callable[[], Any]] = {_STRING: self._text, _ARRAY: self._skipped_array}

    def table(self) -> dict[str, Any]:
        version, _, keys = (self._number(sign) for sign in ("<I", "<Q", "<Q"))
        if version not in (2, 3) or keys > _LONGEST:
            raise ValueError(f"version {version}")
        return {self._text(): self._value(self._number("<I")) for _ in range(keys)}

    def _value(self, kind: int) -> Any:
        if kind in self._readers:
            return self._readers[kind]()
        return self._number(_PLAIN[kind])

    def _number(self, sign: str) -> Any:
        return struct.unpack(sign, self._bytes(struct.calcsize(sign)))[0]

    def _text(self) -> str:
        return self._bytes(self._number("<Q")).decode("utf-8", "replace")

    def _bytes(self, count: int) -> bytes:
        data = self._file.read(count) if count <= _LONGEST else b""
        if len(data) != count:
            raise ValueError("its header is cut off or damaged")
        return data

    def _skipped_array(self) -> None:
        """Pass an array by: what we want to know is never in one."""
        kind, count = self._number("<I"), self._number("<Q")
        if count > _LONGEST:
            raise ValueError("its header is damaged")
        if kind in _PLAIN:
            self._bytes(struct.calcsize(_PLAIN[kind]) * count)
        else:
            for _ in range(count):
                self._value(kind)


def _header(table: dict[str, Any]) -> Header:
    architecture = str(table.get("general.architecture", ""))

    def number(key: str) -> int:
        value = table.get(f"{architecture}.{key}")
        return value if isinstance(value, int) else 0

    return Header(
        architecture=architecture,
        name=str(table.get("general.name", "")),
        licence=str(table.get("general.license", "")),
        quantisation=dict(enumerate(_QUANTISATIONS)).get(table.get("general.file_type", -1), "").strip("-"),
        dimensions=number("embedding_length"),
        context=number("context_length"),
        pooling=_POOLING.get(number("pooling_type"), ""),
    )
