"""A batch of files read, cut up, analysed and embedded: the work that can be done in any process."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeseek import chunkers, documents, walker
from codeseek.documents.extractor import Extractor
from codeseek.documents.record import Unfit
from codeseek.embedders import Embedder
from codeseek.errors import StoreError
from codeseek.records import Chunk, Skipped, SourceFile
from codeseek.rows import FileRow, Row, Task, Touched, digest_of, encode_chunks, encode_path
from codeseek.segments import Analysis, analyse
from codeseek.store import Store

EmbedderSource = Callable[[], Embedder]
"""Loads the model; picklable, since worker processes load their own."""

Halves = NDArray[np.float16]


class Rejected(NamedTuple):
    """A file that a look inside showed to be unfit."""

    skipped: Skipped
    checked_ns: int
    language: str


@dataclass(frozen=True, slots=True)
class Model:
    """What the store has to know of the model that made vectors."""

    fingerprint: str
    name: str
    dimensions: int

    @classmethod
    def of(cls, embedder: Embedder) -> Model:
        """Describe a loaded model."""
        return cls(embedder.fingerprint, embedder.name, embedder.dimensions)


@dataclass(slots=True)
class Batch:
    """Files ready for the store: their rows, and of all their chunks in order rows, vectors and analysis."""

    files: list[FileRow] = field(default_factory=list)
    chunks: list[Row] = field(default_factory=list)
    vectors: Halves = field(default_factory=lambda: np.empty((0, 0), np.float16))
    analysis: Analysis | None = None
    model: Model | None = None
    touched: list[Touched] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    @property
    def seen(self) -> int:
        """Files that the batch is about."""
        return len(self.files) + len(self.touched) + len(self.rejected)


@dataclass(frozen=True)
class Recipe:
    """How to prepare batches: from which root, with which model, and which index may know vectors already."""

    root: Path
    load: EmbedderSource
    directory: Path | None = None

    @cached_property
    def embedder(self) -> Embedder:
        """The model, loaded when it is first wanted."""
        return self.load()

    @cached_property
    def extractor(self) -> Extractor:
        """What reads documents, in a process of its own."""
        return Extractor()

    def close(self) -> None:
        """End the process that reads documents, if there is one; it starts again when it is wanted."""
        self.extractor.close()

    def prepare(self, tasks: Sequence[Task], advance: Callable[[str], None] | None = None) -> Batch:
        """Do all the work on some files; `advance` hears each file's path when its turn comes."""
        batch = Batch()
        analysed: list[tuple[SourceFile, Sequence[Chunk]]] = []
        for file, digest in tasks:
            if advance is not None:
                advance(str(file.path))
            self._prepare_file(file, digest, batch, analysed)
        chunks = [chunk for _, found in analysed for chunk in found]
        if chunks:
            batch.analysis = analyse(analysed)
            batch.model = Model.of(self.embedder)
            keys = batch.analysis.keys
            batch.vectors = vectors_of(self.embedder, chunks, keys, self._known_vectors(keys))
            at = 0
            for _, found in analysed:
                batch.chunks += encode_chunks(found, keys[at : at + len(found)])
                at += len(found)
        return batch

    def _prepare_file(
        self, file: SourceFile, digest: bytes, batch: Batch, analysed: list[tuple[SourceFile, Sequence[Chunk]]]
    ) -> None:
        path, checked_ns = encode_path(file.path), time.time_ns()
        is_document = file.language in documents.FORMATS
        try:
            if is_document:
                data = walker.read_bytes(self.root, file)
            else:
                data = walker.read_text(self.root, file).encode("utf-8", "replace")
            found = digest_of(file.language, data)
            if found == digest:
                batch.touched.append(Touched(path, file.size, file.mtime_ns, checked_ns))
                return
            document = self.extractor.read(file.language, data) if is_document else None
        except (walker.Unreadable, Unfit) as error:
            batch.rejected.append(_reject(file, str(error), checked_ns))
            return
        try:
            # text comes back from its bytes without half surrogates, which neither SQLite nor a terminal takes
            chunks = chunkers.cut(file, document) if document else chunkers.chunk(file, data.decode())
        except Exception as error:  # noqa: BLE001  one odd file must not keep the others from the index
            batch.rejected.append(_reject(file, f"could not be cut up: {type(error).__name__}", checked_ns))
            return
        batch.files.append(FileRow(path, file.size, file.mtime_ns, checked_ns, file.language, found, len(chunks)))
        if chunks:
            analysed.append((file, chunks))

    def _known_vectors(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        if self.directory is None:
            return {}
        try:
            with Store.open(self.directory, self.root, read_only=True) as store:
                return store.vectors(self.embedder.fingerprint, set(keys))
        except StoreError:
            return {}


def vectors_of(embedder: Embedder, chunks: Sequence[Chunk], keys: Sequence[bytes], known: dict[bytes, bytes]) -> Halves:
    """Return the chunks' vectors, taking those that are known and embedding the others."""
    matrix = np.zeros((len(chunks), embedder.dimensions), np.float16)
    unknown = []
    for row, key in enumerate(keys):
        vector = known.get(key)
        if vector is not None and len(vector) == 2 * embedder.dimensions:
            matrix[row] = np.frombuffer(vector, "<f2")
        else:
            unknown.append(row)
    if unknown:
        matrix[unknown] = embedder.embed([chunks[row] for row in unknown]).astype(np.float16)
    return matrix


def _reject(file: SourceFile, reason: str, checked_ns: int) -> Rejected:
    return Rejected(Skipped(file.path, reason, file.size, file.mtime_ns), checked_ns, file.language)
