"""Compare what the remote engine gets out of a server with the server's own best.

    python tests/bench/remote.py made [--delay-ms 20] [--rate 20000] [--workers 4]
    python tests/bench/remote.py llama FILE.gguf
    python tests/bench/remote.py URL MODEL DIMENSIONS

`made` is a server of ours, in a process of its own: an answer takes a delay and its tokens at a rate, so many answers at
once. `llama` is llama-cpp-python's server. The server's own best is that of a bare loop over requests that are made up
beforehand and whose answers are not looked at, for several numbers of requests at once and of texts in each.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from codeseek.catalogue import ModelSpec, Variant
from codeseek.embedders.remote import RemoteModel
from embeddings_server import Server, serving

_STEP = 2048  # the most that `codeseek index` gives at once


class Place(NamedTuple):
    """Where a model is served."""

    url: str
    model: str
    dimensions: int


def texts_of(folder: Path, count: int) -> list[str]:
    """Return pieces of source files, of 8 to 40 lines."""
    chance = np.random.default_rng(3)
    pieces = []
    for path in sorted(folder.rglob("*.py")):
        lines = path.read_text("utf-8").splitlines()
        while lines:
            size = int(chance.integers(8, 40))
            pieces.append("\n".join(lines[:size])[:1200])
            lines = lines[size:]
    pieces = [piece for piece in pieces if piece.strip()]
    return [pieces[number] for number in chance.integers(0, len(pieces), count)]


def bare(place: Place, texts: Sequence[str], requests: int, size: int) -> float:
    """Return the texts a second of a loop that does nothing but ask."""
    parts = urlsplit(place.url)
    bodies = [
        json.dumps({"model": place.model, "input": texts[at : at + size], "encoding_format": "base64"}).encode()
        for at in range(0, len(texts), size)
    ]

    def ask(mine: list[bytes]) -> None:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=600)
        for body in mine:
            connection.request("POST", f"{parts.path}/embeddings", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
        connection.close()

    with ThreadPoolExecutor(requests) as pool:
        started = time.perf_counter()
        list(pool.map(ask, [bodies[at::requests] for at in range(requests)]))
        return len(texts) / (time.perf_counter() - started)


def engine(model: RemoteModel, texts: Sequence[str], step: int) -> float:
    """Return the texts a second of the engine, given so many at once."""
    started = time.perf_counter()
    for at in range(0, len(texts), step):
        model.encode(texts[at : at + step])
    return len(texts) / (time.perf_counter() - started)


def compare(place: Place, arguments: argparse.Namespace) -> None:
    """Find the server's best, then take turns with it."""
    count, rounds, sizes = arguments.texts, arguments.rounds, arguments.sizes
    texts = texts_of(Path(__file__).parents[2] / "src", count)
    print(f"{count} texts of {statistics.mean(map(len, texts)):.0f} characters")
    found = {}
    for requests in arguments.requests:
        for size in sizes:
            found[requests, size] = bare(place, texts, requests, size)
        row = " ".join(f"{found[requests, size]:8.1f}" for size in sizes)
        print(f"{requests:3} requests at once, {'/'.join(map(str, sizes))} texts in each: {row} texts/s", flush=True)
    best = max(found, key=lambda key: found[key])
    spec = ModelSpec(
        "bench", "", "", place.dimensions, (Variant("api", "remote"),), url=place.url, remote_name=place.model
    )
    model = RemoteModel(spec._replace(context=8192))
    model.encode(texts[:64])
    ways = {
        "all at once": partial(engine, model, texts, count),
        f"{_STEP} at once": partial(engine, model, texts, _STEP),
    }
    ratios: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, run in ways.items():
            own = bare(place, texts, *best)
            ours = run()
            ratios[way].append(ours / own)
            print(
                f"server {own:7.1f} texts/s with {best[0]} requests of {best[1]}, engine {ours:7.1f}, {way}", flush=True
            )
    for way, values in ratios.items():
        print(f"ratio, median of {rounds}, {way}: {statistics.median(values):.3f}")
    model.close()


@contextlib.contextmanager
def started(command: list[str], url: str) -> Iterator[None]:
    """Run a server until it is not needed any more."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            until = time.monotonic() + 60
            address = (urlsplit(url).hostname or "", urlsplit(url).port or 0)
            while True:
                with contextlib.suppress(OSError), socket.create_connection(address, timeout=1):
                    break
                if process.poll() is not None or time.monotonic() > until:
                    raise SystemExit("the server does not start")
                time.sleep(0.1)
            yield
        finally:
            process.terminate()


def serve(port: int, delay_s: float, rate: float, workers: int) -> None:
    """Be the server of ours, until it is ended."""

    def cost_s(texts: list[str]) -> float:
        return delay_s + sum(map(len, texts)) / 3 / rate

    with serving(Server(dimensions=1024, cost_s=cost_s, workers=workers, random=True), port):
        time.sleep(1e6)


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server")
    parser.add_argument("rest", nargs="*")
    parser.add_argument("--delay-ms", type=float, default=20)
    parser.add_argument("--rate", type=float, default=20_000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--texts", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, nargs="*", default=[1, 4, 8, 16, 32], help="how many at once are tried")
    parser.add_argument("--sizes", type=int, nargs="*", default=[8, 32, 64], help="how many texts in each are tried")
    arguments = parser.parse_args()
    if arguments.server == "serve":
        serve(int(arguments.rest[0]), arguments.delay_ms / 1000, arguments.rate, arguments.workers)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/v1"
    if arguments.server == "made":
        command = [sys.executable, __file__, "serve", str(port), "--workers", str(arguments.workers)]
        command += ["--delay-ms", str(arguments.delay_ms), "--rate", str(arguments.rate)]
        with started(command, url):
            compare(Place(url, "hash", 1024), arguments)
    elif arguments.server == "llama":
        command = [sys.executable, "-m", "llama_cpp.server", "--model", arguments.rest[0], "--embedding", "true"]
        command += [
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--n_ctx",
            "512",
            "--n_batch",
            "512",
            "--verbose",
            "false",
        ]
        with started(command, url):
            model = RemoteModel(ModelSpec("x", "", "", 0, (Variant("api", "remote"),), url=url))
            dimensions = model.dimensions
            model.close()
            compare(Place(url, "x", dimensions), arguments)
    else:
        compare(Place(arguments.server, arguments.rest[0], int(arguments.rest[1])), arguments)


if __name__ == "__main__":
    main()
