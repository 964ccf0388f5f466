"""Measure how many pairs of near-duplicates are found of all that there are, in which time and memory.

    python tests/bench/duplicates.py recall TREE [--texts 20000] [--min-similarity 0.9]
    python tests/bench/duplicates.py whole TREE [--min-similarity 0.9]

TREE is a folder of source code, such as many repositories side by side; its index is kept beside the system's temporary files.
`recall` takes so many of its passages, evenly spread, a tenth of them copies of others with words changed, so that there are
pairs around the threshold; then every passage is compared with every other one, by counting what they share, and the pairs that
the join finds are compared with those. `whole` runs `codeseek duplicates` over all of TREE and tells its time and memory.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from codeseek import likeness, settings
from codeseek.local import LocalEngine
from codeseek.store import Store

INDEXES = Path(tempfile.gettempdir()) / "codeseek-bench"
LEAST_WORDS = 20


def texts_of(tree: Path, count: int) -> list[list[str]]:
    """Return the words of passages, and of copies of some in which a few words are changed."""
    chosen = settings.load(None, {"data_dir": str(INDEXES)})
    LocalEngine(tree, chosen).refresh()
    chance = random.Random(1)
    with Store.open(chosen.index_directory(tree), tree, read_only=True) as store:
        ids = [number for name in store.segments() for _, chunks in store.segment_files(name) for number, _ in chunks]
        ids = ids[:: max(1, len(ids) // (2 * count))]
        found = [likeness.words(chunk.text) for chunk in store.chunks(ids).values()]
    texts = [words for words in found if len(words) >= LEAST_WORDS][: count * 9 // 10]
    everything = [word for words in texts for word in words]
    for words in texts[:: max(1, len(texts) // (count - len(texts)))]:
        changed = words[:]
        for _ in range(chance.randint(0, len(words) // 8)):
            changed[chance.randrange(len(changed))] = chance.choice(everything)
        texts.append(changed)
    return texts[:count]


def all_pairs(texts: Sequence[Sequence[str]], least: float) -> Iterator[tuple[int, int]]:
    """Yield every pair that is alike enough, having counted for each text what it shares with every other one."""
    listed: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    sets = []
    for number, words in enumerate(texts):
        own = [(word, at) for word, count in Counter(words).items() for at in range(count)]
        sets.append(own)
        for one in own:
            listed[one].append(number)
    arrays = {one: np.array(numbers) for one, numbers in listed.items() if len(numbers) > 1}
    sizes = np.array([len(own) for own in sets])
    for number, own in enumerate(sets):
        near = [arrays[one] for one in own if one in arrays]
        if not near:
            continue
        common = np.bincount(np.concatenate(near), minlength=len(texts))
        alike = common / (sizes + sizes[number] - common)
        for other in np.flatnonzero(alike >= least - 1e-9).tolist():
            if other > number:
                yield number, other


def recall(arguments: argparse.Namespace) -> None:
    """Compare the join with all pairs."""
    texts = texts_of(arguments.tree.resolve(), arguments.texts)
    started = time.perf_counter()
    bags = likeness.Bags()
    for words in texts:
        bags.add(words)
    pairs = {
        (min(one.text, other), max(one.text, other))
        for one in bags.pairs(arguments.min_similarity)
        for other in one.others.tolist()
    }
    joined_s = time.perf_counter() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    started = time.perf_counter()
    wanted = set(all_pairs(texts, arguments.min_similarity))
    result = {
        "texts": len(texts),
        "pairs": len(wanted),
        "recall": round(len(pairs & wanted) / max(1, len(wanted)), 5),
        "wrong": len(pairs - wanted),
        "join_s": round(joined_s, 2),
        "all_pairs_s": round(time.perf_counter() - started, 2),
        "peak_mib_until_joined": round(memory),
    }
    print(json.dumps(result))


def whole(arguments: argparse.Namespace) -> None:
    """Time the command over all of a tree, in a process of its own."""
    environment = os.environ | {"CODESEEK_DATA_DIR": str(INDEXES)}
    program = [sys.executable, "-m", "codeseek"]
    subprocess.run([*program, "index", str(arguments.tree)], env=environment, check=True)
    command = [*program, "duplicates", "-C", str(arguments.tree), "--no-refresh", "--format", "json"]
    command += ["--min-similarity", str(arguments.min_similarity)]
    started = time.perf_counter()
    with tempfile.TemporaryFile() as output, subprocess.Popen(command, env=environment, stdout=output) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        elapsed = time.perf_counter() - started
        output.seek(0)
        found = json.loads(output.read())
    result = {
        "compared": found["compared"],
        "clusters": len(found["clusters"]) + found["left_off"],
        "seconds": round(elapsed, 1),
        "peak_mib": round(usage.ru_maxrss / 1024),
    }
    print(json.dumps(result))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["recall", "whole"])
    parser.add_argument("tree", type=Path)
    parser.add_argument("--texts", type=int, default=20_000)
    parser.add_argument("--min-similarity", type=float, default=0.9)
    arguments = parser.parse_args()
    {"recall": recall, "whole": whole}[arguments.what](arguments)


if __name__ == "__main__":
    main()
