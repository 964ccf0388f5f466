"""The search screen: what is typed becomes questions, and answers become panes."""

from __future__ import annotations

import contextlib
from pathlib import PurePosixPath
from typing import NamedTuple

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container, Horizontal, Vertical
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input, Static

from codeseek import snippets
from codeseek.errors import CodeseekError
from codeseek.records import Hit, Progress, SearchResult
from codeseek.tui import filters, keys, lines, messages, preview
from codeseek.tui.asking import MOST, PAGE, Question, place
from codeseek.tui.deeds import Deeds
from codeseek.tui.palette import Palette
from codeseek.tui.preview import Preview
from codeseek.tui.query_input import QueryInput
from codeseek.tui.results import ResultList
from codeseek.tui.session import Session
from codeseek.tui.source import Source
from codeseek.tui.strings import say

WIDE = 110
"""Columns from which on the panes are side by side."""


class Visit(NamedTuple):
    """A search to come back to."""

    text: str
    place: tuple[PurePosixPath, int] | None
    hit: Hit | None


class Browser(Deeds, Screen[None]):
    """Shows one project: query, hits and preview."""

    BINDINGS = [
        *(Binding(",".join(action.keys), action.method, show=False) for action in keys.ACTIONS if action.keys),
        *(Binding(",".join(action.letters), action.method, show=False) for action in keys.ACTIONS if action.letters),
    ]

    def __init__(self, session: Session, text: str, palette: Palette) -> None:
        super().__init__()
        self.session = session
        self.palette = palette
        self.result: SearchResult | None = None
        self.question: Question | None = None
        self.visits: list[Visit] = []
        self.similar_to: tuple[PurePosixPath, int] | None = None
        self.per_file = 1
        self.progress: Progress | None = None
        self.problem = ""
        self._text = text
        self._number = 0
        self._return_to: Hit | None = None
        self._source: Source | None = None
        self._pause: Timer | None = None

    def compose(self) -> ComposeResult:
        """Lay the screen out."""
        with Horizontal(id="top"):
            yield Static("❯", id="prompt", markup=False)
            yield QueryInput(self._text, say("placeholder"))
            yield Static("", id="badge", markup=False)
        yield Static("", id="facts", markup=False)
        with Container(id="panes"):
            yield ResultList(self.palette)
            yield lines.Divider("", id="divider")
            with Vertical(id="side"):
                yield lines.Crumbs("", id="crumbs", markup=False)
                yield Preview(self.palette)
        yield Static("", id="home", markup=False)
        yield lines.KeyLine()

    def on_mount(self) -> None:
        """Begin: ask what was given on the command line, and look for changed files."""
        self.session.attach(self)
        self.query_input.focus()
        self.set_out(self.app.size.width)
        if self._text:
            self.query_input.cursor_position = len(self._text)
        self.ask()
        self.paint_lines()
        self.session.begin()

    # ------------------------------------------------------------ widgets

    @property
    def query_input(self) -> QueryInput:
        """The line in which the query is typed."""
        return self.query_one(QueryInput)

    @property
    def results(self) -> ResultList:
        """The list of hits."""
        return self.query_one(ResultList)

    @property
    def preview(self) -> Preview:
        """The file at the hit."""
        return self.query_one(Preview)

    # ------------------------------------------------------------ asking

    def ask(self, *, quiet: bool = False, limit: int = PAGE) -> None:
        """Put the question that is on the screen to the engine; `quiet` keeps the cursor where it is."""
        self._number += 1
        question = Question(self._number, self.query_input.value, self.similar_to, limit, self.per_file, quiet)
        self.question = question
        if question.has_words:
            self.session.ask(question)
            return
        self.session.questions.drop()
        self.result, self.problem = None, ""
        self.results.show((), None, keep=False)
        self.paint_lines()

    @on(Input.Changed, "#query")
    def _typed(self) -> None:
        self.similar_to = None
        self.ask()

    @on(messages.Answered)
    def _answered(self, message: messages.Answered) -> None:
        question = message.question
        if self.question is None or question.number != self.question.number:
            return
        self.result, self.problem = message.result, ""
        text = "" if question.place is not None else filters.words(question.text)
        words = snippets.pattern(text, message.result.terms) if text or message.result.terms else None
        self.results.show(message.result.hits, words, keep=question.quiet)
        if self._return_to is not None:
            self.results.go_to(place(self._return_to))
            self._return_to = None
        self.session.remember(question)
        self.paint_lines()

    @on(messages.Refused)
    def _refused(self, message: messages.Refused) -> None:
        if self.question is not None and message.question.number == self.question.number:
            self.complain(message.error)

    def complain(self, error: CodeseekError) -> None:
        """Say in the line of facts why there is no answer."""
        self.problem = f"{error.message} ({error.hint})" if error.hint else error.message
        self.paint_lines()

    @on(ResultList.NearEnd)
    def _want_more(self) -> None:
        asked = self.question
        if asked is not None and self.result is not None and len(self.result.hits) >= asked.limit < MOST:
            self.ask(quiet=True, limit=min(MOST, asked.limit * 2))

    # ------------------------------------------------------------ showing

    @on(ResultList.Moved)
    def _moved(self) -> None:
        hit = self.results.current
        if hit is None:
            self._source = None
            self.preview.clear()
        elif self._source is not None and self._source.path == hit.chunk.path:
            self._show(self._source, hit)
        else:
            self.session.load(hit.chunk.path, hit.chunk.language)
        self.paint_crumbs()

    @on(messages.Loaded)
    def _loaded(self, message: messages.Loaded) -> None:
        hit = self.results.current
        if hit is not None and hit.chunk.path == message.source.path:
            self._source = message.source
            self._show(message.source, hit)

    @on(messages.Coloured)
    def _coloured(self, message: messages.Coloured) -> None:
        self.preview.colour(message.source, message.first, message.spans)

    def _show(self, source: Source, hit: Hit) -> None:
        chunk = hit.chunk
        others = {(other.chunk.first_line, other.chunk.last_line) for other in self.results.hits
                  if other.chunk.path == chunk.path}
        others |= {*hit.also}
        others.discard((chunk.first_line, chunk.last_line))
        ranges = tuple(sorted(others))
        self.preview.show(source, preview.Place(chunk.first_line, chunk.last_line, ranges, self.results.words))
        self.paint_crumbs()

    def paint_crumbs(self) -> None:
        """Name the place that is shown."""
        line = self.query_one("#crumbs", Static)
        line.update(lines.crumbs(self.results.current, self._source, max(20, line.size.width - 2), self.palette))

    def paint_lines(self) -> None:
        """Show facts, badge and keys as they are now."""
        width = self.app.size.width
        facts = lines.facts(self.question, self.result, len(self.results.chosen), self.problem, self.palette)
        self.query_one("#facts", Static).update(facts)
        self.query_one("#badge", Static).update(
            lines.badge(self.session.name, self.result, self.progress, self.session.indexed, self.palette, width // 3)
        )
        self.query_one(lines.KeyLine).show(self.palette, typing=self.focused is self.query_input)

    def repaint(self, palette: Palette) -> None:
        """Show everything in other colours."""
        self.palette = palette
        self.results.repaint(palette)
        self.preview.repaint(palette)
        self.paint_lines()
        self.paint_crumbs()

    # ------------------------------------------------------------ size, focus and mouse

    def on_resize(self, event: events.Resize) -> None:
        """Put the panes beside or below each other."""
        self.set_out(event.size.width)
        self.call_after_refresh(self.paint_crumbs)
        self.paint_lines()

    def set_out(self, width: int) -> None:
        """Put the panes beside each other where there is room for that."""
        self.query_one("#panes").set_class(width >= WIDE, "wide")

    @on(events.DescendantFocus)
    def _focused(self) -> None:
        with contextlib.suppress(Exception):
            self.paint_lines()

    @on(lines.Crumbs.Dragged)
    def _dragged(self, message: lines.Crumbs.Dragged) -> None:
        panes = self.query_one("#panes")
        if panes.has_class("wide"):
            share = 100 * message.x / max(1, panes.size.width)
            self.results.styles.width = f"{min(80, max(20, share)):.1f}%"
        else:
            share = 100 * (message.y - panes.region.y) / max(1, panes.size.height)
            self.results.styles.height = f"{min(80, max(20, share)):.1f}%"

    @on(lines.KeyLine.Pressed)
    async def _pressed(self, message: lines.KeyLine.Pressed) -> None:
        await self.run_action(message.action.method)

    @on(Input.Submitted, "#query")
    def _submitted(self) -> None:
        self.action_open()

    @on(ResultList.Opened)
    def _clicked_twice(self) -> None:
        self.action_open()
