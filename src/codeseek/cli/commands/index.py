"""`codeseek index`."""

from __future__ import annotations

from contextlib import closing

import click

from codeseek import settings
from codeseek.cli import diagnostics
from codeseek.cli.commands import options
from codeseek.cli.place import Place, locate
from codeseek.engine import Engine
from codeseek.errors import CodeseekError, ExitCode
from codeseek.everywhere import named


@click.command("index", short_help="Bring the index of a project, or of several, up to date.")
@click.argument("paths", nargs=-1, type=click.Path(), metavar="[PATH]...")
@click.option("--workers", metavar="N", type=click.IntRange(0), help="Use so many processes; 0 is one for each core.")
@click.option("--quick", is_flag=True, help="Leave the chosen model for later; the bundled one answers meanwhile.")
@options.offline
@options.project
@click.pass_context
def index_command(
    ctx: click.Context,
    /,
    paths: tuple[str, ...],
    workers: int | None,
    quick: bool,
    offline: bool | None,
    project: str | None,
) -> int:
    """Bring the index of a project up to date, or make it; any folder can be one, with or without git.

    Only what has changed is read again. A PATH inside a project limits the work to that folder. Ctrl-C keeps what is
    done; the next call goes on from there. `codeseek --all` searches all that is indexed.

    A project need not be code nor under git: PDF files (with `pip install codeseek[docs]`), notebooks, Word and PowerPoint
    files, EPUB books and HTML pages are read as well as text.

    With another model than the bundled one chosen, that one reads the chunks afterwards, which may take long. Searches
    are answered meanwhile, by it too as far as it has come.
    """
    places = dict.fromkeys(locate(path, project) for path in paths or (None,))
    flags = {"workers": workers, "offline": offline}
    status = ExitCode.FOUND
    names = {root: name for name, root in named({place.root for place in places}).items()}
    for place in places:
        chosen = settings.load(place.root, flags)
        prefix = f"{names[place.root]}: " if len(places) > 1 else ""
        try:
            with closing(ctx.obj(place.root, chosen)) as engine:
                found = _index(engine, place, prefix, deeply=chosen.model != settings.BUNDLED and not quick)
        except CodeseekError as error:
            if len(places) == 1:
                raise
            diagnostics.error(f"{prefix}{error.message}", error.hint)  # one that fails does not keep others from it
            status = ExitCode.FAILED
        else:
            if not found and status == ExitCode.FOUND:
                status = ExitCode.NOTHING_FOUND
    return status


def _index(engine: Engine, place: Place, prefix: str, *, deeply: bool) -> bool:
    """Refresh an index, `deeply` with the chosen model too; tell whether it holds anything."""
    with diagnostics.ProgressBar() as bar:
        summary = engine.refresh(bar, under=place.folder, thorough=True)
    diagnostics.refreshed(summary, prefix)
    if not summary.added + summary.changed + summary.unchanged:
        diagnostics.note(
            f"{prefix}no file worth indexing in {place.root}: `codeseek status` says what was skipped and why"
        )
        return False
    if deeply:
        with diagnostics.ProgressBar() as bar:
            embedded = engine.embed(bar)
        diagnostics.embedded(embedded, prefix)
    return True
