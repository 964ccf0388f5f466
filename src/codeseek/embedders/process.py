"""A model in a process of its own: a native library that aborts takes neither the program nor the other texts with it."""

from __future__ import annotations

import os
import queue
import re
import signal
import tempfile
import threading
import traceback
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import BinaryIO, NamedTuple, Protocol

import numpy as np

from codeseek.embedders import Vectors
from codeseek.errors import ModelError
from codeseek.processes import Child, own_pipes, receive, send

_PIECE = 128  # texts that are asked for at once: enough to fill decodes, few enough to be tried one by one
_HARMLESS = "text"


class Source(Protocol):
    """What loads a model in the process; it is pickled on its way there."""

    def load(self) -> Loaded:
        """Load the model; raises `ModelError`."""
        ...


class Loaded(Protocol):
    """A model in the process, which need not care for more than one thread."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What is not as one would wish."""
        ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, [n, dimensions]; zeros for a text without a single token."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count the tokens of texts, without those that the model wants at the ends."""
        ...


class _Counted(NamedTuple):
    """Texts whose tokens are to be counted; those to be embedded come as they are."""

    texts: Sequence[str]


class _Answer(NamedTuple):
    """Vectors, or numbers of tokens, and all notes until now. Without either: the model is loaded."""

    rows: Vectors | None
    notes: tuple[str, ...]
    tokens: Sequence[int] = ()


class _Problem(NamedTuple):
    """A `ModelError` of the process."""

    message: str
    hint: str


class _Failure(NamedTuple):
    """A bug in the process, with its traceback."""

    trace: str


class _Died(Exception):
    """The process ended in the middle of its work."""


class ModelProcess:
    """A `TextModel` that runs elsewhere. The process starts with the first text and ends with `close` or with this one.

    A text on which it dies twice gets zeros and a note: such a text is found by its words alone. `close` may come from
    any thread; texts that are being embedded are then given up with a `ModelError`, later ones start a process again.
    """

    def __init__(
        self, name: str, source: Source, identity: str, dimensions: int, environment: Mapping[str, str] | None = None
    ) -> None:
        """`name` is for messages; `environment` is added to the process's."""
        self.identity = identity
        self.dimensions = dimensions
        self._name = name
        self._source = source
        self._environment = environment or {}
        self._child: Child | None = None
        self._errors: BinaryIO | None = None
        self._turn = threading.Lock()  # one piece of work at a time
        self._guard = threading.Lock()  # over the two below
        self._notes: dict[str, None] = {}
        self._closings = 0

    def __del__(self) -> None:
        with suppress(Exception):
            self.close()

    @property
    def notes(self) -> tuple[str, ...]:
        """What is not as one would wish, each said once."""
        return tuple(self._notes)

    @property
    def pid(self) -> int | None:
        """The number of the process, None while there is none."""
        child = self._child
        return child.pid if child is not None else None

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, [n, dimensions]; raises `ModelError` when the model cannot be loaded or does not work."""
        rows = np.zeros((len(texts), self.dimensions), np.float32)
        by_length = sorted(range(len(texts)), key=lambda number: len(texts[number]))
        waiting = deque(by_length[at : at + _PIECE] for at in range(0, len(texts), _PIECE))
        suspects: set[int] = set()
        closings = self._closings
        while waiting:
            numbers = waiting.popleft()
            try:
                answer = self._ask([texts[number] for number in numbers], closings)
                assert answer.rows is not None  # noqa: S101
                rows[numbers] = answer.rows
            except _Died as death:
                if len(numbers) > 1 or numbers[0] not in suspects:
                    suspects.update(numbers)
                    waiting.extendleft([number] for number in reversed(numbers))
                    continue
                self._must_live(closings)
                self._notes[f"a text on which the model's process ends has no vector: {death}"] = None
        return rows

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count the tokens of texts, without those at the ends; raises `ModelError`."""
        try:
            return list(self._ask(_Counted(texts), self._closings).tokens)
        except _Died as death:
            raise ModelError(f"the process of `{self._name}` ended while it counted tokens: {death}") from death

    def close(self) -> None:
        """End the process, whatever it is doing."""
        with self._guard:
            self._closings += 1
            if self._child is not None:
                self._child.kill()
        with self._turn:  # who was waiting for the process has noticed
            self._bury()

    def _ask(self, question: Sequence[str] | _Counted, closings: int) -> _Answer:
        """Let the process embed texts or count; raises `_Died` when it does not live to answer."""
        with self._turn:
            child = self._start(closings)
            try:
                child.send(question)
                return self._hear(child)
            except (EOFError, OSError) as error:
                reason = self._bury()
                if closings != self._closings:
                    raise self._closed() from error
                raise _Died(reason) from error
            except ModelError:
                raise
            except BaseException:  # such as Ctrl-C: what it answers later would be taken for another answer
                child.kill()
                self._bury()
                raise

    def _must_live(self, closings: int) -> None:
        """Raise `ModelError` if the process dies of anything: then it was not the text."""
        try:
            self._ask([_HARMLESS], closings)
        except _Died as death:
            raise ModelError(
                f"the process of `{self._name}` ends whatever it embeds: {death}",
                hint="choose another variant or a smaller model, or set `gpu_layers = 0`",
            ) from death

    def _start(self, closings: int) -> Child:
        """Return the process, started and the model loaded."""
        if self._child is not None:
            return self._child
        with self._guard:
            if closings != self._closings:
                raise self._closed()
            self._errors = tempfile.TemporaryFile()  # noqa: SIM115  as long as the process
            child = self._child = Child("codeseek.embedders.process", self._environment, self._errors)
        try:
            child.send(self._source)
            self._hear(child)
        except (EOFError, OSError) as error:
            reason = self._bury()
            if closings != self._closings:
                raise self._closed() from error
            raise ModelError(
                f"`{self._name}` cannot be loaded, its process ended: {reason}",
                hint="fetch the file again, choose another variant or a smaller model, or set `gpu_layers = 0`",
            ) from error
        except BaseException:
            child.kill()
            self._bury()
            raise
        return child

    def _hear(self, child: Child) -> _Answer:
        answer = child.receive()
        if isinstance(answer, _Problem):
            raise ModelError(answer.message, answer.hint)
        if isinstance(answer, _Failure):
            raise RuntimeError(f"the process of `{self._name}` failed:\n{answer.trace}")  # noqa: TRY004  it is an answer
        assert isinstance(answer, _Answer)  # noqa: S101
        self._notes.update(dict.fromkeys(answer.notes))
        return answer

    def _bury(self) -> str:
        """Let go of a process that has ended, and say why it did."""
        with self._guard:
            child, errors, self._child, self._errors = self._child, self._errors, None, None
        if child is None or errors is None:
            return ""
        status = child.end()
        with errors:
            errors.seek(0)
            lines = errors.read(64_000).decode("utf-8", "replace").splitlines()
        words = re.sub(
            r"\S*[/\\](?=\S+:\d)", "", next(filter(None, map(str.strip, lines)), "")
        )  # not where it was built
        return f"{_ending(status)}: {words}" if words else _ending(status)

    def _closed(self) -> ModelError:
        return ModelError(f"`{self._name}` was closed while it was wanted")


def main() -> None:
    """Be the process: load the model that standard input brings, and embed texts until it ends."""
    source, target = own_pipes()
    questions: queue.SimpleQueue[Sequence[str] | _Counted] = queue.SimpleQueue()
    with suppress(EOFError, BrokenPipeError, KeyboardInterrupt):
        try:
            model_source: Source = receive(source)
            threading.Thread(target=_listen, args=(source, questions), daemon=True).start()
            model = model_source.load()
            send(target, _Answer(None, model.notes))
            while True:
                question = questions.get()
                try:
                    answer: _Answer | _Problem
                    if isinstance(question, _Counted):
                        answer = _Answer(None, model.notes, model.count_tokens(question.texts))
                    else:
                        answer = _Answer(model.encode(question), model.notes)
                except ModelError as error:
                    answer = _Problem(error.message, error.hint)
                send(target, answer)
        except ModelError as error:
            send(target, _Problem(error.message, error.hint))
        except Exception as error:
            if isinstance(error, EOFError | BrokenPipeError):
                raise
            send(target, _Failure(traceback.format_exc()))


def _listen(source: BinaryIO, questions: queue.SimpleQueue[Sequence[str] | _Counted]) -> None:
    """Pass questions on; end the process, whatever it is computing, when there is nobody left to ask one."""
    with suppress(EOFError, OSError):
        while True:
            questions.put(receive(source))
    os._exit(0)


def _ending(status: int) -> str:
    """Say in words how a process ended."""
    if status >= 0:
        return f"status {status}"
    with suppress(ValueError):
        name = signal.Signals(-status).name
        return f"{name} (memory may be short)" if name == "SIGKILL" else name
    return f"signal {-status}"
