"""A server of our own that speaks `/v1/embeddings` on loopback, and misbehaves as it is told."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

from fakes import HashEmbedder

Request = dict[str, Any]
_CHANCE = np.random.default_rng(1).standard_normal((64, 4096)).astype(np.float32)


class Reply(Exception):
    """Ends the handling of a request with something other than vectors."""

    def __init__(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.headers = headers or {}


def failure(status: int, message: str, **headers: str) -> Reply:
    return Reply(status, {"error": {"message": message, "type": "error"}}, headers)


@dataclass
class Server:
    """What a server does, and what it saw. `before` may raise a `Reply`; `after` may change the answer."""

    dimensions: int = 32
    model: str = "hash"
    key: str = ""
    most_texts: int = 1000
    most_characters: int = 1_000_000
    knows_base64: bool = True
    cost_s: Callable[[list[str]], float] = lambda texts: 0.0
    workers: int = 64  # requests at once, the others wait
    random: bool = False  # vectors that mean nothing, and cost nothing
    before: Callable[[int, Request], None] = lambda number, request: None
    after: Callable[[dict[str, Any]], object] = lambda answer: answer
    url: str = ""
    requests: list[Request] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    connections: int = 0
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, path: str, request: Request, headers: Mapping[str, str]) -> object:
        with self.lock:
            number = len(self.requests)
            self.requests.append(request)
            self.headers.append(headers)
        if self.key and headers.get("Authorization") != f"Bearer {self.key}":
            raise failure(401, f"Incorrect API key provided: {headers.get('Authorization', '')}")
        if path == "/v1/models":
            return {"data": [{"id": self.model}]}
        if path != "/v1/embeddings":
            raise failure(404, "Not Found")
        self.before(number, request)
        if request["model"] != self.model:
            raise failure(404, f"The model `{request['model']}` does not exist.")
        texts: list[str] = request["input"]
        if len(texts) > self.most_texts:
            raise failure(422, f"batch size {len(texts)} > maximum allowed batch size {self.most_texts}")
        if any(len(text) > self.most_characters for text in texts):
            raise failure(400, "This model's maximum context length is exceeded")
        if any(not text.strip() for text in texts):
            raise failure(400, "input cannot be empty")
        base64_wanted = request.get("encoding_format") == "base64"
        if base64_wanted and not self.knows_base64:
            raise failure(400, "encoding_format: only float is known")
        with self.slots:
            time.sleep(self.cost_s(texts))
        if self.random:
            rows = [_CHANCE[number % 64][: self.dimensions] for number in range(len(texts))]
        else:
            rows = [HashEmbedder(dimensions=self.dimensions).embed_query(text) * 3 for text in texts]
        rows = [row[: request.get("dimensions", self.dimensions)] for row in rows]
        data = [
            {
                "object": "embedding",
                "index": index,
                "embedding": base64.b64encode(row.astype("<f4").tobytes()).decode() if base64_wanted else row.tolist(),
            }
            for index, row in enumerate(rows)
        ]
        return self.after({"object": "list", "data": data, "model": self.model})

    def __post_init__(self) -> None:
        self.slots = threading.Semaphore(self.workers)


@contextmanager
def serving(server: Server, port: int = 0) -> Iterator[Server]:
    """Serve on a port of loopback, a free one unless it is given."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            with server.lock:
                server.connections += 1

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.respond(request)

        def do_GET(self) -> None:
            self.respond({})

        def respond(self, request: Request) -> None:
            with server.lock:
                server.at_once += 1
                server.most_at_once = max(server.most_at_once, server.at_once)
            try:
                reply = Reply(200, server.answer(self.path, request, dict(self.headers)))
            except Reply as other:
                reply = other
            finally:
                with server.lock:
                    server.at_once -= 1
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # who goes away in the middle of an answer is part of some tests

    with Quiet(("127.0.0.1", port), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        server.url = f"http://127.0.0.1:{http.server_address[1]}/v1"
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()


def expected(texts: list[str], dimensions: int = 32) -> np.ndarray[Any, Any]:
    """Return the unit vectors that the server's vectors are three times of."""
    return np.array([HashEmbedder(dimensions=dimensions).embed_query(text) for text in texts], np.float32)
