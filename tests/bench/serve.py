"""HTTP beside the engine in this process, memory over many requests, and many clients while files change.

    python tests/bench/serve.py TREE [--requests 10000] [--clients 50] [--seconds 60]

Works on a copy of TREE, with a server of its own on loopback. Times are of a whole request, with a connection that is kept.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import itertools
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from codeseek.local import LocalEngine
from codeseek.records import SearchRequest
from codeseek.settings import Settings

QUESTIONS = (
    "where is the configuration parsed",
    "解析配置文件",
    "retry after a failed request",
    "依赖注入 是怎么实现的",
    "how are errors reported to the user",
    "cache invalidation 缓存失效",
    "split a text into tokens",
    "open a file and read its lines",
)


class Client:
    """One kept connection."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def search(self, query: str) -> tuple[int, Any]:
        body = json.dumps({"query": query, "limit": 10})
        self._connection.request("POST", "/v1/search", body)
        response = self._connection.getresponse()
        return response.status, json.loads(response.read())


def memory_mb(process: subprocess.Popen[str]) -> float:
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextlib.contextmanager
def serving(root: Path, data: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "codeseek", "serve", "--http", "127.0.0.1:0", str(root)],
        env=os.environ | {"CODESEEK_DATA_DIR": str(data)},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    port = int(re.findall(r":(\d+);", process.stderr.readline())[0])
    heard = threading.Thread(target=process.stderr.read, daemon=True)  # it must not wait for a reader
    heard.start()
    try:
        yield process, port
    finally:
        process.terminate()
        print(f"ended with status {process.wait(30)}")


def beside_the_engine(root: Path, data: Path, port: int, rounds: int) -> None:
    engine = LocalEngine(root, Settings(data_dir=data))
    client = Client(port)
    within, over = [], []
    for query in (*QUESTIONS, *QUESTIONS * rounds):
        began = time.perf_counter()
        engine.search(SearchRequest(query))
        middle = time.perf_counter()
        assert client.search(query)[0] == 200
        within.append(middle - began)
        over.append(time.perf_counter() - middle)
    engine.close()
    skipped = len(QUESTIONS)  # the first round loads
    one, other = (statistics.median(times[skipped:]) * 1000 for times in (within, over))
    print(f"one client: engine {one:.1f} ms, HTTP {other:.1f} ms, {other / one:.2f} times as long")


def many_requests(process: subprocess.Popen[str], port: int, count: int) -> None:
    client = Client(port)
    seen = []
    began = time.perf_counter()
    for number, query in zip(range(count), itertools.cycle(QUESTIONS), strict=False):
        assert client.search(f"{query} {number % 97}")[0] == 200
        if number % (count // 10) == count // 10 - 1:
            seen.append(memory_mb(process))
    rate = count / (time.perf_counter() - began)
    print(f"{count:,} requests, {rate:.0f}/s: memory {' '.join(f'{mb:.0f}' for mb in seen)} MB")


def many_clients(root: Path, port: int, clients: int, seconds: float) -> None:
    """Ask from many threads at once; meanwhile files change, and each change is looked for."""
    until = time.monotonic() + seconds
    times: list[float] = []
    failures: list[str] = []

    def ask(seed: int) -> None:
        client, chance = Client(port), random.Random(seed)
        while time.monotonic() < until:
            began = time.perf_counter()
            status, answer = client.search(chance.choice(QUESTIONS))
            times.append(time.perf_counter() - began)
            if status != 200 or not answer["hits"]:
                failures.append(f"{status} {str(answer)[:200]}")

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(clients)]
    for thread in threads:
        thread.start()
    client, found_after, number = Client(port), [], 0
    while time.monotonic() < until - 2:
        number += 1
        word = f"quokka{number:05}"
        (root / "changing.py").write_text(f"def {word}(value):\n    return value\n")
        saved = time.monotonic()
        while time.monotonic() < until:
            hits = client.search(word)[1]["hits"]
            if any(word in hit["text"] for hit in hits):
                found_after.append(time.monotonic() - saved)
                break
        for _ in range(10):  # the old one is gone by then
            hits = client.search(f"quokka{number - 1:05}")[1]["hits"]
            if any(f"quokka{number - 1:05}" in hit["text"] for hit in hits):
                failures.append(f"quokka{number - 1:05} is found after it was changed")
    for thread in threads:
        thread.join()
    p50, p99 = (statistics.quantiles(times, n=100)[at] * 1000 for at in (49, 98))
    print(
        f"{clients} clients for {seconds:.0f} s: {len(times):,} answers, {len(times) / seconds:.0f}/s,"
        f" p50 {p50:.0f} ms, p99 {p99:.0f} ms ({p99 / p50:.2f} times), {len(failures)} wrong"
    )
    if found_after:
        worst = max(found_after)
        print(
            f"{number} edits meanwhile: found after {statistics.median(found_after):.2f} s, {worst:.2f} s at the most"
        )
    for failure in failures[:5]:
        print("  ", failure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=Path)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rounds", type=int, default=25)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        root, data = Path(scratch, "tree"), Path(scratch, "data")
        shutil.copytree(given.tree, root, symlinks=True)
        (root / ".git").mkdir(exist_ok=True)
        engine = LocalEngine(root, Settings(data_dir=data))
        engine.refresh(thorough=True)
        status = engine.status()
        engine.close()
        print(f"{given.tree.name}: {status.files:,} files, {status.chunks:,} chunks")
        with serving(root, data) as (process, port):
            beside_the_engine(root, data, port, given.rounds)
            many_requests(process, port, given.requests)
            many_clients(root, port, given.clients, given.seconds)
            print(f"memory after all: {memory_mb(process):.0f} MB")


if __name__ == "__main__":
    main()
