"""`codeseek serve`."""

from __future__ import annotations

from contextlib import ExitStack, closing

import click

from codeseek import settings
from codeseek.cli import diagnostics
from codeseek.cli.asking import Where
from codeseek.cli.commands import options
from codeseek.cli.commands.watch import teller
from codeseek.cli.place import locate
from codeseek.errors import ExitCode
from codeseek.everywhere import named


@click.command("serve", short_help="Serve search and embeddings over HTTP.")
@click.argument("paths", nargs=-1, type=click.Path(), metavar="[PATH]...")
@options.listening
@click.option("--allow-origin", metavar="ORIGIN", multiple=True, help="Let web pages of this origin use the server.")
@options.project
@click.pass_context
def serve_command(
    ctx: click.Context,
    /,
    paths: tuple[str, ...],
    http: str | None,
    token_file: str | None,
    allow_origin: tuple[str, ...],
    project: str | None,
) -> int:
    """Serve search over a project, or several, and embeddings as OpenAI does, until Ctrl-C.

    `/openapi.json` describes the API. Indexes are made and kept up to date meanwhile. Only programs on this machine can
    connect, unless `--http` says otherwise; then a token is needed, from a file or from CODESEEK_SERVE_TOKEN.
    """
    with options.needing("serve", "starlette", "uvicorn"):
        from codeseek.serve import door, listening, models
        from codeseek.serve.http import application
        from codeseek.serve.metrics import Metrics
        from codeseek.serve.pool import Pool
        from codeseek.serve.projects import Project, Projects

    where = listening.address(http or listening.DEFAULT)
    rules = listening.rules(where, token_file, allow_origin)
    roots = dict.fromkeys(locate(path, project).root for path in paths or (None,))
    with ExitStack() as stack:
        socket = stack.enter_context(closing(listening.bind(where)))  # before anything is read: it may be taken
        projects = Projects()
        stack.callback(projects.close)
        names = {root: name for name, root in named(roots).items()}
        for root in roots:
            chosen, name = Where(root).settings({}), names[root]
            tell = teller(name if len(roots) > 1 else "")
            projects.add(Project(root, chosen, ctx.obj(root, chosen), tell, name))
        pool, embedders, metrics = Pool(), models.Models(models.choices(settings.load())), Metrics()
        stack.callback(embedders.close)
        stack.callback(pool.close)
        app = application(projects, embedders, pool, metrics)
        door.furnish(app, diagnostics.bug)
        served = f"{len(roots)} projects" if len(roots) > 1 else str(next(iter(roots)))
        diagnostics.note(f"serving {served} at http://{listening.bound_to(socket)}; Ctrl-C ends it")
        listening.run(door.Door(app, rules, metrics, diagnostics.bug), socket)
    return ExitCode.FOUND
