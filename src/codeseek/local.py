"""LocalEngine: search in this process; owns the store, the model and the write lock."""

from __future__ import annotations

import functools
import itertools
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from codeseek import documents
from codeseek import store as stores
from codeseek.database import Unusable
from codeseek.errors import StoreError, UsageError
from codeseek.indexer import Indexer
from codeseek.languages import language_of_name
from codeseek.progress import Reporter
from codeseek.records import (
    ESTIMATE,
    UNFINISHED,
    WHOLE,
    Chunk,
    DuplicatesRequest,
    DuplicatesResult,
    EmbedSummary,
    Freshness,
    ModelStatus,
    ProgressListener,
    RefreshSummary,
    SearchRequest,
    SearchResult,
    SimilarRequest,
    Status,
    TokenCounts,
)
from codeseek.settings import BUNDLED, Settings
from codeseek.store import Store
from codeseek.walker import IGNORED, WalkOptions

if TYPE_CHECKING:
    from codeseek.chosen import Chosen
    from codeseek.embedders import Embedder
    from codeseek.searcher import Searcher, Tier

_MOST_UNREAD = 100
_LAYOUT = frozenset("src source sources lib libs include app apps core packages pkg main master trunk code".split())
_ATTEMPTS = 8  # an index may be merged or found damaged while it is being read


def _name_of(root: Path) -> str:
    """Return what a project is called: its folder's name, the one above if that only tells how projects are laid out."""
    return root.parent.name if root.name.lower() in _LAYOUT else root.name


def _load_bundled() -> Embedder:
    from codeseek.embedders import bundled

    return bundled()


def _load_chosen(settings: Settings) -> Embedder:
    from codeseek.embedders import Choice, load_embedder

    return load_embedder(Choice.of(settings))


class _Reading(NamedTuple):
    """One state of the index, mapped; `tier` is what the chosen model knows, `state` the state of that.

    `weaknesses` say what speaks against its answers.
    """

    searcher: Searcher
    generation: int
    indexed_at: float | None
    tier: Tier | None
    state: object
    weaknesses: tuple[str, ...]


class LocalEngine:
    """Search over the project at `root`. Opens lazily: the model with the first question, workers with much to index.

    Searching and refreshing may go on in different threads at once. `load` stands in for the bundled model,
    `load_chosen` for the model of the settings where that is another.
    """

    def __init__(
        self,
        root: Path,
        settings: Settings,
        load: Callable[[], Embedder] = _load_bundled,
        load_chosen: Callable[[], Embedder] | None = None,
    ) -> None:
        self.root = root
        self._settings = settings
        self._directory = settings.index_directory(root)
        self._load = load
        self._load_chosen = load_chosen or functools.partial(_load_chosen, settings)
        self._indexer = Indexer(
            root,
            self._directory,
            self._load,
            BUNDLED,
            WalkOptions(settings.max_file_bytes, settings.max_document_bytes, settings.ignore),
            settings.workers,
        )
        self._guard = threading.RLock()  # over the four below
        self._store: Store | None = None
        self._embedder: Embedder | None = None
        self._reading: _Reading | None = None
        self._generation = -1  # of the state last looked at
        self._freshness: Freshness = "unknown"

    def search(self, request: SearchRequest) -> SearchResult:
        """Answer from the index as it is; raises `StoreError` when there is none or it cannot be mended."""
        if self._chosen is not None and not request.quick and request.arm != "lexical":
            self._chosen.prepare(request.query)
        return self._answer(lambda reading, _: reading.searcher.search(request), quick=request.quick)

    def similar(self, request: SimilarRequest) -> SearchResult:
        """Find chunks that mean the same as the one at a place; raises `UsageError` when there is none."""

        def answer(reading: _Reading, store: Store) -> SearchResult:
            number = store.chunk_at(request.path, request.line)
            if number is None:
                raise UsageError(
                    f"nothing is indexed at `{request.path}:{request.line}`", hint="name a line of an indexed file"
                )
            return reading.searcher.similar(request, number)

        return self._answer(answer)

    def chunks(self, path: PurePosixPath, first_line: int, last_line: int) -> tuple[Chunk, ...]:
        """Return what is indexed of these lines of a file; raises `StoreError` when there is no index."""
        with Store.open(self._directory, self.root, read_only=True) as store:
            found = store.chunks(store.chunks_over(path, first_line, last_line))
            return tuple(chunk for _, chunk in sorted(found.items()))

    def count_tokens(self, texts: Sequence[str]) -> TokenCounts:
        """Count the tokens of texts: by the chosen model's tokenizer where it has one and works, else by an estimate."""
        counts = self._chosen.count_tokens(texts) if self._chosen is not None else None
        if self._chosen is not None and counts is not None:
            return TokenCounts(self._chosen.name, tuple(counts))
        from codeseek import budget

        return TokenCounts(ESTIMATE, tuple(map(budget.tokens, texts)))

    def duplicates(self, request: DuplicatesRequest, listener: ProgressListener | None = None) -> DuplicatesResult:
        """Find passages and files that are nearly the same; raises `StoreError` when there is no index."""
        from codeseek import duplicates

        with Store.open(self._directory, self.root, read_only=True) as store:
            found = duplicates.find(store, request, Reporter(listener))
            return found._replace(freshness=self._freshness)

    def refresh(
        self, listener: ProgressListener | None = None, *, under: PurePosixPath = WHOLE, thorough: bool = False
    ) -> RefreshSummary:
        """Bring the index up to date with the files, only `under` a folder if one is given.

        `thorough` reads every checksum, merges without limit and builds graphs: what an explicit `index` is for.
        """
        self._freshness = "unknown"
        summary = self._indexer.refresh(listener, under=under, thorough=thorough)
        if under == WHOLE:
            self._freshness = "fresh"
        return summary

    def embed(self, listener: ProgressListener | None = None) -> EmbedSummary:
        """Give the chunks that lack one a vector of the chosen model; of the bundled one every chunk has one already."""
        if self._chosen is None:
            return EmbedSummary(self._settings.model)
        with Store.open(self._directory, self.root, read_only=True) as store:
            return self._chosen.embed(store, Reporter(listener))

    def status(self) -> Status:
        """Say what the index holds and how it is; compares it with the files."""
        from codeseek import derived

        with Store.open(self._directory, self.root, read_only=True) as store:
            counts = store.counts()
            changes = self._indexer.changes(store)
            degraded = []
            fingerprint = store.meta("fingerprint") or ""
            broken = derived.damaged(store, fingerprint)
            if broken:
                names = ", ".join(name for files in broken.values() for name in files)
                degraded.append(f"damaged, to be made again by the next search: {names}")
            if note := store.meta("note"):
                degraded.append(f"made again: {note}")
            return Status(
                root=self.root,
                location=self._directory,
                files=counts.files,
                chunks=counts.chunks,
                languages=counts.languages,
                kinds=counts.kinds,
                model=str(store.meta("model") or BUNDLED),
                dimensions=int(store.meta("dimensions") or 0),
                size_bytes=stores.size_of(self._directory),
                indexed_at=store.meta("indexed_at"),
                freshness="stale" if changes.stale else "fresh",
                stale_files=changes.stale,
                skipped=counts.skipped,
                vector_index=_vector_index(store, fingerprint),
                degraded=tuple(degraded),
                models=self._models(store) if not broken else (),
                unread=_unread(store),
            )

    def close(self) -> None:
        """Let go of files and memory."""
        with self._guard:
            self._reading = self._embedder = None
            if self._chosen is not None:
                self._chosen.close()
            if self._store is not None:
                self._store.close()
                self._store = None

    @functools.cached_property
    def _chosen(self) -> Chosen | None:
        """The model beside the bundled one, if the user chose one."""
        if self._settings.model == BUNDLED:
            return None
        from codeseek.chosen import Chosen

        return Chosen(self._directory, self._settings.model, self._load_chosen)

    def _models(self, store: Store) -> tuple[ModelStatus, ...]:
        if not (self._directory / "tiers").is_dir():
            return ()
        from codeseek import derived
        from codeseek.chosen import statuses

        return statuses(store, derived.open_words(store, store.snapshot()), self._settings.model)

    def _answer(self, ask: Callable[[_Reading, Store], SearchResult], *, quick: bool = False) -> SearchResult:
        """Ask the newest state of the index; mend what is found damaged, and ask again."""
        from codeseek.arrays import Damaged

        with self._guard:
            failed, mended = -1, ""
            for _ in range(_ATTEMPTS):
                try:
                    if self._store is not None and not self._store.is_current:
                        self._forget()
                    if self._store is None:
                        self._store = Store.open(self._directory, self.root, read_only=True)
                    with self._store.one_moment():
                        reading = self._read(self._store)
                        result = ask(reading, self._store)
                except (FileNotFoundError, Damaged, Unusable) as error:
                    self._forget()
                    problem: Exception = error
                else:
                    degraded = result.degraded + ((mended,) if mended else ()) + reading.weaknesses
                    if self._chosen is not None:
                        answered = self._chosen.name in result.tier
                        degraded = (*degraded, *self._chosen.weaknesses(reading.tier, answered=answered or quick))
                        result = result._replace(notes=self._chosen.take_notes())
                    return result._replace(freshness=self._freshness, indexed_at=reading.indexed_at, degraded=degraded)
                if mended:
                    break
                if isinstance(problem, Unusable):
                    self._indexer.remake(problem.message)
                    mended = "the index was unusable and has been made again"
                elif self._generation == failed:  # what was missing had not just been merged into something else
                    self._indexer.refresh(thorough=True)
                    mended = "a part of the index was damaged and has been made again"
                failed = self._generation
            raise StoreError(
                f"the index is damaged: {problem}", hint="make it again with `codeseek index`"
            ) from problem

    def _read(self, store: Store) -> _Reading:
        """Return the newest state, mapped; raises FileNotFoundError and `Damaged`."""
        state = self._chosen.state() if self._chosen is not None else None
        reading = self._reading
        if reading is not None and (reading.generation, reading.state) == (store.meta("generation"), state):
            return reading
        from codeseek import derived
        from codeseek.arrays import Damaged
        from codeseek.searcher import Searcher

        if self._embedder is None:
            self._embedder = self._load()
        snapshot = store.snapshot()
        self._generation = snapshot.generation
        if snapshot.segments and snapshot.fingerprint != self._embedder.fingerprint:
            raise Damaged("its vectors are another model's")
        if broken := derived.damaged(store, snapshot.fingerprint):
            raise Damaged(", ".join(name for names in broken.values() for name in names))
        index = derived.open_words(store, snapshot)
        vectors = [
            derived.open_vectors(store, name, snapshot.fingerprint, len(segment.chunk_ids))
            for name, segment in zip(snapshot.segments, index.segments, strict=True)
        ]
        tier = self._chosen.open(index) if self._chosen is not None else None
        searcher = Searcher(
            index, vectors, self._embedder, store.chunks, tier, store.changed_since, _name_of(self.root)
        )
        weaknesses = () if store.is_finished else (UNFINISHED,)
        self._reading = _Reading(searcher, snapshot.generation, snapshot.indexed_at, tier, state, weaknesses)
        return self._reading

    def _forget(self) -> None:
        self._reading = None
        if self._store is not None:
            with suppress(StoreError):
                self._store.close()
            self._store = None


def _unread(store: Store) -> dict[str, str]:
    """Return documents that were left out though nothing tells to ignore them, the first of them, with the reason."""
    found = (
        (path, reason)
        for path, reason in store.skipped(but=IGNORED)
        if language_of_name(PurePosixPath(path).name) in documents.FORMATS
    )
    return dict(itertools.islice(found, _MOST_UNREAD))


def _vector_index(store: Store, fingerprint: str) -> str:
    """Say by which kind of index vectors are searched, and why not by the quicker one."""
    from codeseek import derived, vectors

    rows = store.size()[1]
    kind = "exact" if rows <= vectors.SCANNED_ROWS else "sketch"
    if not vectors.has_hnswlib():
        return f"{kind} (hnswlib not installed)"
    if rows <= vectors.SKETCHED_ROWS:
        return kind
    large = [name for name, count in store.segments().items() if count >= vectors.HNSW_ROWS]
    if large and all(derived.graph_is_sound(store, derived.graph_path(store, name, fingerprint)) for name in large):
        return "HNSW"
    return f"{kind} (`codeseek index` makes it quicker)"
