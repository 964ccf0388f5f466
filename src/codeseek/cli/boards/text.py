"""An evaluation as tables for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from codeseek import screen
from codeseek.cli import tables
from codeseek.cli.boards import short
from codeseek.cli.terminal import GREEN, RED, Terminal
from codeseek.scoreboard import CHIEF, Board, Row
from codeseek.scores import METRICS, Estimate


def render(board: Board, terminal: Terminal) -> Iterator[str]:
    """Yield what was asked, every arm's scores, where they differ, and what each model costs."""
    evaluation = board.evaluation
    index = evaluation.indexed
    sources = Counter(question.source for question in evaluation.questions).most_common()
    yield from tables.named("project", screen.safe(str(evaluation.root)), terminal)
    asked = ", ".join(f"{count:,} {source}" for source, count in sources)
    yield from tables.named("questions", f"{len(evaluation.questions):,} ({asked})", terminal)
    facts = f"{index.files:,} files, {index.chunks:,} chunks, {index.functions:,} functions"
    yield from tables.named(
        "index", f"{facts}, {tables.size(index.size_bytes)}, {tables.duration(index.elapsed_s)}", terminal
    )
    yield "\n"
    head = ("model", "arm", CHIEF, "95 %", "to 1st", "95 %", "p50", "p95")
    rows = [
        (
            screen.safe(row.model),
            row.arm,
            short(row.scores[CHIEF].mean),
            _interval(row.scores[CHIEF]),
            *_difference(row.difference, terminal),
            _milliseconds(row.p50_ms),
            _milliseconds(row.p95_ms),
        )
        for row in board.rows
    ]
    yield from tables.table(head, rows, terminal, right=range(2, len(head)))
    yield "\n"
    others = [name for name in METRICS if name != CHIEF]
    cells = [
        (screen.safe(row.model), row.arm, *(short(row.scores[name].mean) for name in others)) for row in board.rows
    ]
    yield from tables.table(("model", "arm", *others), cells, terminal, right=range(2, 2 + len(others)))
    for title, parts in (
        ("language", [row.by_language for row in board.rows]),
        ("source", [row.by_source for row in board.rows]),
    ):
        if len(parts[0]) > 1:
            yield "\n"
            yield from _by_part(title, board.rows, parts, terminal)
    yield "\n"
    head = ("model", "form", "dims", "context", "file", "vectors", "texts", "load")
    costs = [
        (
            screen.safe(model.label),
            screen.safe(model.form),
            f"{model.dimensions:,}",
            f"{model.context:,}" if model.context else "",
            tables.size(model.file_bytes) if model.file_bytes else "",
            tables.size(model.vector_bytes),
            f"{model.texts_per_s:,.0f}/s" if model.texts_per_s >= 10 else f"{model.texts_per_s:.2g}/s",
            tables.duration(model.load_s),
        )
        for model in evaluation.models
    ]
    yield from tables.table(head, costs, terminal, right=range(2, len(head)))
    if board.change is not None:
        yield "\n"
        change = board.change
        how = f"{change.paired:,} questions of both" if change.paired else "no questions of both"
        moved = f"{short(change.difference.mean, signed=True)} {_interval(change.difference, signed=True)}"
        told = f"{screen.safe(board.rows[0].name)} {moved} from {short(change.then)}"
        yield from tables.named("baseline", f"{told}, {how}", terminal)


def _by_part(
    title: str, rows: Sequence[Row], parts: Sequence[Mapping[str, Estimate]], terminal: Terminal
) -> Iterator[str]:
    names, about = list(parts[0]), terminal.sign("±", "+-")
    head = ("model", "arm", *(f"{name} ({parts[0][name].questions:,})" for name in names))
    cells = [
        (
            screen.safe(row.model),
            row.arm,
            *(f"{short(part[name].mean)} {about}{short((part[name].high - part[name].low) / 2)}" for name in names),
        )
        for row, part in zip(rows, parts, strict=True)
    ]
    yield tables.title(f"{CHIEF} by {title}", terminal)
    yield from tables.table(head, cells, terminal, right=range(2, len(head)))


def _interval(estimate: Estimate, *, signed: bool = False) -> str:
    return f"[{short(estimate.low, signed=signed)}, {short(estimate.high, signed=signed)}]"


def _difference(estimate: Estimate | None, terminal: Terminal) -> tuple[str, str]:
    """Return a difference and its interval; in colour where the interval leaves no doubt about the sign."""
    if estimate is None:
        return "", ""
    colour = (GREEN,) if estimate.low > 0 else (RED,) if estimate.high < 0 else ()
    texts = short(estimate.mean, signed=True), _interval(estimate, signed=True)
    return (terminal.styled(texts[0], *colour), terminal.styled(texts[1], *colour)) if colour else texts


def _milliseconds(value: float) -> str:
    return f"{value:,.0f} ms" if value >= 10 else f"{value:.1f} ms"
