"""One project being searched: its engine, and the workers that ask it."""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from textual.message import Message
from textual.screen import Screen

from codeseek import documents
from codeseek.engine import Engine
from codeseek.errors import CodeseekError
from codeseek.everywhere import Everywhere, locate, named
from codeseek.languages import language_of_name
from codeseek.records import Progress, ProgressListener, RefreshSummary
from codeseek.tui import asking, facets, messages, source
from codeseek.tui.asking import Question
from codeseek.tui.memory import Memory
from codeseek.tui.source import Source
from codeseek.tui.strings import say
from codeseek.tui.workers import Desk, Superseded
from codeseek.tui.workspace import EVERYWHERE, Watching, Workspace
from codeseek.watcher import News, Polling

_REST_S = 0.04
"""Colours wait for so long after a file is shown: whoever types on does not wait for them."""
_ALL_LINES = 1 << 31
_KEPT = 24
"""Files that are kept as they were read."""


class _Stop(KeyboardInterrupt):
    """Ends a refresh whose screen is gone; what is done is kept, as after an interrupt."""


class Session:
    """Asks an engine off the event loop, and posts what it says to the screen it was attached to."""

    def __init__(self, workspace: Workspace, root: Path) -> None:
        self.workspace = workspace
        self.root = root
        self.everywhere = root == EVERYWHERE
        if self.everywhere:
            self.projects = named(project.root for project in workspace.projects())
            everywhere = Everywhere(self.projects, workspace.open)
            self.engine: Engine = everywhere
            self._engines = {member.root: member.engine for member in everywhere.members.values()}
            self.indexed = True
        else:
            self.projects = {}
            self.engine = workspace.open(root)
            self._engines = {root: self.engine}
            self.indexed = workspace.is_indexed(root)
        self.polls = False
        self._watching: list[Watching] = []
        self._writing = threading.Lock()
        self.memory = Memory(workspace.memory)
        self._known: dict[PurePosixPath, Source] = {}
        self._screen: Screen[None] | None = None
        self._closing = False

    def attach(self, screen: Screen[None]) -> None:
        """Post messages to a screen from now on."""
        app = screen.app
        self._screen = screen
        self.questions: Desk[Question] = Desk(app, "ask", self._ask)
        self.files: Desk[tuple[PurePosixPath, str, int]] = Desk(app, "load", self._load)
        self.counts: Desk[Question] = Desk(app, "count", self._count)
        self.refreshes: Desk[bool] = Desk(app, "refresh", self._refresh)
        self.embeds: Desk[None] = Desk(app, "embed", self._embed)
        self.told: Desk[None] = Desk(app, "status", self._tell_status)

    def close(self) -> None:
        """End the work that goes on, and close the engine."""
        self._closing = True
        for watching in self._watching:
            watching.close()
        for desk in (self.questions, self.counts, self.files, self.refreshes, self.embeds, self.told):
            desk.close()
        self.engine.close()

    @property
    def name(self) -> str:
        """What is searched, in a word."""
        return say("everywhere") if self.everywhere else self.root.name or str(self.root)

    def file(self, path: PurePosixPath) -> Path:
        """Return where a file lies that a hit names."""
        root, inner = self._located(path)
        return root / inner

    def _located(self, path: PurePosixPath) -> tuple[Path, PurePosixPath]:
        """Return the root of a path's project, and the path in it."""
        return locate(path, self.projects)[1:] if self.everywhere else (self.root, path)

    # ------------------------------------------------------------ wishes, on the event loop

    def follow(self) -> None:
        """Look for changed files at once, and whenever there are any."""
        if self.indexed and self.workspace.watch is not None and not self._watching:
            self._watching = [
                self.workspace.watch(root, self._turns(engine), self._heard, self._listener(asked=False))
                for root, engine in self._engines.items()
            ]

    def ask(self, question: Question) -> None:
        """Want an answer to a question, and to no earlier one."""
        self.questions.ask(question)

    def count(self, question: Question) -> None:
        """Want the best hits of a question counted."""
        self.counts.ask(question)

    def load(self, path: PurePosixPath, language: str, line: int) -> None:
        """Want a file to be shown, at a line (from 1)."""
        self.files.ask((path, language, line))

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

    def _count(self, question: Question, superseded: Superseded) -> None:
        counts = facets.of_answer(question, functools.partial(asking.ask, self.engine), self.file, superseded)
        if counts is not None:
            self._post(messages.Counted(question, counts))

    def _load(self, wanted: tuple[PurePosixPath, str, int], superseded: Superseded) -> None:
        path, language, line = wanted
        loaded = self._read(path, language)
        self._post(messages.Loaded(loaded))
        if loaded.problem or line - 1 in loaded.spans:
            return
        time.sleep(_REST_S)

        def put_off() -> bool:
            while self.questions.busy and not superseded():
                time.sleep(_REST_S / 4)
            return superseded()

        if not put_off():
            for first, spans in source.coloured(loaded, line - 1, put_off):
                self._post(messages.Coloured(loaded, first, spans))

    def _read(self, path: PurePosixPath, language: str) -> Source:
        """Read a file, or return it as it was read before if it has not changed since."""
        known = self._known.get(path)
        if known is None or not source.is_current(known):
            if language_of_name(path.name) in documents.FORMATS:
                known = source.of_chunks(self.file(path), path, self.engine.chunks(path, 1, _ALL_LINES))
            else:
                known = source.read(*self._located(path), language, shown=path)
        self._known.pop(path, None)
        self._known[path] = known
        while len(self._known) > _KEPT:
            self._known.pop(next(iter(self._known)), None)
        return known

    def _tell_status(self, _: None, __: Superseded) -> None:
        with contextlib.suppress(CodeseekError):  # what it cannot tell, the next answer will
            self._post(messages.Told(self.engine.status()))

    def _refresh(self, asked: bool, _: Superseded) -> None:  # noqa: FBT001 # a task is one value
        try:
            summary = self._turns(self.engine)(self._listener(asked=asked))
        except CodeseekError as error:
            self._post(messages.RefreshFailed(error, asked=asked))
        except _Stop:
            return
        else:
            self.indexed = True
            self._refreshed(summary, asked=asked)
            if asked and self.workspace.deep and not self.embeds.busy:
                self.embeds.ask(None)

    def _embed(self, _: None, __: Superseded) -> None:
        """Give the chosen model what it does not know yet, which may take hours."""
        try:
            self.engine.embed(self._listener(asked=True))
        except CodeseekError as error:
            self._post(messages.RefreshFailed(error, asked=True))
        except _Stop:
            return
        else:
            self._post(messages.Embedded())

    def _turns(self, engine: Engine) -> Callable[[ProgressListener], RefreshSummary]:
        """Return what refreshes an index while nothing else of this session does."""

        def refresh(listener: ProgressListener) -> RefreshSummary:
            with self._writing:
                return engine.refresh(listener)

        return refresh

    def _listener(self, *, asked: bool) -> ProgressListener:
        """Return what tells the screen how far a refresh is, a few times a second."""
        said = 0.0

        def listen(progress: Progress) -> None:
            nonlocal said
            if self._closing:
                raise _Stop
            now = time.monotonic()
            if now - said >= 0.1 and (asked or progress.phase != "scan"):
                said = now
                self._post(messages.Advanced(progress))

        return listen

    def _refreshed(self, summary: RefreshSummary, *, asked: bool) -> None:
        """Tell the screen of a refresh; documents are read from the index, which may have them anew."""
        self._known.clear()
        self._post(messages.Refreshed(summary, asked=asked))

    def _heard(self, news: News) -> None:
        """Tell the screen what following the files has come to."""
        if isinstance(news, RefreshSummary):
            self._refreshed(news, asked=False)
        elif isinstance(news, Polling):
            self._post(messages.Polls(news.reason))
        else:
            self._post(messages.RefreshFailed(news, asked=False))
