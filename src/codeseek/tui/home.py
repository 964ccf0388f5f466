"""What is shown before there is a question: the project at a glance, or a welcome where nothing is indexed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.style import Style
from rich.text import Text

from codeseek import screen
from codeseek.records import Progress, Status
from codeseek.tui import filters
from codeseek.tui.palette import Palette
from codeseek.tui.strings import say

_BAR = 18
_RECENT = 6
_LANGUAGES = 6


def welcome(root: Path, progress: Progress | None, palette: Palette, width: int) -> Text:
    """Say what codeseek is about to do in a project that has no index, or how far it is."""
    made = Text()
    made.append(f"{say('welcome')}\n\n", palette.accent)
    made.append(say("welcome-what", project=screen.safe(str(root))) + "\n\n", palette.plain)
    if progress is None:
        made.append("  ⏎  ", palette.accent)
        made.append(f"{say('welcome-do')}\n\n", palette.bold)
    else:
        made.append_text(bar(progress, palette, width))
        made.append("\n\n")
    made.append(f"{say('welcome-while')}\n", palette.dim)
    return made


def nothing(text: str, progress: Progress | None, palette: Palette, width: int) -> Text:
    """Say that nothing was found, and what to do about it."""
    made = Text()
    if progress is not None:
        made.append(f"{say('nothing-yet')}\n\n", palette.accent)
        made.append_text(bar(progress, palette, width))
        return made
    made.append(f"{say('nothing')}\n\n", palette.accent)
    active = filters.active(text)
    shown = screen.safe(" ".join(f"{one.name}:{one.value}" for one in active))
    less = say("nothing-filters", filters=shown) if active else ""
    made.append(f"{say('nothing-hint', filters=less)}\n", palette.plain)
    return made


def bar(progress: Progress, palette: Palette, width: int) -> Text:
    """Say how far the indexing is."""
    made = Text(no_wrap=True, overflow="ellipsis")
    cells = max(10, min(40, width - 40))
    share = progress.done / progress.total if progress.total else 0.0
    full = round(cells * min(1.0, share))
    made.append("━" * full, palette.accent)
    made.append("─" * (cells - full), palette.faint)
    total = f"/{progress.total:,}" if progress.total else ""
    made.append(f"  {say(progress.phase)} {progress.done:,}{total}", palette.dim)
    if progress.path:
        room = max(10, width - 2)
        made.append("\n" + screen.cut(screen.safe(progress.path), room), palette.faint)
    return made


def glance(name: str, status: Status | None, recent: Sequence[str], palette: Palette) -> Text:
    """Show the project: how much is indexed, in which languages, and what was asked before."""
    made = Text(no_wrap=True, overflow="ellipsis")
    made.append(screen.safe(name), palette.accent)
    if status is not None:
        made.append(f"   {say('holds', files=f'{status.files:,}', chunks=f'{status.chunks:,}')}", palette.dim)
    made.append("\n\n")
    if status is not None and status.languages:
        made.append_text(_shares(status.languages, palette))
        made.append("\n")
    if recent:
        made.append(f"{say('recent')}\n\n", palette.bold)
        for at, query in enumerate(recent[:_RECENT]):
            made.append("  ❯ ", palette.faint)
            made.append(f"{screen.safe(query)}\n", palette.plain + Style(meta={"@click": f"screen.recall({at})"}))
        made.append("\n")
    made.append(f"{say('try')}\n\n", palette.bold)
    for example in (say("try-meaning"), say("try-narrow"), say("try-keys")):
        made.append(f"  {example}\n", palette.dim)
    return made


def _shares(languages: Mapping[str, int], palette: Palette) -> Text:
    made = Text(no_wrap=True)
    ordered = sorted(languages.items(), key=lambda item: (-item[1], item[0]))[:_LANGUAGES]
    most = max(count for _, count in ordered)
    wide = max(len(name) for name, _ in ordered)
    for name, count in ordered:
        full = max(1, round(count * _BAR / most))
        made.append(f"  {name:<{wide}}  ", palette.plain)
        made.append("━" * full, palette.accent)
        made.append("─" * (_BAR - full), palette.faint)
        made.append(f"  {count:,}\n", palette.dim)
    return made
