"""The search screen's state and widgets, and how questions are put: what its actions and handlers share."""

from __future__ import annotations

import functools
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Static

from codeseek import screen
from codeseek.records import Hit, Progress, SearchResult, Status
from codeseek.tui import home, lines
from codeseek.tui.asking import PAGE, Question
from codeseek.tui.facets import Counts
from codeseek.tui.palette import Palette
from codeseek.tui.pane import Frame
from codeseek.tui.picker import Picker
from codeseek.tui.preview import Preview
from codeseek.tui.query_input import QueryInput
from codeseek.tui.results import ResultList
from codeseek.tui.session import Session
from codeseek.tui.source import Source
from codeseek.tui.strings import say

WIDE = 110
"""Columns from which on the panes are side by side."""


_RENDERED = 300
"""Lines of Markdown that are rendered at once."""


def _at_home(path: Path) -> str:
    """Return a path, shorter where it lies in the user's own folder."""
    try:
        return str("~" / path.relative_to(Path.home()))
    except (ValueError, RuntimeError):
        return str(path)


class Visit(NamedTuple):
    """A search to come back to."""

    text: str
    place: tuple[PurePosixPath, int] | None
    hit: Hit | None


class Stage(Screen[None]):
    """Shows one project: query, hits and preview."""

    BLANK = True

    def __init__(self, session: Session, text: str, palette: Palette) -> None:
        super().__init__()
        self.session = session
        self.palette = palette
        self.status: Status | None = None
        self.result: SearchResult | None = None
        self.question: Question | None = None
        self.visits: list[Visit] = []
        self.similar_to: tuple[PurePosixPath, int] | None = None
        self.per_file = 1
        self.explain = False
        self.progress: Progress | None = None
        self.problem = ""
        self.return_to: Hit | None = None
        self.source: Source | None = None
        self.first_text = text
        self.linger: Timer | None = None
        self.pause: Timer | None = None
        self.rendered = False
        self.counts: Counts | None = None
        self.facets: Picker | None = None
        self.shown = 0
        self._badge = Text()
        self._number = 0

    def compose(self) -> ComposeResult:
        """Lay the screen out."""
        with Frame(id="top"):
            yield Static("❯", id="prompt", markup=False)
            yield QueryInput(self.first_text, say("placeholder"))
            yield Static("", id="badge", markup=False)
        yield Static("", id="facts", markup=False)
        with Frame(id="panes"):
            yield ResultList(self.palette)
            yield lines.Divider("", id="divider")
            with Frame(id="side"):
                yield lines.Crumbs("", id="crumbs", markup=False)
                yield Static("", id="why", markup=False)
                yield Preview(self.palette)
                yield VerticalScroll(id="rendered")
        with VerticalScroll(id="home", can_focus=False):
            yield Static("", id="welcome", markup=False)
        yield lines.KeyLine()

    # ------------------------------------------------------------ widgets

    @functools.cached_property
    def query_input(self) -> QueryInput:
        """The line in which the query is typed."""
        return self.query_one(QueryInput)

    @functools.cached_property
    def results(self) -> ResultList:
        """The list of hits."""
        return self.query_one(ResultList)

    @functools.cached_property
    def preview(self) -> Preview:
        """The file at the hit."""
        return self.query_one(Preview)

    # ------------------------------------------------------------ asking

    def ask(self, *, quiet: bool = False, deep: bool = False, limit: int = PAGE) -> None:
        """Put the question that is on the screen to the engine; `quiet` keeps the cursor where it is."""
        self._number += 1
        question = Question(
            self._number,
            self.query_input.value,
            self.similar_to,
            limit=limit,
            per_file=self.per_file,
            quiet=quiet,
            explain=self.explain,
            deep=deep,
        )
        self.question = question
        if question.has_words:
            self.session.ask(question)
            return
        self.session.questions.drop()
        self.result, self.problem = None, ""
        self.results.show((), None, keep=False)
        self.show_current()
        self.paint_lines()

    def ask_again(self) -> None:
        """Put the same question, after files or the way of showing have changed."""
        asked = self.question
        self.ask(quiet=True, deep=asked is not None and asked.deep, limit=asked.limit if asked else PAGE)

    def ask_deeper(self) -> None:
        """Put the same question to the slower model too."""
        if self.question is not None and not self.question.deep:
            self.ask(quiet=True, deep=True, limit=self.question.limit)

    def restate(self, text: str, place: tuple[PurePosixPath, int] | None, hit: Hit | None = None) -> None:
        """Ask something else; with a hit, go to it when the answer is there."""
        self.similar_to, self.return_to = place, hit
        if text == self.query_input.value:
            self.ask()
        else:
            self.query_input.put(text)

    def push_visit(self) -> None:
        """Keep the search as it is, to come back to."""
        self.visits.append(Visit(self.query_input.value, self.similar_to, self.results.current))

    # ------------------------------------------------------------ showing

    def paint_crumbs(self) -> None:
        """Name the place that is shown, and say why it is here if that is wanted."""
        line, hit = self.query_one("#crumbs", Static), self.results.current
        width = max(20, line.size.width - 2)
        line.update(lines.crumbs(hit, self.source, width, self.palette, named=self.session.everywhere), layout=False)
        why = self.query_one("#why", Static)
        if why.display != (self.explain and hit is not None):
            why.display = not why.display
        if self.explain and hit is not None:
            why.update(lines.reasons(hit, width, self.palette))

    def paint_lines(self) -> None:
        """Show facts, badge and keys as they are now."""
        width = self.app.size.width
        facts = lines.facts(self.question, self.result, len(self.results.chosen), self.problem, self.palette)
        self.query_one("#facts", Static).update(facts, layout=False)
        badge = lines.badge(
            self.session.name, self.result, self.progress, self.palette, indexed=self.session.indexed, room=width // 3
        )
        if badge != self._badge:
            self._badge = badge
            self.query_one("#badge", Static).update(badge)
        self.query_one(lines.KeyLine).show(self.palette, typing=self.focused is self.query_input)
        self.paint_home()

    def paint_home(self) -> None:
        """Show the project at a glance while nothing is asked, a welcome while nothing is indexed."""
        asked = self.question is not None and self.question.has_words
        waiting = self.result is None and asked and self.session.indexed
        wanted = not waiting and not self.results.hits
        self.set_class(wanted, "home")
        if not wanted:
            return
        if asked and self.result is not None and self.session.indexed:
            text = home.nothing(self.query_input.value, self.progress, self.palette, min(100, self.app.size.width - 6))
        elif self.session.indexed:
            name = self.session.name if self.session.everywhere else _at_home(self.session.root)
            recent = self.session.memory.queries
            text = home.glance(name, self.status, recent, self.palette)
        else:
            text = home.welcome(self.session.root, self.progress, self.palette, min(100, self.app.size.width - 6))
        self.query_one("#welcome", Static).update(text)

    def paint_rendered(self) -> None:
        """Show a Markdown file rendered, from the hit on, if that is wanted."""
        hit, source = self.results.current, self.source
        wanted = self.rendered and hit is not None and source is not None and source.language == "markdown"
        pane = self.query_one("#rendered", VerticalScroll)
        if pane.display != wanted:
            pane.display = wanted
            self.preview.display = not wanted
        if not wanted or hit is None or source is None:
            return
        from textual.widgets import Markdown

        first = hit.chunk.first_line - 1
        text = "\n".join(map(screen.safe, source.lines[first : first + _RENDERED]))
        if pane.query(Markdown):
            self.call_next(pane.query_one(Markdown).update, text)
        else:
            pane.mount(Markdown(text, open_links=False))
        pane.scroll_home(animate=False)

    def tell(self, message: str, hint: str = "") -> None:
        """Say something in passing; the text is shown as it is."""
        self.notify(hint or message, title=message if hint else "", markup=False)

    def show_current(self) -> None:
        """Show the file of the hit under the cursor."""
        raise NotImplementedError

    def leave_for(self, root: Path, text: str) -> None:
        """Go to another project."""
        raise NotImplementedError
