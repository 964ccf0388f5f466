"""The door of a server: every request is checked, limited, timed and counted, and every failure answered."""

from __future__ import annotations

import asyncio
import hmac
import time
import traceback
from collections.abc import Callable, Collection
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from codeseek import schema
from codeseek.errors import CodeseekError
from codeseek.serve.answers import Refusal, refusal
from codeseek.serve.metrics import Metrics

MOST_BYTES = 8_000_000
"""The largest body: 2,048 texts of a screenful each."""

_MOST_READ = 8 * MOST_BYTES
"""So much is read of a larger one: who is still writing does not hear the answer."""

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""The names of this machine that no other can have."""

_OPEN = ("/healthz",)
"""Paths that need no token: what looks after processes has none."""
_PATIENCE_S = 30.0
"""A client that takes longer to send its request is sent away."""

Report = Callable[[str], None]
"""Hears of bugs, a traceback each."""


class Rules(NamedTuple):
    """Who may come in: hosts by which the server may be called (None: any), web pages that may, and the token ("": none).

    A web page on the same machine can call a server on it under a name of its own (DNS rebinding); its requests are
    told by their Host, or by their Origin.
    """

    hosts: Collection[str] | None = LOOPBACK
    origins: Collection[str] = ()
    token: str = ""


class Door:
    """An ASGI application around another one. `report` is told of bugs."""

    def __init__(self, app: Starlette, rules: Rules, metrics: Metrics, report: Report) -> None:
        self._rules = rules
        self._metrics = metrics
        self._report = report
        self._routes = {route.endpoint: route.name for route in app.routes if isinstance(route, Route)}
        self._app: ASGIApp = app
        if rules.origins:
            self._app = CORSMiddleware(
                app, allow_origins=list(rules.origins), allow_methods=["GET", "POST"], allow_headers=["*"]
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or say why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0
        self._metrics.begin()

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            self._admit(scope)
            await self._app(scope, _limited(receive), sending)
        except Refusal as error:
            await answer(error)(scope, receive, sending)
        except Exception as error:  # noqa: BLE001 # the application has answered, and told of it
            if not status:
                await _bug(self._report, error)(scope, receive, sending)
        finally:
            route = self._routes.get(scope.get("endpoint", None), "other")
            self._metrics.end(route, scope["method"], status, time.perf_counter() - began)

    def _admit(self, scope: Scope) -> None:
        """Raise `Refusal` for what may not come in."""
        headers, rules = Headers(scope=scope), self._rules
        host = headers.get("host", "")
        if rules.hosts is not None and _name(host) not in rules.hosts:
            raise Refusal(421, f"this server is not called `{host}`", code="wrong_host")
        origin = headers.get("origin")
        if origin is not None and origin not in rules.origins and urlsplit(origin).netloc.lower() != host.lower():
            raise Refusal(403, f"web pages of `{origin}` may not use this server", code="wrong_origin")
        preflight = scope["method"] == "OPTIONS" and origin in rules.origins
        if rules.token and scope["path"] not in _OPEN and not preflight:
            kind, _, token = headers.get("authorization", "").partition(" ")
            if kind.lower() != "bearer" or not hmac.compare_digest(token.strip().encode(), rules.token.encode()):
                raise Refusal(
                    401,
                    "the token is wrong" if token else "this server wants a token: `Authorization: Bearer TOKEN`",
                    code="invalid_api_key",
                    headers={"WWW-Authenticate": "Bearer"},
                )
        if int(_digits(headers.get("content-length", "0"))) > _MOST_READ:
            raise _too_large()


def furnish(app: Starlette, report: Report) -> None:
    """Let an application answer for what its handlers raise; `report` is told of bugs."""

    async def refused(_: Request, error: Exception) -> Response:
        return answer(refusal(error) if isinstance(error, CodeseekError) else error)  # type: ignore[arg-type] # a Refusal

    async def gone(_: Request, __: Exception) -> Response:
        return answer(Refusal(499, "the client has hung up"))

    async def unknown(request: Request, error: Exception) -> Response:
        status = int(getattr(error, "status_code", 500))
        words = {404: "there is nothing at", 405: f"{request.method} does not go with"}.get(status, "cannot answer")
        return answer(Refusal(status, f"{words} `{request.url.path}`", headers=getattr(error, "headers", None)))

    async def bug(_: Request, error: Exception) -> Response:
        return _bug(report, error)

    app.add_exception_handler(CodeseekError, refused)
    app.add_exception_handler(Refusal, refused)
    app.add_exception_handler(ClientDisconnect, gone)
    app.add_exception_handler(HTTPException, unknown)
    app.add_exception_handler(Exception, bug)


def answer(error: Refusal) -> Response:
    """Return a refusal as a response."""
    return Response(schema.dumped(error.record()), error.status, headers=error.headers, media_type="application/json")


def _bug(report: Report, error: Exception) -> Response:
    report("".join(traceback.format_exception(error)))
    return answer(Refusal(500, "this is a bug in codeseek; the server's own messages show more"))


def _limited(receive: Receive) -> Receive:
    """Return a `receive` that raises `Refusal` when a body is too large or takes too long to come."""
    read, whole = 0, False
    until = time.monotonic() + _PATIENCE_S

    async def receiving() -> Message:
        nonlocal read, whole
        if whole:  # what comes after the body is the client's leaving, which may take as long as it likes
            return await receive()
        while True:
            try:
                async with asyncio.timeout(max(0.0, until - time.monotonic())):
                    message = await receive()
            except TimeoutError:
                raise Refusal(408, "the request took too long to come", code="timeout") from None
            read += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if read <= MOST_BYTES:
                return message
            if whole or read > _MOST_READ:
                raise _too_large()

    return receiving


def _too_large() -> Refusal:
    return Refusal(413, f"the body is larger than {MOST_BYTES:,} bytes", code="too_large")


def _name(host: str) -> str:
    """Return a Host header without its port and brackets."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    return name.strip("[]").lower().rstrip(".")


def _digits(text: str) -> str:
    return text if text.isascii() and text.isdigit() else "0"
