"""The steps from the data to the bundled model, each kept once it is done."""

from __future__ import annotations

import hashlib
import json
import pickle
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np

import bags
import export
import rotation
import teacher
import terms
import training
import vocabulary
import words
from codeseek import analysis
from codeseek.embedders.pieces import Tokens
from codeseek.embedders.static import StaticEmbedder
from codeseek.records import Chunk, Definition
from corpus import Folder, Function

SEED = 1


class Effort(NamedTuple):
    """How long to train: the runs whose tables are averaged, and the steps of the rotation."""

    runs: Sequence[training.Run]
    rotation: int


FULL = Effort([training.Run(seed, steps) for seed, steps in ((1, 120), (2, 120), (3, 400), (4, 900))], rotation.STEPS)
"""Of several tables: from one beginning they stay near enough to each other, and short ones know less by heart."""

SMOKE = Effort([training.Run(1, 12, 64), training.Run(2, 12, 64)], 12)

PAIR_BLOCK, WORD_BLOCK = 8, 128


class Steps:
    """Runs steps whose results lie in a folder; what was made from the same inputs by the same version is kept."""

    def __init__(self, work: Path, first: str) -> None:
        """`first` identifies what the first step begins with."""
        self._work = work
        self._key = first
        self.versions: dict[str, int] = {}
        work.mkdir(parents=True, exist_ok=True)

    def run(self, name: str, version: int, make: Callable[[], Any]) -> Any:
        """Return a step's result, made now or before; every step depends on all those before it."""
        self._key = _key(self._key, name, version)
        return self._result(name, version, self._key, make)

    def branch(self, name: str, version: int, make: Callable[[], Any], more: str) -> Any:
        """Do the same for a step on which none depends, and which depends on something more."""
        return self._result(name, version, _key(self._key, name, version, more), make)

    def _result(self, name: str, version: int, key: str, make: Callable[[], Any]) -> Any:
        self.versions[name] = version
        path = self._work / f"{name}.{key}.pickle"
        if path.exists():
            print(f"{name}: as before", file=sys.stderr)
            return pickle.loads(path.read_bytes())  # noqa: S301  our own file, written below
        started = time.perf_counter()
        print(f"{name} …", file=sys.stderr, flush=True)
        result = make()
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_bytes(pickle.dumps(result, protocol=5))
        unfinished.replace(path)
        print(f"{name}: {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)
        return result


def _key(*parts: object) -> str:
    return hashlib.sha256(" ".join(map(str, parts)).encode()).hexdigest()[:16]


def make(data: Folder, work: Path, teach: Callable[[], teacher.Teacher], into: Path, effort: Effort) -> None:
    """Make the model from the data and write it into a folder."""
    hashes = _hashes(data.files())
    steps = Steps(work, json.dumps([hashes, data.step]))
    han = steps.run("han", 1, lambda: words.runs_of(analysis.fold(text) for text in _chinese(data)))
    chinese = steps.run("words", words.VERSION, lambda: words.mine(han, SEED))
    characters = Counter(character for run in han for character in run)
    latin, sources = steps.run("latin", vocabulary.VERSION, lambda: vocabulary.latin(_latin(data)))
    built = vocabulary.build(latin, sources, characters, chinese)
    rows = steps.run("terms", terms.VERSION, lambda: terms.table(_segments(data), {**characters, **chinese}))
    word_vectors, sentence_vectors = steps.run("teacher", teacher.VERSION, lambda: _taught(data, built.tokens, teach()))
    pairs, said, templates = steps.run("bags", 1, lambda: _bags(data, built))
    is_latin = np.array([token.isascii() for token in built.tokens])
    directions, log_weights = training.begin(is_latin, word_vectors, sentence_vectors, [said], pairs, SEED)

    def train(run: training.Run) -> training.Floats:
        table = training.Table(directions, log_weights)
        table.train([pairs, said], templates, run, _tell)
        return table.rows

    tables = [steps.branch(f"table-{run.seed}", training.VERSION, partial(train, run), str(run)) for run in effort.runs]
    table = np.mean(tables, axis=0).astype(np.float32)
    of_functions = _hashes(data.function_files())
    rotated = steps.branch(
        "rotation",
        rotation.VERSION,
        lambda: rotation.learn(_matched(data, built, table, pairs, said), training.LARGEST, SEED, effort.rotation),
        f"{effort} {of_functions}",
    )
    table = table @ rotated
    np.save(work / "rows.npy", table)
    provenance = {
        "data": hashes | of_functions,
        "every": data.step,
        "steps": steps.versions,
        "runs": [run._asdict() for run in effort.runs],
    }
    export.write(into, built, table, rows, provenance)
    print(f"{len(built.tokens):,} tokens and {len(rows):,} terms written to {into}", file=sys.stderr)


def _hashes(paths: Sequence[Path]) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def _chinese(data: Folder) -> Iterator[str]:
    yield from (pair.chinese for pair in data.pairs())
    yield from (each.said for each in data.words() if not each.said.isascii())


def _latin(data: Folder) -> Iterator[tuple[str, str]]:
    yield from ((pair.english, pair.source) for pair in data.pairs())
    yield from ((f"{each.said} {each.words}", each.source) for each in data.words())


def _segments(data: Folder) -> Iterator[tuple[str, str]]:
    yield from ((pair.english, pair.chinese) for pair in data.pairs())


def _taught(data: Folder, tokens: list[str], by: teacher.Teacher) -> tuple[training.Floats, training.Floats]:
    every = [pair.english[: teacher.LONGEST] for pair in data.pairs()]
    sentences = every[:: max(1, len(every) // teacher.SENTENCES)]
    return teacher.encode(by, [token for token in tokens if token.isascii()]), teacher.encode(by, sentences)


def _bags(data: Folder, built: vocabulary.Vocabulary) -> tuple[training.Corpus, training.Corpus, bags.Bags]:
    size = len(built.tokens)
    bagger = bags.Bagger(_embedder(built, np.zeros((size, 1), np.float32)).tokens, size)
    pairs, said = list(data.pairs()), list(data.words())
    return (
        training.Corpus(
            bagger.bags(pair.english for pair in pairs),
            bagger.bags(pair.chinese for pair in pairs),
            training.by_source([pair.source for pair in pairs]),
            PAIR_BLOCK,
            asks=False,
        ),
        training.Corpus(
            bagger.bags(each.said for each in said),
            bagger.weighted(each.words for each in said),
            training.by_source([each.source for each in said]),
            WORD_BLOCK,
            asks=True,
        ),
        bagger.bags(training.TEMPLATES),
    )


def _matched(
    data: Folder, built: vocabulary.Vocabulary, table: training.Floats, pairs: training.Corpus, said: training.Corpus
) -> list[rotation.Matched]:
    """Return what a rotation is learned from: the training's own texts, and functions as the program embeds them."""

    def summed(corpus: training.Corpus, rows: training.Numbers) -> tuple[training.Floats, training.Floats]:
        return bags.unit(corpus.questions[rows] @ table), bags.unit(corpus.answers[rows] @ table)

    matched = [
        rotation.Matched(partial(summed, pairs), pairs.sources, PAIR_BLOCK),
        rotation.Matched(partial(summed, said), said.sources, rotation.BATCH),
    ]
    functions = list(data.functions())
    sources = training.by_source([each.source for each in functions])
    if sources:
        embedder = _embedder(built, table)
        questions = np.array([embedder.embed_query(each.question) for each in functions])
        answers = embedder.embed([_chunk(each) for each in functions])
        matched.append(rotation.Matched(lambda rows: (questions[rows], answers[rows]), sources, rotation.BATCH))
    return matched


def _chunk(function: Function) -> Chunk:
    names = tuple(Definition(name, "function", 1) for name in function.names.split())
    lines = function.text.count("\n") + 1
    return Chunk(PurePosixPath(function.path), 1, lines, "", "function", "", function.text, definitions=names)


def _embedder(built: vocabulary.Vocabulary, table: training.Floats) -> StaticEmbedder:
    ones = np.ones(len(built.tokens), np.float32)
    return StaticEmbedder(Tokens.of(built.tokens), table, ones, np.array(built.scores, np.float32))


def _tell(step: int, losses: list[float]) -> None:
    if step % 10 == 0:
        print(f"  step {step}: " + "  ".join(f"{loss:.3f}" for loss in losses), file=sys.stderr, flush=True)
