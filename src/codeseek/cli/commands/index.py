"""`codeseek index`."""

from __future__ import annotations

from contextlib import closing

import click

from codeseek import settings
from codeseek.cli import diagnostics
from codeseek.cli.commands import options
from codeseek.cli.place import locate
from codeseek.errors import ExitCode


@click.command("index", short_help="Bring a project's index up to date.")
@click.argument("path", required=False, type=click.Path())
@click.option("--workers", metavar="N", type=click.IntRange(0), help="Use so many processes; 0 is one for each core.")
@click.option("--quick", is_flag=True, help="Leave the chosen model for later; the bundled one answers meanwhile.")
@options.offline
@options.project
@click.pass_context
def index_command(
    ctx: click.Context,
    /,
    path: str | None,
    workers: int | None,
    quick: bool,
    offline: bool | None,
    project: str | None,
) -> int:
    """Bring the index of a project up to date, or make it.

    Only what has changed is read again. A PATH inside the project limits the work to that folder. Ctrl-C keeps what
    is done; the next call goes on from there.

    A project need not be code nor under git: PDF files (with `pip install codeseek[docs]`), notebooks, Word and PowerPoint
    files, EPUB books and HTML pages are read as well as text.

    With another model than the bundled one chosen, that one reads the chunks afterwards, which may take long. Searches
    are answered meanwhile, by it too as far as it has come.
    """
    place = locate(path, project)
    chosen = settings.load(place.root, {"workers": workers, "offline": offline})
    with closing(ctx.obj(place.root, chosen)) as engine:
        with diagnostics.ProgressBar() as bar:
            summary = engine.refresh(bar, under=place.folder, thorough=True)
        diagnostics.refreshed(summary)
        if not summary.added + summary.changed + summary.unchanged:
            diagnostics.note(f"no file worth indexing in {place.root}: `codeseek status` says what was skipped and why")
            return ExitCode.NOTHING_FOUND
        if chosen.model != settings.BUNDLED and not quick:
            with diagnostics.ProgressBar() as bar:
                embedded = engine.embed(bar)
            diagnostics.embedded(embedded)
    return ExitCode.FOUND
