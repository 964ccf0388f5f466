"""`codeseek daemon`: start, stop and look after the process that stays."""

from __future__ import annotations

import time

import click

from codeseek import screen
from codeseek.cli import diagnostics, output
from codeseek.cli.commands import options
from codeseek.cli.terminal import DIM, WhenColour
from codeseek.errors import ExitCode

_LINES = 40


@click.group("daemon", short_help="Keep models and indexes warm in a process of their own.")
def daemon_command() -> None:
    """Keep models and indexes warm in a process of their own, one for each user.

    It is started by itself when a model is chosen that takes long to load (setting `daemon`: auto, always, never), answers
    over a private socket, and ends by itself when it was not asked for half an hour.
    """


@daemon_command.command("start", short_help="Start it, if there is none.")
def start_command() -> int:
    """Start the daemon, if there is none of this version."""
    from codeseek.daemon import client, wire

    with client.connected() as connection:
        report = client.ask(connection, wire.Call("report"))
    diagnostics.note(f"the daemon runs as process {report.pid}")
    return ExitCode.FOUND


@daemon_command.command("stop", short_help="End it when it has done what it is at.")
def stop_command() -> int:
    """End the daemon when it has done what it is at."""
    from codeseek.daemon import client

    ended = client.stop()
    diagnostics.note("the daemon has ended" if ended else "there is no daemon")
    return ExitCode.FOUND if ended else ExitCode.NOTHING_FOUND


@daemon_command.command("restart", short_help="End it and start it again.")
@click.pass_context
def restart_command(ctx: click.Context) -> int:
    """End the daemon, if there is one, and start it again."""
    from codeseek.daemon import client

    client.stop()
    return int(ctx.invoke(start_command))


@daemon_command.command("status", short_help="Show what it has in memory.")
@click.option("--json", "as_json", is_flag=True, help="Show it as JSON.")
@options.colour
def status_command(as_json: bool, color: WhenColour) -> int:
    """Show since when the daemon runs, and which projects and models it has in memory."""
    from codeseek.daemon import client, place, wire
    from codeseek.errors import DaemonError

    try:
        with client.connected(start=False) as connection:
            report = client.ask(connection, wire.Call("report"))
    except DaemonError:
        if as_json:
            output.write(["null\n"])
        diagnostics.note("there is no daemon: `codeseek daemon start` starts one")
        return ExitCode.NOTHING_FOUND
    if as_json:
        from codeseek.schema import dumped, moment

        record = report._asdict() | {"started_at": moment(report.started_at)}
        output.write([dumped(record, indent=2) + "\n"])
        return ExitCode.FOUND
    terminal = output.screen(color)
    rows = [
        ("process", f"{report.pid}, codeseek {report.version}"),
        ("since", diagnostics.ago(time.time() - report.started_at)),
        ("memory", f"{report.memory_bytes / 1e6:,.0f} MB"),
        ("calls", f"{report.calls:,}"),
        ("models", ", ".join(report.models) or "none loaded"),
        *(("project", project) for project in report.projects),
        ("log", str(place.log_path(place.folder()))),
    ]
    output.write(f"{terminal.styled(f'{name:<10}', DIM)}{screen.safe(value)}\n" for name, value in rows)
    return ExitCode.FOUND


@daemon_command.command("logs", short_help="Show what it wrote last.")
@click.option("-n", "--lines", metavar="N", type=click.IntRange(1), default=_LINES, help="Show so many lines.")
def logs_command(lines: int) -> int:
    """Show the last lines that the daemon wrote."""
    from codeseek.daemon import place

    path = place.log_path(place.folder())
    try:
        text = path.read_text("utf-8", "replace")
    except FileNotFoundError:
        text = ""
    last = text.splitlines()[-lines:]
    output.write(f"{screen.safe(line)}\n" for line in last)
    if not last:
        diagnostics.note("the daemon has written nothing yet")
    return ExitCode.FOUND if last else ExitCode.NOTHING_FOUND


@daemon_command.command("run", hidden=True)
def run_command() -> int:
    """Be the daemon."""
    from codeseek.daemon import server

    return server.run()
