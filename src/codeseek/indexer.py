"""The write path: walk, compare with the store, prepare what changed, and make it live in a few large steps."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import astuple, dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from codeseek import changes as differences
from codeseek import store as stores
from codeseek import walker
from codeseek.changes import Changes
from codeseek.database import Missing, Unusable, translated
from codeseek.errors import StoreError
from codeseek.lock import WriteLock
from codeseek.progress import Reporter
from codeseek.records import WHOLE, ProgressListener, RefreshSummary, Skipped
from codeseek.rows import Task, encode_path
from codeseek.store import DATABASE, LOCK, PARSING, Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from codeseek.batch import Batch, EmbedderSource, Model, Recipe
    from codeseek.segments import Analysis
    from codeseek.workers import Advance, Crashed, Needs, Pool

COMMIT_CHUNKS, MOST_COMMIT_CHUNKS = 4_000, 30_000
"""So many chunks become live at once, as a segment (more where there are more already, so that segments stay few): what
a kill can cost, and what has to be held in memory."""

_PATIENCE_S, _SHORT_PATIENCE_S = 5.0, 0.5
"""How long an explicit index and a search's refresh wait for another process: most writers are searches, and soon done."""

POOL_BYTES, POOL_FILES = 400_000, 80
"""From so much work on, worker processes are worth their start of a quarter second."""


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
            changes, starter = None, _PoolStarter(self, stack)
            if not thorough:
                changes = self._first_look(reporter, under, starter)
                if changes is not None and changes.idle:
                    self._note_quietly(changes)
                    return _summary(changes, started)
            with translated():
                self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                patience_s = _PATIENCE_S if thorough else _SHORT_PATIENCE_S
                stack.enter_context(WriteLock(self.directory / LOCK, patience_s=patience_s))
            reason = ""
            for last in (False, True):
                try:
                    store, rebuilt = self._open_for_writing(reason, thorough=thorough)
                    with store:
                        if changes is None or rebuilt or changes.generation != store.meta("generation"):
                            changes = self.changes(store, under, reporter.advance, starter)
                        work = _Refresh(self, store, changes, reporter, rebuilt, under, thorough=thorough)
                        work.run(starter.pool)
                    return _summary(changes, started, work)
                except Unusable as error:
                    if last:
                        raise
                    reason, changes = error.message, None
            raise AssertionError

    def remake(self, reason: str, listener: ProgressListener | None = None) -> RefreshSummary:
        """Put the index aside that was found damaged in use, and make it again."""
        with translated(), WriteLock(self.directory / LOCK):
            self._put_aside(reason)
        return self.refresh(listener)._replace(rebuilt=(DATABASE,))

    def _first_look(self, reporter: Reporter, under: PurePosixPath, starter: _PoolStarter) -> Changes | None:
        """Scan without the lock, None when the index cannot be read."""
        try:
            with Store.open(self.directory, self.root, read_only=True) as store:
                return self.changes(store, under, reporter.advance, starter)
        except (Missing, Unusable):
            return None

    def changes(
        self,
        store: Store | None,
        under: PurePosixPath = WHOLE,
        advance: Callable[[int, str], None] | None = None,
        on_task: Callable[[Task], None] | None = None,
    ) -> Changes:
        """Compare the project's files with the store."""
        return differences.find(
            self.root, self.options, store, self.model, under=under, advance=advance, on_task=on_task
        )

    def _note_quietly(self, changes: Changes) -> None:
        """Record what makes the next comparison quicker, if nobody else writes and it can be written at all."""
        if changes.notable:
            with (
                suppress(StoreError, OSError),
                WriteLock(self.directory / LOCK),
                Store.open(self.directory, self.root) as store,
            ):
                if store.meta("generation") == changes.generation:
                    with store.writing():
                        store.touch_files(changes.touched)
                        store.set_directories(changes.folders, changes.folders_gone)

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

    def needs(self) -> Needs:
        """Say what is needed to prepare batches."""
        from codeseek.workers import Needs

        return Needs(self.root, self.load, self.directory)

    def recipe(self) -> Recipe:
        """Say how batches are prepared in this process."""
        from codeseek.batch import Recipe

        return Recipe(*self.needs())


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
            from codeseek.processes import count_cores
            from codeseek.workers import Pool

            count = self._indexer.workers or count_cores()
            if count > 1:
                self.pool = self._stack.enter_context(Pool(self._indexer.needs(), count))


class _Refresh:
    """One refresh under the lock."""

    def __init__(
        self,
        indexer: Indexer,
        store: Store,
        changes: Changes,
        reporter: Reporter,
        rebuilt: list[str],
        under: PurePosixPath,
        *,
        thorough: bool,
    ) -> None:
        self.added = self.changed = self.touched = self.rejected = self.chunks = 0
        self.rebuilt = rebuilt
        self._indexer = indexer
        self._store = store
        self._changes = changes
        self._reporter = reporter
        self._under = under
        self._thorough = thorough
        self._known = {encode_path(task.file.path) for task in changes.tasks if task.digest}
        self._model: Model | None = None
        self._segment = ""
        self._analyses: list[Analysis] = []
        self._matrices: list[NDArray[np.float16]] = []
        self._ids: list[NDArray[np.int64]] = []
        self._whole = True  # no batch is half accepted

    @functools.cached_property
    def _recipe(self) -> Recipe:
        return self._indexer.recipe()

    def run(self, pool: Pool | None) -> None:
        """Do everything that has to be done."""
        self._mend()
        self._reporter.start("index", len(self._changes.tasks))
        with closing(self._results(pool)) as results:
            while not self._one_transaction(results):
                pass
        if pool is not None:
            pool.close()  # merging needs the memory
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
        if broken or self._thorough or self._changes.tasks or store.meta("model") != self._indexer.model:
            self._model = Model.of(self._recipe.embedder)
            if self._model.fingerprint != fingerprint:
                self._reporter.start("index", store.counts().chunks)
                derived.embed_again(store, self._recipe.embedder, self._reporter.advance)
                derived.sweep(store, self._model.fingerprint)
            if store.meta("model") != self._indexer.model:
                with store.writing():
                    store.set_meta(model=self._indexer.model)

    def _results(self, pool: Pool | None) -> Generator[Batch | Advance | Crashed]:
        from codeseek.workers import Pool, plan

        tasks = self._changes.tasks
        marker = self._store.directory / PARSING
        if pool is not None:
            yield from pool.prepare(plan(tasks, pool.size))
        elif marker.exists():
            with Pool(self._indexer.needs(), 1) as careful:
                yield from careful.prepare(plan(tasks, 1))
            marker.unlink(missing_ok=True)
        elif tasks:
            try:
                with translated():
                    marker.touch(mode=0o600)
                for batch in plan(tasks, 1)[0]:
                    yield self._recipe.prepare(batch, lambda path: self._reporter.advance(1, path))
            finally:  # but not when a parser takes the process with it
                marker.unlink(missing_ok=True)
                self._recipe.close()

    def _one_transaction(self, results: Iterator[Batch | Advance | Crashed]) -> bool:
        """Take results until a segment is full or there are no more; tell whether these were the last."""
        interruption = None
        finished = False
        enough = max(COMMIT_CHUNKS, min(MOST_COMMIT_CHUNKS, self.chunks // 6))
        with self._store.writing():
            try:
                for result in results:
                    self._take(result)
                    if sum(map(len, self._ids)) >= enough:
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
        from codeseek.workers import Advance, Crashed

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
        store, changes = self._store, self._changes
        store.remove_files([encode_path(path) for path in changes.removed])
        store.touch_files(changes.touched)
        store.set_directories(changes.folders, changes.folders_gone)
        if changes.skipped_changed:
            store.replace_skipped(changes.skipped.values(), self._under)
        if not store.meta("model"):
            store.set_meta(model=self._indexer.model)
        if self._thorough and not self.rebuilt:
            store.set_meta(note=None)

    def _make_live(self) -> None:
        """Write what the transaction has taken as a segment, and let searches see it."""
        import numpy as np

        from codeseek import derived
        from codeseek.segments import Segment

        store = self._store
        if self._ids and self._model is not None:
            new = derived.NewSegment(store, self._model.fingerprint, self._segment)
            new.save_words(Segment.build(self._analyses, np.concatenate(self._ids)))
            new.save_matrix(np.concatenate(self._matrices))
            new.make_live()
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
        merged = 0
        while rows := derived.merge(store, fingerprint, thorough=self._thorough):
            self._reporter.advance(rows)
            merged += rows
        if merged:
            derived.sweep(store, fingerprint)
        if self._thorough and (wanted := derived.wanted_graphs(store, fingerprint)):
            self._reporter.start("merge", sum(wanted.values()))
            derived.build_graphs(store, fingerprint, wanted, self._reporter.advance)


def _summary(changes: Changes, started: float, work: _Refresh | None = None) -> RefreshSummary:
    skipped = len(changes.skipped) + changes.unfit
    if work is None:
        return RefreshSummary(unchanged=changes.unchanged, skipped=skipped, elapsed_s=time.perf_counter() - started)
    return RefreshSummary(
        added=work.added,
        changed=work.changed,
        removed=len(changes.removed),
        unchanged=changes.unchanged + work.touched,
        skipped=skipped + work.rejected,
        chunks=work.chunks,
        elapsed_s=time.perf_counter() - started,
        rebuilt=tuple(work.rebuilt),
    )
