"""One project being searched: its engine, and the workers that ask it."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path, PurePosixPath

from textual.message import Message
from textual.screen import Screen

from codeseek.engine import Engine
from codeseek.errors import CodeseekError
from codeseek.records import Progress
from codeseek.tui import asking, messages, source
from codeseek.tui.asking import Question
from codeseek.tui.memory import Memory
from codeseek.tui.source import Source
from codeseek.tui.workers import Desk, Superseded
from codeseek.tui.workspace import Workspace

_SHORTEST_PAUSE_S = 3.0
_LONGEST_PAUSE_S = 30.0
_REST_S = 0.04
"""Colours wait for so long after a file is shown: whoever types on does not wait for them."""
_KEPT = 24
"""Files that are kept as they were read."""
_SHARE = 50
"""A look for changed files is followed by a pause this many times as long: at most 2 % of a core."""


class _Stop(BaseException):
    """Ends a refresh whose screen is gone; what is done is kept, as after an interrupt."""


class Session:
    """Asks an engine off the event loop, and posts what it says to the screen it was attached to."""

    def __init__(self, workspace: Workspace, root: Path) -> None:
        self.workspace = workspace
        self.root = root
        self.name = root.name or str(root)
        self.engine: Engine = workspace.open(root)
        self.indexed = workspace.is_indexed(root)
        self.pause_s = _SHORTEST_PAUSE_S
        self.memory = Memory(workspace.memory)
        self._known: dict[PurePosixPath, Source] = {}
        self._screen: Screen[None] | None = None
        self._closing = False

    def attach(self, screen: Screen[None]) -> None:
        """Post messages to a screen from now on."""
        app = screen.app
        self._screen = screen
        self.questions: Desk[Question] = Desk(app, "ask", self._ask)
        self.files: Desk[tuple[PurePosixPath, str]] = Desk(app, "load", self._load)
        self.refreshes: Desk[bool] = Desk(app, "refresh", self._refresh)
        self.told: Desk[None] = Desk(app, "status", self._tell_status)

    def close(self) -> None:
        """End the work that goes on, and close the engine."""
        self._closing = True
        for desk in (self.questions, self.files, self.refreshes, self.told):
            desk.close()
        self.engine.close()

    # ------------------------------------------------------------ wishes, on the event loop

    def begin(self) -> None:
        """Look for changed files at once."""
        if self.indexed and self.workspace.refresh:
            self.refresh(asked=False)

    def ask(self, question: Question) -> None:
        """Want an answer to a question, and to no earlier one."""
        self.questions.ask(question)

    def load(self, path: PurePosixPath, language: str) -> None:
        """Want a file to be shown."""
        self.files.ask((path, language))

    def refresh(self, *, asked: bool) -> None:
        """Want the index brought up to date."""
        if not self.refreshes.busy:
            self.refreshes.ask(asked)

    def tell_status(self) -> None:
        """Want to know what the index holds."""
        self.told.ask(None)

    # ------------------------------------------------------------ work, in threads

    def _post(self, message: Message) -> None:
        if self._screen is not None and not self._closing:
            self._screen.post_message(message)

    def _ask(self, question: Question, superseded: Superseded) -> None:
        try:
            result = asking.ask(self.engine, question)
        except CodeseekError as error:
            self._post(messages.Refused(question, error))
        else:
            if not superseded():
                first = next((hit.chunk for hit in result.hits if not question.quiet), None)
                loaded = self._read(first.path, first.language) if first is not None else None
                self._post(messages.Answered(question, result, loaded))

    def _load(self, wanted: tuple[PurePosixPath, str], superseded: Superseded) -> None:
        loaded = self._read(*wanted)
        self._post(messages.Loaded(loaded))
        if len(loaded.spans) >= len(loaded.lines):
            return
        time.sleep(_REST_S)

        def put_off() -> bool:
            while self.questions.busy and not superseded():
                time.sleep(_REST_S / 4)
            return superseded()

        if not put_off():
            for first, spans in source.coloured(loaded, put_off):
                self._post(messages.Coloured(loaded, first, spans))

    def _read(self, path: PurePosixPath, language: str) -> Source:
        """Read a file, or return it as it was read before if it has not changed since."""
        known = self._known.get(path)
        if known is None or not source.is_current(self.root, known):
            known = source.read(self.root, path, language)
        self._known.pop(path, None)
        self._known[path] = known
        while len(self._known) > _KEPT:
            self._known.pop(next(iter(self._known)), None)
        return known

    def _tell_status(self, _: None, __: Superseded) -> None:
        with contextlib.suppress(CodeseekError):  # what it cannot tell, the next answer will
            self._post(messages.Told(self.engine.status()))

    def _refresh(self, asked: bool, _: Superseded) -> None:  # noqa: FBT001 # a task is one value
        said = 0.0

        def listen(progress: Progress) -> None:
            nonlocal said
            if self._closing:
                raise _Stop
            now = time.monotonic()
            if now - said >= 0.1 and (asked or progress.phase != "scan"):
                said = now
                self._post(messages.Advanced(progress))

        began = time.monotonic()
        try:
            summary = self.engine.refresh(listen)
        except CodeseekError as error:
            self._post(messages.RefreshFailed(error, asked=asked))
        except _Stop:
            return
        else:
            self.indexed = True
            self._post(messages.Refreshed(summary, asked=asked))
        took = time.monotonic() - began
        self.pause_s = min(_LONGEST_PAUSE_S, max(_SHORTEST_PAUSE_S, took * _SHARE))
