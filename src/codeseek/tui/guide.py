"""The help: every key, made from the actions."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from codeseek import screen
from codeseek.tui import keys
from codeseek.tui.palette import Palette
from codeseek.tui.strings import say

_GROUPS = ("search", "hit", "preview", "move", "app")


def text(palette: Palette, width: int) -> Text:
    """Return every action under its heading: keys that work everywhere, letters outside the query, and what it does."""
    made = Text()
    made.append(f"{say('guide-query')}\n\n", palette.bold)
    for example, meaning in (
        ("依赖注入 是怎么实现的", say("guide-any-language")),
        ("lang:python,go kind:function", say("guide-narrow")),
        ("path:src/** -path:tests", say("guide-path")),
        ("changed:2d changed:2026-01-31", say("guide-changed")),
    ):
        made.append(f"  {example}{' ' * max(2, 32 - screen.columns(example))}", palette.accent)
        made.append(f"{meaning}\n", palette.dim)
    for group in _GROUPS:
        made.append(f"\n{say('group-' + group)}\n\n", palette.bold)
        for action in keys.ACTIONS:
            if action.group != group or not (action.keys or action.letters):
                continue
            everywhere = " ".join(map(keys.shown, action.keys))
            letters = " ".join(map(keys.shown, action.letters))
            made.append(f"  {everywhere:<9}", palette.accent)
            made.append(f"{letters:<8}", palette.good)
            made.append(f"{screen.cut(action.help, max(10, width - 22))}\n", palette.dim)
    made.append(f"\n{say('guide-letters')}\n", palette.faint)
    return made


class Guide(ModalScreen[None]):
    """Shows every key."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,f1,question_mark,q,ctrl+c", "dismiss", show=False),
        Binding("j,down", "scroll(1)", show=False),
        Binding("k,up", "scroll(-1)", show=False),
        Binding("pagedown,space", "scroll(12)", show=False),
        Binding("pageup", "scroll(-12)", show=False),
    ]

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self._palette = palette

    def compose(self) -> ComposeResult:
        """Lay the dialog out."""
        with VerticalScroll(id="dialog"):
            yield Static(text(self._palette, min(84, self.app.size.width - 8)), markup=False)

    def action_scroll(self, by: int) -> None:
        """Scroll by lines."""
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)
