"""The other write path: give chunks vectors of a model that takes its time, in small durable steps."""

from __future__ import annotations

import contextlib
import time
from contextlib import AbstractContextManager

import numpy as np
from numpy.typing import NDArray

from codeseek import archive as archives
from codeseek import tier
from codeseek.archive import Archive, ArchiveWriter
from codeseek.database import translated
from codeseek.derived import open_words
from codeseek.embedders import Embedder
from codeseek.errors import StoreError
from codeseek.lock import WriteLock
from codeseek.progress import Reporter
from codeseek.records import EmbedSummary
from codeseek.store import Store
from codeseek.tier import TierIndex
from codeseek.words import Index

STEP_S = 1.5
"""About so long is a step: what an interruption can cost, and how often progress is told."""

_FIRST_STEP, _LARGEST_STEP = 16, 2048  # chunks; a large server is asked for a thousand at once
_ATTEMPTS = 8
_ROUNDS = 3  # the index may change while it is being embedded
_SPARE = 2_000  # rows that no chunk needs now, beside as many as are needed, are kept for going back and forth

Mask = NDArray[np.bool_]


def embed(store: Store, embedder: Embedder, reporter: Reporter, turn: AbstractContextManager[object]) -> EmbedSummary:
    """Embed what has no vector yet, and write what makes searching quick.

    Each step is durable; `turn` is entered for each, so that questions get theirs in between. Raises `BusyError` when
    another process is at it, `ModelError`, and `StoreError`.
    """
    started = time.perf_counter()
    folder = archives.folder_of(store.directory, embedder.fingerprint)
    done = 0
    with translated():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with WriteLock(folder / archives.LOCK):
            writer = ArchiveWriter(folder, embedder.name, embedder.fingerprint, embedder.dimensions, embedder.prefix)
            _tidy(writer, _open_words(store))
            for _ in range(_ROUNDS):
                if not (count := _embed_missing(store, writer, embedder, reporter, turn)):
                    break
                done += count
            archive = Archive.open(folder)
            reporter.start("merge", len(archive))
            tier.write_prefixes(archive, thorough=True, advance=reporter.advance)
    now = TierIndex(_open_words(store), archive)
    return EmbedSummary(
        embedder.name, done, now.covered, now.coverable, time.perf_counter() - started, tuple(embedder.notes)
    )


def _embed_missing(
    store: Store, writer: ArchiveWriter, embedder: Embedder, reporter: Reporter, turn: AbstractContextManager[object]
) -> int:
    """Embed the chunks of the index as it is now; return how many were embedded."""
    index = _open_words(store)
    keys, ids = index.column("chunk_key"), index.chunk_ids
    known = TierIndex(index, Archive.open(writer.folder))
    missing = np.flatnonzero(known.can_cover & (known.row_of < 0))
    if not len(missing):
        return 0
    reporter.start("embed", len(missing))
    step, at, done = _FIRST_STEP, 0, 0
    while at < len(missing):
        rows = missing[at : at + step]
        at += len(rows)
        began = time.perf_counter()
        chunks = store.chunks(ids[rows].tolist())  # some may be no more
        there = rows[[number in chunks for number in ids[rows].tolist()]]
        if len(there):
            with turn:
                vectors = embedder.embed([chunks[number] for number in ids[there].tolist()])
            writer.append(keys[there], vectors.astype(np.float16))
            done += len(there)
            tier.write_prefixes(Archive.open(writer.folder))
        reporter.advance(len(rows), index.paths[int(index.chunk_file[rows[-1]])])
        pace = STEP_S / max(time.perf_counter() - began, 1e-3)
        step = max(1, min(_LARGEST_STEP, 2 * step, round(step * pace)))
    return done


def _open_words(store: Store) -> Index:
    """Open the index as it is now; another process may be merging its segments."""
    for _ in range(_ATTEMPTS):
        with contextlib.suppress(FileNotFoundError):
            return open_words(store, store.snapshot())
    raise StoreError("the index is damaged: a part of it is missing", hint="make it again with `codeseek index`")


def _tidy(writer: ArchiveWriter, index: Index) -> None:
    """Drop rows that are not what was written, and the oldest that no chunk needs when these are too many."""
    archive = Archive.open(writer.folder)
    wanted = archive.sound()
    used = np.isin(archive.keys, index.column("chunk_key")[index.alive])
    spare = np.flatnonzero(wanted & ~used)
    most = int(used.sum()) + _SPARE
    wanted[spare[: max(0, len(spare) - most)]] = False
    if not wanted.all():
        writer.keep(wanted)
