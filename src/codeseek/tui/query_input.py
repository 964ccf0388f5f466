"""The line in which the query is typed."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset, Size
from textual.reactive import Reactive
from textual.widgets import Input

from codeseek.tui.asking import LONGEST

_STEPS = 200


class QueryInput(Input):
    """Textual's own input, and what a search wants beyond it: undo, and code pasted over several lines."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+z,super+z", "undo", show=False),
        Binding("ctrl+shift+z,alt+z", "redo", show=False),
    ]

    virtual_size = Reactive(Size(0, 0))
    """As Textual's, but another length of the text is no reason to lay the whole screen out anew."""

    def __init__(self, value: str, placeholder: str) -> None:
        super().__init__(value, placeholder=placeholder, id="query", select_on_focus=False, compact=True)
        self._past: list[tuple[str, int]] = []
        self._future: list[tuple[str, int]] = []
        self._last = (value, len(value))
        self._restoring = False

    @property
    def cursor_screen_offset(self) -> Offset:
        """Where the terminal's cursor belongs, on which input methods open: Textual puts it one too far at the end."""
        x, y, _, _ = self.content_region
        return Offset(x + self._position_to_cell(self.cursor_position) - int(self.scroll_offset.x), y)

    def on_resize(self) -> None:
        """Take the terminal's cursor along."""
        if self.has_focus:
            self.app.cursor_position = self.cursor_screen_offset

    def put(self, text: str) -> None:
        """Take another text, with the cursor behind it."""
        self.value = text
        self.cursor_position = len(text)

    def on_input_changed(self) -> None:
        """Remember the text before a change."""
        if not self._restoring and self.value != self._last[0]:
            self._past = [*self._past[-_STEPS:], self._last]
            self._future = []
        self._restoring = False
        self._last = (self.value, self.cursor_position)

    def action_copy(self) -> None:
        """Copy what is selected; without a selection do as a shell does: clear the line, and leave from an empty one."""
        if not self.selection.is_empty:
            super().action_copy()
        elif self.value:
            self.value = ""
        else:
            self.app.exit()

    def action_undo(self) -> None:
        """Take the last change back."""
        self._restore(self._past, self._future)

    def action_redo(self) -> None:
        """Make a change again that was taken back."""
        self._restore(self._future, self._past)

    def _restore(self, source: list[tuple[str, int]], other: list[tuple[str, int]]) -> None:
        while source:
            text, cursor = source.pop()
            if text != self.value:
                other.append((self.value, self.cursor_position))
                self._restoring = True
                self.value = text
                self.cursor_position = min(cursor, len(text))
                return

    def _on_paste(self, event: events.Paste) -> None:
        """Take pasted text as one line: code and stack traces are questions too."""
        event.stop()
        event.prevent_default()
        text = " ".join(event.text.split())[:LONGEST]
        if text:
            self.replace(text, *self.selection)
