"""A GGUF file that is a header and nothing to compute with: enough for what reads headers."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

_TINY: dict[str, str | int] = {
    "general.architecture": "bert",
    "general.name": "Tiny",
    "general.file_type": 1,
    "bert.context_length": 512,
    "bert.embedding_length": 384,
    "bert.pooling_type": 1,
}


def write_gguf(path: Path, changes: Mapping[str, str | int] = {}) -> Path:
    """Write a file whose table has these keys besides those of a tiny BERT, and lists of words and numbers."""
    table = _TINY | dict(changes)
    data = b"GGUF" + struct.pack("<IQQ", 3, 0, len(table) + 2)
    data += _key("tokenizer.ggml.tokens", 9) + struct.pack("<IQ", 8, 3) + b"".join(map(_text, ("a", "b", "中")))
    data += _key("tokenizer.ggml.scores", 9) + struct.pack("<IQ3f", 6, 3, 0, 1, 2)
    for key, value in table.items():
        data += _key(key, 8) + _text(value) if isinstance(value, str) else _key(key, 4) + struct.pack("<I", value)
    path.write_bytes(data + b"\0" * 32)
    return path


def _key(name: str, kind: int) -> bytes:
    return _text(name) + struct.pack("<I", kind)


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()
