"""`codeseek eval`."""

from __future__ import annotations

import contextlib
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from codeseek import settings
from codeseek.cli import diagnostics, output
from codeseek.cli.boards import FORMATS
from codeseek.cli.commands import options
from codeseek.cli.place import locate
from codeseek.cli.terminal import WhenColour
from codeseek.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from codeseek.scoreboard import Board

_FLOOR = re.compile(r"(\d*\.?\d+)(%?)")


def _complete_models(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer models for the last part of a list with commas."""
    from codeseek import catalogue

    done, comma, start = incomplete.rpartition(",")
    return [CompletionItem(f"{done}{comma}{name}") for name in catalogue.catalogue() if name.startswith(start)]


@click.command("eval", short_help="Measure the search on a project's own questions.")
@click.argument("path", required=False, type=click.Path())
@click.option("--questions", metavar="N", type=click.IntRange(0), default=300, help="Make so many questions; 300.")
@click.option("--queries", metavar="FILE", type=click.Path(path_type=Path), help="Ask these too: JSON lines.")
@click.option(
    "--models",
    metavar="NAME,...",
    shell_complete=_complete_models,
    help="Compare these models; `NAME@256` cuts vectors to so many numbers.",
)
@click.option(
    "--seed", metavar="N", type=click.IntRange(0), default=1, help="Make other questions with another number; 1."
)
@click.option("--format", "format_name", type=click.Choice(FORMATS), default="text", help="How to show the figures.")
@click.option("--html", metavar="FILE", type=click.Path(path_type=Path), help="Write a page with plots too.")
@click.option(
    "--baseline",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Compare with what `--format json` gave earlier.",
)
@click.option(
    "--fail-below",
    metavar="SCORE",
    help="Exit with 3 when ndcg@10 is surely below this, such as `0.6`, or `97%` of the baseline.",
)
@click.option(
    "--workers", metavar="N", type=click.IntRange(0), help="Index in so many processes; 0 is one for each core."
)
@options.offline
@options.project
@options.colour
def eval_command(
    path: str | None,
    questions: int,
    queries: Path | None,
    models: str | None,
    seed: int,
    format_name: str,
    html: Path | None,
    baseline: Path | None,
    fail_below: str | None,
    workers: int | None,
    offline: bool | None,
    project: str | None,
    color: WhenColour,
) -> int:
    """Measure how well the search finds things in a project, with no labels to write, and compare models on it.

    Questions are made from what the project says of itself: the first sentences of documentation comments and of
    comments in code, headings and sentences of its documentation, and messages of git's commits, which their files
    answer. All of it is hidden in a temporary copy that is indexed and asked; the index that there is stays untouched, and
    lends the vectors that slow models have made. `--queries` adds questions of your own, one JSON object a line:
    {"query": "...", "zh": "...", "mixed": "...", "targets": [{"file": "...", "first_line": 1, "last_line": 9}]}.

    The arms are `lexical` (words alone), `dense` (one model alone), `both` (words and the bundled model) and `tiers`
    (these and another model). Scores lie between 0 and 1, each with the interval that holds the true one with 95 %
    confidence. A score fails `--fail-below` only where all of its interval is below, so that chance fails no build.
    """
    place = locate(path, project)
    chosen = settings.load(place.root, {"workers": workers, "offline": offline})
    if chosen.offline:
        from codeseek import network

        network.go_offline()
    floor = _floor(fail_below, baseline)
    from codeseek import evaluation, scoreboard
    from codeseek.cli import boards
    from codeseek.mining import given

    plan = evaluation.Plan(
        evaluation.contenders(models.split(",") if models else evaluation.usual(chosen), chosen),
        questions,
        seed,
        tuple(given.questions(queries, place.root.name)) if queries else (),
    )
    if baseline is not None:
        scoreboard.check(baseline)
    if html is not None and not html.parent.is_dir():
        raise UsageError(f"there is no folder `{html.parent}`", "make it first")
    try:
        with _ended_gently(), diagnostics.ProgressBar() as bar:
            measured = evaluation.evaluate(place.root, chosen, plan, bar, under=place.folder)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("nothing is kept, and the index is as it was") from None
    board = scoreboard.board(measured)
    if baseline is not None:
        board = scoreboard.compared(board, baseline)
    if floor is not None:
        board = scoreboard.judged(board, floor[0], share=floor[1])
    if html is not None:
        _write(html, board)
    output.write(boards.render(format_name, board, output.screen(color)))
    for note in measured.notes:
        diagnostics.note(note)
    for label, error in measured.failures:
        diagnostics.error(f"{label}: {error.message}", error.hint)
    if board.failed:
        diagnostics.error(board.failed, "`--html FILE` shows which questions are not answered")
    return ExitCode.FAILED if measured.failures else ExitCode.DEGRADED if board.failed else ExitCode.FOUND


@contextlib.contextmanager
def _ended_gently() -> Iterator[None]:
    """Take being ended for being interrupted, so that nothing is left behind."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _floor(text: str | None, baseline: Path | None) -> tuple[float, bool] | None:
    """Return what is asked for at least, and whether that is a share of the baseline; raises `UsageError`."""
    if text is None:
        return None
    match = _FLOOR.fullmatch(text.strip())
    value = float(match[1]) / (100 if match[2] else 1) if match else 2.0
    if match is None or value > 1:
        raise UsageError(
            f"`--fail-below` cannot be `{text}`", "it wants a score such as `0.6`, or `97%` of the baseline"
        )
    if match[2] and baseline is None:
        raise UsageError(
            "a percentage is of a baseline", "name one with `--baseline FILE`, or give a score such as `0.6`"
        )
    return value, bool(match[2])


def _write(path: Path, board: Board) -> None:
    """Write the page; raises `UsageError` where that cannot be."""
    from codeseek.cli.boards import page

    try:
        path.write_text(page.made(board), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write `{path}`: {error.strerror}", "name a file that can be written") from error
