"""The teacher of English: sentence-transformers/all-MiniLM-L6-v2 as a GGUF file, run by the program's own engine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

VERSION = 1
SENTENCES = 4000
LONGEST = 120
_AT_ONCE = 512


class Teacher(Protocol):
    """Turns texts into vectors, [texts, dimensions]."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return a vector for each text."""
        ...


def load(path: Path, threads: int) -> Teacher:
    """Load the model; raises `codeseek.errors.ModelError`."""
    from codeseek.embedders.gguf import GgufSource

    return GgufSource(path, "mean", threads=threads).load()


def encode(teacher: Teacher, texts: Sequence[str]) -> NDArray[np.float32]:
    """Return the vectors of many texts."""
    parts = [teacher.encode(texts[start : start + _AT_ONCE]) for start in range(0, len(texts), _AT_ONCE)]
    return np.concatenate(parts).astype(np.float32)
