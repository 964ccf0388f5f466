"""Speed and memory of GGUF models: ours beside llama.cpp itself and its Python binding, in turn.

`compare FILE` embeds texts of several lengths with one file by: codeseek; llama-cpp-python's `Llama.embed`, a text at a time
and as a list; a bare loop over the C interface in the order of the texts; and `llama-embedding` if its path is given. The
models stay loaded, each in a process of its own, and take turns; what is told are medians. `shape NAME FILE` writes a
file of a known model's shape with random weights, which is as quick and as large as the real one.

On a machine with a graphics card `--gpu-layers -1` gives it all layers of every contestant.
"""

from __future__ import annotations

import argparse
import ctypes
import functools
import importlib
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from codeseek.catalogue import Pooling
from codeseek.embedders import Vectors, gguf
from codeseek.embedders.gguf import GgufSource
from codeseek.embedders.process import ModelProcess, Source
from codeseek.processes import count_cores

WORDS = (
    "return the value of cache entry when it has not expired and drop what is older than a given time parse read write"
    " open close file path name list map filter sort index search query token class def self none import from error"
).split()
LENGTHS = (8, 30, 120, 400)
OURS, SINGLY, LISTED, BARE, TOOL = (
    "codeseek",
    "Llama.embed, a text at a time",
    "Llama.embed, a list",
    "C interface",
    "llama-embedding",
)


class Binding(NamedTuple):
    """`llama_cpp.Llama` as its documentation says."""

    path: Path
    tokens: int
    threads: int
    gpu_layers: int
    listed: bool
    notes: tuple[str, ...] = ()

    def load(self) -> Binding:
        llama_cpp: Any = importlib.import_module("llama_cpp")
        MODELS[self] = llama_cpp.Llama(
            str(self.path), embedding=True, n_ctx=max(512, self.tokens), n_batch=max(512, self.tokens), verbose=False,
            n_threads=self.threads, n_threads_batch=self.threads, n_gpu_layers=self.gpu_layers,
        )  # fmt: skip
        return self

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def encode(self, texts: Sequence[str]) -> Vectors:
        model = MODELS[self]
        rows = model.embed(list(texts)) if self.listed else [model.embed(text) for text in texts]
        return np.array(rows, np.float32)


class Bare(NamedTuple):
    """A loop over the C interface: tokenise, fill a batch in the order of the texts, decode, read."""

    path: Path
    pooling: int
    threads: int
    gpu_layers: int
    budget: int
    notes: tuple[str, ...] = ()

    def load(self) -> Bare:
        lib: Any = importlib.import_module("llama_cpp")
        silent = lib.llama_log_callback(lambda *_: None)
        lib.llama_log_set(silent, None)
        lib.llama_backend_init()
        parameters = lib.llama_model_default_params()
        parameters.n_gpu_layers = self.gpu_layers
        model = lib.llama_model_load_from_file(str(self.path).encode(), parameters)
        parameters = lib.llama_context_default_params()
        parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = self.budget
        parameters.n_seq_max, parameters.kv_unified, parameters.embeddings = 64, True, True
        parameters.n_threads = parameters.n_threads_batch = self.threads
        parameters.pooling_type = self.pooling
        context = lib.llama_init_from_model(model, parameters)
        MODELS[self] = lib, model, context, lib.llama_batch_init(self.budget, 0, 1), silent
        return self

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def encode(self, texts: Sequence[str]) -> Vectors:
        lib, model, context, batch, _ = MODELS[self]
        vocabulary, size = lib.llama_model_get_vocab(model), lib.llama_model_n_embd(model)
        rows: list[Any] = []
        waiting = 0

        def decode() -> None:
            if memory := lib.llama_get_memory(context):
                lib.llama_memory_clear(memory, False)
            assert lib.llama_decode(context, batch) == 0
            for number in range(waiting):
                vector = np.ctypeslib.as_array(lib.llama_get_embeddings_seq(context, number), (size,))
                rows.append(vector / np.linalg.norm(vector))
            batch.n_tokens = 0

        batch.n_tokens = 0
        for text in texts:
            data = text.encode()
            ids = (ctypes.c_int32 * (len(data) + 8))()
            count = lib.llama_tokenize(vocabulary, data, len(data), ids, len(ids), True, False)
            if batch.n_tokens + count > self.budget or waiting == 64:
                decode()
                waiting = 0
            for at in range(count):
                place = batch.n_tokens
                batch.token[place], batch.pos[place], batch.n_seq_id[place] = ids[at], at, 1
                batch.seq_id[place][0], batch.logits[place] = waiting, 1
                batch.n_tokens = place + 1
            waiting += 1
        decode()
        return np.array(rows, np.float32)


MODELS: dict[Any, Any] = {}


def texts_of(tokens: int, total: int) -> list[str]:
    """Return texts of about so many tokens each, in total about `total`."""
    chance = random.Random(tokens)
    return [" ".join(chance.choices(WORDS, k=max(1, tokens - 2 + chance.randint(-tokens // 4, tokens // 4))))
            for _ in range(max(4, total // tokens))]  # fmt: skip


def compare(arguments: argparse.Namespace) -> None:
    """Embed the same texts with every contestant in turn, and compare the medians."""
    threads = arguments.threads or count_cores()
    pooling: Pooling = arguments.pooling
    number = {"mean": 1, "cls": 2, "last": 3}[pooling]
    counting = GgufSource(arguments.file, pooling, gpu_layers=0, threads=threads).load()
    dimensions = counting.dimensions
    layers = arguments.gpu_layers
    budget = 2048 if layers else 512
    sources: dict[str, Source] = {
        OURS: GgufSource(arguments.file, pooling, gpu_layers=layers, threads=threads),
        SINGLY: Binding(arguments.file, 512, threads, layers, listed=False),
        LISTED: Binding(arguments.file, 512, threads, layers, listed=True),
        BARE: Bare(arguments.file, number, threads, layers, budget),
    }
    processes = {
        name: ModelProcess(name, source, "", dimensions, {} if isinstance(source, Binding) else gguf.ENVIRONMENT)
        for name, source in sources.items()
    }
    print(f"{arguments.file.name}, {threads} threads, {layers} layers on the graphics card")
    for name, process in processes.items():
        began = time.perf_counter()
        process.encode(["text"])
        print(f"  {name:30} loaded in {time.perf_counter() - began:.2f} s, {rss(process):.0f} MiB")
    for tokens in arguments.lengths:
        texts = texts_of(tokens, arguments.tokens)
        count = sum(len(counting.framed(counting.tokens(text))) for text in texts)
        print(f"{len(texts)} texts of {count / len(texts):.0f} tokens")
        reference = processes[OURS].encode(texts)
        jobs: dict[str, Callable[[], tuple[float, float]]] = {
            name: functools.partial(timed, process, texts) for name, process in processes.items()
        }
        if arguments.llama_embedding:
            jobs[TOOL] = functools.partial(tool, arguments, texts, threads, layers, budget)
        runs: dict[str, list[tuple[float, float]]] = {name: [] for name in jobs}
        for _ in range(arguments.runs):
            for name, job in jobs.items():
                runs[name].append(job())
        for name, seconds in runs.items():
            wall, cpu = (statistics.median(column) for column in zip(*seconds, strict=True))
            ratio = statistics.median(theirs[0] / ours[0] for theirs, ours in zip(seconds, runs[OURS], strict=True))
            ratio_cpu = statistics.median(theirs[1] / ours[1] for theirs, ours in zip(seconds, runs[OURS], strict=True))
            line = f"  {name:30} {count / wall:8.0f} tokens/s {len(texts) / wall:7.1f} texts/s {count / cpu:8.0f} tokens/core-s"
            print(f"{line}   codeseek is {ratio:.2f}x as quick ({ratio_cpu:.2f}x by core)", end="")
            if name in processes and name != OURS:
                rows = processes[name].encode(texts)
                rows /= np.linalg.norm(rows, axis=1, keepdims=True)
                print(f"   least cosine {(rows * reference).sum(1).min():.4f}", end="")
            print(flush=True)
    for name, process in processes.items():
        print(f"  {name:30} {rss(process):.0f} MiB at most")
        process.close()


def timed(process: ModelProcess, texts: list[str]) -> tuple[float, float]:
    """Return the seconds that embedding took, on the wall and of the processors."""
    cpu, began = cpu_s(process), time.perf_counter()
    process.encode(texts)
    return time.perf_counter() - began, cpu_s(process) - cpu


def tool(
    arguments: argparse.Namespace, texts: list[str], threads: int, layers: int, budget: int
) -> tuple[float, float]:
    """Return the seconds that `llama-embedding` takes for texts beyond what it takes for a letter."""
    command = [
        arguments.llama_embedding, "-m", str(arguments.file), "--pooling", arguments.pooling, "-t", str(threads),
        "-c", str(budget), "-b", str(budget), "-ub", str(budget), "-ngl", str(layers), "--embd-output-format", "array",
    ]  # fmt: skip
    seconds = []
    for prompts in (["a"], texts):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(
            [*command, "-p", "\n".join(prompts)],
            capture_output=True,
            check=True,
            env={**os.environ, **gguf.ENVIRONMENT},
        )
        wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append((wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
    (start_wall, start_cpu), (wall, cpu) = seconds
    return wall - start_wall, cpu - start_cpu


def cpu_s(process: ModelProcess) -> float:
    """Return the processor seconds of a contestant until now."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss(process: ModelProcess) -> float:
    """Return the most memory that a contestant has had, in MiB."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def shape(arguments: argparse.Namespace) -> None:
    """Write a file of a known model's shape."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    import gguf_models as models

    shapes: dict[str, Callable[[], models.Qwen3 | models.JinaBert]] = {
        "qwen3-0.6b": lambda: models.Qwen3(0, 28, 1024, 16, 8, 128, 3072, 32_768, filler=151_400),
        "qwen3-4b": lambda: models.Qwen3(0, 36, 2560, 32, 8, 128, 9728, 32_768, filler=151_400),
        "jina-base": lambda: models.JinaBert(0, 12, 768, 12, 3072, 8192, filler=60_700),
    }
    shapes[arguments.name]().write(arguments.file, models.q8)


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    comparing = commands.add_parser("compare")
    comparing.add_argument("file", type=Path)
    comparing.add_argument("--pooling", default="mean", choices=("mean", "cls", "last"))
    comparing.add_argument("--threads", type=int, default=0)
    comparing.add_argument("--gpu-layers", type=int, default=0)
    comparing.add_argument("--tokens", type=int, default=8_000, help="about so many in all, for each length")
    comparing.add_argument("--lengths", type=int, nargs="+", default=LENGTHS)
    comparing.add_argument("--runs", type=int, default=7)
    comparing.add_argument("--llama-embedding", help="the path of llama.cpp's own tool")
    comparing.set_defaults(run=compare)
    shaping = commands.add_parser("shape")
    shaping.add_argument("name")
    shaping.add_argument("file", type=Path)
    shaping.set_defaults(run=shape)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    importlib.import_module(Path(__file__).stem).main()  # by its name, under which other processes find it too
