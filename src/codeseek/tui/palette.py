"""The styles of a theme, as the panes paint with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.style import Style
from textual.color import Color

from codeseek.tui.source import COLOURS

_SYNTAX = {
    "keyword": "text-primary",
    "comment": "",
    "string": "text-success",
    "number": "text-warning",
    "type": "text-secondary",
    "function": "text-accent",
}
_ANSI_SYNTAX = {
    "keyword": "blue",
    "comment": "bright_black",
    "string": "green",
    "number": "yellow",
    "type": "cyan",
    "function": "magenta",
}
_KINDS = {
    "function": "text-accent",
    "method": "text-accent",
    "class": "text-warning",
    "module": "text-secondary",
    "config": "text-secondary",
    "section": "text-primary",
    "comment": "text-success",
}
_ANSI_KINDS = {
    "function": "magenta",
    "method": "magenta",
    "class": "yellow",
    "module": "cyan",
    "config": "cyan",
    "section": "blue",
    "comment": "green",
}


@dataclass(frozen=True)
class Palette:
    """Styles by what they are for. `cursor` and `range` are backgrounds, laid under the rest."""

    plain: Style
    bold: Style
    dim: Style
    faint: Style
    accent: Style
    good: Style
    bad: Style
    warning: Style
    mark: Style
    mark_away: Style
    cursor: Style
    within: Style
    kinds: Mapping[str, Style]
    syntax: Mapping[str, Style]


def palette(variables: Mapping[str, str], *, dark: bool, ansi: bool) -> Palette:
    """Make the styles of a theme from its variables; an `ansi` theme has the terminal's own 16 colours."""
    if ansi:
        return _of_terminal()
    background, foreground = Color.parse(variables["background"]), Color.parse(variables["foreground"])

    def colour(name: str) -> Color:
        return Color.parse(variables[name])

    def ink(tone: Color) -> Style:
        return Style(color=tone.rich_color)

    def mixed(tone: Color, share: float) -> Color:
        return background.blend(tone, share)

    dim, faint = mixed(foreground, 0.66), mixed(foreground, 0.42)
    warning = colour("warning")
    syntax = {name: ink(colour(_SYNTAX[name]) if _SYNTAX[name] else mixed(foreground, 0.55)) for name in COLOURS}
    syntax["comment"] += Style(italic=True)
    mark = mixed(warning, 0.34 if dark else 0.45)
    return Palette(
        plain=ink(foreground),
        bold=ink(foreground) + Style(bold=True),
        dim=ink(dim),
        faint=ink(faint),
        accent=ink(colour("text-primary")) + Style(bold=True),
        good=ink(colour("text-success")),
        bad=ink(colour("text-error")),
        warning=ink(colour("text-warning")),
        mark=Style(bold=True, color=foreground.rich_color, bgcolor=mark.rich_color),
        mark_away=Style(underline=True, color=colour("text-warning").rich_color),
        cursor=Style(bgcolor=mixed(colour("primary"), 0.34 if dark else 0.2).rich_color),
        within=Style(bgcolor=mixed(colour("primary"), 0.13 if dark else 0.09).rich_color),
        kinds={kind: ink(colour(name)) + Style(bold=True) for kind, name in _KINDS.items()},
        syntax=syntax,
    )


def _of_terminal() -> Palette:
    def ink(name: str) -> Style:
        return Style(color=name)

    return Palette(
        plain=Style(),
        bold=Style(bold=True),
        dim=Style(),
        faint=ink("bright_black"),
        accent=ink("blue") + Style(bold=True),
        good=ink("green"),
        bad=ink("red"),
        warning=ink("yellow"),
        mark=Style(bold=True, underline=True, color="red"),
        mark_away=Style(underline=True),
        cursor=Style(bold=True),
        within=Style(),
        kinds={kind: ink(name) + Style(bold=True) for kind, name in _ANSI_KINDS.items()},
        syntax={name: ink(tone) for name, tone in _ANSI_SYNTAX.items()},
    )
