"""The chosen model beside the index: loaded when it is first wanted, its vectors found, its questions remembered."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codeseek import archive as archives
from codeseek import embedding
from codeseek.archive import Archive, Header
from codeseek.arrays import Damaged
from codeseek.embedders import Embedder
from codeseek.errors import ModelError
from codeseek.progress import Reporter
from codeseek.records import EmbedSummary, ModelStatus
from codeseek.searcher import LONGEST_QUERY, Tier
from codeseek.store import Store, size_of
from codeseek.tier import TierIndex
from codeseek.words import Index

_REMEMBERED = 256  # questions
_ENOUGH = 0.95
"""From this share of chunks covered on an answer is whole: a few that were edited since are ranked by the bundled model."""

Floats = NDArray[np.float32]


class Chosen:
    """A model that answers beside the bundled one. Its methods may be called in several threads."""

    def __init__(self, directory: Path, name: str, load: Callable[[], Embedder]) -> None:
        """`directory` is the index's folder; `load` raises `ModelError`."""
        self.name = name
        self._directory = directory
        self._load = load
        self._turn = threading.Lock()  # held while the model is loaded or works
        self._embedder: Embedder | None = None
        self._remembered: OrderedDict[str, Floats] = OrderedDict()
        self._failure = ""
        self._news: tuple[str, ...] = ()

    def state(self) -> tuple[object, ...]:
        """Return what changes whenever there is something new to open."""
        found = self._found()
        return () if found is None else (found[0], *archives.state_of(found[0]))

    def prepare(self, query: str) -> None:
        """Embed a question, so that the next search for it has its vector; a failure is told by `weaknesses`."""
        query = query[:LONGEST_QUERY]
        found = self._found()
        if query in self._remembered or found is None:
            return
        with self._turn:
            self._failure = ""
            try:
                embedder = self._loaded()
                if embedder.fingerprint != found[1].fingerprint:
                    raise ModelError("its vectors are of another form of it; `codeseek index` makes them anew")
                before = set(embedder.notes)  # told when it read the project
                self._remembered[query] = embedder.embed_query(query)
                self._news = tuple(note for note in embedder.notes if note not in before)
            except ModelError as error:
                self._failure = f"{error.message}{f' ({error.hint})' if error.hint else ''}"
            while len(self._remembered) > _REMEMBERED:
                self._remembered.popitem(last=False)

    def open(self, index: Index) -> Tier | None:
        """Open the vectors that there are, None if there are none."""
        found = self._found()
        if found is None:
            return None
        try:
            tier = TierIndex(index, Archive.open(found[0]))
        except (FileNotFoundError, Damaged):  # it is being deleted
            return None
        return Tier(self.name, tier, self._remembered.get) if tier.covered else None

    def weaknesses(self, tier: Tier | None, *, answered: bool) -> tuple[str, ...]:
        """Say what keeps the model from answering, or from answering for all chunks."""
        if tier is None:
            return (f"`{self.name}` has read nothing here yet: `codeseek index` lets it",)
        if self._failure and not answered:
            return (f"answered without `{self.name}`: {self._failure}",)
        share = tier.vectors.coverage
        return (
            () if share >= _ENOUGH else (f"`{self.name}` has read {share:.0%} of the chunks: `codeseek index` goes on",)
        )

    def take_notes(self) -> tuple[str, ...]:
        """Return what the last question made the model say, once."""
        news, self._news = self._news, ()
        return news

    def embed(self, store: Store, reporter: Reporter) -> EmbedSummary:
        """Embed what has no vector yet; raises `ModelError`, `BusyError` and `StoreError`."""
        with self._turn:
            embedder = self._loaded()
        summary = embedding.embed(store, embedder, reporter, self._turn)
        os.utime(archives.folder_of(self._directory, embedder.fingerprint) / archives.HEADER)
        return summary

    def count_tokens(self, texts: Sequence[str]) -> list[int] | None:
        """Count the tokens of texts; None where the model cannot, or cannot be loaded, of which a search tells."""
        with self._turn:
            try:
                return self._loaded().count_tokens(texts)
            except ModelError:
                return None

    def close(self) -> None:
        """Let go of the model."""
        if self._embedder is not None:
            self._embedder.close()
            self._embedder = None

    def _loaded(self) -> Embedder:
        if self._embedder is None:
            self._embedder = self._load()
        return self._embedder

    def _found(self) -> tuple[Path, Header] | None:
        """Return the archive of the model that was used last, which is known without loading it."""
        own = [(folder, header) for folder, header in archives.found_in(self._directory) if header.name == self.name]
        return max(own, key=lambda item: (item[0] / archives.HEADER).stat().st_mtime_ns, default=None)


def statuses(store: Store, index: Index, chosen: str) -> tuple[ModelStatus, ...]:
    """Say which models beside the bundled one have vectors in an index, and of how much."""
    found = []
    for folder, header in archives.found_in(store.directory):
        try:
            tier = TierIndex(index, Archive.open(folder))
        except (FileNotFoundError, Damaged):
            continue
        found.append(
            ModelStatus(
                header.name, header.dimensions, tier.covered, tier.coverable, size_of(folder), header.name == chosen
            )
        )
    return tuple(found)
