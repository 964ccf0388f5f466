"""The command line: `main`, and `open_engine`, the only door to an engine.

Start-up is what a search in a shell waits for. So every import here is as late as it can be, and the records of this
package are named tuples: a dataclass takes ten times as long to define.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from codeseek import __version__

if TYPE_CHECKING:
    from pathlib import Path

    from codeseek.daemon.shelf import Shelf
    from codeseek.engine import Engine
    from codeseek.settings import Settings

    OpenEngine = Callable[[Path, Settings], Engine]


def open_engine(root: Path, settings: Settings) -> Engine:
    """Open an engine on a project: the daemon's where that saves time, or else one of this process.

    Where the settings say so, this process's network is shut off first.
    """
    if settings.offline:
        from codeseek import network

        network.go_offline()
    from codeseek.settings import BUNDLED

    if settings.daemon == "always" or (settings.daemon == "auto" and settings.model != BUNDLED):
        from codeseek.daemon import client

        if client.is_wanted(settings):
            from codeseek.cli import diagnostics
            from codeseek.errors import DaemonError

            try:
                return client.RemoteEngine.open(root, settings)
            except DaemonError as error:
                diagnostics.note(f"answered without the daemon: {error.message}")
    from codeseek.local import LocalEngine

    if settings.model == BUNDLED:
        return LocalEngine(root, settings)
    from codeseek.embedders import Choice

    return LocalEngine(root, settings, load_chosen=functools.partial(_shelf().lend, Choice.of(settings)))


@functools.cache
def _shelf() -> Shelf:
    """Return where engines of this process find a model that several of them use."""
    from codeseek.daemon.shelf import Shelf

    return Shelf()


def main(arguments: Sequence[str] | None = None, open_engine: OpenEngine = open_engine) -> int:
    """Run the command line and return the exit status; the one place where errors become messages."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    from codeseek.cli import output

    if given == ["--version"]:  # asked for by editors and installers: answered before anything else is imported
        output.write([f"codeseek {__version__}\n"])
        return 0
    # One question is a product of a matrix and a vector: a second thread for it takes longer to start than it saves.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    import click

    from codeseek.cli import diagnostics
    from codeseek.cli.commands import codeseek
    from codeseek.errors import CodeseekError, ExitCode

    try:
        with output.standard_streams():
            if asked := os.environ.get("_CODESEEK_COMPLETE"):
                from click.shell_completion import shell_complete

                return shell_complete(codeseek, {"obj": open_engine}, "codeseek", "_CODESEEK_COMPLETE", asked)
            # Not `codeseek.main()`, which has its own mind about interrupts and broken pipes.
            with codeseek.make_context("codeseek", given, obj=open_engine) as context:
                return int(codeseek.invoke(context) or 0)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except CodeseekError as error:
        diagnostics.error(error.message, error.hint)
    except click.ClickException as error:
        diagnostics.error(*diagnostics.usage(error))
    except KeyboardInterrupt as stopped:
        diagnostics.error("interrupted", str(stopped) or "what is done is kept")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        output.abandon()
        return ExitCode.FOUND
    except Exception:  # noqa: BLE001 # a bug is shown whole, and its status is not that of "nothing found"
        diagnostics.bug()
    finally:
        if _shelf.cache_info().currsize:
            _shelf().put_away(0)
    return ExitCode.FAILED
