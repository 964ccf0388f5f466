"""A hub on this machine: Hugging Face's protocol as its library speaks it, ModelScope's addresses, and faults."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = 1 << 10  # larger files are in LFS

Fault = Literal["", "html", "page", "truncated", "cut", "stall", "wrong", "no ranges", "longer"]


class Asked(NamedTuple):
    """A request that came: its method, host, path and the headers that matter."""

    method: str
    host: str
    path: str
    range: str
    token: str


@dataclass
class Hub:
    """Repositories with their files. `fault` is what goes wrong in the transfer; `status` is answered instead."""

    files: dict[str, dict[str, bytes]]
    fault: Fault = ""
    status: int = 0
    gated: bool = False
    asked: list[Asked] = field(default_factory=list)
    served: dict[str, int] = field(default_factory=dict)  # bytes by path, over all transfers
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def transfers(self) -> list[Asked]:
        return [asked for asked in self.asked if asked.path.startswith("/storage/")]


@contextmanager
def serve(hub: Hub) -> Iterator[Hub]:
    """Serve a hub until the block ends."""

    class Handler(_Handler):
        owner = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    owner: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 # the standard library's word
        """Say nothing."""

    def end_headers(self) -> None:
        self.send_header("Connection", "close")  # no thread outlives its request
        super().end_headers()

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        hub, path = self.owner, unquote(urlsplit(self.path).path)
        host = (self.headers.get("Host") or "").partition(":")[0]
        token = self.headers.get("Authorization") or ""
        hub.asked.append(Asked(self.command, host, path, self.headers.get("Range") or "", token))
        if hub.status and not path.startswith("/storage/"):
            self._plain(hub.status, b"no")
        elif hub.fault == "html":
            self._plain(200, b"<!DOCTYPE html><title>Please log in</title>", "text/html; charset=utf-8")
        elif hub.gated and not token.endswith("secret") and not path.startswith("/storage/"):
            self._plain(401, b"gated", error="GatedRepo")
        elif found := re.fullmatch(r"/api/v1/models/([^/]+/[^/]+)/repo/files", path):
            self._listed(found[1])
        elif found := re.fullmatch(r"/storage/([^/]+/[^/]+)/(.+)", path):
            self._stored(found[1], found[2])
        elif found := re.fullmatch(r"/(models/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self._resolved(found[2], found[4], modelscope=bool(found[1]))
        else:
            self._plain(404, b"no such page")

    def _listed(self, repository: str) -> None:
        assert parse_qs(urlsplit(self.path).query) == {"Revision": ["master"], "Recursive": ["true"]}
        if repository not in self.owner.files:
            self._plain(404, b'{"Code": 10010205003}')
            return
        rows = [
            {"Path": path, "Size": len(data), "Sha256": hashlib.sha256(data).hexdigest(), "Type": "blob"}
            for path, data in self.owner.files[repository].items()
        ]
        self._plain(200, json.dumps({"Code": 200, "Data": {"Files": rows}}).encode(), "application/json")

    def _resolved(self, repository: str, path: str, *, modelscope: bool) -> None:
        data = self.owner.files.get(repository, {}).get(path)
        if data is None:
            known = repository in self.owner.files
            self._plain(404, b"no", error="EntryNotFound" if known else "RepoNotFound")
            return
        where = f"http://localhost:{self.owner.port}/storage/{repository}/{path}"  # another host than ours
        if modelscope:
            self._moved(where, {})
        elif len(data) > LARGE:
            sha256 = hashlib.sha256(data).hexdigest()
            self._moved(
                where, {"X-Repo-Commit": COMMIT, "X-Linked-Size": str(len(data)), "X-Linked-ETag": f'"{sha256}"'}
            )
        else:
            git = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
            self.send_response(200)
            for name, value in {"X-Repo-Commit": COMMIT, "ETag": f'"{git}"', "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(data)

    def _moved(self, where: str, headers: dict[str, str]) -> None:
        self.send_response(302)
        for name, value in ({"Location": where, "Content-Length": "0"} | headers).items():
            self.send_header(name, value)
        self.end_headers()

    def _stored(self, repository: str, path: str) -> None:
        hub, data = self.owner, self.owner.files[repository][path]
        start = 0
        if hub.fault != "no ranges" and (ranged := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")):
            start = int(ranged[1])
        if start > len(data):
            self._plain(416, b"")
            return
        if hub.fault == "page":
            self._plain(200, b"<html>This file is gone</html>".ljust(len(data)), "application/octet-stream")
            return
        if hub.fault == "wrong":
            data = data[:-1] + bytes([data[-1] ^ 1])
        body = data[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Type", "application/octet-stream")
        if hub.fault == "longer":
            self.end_headers()
            self.wfile.write(body + b"more")
            return
        half = max(len(data) // 2 - start, 0)
        sent = {"truncated": half, "stall": half, "cut": -(-len(body) // 2)}
        part = body[: sent.get(hub.fault, len(body))]
        self.send_header("Content-Length", str(len(body)))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        self.wfile.write(part)
        self.wfile.flush()
        hub.served[path] = hub.served.get(path, 0) + len(part)
        if hub.fault == "stall":
            time.sleep(1)

    def _plain(self, status: int, body: bytes, kind: str = "text/plain", error: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if error:
            self.send_header("X-Error-Code", error)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)
