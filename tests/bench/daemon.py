"""Measure the daemon: searches from the shell through it, many clients while files change, and a soak with kills.

    python tests/bench/daemon.py shell REPOSITORY [--runs 9] [--model NAME]
    python tests/bench/daemon.py clients REPOSITORY [--clients 50] [--seconds 60] [--requests 10000]
    python tests/bench/daemon.py soak REPOSITORY [--minutes 10]

`shell` times whole processes with and without the daemon in turn: medians and their ratio. `clients` lets clients ask for
what a writer keeps changing: no error, no answer older than the debounce, p50 and p99; then so many requests in a row, with
the daemon's memory before and after. `soak` edits files, searches, stops and kills the daemon, and at the end compares the
index with a fresh one and counts processes and descriptors that are left. Each works on a copy, with a daemon of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from codeseek import settings
from codeseek.daemon import client, wire
from codeseek.daemon.client import RemoteEngine
from codeseek.local import LocalEngine
from codeseek.records import SearchRequest

QUERIES = ("dependency injection", "parse the configuration", "缓存 cache", "error handling 是怎么实现的", "event loop")
FRESH_S = 2.0
"""An answer may be so old: events come, a burst is waited for, and the index is written (1 s), twice over on a busy machine."""


@contextlib.contextmanager
def place(repository: str) -> Iterator[Path]:
    """Copy a repository, and see to it that this process and its children use a daemon and a data folder of their own."""
    with tempfile.TemporaryDirectory(prefix="cs") as name:
        root = Path(name, "project")
        shutil.copytree(repository, root, ignore=shutil.ignore_patterns(".git"), symlinks=True)
        os.environ |= {"XDG_RUNTIME_DIR": name, "CODESEEK_DATA_DIR": f"{name}/data", "CODESEEK_DAEMON": "always"}
        try:
            yield root
        finally:
            client.stop()


def report() -> wire.Report:
    """Ask the daemon how it is."""
    with client.connected(start=False) as connection:
        told = client.ask(connection, wire.Call("report"))
        assert isinstance(told, wire.Report)
        return told


def shell(arguments: argparse.Namespace) -> None:
    """Time searches from the shell."""
    models = os.environ.get("CODESEEK_DATA_DIR", settings.load().data_dir)
    with place(arguments.repository) as root:
        if arguments.model:
            os.environ["CODESEEK_MODEL"] = arguments.model
            Path(os.environ["CODESEEK_DATA_DIR"]).mkdir()
            Path(os.environ["CODESEEK_DATA_DIR"], "models").symlink_to(Path(models, "models"))
        command = [str(Path(sys.executable).with_name("codeseek")), "-C", str(root)]
        subprocess.run([*command, "index"], check=True)
        taken: dict[str, list[float]] = {"never": [], "always": []}
        for number in range(arguments.runs + 2):
            for mode, seconds in taken.items():
                query = f"{QUERIES[number % len(QUERIES)]} {number}"  # a new question each time: none is remembered
                started = time.perf_counter()
                subprocess.run(
                    [*command, query], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                    env={**os.environ, "CODESEEK_DAEMON": mode},
                )  # fmt: skip
                if number >= 2:
                    seconds.append(time.perf_counter() - started)
        alone, through = (statistics.median(seconds) for seconds in taken.values())
        print(f"without {alone * 1000:.0f} ms, through the daemon {through * 1000:.0f} ms, ratio {through / alone:.2f}")


def clients(arguments: argparse.Namespace) -> None:
    """Let many clients ask at once for what is being changed, and then one ask very often."""
    with place(arguments.repository) as root:
        chosen = settings.load(root)
        RemoteEngine.open(root, chosen).refresh()
        changing = root / "changing_answer.py"
        written: list[tuple[float, int]] = []
        over = threading.Event()
        seconds: list[float] = []
        problems: list[str] = []

        def write() -> None:
            number = 0
            while not over.is_set():
                number += 1
                text = f"def the_changing_answer():\n    return 'zyxwv{number}'\n"
                changing.with_suffix(".new").write_text(text)
                changing.with_suffix(".new").replace(changing)  # as editors save: it is never half there
                written.append((time.monotonic(), number))
                over.wait(FRESH_S * 1.5)

        def ask(seed: int) -> None:
            chance = random.Random(seed)
            engine = RemoteEngine(root, chosen)
            while not over.is_set():
                query = chance.choice((*QUERIES, "the changing answer"))
                started = time.perf_counter()
                asked_at = time.monotonic()
                try:
                    engine.refresh()
                    result = engine.search(SearchRequest(query, limit=3))
                except Exception as error:  # noqa: BLE001  counted and shown
                    problems.append(repr(error))
                    continue
                seconds.append(time.perf_counter() - started)
                if query == "the changing answer":
                    text = next((hit.chunk.text for hit in result.hits if hit.chunk.path.name == changing.name), "")
                    least = max((number for at, number in written if at < asked_at - FRESH_S), default=0)
                    if least and not any(f"zyxwv{number}'" in text for number in range(least, written[-1][1] + 1)):
                        problems.append(f"stale: wanted {least} or later in {text!r}")

        threads = [
            threading.Thread(target=write),
            *(threading.Thread(target=ask, args=(n,)) for n in range(arguments.clients)),
        ]
        for thread in threads:
            thread.start()
        time.sleep(arguments.seconds)
        over.set()
        for thread in threads:
            thread.join()
        ordered = sorted(seconds)
        p50, p99 = (ordered[int(len(ordered) * share)] for share in (0.5, 0.99))
        print(
            f"{arguments.clients} clients, {len(seconds)} answers in {arguments.seconds} s, {len(written)} changes:"
            f" {len(problems)} problems, p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, ratio {p99 / p50:.1f}"
        )
        print(*problems[:5], sep="\n")
        engine = RemoteEngine(root, chosen)
        for at in range(arguments.requests):
            if at == arguments.requests // 10:
                before = report().memory_bytes
            engine.search(SearchRequest(f"{QUERIES[at % len(QUERIES)]} {at}"))
        after = report().memory_bytes
        print(
            f"{arguments.requests:,} requests: {before / 1e6:.0f} MB after a tenth of them, {after / 1e6:.0f} MB after all"
        )


def soak(arguments: argparse.Namespace) -> None:
    """Edit, search, stop and kill for so long; then compare."""
    with place(arguments.repository) as root:
        chosen = settings.load(root)
        files = sorted(path for path in root.rglob("*.py") if path.is_file())[:400] or sorted(root.rglob("*.*"))[:400]
        originals = {path: path.read_bytes() for path in files}
        chance = random.Random(1)
        counts = {"edits": 0, "searches": 0, "stops": 0, "kills": 0}
        deadline = time.monotonic() + arguments.minutes * 60
        engine = RemoteEngine.open(root, chosen)
        engine.refresh()
        pids = {report().pid}
        while time.monotonic() < deadline:
            deed = chance.random()
            if deed < 0.55:
                for path in chance.sample(files, min(len(files), chance.choice((1, 1, 1, 20, 200)))):
                    counts["edits"] += 1
                    match chance.randrange(3):
                        case 0:
                            path.unlink(missing_ok=True)
                        case 1:
                            path.write_bytes(originals[path])
                        case _:
                            path.write_bytes(
                                originals[path] + f"\n\ndef edit_{counts['edits']}():\n    pass\n".encode()
                            )
            elif deed < 0.97:
                engine.refresh()
                engine.search(SearchRequest(chance.choice(QUERIES)))
                counts["searches"] += 1
                pids.add(report().pid)
            elif deed < 0.985:
                client.stop()
                counts["stops"] += 1
            else:
                with contextlib.suppress(Exception):
                    os.kill(report().pid, signal.SIGKILL)
                counts["kills"] += 1
            time.sleep(chance.random() * 0.1)
        engine.refresh()
        pids.add(report().pid)
        descriptors = len(os.listdir(f"/proc/{report().pid}/fd"))
        client.stop()
        patience = time.monotonic() + 10
        while (left := [pid for pid in pids if _is_codeseek(pid)]) and time.monotonic() < patience:
            time.sleep(0.1)
        local = LocalEngine(root, chosen)
        local.refresh(thorough=True)
        fresh = LocalEngine(root, settings.load(root, {"data_dir": str(root.parent / "fresh")}))
        fresh.refresh()
        counted = [(status.files, status.chunks, dict(status.kinds)) for status in (local.status(), fresh.status())]
        same = counted[0] == counted[1] and all(
            [hit[:2] for hit in local.search(SearchRequest(query)).hits]
            == [hit[:2] for hit in fresh.search(SearchRequest(query)).hits]
            for query in QUERIES
        )
        print(f"{counts}, {len(pids)} daemons; equal to a fresh index: {same}")
        print(f"the last daemon had {descriptors} descriptors; processes left: {left or 'none'}")


def _is_codeseek(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return b"codeseek" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("shell", "clients", "soak"))
    parser.add_argument("repository")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--model")
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--minutes", type=float, default=10)
    arguments = parser.parse_args()
    {"shell": shell, "clients": clients, "soak": soak}[arguments.what](arguments)


if __name__ == "__main__":
    main()
