"""`codeseek status`, `codeseek list` and `codeseek forget`: the indexes on this machine."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import click

from codeseek import screen, settings
from codeseek.cli import diagnostics, output, tables
from codeseek.cli.commands import options
from codeseek.cli.diagnostics import ago, counted
from codeseek.cli.place import indexed, locate
from codeseek.cli.terminal import BOLD, DIM, Terminal, WhenColour
from codeseek.errors import ExitCode, UsageError
from codeseek.records import ModelStatus, Status

_MOST = 12


@click.command("status", short_help="Show what is indexed, and what was left out and why.")
@click.argument("path", required=False, type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Show it as JSON.")
@options.project
@options.colour
@click.pass_context
def status_command(
    ctx: click.Context, /, path: str | None, as_json: bool, project: str | None, color: WhenColour
) -> int:
    """Show what the index of the project that holds PATH has in it, and how fresh it is."""
    place = locate(path, project)
    with closing(ctx.obj(place.root, settings.load(place.root))) as engine:
        status = engine.status()
    if as_json:
        from codeseek.schema import status_record

        output.write([_json(status_record(status))])
    else:
        output.write(_lines(status, output.screen(color)))
    return ExitCode.FOUND


@click.command("list", short_help="List the indexes on this machine.")
@click.option("--json", "as_json", is_flag=True, help="Show it as JSON.")
@options.colour
def list_command(as_json: bool, color: WhenColour) -> int:
    """List every index on this machine: its project, size and age.

    `--project` takes a project by the name of its folder, or by the other name that stands here where several are called
    so.
    """
    from codeseek import store

    summaries = store.catalogue(settings.load().data_dir)
    names = {root: name for name, root in indexed().items()}
    if as_json:
        from codeseek.schema import moment

        records = [
            {
                "name": names.get(summary.root, ""),
                "root": None if summary.problem else str(summary.root),
                "location": str(summary.location),
                "files": summary.files,
                "chunks": summary.chunks,
                "model": summary.model,
                "size_bytes": summary.size_bytes,
                "indexed_at": moment(summary.indexed_at),
                "problem": summary.problem,
            }
            for summary in summaries
        ]
        output.write([_json(records)])
    elif summaries:
        terminal = output.screen(color)
        for summary in summaries:
            gone = "" if summary.problem or summary.root.is_dir() else "folder is gone"
            place = summary.location if summary.problem else summary.root
            details = [
                *([names[summary.root]] if summary.root in names and names[summary.root] != summary.root.name else []),
                summary.problem or counted(summary.files, "file"),
                *([] if summary.problem else [counted(summary.chunks, "chunk")]),
                tables.size(summary.size_bytes),
                *([ago(time.time() - summary.indexed_at)] if summary.indexed_at is not None else []),
                *([gone] if gone else []),
            ]
            output.write([f"{terminal.styled(screen.safe(str(place)), BOLD)}\n  {_joined(details, terminal)}\n"])
    else:
        diagnostics.note("there is no index on this machine yet: `codeseek index` makes one")
    return ExitCode.FOUND if summaries else ExitCode.NOTHING_FOUND


@click.command("forget", short_help="Delete an index; the files it was made from stay.")
@click.argument("path", required=False, type=click.Path())
@click.option("--model", metavar="NAME", help="Delete only what this model has read.")
@options.project
def forget_command(path: str | None, model: str | None, project: str | None) -> int:
    """Delete the index of the project that holds PATH; the project's own files are not touched."""
    from codeseek import store

    chosen = settings.load()
    root, location = _forgotten(path, project, chosen)
    if not location.is_dir():
        raise UsageError(f"there is no index of `{root}`", "`codeseek list` shows every index")
    if model is not None:
        if not store.remove_model(location, model):
            raise UsageError(f"`{model}` has read nothing of `{root}`", "`codeseek status` shows the models that have")
        diagnostics.note(f"forgot what {model} has read of {root}")
        return ExitCode.FOUND
    store.remove(location)
    diagnostics.note(f"forgot the index of {root}")
    return ExitCode.FOUND


def _forgotten(path: str | None, project: str | None, chosen: settings.Settings) -> tuple[Path, Path]:
    """Return a project's root and its index, also when the project is no more."""
    named = Path(path or project or ".").absolute()
    if not named.exists():
        return named, chosen.index_directory(named)
    root = locate(path, project).root
    return root, chosen.index_directory(root)


def _lines(status: Status, terminal: Terminal) -> Iterator[str]:
    age = f" ({ago(time.time() - status.indexed_at)})" if status.indexed_at is not None else ""
    stale = f", {status.stale_files:,} files changed since" if status.stale_files else ""
    rows = [
        ("project", str(status.root)),
        ("index", f"{status.location} ({tables.size(status.size_bytes)})"),
        ("freshness", f"{status.freshness}{age}{stale}" if status.indexed_at is not None else "not indexed yet"),
        ("files", f"{status.files:,}"),
        ("chunks", f"{status.chunks:,}"),
        ("languages", _counts(status.languages)),
        ("kinds", _counts(status.kinds)),
        ("model", f"{status.model} ({status.dimensions} dimensions)" if status.dimensions else status.model),
        *(("", _model(model)) for model in status.models),
        ("vectors", status.vector_index),
        ("skipped", _counts(status.skipped) or "nothing"),
        *_unread(status.unread),
        *(("degraded", weakness) for weakness in status.degraded),
    ]
    for name, value in rows:
        yield from tables.named(name, screen.safe(value), terminal)


def _unread(unread: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield a row for each document that was left out, and one for those that are not told."""
    for number, (path, reason) in enumerate(itertools.islice(unread.items(), _MOST)):
        yield "" if number else "not read", f"{path}: {reason}"
    if len(unread) > _MOST:
        yield "", f"and {len(unread) - _MOST} more: `codeseek status --json`"


def _model(model: ModelStatus) -> str:
    share = f"{model.covered / max(1, model.chunks):.0%} of chunks read"
    chosen = "" if model.chosen else ", not chosen"
    return f"{model.name} ({model.dimensions:,} dimensions, {share}, {tables.size(model.size_bytes)}{chosen})"


def _counts(counts: Mapping[str, int]) -> str:
    most_first = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    told = [f"{name} {count:,}" for name, count in most_first[:_MOST]]
    return ", ".join([*told, f"and {len(counts) - _MOST} more"] if len(counts) > _MOST else told)


def _joined(details: list[str], terminal: Terminal) -> str:
    return terminal.styled(terminal.sign(" · ", " - ").join(screen.safe(detail) for detail in details), DIM)


def _json(record: object) -> str:
    from codeseek.schema import dumped

    return dumped(record, indent=2) + "\n"
