"""The command line: `main`, and `open_engine`, the only door to an engine.

Start-up is what a search in a shell waits for. So every import here is as late as it can be, and the records of this
package are named tuples: a dataclass takes ten times as long to define.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from codeseek import __version__

if TYPE_CHECKING:
    from pathlib import Path

    from codeseek.engine import Engine
    from codeseek.settings import Settings

    OpenEngine = Callable[[Path, Settings], Engine]


def open_engine(root: Path, settings: Settings) -> Engine:
    """Open the engine of this process on a project."""
    from codeseek.local import LocalEngine

    return LocalEngine(root, settings)


def main(arguments: Sequence[str] | None = None, open_engine: OpenEngine = open_engine) -> int:
    """Run the command line and return the exit status; the one place where errors become messages."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    from codeseek.cli import output

    if given == ["--version"]:  # asked for by editors and installers: answered before anything else is imported
        output.write([f"codeseek {__version__}\n"])
        return 0
    import click

    from codeseek.cli import diagnostics
    from codeseek.cli.commands import codeseek
    from codeseek.errors import CodeseekError, ExitCode

    try:
        with output.standard_streams():
            status = codeseek.main(args=given, prog_name="codeseek", standalone_mode=False, obj=open_engine)
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
