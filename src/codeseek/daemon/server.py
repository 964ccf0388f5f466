"""The daemon itself: engines kept open for whoever asks, models loaded once, and an end when nobody asks any more."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from codeseek import __version__
from codeseek.daemon import place, wire
from codeseek.daemon.client import STOP
from codeseek.daemon.kept import KeptEngine
from codeseek.daemon.shelf import Shelf
from codeseek.engine import Engine
from codeseek.errors import BusyError, CodeseekError
from codeseek.lock import WriteLock
from codeseek.records import Progress
from codeseek.settings import Settings

IDLE_S = 30 * 60.0
"""After so long without a call the daemon ends."""

MODEL_IDLE_S = 10 * 60.0
"""After so long without a question a model is let go of; the next one loads it again."""

_LOOK_S = 10.0  # between looks at whether all is idle
_MOST_PROJECTS = 8
_METHODS = ("search", "similar", "chunks", "count_tokens", "duplicates", "refresh", "embed", "status")
_LISTENING = ("duplicates", "refresh", "embed")
_BACKLOG = 128
_ENDING_S = 5.0


class Server:
    """Listens on the private socket; each connection makes one call, in a thread of its own."""

    def __init__(self, where: Path, shelf: Shelf | None = None, idle_s: float = IDLE_S) -> None:
        self._where = where
        self._shelf = shelf or Shelf()
        self._idle_s = idle_s
        self._guard = threading.Lock()  # over all below
        self._engines: dict[tuple[Path, Settings], Engine] = {}
        self._busy: dict[int, int] = {}  # calls that go on, by the engine's number
        self._started_at = time.time()
        self._calls = self._clients = 0
        self._last = time.monotonic()
        self._ending = threading.Event()
        self._woken, self._waker = socket.socketpair()

    def serve(self) -> None:
        """Answer until nobody has asked for long, or somebody asks to end; the caller holds the lock."""
        path = place.socket_path(self._where)
        path.unlink(missing_ok=True)  # whoever left it holds no lock: it is nobody's
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(os.fspath(path))
            path.chmod(0o600)
            listener.listen(_BACKLOG)
            try:
                while not self._ending.is_set() and not self._is_idle():
                    ready, _, _ = select.select([listener, self._woken], [], [], _LOOK_S)
                    if listener in ready:
                        connection, _ = listener.accept()
                        threading.Thread(target=self._attend, args=(connection,), daemon=True).start()
                    self._shelf.put_away(MODEL_IDLE_S)
            finally:
                with contextlib.suppress(OSError):
                    path.unlink()
        self._finish()

    def end(self) -> None:
        """Let `serve` return."""
        self._ending.set()
        with contextlib.suppress(OSError):  # it may have ended already
            self._waker.send(b"!")

    def _is_idle(self) -> bool:
        with self._guard:
            return not self._clients and time.monotonic() - self._last > self._idle_s

    def _finish(self) -> None:
        """Wait a little for calls that go on, and close all engines."""
        deadline = time.monotonic() + _ENDING_S
        while self._clients and time.monotonic() < deadline:
            time.sleep(0.02)
        with self._guard:
            for engine in self._engines.values():
                with contextlib.suppress(CodeseekError):
                    engine.close()
        self._woken.close()
        self._waker.close()

    # ------------------------------------------------------------ one connection, in its thread

    def _attend(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError, EOFError):
            if not _is_own(connection):
                return
            connection.settimeout(30)
            if connection.recv(len(STOP), socket.MSG_PEEK) == STOP:
                self.end()
                return
            try:
                wire.greet(connection)
                wire.hear_greeting(connection)
            except wire.Refused:
                return
            with self._guard:
                self._clients += 1
            try:
                try:
                    call = wire.receive(connection)
                except wire.Refused as error:
                    wire.send(connection, wire.Failed(None, str(error)))
                    return
                connection.settimeout(None)
                wire.send(connection, self._answer(connection, call))
            finally:
                with self._guard:
                    self._clients -= 1
                    self._last = time.monotonic()

    def _answer(self, connection: socket.socket, call: Any) -> wire.Result | wire.Failed:
        """Make a call; a client that has gone ends it as an interrupt would."""
        try:
            if not isinstance(call, wire.Call):
                return wire.Failed(None, f"not a call: {type(call).__name__}")
            with self._guard:
                self._calls += 1
            if call.method == "report":
                return wire.Result(self._report())
            if call.method not in _METHODS:
                return wire.Failed(None, f"no method of an engine: {call.method}")
            root, settings = call.project
            with self._engine(root, settings) as engine:
                options = dict(call.options)
                if call.method in _LISTENING:
                    options["listener"] = lambda progress: _tell(connection, progress)
                return wire.Result(getattr(engine, call.method)(*call.arguments, **options))
        except KeyboardInterrupt:
            return wire.Failed(None, "interrupted")
        except CodeseekError as error:
            return wire.Failed(_plain(error))
        except Exception:  # noqa: BLE001  a bug is the client's to show
            trace = traceback.format_exc()
            _log(trace)
            return wire.Failed(None, trace)

    @contextlib.contextmanager
    def _engine(self, root: Path, settings: Settings) -> Iterator[Engine]:
        """Lend a project's engine; the one that was not asked for longest makes room for a new one."""
        settings = replace(settings, limit=1, refresh=True, workers=0, origins={})  # these are not the engine's
        key = (root, settings)
        with self._guard:
            engine = self._engines.pop(key, None)
            if engine is None:
                engine = KeptEngine(root, settings, self._shelf)
                spare = [other for other in self._engines if not self._busy.get(id(self._engines[other]))]
                for other in spare[: max(0, len(self._engines) + 1 - _MOST_PROJECTS)]:
                    self._engines.pop(other).close()
            self._engines[key] = engine  # the last is the latest
            self._busy[id(engine)] = self._busy.get(id(engine), 0) + 1
        try:
            yield engine
        finally:
            with self._guard:
                self._busy[id(engine)] -= 1
                if not self._busy[id(engine)]:
                    del self._busy[id(engine)]

    def _report(self) -> wire.Report:
        with self._guard:
            return wire.Report(
                os.getpid(),
                __version__,
                self._started_at,
                tuple(str(root) for root, _ in self._engines),
                tuple(self._shelf.loaded()),
                self._clients,
                self._calls,
                _memory_bytes(),
            )


def run() -> int:
    """Be the daemon until it is idle for long, asked to end, or told so by a signal; return the exit status."""
    where = place.folder()
    try:
        with WriteLock(place.lock_path(where)):
            server = Server(where)
            for name in (signal.SIGTERM, signal.SIGINT):
                signal.signal(name, lambda *_: server.end())
            with contextlib.suppress(AttributeError):
                signal.signal(signal.SIGHUP, signal.SIG_IGN)  # it outlives the terminal
            _log(f"daemon {os.getpid()} of codeseek {__version__} listens")
            server.serve()
            _log(f"daemon {os.getpid()} ends")
    except BusyError:  # two were started at once
        pass
    return 0


def _tell(connection: socket.socket, progress: Progress) -> None:
    try:
        wire.send(connection, wire.Told(progress))
    except OSError as error:
        raise KeyboardInterrupt from error


def _plain(error: CodeseekError) -> CodeseekError:
    """Return an error as one of those that every client knows; some parts have finer ones of their own."""
    known = next(kind for kind in type(error).__mro__ if kind.__module__ == CodeseekError.__module__)
    plain: CodeseekError = known(error.message, error.hint)
    return plain


def _is_own(connection: socket.socket) -> bool:
    """Tell whether a process of this user is at the other end, where the system says so; the folder is private anyway."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return int.from_bytes(data[4:8], sys.byteorder) == os.getuid()


def _memory_bytes() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


def _log(text: str) -> None:
    """Write to the log, which standard error is."""
    with contextlib.suppress(OSError, ValueError):
        os.write(2, f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n".encode("utf-8", "replace"))
