"""An evaluation in figures: scores with their intervals, differences, and the comparison with an earlier one; as JSON too."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from codeseek import __version__
from codeseek.errors import UsageError
from codeseek.evaluation import Answer, Evaluation
from codeseek.scores import METRICS, Bootstrap, Estimate, Ranks, ndcg

VERSION = 1
"""Of the JSON: grows when a key goes or changes its meaning; a new key leaves it as it is."""

CHIEF = "ndcg@10"
"""The measure that parts of the questions, differences and the comparison with a baseline are told in."""

_FEWEST_SHARED = 20  # questions that two evaluations must share to be compared by them


class Row(NamedTuple):
    """One arm of one model: every measure, the chief one by parts of the questions, and how far it is from the first row.

    `difference` is this arm less the first one, question by question; None in the first row.
    """

    model: str
    arm: str
    scores: Mapping[str, Estimate]
    by_language: Mapping[str, Estimate]
    by_source: Mapping[str, Estimate]
    difference: Estimate | None
    p50_ms: float
    p95_ms: float

    @property
    def name(self) -> str:
        """The model and arm in a few words."""
        return f"{self.model} {self.arm}".strip()


class Change(NamedTuple):
    """The first row beside the same arm of an earlier evaluation, and whether it fell below what was asked for.

    `difference` is now less then: question by question where `paired` are shared, else between the two means.
    """

    then: float
    difference: Estimate
    paired: int


class Board(NamedTuple):
    """The figures of an evaluation; the first row is what users get with the first model."""

    evaluation: Evaluation
    rows: tuple[Row, ...]
    made_at: datetime
    change: Change | None = None
    failed: str = ""


def board(evaluation: Evaluation) -> Board:
    """Work out the figures."""
    bootstrap = _bootstrap(evaluation)
    first = _values(evaluation.runs[0].answers)
    languages = [question.tongue for question in evaluation.questions]
    sources = [question.source for question in evaluation.questions]
    rows = []
    for run in evaluation.runs:
        values = _values(run.answers)
        times = sorted(answer.elapsed_ms for answer in run.answers)
        rows.append(
            Row(
                run.model,
                run.arm,
                {name: bootstrap.estimate([of(each.ranks) for each in run.answers]) for name, of in METRICS.items()},
                _parts(bootstrap, values, languages),
                _parts(bootstrap, values, sources),
                None
                if run is evaluation.runs[0]
                else bootstrap.estimate([a - b for a, b in zip(values, first, strict=True)], least=-1.0),
                statistics.median(times),
                times[min(len(times) * 95 // 100, len(times) - 1)],
            )
        )
    return Board(evaluation, tuple(rows), datetime.now(UTC))


def compared(now: Board, path: Path) -> Board:
    """Compare the first row with the same arm of an earlier evaluation; raises `UsageError` where that is none."""
    first = now.rows[0]
    then = _read(path, first)
    questions = now.evaluation.questions
    ours = _values(now.evaluation.runs[0].answers)
    values = {question.key: value for question, value in zip(questions, ours, strict=True)}
    shared = [key for key in values if key in then]
    if len(shared) >= _FEWEST_SHARED:
        clusters = {question.key: question.cluster for question in questions}
        bootstrap = Bootstrap([clusters[key] for key in shared], now.evaluation.seed)
        difference = bootstrap.estimate([values[key] - then[key] for key in shared], least=-1.0)
        return now._replace(change=Change(statistics.fmean(then[key] for key in shared), difference, len(shared)))
    own = first.scores[CHIEF]
    earlier = Bootstrap(then, now.evaluation.seed).estimate([*then.values()])
    # of two independent means, the variances add up; the larger half of each interval stands for its deviation
    spread = (
        max(own.high - own.mean, own.mean - own.low) ** 2
        + max(earlier.high - earlier.mean, earlier.mean - earlier.low) ** 2
    ) ** 0.5
    mean = own.mean - earlier.mean
    return now._replace(change=Change(earlier.mean, Estimate(mean, mean - spread, mean + spread, own.questions), 0))


def judged(now: Board, floor: float, *, share: bool) -> Board:
    """Tell whether the first row is below a floor, or below a share of the baseline, by more than chance explains.

    It is where even the upper end of its interval is; so noise fails nothing, and few questions fail little.
    """
    first, change = now.rows[0], now.change
    if share and change is not None:
        allowed = (floor - 1) * change.then
        if change.difference.high < allowed:
            lost = f"{first.name} lost {-change.difference.mean:.3f} of the baseline's {change.then:.3f}"
            return now._replace(failed=f"{lost}, surely {-change.difference.high:.3f}; {-allowed:.3f} are allowed")
    elif not share and first.scores[CHIEF].high < floor:
        estimate = first.scores[CHIEF]
        told = f"{first.name} has {CHIEF} {estimate.mean:.3f}, surely no more than {estimate.high:.3f}"
        return now._replace(failed=f"{told}; {floor:g} is asked for")
    return now


def record(now: Board) -> dict[str, Any]:
    """Return an evaluation as JSON values: the schema that README documents, and what a baseline is."""
    evaluation = now.evaluation
    return {
        "version": VERSION,
        "codeseek": __version__,
        "root": str(evaluation.root),
        "made_at": now.made_at.isoformat(timespec="seconds"),
        "seed": evaluation.seed,
        "elapsed_s": round(evaluation.elapsed_s, 3),
        "index": _rounded(evaluation.indexed._asdict()),
        "models": [_rounded(figures._asdict()) for figures in evaluation.models],
        "arms": [
            {
                "model": row.model,
                "arm": row.arm,
                "scores": {name: _estimate(value) for name, value in row.scores.items()},
                "by_language": {name: _estimate(value) for name, value in row.by_language.items()},
                "by_source": {name: _estimate(value) for name, value in row.by_source.items()},
                "difference": _estimate(row.difference),
                "p50_ms": round(row.p50_ms, 3),
                "p95_ms": round(row.p95_ms, 3),
            }
            for row in now.rows
        ],
        "questions": [
            {
                "key": question.key,
                "text": question.text,
                "source": question.source,
                "language": question.tongue,
                "targets": [target._asdict() for target in question.targets],
                "ranks": [list(run.answers[number].ranks.exact) for run in evaluation.runs],
                "found": [place._asdict() for place in evaluation.runs[0].answers[number].top],
            }
            for number, question in enumerate(evaluation.questions)
        ],
        "baseline": None
        if now.change is None
        else {
            "then": round(now.change.then, 4),
            "difference": _estimate(now.change.difference),
            "paired": now.change.paired,
        },
        "failed": now.failed,
        "notes": [*evaluation.notes, *(f"{label}: {error.message}" for label, error in evaluation.failures)],
    }


def _bootstrap(evaluation: Evaluation) -> Bootstrap:
    return Bootstrap((question.cluster for question in evaluation.questions), evaluation.seed)


def _values(answers: Sequence[Answer]) -> list[float]:
    return [ndcg(answer.ranks) for answer in answers]


def _parts(bootstrap: Bootstrap, values: Sequence[float], names: Sequence[str]) -> dict[str, Estimate]:
    """Return the estimates of the questions of each name, the most frequent name first."""
    order = sorted(set(names), key=lambda name: (-names.count(name), name))
    return {name: bootstrap.estimate(values, [own == name for own in names]) for name in order}


def _estimate(value: Estimate | None) -> dict[str, float] | None:
    return None if value is None else _rounded(value._asdict())


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in values.items()}


def check(path: Path) -> None:
    """Raise `UsageError` where a file is no evaluation that later ones can be compared with."""
    _table(path)


def _read(path: Path, row: Row) -> dict[str, float]:
    """Return the chief measure of a row's questions, by their keys, from an evaluation's JSON; raises `UsageError`."""
    ranks = _table(path)
    name = (row.model, row.arm)
    if name not in ranks:
        there = ", ".join(f"`{' '.join(words).strip()}`" for words in ranks)
        raise UsageError(f"`{path}` has no `{row.name}`", f"it has {there}")
    return {key: ndcg(found) for key, found in ranks[name].items()}


def _table(path: Path) -> dict[tuple[str, str], dict[str, Ranks]]:
    """Return the ranks of an evaluation's questions by their keys, by model and arm; raises `UsageError`."""
    try:
        table = json.loads(path.read_text("utf-8"))
        if table["version"] != VERSION:
            raise UsageError(f"`{path}` is of version {table['version']}, not {VERSION}", "make the baseline anew")
        ranks = {
            (str(arm["model"]), str(arm["arm"])): {
                str(question["key"]): Ranks(len(question["targets"]), tuple(map(_rank, question["ranks"][at])), ())
                for question in table["questions"]
            }
            for at, arm in enumerate(table["arms"])
        }
        if not all(found.wanted for by_key in ranks.values() for found in by_key.values()) or not all(ranks.values()):
            raise ValueError("it has no questions")
        return ranks
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise UsageError(
            f"`{path}` is no evaluation: {str(error) or type(error).__name__}",
            "make one with `codeseek eval --format json`",
        ) from error


def _rank(value: Any) -> int:
    if not isinstance(value, int) or value < 1:
        raise ValueError(f"{value!r} is no rank")
    return value
