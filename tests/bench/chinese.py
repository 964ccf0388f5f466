"""Score Chinese questions about the code of Chinese teams: English names, Chinese comments.

    python tests/bench/chinese.py TREES [--misses]

TREES holds the repositories that `chinese.tsv` names, as plain trees in folders `OWNER+NAME`; those that are missing are left
out. The questions are written by hand, as such teams type them, and no translations; what answers one is told by a pattern
of paths. The figure is the mean reciprocal rank of the first file that answers, over the first ten, of code alone.
"""

from __future__ import annotations

import argparse
import re
from collections import defaultdict
from pathlib import Path
from statistics import fmean

from quality import open_code

QUESTIONS = Path(__file__).with_suffix(".tsv")
LIMIT = 10


def questions() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    """Return questions with the pattern of their answers' paths, by repository."""
    found: dict[str, list[tuple[str, re.Pattern[str]]]] = defaultdict(list)
    for line in QUESTIONS.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            repository, question, pattern = line.split("\t")
            found[repository].append((question, re.compile(pattern)))
    return found


def main() -> None:
    """Print each repository's figure and their mean."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trees", type=Path)
    parser.add_argument("--misses", action="store_true", help="show what came first where that was wrong")
    arguments = parser.parse_args()
    means = []
    for repository, asked in questions().items():
        tree = arguments.trees / repository.replace("/", "+")
        if not tree.is_dir():
            continue
        search, values = open_code(str(tree)), []
        for question, pattern in asked:
            paths = [f"/{answer['path']}" for answer in search(question, LIMIT)]
            ranks = [rank for rank, path in enumerate(paths, 1) if pattern.search(path)]
            values.append(1 / ranks[0] if ranks else 0.0)
            if arguments.misses and values[-1] < 1:
                print(f"  {question}: {values[-1]:.2f}, first {', '.join(Path(path).name for path in paths[:3])}")
        means.append(fmean(values))
        print(f"{repository:28} {len(asked):3} questions, mean reciprocal rank {means[-1]:.3f}", flush=True)
    print(f"{'mean':28} {fmean(means):.4f}" if means else "none of the repositories is there")


if __name__ == "__main__":
    main()
