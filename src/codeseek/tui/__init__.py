"""The full-screen search: `run` shows it until the user leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codeseek.tui.workspace import Workspace


def run(workspace: Workspace, text: str = "") -> int:
    """Show the full-screen search, beginning with a query if one is given; return 0, or 1 after a bug was shown."""
    from codeseek.tui.app import CodeseekApp

    app = CodeseekApp(workspace, text)
    app.run()
    return app.return_code or 0
