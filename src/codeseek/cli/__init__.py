"""The command line: `main`, and `open_engine`, the only door to an engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from codeseek.engine import Engine
from codeseek.errors import CodeseekError, ExitCode
from codeseek.settings import Settings

OpenEngine = Callable[[Path, Settings], Engine]


def open_engine(root: Path, settings: Settings) -> Engine:
    """Open the engine of this process on a project."""
    from codeseek.local import LocalEngine

    return LocalEngine(root, settings)


def main(arguments: Sequence[str] | None = None, open_engine: OpenEngine = open_engine) -> int:
    """Run the command line and return the exit status; the one place where errors become messages."""
    import click

    from codeseek.cli import diagnostics, output
    from codeseek.cli.commands import codeseek

    try:
        with output.standard_streams():
            status = codeseek.main(
                args=None if arguments is None else list(arguments),
                prog_name="codeseek",
                standalone_mode=False,
                obj=open_engine,
            )
            return int(status or 0)
    except CodeseekError as error:
        diagnostics.error(error.message, error.hint)
    except click.ClickException as error:
        diagnostics.error(*diagnostics.usage(error))
    except (KeyboardInterrupt, click.Abort):
        diagnostics.error("interrupted", "what is done is kept")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        output.abandon()
        return ExitCode.FOUND
    except Exception:  # noqa: BLE001 # a bug is shown whole, and its status is not that of "nothing found"
        diagnostics.bug()
    return ExitCode.FAILED
