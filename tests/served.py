"""A server for tests: the real one, on loopback, in a thread."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from codeseek.engine import Engine
from codeseek.everywhere import named
from codeseek.serve import door, listening
from codeseek.serve.door import Door, Rules
from codeseek.serve.http import application
from codeseek.serve.metrics import Metrics
from codeseek.serve.models import Models
from codeseek.serve.pool import Pool
from codeseek.serve.projects import Project, Projects
from codeseek.settings import Settings


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def message(self) -> str:
        return str(self.json["error"]["message"])


class Served(NamedTuple):
    """A running server. `bugs` are the tracebacks that it reported."""

    port: int
    bugs: list[str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: object = None, *, raw: bytes | None = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            data = raw if raw is not None else None if body is None else json.dumps(body).encode()
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, data, named)
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())

    def search(self, query: str, **wanted: object) -> Answer:
        return self.ask("POST", "/v1/search", {"query": query, **wanted})


@contextlib.contextmanager
def served(
    engines: Mapping[Path, tuple[Settings, Engine]],
    models: Models,
    rules: Rules | None = None,
    pool: Pool | None = None,
) -> Iterator[Served]:
    """Serve projects until the block ends; a bug in the server fails the test."""
    projects, pool, metrics, bugs = Projects(), pool or Pool(), Metrics(), list[str]()
    for name, root in named(engines).items():
        projects.add(Project(root, *engines[root], name=name))
    app = application(projects, models, pool, metrics)
    door.furnish(app, bugs.append)
    with listening.bind(listening.address("127.0.0.1:0")) as bound:
        port = listening.bound_to(bound).port
        with running(Door(app, rules or Rules(), metrics, bugs.append), bound):
            yield Served(port, bugs)
    pool.close()
    models.close()
    projects.close()
    assert not bugs, bugs[0]


@contextlib.contextmanager
def running(app: Any, bound: socket.socket) -> Iterator[None]:
    """Serve an application until the block ends."""
    server = listening.server(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    while not server.started:
        time.sleep(0.005)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
