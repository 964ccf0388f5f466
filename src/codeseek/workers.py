"""Worker processes that prepare batches: bounded queues, and a parser that crashes takes no other file with it."""

from __future__ import annotations

import contextlib
import gc
import queue
import threading
import time
import traceback
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, Self

from codeseek import processes
from codeseek.errors import StoreError
from codeseek.processes import Child

if TYPE_CHECKING:
    from codeseek.batch import Batch, EmbedderSource
    from codeseek.rows import Task

_BATCH_BYTES, _SMALL_BATCH_BYTES, _BATCH_FILES, _FILE_COST = 400_000, 100_000, 250, 500
_AHEAD = 4  # batches given to a worker at once: it has enough to do while a segment is written
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""Each worker computes on one core: threads of a matrix library in every one of them would wait for each other."""

_EVERY_S = 0.05  # between a worker's words on how far it is


class Needs(NamedTuple):
    """What a worker makes its `batch.Recipe` from: this process need not import what that takes."""

    root: Path
    load: EmbedderSource
    directory: Path | None


class Advance(NamedTuple):
    """So many more files are being looked at, the last of them being `path`."""

    files: int
    path: str


class Crashed(NamedTuple):
    """A file on which a worker died, alone."""

    task: Task


class _Failure(NamedTuple):
    """A bug in a worker, with its traceback."""

    trace: str


@dataclass(slots=True, eq=False)
class _Worker:
    child: Child
    listener: threading.Thread = field(init=False)
    given: deque[list[Task]] = field(default_factory=deque)
    ready: bool = False
    said: int = 0  # how many files of its batch have been told of

    def end(self) -> int:
        """Wait for the process's end and let go of it; return its status."""
        self.listener.join()
        return self.child.end()


class Pool:
    """Processes that share the work of one refresh. They start at once, and end with the pool or with this process."""

    def __init__(self, needs: Needs, count: int) -> None:
        self._needs = needs
        self._answers: queue.SimpleQueue[tuple[_Worker, Any]] = queue.SimpleQueue()
        self._workers = [self._start() for _ in range(count)]

    def prepare(self, shares: Iterable[Sequence[list[Task]]]) -> Iterator[Batch | Advance | Crashed]:
        """Yield every batch of what each worker is to do, in whatever order they come, and what can be said in between.

        A worker without work takes over the last of the one that has most.
        """
        waiting = list(map(deque, shares))
        again: deque[list[Task]] = deque()  # batches of a worker that died
        while True:
            for _ in range(_AHEAD):
                for worker, own in zip(self._workers, waiting, strict=True):
                    if len(worker.given) == _AHEAD:
                        continue
                    if tasks := again.popleft() if again else _next_of(own, waiting):
                        worker.given.append(tasks)
                        with contextlib.suppress(BrokenPipeError):  # its end is told by the reader
                            worker.child.send(tasks)
            if not any(worker.given for worker in self._workers):
                return
            try:
                worker, answer = self._next_answer()
            except queue.Empty:
                yield Advance(0, "")
                continue
            worker.ready = worker.ready or answer is not None
            if answer is None:
                yield from self._bury(worker, again)
                continue
            if isinstance(answer, Advance):
                worker.said += answer.files
            else:
                worker.given.popleft()
                yield Advance(answer.seen - worker.said, "")
                worker.said = 0
            yield answer

    @property
    def size(self) -> int:
        """How many processes there are."""
        return len(self._workers)

    def close(self) -> None:
        """End the workers, whatever they are doing."""
        for worker in self._workers:
            worker.child.kill()
        for worker in self._workers:
            worker.end()
        self._workers = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> _Worker:
        worker = _Worker(Child("codeseek.workers", dict.fromkeys(_THREADS, "1")))
        worker.child.send(self._needs)
        worker.listener = threading.Thread(target=self._listen, args=(worker,), daemon=True)
        worker.listener.start()
        return worker

    def _listen(self, worker: _Worker) -> None:
        with contextlib.suppress(EOFError, OSError, ValueError):
            while True:
                self._answers.put((worker, worker.child.receive()))
        self._answers.put((worker, None))

    def _next_answer(self) -> tuple[_Worker, Any]:
        worker, answer = self._answers.get(timeout=_EVERY_S)
        if isinstance(answer, _Failure):
            raise RuntimeError(f"a worker failed:\n{answer.trace}")  # noqa: TRY004  it is an answer, of its kind
        return worker, answer

    def _bury(self, worker: _Worker, again: deque[list[Task]]) -> Iterator[Crashed]:
        """Replace a worker that died; the batch that it was at is tried file by file."""
        status = worker.end()
        if not worker.ready:
            raise StoreError(
                f"worker processes end at once (status {status})", hint="index without them: set `workers = 1`"
            )
        culprits = worker.given.popleft() if worker.given else []
        if len(culprits) == 1:
            yield Crashed(culprits[0])
        else:
            again.extend([task] for task in culprits)
        again.extend(worker.given)
        self._workers[self._workers.index(worker)] = self._start()


def _next_of(own: deque[list[Task]], all_: Sequence[deque[list[Task]]]) -> list[Task] | None:
    if own:
        return own.popleft()
    most = max(all_, key=len)
    return most.pop() if most else None


def plan(tasks: Sequence[Task], workers: int) -> list[list[list[Task]]]:
    """Share work out to workers, cut into batches: large files first, then ever smaller batches, so that all end together.

    A worker has neighbouring folders: they share words, and what was made of a word is remembered.
    """
    large = [task for task in tasks if task.file.size >= _SMALL_BATCH_BYTES]
    large.sort(key=_weight, reverse=True)
    shares = [large[first::workers] for first in range(workers)]
    others = (task for task in tasks if task.file.size < _SMALL_BATCH_BYTES)
    waiting = deque(sorted(others, key=lambda task: str(task.file.path)))
    fair = sum(map(_weight, tasks)) / workers
    for share in shares:
        left = fair - sum(map(_weight, share))
        while waiting and (left > 0 or share is shares[-1]):
            left -= _weight(waiting[0])
            share.append(waiting.popleft())
    return [list(_batches(share)) for share in shares]


def _batches(share: Sequence[Task]) -> Iterator[list[Task]]:
    left = sum(map(_weight, share))
    batch: list[Task] = []
    weight = 0
    for task in share:
        batch.append(task)
        weight += _weight(task)
        if weight >= min(_BATCH_BYTES, max(_SMALL_BATCH_BYTES, left // 3)) or len(batch) >= _BATCH_FILES:
            yield batch
            left -= weight
            batch, weight = [], 0
    if batch:
        yield batch


def _weight(task: Task) -> int:
    return task.file.size + _FILE_COST


def main() -> None:
    """Be a worker: prepare batches from standard input until it ends."""
    source, target = processes.own_pipes()
    with contextlib.suppress(EOFError, BrokenPipeError, KeyboardInterrupt):
        needs = processes.receive(source)
        try:
            from codeseek.batch import Recipe

            with contextlib.closing(Recipe(*needs)) as recipe:
                gc.freeze()
                gc.set_threshold(50_000, 20, 1_000)  # hardly anything here is a cycle, and looking for them takes 5 %
                processes.send(target, Advance(0, ""))
                while True:
                    tasks = processes.receive(source)
                    processes.send(target, recipe.prepare(tasks, _Advances(target)))
        except Exception as error:
            if isinstance(error, EOFError | BrokenPipeError):
                raise
            processes.send(target, _Failure(traceback.format_exc()))


class _Advances:
    """Tells the other side how far the work is, but not too often."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target
        self._files = 0
        self._said = time.monotonic()

    def __call__(self, path: str) -> None:
        self._files += 1
        if time.monotonic() - self._said >= _EVERY_S:
            processes.send(self._target, Advance(self._files, path))
            self._files, self._said = 0, time.monotonic()
