"""The lines around the panes: facts about the answer, the crumbs of a place, the keys that work."""

from __future__ import annotations

import re
import time
from collections import Counter

from rich.text import Text
from textual import events
from textual.message import Message
from textual.widgets import Static

from codeseek import screen
from codeseek.records import Hit, Progress, SearchResult
from codeseek.tui import keys, strings
from codeseek.tui.asking import Question
from codeseek.tui.painting import cut_front
from codeseek.tui.palette import Palette
from codeseek.tui.source import Source
from codeseek.tui.strings import say

_HUMPS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def ago(seconds: float) -> str:
    """Return an age, short."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def facts(question: Question | None, result: SearchResult | None, chosen: int, problem: str, palette: Palette) -> Text:
    """Say how many hits there are, how long it took, and how far they can be trusted."""
    text = Text(no_wrap=True, overflow="ellipsis")
    if problem:
        text.append(f"▲ {screen.safe(problem)}", palette.warning)
        return text
    if question is None or result is None:
        return text
    count = len(result.hits)
    more = "+" if count >= question.limit else ""
    text.append(say("one-hit") if count == 1 and not more else say("hits", count=f"{count}{more}"), palette.bold)
    parts = []
    if question.place is not None:
        path, line = question.place
        parts.append((say("similar-to", place=screen.safe(f"{path}:{line}")), palette.accent))
    parts.append((f"{result.elapsed_ms:.0f} ms", palette.dim))
    if chosen:
        parts.append((say("selected", count=chosen), palette.good))
    if meant := translated(question.text, result):
        parts.append((f"→ {screen.safe(' '.join(meant))}", palette.faint))
    parts += [(f"▲ {screen.safe(weaker)}", palette.warning) for weaker in result.degraded]
    parts += [(screen.safe(note), palette.faint) for note in result.notes]
    for part, style in parts:
        text.append(" · ", palette.faint)
        text.append(part, style)
    return text


def translated(text: str, result: SearchResult) -> list[str]:
    """Return the English words that stand for Chinese ones in a question, as they are written in the hits."""
    typed = text.lower()
    if typed.isascii():
        return []
    stems = [term for term in result.terms if term.isascii() and term[:4] not in typed]
    texts = _HUMPS.sub(" ", " ".join(hit.chunk.text[:2_000] for hit in result.hits[:12])).lower()
    words = []
    for stem in stems:
        found = Counter(re.findall(rf"(?<![a-z]){re.escape(stem)}[a-z]{{0,5}}(?![a-z])", texts))
        words += [word for word, _ in found.most_common(1)]
    return [*dict.fromkeys(words)]


def badge(
    project: str, result: SearchResult | None, progress: Progress | None, palette: Palette, *, indexed: bool, room: int
) -> Text:
    """Say what is searched and how fresh it is."""
    name, style, detail = "●", palette.good, ""
    if progress is not None:
        share = f" {progress.done * 100 // progress.total}%" if progress.total else ""
        name, style, detail = "◐", palette.warning, f"{say(progress.phase)}{share}"
    elif not indexed:
        name, style, detail = "○", palette.warning, say("not-indexed")
    elif result is not None:
        age = f" {ago(time.time() - result.indexed_at)}" if result.indexed_at is not None and room > 24 else ""
        detail = f"{say(result.freshness)}{age}"
        if result.degraded:
            name, style, detail = "▲", palette.warning, say("degraded")
        elif result.freshness == "stale":
            name, style = "▲", palette.warning
        elif result.freshness == "unknown":
            name, style = "○", palette.dim
        if room > 40:
            covered = f" {result.coverage:.0%}" if result.coverage < 0.995 else ""
            detail += f" · {screen.safe(result.tier)}{covered}"
    text = Text(no_wrap=True)
    text.append(f"{name} ", style)
    if detail:
        text.append(f"{detail}  ", palette.dim)
    text.append(screen.cut(screen.safe(project), 24), palette.bold)
    return text


def crumbs(hit: Hit | None, source: Source | None, width: int, palette: Palette, *, named: bool = False) -> Text:
    """Say which file is shown, where in it, and what encloses the place; `named` paths begin with their project."""
    text = Text(no_wrap=True, overflow="ellipsis")
    if hit is None:
        return text
    chunk = hit.chunk
    count = len(source.lines) if source is not None else 0
    position = chunk.anchor
    if count and not position:
        position = say("of-lines", first=chunk.first_line, last=chunk.last_line, count=f"{count:,}")
    project, path = "", str(chunk.path)
    if named:
        project, _, path = path.partition("/")
        text.append(f"{screen.safe(project)}  ", palette.warning)
    folder, _, name = screen.safe(path).rpartition("/")
    symbol = chunk.symbol
    for part in chunk.breadcrumb:
        symbol = symbol.removeprefix(f"{part}.")
    trail = [screen.safe(part) for part in dict.fromkeys([*chunk.breadcrumb, symbol]) if part]
    room = (
        width
        - text.cell_len
        - screen.columns(position)
        - screen.columns(name)
        - sum(screen.columns(part) + 3 for part in trail)
        - 2
    )
    text.append(cut_front(f"{folder}/" if folder else "", max(0, room)), palette.dim)
    text.append(name, palette.bold)
    for part in trail:
        text.append(" › ", palette.faint)
        text.append(part, palette.accent)
    text.truncate(max(8, width - screen.columns(position) - 2), overflow="ellipsis")
    gap = width - text.cell_len - screen.columns(position)
    if gap > 0:
        text.append(" " * gap + position, palette.faint)
    return text


def reasons(hit: Hit, width: int, palette: Palette) -> Text:
    """Say why a hit was found, as the engine explains it."""
    text = Text()
    if not hit.why:
        text.append(say("no-reasons"), palette.faint)
    line = 0
    for name, value in hit.why.items():
        told = f"{value:.3g}" if isinstance(value, float) else str(value)
        shown = screen.cut(screen.safe(", ".join(value) if isinstance(value, tuple) else told), width - 4)
        name = screen.safe(name)
        wide = screen.columns(name) + screen.columns(shown) + 4
        if line and line + wide > width:
            text.append("\n")
            line = 0
        text.append(f"{name} ", palette.dim)
        text.append(f"{shown}   ", palette.accent)
        line += wide
    return text


class KeyLine(Static):
    """The keys that work now; each can be clicked."""

    class Pressed(Message):
        """A key's name was clicked."""

        def __init__(self, action: keys.Action) -> None:
            super().__init__()
            self.action = action

    def __init__(self) -> None:
        super().__init__(id="keys")
        self._ranges: list[tuple[int, int, keys.Action]] = []
        self._shown: tuple[object, ...] = ()

    def show(self, palette: Palette, *, typing: bool) -> None:
        """Show as many keys as there is room for, the most useful first."""
        now = (typing, self.app.size.width, id(palette), strings.chosen())
        if now == self._shown:
            return
        self._shown = now
        text, room, self._ranges = Text(no_wrap=True), self.app.size.width - 2, []
        ordered = sorted((action for action in keys.ACTIONS if action.footer), key=lambda action: action.footer)
        width = 0
        last = [action for action in ordered if action.name in ("help", "quit")]
        fixed = sum(self._width(action, typing=typing) for action in last)
        for action in [*(one for one in ordered if one not in last), *last]:
            wide = self._width(action, typing=typing)
            if action in last:
                fixed -= wide
            elif width + wide + fixed > room:
                continue
            self._ranges.append((width, width + wide, action))
            text.append(self._key(action, typing=typing), palette.accent)
            text.append(f" {action.title}  ", palette.dim)
            width += wide
        self.update(text, layout=False)

    def _key(self, action: keys.Action, *, typing: bool) -> str:
        chosen = action.keys if typing or not action.letters else action.letters
        return keys.shown((chosen or action.keys or action.letters)[0])

    def _width(self, action: keys.Action, *, typing: bool) -> int:
        return screen.columns(f"{self._key(action, typing=typing)} {action.title}  ")

    def on_click(self, event: events.Click) -> None:
        """Do what the name says that was clicked."""
        at = event.x - 1
        for start, end, action in self._ranges:
            if start <= at < end:
                self.post_message(self.Pressed(action))


class Crumbs(Static):
    """Names the place that is shown; in a high layout it can be dragged to resize the panes."""

    class Dragged(Message):
        """The border between the panes is to be at this place of the screen."""

        def __init__(self, x: int, y: int) -> None:
            super().__init__()
            self.x = x
            self.y = y

    class Sized(Message):
        """There is another width to fit the place to."""

    def on_resize(self) -> None:
        """Tell that the width is another."""
        self.post_message(self.Sized())

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of the border."""
        self.capture_mouse()
        self.add_class("dragged")
        event.stop()

    def on_mouse_up(self) -> None:
        """Let go of the border."""
        self.release_mouse()
        self.remove_class("dragged")

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Move the border with the mouse."""
        if self.has_class("dragged"):
            self.post_message(self.Dragged(int(event.screen_x), int(event.screen_y)))


class Divider(Crumbs):
    """The line between panes that are side by side."""

    def render(self) -> Text:
        """Draw the line."""
        return Text("\n".join("│" * max(1, self.size.height)), style="")
