"""The write path: walk, compare with the store, prepare what changed, and make it live in a few large steps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal

from codeseek import store as stores
from codeseek import walker
from codeseek.database import Missing, Unusable, translated
from codeseek.errors import ProjectError, StoreError
from codeseek.lock import WriteLock
from codeseek.records import Progress, ProgressListener, RefreshSummary, Skipped, SourceFile
from codeseek.rows import KnownFile, Task, Touched, digest_of, encode_path
from codeseek.store import DATABASE, LOCK, PARSING, Store
from codeseek.workers import Advance, Crashed, Pool, count_cores

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from codeseek.batch import Batch, EmbedderSource, Model, Recipe
    from codeseek.words import Analysis

WHOLE = PurePosixPath()
"""The folder that is the whole project."""

RACY_NS = 2_000_000_000
"""A file changed so shortly before it was read may have changed again without its time showing it."""

COMMIT_CHUNKS = 16_000
POOL_BYTES, POOL_FILES = 400_000, 80
"""From so much work on, worker processes are worth their start of a quarter second."""

_BATCH_BYTES, _SMALL_BATCH_BYTES, _BATCH_FILES, _FILE_COST = 1_000_000, 100_000, 250, 500
_READ_AT_ONCE = 100  # so many files with a new stat are compared by content before a model is loaded for them
_QUIET_MERGE_ROWS = 20_000  # the most that a refresh merges when nobody asked for it
_PROGRESS_S = 0.05


@dataclass(slots=True)
class Scan:
    """The project's files compared with what is known of them."""

    generation: int | None
    same_model: bool
    tasks: list[Task] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    touched: list[Touched] = field(default_factory=list)
    unchanged: int = 0
    unfit: int = 0
    skipped: dict[str, Skipped] = field(default_factory=dict)
    skipped_changed: bool = False
    folders: dict[str, tuple[object, ...]] = field(default_factory=dict)
    folders_gone: set[str] = field(default_factory=set)

    def add(self, task: Task, on_task: Callable[[Task], None] | None) -> None:
        """Add a file to look at."""
        self.tasks.append(task)
        if on_task is not None:
            on_task(task)

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do."""
        return self.same_model and not self.stale and not self.skipped_changed

    @property
    def stale(self) -> int:
        """Files that are not in the index as they are now."""
        return len(self.tasks) + len(self.removed)


class Reporter:
    """Tells a listener how far the work is, often but not too often."""

    def __init__(self, listener: ProgressListener | None) -> None:
        self._listener = listener
        self._said = 0.0
        self._phase: Literal["scan", "index", "merge"] = "scan"
        self._total: int | None = None
        self._done = 0
        self._path = ""
        self.chunks = 0

    def start(self, phase: Literal["scan", "index", "merge"], total: int | None = None) -> None:
        """Begin a part of the work."""
        self._phase, self._total, self._done, self._path, self._said = phase, total, 0, "", 0.0
        self.advance(0)

    def advance(self, count: int, path: str = "") -> None:
        """Say that more is done."""
        self._done += count
        self._path = path or self._path
        now = time.monotonic()
        if self._listener is not None and (now - self._said >= _PROGRESS_S or self._done == self._total):
            self._said = now
            done = self._done if self._total is None else min(self._done, self._total)
            self._listener(Progress(self._phase, done, self._total, self.chunks, self._path))


@dataclass(frozen=True)
class Indexer:
    """Keeps the index of one project up to date. `load` loads the model of the name `model` when it is wanted."""

    root: Path
    directory: Path
    load: EmbedderSource
    model: str = "bundled"
    options: walker.WalkOptions = field(default_factory=walker.WalkOptions)
    workers: int = 0

    def refresh(
        self, listener: ProgressListener | None = None, *, under: PurePosixPath = WHOLE, thorough: bool = False
    ) -> RefreshSummary:
        """Bring the index up to date; only `under` a folder if one is given.

        `thorough` also reads every checksum, merges without limit and builds graphs. Raises `StoreError`, and
        `BusyError` when there is something to write and another process is writing. What is done before an error or a
        KeyboardInterrupt is kept.
        """
        started = time.perf_counter()
        reporter = Reporter(listener)
        reporter.start("scan")
        with ExitStack() as stack:
            scan, starter = None, _PoolStarter(self, stack)
            if not thorough:
                scan = self._first_look(reporter, under, starter)
                if scan is not None and scan.idle:
                    self._note_quietly(scan)
                    return _summary(scan, started)
            with translated():
                self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                stack.enter_context(WriteLock(self.directory / LOCK))
            reason = ""
            for last in (False, True):
                try:
                    store, rebuilt = self._open_for_writing(reason, thorough=thorough)
                    with store:
                        if scan is None or rebuilt or scan.generation != store.meta("generation"):
                            scan = self.scan(store, reporter, under, starter)
                        work = _Refresh(self, store, scan, reporter, rebuilt, under, thorough=thorough)
                        work.run(starter.pool)
                    return _summary(scan, started, work)
                except Unusable as error:
                    if last:
                        raise
                    reason, scan = error.message, None
            raise AssertionError

    def remake(self, reason: str, listener: ProgressListener | None = None) -> RefreshSummary:
        """Put the index aside that was found damaged in use, and make it again."""
        with translated(), WriteLock(self.directory / LOCK):
            self._put_aside(reason)
        return replace(self.refresh(listener), rebuilt=(DATABASE,))

    def _first_look(self, reporter: Reporter, under: PurePosixPath, starter: _PoolStarter) -> Scan | None:
        """Scan without the lock, None when the index cannot be read."""
        try:
            with Store.open(self.directory, self.root, read_only=True) as store:
                return self.scan(store, reporter, under, starter)
        except (Missing, Unusable):
            return None

    def scan(
        self,
        store: Store | None,
        reporter: Reporter | None = None,
        under: PurePosixPath = WHOLE,
        on_task: Callable[[Task], None] | None = None,
    ) -> Scan:
        """Compare the project's files with the store, by their content only where their stat leaves a doubt.

        `on_task` hears of each file that is new or changed.
        """
        if not self.root.is_dir():
            raise ProjectError(f"there is no folder `{self.root}`", hint="its index is dropped with `codeseek forget`")
        known = store.known_files() if store else {}
        scan = Scan(*((store.meta("generation"), store.meta("model") == self.model) if store else (None, False)))
        seen = set()
        doubtful: list[tuple[SourceFile, KnownFile]] = []
        folders = {
            path: walker.KnownDirectory(PurePosixPath(path), *details)
            for path, details in (store.directories() if store else {}).items()
        }
        scan.folders_gone = {path for path in folders if _is_under(path, under)}
        for item in walker.walk(self.root, self.options, folders, under):
            path = str(item.path)
            if isinstance(item, SourceFile):
                seen.add(path)
                old = known.get(path)
                if old is None:
                    scan.add(Task(item), on_task)
                elif _is_current(item, old):
                    scan.unfit += bool(old.reason)
                    scan.unchanged += not old.reason
                else:
                    doubtful.append((item, old))
                if reporter is not None:
                    reporter.advance(1, path)
            elif isinstance(item, Skipped):
                scan.skipped[path] = item
            else:
                scan.folders_gone.discard(path)
                if item is not folders.get(path):
                    scan.folders[path] = item[1:]
        for file, old in doubtful:
            worth_reading = file.mtime_ns == old.mtime_ns or len(doubtful) <= _READ_AT_ONCE
            if worth_reading and old.digest and (touched := self._same_content(file, old)) is not None:
                scan.touched.append(touched)
                scan.unchanged += 1
            else:
                scan.add(Task(file, old.digest), on_task)
        scan.removed = [path for path in known if path not in seen and _is_under(path, under)]
        before = store.skipped_by_walker() if store else {}
        scan.skipped_changed = {path: item for path, item in before.items() if _is_under(path, under)} != scan.skipped
        return scan

    def _same_content(self, file: SourceFile, known: KnownFile) -> Touched | None:
        """Read a file, and return its new stat if its content is what it was."""
        checked_ns = time.time_ns()
        try:
            data = walker.read_text(self.root, file).encode("utf-8", "replace")
        except walker.Unreadable:
            return None
        if file.language != known.language or digest_of(file.language, data) != known.digest:
            return None
        return Touched(encode_path(file.path), file.size, file.mtime_ns, checked_ns)

    def _note_quietly(self, scan: Scan) -> None:
        """Record what makes the next scan quicker, if nobody else writes and it can be written at all."""
        if scan.touched or scan.folders or scan.folders_gone:
            with (
                suppress(StoreError, OSError),
                WriteLock(self.directory / LOCK),
                Store.open(self.directory, self.root) as store,
            ):
                if store.meta("generation") == scan.generation:
                    with store.writing():
                        store.touch_files(scan.touched)
                        store.set_directories(scan.folders, scan.folders_gone)

    def _open_for_writing(self, reason: str, *, thorough: bool) -> tuple[Store, list[str]]:
        """Open the index, and make it anew for a `reason` or where it cannot be used; the caller holds the lock."""
        if not reason:
            try:
                store = Store.open(self.directory, self.root)
                if not thorough or (problem := store.problem()) is None:
                    return store, []
                store.close()
                reason = problem
            except Unusable as error:
                reason = error.message
        self._put_aside(reason)
        return Store.open(self.directory, self.root), [DATABASE]

    def _put_aside(self, reason: str) -> None:
        stores.discard(self.directory)
        with Store.open(self.directory, self.root) as store, store.writing():
            store.set_meta(note=reason)

    def recipe(self) -> Recipe:
        """Say how files are to be prepared."""
        from codeseek.batch import Recipe

        return Recipe(self.root, self.load, self.directory)


class _PoolStarter:
    """Starts worker processes as soon as there is work enough, while the walk goes on."""

    def __init__(self, indexer: Indexer, stack: ExitStack) -> None:
        self.pool: Pool | None = None
        self._indexer = indexer
        self._stack = stack
        self._bytes = self._files = 0

    def __call__(self, task: Task) -> None:
        self._files += 1
        self._bytes += task.file.size
        if self.pool is None and (self._bytes >= POOL_BYTES or self._files >= POOL_FILES):
            count = self._indexer.workers or count_cores()
            if count > 1:
                self.pool = self._stack.enter_context(Pool(self._indexer.recipe(), count))


class _Refresh:
    """One refresh under the lock."""

    def __init__(
        self,
        indexer: Indexer,
        store: Store,
        scan: Scan,
        reporter: Reporter,
        rebuilt: list[str],
        under: PurePosixPath,
        *,
        thorough: bool,
    ) -> None:
        self.added = self.changed = self.touched = self.rejected = self.chunks = 0
        self.rebuilt = rebuilt
        self._indexer = indexer
        self._recipe = indexer.recipe()
        self._store = store
        self._scan = scan
        self._reporter = reporter
        self._under = under
        self._thorough = thorough
        self._known = {encode_path(task.file.path) for task in scan.tasks if task.digest}
        self._model: Model | None = None
        self._segment = ""
        self._analyses: list[Analysis] = []
        self._matrices: list[NDArray[np.float16]] = []
        self._ids: list[NDArray[np.int64]] = []
        self._whole = True  # no batch is half accepted

    def run(self, pool: Pool | None) -> None:
        """Do everything that has to be done."""
        self._mend()
        results = self._results(pool)
        self._reporter.start("index", len(self._scan.tasks))
        finished = False
        while not finished:
            finished = self._one_transaction(results)
        self._tidy()

    def _mend(self) -> None:
        """Make derived files again that are damaged or of another model."""
        from codeseek import derived
        from codeseek.batch import Model

        store = self._store
        fingerprint = store.meta("fingerprint")
        if fingerprint is None:
            return
        derived.sweep(store, fingerprint)
        broken = derived.damaged(store, fingerprint, thorough=self._thorough)
        if broken:
            self.rebuilt += [name for names in broken.values() for name in names]
            derived.rebuild(store, self._recipe.embedder, list(broken))
        if broken or self._thorough or self._scan.tasks or store.meta("model") != self._indexer.model:
            self._model = Model.of(self._recipe.embedder)
            if self._model.fingerprint != fingerprint:
                self._reporter.start("index", store.counts().chunks)
                derived.embed_again(store, self._recipe.embedder, self._reporter.advance)
                derived.sweep(store, self._model.fingerprint)
            if store.meta("model") != self._indexer.model:
                with store.writing():
                    store.set_meta(model=self._indexer.model)

    def _results(self, pool: Pool | None) -> Iterator[Batch | Advance | Crashed]:
        tasks = self._scan.tasks
        marker = self._store.directory / PARSING
        if pool is not None:
            yield from pool.prepare(plan(tasks, pool.size))
        elif marker.exists():
            with Pool(self._recipe, 1) as careful:
                yield from careful.prepare(plan(tasks, 1))
        elif tasks:
            with translated():
                marker.touch(mode=0o600)
            for batch in plan(tasks, 1):
                yield self._recipe.prepare(batch, lambda path: self._reporter.advance(1, path))
        marker.unlink(missing_ok=True)

    def _one_transaction(self, results: Iterator[Batch | Advance | Crashed]) -> bool:
        """Take results until a segment is full or there are no more; tell whether these were the last."""
        interruption = None
        finished = False
        with self._store.writing():
            try:
                for result in results:
                    self._take(result)
                    if sum(map(len, self._ids)) >= COMMIT_CHUNKS:
                        break
                else:
                    with self._accepting():
                        self._finish()
                    finished = True
            except KeyboardInterrupt as error:
                if not self._whole:
                    raise
                interruption = error
            self._make_live()
        if interruption is not None:
            raise interruption
        return finished

    def _take(self, result: Batch | Advance | Crashed) -> None:
        if isinstance(result, Advance):
            self._reporter.advance(result.files, result.path)
        elif isinstance(result, Crashed):
            file = result.task.file
            skipped = Skipped(file.path, "parser crashed", file.size, file.mtime_ns)
            with self._accepting():
                self._store.reject_file(skipped, time.time_ns(), file.language)
                self.rejected += 1
            self._reporter.advance(1)
        else:
            with self._accepting():
                self._accept(result)
            self._reporter.chunks = self.chunks
            self._reporter.advance(0)

    @contextmanager
    def _accepting(self) -> Iterator[None]:
        """Take all of something or nothing, whenever an interruption comes."""
        counts = (self.added, self.changed, self.touched, self.rejected, self.chunks)
        pending = len(self._ids)
        self._whole = False
        try:
            with self._store.step():
                yield
        except BaseException:
            self.added, self.changed, self.touched, self.rejected, self.chunks = counts
            for kept in (self._ids, self._matrices, self._analyses):
                del kept[pending:]
            self._whole = True
            raise
        self._whole = True

    def _accept(self, batch: Batch) -> None:
        """Put a batch into the store."""
        import numpy as np

        from codeseek import derived

        store = self._store
        if batch.model is not None and batch.analysis is not None:
            if self._model is None:
                self._model = batch.model
            if not self._ids:
                self._segment = derived.new_name()
            number = store.model_number(*astuple(self._model))
            store.add_vectors(number, derived.rows_of([row[-1] for row in batch.chunks], batch.vectors))
        first = store.next_chunk()
        store.add_files(batch.files, batch.chunks, first, self._segment)
        store.touch_files(batch.touched)
        for rejected in batch.rejected:
            store.reject_file(*rejected)
        changed = sum(file.path in self._known for file in batch.files)
        self.changed += changed
        self.added += len(batch.files) - changed
        self.touched += len(batch.touched)
        self.rejected += len(batch.rejected)
        self.chunks += len(batch.chunks)
        if batch.analysis is not None:
            self._ids.append(np.arange(first, first + len(batch.chunks), dtype=np.int64))
            self._analyses.append(batch.analysis)
            self._matrices.append(batch.vectors)

    def _finish(self) -> None:
        """Record what is no more and what is left out."""
        store, scan = self._store, self._scan
        store.remove_files([encode_path(path) for path in scan.removed])
        store.touch_files(scan.touched)
        store.set_directories(scan.folders, scan.folders_gone)
        if scan.skipped_changed:
            store.replace_skipped(scan.skipped.values(), self._under)
        if not store.meta("model"):
            store.set_meta(model=self._indexer.model)
        if self._thorough and not self.rebuilt:
            store.set_meta(note=None)

    def _make_live(self) -> None:
        """Write what the transaction has taken as a segment, and let searches see it."""
        import numpy as np

        from codeseek import derived, words

        store = self._store
        if self._ids and self._model is not None:
            segment = words.Segment.build(self._analyses, np.concatenate(self._ids))
            derived.write(store, self._model.fingerprint, self._segment, segment, np.concatenate(self._matrices))()
            store.set_meta(
                fingerprint=self._model.fingerprint, dimensions=self._model.dimensions, model=self._indexer.model
            )
        self._ids, self._matrices, self._analyses = [], [], []
        store.next_generation()

    def _tidy(self) -> None:
        """Keep segments few and large."""
        from codeseek import derived

        store = self._store
        fingerprint = store.meta("fingerprint")
        if fingerprint is None:
            return
        self._reporter.start("merge")
        merged = False
        while derived.merge(store, fingerprint, None if self._thorough else _QUIET_MERGE_ROWS):
            merged = True
        if merged:
            derived.sweep(store, fingerprint)
        if self._thorough:
            derived.build_graphs(store, fingerprint, self._reporter.advance)


def plan(tasks: Sequence[Task], workers: int) -> Iterator[list[Task]]:
    """Cut work into batches: the largest files first, and ever smaller batches, so that all workers end together."""
    waiting = sorted(tasks, key=lambda task: -task.file.size)
    left = sum(task.file.size + _FILE_COST for task in waiting)
    batch: list[Task] = []
    weight = 0
    for task in waiting:
        batch.append(task)
        weight += task.file.size + _FILE_COST
        if weight >= min(_BATCH_BYTES, max(_SMALL_BATCH_BYTES, left // (workers * 3))) or len(batch) >= _BATCH_FILES:
            yield batch
            left -= weight
            batch, weight = [], 0
    if batch:
        yield batch


def _is_current(file: SourceFile, known: KnownFile) -> bool:
    """Tell whether a file is surely what was read: same size and time, and not changed just when it was read."""
    return (
        file.size == known.size
        and file.mtime_ns == known.mtime_ns
        and file.language == known.language
        and abs(known.checked_ns - file.mtime_ns) > RACY_NS
    )


def _is_under(path: str, under: PurePosixPath) -> bool:
    return under == WHOLE or PurePosixPath(path).is_relative_to(under)


def _summary(scan: Scan, started: float, work: _Refresh | None = None) -> RefreshSummary:
    skipped = len(scan.skipped) + scan.unfit
    if work is None:
        return RefreshSummary(unchanged=scan.unchanged, skipped=skipped, elapsed_s=time.perf_counter() - started)
    return RefreshSummary(
        added=work.added,
        changed=work.changed,
        removed=len(scan.removed),
        unchanged=scan.unchanged + work.touched,
        skipped=skipped + work.rejected,
        chunks=work.chunks,
        elapsed_s=time.perf_counter() - started,
        rebuilt=tuple(work.rebuilt),
    )
