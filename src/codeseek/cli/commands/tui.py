"""`codeseek tui`, and `codeseek` alone on a terminal: the full-screen search."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from codeseek import settings
from codeseek.cli.asking import Where
from codeseek.cli.commands import options
from codeseek.cli.place import locate
from codeseek.errors import ExitCode

if TYPE_CHECKING:
    from codeseek.records import ProgressListener
    from codeseek.tui.workspace import Export, Project
    from codeseek.watcher import News, Refresh, Watcher


@click.command("tui", short_help="Search full-screen, as you type.")
@click.argument("words", nargs=-1, metavar="[QUERY]...")
@options.offline
@options.project
@click.pass_context
def tui_command(
    ctx: click.Context, /, words: tuple[str, ...], offline: bool | None = None, project: str | None = None
) -> int:
    """Search full-screen: hits come as you type, with the file beside them.

    `codeseek` alone does the same. Everything is done by key or mouse; F1 shows how.
    """
    from codeseek import tui
    from codeseek.store import DATABASE
    from codeseek.tui.workspace import Workspace

    root = locate(None, project).root
    flags = {"offline": offline}
    chosen = Where(root).settings(flags)
    workspace = Workspace(
        root,
        open=lambda root: ctx.obj(root, settings.load(root, flags)),
        is_indexed=lambda root: (chosen.index_directory(root) / DATABASE).is_file(),
        projects=functools.partial(_projects, chosen.data_dir),
        export=_exported,
        memory=chosen.data_dir / "tui",
        watch=functools.partial(_watch, chosen) if chosen.refresh else None,
        deep=chosen.model != settings.BUNDLED,
    )
    return ExitCode.FAILED if tui.run(workspace, " ".join(words)) else ExitCode.FOUND


def _watch(
    chosen: settings.Settings,
    root: Path,
    refresh: Refresh,
    tell: Callable[[News], None],
    progress: ProgressListener,
) -> Watcher:
    from codeseek.watcher import Watcher

    watcher = Watcher(root, chosen.index_directory(root), refresh, tell, progress)
    watcher.start()
    return watcher


def _projects(data_dir: Path) -> Sequence[Project]:
    from codeseek import store
    from codeseek.tui.workspace import Project

    return [
        Project(summary.root, summary.files, summary.chunks, summary.indexed_at)
        for summary in store.catalogue(data_dir)
        if not summary.problem and summary.root.is_dir()
    ]


def _exported(export: Export) -> str:
    from codeseek.cli import formats
    from codeseek.cli.report import Report
    from codeseek.cli.terminal import Terminal

    report = Report(export.result, export.query, export.root, export.root, projects=export.projects)
    return "".join(formats.render(export.format_name, report, Terminal()))
