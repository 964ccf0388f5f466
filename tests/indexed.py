"""What an index says about its project, in a form that can be compared."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from codeseek import derived
from codeseek.batch import EmbedderSource
from codeseek.indexer import Indexer
from codeseek.local import LocalEngine
from codeseek.records import Chunk, SearchRequest
from codeseek.segments import Segment
from codeseek.settings import Settings
from codeseek.store import Store
from fakes import HashEmbedder

QUESTIONS = ("parse the configuration", "def save", "缓存 cache", "README install", "alpha beta")


class Contents(NamedTuple):
    """Files with their chunks and vectors, what was left out, and what questions find."""

    files: dict[str, list[tuple[Chunk, bytes]]]
    skipped: dict[str, int]
    answers: list[list[tuple[str, int, int, float]]]


def engine_of(root: Path, data: Path, *, workers: int = 1, load: EmbedderSource = HashEmbedder) -> LocalEngine:
    return LocalEngine(root, Settings(data_dir=data, workers=workers), load)


def indexer_of(root: Path, data: Path, *, workers: int = 1, load: EmbedderSource = HashEmbedder) -> Indexer:
    return Indexer(root, Settings(data_dir=data).index_directory(root), load, workers=workers)


def contents(root: Path, data: Path) -> Contents:
    """Read everything in an index, checking on the way that its parts agree."""
    directory = Settings(data_dir=data).index_directory(root)
    files: dict[str, list[tuple[Chunk, bytes]]] = {}
    with Store.open(directory, root, read_only=True) as store:
        snapshot = store.snapshot()
        dead = set(snapshot.dead.tolist())
        alive: list[int] = []
        for name in snapshot.segments:
            segment = Segment.load(store.segment_path(name))
            ids = segment.chunk_ids.tolist()
            assert ids == sorted(ids)
            assert len(ids) == store.segments()[name]
            matrix = derived.load_matrix(store.vectors_path(name, snapshot.fingerprint), len(ids))
            chunks = store.chunks(ids)
            assert set(chunks) == set(ids) - dead
            stored = {number for _, numbered in store.segment_files(name) for number, _ in numbered}
            assert stored == set(chunks)
            for row, number in enumerate(ids):
                if number in chunks:
                    found = files.setdefault(str(chunks[number].path), [])
                    found.append((chunks[number], np.asarray(matrix[row], "<f2").tobytes()))
            alive += chunks
        assert len(alive) == len(set(alive)) == store.size()[1]
        keys = store.keys(alive)
        vectors = store.vectors(snapshot.fingerprint, set(keys.values()))
        by_id = store.chunks(alive)
        for number, key in keys.items():
            assert (by_id[number], vectors[key]) in files[str(by_id[number].path)]
        empty = [path for path, known in store.known_files().items() if not known.reason and path not in files]
        files |= {path: [] for path in empty}
        skipped = dict(store.counts().skipped)
    answers = []
    engine = engine_of(root, data)
    for question in QUESTIONS:
        hits = engine.search(SearchRequest(question)).hits
        places = [(str(h.chunk.path), h.chunk.first_line, h.chunk.last_line, round(h.score, 3)) for h in hits]
        answers.append(sorted(places, key=lambda place: (-place[3], place)))
    engine.close()
    return Contents({path: files[path] for path in sorted(files)}, skipped, answers)


def fresh_contents(root: Path, data: Path) -> Contents:
    """Return what a new index of the project would say."""
    engine = engine_of(root, data)
    engine.refresh()
    engine.close()
    return contents(root, data)
