"""`codeseek mcp` and `codeseek mcp install`."""

from __future__ import annotations

import difflib
import sys
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import click

from codeseek import screen
from codeseek.cli import diagnostics, output
from codeseek.cli.asking import Where
from codeseek.cli.commands import options
from codeseek.cli.commands.watch import teller
from codeseek.cli.place import locate, root_of
from codeseek.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from codeseek.serve.clients import Change

_CLIENTS = ("claude", "claude-desktop", "codex", "cursor", "gemini", "vscode", "zed")


@click.group("mcp", invoke_without_command=True, short_help="Serve search to coding agents (MCP).")
@options.listening
@options.project
@click.pass_context
def mcp_command(ctx: click.Context, /, http: str | None, token_file: str | None, project: str | None) -> int:
    """Serve search over the project to a coding agent, on standard input and output or, with `--http`, at /mcp.

    Agents start it themselves: `codeseek mcp install claude` tells Claude Code to. The index is made and kept up to date
    meanwhile; questions are answered at once, and say so while it is not complete.
    """
    if ctx.invoked_subcommand is not None:
        return ExitCode.FOUND
    with options.needing("mcp", "mcp", "mcp_types", "starlette", "uvicorn"):
        from codeseek.serve import door, listening, mcp
        from codeseek.serve.metrics import Metrics
        from codeseek.serve.pool import Pool
        from codeseek.serve.projects import Project

    if token_file is not None and http is None:
        raise UsageError("`--token-file` goes with `--http`", "on standard input and output only the agent can ask")
    root = locate(None, project).root
    chosen = Where(root).settings({})
    with ExitStack() as stack:
        listener = None
        if http is not None:
            where = listening.address(http)
            rules = listening.rules(where, token_file, ())
            listener = stack.enter_context(closing(listening.bind(where)))
        pool = Pool()
        served = Project(root, chosen, ctx.obj(root, chosen), teller())
        stack.callback(served.close)
        stack.callback(pool.close)
        tools = mcp.server(served, pool, diagnostics.bug)
        if listener is None:
            if sys.stdin.isatty():
                diagnostics.note(
                    "an agent should be speaking here: `codeseek mcp install` tells yours to; Ctrl-C ends it"
                )
            mcp.run_stdio(tools)
            return ExitCode.FOUND
        app = mcp.application(tools)
        door.furnish(app, diagnostics.bug)
        diagnostics.note(f"serving {root} at http://{listening.bound_to(listener)}/mcp; Ctrl-C ends it")
        listening.run(door.Door(app, rules, Metrics(), diagnostics.bug), listener)
    return ExitCode.FOUND


@mcp_command.command("install", short_help="Tell an agent's program of codeseek.")
@click.argument("client", type=click.Choice(_CLIENTS))
@click.option("--print", "show", is_flag=True, help="Only show what would stand in the client's file.")
@click.option("--undo", is_flag=True, help="Take codeseek out of the client's file again.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@options.project
def install_command(client: str, show: bool, undo: bool, yes: bool, project: str | None) -> int:
    """Write codeseek into the configuration of a CLIENT, after showing what changes.

    The file as it was is kept beside it. Claude Code, Codex and Gemini start codeseek in whatever project they are in;
    for the others it is the project that holds the current folder.
    """
    from codeseek.serve import clients

    root = root_of(project)
    chosen = clients.clients(root)[client]
    if show:
        diagnostics.note(f"this belongs into {chosen.file}")
        output.write([clients.snippet(chosen, root)])
        return ExitCode.FOUND
    change = clients.removed(chosen) if undo else clients.installed(chosen, root)
    if change.before == change.after:
        diagnostics.note(f"nothing to change: {chosen.title} {'does not know' if undo else 'knows'} codeseek already")
        return ExitCode.FOUND
    output.write(_difference(change))
    if not yes:
        if not output.interactive():
            raise UsageError("nobody is there to be asked", "`--yes` makes the change without asking")
        if not click.confirm(f"Write {chosen.file}?", err=True):
            return ExitCode.NOTHING_FOUND
    clients.write(change)
    if undo:
        clients.forget_backup(chosen)
        diagnostics.note(f"{chosen.title} forgets codeseek")
    else:
        diagnostics.note(f"{chosen.title} knows codeseek now: {chosen.note}")
    return ExitCode.FOUND


def _difference(change: Change) -> list[str]:
    before = (change.before or "").splitlines()
    after = (change.after or "").splitlines()
    lines = difflib.unified_diff(before, after, str(change.file), str(change.file), lineterm="", n=2)
    return [f"{screen.safe(line)}\n" for line in lines]
