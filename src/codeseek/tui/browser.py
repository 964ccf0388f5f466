"""The search screen: messages from widgets and workers change what it shows."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input

from codeseek import snippets
from codeseek.errors import CodeseekError
from codeseek.records import Hit
from codeseek.tui import filters, keys, lines, messages, preview
from codeseek.tui.asking import MOST, place
from codeseek.tui.choices import Choices
from codeseek.tui.deeds import Deeds
from codeseek.tui.palette import Palette
from codeseek.tui.results import ResultList
from codeseek.tui.source import Source
from codeseek.tui.stage import WIDE
from codeseek.tui.strings import say

_LINGER_S = 2.0
"""A query whose answer was looked at for so long is kept in the history."""
_PAUSE_S = 0.35
"""After such a pause in typing a slower model is asked too."""


class Browser(Deeds, Choices):
    """Shows one project: query, hits and preview."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(",".join(action.keys), action.method, show=False) for action in keys.ACTIONS if action.keys),
        *(Binding(",".join(action.letters), action.method, show=False) for action in keys.ACTIONS if action.letters),
    ]

    class Leave(Message):
        """Another project is to be shown."""

        def __init__(self, root: Path, text: str) -> None:
            super().__init__()
            self.root = root
            self.text = text

    def on_mount(self) -> None:
        """Begin: ask what was given on the command line, and look for changed files."""
        self.session.attach(self)
        self.results.named = self.session.everywhere
        self.query_input.focus()
        self.query_input.cursor_position = len(self.first_text)
        self.set_out(self.app.size.width)
        self.ask()
        self.paint_lines()
        self.session.follow()
        if self.session.indexed and self.session.workspace.watch is None:
            self.session.tell_status()

    def leave_for(self, root: Path, text: str) -> None:
        """Go to another project."""
        self.post_message(self.Leave(root, text))

    # ------------------------------------------------------------ asking and answers

    @on(Input.Changed, "#query")
    def _typed(self) -> None:
        if filters.words(self.query_input.value):
            self.similar_to = None
        self.ask()

    @on(messages.Answered)
    def _answered(self, message: messages.Answered) -> None:
        question = message.question
        if self.question is None or question.number != self.question.number:
            return
        self.result, self.problem, self.shown = message.result, "", question.number
        text = "" if question.place is not None else filters.words(question.text)
        words = snippets.pattern(text, message.result.terms) if text or message.result.terms else None
        if message.source is not None:
            self.source = message.source
        with self.app.batch_update():
            self.results.show(message.result.hits, words, keep=question.quiet)
            if self.return_to is not None:
                self.results.go_to(place(self.return_to))
                self.return_to = None
            self.show_current()
            self.paint_lines()
        for timer in (self.linger, self.pause):
            if timer is not None:
                timer.stop()
        if self.session.workspace.deep and not question.deep and question.place is None:
            self.pause = self.set_timer(_PAUSE_S, self.ask_deeper)
        if message.result.hits and not question.quiet:
            self.linger = self.set_timer(_LINGER_S, self.remember)

    @on(messages.Refused)
    def _refused(self, message: messages.Refused) -> None:
        if self.question is not None and message.question.number == self.question.number:
            self._complain(message.error)

    def _complain(self, error: CodeseekError) -> None:
        """Say in the line of facts why there is no answer."""
        if self.session.indexed:
            self.problem = f"{error.message} ({error.hint})" if error.hint else error.message
        self.paint_lines()

    @on(ResultList.NearEnd)
    def _want_more(self) -> None:
        asked = self.question
        if asked is not None and self.result is not None and len(self.result.hits) >= asked.limit < MOST:
            self.ask(quiet=True, deep=asked.deep, limit=min(MOST, asked.limit * 2))

    # ------------------------------------------------------------ the preview

    @on(ResultList.Moved)
    def show_current(self) -> None:
        """Show the file of the hit under the cursor."""
        hit = self.results.current
        if hit is None:
            self.source = None
            self.preview.show_nothing()
        else:
            known = self.source is not None and self.source.path == hit.chunk.path
            if known and self.source is not None:
                self._show(self.source, hit)
            if not known or (self.source is not None and hit.chunk.first_line - 1 not in self.source.spans):
                self.session.load(hit.chunk.path, hit.chunk.language, hit.chunk.first_line)
        self.paint_crumbs()

    @on(messages.Loaded)
    def _loaded(self, message: messages.Loaded) -> None:
        hit = self.results.current
        if hit is not None and hit.chunk.path == message.source.path and message.source is not self.source:
            self.source = message.source
            self._show(message.source, hit)

    @on(preview.Preview.Plain)
    def _plain(self, message: preview.Preview.Plain) -> None:
        self.session.load(message.source.path, message.source.language, message.line)

    @on(messages.Coloured)
    def _coloured(self, message: messages.Coloured) -> None:
        self.preview.colour(message.source, message.first, message.spans)

    def _show(self, source: Source, hit: Hit) -> None:
        chunk = hit.chunk
        here = (chunk.first_line, chunk.last_line)
        others = {
            (other.chunk.first_line, other.chunk.last_line)
            for other in self.results.hits
            if other.chunk.path == chunk.path
        }
        ranges = tuple(sorted((others | {*hit.also}) - {here}))
        self.preview.show(source, preview.Place(*here, ranges, self.results.words))
        if self.rendered:
            self.paint_rendered()
        self.paint_crumbs()

    # ------------------------------------------------------------ the index

    @on(messages.Advanced)
    def _advanced(self, message: messages.Advanced) -> None:
        before, self.progress = self.progress, message.progress
        committed = before is None or message.progress.chunks - before.chunks > 0
        if committed and self.question is not None and self.question.has_words and not self.session.questions.busy:
            self.ask_again()
        self.paint_lines()

    @on(messages.Refreshed)
    def _refreshed(self, message: messages.Refreshed) -> None:
        summary, self.progress = message.summary, None
        changed = bool(summary.added or summary.changed or summary.removed or summary.rebuilt)
        self.session.follow()
        if message.asked:
            files = summary.added + summary.changed + summary.unchanged
            seconds = f"{summary.elapsed_s:.1f}"
            self.tell(
                say("indexed", files=f"{files:,}", chunks=f"{summary.chunks:,}", seconds=seconds)
                if changed
                else say("up-to-date")
            )
        if changed:
            self.source = None
        if changed or self.result is None or self.result.freshness != "fresh":
            self.ask_again()
        if changed or self.status is None:
            self.session.tell_status()
        self.paint_lines()

    @on(messages.RefreshFailed)
    def _refresh_failed(self, message: messages.RefreshFailed) -> None:
        self.progress = None
        if message.asked:
            self.tell(message.error.message, message.error.hint)
        self.paint_lines()

    @on(messages.Embedded)
    def _embedded(self) -> None:
        self.progress = None
        self.ask_again()
        self.paint_lines()

    @on(messages.Polls)
    def _polls(self, message: messages.Polls) -> None:
        if not self.session.polls:
            self.session.polls = True
            self.tell(say("polls"), say(f"polls-{message.reason}"))

    @on(messages.Told)
    def _told(self, message: messages.Told) -> None:
        self.status = message.status
        self.paint_lines()

    # ------------------------------------------------------------ looks, size, focus and mouse

    def repaint(self, palette: Palette) -> None:
        """Show everything in other colours."""
        self.palette = palette
        self.results.repaint(palette)
        self.preview.repaint(palette)
        self.paint_lines()
        self.paint_crumbs()

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
        self.paint_lines()

    @on(events.AppFocus)
    def _came_back(self) -> None:
        if self.session.indexed and self.session.polls:
            self.session.refresh(asked=False)

    @on(lines.Crumbs.Sized)
    def _crumbs_sized(self) -> None:
        self.paint_crumbs()

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
