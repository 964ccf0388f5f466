"""Score the search on the benchmark: questions about real repositories in English, Chinese and the mix.

    python tests/bench/quality.py BENCH TREES [--repositories NAME …] [--model NAME [--share S]]

BENCH holds the questions and the scorer (`score.py`, `queries.dev.jsonl`, `queries.docs.dev.jsonl`, `repos.dev.json`), TREES the
repositories as plain trees. The scorer takes this file too: `score.py --py tests/bench/quality.py:open_project`.
Indexes are kept beside the system's temporary files, so that a second run measures the search alone. A model that is named
reads every repository first, and answers along; S is its part of the meaning.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from codeseek import ranking, settings
from codeseek.local import LocalEngine
from codeseek.records import CODE_KINDS, SearchRequest

INDEXES = Path(tempfile.gettempdir()) / "codeseek-bench"
SHARE = "BENCH_SHARE"
Answers = list[dict[str, Any]]


def open_project(directory: str, kinds: tuple[str, ...] = ()) -> Callable[[str, int], Answers]:
    """Index a directory and return a function that answers questions about it."""
    root = Path(directory)
    engine = LocalEngine(root, settings.load(None, {"data_dir": str(INDEXES)}))
    engine.refresh()
    engine.embed()
    if SHARE in os.environ:
        ranking.CHOSEN_SHARE = np.float32(os.environ[SHARE])

    def search(query: str, limit: int) -> Answers:
        hits = engine.search(SearchRequest(query, limit=limit, kinds=kinds)).hits
        return [
            {"path": str(hit.chunk.path), "first_line": hit.chunk.first_line, "last_line": hit.chunk.last_line}
            for hit in hits
        ]

    return search


def open_code(directory: str) -> Callable[[str, int], Answers]:
    """The same for code alone."""
    return open_project(directory, CODE_KINDS)


def main() -> None:
    """Run the scorer on code in its folder, on documentation, and on code in whole repositories."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", type=Path)
    parser.add_argument("trees", type=Path)
    parser.add_argument("--repositories", nargs="*", default=[])
    parser.add_argument("--model")
    parser.add_argument("--share", type=float)
    arguments = parser.parse_args()
    environment = dict(os.environ)
    if arguments.model is not None:
        environment["CODESEEK_MODEL"] = arguments.model
    if arguments.share is not None:
        environment[SHARE] = str(arguments.share)
    bench = arguments.bench
    wanted = set(arguments.repositories)
    for title, queries, function, more in (
        ("code questions, the benchmark's folder", "queries.dev.jsonl", "open_project", []),
        ("code questions, the benchmark's folder, code alone", "queries.dev.jsonl", "open_code", []),
        ("documentation questions, whole repositories", "queries.docs.dev.jsonl", "open_project", ["--whole"]),
        ("code questions, whole repositories", "queries.dev.jsonl", "open_project", ["--whole"]),
        ("code questions, whole repositories, code alone", "queries.dev.jsonl", "open_code", ["--whole"]),
    ):
        print(f"\n{title}", flush=True)
        command = [
            sys.executable,
            bench / "score.py",
            "--queries",
            bench / queries,
            "--repos",
            bench / "repos.dev.json",
        ]
        asked = {json.loads(line)["repo"] for line in (bench / queries).read_text("utf-8").splitlines()}
        command += ["--trees", arguments.trees, "--py", f"{__file__}:{function}", *more]
        command += ["--only", *sorted(asked & wanted if wanted else asked)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
        print(
            "".join(line for line in done.stdout.splitlines(keepends=True) if "overall" in line or "p50" in line),
            end="",
        )


if __name__ == "__main__":
    main()
