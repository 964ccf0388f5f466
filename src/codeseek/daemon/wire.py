"""What client and daemon say to each other: a greeting in plain text, then records, of which only ours are taken.

Each message is its length and a pickle, which may hold nothing but builtins, paths and the records, errors and settings of
this program. Whoever can reach the socket is the same user already; the limit keeps a mistake from becoming more than one.
"""

from __future__ import annotations

import io
import pickle
import socket
import struct
from typing import Any, NamedTuple

from codeseek import __version__

MOST_BYTES = 256 << 20
"""A longer message is none of ours."""

_LENGTH = struct.Struct("<Q")
_GREETING = f"codeseek {__version__} 1\n".encode()
_LONGEST_GREETING = 200

_OURS = {"codeseek.errors", "codeseek.records", "codeseek.settings", "codeseek.daemon.wire"}
_PATHS = {"PosixPath", "PurePosixPath", "PureWindowsPath", "WindowsPath", "Path"}
_EXCEPTIONS = {"KeyError", "OSError", "ValueError"}


class Refused(Exception):
    """The other side speaks otherwise, or says what nobody may say."""


class Call(NamedTuple):
    """A method of an engine on a project, or of the daemon itself (`project` is None)."""

    method: str
    project: Any = None
    arguments: tuple[Any, ...] = ()
    options: tuple[tuple[str, Any], ...] = ()


class Told(NamedTuple):
    """Progress of a call that goes on."""

    progress: Any


class Result(NamedTuple):
    """What a call returned."""

    value: Any


class Failed(NamedTuple):
    """A call failed: the error, or the traceback of a bug."""

    error: Any
    trace: str = ""


class Report(NamedTuple):
    """How a daemon is: since when it runs, what it has in memory, and how often it was asked."""

    pid: int
    version: str
    started_at: float
    projects: tuple[str, ...]
    models: tuple[str, ...]
    clients: int
    calls: int
    memory_bytes: int


def greet(connection: socket.socket) -> None:
    """Say who is speaking; raises OSError."""
    connection.sendall(_GREETING)


def hear_greeting(connection: socket.socket) -> None:
    """Read the other side's greeting; raises `Refused` when it is of another version, EOFError and OSError."""
    heard = b""
    while not heard.endswith(b"\n") and len(heard) < _LONGEST_GREETING:
        byte = connection.recv(1)
        if not byte:
            raise EOFError
        heard += byte
    if heard != _GREETING:
        raise Refused(heard.decode("utf-8", "replace").strip())


def send(connection: socket.socket, message: object) -> None:
    """Write a message; raises OSError when nobody is there to read it."""
    data = pickle.dumps(message, protocol=5)
    connection.sendall(_LENGTH.pack(len(data)) + data)


def receive(connection: socket.socket) -> Any:
    """Wait for a message; raises `Refused` when it may not be said, EOFError when the other side has gone, OSError."""
    (length,) = _LENGTH.unpack(_exactly(connection, _LENGTH.size))
    if length > MOST_BYTES:
        raise Refused(f"a message of {length} bytes")
    try:
        return _Unpickler(io.BytesIO(_exactly(connection, length))).load()
    except (pickle.UnpicklingError, AttributeError, IndexError, TypeError, ValueError, EOFError) as error:
        raise Refused(f"a message that cannot be read: {error}") from error


class _Unpickler(pickle.Unpickler):
    """Makes nothing but what belongs to the vocabulary."""

    def find_class(self, module: str, name: str) -> Any:
        """Return a class that may be in a message; raises UnpicklingError."""
        if (
            module in _OURS
            or (module.startswith("pathlib") and name in _PATHS)
            or (module == "builtins" and name in _EXCEPTIONS)
            or (module, name) == ("types", "MappingProxyType")
        ):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"`{module}.{name}` does not belong here")


def _exactly(connection: socket.socket, length: int) -> bytearray:
    data = bytearray(length)
    view = memoryview(data)
    while view:
        count = connection.recv_into(view)
        if not count:
            raise EOFError
        view = view[count:]
    return data
