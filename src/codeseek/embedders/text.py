"""Models that embed one text: a chunk as a passage under its path and name, a question in the model's own template.

What runs the model (llama.cpp, ONNX Runtime, a server) is a `TextModel`; composition, templates and Matryoshka
prefixes are here, once for all of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from codeseek.catalogue import ModelSpec
from codeseek.embedders import Vectors
from codeseek.records import Chunk

PREFIX = 256
"""So many numbers of a Matryoshka vector are searched; its recall after measuring again: `tests/bench/tiers.py`."""

_COMPOSITION = "passage-1"


class TextModel(Protocol):
    """What turns text into vectors. Over-long texts are split and pooled; every other failure is a `ModelError`."""

    @property
    def identity(self) -> str:
        """Identifies weights and pooling: all that a text's vector depends on beside the text."""
        ...

    @property
    def dimensions(self) -> int:
        """The length of a vector as the model makes it."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """What the user should hear of, each said once."""
        ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, [n, dimensions]; zeros for a text without a single token. Order is kept."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int] | None:
        """Count the tokens of texts, without those that the model wants at the ends; None without a tokenizer of its own."""
        ...

    def close(self) -> None:
        """Let go of memory, processes and connections."""
        ...


class TextEmbedder:
    """Embeds chunks and questions with a `TextModel`."""

    def __init__(self, spec: ModelSpec, model: TextModel, *, dimensions: int = 0, task: str = "") -> None:
        """`dimensions` shortens vectors (0: as the model makes them); `task` is a name in `spec.tasks` or free words.

        Raises `ModelError` when the model does not make vectors that short.
        """
        self.name = spec.name
        self.dimensions = dimensions or model.dimensions
        self._model = model
        self._query = spec.template(task)
        self._document = spec.document
        self.prefix = min(self.dimensions, PREFIX) if spec.least_dimensions else self.dimensions
        spec._replace(dimensions=model.dimensions).check_dimensions(self.dimensions)

    @property
    def fingerprint(self) -> str:
        """Identifies weights, pooling, composition, template of documents and dimensions."""
        parts = (self._model.identity, _COMPOSITION, self._document, str(self.dimensions))
        digest = hashlib.blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()
        return f"{self.name}-{self.dimensions}-{digest}"

    @property
    def notes(self) -> Sequence[str]:
        """What the user should hear of."""
        return self._model.notes

    def embed(self, chunks: Sequence[Chunk]) -> Vectors:
        """Return unit vectors, [n, dimensions]."""
        return self._cut(self._model.encode([self._document.replace("{text}", passage(chunk)) for chunk in chunks]))

    def embed_query(self, query: str) -> NDArray[np.float32]:
        """Return the question's unit vector, [dimensions]."""
        vector: NDArray[np.float32] = self._cut(self._model.encode([self._query.replace("{text}", query)]))[0]
        return vector

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, [n, dimensions]; no template is put around the texts."""
        return self._cut(self._model.encode(texts))

    def count_tokens(self, texts: Sequence[str]) -> list[int] | None:
        """Count the tokens of texts; None without a tokenizer here."""
        return self._model.count_tokens(texts)

    def close(self) -> None:
        """Let go of the model."""
        self._model.close()

    def _cut(self, rows: Vectors) -> Vectors:
        if self.dimensions == rows.shape[1]:
            return rows
        short = rows[:, : self.dimensions]
        norms = np.linalg.norm(short, axis=1, keepdims=True)
        unit: Vectors = (short / np.where(norms > 0, norms, 1)).astype(np.float32)
        return unit


def passage(chunk: Chunk) -> str:
    """Return what of a chunk is embedded: where it lies and what it is called, then its text."""
    names = " > ".join((*chunk.breadcrumb, chunk.symbol) if chunk.kind == "section" else (chunk.symbol,))
    head = f"{chunk.path}\n{names}\n" if names else f"{chunk.path}\n"
    return head + chunk.text
