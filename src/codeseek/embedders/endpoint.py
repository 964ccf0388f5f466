"""A server that takes and gives JSON: connections that are kept, proxies, retries, and every failure in our words.

This is the standard library's HTTP client, so that a model on a server needs no package beside codeseek itself, and
loads in a quarter of the time that httpx takes. Text goes to one host only: a redirect is an error, never followed.
"""

from __future__ import annotations

import base64
import contextlib
import email.utils
import http.client
import json
import random
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from codeseek import network
from codeseek.errors import ModelError

_CONNECT_TIMEOUT_S = 10.0
_ATTEMPTS = 6
_FIRST_DELAY_S = 0.5
_LONGEST_DELAY_S = 30.0
_LONGEST_PAUSE_S = 120.0  # a server that asks for a longer one is an error, not a wait
_MOST_BYTES = 256 << 20
_BUSY = (408, 425, 429, 500, 502, 503, 504, 529)
_TOO_LARGE = re.compile(
    r"too (long|large|many|big)|larger than|exceed|maximum|at most|less than|range of input|batch size|context (size|length)",
    re.IGNORECASE,
)
_EXHAUSTED = re.compile(r"insufficient_quota|exceeded your current quota|billing|arrearage|credit", re.IGNORECASE)


class Rejected(Exception):
    """The server answered, but not with what was asked for; `status` 0 means that it took too long.

    `words` are the server's own, in one line; `target` is where it says that it has moved.
    """

    def __init__(self, status: int, words: str, *, target: str = "", pause_s: float | None = None) -> None:
        super().__init__(words)
        self.status = status
        self.words = words
        self.target = target
        self.pause_s = pause_s

    @property
    def is_too_large(self) -> bool:
        """Whether less in one request may be answered."""
        return self.status in (0, 413) or (self.status in (400, 422, 500) and bool(_TOO_LARGE.search(self.words)))

    @property
    def is_exhausted(self) -> bool:
        """Whether it is money that is missing."""
        return self.status == 402 or (self.status in (403, 429) and bool(_EXHAUSTED.search(self.words)))

    @property
    def is_passing(self) -> bool:
        """Whether the same request may be answered later."""
        return self.status in _BUSY and not self.is_too_large and not self.is_exhausted


class Cancelled(Exception):
    """`abort` was called in the meantime."""


class Endpoint:
    """One server, for any number of threads at once."""

    def __init__(self, url: str, *, key: str = "", timeout_s: float = 300.0, hint: str = "") -> None:
        """`url` is what paths are added to; `hint` says where it can be corrected. Raises `ModelError`."""
        try:
            parts = urlsplit(url.strip())
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None or parts.query:
            raise ModelError(
                f"`{url}` is not the URL of a server", hint=f"it looks like `http://localhost:11434/v1`; {hint}"
            )
        self.host = parts.hostname
        self.is_private = network.is_loopback(self.host)
        self.is_encrypted = parts.scheme == "https"
        self.place = parts.netloc.lower() + parts.path.rstrip("/")
        self._path = parts.path.rstrip("/")
        self._port = port or (443 if self.is_encrypted else 80)
        self._netloc = parts.netloc
        self._headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "codeseek"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self._key = key
        self._timeout_s = timeout_s
        self._hint = hint
        self._context = ssl.create_default_context() if self.is_encrypted else None
        self._proxy = None if self.is_private else _proxy(parts.scheme, self.host, self._port)
        self._lock = threading.Lock()
        self._idle: list[http.client.HTTPConnection] = []
        self._busy: set[http.client.HTTPConnection] = set()
        self._aborted = threading.Event()
        self._pause_until = 0.0
        self._has_answered = False

    def ask(self, path: str, body: object = None, *, patient: bool = True) -> Any:
        """Post a body (none: get) and return the JSON that comes back; what will pass is tried again if `patient`.

        Raises `Rejected` when the server refuses or takes too long, and `ModelError` when there is none or it speaks
        another language.
        """
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        for attempt in range(1, _ATTEMPTS + 1):
            self._rest(self._pause_until - time.monotonic())
            last = attempt == _ATTEMPTS or not patient
            delay_s = min(_FIRST_DELAY_S * 2**attempt, _LONGEST_DELAY_S) * random.uniform(0.5, 1)  # noqa: S311
            try:
                answer = self._exchange(path, data)
                self._has_answered = True
                return answer
            except Rejected as rejected:
                if last or not rejected.is_passing or (rejected.pause_s or 0) > _LONGEST_PAUSE_S:
                    raise
                if rejected.pause_s is not None:  # holds for all threads: the server said so
                    delay_s = rejected.pause_s + random.uniform(0, 0.1 * rejected.pause_s)  # noqa: S311
                    self._pause_until = max(self._pause_until, time.monotonic() + rejected.pause_s)
            except (OSError, http.client.HTTPException) as error:
                if last or not self._has_answered:  # who never answered will not do so in a second
                    raise self._unreachable(error) from error
            self._rest(delay_s)
        raise AssertionError

    def abort(self) -> None:
        """End what other threads are asking: they raise `Cancelled`."""
        self._aborted.set()
        with self._lock:
            for connection in self._busy:
                if connection.sock is not None:
                    with contextlib.suppress(OSError):
                        connection.sock.shutdown(socket.SHUT_RDWR)

    def resume(self) -> None:
        """Let threads ask again, after `abort`."""
        self._aborted.clear()

    def close(self) -> None:
        """Close the connections that are kept."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _rest(self, seconds: float) -> None:
        if (seconds > 0 and self._aborted.wait(seconds)) or self._aborted.is_set():
            raise Cancelled

    def _exchange(self, path: str, data: bytes | None) -> Any:
        with self._connection() as connection:
            was_kept = connection.sock is not None
            if not was_kept:
                self._connect(connection)
            try:
                try:
                    response = self._send(connection, path, data)
                except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                    if not was_kept or self._aborted.is_set():
                        raise
                    connection.close()  # the server had closed it while it was idle
                    self._connect(connection)
                    response = self._send(connection, path, data)
                text = self._read(response)
            except TimeoutError as error:
                raise Rejected(0, f"no answer in {self._timeout_s:.0f} s") from error
        if response.status == 200:
            return self._parsed(text)
        raise Rejected(
            response.status,
            self._words(text),
            target=response.headers.get("Location", "") if 300 <= response.status < 400 else "",
            pause_s=_pause_s(response.headers.get("Retry-After", "")),
        )

    def _connect(self, connection: http.client.HTTPConnection) -> None:
        connection.timeout = _CONNECT_TIMEOUT_S
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sock.settimeout(self._timeout_s)
        if self.is_private and not network.is_loopback(connection.sock.getpeername()[0]):
            raise ModelError(f"`{self.host}` is not this machine", hint="its name is another's: use `127.0.0.1`")

    def _send(self, connection: http.client.HTTPConnection, path: str, data: bytes | None) -> http.client.HTTPResponse:
        target, headers = self._path + path, self._headers
        if self._proxy is not None and not self.is_encrypted:
            target, headers = f"http://{self._netloc}{target}", {**headers, **self._proxy.headers}
        connection.request("GET" if data is None else "POST", target, data, headers)
        return connection.getresponse()

    def _read(self, response: http.client.HTTPResponse) -> str:
        until = time.monotonic() + self._timeout_s
        parts: list[bytes] = []
        size = 0
        while part := response.read(1 << 16):
            parts.append(part)
            size += len(part)
            if size > _MOST_BYTES or time.monotonic() > until:
                raise Rejected(0, f"{size:,} bytes in {self._timeout_s:.0f} s, and no end")
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)
        return b"".join(parts).decode("utf-8", "replace")

    def _parsed(self, text: str) -> Any:
        try:
            answer = json.loads(text)
        except ValueError as error:
            if text.lstrip().startswith("<"):
                raise ModelError(
                    f"`{self.place}` answers with a web page", hint=f"a server's URL often ends in `/v1`; {self._hint}"
                ) from error
            raise ModelError(
                f"`{self.place}` answers with broken JSON: {error}", hint="look at the log of the server"
            ) from error
        if isinstance(answer, dict) and answer.get("error"):
            raise Rejected(200, self._words(text))
        return answer

    def _words(self, text: str) -> str:
        """Find the sentence in the ways in which servers say what is wrong."""
        try:
            told = json.loads(text)
        except ValueError:
            told = "a web page" if text.lstrip().startswith("<") else text
        for key in ("error", "message", "detail", "msg"):
            if isinstance(told, dict) and told.get(key):
                code = told.get("code")
                told = told[key] if key == "error" or not isinstance(code, str) else f"{told[key]} ({code})"
        words = " ".join((told if isinstance(told, str) else json.dumps(told)).split())
        if self._key:
            words = words.replace(self._key, "…")
        return words[:300]

    @contextlib.contextmanager
    def _connection(self) -> Iterator[http.client.HTTPConnection]:
        """Lend a connection; what fails is closed, what does not is kept."""
        with self._lock:
            connection = self._idle.pop() if self._idle else self._connection_made()
            self._busy.add(connection)
        try:
            yield connection
        except Rejected as rejected:
            if rejected.status == 0:
                connection.close()
            raise
        except BaseException as error:
            connection.close()
            if self._aborted.is_set() and isinstance(error, OSError | http.client.HTTPException):
                raise Cancelled from error
            raise
        finally:
            with self._lock:
                self._busy.discard(connection)
                if connection.sock is not None:
                    self._idle.append(connection)

    def _connection_made(self) -> http.client.HTTPConnection:
        host, port = (self._proxy.host, self._proxy.port) if self._proxy else (self.host, self._port)
        if self._context is None:
            return http.client.HTTPConnection(host, port)
        connection = http.client.HTTPSConnection(host, port, context=self._context)
        if self._proxy:
            connection.set_tunnel(self.host, self._port, dict(self._proxy.headers))
        return connection

    def _unreachable(self, error: Exception) -> ModelError:
        way = f"`{self._proxy.host}:{self._proxy.port}`, the proxy," if self._proxy else f"`{self._netloc}`"
        match error:
            case socket.gaierror():
                name = self._proxy.host if self._proxy else self.host
                return ModelError(f"no machine is called `{name}`", hint=f"is there a network? {self._hint}")
            case ssl.SSLCertVerificationError():
                return ModelError(
                    f"the certificate of {way} is not to be trusted: {error.verify_message}",
                    hint="the variable `SSL_CERT_FILE` names a file of further certificates",
                )
            case ssl.SSLError():
                return ModelError(
                    f"{way} does not speak TLS: {error.reason or error}", hint=f"is it `http://`? {self._hint}"
                )
            case ConnectionRefusedError():
                return ModelError(f"nothing answers at {way}", hint=f"start the server; {self._hint}")
            case TimeoutError():
                return ModelError(
                    f"{way} cannot be reached in {_CONNECT_TIMEOUT_S:.0f} s", hint=f"is there a network? {self._hint}"
                )
            case http.client.HTTPException() if not isinstance(error, OSError):
                return ModelError(
                    f"{way} does not speak HTTP as it should: {type(error).__name__} {error}", hint=self._hint
                )
            case _:
                return ModelError(f"the connection to {way} fails: {error}", hint=self._hint)


class _Proxy(NamedTuple):
    """A proxy that the environment names."""

    host: str
    port: int
    headers: Mapping[str, str]


def _proxy(scheme: str, host: str, port: int) -> _Proxy | None:
    import urllib.request

    if urllib.request.proxy_bypass(f"{host}:{port}"):
        return None
    proxies = urllib.request.getproxies()
    url = proxies.get(scheme) or proxies.get("all")
    if not url:
        return None
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        proxy_port = parts.port or 80
    except ValueError:
        parts, proxy_port = urlsplit(""), 80
    if parts.scheme != "http" or not parts.hostname:
        raise ModelError(
            f"the proxy `{parts.scheme}://{parts.hostname}` of the environment cannot be used",
            hint=f"an `http://` proxy can; `NO_PROXY={host}` goes without",
        )
    headers = {}
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Proxy-Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
    return _Proxy(parts.hostname, proxy_port, headers)


def _pause_s(told: str) -> float | None:
    """Read what `Retry-After` says: seconds, or a date."""
    if re.fullmatch(r"\d{1,9}(\.\d*)?", told.strip()):
        return float(told)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(told).timestamp() - time.time())
    except (ValueError, TypeError):
        return None
