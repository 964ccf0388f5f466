"""A list to choose from, narrowed by typing: history, projects, filters, themes, commands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from codeseek import screen
from codeseek.tui.palette import Palette
from codeseek.tui.strings import say


class Item(NamedTuple):
    """Something to choose: `text` and a `note` at its end; `on` is a check mark, `group` a heading before it."""

    value: object
    text: str
    note: str = ""
    on: bool | None = None
    group: str = ""


class Picker(ModalScreen[object]):
    """Ends with the value that was chosen, or None.

    With `toggle` the list stays: each choice is given to it, and it returns the items as they are then. `looked_at`
    is told where the cursor is.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c", "leave", show=False),
        Binding("down,ctrl+n", "step(1)", show=False),
        Binding("up,ctrl+p", "step(-1)", show=False),
        Binding("pagedown", "step(8)", show=False),
        Binding("pageup", "step(-8)", show=False),
    ]

    def __init__(
        self,
        title: str,
        items: Sequence[Item],
        palette: Palette,
        *,
        toggle: Callable[[object], Sequence[Item]] | None = None,
        looked_at: Callable[[object], None] | None = None,
    ) -> None:
        super().__init__()
        self._title = title
        self._items = items
        self._palette = palette
        self._toggle = toggle
        self._looked_at = looked_at
        self._shown: list[Item | None] = []

    def compose(self) -> ComposeResult:
        """Lay the dialog out."""
        with Vertical(id="dialog"):
            yield Static(Text(self._title, style="bold"), id="title")
            yield Input(placeholder=say("narrow"), id="narrow", compact=True)
            yield OptionList(id="options", markup=False)
            keys = say("picker-toggle-keys" if self._toggle else "picker-keys")
            yield Static(Text(keys), id="hint")

    def on_mount(self) -> None:
        """Fill the list."""
        options = self.query_one(OptionList)
        options.can_focus = False
        self.query_one(Input).focus()
        self._fill("")

    @on(Input.Changed)
    def _narrowed(self, event: Input.Changed) -> None:
        event.stop()
        self._fill(event.value)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._choose(self.query_one(OptionList).highlighted)

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        self._choose(event.option_index)

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        item = self._shown[event.option_index] if event.option_index < len(self._shown) else None
        if item is not None and self._looked_at is not None:
            self._looked_at(item.value)

    def on_resize(self, _: events.Resize) -> None:
        """Fit notes to the new width."""
        self.call_after_refresh(self._fill, self.query_one(Input).value)

    def renew(self, items: Sequence[Item]) -> None:
        """Show other items, with the cursor where it is."""
        self._items = items
        at = self.query_one(OptionList).highlighted
        current = self._shown[at] if at is not None and at < len(self._shown) else None
        self._fill(self.query_one(Input).value, None if current is None else current.value)

    def action_step(self, by: int) -> None:
        """Move the cursor."""
        options = self.query_one(OptionList)
        for _ in range(abs(by)):
            if by > 0:
                options.action_cursor_down()
            else:
                options.action_cursor_up()

    def action_leave(self) -> None:
        """End without a choice."""
        self.dismiss(None)

    def _choose(self, at: int | None) -> None:
        item = self._shown[at] if at is not None and at < len(self._shown) else None
        if item is None:
            return
        if self._toggle is None:
            self.dismiss(item.value)
            return
        self._items = self._toggle(item.value)
        self._fill(self.query_one(Input).value, item.value)

    def _fill(self, narrowed: str, value: object = None) -> None:
        """Show the items that have every typed word, under the headings of their groups."""
        options = self.query_one(OptionList)
        width = max(20, options.size.width - 4)
        wanted = narrowed.lower().split()
        self._shown, made, group = [], [], ""
        for item in self._items:
            if not all(word in f"{item.text} {item.note}".lower() for word in wanted):
                continue
            if item.group and item.group != group:
                group = item.group
                self._shown.append(None)
                made.append(Option(Text(group, style=self._palette.faint), disabled=True))
            self._shown.append(item)
            made.append(Option(self._line(item, width)))
        options.clear_options()
        options.add_options(made)
        if made:
            values = [None if item is None else item.value for item in self._shown]
            first = next((at for at, item in enumerate(self._shown) if item is not None), 0)
            options.highlighted = values.index(value) if value in values and value is not None else first

    def _line(self, item: Item, width: int) -> Text:
        check = "" if item.on is None else "✓ " if item.on else "  "
        note = screen.cut(screen.safe(item.note), width // 2)
        text = screen.cut(screen.safe(item.text), width - screen.columns(check + note) - 2)
        line = Text(no_wrap=True)
        line.append(check, self._palette.good)
        line.append(text, self._palette.bold if item.on else self._palette.plain)
        line.append(" " * max(2, width - screen.columns(check + text + note)))
        line.append(note, self._palette.faint)
        return line
