"""Measure what searching long vectors by a prefix costs and loses, and what a second model's share should be.

    python tests/bench/tiers.py recall [--rows 100000] [--dimensions 2560] [--queries 200]
    python tests/bench/tiers.py share BENCH TREES --model NAME [--repositories NAME …]

`recall` makes vectors like a Matryoshka model's (clusters, early numbers varying most), writes them as an archive does, and
compares the nearest ten with an exact scan of whole float32 vectors: recall, milliseconds, and the memory of a process that
does the one or the other. `share` scores the benchmark with the chosen model's part of the meaning from 0 to 1; the model has
to be installed, and its vectors are kept between runs.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from codeseek import tier
from codeseek.archive import Archive, ArchiveWriter
from codeseek.tier import TierIndex, TierMeaning
from codeseek.vectors import ExactIndex
from codeseek.words import Index

Floats = NDArray[np.float32]
_PREFIX = 256


class _Rows:
    """What of an index a tier looks at: all rows alive, all of one set."""

    def __init__(self, count: int) -> None:
        self.alive = np.ones(count, bool)
        self.chunk_set = np.zeros(count, np.uint8)

    def column(self, name: str) -> NDArray[np.uint64]:
        assert name == "chunk_key"
        return np.arange(len(self.alive), dtype=np.uint64)

    @cached_property
    def rows_of(self) -> tuple[NDArray[np.int64], ...]:
        return (np.arange(len(self.alive)),)


def made(rows: int, dimensions: int, seed: int) -> Floats:
    """Return unit vectors in 200 clusters; the variance of a number falls with its place, as in a Matryoshka model."""
    generator = np.random.default_rng(seed)
    spread = ((1 + np.arange(dimensions) / 64) ** -0.5).astype(np.float32)
    centres = np.random.default_rng(7).standard_normal((200, dimensions), np.float32) * spread
    vectors = centres[generator.integers(0, len(centres), rows)]
    vectors += generator.standard_normal((rows, dimensions), np.float32) * spread * np.float32(0.8)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def memory_mib() -> tuple[float, float]:
    """Return the memory of this process: all that is resident, and what of it is no file's page."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(fields["VmRSS"].split()[0]) / 1024, int(fields["RssAnon"].split()[0]) / 1024


def ask(folder: Path, how: str, queries: int) -> None:
    """Answer questions in one way, and print the rows found, the time and the memory as JSON."""
    archive = Archive.open(folder)
    dimensions = archive.header.dimensions
    asked = made(queries, dimensions, seed=99)
    if how == "exact":
        matrix = np.empty(archive.matrix.shape, np.float32)
        for start in range(0, len(matrix), 4096):
            matrix[start : start + 4096] = archive.matrix[start : start + 4096]
        index = ExactIndex(matrix)
        del archive
    else:
        whole = TierIndex(cast("Index", _Rows(len(archive))), archive)
    found, seconds = [], []
    for query in asked:
        started = time.perf_counter()
        if how == "exact":
            rows, _ = index.nearest(query, 10)
        else:
            rows, _ = TierMeaning(whole, query).nearest(whole.can_cover, 10)
        seconds.append(time.perf_counter() - started)
        found.append(rows.tolist())
    resident, private = memory_mib()
    print(json.dumps({"rows": found, "ms": statistics.median(seconds) * 1000, "mib": resident, "private": private}))


def recall(arguments: argparse.Namespace) -> None:
    """Write an archive and ask it in both ways, each in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        writer = ArchiveWriter(folder, "synthetic", "synthetic", arguments.dimensions, _PREFIX)
        for start in range(0, arguments.rows, 5000):
            count = min(5000, arguments.rows - start)
            part = made(count, arguments.dimensions, seed=start + 1)
            writer.append(np.arange(start, start + count, dtype=np.uint64), part.astype(np.float16))
        started = time.perf_counter()
        tier.write_prefixes(Archive.open(folder), thorough=True)
        print(f"prefixes and graph written in {time.perf_counter() - started:.0f} s")
        for path in sorted(folder.iterdir()):
            print(f"  {path.suffix or path.name:10} {path.stat().st_size / 1e6:8.1f} MB")
        results: dict[str, Any] = {}
        for how in ("exact", "tier"):
            command = [sys.executable, __file__, "ask", name, how, "--queries", str(arguments.queries)]
            done = subprocess.run(
                command, check=True, stdout=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1"}
            )
            results[how] = json.loads(done.stdout)
            print(
                f"{how:6} {results[how]['ms']:7.2f} ms a question, {results[how]['mib']:6.0f} MiB resident,"
                f" {results[how]['private']:6.0f} MiB of it no file's"
            )
        pairs = zip(results["exact"]["rows"], results["tier"]["rows"], strict=True)
        print(f"recall@10 {statistics.mean(len({*one} & {*other}) / 10 for one, other in pairs):.4f}")
        print(f"memory {results['tier']['mib'] / results['exact']['mib']:.2f} of the exact scan's")


def share(arguments: argparse.Namespace) -> None:
    """Score the benchmark with several shares of the chosen model."""
    quality = Path(__file__).with_name("quality.py")
    for value in arguments.shares:
        print(f"\nshare {value}", flush=True)
        command = [sys.executable, quality, arguments.bench, arguments.trees, "--model", arguments.model]
        command += ["--share", str(value), "--repositories", *arguments.repositories]
        subprocess.run(command, check=True)


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="what", required=True)
    command = commands.add_parser("recall")
    command.add_argument("--rows", type=int, default=100_000)
    command.add_argument("--dimensions", type=int, default=2560)
    command.add_argument("--queries", type=int, default=200)
    command = commands.add_parser("ask")
    command.add_argument("folder", type=Path)
    command.add_argument("how", choices=("exact", "tier"))
    command.add_argument("--queries", type=int, default=200)
    command = commands.add_parser("share")
    command.add_argument("bench", type=Path)
    command.add_argument("trees", type=Path)
    command.add_argument("--model", required=True)
    command.add_argument("--shares", type=float, nargs="*", default=[0.0, 0.3, 0.5, 0.7, 1.0])
    command.add_argument("--repositories", nargs="*", default=[])
    arguments = parser.parse_args()
    if arguments.what == "ask":
        ask(arguments.folder, arguments.how, arguments.queries)
    else:
        {"recall": recall, "share": share}[arguments.what](arguments)


if __name__ == "__main__":
    main()
