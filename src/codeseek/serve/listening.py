"""Where a server listens, who may come in by that, and its life from the first request to the last."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import signal
import socket
import threading
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import NamedTuple

import uvicorn
from starlette.types import ASGIApp

from codeseek.errors import UsageError
from codeseek.serve.door import LOOPBACK, Rules

DEFAULT = "127.0.0.1:7878"
TOKEN_VARIABLE = "CODESEEK_SERVE_TOKEN"  # noqa: S105 # the name of a variable

_GRACE_S = 5
"""Requests that are being answered have so long to end."""
_SHORTEST_TOKEN = 16


class Address(NamedTuple):
    """A host and a port; 0 is any free one."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Tell whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def address(text: str) -> Address:
    """Read `HOST:PORT`, or `PORT` on this machine; raises `UsageError`."""
    host, _, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not port.isascii() or not port.isdigit() or int(port) > 65_535 or (":" in bare and bare == host):
        raise UsageError(f"`{text}` is no address", f"write HOST:PORT, as in `--http {DEFAULT}`")
    return Address(bare or "127.0.0.1", int(port))


def rules(where: Address, token_file: str | None, origins: Sequence[str]) -> Rules:
    """Say who may come in: without a token only this machine. Raises `UsageError`."""
    token = _token(token_file)
    if not token and not where.is_loopback:
        raise UsageError(
            f"`{where.host}` can be reached from other machines, so a token is needed",
            f"put one into a file for `--token-file`, or into {TOKEN_VARIABLE}: `openssl rand -hex 32` makes one",
        )
    for origin in origins:
        if origin == "*" or "://" not in origin or origin.endswith("/"):
            raise UsageError(f"`{origin}` is no origin of web pages", "write it as in `http://localhost:3000`")
    hosts = {*LOOPBACK, where.host.lower()} if where.is_loopback else None
    return Rules(hosts, tuple(origins), token)


def _token(token_file: str | None) -> str:
    """Return the token of a file or of the environment, empty if there is neither."""
    if token_file is None:
        token, source = os.environ.get(TOKEN_VARIABLE, ""), f"`{TOKEN_VARIABLE}`"
        if TOKEN_VARIABLE not in os.environ:
            return ""
    else:
        source = f"`{token_file}`"
        try:
            token = Path(token_file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise UsageError(f"cannot read the token in {source}: {reason}", "name a file with one line") from error
    if len(token) < _SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(
            f"the token in {source} is no good: it has to be {_SHORTEST_TOKEN} or more letters, digits and signs",
            "`openssl rand -hex 32` makes one",
        )
    return token


def bind(where: Address) -> socket.socket:
    """Return a listening socket; raises `UsageError` where that is not possible."""
    try:
        found = socket.getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        listening = socket.socket(*found[0][:3])  # with its protocol: else asyncio doesn't send small answers at once
        try:
            if os.name == "posix":  # a port whose last owner has just ended is free
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((where.host, where.port))
            listening.listen(2048)
        except BaseException:
            listening.close()
            raise
    except PermissionError as error:
        raise UsageError(f"port {where.port} needs a privilege that you do not have", "take one above 1023") from error
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        hint = f"is codeseek running there already? Take another port: `--http {Address(where.host, where.port + 1)}`"
        raise UsageError(
            f"cannot listen at `{where}`: {reason}",
            hint if getattr(error, "errno", None) == errno.EADDRINUSE else "name an address of this machine",
        ) from error
    return listening


class _Server(uvicorn.Server):
    """Ends in peace on SIGINT and SIGTERM, and then goes on with its caller, who has more to close."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Hear the signals as long as it runs."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def server(app: ASGIApp) -> uvicorn.Server:
    """Return what serves an application: `run(sockets=[…])` returns when it is told to end."""
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
        timeout_keep_alive=30,
        ws="none",
    )
    return _Server(config)


def bound_to(listening: socket.socket) -> Address:
    """Return the address of a socket, with the port that was free if any was to be."""
    host, port = listening.getsockname()[:2]
    return Address(host, port)


def run(app: ASGIApp, listening: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM."""
    server(app).run(sockets=[listening])
