"""Processes of our own beside this one: started apart from the terminal, spoken with in messages over their pipes."""

from __future__ import annotations

import os
import pickle
import struct
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import IO, Any, BinaryIO

_LENGTH = struct.Struct("<Q")


class Child:
    """A fresh Python process that runs `main()` of a module: what is forked inherits threads, and hangs."""

    def __init__(self, module: str, environment: Mapping[str, str], errors: IO[bytes] | None = None) -> None:
        """`environment` is added to ours; standard error goes to `errors`, without it to ours."""
        program = f"import sys; sys.path[:] = {sys.path!r}; from {module} import main; main()"
        apart: dict[str, Any]  # Ctrl-C is for this process; the other ends when its pipe does
        if sys.platform == "win32":
            apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        else:
            apart = {"process_group": 0}
        self._process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            bufsize=0,
            env={**os.environ, **environment},
            **apart,
        )

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def send(self, message: object) -> None:
        """Write a message; raises BrokenPipeError when the process has ended."""
        send(_pipe(self._process.stdin), message)

    def receive(self) -> Any:
        """Wait for a message and read it; raises EOFError when the process has ended."""
        return receive(_pipe(self._process.stdout))

    def kill(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()

    def end(self) -> int:
        """Wait for the process's end and let go of it; return its status."""
        status = self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                _pipe(pipe).close()
        return status


def own_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Return where such a process hears and answers; what libraries print from now on goes to standard error."""
    source = os.fdopen(os.dup(0), "rb", buffering=0)
    target = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return _pipe(source), _pipe(target)


def send(target: BinaryIO, message: object) -> None:
    """Write a message; raises BrokenPipeError when nobody is there to read it."""
    data = memoryview(pickle.dumps(message, protocol=5))
    target.write(_LENGTH.pack(len(data)))
    while data:
        data = data[target.write(data) :]


def receive(source: BinaryIO) -> Any:
    """Wait for a message and read it; raises EOFError when the other process has ended."""
    (length,) = _LENGTH.unpack(_exactly(source, _LENGTH.size))
    return pickle.loads(_exactly(source, length))  # noqa: S301  both ends are ours


def count_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def _exactly(source: BinaryIO, length: int) -> bytearray:
    data = bytearray(length)
    view = memoryview(data)
    while view:
        count = source.readinto(view)  # type: ignore[attr-defined]  # a raw pipe, which BinaryIO does not promise
        if not count:
            raise EOFError
        view = view[count:]
    return data


def _pipe(pipe: Any) -> BinaryIO:
    assert pipe is not None  # noqa: S101  it was asked for
    result: BinaryIO = pipe
    return result
