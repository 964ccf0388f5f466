"""`codeseek duplicates`."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from contextlib import closing

import click

from codeseek import schema, screen
from codeseek.cli import asking, diagnostics, output
from codeseek.cli.commands import options
from codeseek.cli.place import locate
from codeseek.cli.report import Report
from codeseek.cli.terminal import BOLD, DIM, GREEN, MAGENTA, RED, Terminal, WhenColour
from codeseek.errors import ExitCode
from codeseek.records import FILE, KINDS, Cluster, Duplicate, DuplicatesRequest, DuplicatesResult, SearchResult

_SHOWN = 8
"""Members of a cluster that are shown to people, and of how many of them the differences."""
_COMPARED = 2
_DEFAULT = DuplicatesRequest()


@click.command("duplicates", short_help="Find functions, comments and files that are nearly the same.")
@click.argument("folder", required=False, type=click.Path(), metavar="[PATH]")
@functools.partial(options.narrowing, kinds=(FILE, *KINDS))
@click.option(
    "--min-similarity",
    metavar="SHARE",
    type=click.FloatRange(0.5, 1.0),
    default=_DEFAULT.min_similarity,
    help="How much of their words they have in common, from 0.5 to 1; 0.9 if it is left out.",
)
@click.option(
    "--min-lines", metavar="N", type=click.IntRange(1), default=_DEFAULT.min_lines, help="Leave out what is shorter."
)
@click.option("--vendored", is_flag=True, help="Take in folders such as vendor/, third_party/ and generated/.")
@click.option(
    "-n", "--limit", metavar="N", type=click.IntRange(1), default=_DEFAULT.limit, help="Show so many clusters."
)
@click.option(
    "--format", "format_name", type=click.Choice(["text", "json", "jsonl", "vimgrep"]), default="text", help="Its form."
)
@click.option("--no-refresh", is_flag=True, help="Take the index as it is.")
@options.project
@options.colour
@click.pass_context
def duplicates_command(
    ctx: click.Context,
    /,
    folder: str | None,
    narrowing: options.Narrowing,
    min_similarity: float,
    min_lines: int,
    vendored: bool,
    limit: int,
    format_name: str,
    no_refresh: bool,
    project: str | None,
    color: WhenColour,
) -> int:
    """Find clusters of functions, classes, comments, sections and whole files that are nearly the same.

    Similarity is the share of words in common: of all words of two texts, each counted as often as it stands there, 0.9
    means that nine in ten stand in both. Names and numbers are words, signs and spaces are not. Every member of a cluster
    is so alike to its first one, and the lines in which it differs are shown. The clusters that would save most lines come
    first; what lies in the members of one is not told again.

    Left out are licences, code of fewer than 20 words and prose of fewer than 40, and, as in the index, what is generated
    or vendored. `--exclude tests` leaves out tests as well.
    """
    place = locate(folder, project)
    chosen = asking.Where(place.root).settings({"refresh": False if no_refresh else None})
    exclude = narrowing.exclude
    request = DuplicatesRequest(
        min_similarity,
        min_lines,
        narrowing.kinds or _DEFAULT.kinds,
        narrowing.languages,
        place.paths(narrowing.paths),
        place.paths(exclude) if exclude else (),
        narrowing.changed_since,
        vendored,
        limit,
    )
    with closing(ctx.obj(place.root, chosen)) as engine:
        failed = asking.refreshed(engine) if chosen.refresh else None
        with diagnostics.ProgressBar() as bar:
            result = engine.duplicates(request, bar)
    if failed is not None:
        diagnostics.note(f"not refreshed: {failed.message}")
    report = Report(SearchResult((), ""), "", place.root, asking.here(place.root))
    terminal = output.screen(color)
    output.write(_FORMATS[format_name](result, request, report, terminal))
    if format_name != "json":
        diagnostics.duplicates(result, time.time())
    return ExitCode.FOUND if result.clusters else ExitCode.NOTHING_FOUND


def _text(result: DuplicatesResult, _: DuplicatesRequest, report: Report, terminal: Terminal) -> Iterator[str]:
    """Yield each cluster as a block of lines."""
    for position, cluster in enumerate(result.clusters):
        lines = [_heading(cluster, terminal)]
        for number, member in enumerate(cluster.members[:_SHOWN]):
            lines.append(_place(member, report, terminal, first=number == 0))
            if number <= _COMPARED:
                lines += _differences(member, terminal)
        if len(cluster.members) > _SHOWN:
            lines.append(terminal.styled(f"  and {len(cluster.members) - _SHOWN:,} more", DIM))
        yield "\n" * (position > 0) + "".join(f"{line.rstrip()}\n" for line in lines)


def _heading(cluster: Cluster, terminal: Terminal) -> str:
    kinds = dict.fromkeys(member.kind for member in cluster.members)
    kind = next(iter(kinds)) if len(kinds) == 1 else "passage"
    plural = f"{kind}{'e' * kind.endswith('s')}s"
    text = f"{len(cluster.members):,} {plural}, {diagnostics.counted(cluster.lines, 'line')} could be saved"
    return terminal.styled(text, BOLD)


def _place(member: Duplicate, report: Report, terminal: Terminal, *, first: bool) -> str:
    shown = f"{screen.safe(report.path(member.path))}:{member.first_line}-{member.last_line}"
    place = terminal.linked(shown, report.uri(member.path, member.anchor))
    symbol = terminal.styled(screen.safe(member.symbol), MAGENTA)
    alike = "" if first else f"{int(member.similarity * 100)}%" if member.similarity < 1 or member.diff else "the same"
    parts = (place, screen.safe(member.anchor), symbol, terminal.styled(alike, DIM))
    return f"  {'  '.join(filter(None, parts))}"


def _differences(member: Duplicate, terminal: Terminal) -> Iterator[str]:
    for line in member.diff:
        shown = screen.cut(screen.safe(line.expandtabs(4)), terminal.width - 6, terminal.sign("…", "~"))
        code = RED if line.startswith("-") else GREEN if line.startswith("+") else DIM
        yield f"      {terminal.styled(shown, code)}"


def _json(result: DuplicatesResult, request: DuplicatesRequest, report: Report, terminal: Terminal) -> Iterator[str]:
    record = schema.duplicates_record(result, request, report.root, report.origin)
    yield schema.dumped(record, indent=2 if terminal.live else None) + "\n"


def _jsonl(result: DuplicatesResult, _: DuplicatesRequest, report: Report, terminal: Terminal) -> Iterator[str]:
    for cluster in result.clusters:
        yield schema.dumped(schema.cluster_record(cluster, report.origin)) + "\n"


def _vimgrep(result: DuplicatesResult, _: DuplicatesRequest, report: Report, terminal: Terminal) -> Iterator[str]:
    """Yield a line for each member: the quickfix list goes from one to the next, cluster by cluster."""
    for number, cluster in enumerate(result.clusters, 1):
        for member in cluster.members:
            path = report.path(member.path)
            facts = (f"[{number}]", f"{member.similarity:.0%}", member.kind, member.anchor, member.symbol)
            text = " ".join(filter(None, facts))
            yield f"{screen.safe(path) if terminal.live else path}:{member.first_line}:1:{screen.safe(text)}\n"


_FORMATS = {"text": _text, "json": _json, "jsonl": _jsonl, "vimgrep": _vimgrep}
