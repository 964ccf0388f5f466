"""Measure the watcher: from a save to an answer with what was saved, and how many refreshes a checkout takes.

python tests/bench/watch.py                      in 5,000 generated files
python tests/bench/watch.py --root DIR           in a copy of a project of yours
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from tui import generated  # the benchmark beside this one

from codeseek import settings
from codeseek.local import LocalEngine
from codeseek.records import ProgressListener, RefreshSummary, SearchRequest
from codeseek.watcher import Watcher

SAVES = 20


def wait(happened: Callable[[], object], within_s: float = 60) -> float:
    """Return after how many seconds something has happened."""
    began = time.perf_counter()
    while not happened():
        if time.perf_counter() - began > within_s:
            raise TimeoutError
        time.sleep(0.005)
    return time.perf_counter() - began


def git(root: Path, *words: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *words], cwd=root, check=True, capture_output=True)


def measure(root: Path, data: Path) -> dict[str, float]:
    chosen = settings.load(None, {"data_dir": data})
    engine = LocalEngine(root, chosen)
    engine.refresh(thorough=True)
    begun: list[None] = []
    done: list[RefreshSummary] = []

    def refresh(listener: ProgressListener) -> RefreshSummary:
        begun.append(None)
        done.append(engine.refresh(listener))
        return done[-1]

    def settle() -> None:
        before = -1
        while before != len(begun) or len(begun) != len(done):
            before = len(begun)
            time.sleep(3)

    git(root, "init", "-q", "-b", "one")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "one")
    taken: list[float] = []
    with Watcher(root, chosen.index_directory(root), refresh, lambda _: None):
        settle()
        began, cpu = time.perf_counter(), time.process_time()
        time.sleep(10)
        idle = 100 * (time.process_time() - cpu) / (time.perf_counter() - began)
        engine.search(SearchRequest("warm"))
        for number in range(SAVES):
            name = f"zyx{number}_{'abcdefghijklmnopqrst'[number]}"
            (root / f"saved_{number}.py").write_text(f"def {name}(value):\n    return value\n", encoding="utf-8")

            def found(name: str = name) -> bool:
                return any(hit.chunk.symbol == name for hit in engine.search(SearchRequest(name)).hits)

            taken.append(wait(found))
            time.sleep(0.5)
        git(root, "checkout", "-qb", "two")
        files = engine.status().files
        git(root, "rm", "-rqf", "--cached", ".")
        git(root, "commit", "-qm", "nothing")
        git(root, "clean", "-qfdx")
        settle()
        before = len(done)
        git(root, "checkout", "-qf", "one")
        settle()
        refreshes = [one for one in done[before:] if one.added or one.changed or one.removed]
    engine.close()
    return {
        "files": files,
        "saves": SAVES,
        "save_p50_s": median(taken),
        "save_worst_s": max(taken),
        "idle_cpu_percent": idle,
        "checkout_refreshes": len(refreshes),
        "checkout_looks": len(done) - before,
        "checkout_files": sum(one.added + one.changed for one in refreshes),
    }


def main() -> None:
    options = argparse.ArgumentParser(description="Measure the watcher.")
    options.add_argument("--root", type=Path, help="a project to copy instead of generated files")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        if given.root is None:
            root.mkdir()
            generated(root, 50_000)
        else:
            shutil.copytree(given.root, root, ignore=shutil.ignore_patterns(".git"), symlinks=True)
        figures = measure(root, Path(folder) / "data")
    print(json.dumps({name: round(value, 3) for name, value in figures.items()}, indent=1))


if __name__ == "__main__":
    main()
