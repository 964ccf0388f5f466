"""An evaluation as one HTML page with plots: nothing in it is fetched, and nothing runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

from codeseek import __version__, screen
from codeseek.cli import tables
from codeseek.cli.boards import plots, short
from codeseek.cli.boards.plots import Dot, Point, Series
from codeseek.evaluation import Answer
from codeseek.mining.question import Question, Target
from codeseek.scoreboard import CHIEF, Board
from codeseek.scores import CUTOFF, METRICS, Estimate, Place, recall

_MOST_SHOWN = 400  # questions of one kind
_COLOURS = 8
_ARMS = {
    "both": "words and the bundled model together: what a search gives by default",
    "tiers": "the same with another model beside the bundled one",
    "dense": "one model alone, by meaning",
    "lexical": "words alone, with their Chinese translations",
}


def made(board: Board) -> str:
    """Return the page."""
    return "".join(_pieces(board))


def _pieces(board: Board) -> Iterator[str]:
    evaluation, first = board.evaluation, board.rows[0]
    name = _safe(evaluation.root.name or str(evaluation.root))
    yield (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{name}: how well codeseek finds things</title>\n"
        f"<style>\n{Path(__file__).with_name('page.css').read_text('utf-8')}</style></head><body><main>\n"
    )
    yield f"<h1>How well codeseek finds things in {name}</h1>\n"
    yield f'<p class="sub">{_asked(board)}</p>\n'
    if board.failed:
        yield f'<p class="failed" role="alert">{_safe(board.failed)}</p>\n'
    yield _tiles(board)
    series = _series(board)
    yield "<h2>Which way of searching finds it</h2>\n"
    yield (
        f"<p>{CHIEF} rewards an answer the more the nearer it is to the top; 1 is a perfect list. The lines are 95 % intervals."
        " Whether a difference is more than chance, the table tells by its colour: grey is not.</p>\n"
    )
    yield _figure(
        plots.intervals(
            f"{CHIEF} of each arm with its 95 % interval",
            [("", _dots(series, [row.scores[CHIEF] for row in board.rows]))],
        )
    )
    yield _scores(board)
    yield "<h2>How far down one has to read</h2>\n<p>The share of answers within the first hits.</p>\n"
    within = [
        (
            each,
            [
                sum(recall(answer.ranks.exact, answer.ranks.wanted, rank) for answer in run.answers) / len(run.answers)
                for rank in range(1, CUTOFF + 1)
            ],
        )
        for each, run in zip(series, evaluation.runs, strict=True)
    ]
    yield _figure(plots.curves("Share of answers within the first hits", within, "hits read"))
    for title, told, parts in (
        ("By the language of the question", "", [row.by_language for row in board.rows]),
        ("By what is asked", _SOURCES, [row.by_source for row in board.rows]),
    ):
        if len(parts[0]) > 1:
            yield f"<h2>{title}</h2>\n" + (f"<p>{told}</p>\n" if told else "")
            groups = [
                (f"{part} ({parts[0][part].questions:,})", _dots(series, [row[part] for row in parts]))
                for part in parts[0]
            ]
            yield _figure(plots.intervals(f"{CHIEF} {title.lower()}", groups))
    yield _models(board, series)
    yield "<h2>Questions and answers</h2>\n"
    yield f"<p>As {_safe(first.name)} answers them: every question with its answer, and what stood first instead.</p>\n"
    answers = list(zip(evaluation.questions, evaluation.runs[0].answers, strict=True))
    for title, chosen in (
        ("Not found", [pair for pair in answers if not pair[1].ranks.exact]),
        ("Found, but not first", [pair for pair in answers if pair[1].ranks.exact[:1] > (1,)]),
        ("Found first", [pair for pair in answers if pair[1].ranks.exact[:1] == (1,)]),
    ):
        yield _questions(title, chosen)
    yield (
        f'<p class="note">Made by codeseek {_safe(__version__)} on {board.made_at:%Y-%m-%d %H:%M} UTC in'
        f" {tables.duration(evaluation.elapsed_s)}, seed {evaluation.seed}. Intervals are by bootstrap over files."
        " What questions were made of was hidden from the search.</p>\n</main></body></html>\n"
    )


_SOURCES = (
    "Docstrings and comments are asked by their first sentence, documentation by its headings or first sentences; commit messages"
    " are answered by the files that were changed."
)


def _asked(board: Board) -> str:
    evaluation = board.evaluation
    sources = Counter(question.source for question in evaluation.questions).most_common()
    told = ", ".join(
        f"{count:,} from {'a ' if source == 'file' else ''}{source}{'' if source in ('file', 'documentation') else 's'}"
        for source, count in sources
    )
    return f"{len(evaluation.questions):,} questions whose answers are known: {told}."


def _tiles(board: Board) -> str:
    first, index = board.rows[0], board.evaluation.indexed
    chief = first.scores[CHIEF]
    tiles = [
        (f"{CHIEF}, {first.name}", short(chief.mean), f"{short(chief.low)} to {short(chief.high)}"),
        (
            "found in the first ten",
            f"{first.scores['recall@10'].mean:.0%}",
            f"right file: {first.scores['file recall@10'].mean:.0%}",
        ),
        (
            "a question takes",
            f"{first.p50_ms:.0f} ms" if first.p50_ms >= 10 else f"{first.p50_ms:.1f} ms",
            f"95 % within {first.p95_ms:.0f} ms",
        ),
        ("indexed in", tables.duration(index.elapsed_s), f"{index.files:,} files, {index.functions:,} functions"),
        ("index", tables.size(index.size_bytes), f"{index.chunks:,} chunks"),
    ]
    if (change := board.change) is not None:
        told = f"{short(change.difference.low, signed=True)} to {short(change.difference.high, signed=True)}"
        tiles.insert(1, ("since the baseline", short(change.difference.mean, signed=True), told))
    cells = "".join(
        f"<div><dt>{_safe(name)}</dt><dd>{_safe(value)}<small>{_safe(more)}</small></dd></div>"
        for name, value, more in tiles
    )
    return f'<dl class="tiles">{cells}</dl>\n'


def _series(board: Board) -> list[Series]:
    """Give every row its colour: words alone are grey, the others take turns."""
    series: list[Series] = []
    colours = [number for number in range(_COLOURS) if number != 2]
    for row in board.rows:
        colour = (
            2 if row.arm == "lexical" else colours[len([one for one in series if one.arm != "lexical"]) % len(colours)]
        )
        series.append(Series(row.name, row.arm, colour))
    return series


def _dots(series: Sequence[Series], values: Sequence[Estimate]) -> list[Dot]:
    return [Dot(each, value) for each, value in zip(series, values, strict=True)]


def _scores(board: Board) -> str:
    measures = [name for name in METRICS if name != "recall@5"]  # the curves show it
    head = ["", *measures, "to the first", "p50", "p95"]
    rows = []
    for row in board.rows:
        cells = [_safe(row.name), *(short(row.scores[name].mean) for name in measures), _difference(row.difference)]
        rows.append([*cells, f"{row.p50_ms:.1f} ms", f"{row.p95_ms:.1f} ms"])
    arms = {row.arm for row in board.rows}
    told = "; ".join(f"<b>{arm}</b> is {does}" for arm, does in _ARMS.items() if arm in arms)
    note = f"{told}. Differences are told with the 95 % interval of a paired comparison."
    return f'{_table(head, rows)}<p class="note">{note}</p>\n'


def _difference(estimate: Estimate | None) -> str:
    if estimate is None:
        return ""
    style = "better" if estimate.low > 0 else "worse" if estimate.high < 0 else "note"
    low, high = short(estimate.low, signed=True), short(estimate.high, signed=True)
    return f'<span class="{style}">{short(estimate.mean, signed=True)} [{low}, {high}]</span>'


def _models(board: Board, series: Sequence[Series]) -> str:
    models = board.evaluation.models
    best: Mapping[str, tuple[Series, Estimate]] = {
        row.model: (each, row.scores[CHIEF])
        for row, each in reversed(list(zip(board.rows, series, strict=True)))
        if row.arm != "dense"
    }
    head = [
        "",
        "form",
        "dimensions",
        "context",
        "file",
        "vectors",
        "texts/s",
        "loads in",
        f"{CHIEF} alone",
        f"{CHIEF} with words",
    ]
    alone = {row.model: row.scores[CHIEF] for row in board.rows if row.arm == "dense"}
    rows = [
        [
            _safe(model.label),
            _safe(model.form),
            f"{model.dimensions:,}",
            f"{model.context:,}" if model.context else "",
            tables.size(model.file_bytes) if model.file_bytes else "",
            tables.size(model.vector_bytes),
            f"{model.texts_per_s:,.0f}" if model.texts_per_s >= 10 else f"{model.texts_per_s:.2g}",
            tables.duration(model.load_s),
            short(alone[model.label].mean),
            short(best[model.label][1].mean),
        ]
        for model in models
    ]
    text = "<h2>What the models take</h2>\n"
    if len(models) > 1:
        points = [Point(*best[model.label], model.texts_per_s, model.vector_bytes) for model in models]
        text += "<p>Up is better, right is faster; the halo is as large as a model's vectors are.</p>\n"
        text += _figure(plots.speeds(f"{CHIEF} over speed", points))
    return text + _table(head, rows)


def _questions(title: str, pairs: Sequence[tuple[Question, Answer]]) -> str:
    rows = []
    for question, answer in pairs[:_MOST_SHOWN]:
        answered = "<br>".join(f"<code>{_place(target)}</code>" for target in question.targets)
        rank = answer.ranks.exact[0] if answer.ranks.exact else 0
        instead = (
            ""
            if rank == 1
            else "<br>".join(f"<code>{_place(place)}</code>" for place in answer.top[: max(rank - 1, 0) or None])
        )
        rows.append([_safe(question.text), question.source, str(rank or "—"), answered, instead])
    more = f"<p class='note'>and {len(pairs) - _MOST_SHOWN:,} more</p>" if len(pairs) > _MOST_SHOWN else ""
    table = (
        _table(["question", "from", "rank", "answer", "" if title == "Found first" else "before it"], rows, "words")
        if rows
        else "<p>None.</p>"
    )
    return f"<details><summary>{title}: {len(pairs):,}</summary>{table}{more}</details>\n"


def _place(place: Place | Target) -> str:
    return _safe(f"{place.path}:{place.first_line}-{place.last_line}" if place.last_line else place.path)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], style: str = "") -> str:
    """Make a table; the cells are HTML already."""
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    heads = "".join(f'<th scope="col">{_safe(cell)}</th>' for cell in head)
    return f'<div class="table"><table class="{style}"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>\n'


def _figure(svg: str) -> str:
    return f"<figure>{svg}</figure>\n"


def _safe(text: str) -> str:
    return escape(screen.safe(text))
