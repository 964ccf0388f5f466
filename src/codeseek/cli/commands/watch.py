"""`codeseek watch`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from queue import SimpleQueue

import click

from codeseek.cli import diagnostics
from codeseek.cli.asking import Where
from codeseek.cli.commands import options
from codeseek.cli.place import locate
from codeseek.errors import BusyError, CodeseekError, ExitCode
from codeseek.everywhere import named
from codeseek.records import RefreshSummary
from codeseek.watcher import News, Polling, Watcher

_POLLING = {
    "limit": "the system's limit of watched folders is reached, so files are looked at every few seconds;"
    " more are allowed by `sudo sysctl fs.inotify.max_user_watches=1048576 fs.inotify.max_user_instances=1024`",
    "remote": "on a file system of the network there are no events, so files are looked at every few seconds",
    "unsupported": "this system tells no events, so files are looked at every few seconds",
}


@click.command("watch", short_help="Keep indexes up to date while files change.")
@click.argument("paths", nargs=-1, type=click.Path(), metavar="[PATH]...")
@options.project
@click.pass_context
def watch_command(ctx: click.Context, /, paths: tuple[str, ...], project: str | None) -> int:
    """Keep the index of a project, or of several, up to date until Ctrl-C.

    Only folders that are indexed are watched. Changes that come together, as in a checkout, are one refresh.
    """
    roots = dict.fromkeys(locate(path, project).root for path in paths or (None,))
    heard: SimpleQueue[tuple[Path, News]] = SimpleQueue()
    tellers = {root: teller(name if len(roots) > 1 else "") for name, root in named(roots).items()}
    begun: set[Path] = set()
    with suppress(KeyboardInterrupt), ExitStack() as stack:
        for root in roots:
            chosen = Where(root).settings({})
            engine = stack.enter_context(closing(ctx.obj(root, chosen)))
            tell = functools.partial(_hear, heard, root)
            stack.enter_context(Watcher(root, chosen.index_directory(root), engine.refresh, tell))
        diagnostics.note(f"watching {', '.join(map(str, roots))}; Ctrl-C ends it")
        while True:
            root, news = heard.get()
            if isinstance(news, CodeseekError) and not isinstance(news, BusyError) and root not in begun:
                raise news
            tellers[root](news)
            if not isinstance(news, Polling):
                begun.add(root)
    return ExitCode.FOUND


def _hear(heard: SimpleQueue[tuple[Path, News]], root: Path, news: News) -> None:
    heard.put((root, news))


def teller(name: str = "") -> Callable[[News], None]:
    """Return what says on standard error what a watcher tells; `name` is the project's where there are several."""
    first = True

    def tell(news: News) -> None:
        nonlocal first
        _say(news, f"{name}: " if name else "", first=first)
        first = first and isinstance(news, Polling)

    return tell


def _say(news: News, prefix: str, *, first: bool) -> None:
    """Say what a watcher tells; refreshes that found nothing are passed over, but for the first."""
    if isinstance(news, RefreshSummary):
        if first or news.added or news.changed or news.removed or news.rebuilt:
            diagnostics.refreshed(news, prefix)
    elif isinstance(news, Polling):
        diagnostics.note(f"{prefix}{_POLLING[news.reason]}")
    else:
        diagnostics.note(f"{prefix}{news.message}{f' ({news.hint})' if news.hint else ''}")
