"""The embedding models of a server by name: loaded with the first text for them, each used in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from codeseek import catalogue
from codeseek.embedders import Choice, Embedder, Vectors, load_embedder
from codeseek.serve.answers import Refusal
from codeseek.serve.pool import Pool
from codeseek.settings import BUNDLED, Settings

_PATIENCE_S = 600.0
"""A large model reads thousands of texts for minutes."""


class Models:
    """The bundled model and the chosen one."""

    def __init__(self, choices: Mapping[str, Choice], load: Callable[[Choice], Embedder] = load_embedder) -> None:
        self._choices = choices
        self._pools = {name: Pool(threads=1, patience_s=_PATIENCE_S) for name in choices}
        self._load = load
        self._loaded: dict[str, Embedder] = {}

    @property
    def names(self) -> list[str]:
        """Return the names, that of the chosen model first."""
        return list(self._choices)

    def checked(self, name: str) -> str:
        """Return the name of a model that is here; raises `Refusal` for another."""
        if name not in self._choices:
            known = ", ".join(f"`{known}`" for known in self._choices)
            raise Refusal(
                404, f"the model `{name}` does not exist here; there is {known}", param="model", code="model_not_found"
            )
        return name

    async def embed(self, name: str, texts: Sequence[str], dimensions: int = 0) -> Vectors:
        """Return unit vectors of texts as they are, cut to `dimensions` (0: whole); raises `Refusal`, `ModelError`."""
        return await self._pools[self.checked(name)].run(self._embedded, name, texts, dimensions)

    def close(self) -> None:
        """Begin nothing any more; let go of the models when what is begun has ended."""
        for pool in self._pools.values():
            pool.close()
        for embedder in self._loaded.values():
            embedder.close()

    def _embedded(self, name: str, texts: Sequence[str], dimensions: int) -> Vectors:
        if name not in self._loaded:
            self._loaded[name] = self._load(self._choices[name])
        embedder = self._loaded[name]
        _check_dimensions(name, dimensions, embedder.dimensions)
        vectors = embedder.embed_texts(texts)
        return vectors if dimensions in (0, vectors.shape[1]) else _normalised(vectors[:, :dimensions])


def choices(settings: Settings) -> dict[str, Choice]:
    """Return the chosen model and the bundled one by name."""
    return {settings.model: Choice.of(settings)} | {BUNDLED: Choice()}


def _check_dimensions(name: str, wanted: int, whole: int) -> None:
    if wanted in (0, whole):
        return
    least = catalogue.find(name).least_dimensions
    if not 0 < least <= wanted < whole:
        may = f"from {least} to {whole}" if least else f"only whole, with {whole}"
        raise Refusal(400, f"vectors of `{name}` come {may} dimensions, not with {wanted}", param="dimensions")


def _normalised(rows: Vectors) -> Vectors:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Vectors = (rows / np.where(norms > 0, norms, 1)).astype(np.float32)
    return unit
