"""Embedders turn chunks and questions into unit vectors; only the chosen one is imported."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from codeseek.errors import ModelError
from codeseek.records import Chunk

Vectors = NDArray[np.float32]
"""Rows of unit length, [n, dimensions]."""


class Embedder(Protocol):
    """A model that places chunks and questions in one space, so that cosine is likeness."""

    @property
    def name(self) -> str:
        """The model's name in the catalogue."""
        ...

    @property
    def dimensions(self) -> int:
        """The length of a vector."""
        ...

    @property
    def fingerprint(self) -> str:
        """Identifies weights, composition and dimensions: equal fingerprints give equal vectors."""
        ...

    def key(self, chunk: Chunk) -> bytes:
        """Return 16 bytes that identify all of the chunk that its vector depends on."""
        ...

    def embed(self, chunks: Sequence[Chunk]) -> Vectors:
        """Return the chunks' vectors, [n, dimensions], unit rows (zero where there is nothing to embed)."""
        ...

    def embed_query(self, query: str) -> Vectors:
        """Return the question's vector, [dimensions]."""
        ...


@cache
def _bundled() -> Embedder:
    from codeseek.embedders.static import StaticEmbedder

    return StaticEmbedder.bundled()


def load_embedder(name: str = "bundled") -> Embedder:
    """Load a model by its name; raises `ModelError` when there is no such model."""
    if name == "bundled":
        return _bundled()
    raise ModelError(f"unknown model `{name}`", hint="the model in the package is `bundled`")
