"""Every action with its keys: what the footer, the help and the command palette are made from."""

from __future__ import annotations

from typing import NamedTuple

from codeseek.tui.strings import TEXTS, say


class Action(NamedTuple):
    """An action of the screen.

    `keys` work everywhere, `letters` only outside the query, where letters are not typed. `group` is its heading in
    the help; `footer` orders the footer, 0 leaves it out.
    """

    name: str
    keys: tuple[str, ...] = ()
    letters: tuple[str, ...] = ()
    group: str = "search"
    footer: int = 0

    @property
    def title(self) -> str:
        """A word for the footer."""
        return say(self.name) if self.name in TEXTS else self.help

    @property
    def help(self) -> str:
        """A line for the help and the command palette."""
        return say(f"{self.name}-help")

    @property
    def method(self) -> str:
        """The action's name in the program."""
        return self.name.replace("-", "_")


ACTIONS = (
    Action("open", ("enter",), ("o",), "hit", footer=1),
    Action("similar", ("ctrl+s",), ("s",), "hit", footer=4),
    Action("why", ("f4",), ("w",), "hit", footer=8),
    Action("copy", ("ctrl+y",), ("Y",), "hit", footer=5),
    Action("copy-place", (), ("y",), "hit"),
    Action("choose", ("ctrl+@",), ("space",), "hit"),
    Action("choose-all", (), ("a",), "hit"),
    Action("export", ("f8",), ("e",), "hit"),
    Action("filters", ("f2",), ("f",), "search", footer=3),
    Action("group", ("f3",), ("t",), "search", footer=7),
    Action("history", ("ctrl+r",), (), "search", footer=6),
    Action("projects", ("ctrl+g",), ("p",), "search"),
    Action("index", ("f5",), ("r",), "search"),
    Action("back", ("escape",), (), "search"),
    Action("down", ("down",), (), "move"),
    Action("up", ("up",), (), "move"),
    Action("page-down", ("pagedown",), (), "move"),
    Action("page-up", ("pageup",), (), "move"),
    Action("next-pane", ("tab",), (), "move"),
    Action("focus-query", (), ("slash", "i"), "move"),
    Action("scroll-down", ("shift+down",), ("J",), "preview"),
    Action("scroll-up", ("shift+up",), ("K",), "preview"),
    Action("next", ("ctrl+n",), ("n",), "preview"),
    Action("previous", ("ctrl+b",), ("N",), "preview"),
    Action("zoom", ("f6",), ("z",), "preview"),
    Action("wrap", ("f7",), ("W",), "preview"),
    Action("rendered", (), ("m",), "preview"),
    Action("palette", ("ctrl+p",), ("colon",), "app", footer=9),
    Action("theme", ("f9",), (), "app"),
    Action("language", (), (), "app"),
    Action("help", ("f1",), ("question_mark",), "app", footer=10),
    Action("quit", ("ctrl+q", "ctrl+c"), (), "app", footer=11),
)

_SHOWN = {
    "enter": "⏎",
    "escape": "Esc",
    "tab": "Tab",
    "space": "Space",
    "slash": "/",
    "question_mark": "?",
    "colon": ":",
    "up": "↑",
    "down": "↓",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "ctrl+@": "^Space",
    "shift+down": "⇧↓",
    "shift+up": "⇧↑",
}


def shown(key: str) -> str:
    """Return a key as the footer and the help show it."""
    if key in _SHOWN:
        return _SHOWN[key]
    if key.startswith("ctrl+"):
        return f"^{key[5:].upper()}"
    return key.upper() if key[:1] == "f" and key[1:].isdigit() else key
