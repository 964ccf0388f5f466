"""`codeseek search` and `codeseek similar`."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import click

from codeseek import documents
from codeseek.cli import asking, diagnostics, formats, output
from codeseek.cli.asking import Where
from codeseek.cli.commands import options
from codeseek.cli.place import root_of
from codeseek.cli.report import Report
from codeseek.errors import ExitCode, UsageError
from codeseek.languages import language_of_name
from codeseek.records import SearchRequest, SimilarRequest

_PLACE = re.compile(r"(.+?):(\d+)(?:[:-]\d+)?:?", re.DOTALL)
_LINE_END = re.compile(rb"\r\n|\r|\n")


@click.command("search", short_help="Search code and documentation by meaning.")
@click.argument("words", nargs=-1, metavar="QUERY... [PATH]")
@options.narrowing
@click.option("--per-file", metavar="N", type=click.IntRange(1), default=1, help="Show so many hits of one file.")
@click.option("--why", is_flag=True, help="Explain each hit.")
@click.option("--stdin", "from_stdin", is_flag=True, help="Read the question, or code, from standard input.")
@click.option("--task", metavar="WORDS", help="Tell a chosen model what the question is for, in its terms or your own.")
@options.showing
@options.projects
@click.pass_context
def search_command(
    ctx: click.Context,
    /,
    words: tuple[str, ...],
    narrowing: options.Narrowing,
    per_file: int,
    why: bool,
    from_stdin: bool,
    task: str | None,
    showing: options.Showing,
    projects: options.Projects,
) -> int:
    """Search code and documentation by meaning, in English, Chinese or both.

    The command's name may be left out, and so may quotes: `codeseek how is auth done`. Words such as `lang:go`,
    `kind:function,method`, `path:src/**`, `-path:tests` and `changed:2d` narrow the search as the options do. The last
    word is a PATH if it is a folder and not the only word: the search is limited to that folder then. Words beside
    `--stdin` narrow what is read from there, or are added to it.

    With `--all`, or several `--project`, each hit names its project, and a path pattern may begin with a project's name.
    """
    asked = asking.question(words, narrowing, projects, from_stdin=from_stdin)
    request = asked.request._replace(per_file=per_file, explain=why)
    return _answer(ctx, asked.where, request, asked.typed, showing, task)


@click.command("similar", short_help="Find code like the code at a line.")
@click.argument("place", metavar="PATH:LINE")
@options.narrowing
@options.showing
@options.project
@click.pass_context
def similar_command(
    ctx: click.Context,
    /,
    place: str,
    narrowing: options.Narrowing,
    showing: options.Showing,
    project: str | None,
) -> int:
    """Find code and documentation that mean the same as those at a line of a file."""
    file, line = _file_and_line(place)
    root = root_of(project or str(file.parent))
    if not file.is_relative_to(root):
        raise UsageError(f"`{place}` is not in the project `{root}`", "name its project with `-C DIR`")
    request = SimilarRequest(
        PurePosixPath(file.relative_to(root).as_posix()),
        line,
        languages=narrowing.languages,
        kinds=narrowing.kinds,
        paths=narrowing.paths,
        exclude=narrowing.exclude,
        changed_since=narrowing.changed_since,
    )
    return _answer(ctx, Where(root), request, place, showing)


def _answer(
    ctx: click.Context,
    where: Where,
    request: SearchRequest | SimilarRequest,
    typed: str,
    showing: options.Showing,
    task: str | None = None,
) -> int:
    """Ask the engine, show the hits, and return the exit status."""
    flags = {
        "limit": showing.limit,
        "refresh": False if showing.no_refresh else None,
        "task": task,
        "offline": showing.offline,
    }
    chosen = where.settings(flags)
    request = request._replace(limit=chosen.limit)
    with where.opened(ctx.obj, flags) as engine:
        result = asking.answer(engine, request, refresh=chosen.refresh)
    explain = isinstance(request, SearchRequest) and request.explain
    format_name = "paths" if showing.files or showing.null else showing.format_name
    report = Report(result, typed, where.root, asking.here(where.root), explain, where.projects)
    output.write(_rendered(report, format_name, showing))
    if format_name == "text":
        diagnostics.footer(result, time.time(), len(where.projects))
    elif format_name not in ("json", "sarif"):
        diagnostics.trust(result)
    if not result.hits:
        diagnostics.error("nothing found", asking.advice(request, result))
        return ExitCode.NOTHING_FOUND
    trusted = result.freshness == "fresh" and not result.degraded
    return ExitCode.DEGRADED if showing.strict and not trusted else ExitCode.FOUND


def _rendered(report: Report, format_name: str, showing: options.Showing) -> Iterator[str]:
    terminal = output.screen(showing.color)
    if showing.null:
        from codeseek.cli.formats import paths

        return paths.render(report, terminal, end="\0")
    return formats.render(format_name, report, terminal)


def _file_and_line(place: str) -> tuple[Path, int]:
    """Take `PATH:LINE` apart and check both; a blank line means the one with text next to it. Raises `UsageError`.

    Lines of a document are those of the text that was read out of it, which the index knows.
    """
    match = _PLACE.fullmatch(place)
    if match is None:
        raise UsageError(f"`{place}` names no line", "write PATH:LINE, as in `codeseek similar app.py:42`")
    name, line = match[1], int(match[2])
    try:
        file = Path(name).resolve(strict=True)
        if language_of_name(file.name) in documents.FORMATS:
            return file, line
        lines = _LINE_END.split(file.read_bytes())
    except FileNotFoundError as error:
        raise UsageError(f"there is no file `{name}`", "check how it is spelt") from error
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read `{name}`: {getattr(error, 'strerror', None) or error}") from error
    count = len(lines) - (not lines[-1])
    if not 1 <= line <= count:
        raise UsageError(f"`{name}` has no line {line}", f"its lines are 1 to {count}" if count else "it is empty")
    filled = [number for number, text in enumerate(lines, 1) if text.strip()]
    return file, min(filled, key=lambda number: (abs(number - line), -number), default=line)
