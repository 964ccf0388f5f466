"""Fit the ranking weights on the benchmark, and say by cross-validation over repositories what that is worth.

    python tests/bench/fit.py BENCH TREES [--list code|sections] [--regularisation 0.005] [--folds 6]
    python tests/bench/fit.py BENCH TREES --constants

BENCH and TREES are those of quality.py. Every question is asked once, of the benchmark's folder and of the whole repository;
what the search looked at is kept with its features, and a linear model is fitted on all languages and scopes together. The
loss is LambdaRank's: each pair of a right and a wrong answer weighs what their exchange would change in NDCG@10, so that the
foot of a list does not pull at its head; weights are held near those in use. Files are ranked by their best chunk, sections
of documentation by themselves. With `--constants` the weights stay, and what a question's words weigh by their place is
tried: one constant after the other, every time with the choice that repositories which were not looked at would have made.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from quality import INDEXES
from scipy.optimize import minimize

from codeseek import ranking, settings
from codeseek.local import LocalEngine
from codeseek.records import CODE_KINDS, SearchRequest
from codeseek.retrieval import Ranked, Retrieval

Floats = NDArray[np.float64]
CUTOFF = 10
LANGUAGES = ("en", "zh", "mixed")
CONSTANTS: Mapping[str, Sequence[Any]] = {
    "EMPHASIS": ((1.0, 1.0, 1.0), (0.8, 1.0, 0.8), (0.6, 1.0, 0.6), (0.4, 1.0, 0.4)),
    "FIRST_HALF": tuple(map(np.float32, (0, 0.15, 0.3, 0.5))),
    "OWN_NAME": (1.0, 0.7, 0.4, 0.2),
    "LATER_IDENTIFIER": (1.0, 0.85, 0.7, 0.5),
}
"""Of `ranking`, what is tried of each: the first of these is as if it were not there."""
ROUNDS = 5  # of choosing each file's best chunk and each pair's weight by the weights so far


class Asked(NamedTuple):
    """A question's candidates: features [rows, names], which answer each row is one of, which answers are right."""

    features: Floats
    answer_of: NDArray[np.int64]
    right: NDArray[np.bool_]
    wanted: int
    repository: str
    group: str  # scope and language


@contextmanager
def _recorded(name: str) -> Iterator[list[tuple[Retrieval, Ranked]]]:
    """Keep the lists that the search ranks."""
    asked: list[tuple[Retrieval, Ranked]] = []
    inner = getattr(Retrieval, name)

    def rank(retrieval: Retrieval, *arguments: Any) -> Ranked:
        ranked: Ranked = inner(retrieval, *arguments)
        asked.append((retrieval, ranked))
        return ranked

    setattr(Retrieval, name, rank)
    try:
        yield asked
    finally:
        setattr(Retrieval, name, inner)


def ask(bench: Path, trees: Path, which: str, names: Sequence[str]) -> Iterator[Asked]:
    """Ask all questions; code ones of both scopes, documentation ones of whole repositories."""
    queries: dict[str, list[dict[str, Any]]] = defaultdict(list)
    file = "queries.dev.jsonl" if which == "code" else "queries.docs.dev.jsonl"
    for line in (bench / file).read_text("utf-8").splitlines():
        item = json.loads(line)
        queries[item["repo"]].append(item)
    with _recorded(which) as asked:
        for repository in json.loads((bench / "repos.dev.json").read_text("utf-8")):
            name = repository["name"]
            for scope, inner in (("folder", repository["root"]), ("whole", "")):
                if name not in queries or not (trees / name).is_dir() or (which == "sections" and scope == "folder"):
                    continue
                engine = LocalEngine(trees / name / inner, settings.load(None, {"data_dir": str(INDEXES)}))
                engine.refresh()
                for item in queries[name]:
                    for language in LANGUAGES:
                        text = item["query"] if language == "en" else item.get(language)
                        if text is None:
                            continue
                        asked.clear()
                        kinds = CODE_KINDS if which == "code" else ("section",)
                        engine.search(SearchRequest(text, kinds=kinds))
                        (seen,) = asked
                        if len(seen[1].rows):
                            found = _asked(*seen, item["targets"], inner, names, by_file=which == "code")
                            yield found._replace(repository=name, group=f"{scope} {language}")
                engine.close()


def _asked(
    retrieval: Retrieval,
    ranked: Ranked,
    targets: Sequence[Mapping[str, Any]],
    inner: str,
    names: Sequence[str],
    *,
    by_file: bool,
) -> Asked:
    index = retrieval.index
    paths = [str(Path(inner) / index.paths[file]) for file in index.chunk_file[ranked.rows]]
    features = np.stack([np.asarray(ranked.features[name], np.float64) for name in names], axis=1)
    if by_file:
        answers, answer_of = np.unique(paths, return_inverse=True)
        files = {target["file"] for target in targets}
        return Asked(features, answer_of, np.array([path in files for path in answers]), len(targets), "", "")
    first, last = index.column("chunk_first")[ranked.rows], index.column("chunk_last")[ranked.rows]
    right = [
        any(
            path == target["file"] and start <= target.get("last_line", end) and end >= target.get("first_line", start)
            for target in targets
        )
        for path, start, end in zip(paths, first.tolist(), last.tolist(), strict=True)
    ]
    return Asked(features, np.arange(len(paths)), np.array(right), len(targets), "", "")


def _order(asked: Asked, weights: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each answer's best row, and the answers' ranks from 0."""
    values = asked.features @ weights
    order = np.lexsort((values, asked.answer_of))
    best = order[np.append(np.diff(asked.answer_of[order]) != 0, True)]
    ranks = np.empty(len(best), np.int64)
    ranks[np.argsort(-values[best], kind="stable")] = np.arange(len(best))
    return best, ranks


def ndcg(asked: Asked, weights: Floats) -> float:
    """Return a question's NDCG@10."""
    _, ranks = _order(asked, weights)
    gained = sum(1 / math.log2(rank + 2) for rank in ranks[asked.right].tolist() if rank < CUTOFF)
    return min(1.0, gained / _ideal(asked.wanted))


def _ideal(wanted: int) -> float:
    return sum(1 / math.log2(rank + 2) for rank in range(min(CUTOFF, wanted)))


def scores(questions: Sequence[Asked], values: Sequence[float]) -> dict[str, float]:
    """Return the mean over repositories of each scope and language."""
    by_group: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for asked, value in zip(questions, values, strict=True):
        by_group[asked.group][asked.repository].append(value)
    return {group: fmean(map(fmean, by_repository.values())) for group, by_repository in sorted(by_group.items())}


def fit(questions: Sequence[Asked], begin: Floats, regularisation: float) -> Floats:
    """Return fitted weights; every repository counts alike in each scope and language."""
    count = Counter((asked.repository, asked.group) for asked in questions)
    spread = np.sqrt(np.mean([asked.features.var(axis=0) for asked in questions], axis=0)) + 1e-3
    weights = begin
    for _ in range(ROUNDS):
        differences, shares = [], []
        for asked in questions:
            if asked.right.all() or not asked.right.any():
                continue
            best, ranks = _order(asked, weights)
            gain = np.where(ranks < CUTOFF, 1 / np.log2(ranks + 2), 0.5 / np.log2(CUTOFF + 2))
            rows = asked.features[best]
            difference = rows[asked.right][:, None] - rows[~asked.right][None]
            share = np.abs(gain[asked.right][:, None] - gain[~asked.right][None])
            differences.append(difference.reshape(-1, len(weights)))
            shares.append(share.ravel() / _ideal(asked.wanted) / count[asked.repository, asked.group])
        every, share = np.concatenate(differences), np.concatenate(shares)
        share /= share.sum()

        def loss(values: Floats, every: Floats = every, share: Floats = share) -> tuple[float, Floats]:
            margin = every @ values
            wrong = np.exp(-np.logaddexp(0, margin))
            away = (values - begin) * spread
            slope: Floats = 2 * regularisation * away * spread - every.T @ (share * wrong)
            return float(share @ np.logaddexp(0, -margin) + regularisation * (away @ away)), slope

        weights = minimize(loss, weights, jac=True, method="L-BFGS-B", options={"maxiter": 100}).x
    return weights


def _folds(questions: Sequence[Asked], folds: int) -> list[set[str]]:
    """Part the repositories by chance of a fixed seed."""
    repositories = sorted({asked.repository for asked in questions})
    random.Random(0).shuffle(repositories)
    return [set(repositories[fold::folds]) for fold in range(min(folds, len(repositories)))]


def cross_validated(questions: Sequence[Asked], begin: Floats, regularisation: float, folds: int) -> list[float]:
    """Return every question's NDCG@10 by weights fitted on other repositories."""
    values = [0.0] * len(questions)
    for held in _folds(questions, folds):
        weights = fit([asked for asked in questions if asked.repository not in held], begin, regularisation)
        for number, asked in enumerate(questions):
            if asked.repository in held:
                values[number] = ndcg(asked, weights)
    return values


def _chosen_elsewhere(questions: Sequence[Asked], tried: Sequence[Sequence[float]], folds: int) -> list[float]:
    """Return every question's value under the setting, one of those tried, that is best for other repositories."""
    values = [0.0] * len(questions)
    for held in _folds(questions, folds):
        others = [number for number, asked in enumerate(questions) if asked.repository not in held]
        best = max(tried, key=lambda each: _mean([questions[at] for at in others], [each[at] for at in others]))
        for number, asked in enumerate(questions):
            if asked.repository in held:
                values[number] = best[number]
    return values


def _mean(questions: Sequence[Asked], values: Sequence[float]) -> float:
    return fmean(scores(questions, values).values())


def try_constants(bench: Path, trees: Path, names: Sequence[str], weights: Floats, folds: int) -> None:
    """Print what the search scores with each constant's other values, and without any of them."""
    in_use = {name: getattr(ranking, name) for name in CONSTANTS}

    def asked_with(changed: Mapping[str, Any]) -> tuple[list[Asked], list[float]]:
        for name, value in {**in_use, **changed}.items():
            setattr(ranking, name, value)
        questions = list(ask(bench, trees, "code", names))
        return questions, [ndcg(asked, weights) for asked in questions]

    questions, present = asked_with({})
    _show("in use", questions, present)
    _show("none of them", *asked_with({name: values[0] for name, values in CONSTANTS.items()}))
    for name, values in CONSTANTS.items():
        tried = []
        for value in values:
            found = present if value == in_use[name] else asked_with({name: value})[1]
            _show(f"{name} {value}", questions, found)
            tried.append(found)
        _show(f"{name} chosen elsewhere", questions, _chosen_elsewhere(questions, tried, folds))


def _show(title: str, questions: Sequence[Asked], values: Sequence[float]) -> None:
    found = scores(questions, values)
    shown = "  ".join(f"{group} {value:.4f}" for group, value in found.items())
    print(f"{title:32} {shown}  mean {fmean(found.values()):.4f}", flush=True)


def main() -> None:
    """Print what the weights in use score, what fitted ones score on repositories they have not seen, and the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", type=Path)
    parser.add_argument("trees", type=Path)
    parser.add_argument("--list", choices=("code", "sections"), default="code")
    parser.add_argument("--regularisation", type=float, default=0.005)
    parser.add_argument("--folds", type=int, default=6)
    parser.add_argument("--constants", action="store_true", help="try what words weigh by their place, not the weights")
    arguments = parser.parse_args()
    in_use = ranking.CODE_WEIGHTS if arguments.list == "code" else ranking.SECTION_WEIGHTS
    names, begin = list(in_use), np.array(list(in_use.values()))
    if arguments.constants:
        try_constants(arguments.bench, arguments.trees, list(ranking.CODE_WEIGHTS), begin, arguments.folds)
        return
    questions = list(ask(arguments.bench, arguments.trees, arguments.list, names))
    validated = cross_validated(questions, begin, arguments.regularisation, arguments.folds)
    weights = fit(questions, begin, arguments.regularisation)
    for title, values in (
        ("in use", [ndcg(asked, begin) for asked in questions]),
        ("fitted, cross-validated", validated),
        ("fitted, on what it has seen", [ndcg(asked, weights) for asked in questions]),
    ):
        _show(title, questions, values)
    for name, before, after in zip(names, begin, weights, strict=True):
        print(f'    "{name}": {after:.2f},  # {before:.2f}')


if __name__ == "__main__":
    main()
