"""Time codeseek on real repositories, beside a peer where one is named: whole processes, medians and ratios of one run.

    python tests/bench/speed.py compare REPOSITORY… [--peer COMMAND] [--runs 5]
    python tests/bench/speed.py query REPOSITORY… [--peer-python PYTHON] [--runs 10]
    python tests/bench/speed.py refresh REPOSITORY [--files 5000]
    python tests/bench/speed.py scale REPOSITORY… [--copies 1]

`compare` measures cold indexing, a search from the shell, and peak memory; COMMAND is the peer's search, `{query}` and
`{directory}` standing for what is searched, and `--peer-clear` what empties its cache. `query` measures questions in a
running process; PYTHON is one that can import semble, which is asked in turn, over the same content (code, documentation
and configuration) and over its default (code). `refresh` measures, in this process, a refresh of an unchanged copy and of
one with an edited file. `scale` indexes all repositories as one and measures queries.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

QUERIES = (
    "dependency injection", "how are requests retried", "parse the configuration file", "websocket close handshake",
    "缓存过期", "HTTP 连接池", "error handling 是怎么实现的", "serialize to json", "event loop", "路由注册",
)  # fmt: skip


class Run:
    """A finished process: seconds on the wall and of the processors, and the largest memory of it and its children."""

    def __init__(self, command: Sequence[str], environment: dict[str, str]) -> None:
        started = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.peak = 0.0
        watcher = threading.Thread(target=self._watch, args=(process,))
        watcher.start()
        _, status, usage = os.wait4(process.pid, 0)
        self.wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        watcher.join()
        self.cpu = usage.ru_utime + usage.ru_stime
        self.largest = usage.ru_maxrss / 1024
        self.peak = max(self.peak, self.largest)
        if process.returncode not in (0, 1):
            raise SystemExit(f"{shlex.join(command)} failed with {process.returncode}")

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        while process.returncode is None:
            self.peak = max(self.peak, sum(map(_proportional_mib, _family(process.pid))))
            time.sleep(0.05)


def _family(pid: int) -> list[int]:
    members = [pid]
    for member in members:
        try:
            members += map(int, Path(f"/proc/{member}/task/{member}/children").read_text().split())
        except OSError:
            continue
    return members


def _proportional_mib(pid: int) -> float:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def _environment(data: str) -> dict[str, str]:
    """Return the environment of a process: with a data folder, and bytecode as of a program that was installed."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "CODESEEK_DATA_DIR": data}


def compare(arguments: argparse.Namespace) -> None:
    """Time cold indexing and warm searching, ours and the peer's in turn."""
    with tempfile.TemporaryDirectory() as data:
        environment = _environment(data)
        for repository in arguments.repositories:
            ours = [arguments.codeseek, "-C", repository, QUERIES[0]]
            theirs = [part.format(query=QUERIES[0], directory=repository) for part in shlex.split(arguments.peer or "")]
            rows: dict[str, list[Run]] = {}
            for _ in range(arguments.runs):
                shutil.rmtree(data, ignore_errors=True)
                rows.setdefault("cold codeseek", []).append(Run([arguments.codeseek, "index", repository], environment))
                if theirs:
                    if arguments.peer_clear:
                        subprocess.run(shlex.split(arguments.peer_clear), check=True, stdout=subprocess.DEVNULL)
                    rows.setdefault("cold peer", []).append(Run(theirs, environment))
                rows.setdefault("search codeseek", []).append(Run(ours, environment))
                if theirs:
                    rows.setdefault("search peer", []).append(Run(theirs, environment))
            print(f"\n{repository}")
            medians = {}
            for name, runs in rows.items():
                medians[name] = [
                    statistics.median(getattr(run, figure) for run in runs)
                    for figure in ("wall", "cpu", "largest", "peak")
                ]
                wall, cpu, largest, peak = medians[name]
                print(
                    f"  {name:16} {wall:7.3f} s  cpu {cpu:7.3f} s  largest process {largest:5.0f} MiB"
                    f"  with children {peak:5.0f} MiB"
                )
            for step in ("cold", "search") if theirs else ():
                ratios = [a / b for a, b in zip(medians[f"{step} codeseek"], medians[f"{step} peer"], strict=True)]
                print(
                    "  ratio {:10} {:7.2f}    cpu {:7.2f}    memory {:.2f} / {:.2f}".format(step, *ratios), flush=True
                )


_PEER = """
import sys, time
from semble import ContentType, SembleIndex
index = SembleIndex.from_path(sys.argv[1], content=[ContentType(name) for name in sys.argv[2].split(",")])
for line in sys.stdin:
    wall, cpu = time.perf_counter(), time.process_time()
    index.search(line.rstrip())
    print(time.perf_counter() - wall, time.process_time() - cpu, flush=True)
"""


class Peer:
    """A process of the peer that keeps one index in memory and answers one question after the other."""

    def __init__(self, python: str, repository: str, content: str, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [python, "-c", _PEER, repository, content],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )

    def ask(self, query: str) -> tuple[float, float]:
        """Return the seconds that an answer takes, on the wall and of the processors."""
        assert self._process.stdin is not None and self._process.stdout is not None  # noqa: PT018  both are pipes
        print(query, file=self._process.stdin, flush=True)
        wall, cpu = map(float, self._process.stdout.readline().split())
        return wall, cpu

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def _as_the_command_line() -> None:
    """Let this process compute as `codeseek` does, before numpy is loaded."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def query(arguments: argparse.Namespace) -> None:
    """Time questions in a running process, ours and the peer's in turn."""
    environment = dict(os.environ)
    _as_the_command_line()
    from codeseek import settings
    from codeseek.local import LocalEngine
    from codeseek.records import SearchRequest

    with tempfile.TemporaryDirectory() as data:
        for repository in arguments.repositories:
            engine = LocalEngine(Path(repository), settings.load(None, {"data_dir": data}))
            engine.refresh(thorough=True)

            def ask(question: str, engine: LocalEngine = engine) -> tuple[float, float]:
                wall, cpu = time.perf_counter(), time.process_time()
                engine.search(SearchRequest(question))
                return time.perf_counter() - wall, time.process_time() - cpu

            peers: dict[str, Peer] = {}
            if arguments.peer_python:
                for name, content in (("peer, same content", "code,docs,config"), ("peer, its default", "code")):
                    peers[name] = Peer(arguments.peer_python, repository, content, environment)
            asked: dict[str, Callable[[str], tuple[float, float]]] = {"codeseek": ask}
            asked |= {name: peer.ask for name, peer in peers.items()}
            times: dict[str, list[tuple[float, float]]] = {name: [] for name in asked}
            for turn in range(arguments.runs + 1):
                for question in QUERIES:
                    for name, function in asked.items():
                        time.sleep(0.1)  # a matrix library's threads spin for a while after their work
                        seconds = function(question)
                        if turn:  # the first round warms up
                            times[name].append(seconds)
            for peer in peers.values():
                peer.close()
            print(f"\n{repository}: {engine.status().chunks} chunks")
            engine.close()
            medians = {
                name: [statistics.median(figures) for figures in zip(*taken, strict=True)]
                for name, taken in times.items()
            }
            for name, (wall, cpu) in medians.items():
                ratios = f"  ratio {medians['codeseek'][0] / wall:.2f}, cpu {medians['codeseek'][1] / cpu:.2f}"
                print(
                    f"  {name:18} p50 {wall * 1000:6.2f} ms  cpu {cpu * 1000:6.2f} ms{ratios if name in peers else ''}",
                    flush=True,
                )


def refresh(arguments: argparse.Namespace) -> None:
    """Time refreshes of a copy that is filled up to so many files."""
    from codeseek import settings
    from codeseek.local import LocalEngine

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "project")
        shutil.copytree(arguments.repositories[0], root, ignore=shutil.ignore_patterns(".git"), symlinks=True)
        sources = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
        code = sorted(
            (path.stat().st_size, path) for path in sources if path.suffix in {".py", ".rb", ".c", ".ts", ".go"}
        )
        edited = code[len(code) * 9 // 10][1]  # larger than most
        for number in range(max(0, arguments.files - len(sources))):
            path = root / f"more{number % 50}" / f"file{number}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"def function_{number}(value):\n    return value + {number}\n", encoding="utf-8")
        engine = LocalEngine(root, settings.load(None, {"data_dir": str(Path(folder, "data"))}))
        print(engine.refresh())
        time.sleep(2.5)  # past the time in which a file's stat cannot be trusted
        engine.refresh()
        unchanged, changed = [], []
        for number in range(arguments.runs):
            started = time.perf_counter()
            engine.refresh()
            unchanged.append(time.perf_counter() - started)
            with edited.open("a", encoding="utf-8") as file:
                file.write(f"\n# edit {number}\n")
            started = time.perf_counter()
            engine.refresh()
            changed.append(time.perf_counter() - started)
            time.sleep(2.1)
            engine.refresh()
        print(f"unchanged: {statistics.median(unchanged):.3f} s   one file edited: {statistics.median(changed):.3f} s")


def scale(arguments: argparse.Namespace) -> None:
    """Index repositories together, several times over if asked to, and time queries in this process."""
    _as_the_command_line()
    from codeseek import settings
    from codeseek.local import LocalEngine
    from codeseek.records import SearchRequest

    with tempfile.TemporaryDirectory() as folder:
        root, data = Path(folder, "all"), Path(folder, "data")
        for copy in range(arguments.copies):
            for repository in arguments.repositories:
                target = root / f"copy{copy}" / Path(repository).name
                shutil.copytree(repository, target, ignore=shutil.ignore_patterns(".git"), symlinks=True)
        run = Run([arguments.codeseek, "index", str(root)], _environment(str(data)))
        engine = LocalEngine(root, settings.load(None, {"data_dir": str(data)}))
        status = engine.status()
        print(
            f"{status.files} files, {status.chunks} chunks, {status.size_bytes / 1e6:.0f} MB, vectors {status.vector_index}:"
            f" {run.wall:.1f} s, largest process {run.largest:.0f} MiB, with children {run.peak:.0f} MiB"
        )
        for query in QUERIES:
            engine.search(SearchRequest(query))
        seconds = []
        for query in QUERIES * arguments.runs:
            started = time.perf_counter()
            engine.search(SearchRequest(query))
            seconds.append(time.perf_counter() - started)
        print(f"query p50 {statistics.median(seconds) * 1000:.1f} ms, max {max(seconds) * 1000:.1f} ms")


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("compare", "query", "refresh", "scale"))
    parser.add_argument("repositories", nargs="+")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peer")
    parser.add_argument("--peer-clear")
    parser.add_argument("--peer-python")
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--codeseek", default=str(Path(sys.executable).with_name("codeseek")))
    arguments = parser.parse_args()
    {"compare": compare, "query": query, "refresh": refresh, "scale": scale}[arguments.what](arguments)


if __name__ == "__main__":
    main()
