"""What the search screen offers to choose from: filters, history, projects, formats, themes, commands."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from textual import on

from codeseek import screen
from codeseek.records import Hit, SearchResult
from codeseek.tui import clipboard, facets, filters, keys, messages, strings
from codeseek.tui.asking import line_of
from codeseek.tui.filters import Filter
from codeseek.tui.guide import Guide
from codeseek.tui.lines import ago
from codeseek.tui.picker import Item, Picker
from codeseek.tui.stage import Stage
from codeseek.tui.strings import say
from codeseek.tui.workspace import EVERYWHERE, Export


class Choices(Stage):
    """The actions that open a list to choose from."""

    def action_help(self) -> None:
        """Show every key."""
        self.app.push_screen(Guide(self.palette))

    def action_palette(self) -> None:
        """Offer every action by its name."""
        items = [
            Item(action, action.help, " ".join(map(keys.shown, (*action.keys, *action.letters))))
            for action in keys.ACTIONS
            if action.group != "move" and action.name != "palette"
        ]

        async def chosen(action: object) -> None:
            if isinstance(action, keys.Action):
                await self.run_action(action.method)

        self.app.push_screen(Picker(say("palette"), items, self.palette), chosen)

    def action_filters(self) -> None:
        """Offer filters; each choice changes the query's text. Counts are of the hits shown until more are counted."""

        def listed() -> Sequence[Item]:
            return facets.items(self.query_input.value, self.counts or facets.of_hits(self.results.hits), self.status)

        def toggle(value: object) -> Sequence[Item]:
            if isinstance(value, Filter):
                self.query_input.put(filters.toggled(self.query_input.value, value))
                self.count()
            return listed()

        self.counts = None
        self.count()
        self.facets = Picker(say("filters-help"), listed(), self.palette, toggle=toggle)
        self.app.push_screen(self.facets, lambda _: setattr(self, "facets", None))

    def count(self) -> None:
        """Want the best hits counted."""
        if self.question is not None:
            question = dataclasses.replace(self.question, text=self.query_input.value)
            if question.has_words:
                self.session.count(question)

    @on(messages.Counted)
    def _counted(self, message: messages.Counted) -> None:
        if message.question.text == self.query_input.value and self.facets is not None:
            self.counts = message.counts
            self.facets.renew(facets.items(message.question.text, message.counts, self.status))

    def action_history(self) -> None:
        """Offer earlier queries."""
        items = [Item(query, query) for query in self.session.memory.queries]
        if not items:
            self.tell(say("no-history"))
            return

        def chosen(query: object) -> None:
            if isinstance(query, str):
                self.restate(query, None)

        self.app.push_screen(Picker(say("history-help"), items, self.palette), chosen)

    def action_projects(self) -> None:
        """Offer the other projects."""
        known = self.session.workspace.projects()
        projects = [one for one in known if one.root != self.session.root]
        if not projects:
            self.tell(say("no-project"))
            return
        items = (
            []
            if self.session.everywhere
            else [Item(EVERYWHERE, say("everywhere"), say("of-projects", count=len(known)))]
        )
        items += [
            Item(one.root, str(one.root), f"{one.files:,} · {ago(time.time() - (one.indexed_at or 0.0))}")
            for one in projects
        ]
        text = self.query_input.value

        def chosen(root: object) -> None:
            if isinstance(root, Path):
                self.leave_for(root, text)

        self.app.push_screen(Picker(say("projects-help"), items, self.palette), chosen)

    def action_theme(self) -> None:
        """Offer themes, each shown while the cursor is on it."""
        app, before = self.app, self.app.theme

        def look(name: object) -> None:
            if isinstance(name, str):
                app.theme = name

        def chosen(name: object) -> None:
            app.theme = name if isinstance(name, str) else before
            self.session.memory.prefer("theme", app.theme)

        names = sorted(app.available_themes, key=lambda name: (not app.available_themes[name].dark, name))
        items = [
            Item(name, name, say("dark" if app.available_themes[name].dark else "light"), on=name == before)
            for name in [before, *(name for name in names if name != before)]
        ]
        app.push_screen(Picker(say("theme-help"), items, self.palette, looked_at=look), chosen)

    def action_language(self) -> None:
        """Go over to the other language."""
        other = "en" if strings.chosen() == "zh" else "zh"
        strings.choose(other)
        self.session.memory.prefer("language", other)
        self.query_input.placeholder = say("placeholder")
        self.paint_lines()
        self.paint_crumbs()

    # ------------------------------------------------------------ copying and exporting

    def action_copy_place(self) -> None:
        """Copy where the hits are, as `path:line`."""
        self.copy("\n".join(f"{hit.chunk.path}:{line_of(hit)}" for hit in self.results.picked))

    def action_copy(self) -> None:
        """Offer what may be copied of the hits."""
        hits = self.results.picked
        if not hits:
            return
        file = self.session.file
        makers: dict[str, Callable[[Hit], str]] = {
            "copy-place": lambda hit: f"{hit.chunk.path}:{line_of(hit)}",
            "copy-path": lambda hit: str(hit.chunk.path),
            "copy-whole-path": lambda hit: str(file(hit.chunk.path)),
            "copy-code": lambda hit: hit.chunk.text,
            "copy-symbol": lambda hit: hit.chunk.symbol,
            "copy-link": lambda hit: f"{file(hit.chunk.path).as_uri()}#L{line_of(hit)}",
        }
        made = {name: "\n".join(filter(None, map(maker, hits))) for name, maker in makers.items()}
        items = [Item(text, say(name), text.split("\n", 1)[0]) for name, text in made.items() if text]

        def chosen(text: object) -> None:
            if isinstance(text, str):
                self.copy(text)

        self.app.push_screen(Picker(say("copy-help"), items, self.palette), chosen)

    def copy(self, text: str) -> None:
        """Copy a text, by the terminal and by the system."""
        if not text:
            return
        self.app.copy_to_clipboard(text)
        self.run_worker(functools.partial(clipboard.put, text), thread=True, group="clipboard")
        self.tell(say("copied", text=screen.cut(screen.safe(text.split("\n", 1)[0]), 60)))

    def action_export(self) -> None:
        """Offer formats, and write the chosen hits, or all, to a file in the current folder."""
        result = self.result
        hits = tuple(self.results.chosen.values()) or self.results.hits
        if result is None or not hits:
            return
        exported = result._replace(hits=hits)
        items = [Item(name, name, say("count-hits", count=len(hits))) for name in self.session.workspace.formats]

        def chosen(name: object) -> None:
            if isinstance(name, str):
                self.write_export(name, exported)

        self.app.push_screen(Picker(say("export-help"), items, self.palette), chosen)

    def write_export(self, format_name: str, result: SearchResult) -> None:
        """Write hits to a new file in the current folder; none is ever overwritten."""
        session = self.session
        text = session.workspace.export(
            Export(format_name, result, self.query_input.value, session.root, session.projects)
        )
        suffix = {"markdown": "md", "vimgrep": "txt"}.get(format_name, format_name)
        for number in range(1, 1_000):
            path = Path(f"codeseek-hits{f'-{number}' if number > 1 else ''}.{suffix}").absolute()
            try:
                with path.open("x", encoding="utf-8", errors="surrogateescape") as file:
                    file.write(text)
            except FileExistsError:
                continue
            except OSError as error:
                self.tell(say("not-exported"), f"{path}: {error.strerror}")
                return
            self.tell(say("exported", count=len(result.hits), path=screen.safe(str(path))))
            return
