"""Embedders turn chunks and questions into unit vectors; only the chosen one is imported."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from codeseek import catalogue
from codeseek.catalogue import ModelSpec
from codeseek.errors import ModelError
from codeseek.records import Chunk
from codeseek.settings import BUNDLED, Settings

if TYPE_CHECKING:
    from codeseek.embedders.text import TextModel

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

    @property
    def prefix(self) -> int:
        """How many of a vector's first numbers are searched where there are many; all, unless a prefix is a vector too."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """What the user should hear of, such as text that was too long or leaves this machine."""
        ...

    def embed(self, chunks: Sequence[Chunk]) -> Vectors:
        """Return the chunks' vectors, [n, dimensions], unit rows (zero where there is nothing to embed)."""
        ...

    def embed_query(self, query: str) -> Vectors:
        """Return the question's vector, [dimensions]."""
        ...

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of texts as they are, neither chunk nor question, [n, dimensions], unit rows or zero."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int] | None:
        """Count the tokens of texts, without those that the model wants at the ends; None without a tokenizer of its own."""
        ...

    def close(self) -> None:
        """Let go of memory, processes and connections."""
        ...


class Choice(NamedTuple):
    """A model as the user chose it, with how to run it. Empty and 0 stand for what the model's card recommends.

    `gpu_layers` is how many layers go to the graphics card (-1: as many as fit), `threads` 0 is one for each core;
    `offline` forbids a model that is reached over the network.
    """

    name: str = BUNDLED
    variant: str = ""
    dimensions: int = 0
    task: str = ""
    gpu_layers: int = -1
    threads: int = 0
    offline: bool = False
    data_dir: Path = Path()

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return what the settings choose."""
        return cls(
            settings.model,
            settings.quant,
            settings.dimensions,
            settings.task,
            settings.gpu_layers,
            settings.threads,
            settings.offline,
            settings.data_dir,
        )


@cache
def bundled() -> Embedder:
    """Load the model in the package, once a process; raises `ModelError` if it is damaged."""
    from codeseek.embedders.static import StaticEmbedder

    return StaticEmbedder.bundled()


def load_embedder(choice: Choice) -> Embedder:
    """Load a model; raises `ModelError` when there is no such model, it is not installed, or it does not work."""
    if choice.name == BUNDLED:
        return bundled()
    from codeseek.embedders.text import TextEmbedder

    spec = catalogue.find(choice.name)
    return TextEmbedder(spec, _load_text_model(spec, choice), dimensions=choice.dimensions, task=choice.task)


def _load_text_model(spec: ModelSpec, choice: Choice) -> TextModel:
    variant = spec.variant(choice.variant)
    if variant.engine == "gguf":
        from codeseek.embedders import gguf, on_disk

        gguf.check_installed()
        source = gguf.GgufSource(
            on_disk.path(spec, variant, choice.data_dir),
            spec.pooling,
            spec.dimensions,
            spec.context,
            spec.architecture,
            choice.gpu_layers,
            choice.threads,
        )
        return on_disk.load(spec, variant, choice.data_dir, source, gguf.ENVIRONMENT)
    if variant.engine == "onnx":
        from codeseek.embedders import onnx

        return onnx.load(spec, variant, choice)
    if variant.engine == "remote":
        from codeseek.embedders import remote

        return remote.load(spec, variant, choice)
    raise ModelError(f"`{spec.name}` runs on no engine of ours", hint="choose another variant")
