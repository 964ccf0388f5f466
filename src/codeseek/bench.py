"""How fast a model embeds on this machine: measured in a process of its own, and remembered for estimates."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from codeseek.embedders import Choice, Embedder, load_embedder
from codeseek.embedders.text import passage
from codeseek.errors import ModelError
from codeseek.records import Chunk

CHARACTERS_PER_TOKEN = 3.4
"""Of code, for the tokenizers that were looked at: what tokens are counted by, the same for every model."""

_MOST_TEXTS = 256
_FILE = "bench.json"


class Figures(NamedTuple):
    """What was measured: seconds, texts and tokens a second, and the processes' largest size in bytes (0: unknown)."""

    model: str
    variant: str
    dimensions: int
    load_s: float
    single_texts_per_s: float
    batched_texts_per_s: float
    tokens_per_s: float
    memory: int


def measure_apart(choice: Choice, seconds: float) -> Figures:
    """Measure in a new process, so that memory is the model's own; raises what loading the model raises."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(measure, choice, seconds).result()
        except BrokenProcessPool as error:
            raise ModelError(
                f"the process that measured `{choice.name}` died",
                hint="it may have run out of memory: see `models info`",
            ) from error


def measure(choice: Choice, seconds: float) -> Figures:
    """Load a model and embed code of our own, for so many seconds one by one and as many in batches."""
    chunks = _sample()
    began = time.perf_counter()
    embedder = load_embedder(choice)
    embedder.embed_query("where is a file opened")
    load_s = time.perf_counter() - began
    single, _ = _rate(embedder, chunks, seconds, 1)
    batched, characters = _rate(embedder, chunks, seconds, _MOST_TEXTS)
    dimensions = embedder.dimensions
    memory = _largest("self")
    embedder.close()
    memory += _largest("children")
    tokens = characters / CHARACTERS_PER_TOKEN
    return Figures(choice.name, choice.variant, dimensions, load_s, single, batched, tokens, memory)


def recorded(data_dir: Path) -> dict[tuple[str, str], Figures]:
    """Return what was measured on this machine, by model and variant."""
    try:
        rows = json.loads((data_dir / "models" / _FILE).read_text("utf-8"))
        return {(row["model"], row["variant"]): Figures(**row) for row in rows}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def record(data_dir: Path, figures: Sequence[Figures]) -> None:
    """Remember what was measured; that it cannot be written is no failure."""
    known = recorded(data_dir) | {(row.model, row.variant): row for row in figures}
    path = data_dir / "models" / _FILE
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps([row._asdict() for row in known.values()], indent=2), encoding="utf-8")
        temporary.replace(path)


def _sample() -> list[Chunk]:
    """Return chunks of this program's own source, which is code, comments and some Chinese: the same everywhere."""
    from codeseek import chunkers
    from codeseek.records import SourceFile

    folder = Path(__file__).parent
    chunks: list[Chunk] = []
    for path in sorted(folder.rglob("*.py")):
        text = path.read_text("utf-8")
        file = SourceFile(PurePosixPath(path.relative_to(folder).as_posix()), len(text), 0, "python")
        chunks += chunkers.chunk(file, text)
    step = max(len(chunks) // _MOST_TEXTS, 1)
    return list(islice(chunks, 0, None, step))[:_MOST_TEXTS]


def _rate(embedder: Embedder, chunks: Sequence[Chunk], seconds: float, most: int) -> tuple[float, float]:
    """Return texts and characters a second; batches grow until they take a fair part of the time."""
    done = characters = at = 0
    size, elapsed = 1, 0.0
    began = time.perf_counter()
    while elapsed < seconds:
        batch = [chunks[(at + number) % len(chunks)] for number in range(size)]
        embedder.embed(batch)
        at += size
        done += size
        characters += sum(len(passage(chunk)) for chunk in batch)
        elapsed = time.perf_counter() - began
        left = int((seconds - elapsed) * done / elapsed)
        size = max(min(size * 4, most, left), 1)
    return done / elapsed, characters / elapsed


def _largest(whose: str) -> int:
    """Return the largest size that this process, or one of those it started, has had so far."""
    with contextlib.suppress(OSError, StopIteration, ValueError):
        if whose == "self":  # what `getrusage` says begins with the size of the process that started this one
            lines = Path("/proc/self/status").read_text("ascii").splitlines()
            return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024
    if os.name != "posix":
        return 0
    import resource

    usage = resource.getrusage(resource.RUSAGE_SELF if whose == "self" else resource.RUSAGE_CHILDREN)
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
