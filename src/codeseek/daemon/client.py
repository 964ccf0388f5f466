"""The client's side: an engine that lives in the daemon, which is started when it is wanted."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Self

from codeseek.daemon import place, wire
from codeseek.errors import CodeseekError, DaemonError
from codeseek.records import (
    WHOLE,
    Chunk,
    DuplicatesRequest,
    DuplicatesResult,
    EmbedSummary,
    ProgressListener,
    RefreshSummary,
    SearchRequest,
    SearchResult,
    SimilarRequest,
    Status,
    TokenCounts,
)
from codeseek.settings import Settings

START_S = 20.0
"""So long a daemon that was started may take to listen; it takes a quarter second."""

_STOP_S = 10.0
_PAUSE_S = 0.01


def is_wanted(settings: Settings) -> bool:
    """Tell whether the settings ask for a daemon and this system can have one."""
    if not place.is_possible() or settings.daemon == "never":
        return False
    if settings.daemon == "always":
        return True
    from codeseek import catalogue
    from codeseek.errors import ModelError

    try:
        return catalogue.find(settings.model).variant(settings.quant).engine in ("gguf", "onnx")
    except ModelError:
        return False


class RemoteEngine:
    """An engine whose work is done by the daemon. Each call has its own connection, so calls may come from any thread.

    A daemon that dies in the middle of a call is started again, and the call is made once more: all calls can be.
    """

    def __init__(self, root: Path, settings: Settings) -> None:
        self.root = root
        self._settings = settings
        self._refreshed = False

    @classmethod
    def open(cls, root: Path, settings: Settings) -> Self:
        """Return an engine, with the daemon running; raises `DaemonError` when there is none and none can be started."""
        with connected():
            return cls(root, settings)

    def search(self, request: SearchRequest) -> SearchResult:
        """Answer from the index as it is."""
        return self._trusted(self._call("search", request))

    def similar(self, request: SimilarRequest) -> SearchResult:
        """Find chunks that mean the same as the one at a place."""
        return self._trusted(self._call("similar", request))

    def chunks(self, path: PurePosixPath, first_line: int, last_line: int) -> tuple[Chunk, ...]:
        """Return what is indexed of these lines of a file."""
        chunks: tuple[Chunk, ...] = self._call("chunks", path, first_line, last_line)
        return chunks

    def count_tokens(self, texts: Sequence[str]) -> TokenCounts:
        """Count the tokens of texts."""
        counts: TokenCounts = self._call("count_tokens", tuple(texts))
        return counts

    def duplicates(self, request: DuplicatesRequest, listener: ProgressListener | None = None) -> DuplicatesResult:
        """Find passages and files that are nearly the same."""
        found: DuplicatesResult = self._call("duplicates", request, listener=listener)
        return found._replace(freshness="fresh" if self._refreshed else "unknown")

    def refresh(
        self, listener: ProgressListener | None = None, *, under: PurePosixPath = WHOLE, thorough: bool = False
    ) -> RefreshSummary:
        """Bring the index up to date with the files."""
        self._refreshed = False
        summary: RefreshSummary = self._call("refresh", listener=listener, under=under, thorough=thorough)
        self._refreshed = under == WHOLE
        return summary

    def embed(self, listener: ProgressListener | None = None) -> EmbedSummary:
        """Give the chunks that lack one a vector of the chosen model."""
        summary: EmbedSummary = self._call("embed", listener=listener)
        return summary

    def status(self) -> Status:
        """Say what the index holds and how it is."""
        status: Status = self._call("status")
        return status

    def close(self) -> None:
        """Do nothing: the daemon keeps what it has for the next one who asks."""

    def _trusted(self, result: SearchResult) -> SearchResult:
        """Return a result that is called fresh if this client has seen to it, whatever others are doing meanwhile."""
        return result._replace(freshness="fresh" if self._refreshed else "unknown")

    def _call(
        self, method: str, *arguments: object, listener: ProgressListener | None = None, **options: object
    ) -> Any:
        call = wire.Call(method, (self.root, self._settings), arguments, tuple(options.items()))
        for last in (False, True):
            try:
                with connected() as connection:
                    return ask(connection, call, listener)
            except (EOFError, OSError, wire.Refused) as error:
                if last:
                    raise DaemonError(
                        f"the daemon ended in the middle of its work: {str(error) or 'no reason given'}",
                        hint="`codeseek daemon logs` may say why; set `daemon = never` to do without it",
                    ) from error
        raise AssertionError


def ask(connection: socket.socket, call: wire.Call, listener: Callable[[Any], None] | None = None) -> Any:
    """Make a call and wait for its result; raises what the call raised, EOFError and OSError."""
    wire.send(connection, call)
    while True:
        answer = wire.receive(connection)
        if isinstance(answer, wire.Told):
            if listener is not None:
                listener(answer.progress)
        elif isinstance(answer, wire.Result):
            return answer.value
        elif isinstance(answer, wire.Failed) and isinstance(answer.error, CodeseekError):
            raise answer.error
        else:
            trace = answer.trace if isinstance(answer, wire.Failed) else repr(answer)
            raise RuntimeError(f"the daemon failed:\n{trace}")  # noqa: TRY004  it is an answer, of its kind


@contextlib.contextmanager
def connected(*, start: bool = True) -> Iterator[socket.socket]:
    """Connect to the daemon, which is started if there is none and replaced if it is of another version.

    Raises `DaemonError` when there is none and none can be started.
    """
    where = place.folder()
    connection = _connect(where)
    if connection is None and start:
        connection = _started(where)
    if connection is None:
        raise DaemonError("there is no daemon", hint="`codeseek daemon start` starts one")
    with connection:
        yield connection


def _connect(where: Path) -> socket.socket | None:
    """Connect to a daemon of this version; None if there is none. One of another version is asked to end first."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(os.fspath(place.socket_path(where)))
        wire.greet(connection)
        wire.hear_greeting(connection)
    except wire.Refused:
        connection.close()
        _replace_other(where)
        return None
    except (OSError, EOFError):
        connection.close()
        return None
    return connection


def _started(where: Path) -> socket.socket | None:
    """Start a daemon, or wait for the one that somebody else is starting."""
    from codeseek.errors import BusyError
    from codeseek.lock import WriteLock

    process: subprocess.Popen[bytes] | None = None
    deadline = time.monotonic() + START_S
    with contextlib.ExitStack() as stack:
        try:
            while time.monotonic() < deadline:
                if (connection := _connect(where)) is not None:
                    return connection
                if process is None:
                    with contextlib.suppress(BusyError):
                        stack.enter_context(WriteLock(place.start_lock_path(where)))
                        if (connection := _connect(where)) is not None:  # it was started in the meantime
                            return connection
                        process = launch(where)
                elif process.poll() not in (None, 0):
                    raise DaemonError(
                        f"the daemon could not be started (status {process.returncode})",
                        hint="`codeseek daemon logs` says why; set `daemon = never` to do without it",
                    )
                time.sleep(_PAUSE_S)
            return None
        finally:
            if process is not None:  # it outlives this process, which is not to wait for it
                process.returncode = process.returncode or 0


def launch(where: Path) -> subprocess.Popen[bytes]:
    """Start a process that becomes the daemon, apart from this terminal; its words go to the log."""
    log = place.log_path(where)
    with contextlib.suppress(OSError):
        if log.stat().st_size > 1_000_000:
            log.replace(log.with_suffix(".old"))
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "codeseek", "daemon", "run"],
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            cwd="/",
            start_new_session=True,
        )
    finally:
        os.close(descriptor)


def stop() -> bool:
    """End the daemon when it has done what it is at; tell whether there was one. Raises `DaemonError` if it stays."""
    where = place.folder()
    if not _is_alive(where):
        return False
    with contextlib.suppress(OSError, EOFError, wire.Refused), socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.fspath(place.socket_path(where)))
        connection.settimeout(_STOP_S)
        connection.sendall(STOP)
        connection.recv(1)
    deadline = time.monotonic() + _STOP_S
    while _is_alive(where):
        if time.monotonic() > deadline:
            raise DaemonError("the daemon does not end", hint=f"end the process yourself: {_holder(where)}")
        time.sleep(_PAUSE_S)
    return True


STOP = b"stop\n"
"""Instead of a greeting: understood by every version."""


def _replace_other(where: Path) -> None:
    """Ask a daemon of another version to end, and wait until it has."""
    with contextlib.suppress(DaemonError):
        stop()
    if _is_alive(where):
        raise DaemonError(
            "a daemon of another version of codeseek is at work",
            hint="wait until it is done, or `codeseek daemon stop`",
        )


def _is_alive(where: Path) -> bool:
    """Tell whether a process holds the daemon's lock."""
    from codeseek.errors import BusyError
    from codeseek.lock import WriteLock

    try:
        with WriteLock(place.lock_path(where)):
            return False
    except BusyError:
        return True


def _holder(where: Path) -> str:
    try:
        return place.lock_path(where).read_text("ascii", "replace").strip()
    except OSError:
        return "its number is not known"
