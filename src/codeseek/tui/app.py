"""The application: one screen for each project, themes and the terminal."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

from textual import on
from textual.app import App

from codeseek.tui import messages, strings
from codeseek.tui import palette as palettes
from codeseek.tui.browser import Browser
from codeseek.tui.memory import Memory
from codeseek.tui.palette import Palette
from codeseek.tui.session import Session
from codeseek.tui.workspace import Workspace

_SWITCH_S = 0.001
"""A worker gives way to the screen, and the screen to a worker, within this time; Python's own 5 ms can be felt."""


_GARBAGE = (20_000, 20, 50)
"""Objects between collections: Python's own 700 cost a typist some frames."""


class CodeseekApp(App[None]):
    """Full-screen search over one project at a time."""

    TITLE = "codeseek"
    CSS_PATH = Path(__file__).with_name("codeseek.tcss")
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, workspace: Workspace, text: str = "") -> None:
        super().__init__()
        self.memory = Memory(workspace.memory)
        strings.choose(self.memory.preference("language", ""))
        self.workspace = workspace
        self._text = text
        self._answers = 0
        self.session: Session | None = None

    def on_mount(self) -> None:
        """Show the project to begin with, in the theme that was chosen last."""
        sys.setswitchinterval(_SWITCH_S)
        gc.set_threshold(*_GARBAGE)
        if (theme := self.memory.preference("theme")) in self.available_themes:
            self.theme = theme
        elif (
            self.console.color_system == "standard"
        ):  # 16 colours: the terminal's own, where others would fall together
            self.theme = "ansi-dark"
        self.theme_changed_signal.subscribe(self, lambda _: self._recolour())
        self.visit(self.workspace.root, self._text)

    def visit(self, root: Path, text: str = "") -> None:
        """Show a project."""
        session = Session(self.workspace, root)
        browser = Browser(session, text, self.palette())
        if self.session is not None:
            self.session.close()
            self.switch_screen(browser)
        else:
            self.push_screen(browser)
        self.session = session

    @on(Browser.Leave)
    def _leave(self, message: Browser.Leave) -> None:
        self.visit(message.root, message.text)

    @on(messages.Answered)
    def _settled(self) -> None:
        """Leave what was loaded for the first answers out of garbage collection: looking through it takes 80 ms."""
        if self._answers < 2:
            self._answers += 1
            gc.collect()
            gc.freeze()

    def palette(self) -> Palette:
        """Return the styles of the theme."""
        ansi = self.theme.startswith("ansi")
        return palettes.palette(self.theme_variables, dark=self.current_theme.dark, ansi=ansi)

    def _recolour(self) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, Browser):
                screen.repaint(self.palette())

    def on_unmount(self) -> None:
        """Let go of the engine."""
        if self.session is not None:
            self.session.close()
