"""The full-screen search: `run` shows it until the user leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codeseek.tui.workspace import Workspace


def run(workspace: Workspace, text: str = "") -> None:
    """Show the full-screen search, beginning with a query if one is given."""
    from codeseek.tui.app import CodeseekApp

    CodeseekApp(workspace, text).run()
