"""The files made from the store: segments of words and matrices of vectors; written, checked, merged and made again."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from codeseek import arrays, vectors
from codeseek.database import translated
from codeseek.reader import SegmentFile, Snapshot
from codeseek.segments import Analysis, Segment, analyse
from codeseek.store import Store
from codeseek.words import Index

if TYPE_CHECKING:
    from codeseek.embedders import Embedder

MERGE_RATIO = 4
"""A segment is merged with those after it when it is at most so many times as large as they are together."""

LARGE_ROWS, LARGEST_ROWS = 3_500, 100_000
"""What is large is left alone: a little less than the indexer makes live at once. No merge makes more than the largest."""

MOST_SEGMENTS = 12
_AT_ONCE = 1024

Matrix = NDArray[np.floating]
Ids = NDArray[np.int64]


def new_name() -> str:
    """Return a name that no segment ever had, so that no reader takes a new file for an old one."""
    return os.urandom(8).hex()


class NewSegment:
    """A segment in the making: first its files, then, in the caller's transaction, its place among the live ones."""

    def __init__(self, store: Store, fingerprint: str, name: str = "") -> None:
        self._store = store
        self._name = name or new_name()
        self._words = store.segment_path(self._name)
        self._matrix = store.vectors_path(self._name, fingerprint)
        self._rows = 0

    def save_words(self, segment: Segment) -> None:
        """Write the words."""
        self._rows = len(segment.chunk_ids)
        with translated():
            segment.save(self._words)

    def save_matrix(self, matrix: Matrix) -> None:
        """Write the vectors, in the order of the words' rows."""
        with translated():
            self._matrix.parent.mkdir(mode=0o700, exist_ok=True)
            arrays.save(self._matrix, {"matrix": np.asarray(matrix, np.float32)})

    def make_live(self, *, instead_of: Sequence[str] = ()) -> None:
        """Let searches see it."""
        self._store.add_segment(self._name, self._rows, instead_of=instead_of)
        with translated():
            self._store.add_derived(self._words)
            self._store.add_derived(self._matrix)


def load_matrix(path: Path, rows: int, dimensions: int | None = None) -> NDArray[np.float32]:
    """Map a segment's matrix; raises FileNotFoundError, and `arrays.Damaged` when it does not fit the segment."""
    matrix = arrays.load(path).get("matrix")
    if matrix is None or matrix.ndim != 2 or len(matrix) != rows or dimensions not in (None, matrix.shape[1]):
        raise arrays.Damaged(f"{path.name}: not this segment's matrix")
    return matrix


def open_words(store: Store, snapshot: Snapshot) -> Index:
    """Open the segments of a moment as one index; raises FileNotFoundError once they are merged, and `arrays.Damaged`."""
    return Index([Segment.load(store.segment_path(name)) for name in snapshot.segments], snapshot.dead)


def open_vectors(store: Store, name: str, fingerprint: str, rows: int) -> vectors.VectorIndex:
    """Open a segment's vectors, with their graph where a sound one is there; raises as `load_matrix` does."""
    path, graph = store.vectors_path(name, fingerprint), graph_path(store, name, fingerprint)
    sound = rows >= vectors.HNSW_ROWS and graph_is_sound(store, graph)
    return vectors.open_index(load_matrix(path, rows), graph if sound else None)


def damaged(store: Store, fingerprint: str, *, thorough: bool = False) -> dict[str, list[str]]:
    """Return the files that are missing or not what was written, by segment.

    A file whose size and time are as recorded is believed, unless `thorough`; any other has its checksums read.
    """
    known = store.derived()
    found = {}
    for name in store.segments():
        paths = (store.segment_path(name), store.vectors_path(name, fingerprint))
        broken = [
            path.relative_to(store.directory).as_posix()
            for path in paths
            if not _is_sound(store, path, known, thorough=thorough)
        ]
        if broken:
            found[name] = broken
    return found


def _is_sound(store: Store, path: Path, known: dict[str, tuple[int, int, int | None]], *, thorough: bool) -> bool:
    name = path.relative_to(store.directory).as_posix()
    try:
        stat = path.stat()
        if thorough or known.get(name, ())[:2] != (stat.st_size, stat.st_mtime_ns):
            arrays.verify(path)
    except (FileNotFoundError, arrays.Damaged):
        return False
    return True


def rebuild(store: Store, embedder: Embedder, names: Sequence[str]) -> None:
    """Make segments again from the store, each under a new name; dead chunks are left out."""
    from codeseek.batch import Model, vectors_of

    model = Model.of(embedder)
    for name in names:
        analyses: list[Analysis] = []
        matrices: list[NDArray[np.float16]] = []
        ids: list[int] = []
        for files in _grouped(store.segment_files(name)):
            chunks = {number: chunk for _, numbered in files for number, chunk in numbered}
            keys = store.keys(list(chunks))
            known = store.vectors(model.fingerprint, set(keys.values()))
            analyses.append(analyse([(file, [chunk for _, chunk in numbered]) for file, numbered in files]))
            matrices.append(vectors_of(embedder, list(chunks.values()), [keys[number] for number in chunks], known))
            ids += chunks
        new = NewSegment(store, model.fingerprint)
        if ids:
            new.save_words(Segment.build(analyses, np.array(ids, np.int64)))
            new.save_matrix(np.concatenate(matrices))
        with store.writing():
            if ids:
                new.make_live(instead_of=[name])
            else:
                store.remove_segments([name])
            store.next_generation()


def _grouped(files: Iterable[SegmentFile]) -> Iterator[list[SegmentFile]]:
    """Yield files in groups that are quick to work on and do not fill the memory."""
    group: list[SegmentFile] = []
    for file in files:
        group.append(file)
        if sum(len(chunks) for _, chunks in group) >= _AT_ONCE:
            yield group
            group = []
    if group:
        yield group


def embed_again(store: Store, embedder: Embedder, advance: Callable[[int], None]) -> None:
    """Give every chunk a vector of a new model; `advance` hears how many more are done."""
    from codeseek.batch import Model, vectors_of

    model = Model.of(embedder)
    lives = []
    for name in store.segments():
        ids = _segment_ids(store, name)
        matrix = np.zeros((len(ids), embedder.dimensions), np.float16)
        for start in range(0, len(ids), _AT_ONCE):
            chunks = store.chunks(ids[start : start + _AT_ONCE].tolist())
            keys = store.keys(list(chunks))
            known = store.vectors(model.fingerprint, set(keys.values()))
            made = vectors_of(embedder, list(chunks.values()), [keys[number] for number in chunks], known)
            matrix[np.searchsorted(ids, np.array(list(chunks), np.int64))] = made
            with store.writing():
                number = store.model_number(model.fingerprint, model.name, model.dimensions)
                store.add_vectors(number, rows_of([keys[number] for number in chunks], made))
            advance(len(chunks))
        path = store.vectors_path(name, model.fingerprint)
        with translated():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            arrays.save(path, {"matrix": matrix.astype(np.float32)})
        lives.append(path)
    with store.writing():
        for path in lives:
            store.add_derived(path)
        store.set_meta(fingerprint=model.fingerprint, dimensions=model.dimensions)
        store.next_generation()


def _segment_ids(store: Store, name: str) -> Ids:
    """Return the numbers of a segment's chunks, dead ones included, in the order of its rows."""
    return Segment.load(store.segment_path(name)).chunk_ids


def rows_of(keys: Sequence[bytes], matrix: NDArray[np.float16]) -> Iterator[tuple[bytes, bytes]]:
    """Yield keys with their vectors as the store keeps them."""
    data, width = np.ascontiguousarray(matrix, "<f2").tobytes(), 2 * matrix.shape[1]
    for row, key in enumerate(keys):
        yield key, data[row * width : (row + 1) * width]


def choose_merge(live: Sequence[int], dead: Sequence[int], *, thorough: bool = False) -> slice | None:
    """Return the neighbours that had better be one segment, None when all is well.

    Small segments are merged with what comes after them as long as sizes do not shrink by `MERGE_RATIO`, so that an edit
    costs little now and on average. Large ones are left alone until they are too many, when the two smallest neighbours
    become one, or until a graph over them is worth its time and that is `thorough`. What is mostly dead is written anew.
    """
    for at, rows in enumerate(live):
        if dead[at] > rows and (thorough or rows <= LARGE_ROWS):
            return slice(at, at + 1)
    if thorough and sum(live) > vectors.SKETCHED_ROWS:
        for group in _groups(live):
            rows, largest = sum(live[group]), max(live[group])
            if largest < rows and largest <= MERGE_RATIO * (rows - largest):
                return group
    start, rows = len(live), 0
    while start and (rows == 0 or live[start - 1] <= min(MERGE_RATIO * rows, LARGE_ROWS)):
        start -= 1
        rows += live[start]
    if len(live) - start > 1:
        return slice(start, len(live))
    if len(live) > MOST_SEGMENTS:
        least = min(range(len(live) - 1), key=lambda at: live[at] + live[at + 1])
        return slice(least, least + 2)
    return None


def _groups(live: Sequence[int]) -> Iterator[slice]:
    """Yield runs of neighbours that are together as large as a segment may be."""
    start = rows = 0
    for at, size in enumerate(live):
        if rows and rows + size > LARGEST_ROWS:
            yield slice(start, at)
            start, rows = at, 0
        rows += size
    if rows:
        yield slice(start, len(live))


def merge(store: Store, fingerprint: str, *, thorough: bool = False) -> int:
    """Merge the segments that had better be one; return how many chunks these held, 0 when all is well."""
    segments, dead = store.segments(), store.dead_in_segments()
    names = list(segments)
    gone = [dead.get(name, 0) for name in names]
    chosen = choose_merge([segments[name] - dead.get(name, 0) for name in names], gone, thorough=thorough)
    if chosen is None:
        return 0
    old = names[chosen]
    dead_ids = store.snapshot().dead
    parts = [Segment.load(store.segment_path(name)) for name in old]
    merged = Segment.merge(parts, dead_ids)
    new = None
    if len(merged.chunk_ids):
        alive = [~np.isin(part.chunk_ids, dead_ids) for part in parts]
        new = NewSegment(store, fingerprint)
        new.save_words(merged)
        del merged, parts  # the matrices need the memory
        matrices = [
            load_matrix(store.vectors_path(name, fingerprint), len(rows))[rows]
            for name, rows in zip(old, alive, strict=True)
        ]
        new.save_matrix(np.concatenate(matrices))
    with store.writing():
        if new is not None:
            new.make_live(instead_of=old)
        else:
            store.remove_segments(old)
        store.forget_unused_vectors()
        store.next_generation()
    return sum(segments[name] for name in old)


def wanted_graphs(store: Store, fingerprint: str) -> dict[str, int]:
    """Return the segments that are large enough for a graph and have no sound one, with their rows."""
    if not vectors.has_hnswlib() or store.size()[1] <= vectors.SKETCHED_ROWS:
        return {}
    return {
        name: rows
        for name, rows in store.segments().items()
        if rows >= vectors.HNSW_ROWS and not graph_is_sound(store, graph_path(store, name, fingerprint), thorough=True)
    }


def build_graphs(store: Store, fingerprint: str, wanted: Mapping[str, int], advance: Callable[[int], None]) -> None:
    """Build a graph beside the matrix of each segment named; `advance` hears of rows done."""
    for name, rows in wanted.items():
        graph = graph_path(store, name, fingerprint)
        matrix = load_matrix(store.vectors_path(name, fingerprint), rows)
        with translated():
            vectors.HnswIndex.build(matrix, graph, advance)
            with store.writing():
                store.add_derived(graph, arrays.checksum(graph))


def graph_path(store: Store, name: str, fingerprint: str) -> Path:
    """Return where the graph over a segment's vectors lies, if there is one."""
    return store.vectors_path(name, fingerprint).with_suffix(".hnsw")


def graph_is_sound(store: Store, graph: Path, *, thorough: bool = False) -> bool:
    """Tell whether a graph is what was written; hnswlib itself would crash on a damaged one."""
    known = store.derived().get(graph.relative_to(store.directory).as_posix())
    try:
        stat = graph.stat()
    except FileNotFoundError:
        return False
    if known is None:
        return False
    if thorough or known[:2] != (stat.st_size, stat.st_mtime_ns):
        return known[2] == arrays.checksum(graph)
    return True


def sweep(store: Store, fingerprint: str) -> None:
    """Delete the files that no live segment owns: left by a crash, a merge or another model."""
    live = set()
    for name in store.segments():
        live |= {
            store.segment_path(name),
            store.vectors_path(name, fingerprint),
            graph_path(store, name, fingerprint),
        }
    gone = [path for folder in ("words/*", "vectors/*/*") for path in store.directory.glob(folder) if path not in live]
    for path in gone:
        with contextlib.suppress(OSError):  # on Windows a reader may still have it mapped: another time
            path.unlink()
    for other in store.directory.glob("vectors/*"):
        with contextlib.suppress(OSError):
            other.rmdir()
    names = [path.relative_to(store.directory).as_posix() for path in gone]
    if known := store.derived().keys() & set(names):
        store.remove_derived(known)
