"""What the search screen does when a key is pressed."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Sequence

from textual.app import SuspendNotSupported

from codeseek.records import Hit
from codeseek.tui import editor, filters, viewer
from codeseek.tui.asking import line_of
from codeseek.tui.stage import Stage
from codeseek.tui.strings import say


def _start(words: Sequence[str]) -> None:
    """Run a program in a window of its own; raises OSError."""
    process = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    threading.Thread(target=process.wait, daemon=True).start()


class Deeds(Stage):
    """The actions that do something at once: each is a line of `keys.ACTIONS`."""

    # ------------------------------------------------------------ moving

    def action_down(self) -> None:
        """Go to the next hit."""
        self.results.action_step(1)

    def action_up(self) -> None:
        """Go to the previous hit; from an empty query to the one asked last, as in a shell."""
        if self.query_input.value or self.results.hits:
            self.results.action_step(-1)
        else:
            self.action_recall(0)

    def action_recall(self, at: int) -> None:
        """Ask again what was asked before; 0 was the last."""
        queries = self.session.memory.queries
        if at < len(queries):
            self.restate(queries[at], None)

    def action_page_down(self) -> None:
        """Go down by a page of hits."""
        self.results.action_page(1)

    def action_page_up(self) -> None:
        """Go up by a page of hits."""
        self.results.action_page(-1)

    def action_next_pane(self) -> None:
        """Go from the query to the hits, to the preview, and round."""
        self.focus_next()

    def action_focus_query(self) -> None:
        """Go to the query."""
        self.query_input.focus()

    def action_scroll_down(self) -> None:
        """Scroll the preview down."""
        self.preview.action_scroll_by(3)

    def action_scroll_up(self) -> None:
        """Scroll the preview up."""
        self.preview.action_scroll_by(-3)

    def action_next(self) -> None:
        """Go to the next place found in the file."""
        self.preview.step(1)

    def action_previous(self) -> None:
        """Go to the previous place found in the file."""
        self.preview.step(-1)

    def action_zoom(self) -> None:
        """Give the preview the whole screen, or share it again."""
        self.query_one("#panes").toggle_class("zoomed")

    def action_rendered(self) -> None:
        """Show Markdown as it is meant, from the hit on, or as it is written."""
        self.rendered = not self.rendered
        self.paint_rendered()

    def action_wrap(self) -> None:
        """Wrap long lines, or not."""
        self.preview.wrap(wrapped=not self.preview.wrapped)

    # ------------------------------------------------------------ hits

    def action_open(self) -> None:
        """Open the chosen hits, or the one under the cursor, in editor or viewer; index what is not indexed."""
        if not self.session.indexed:
            self.session.refresh(asked=True)
            return
        hits = self.results.picked
        if not hits:
            return
        self.remember()
        shown = [hit for hit in hits if hit.chunk.anchor and not hit.chunk.anchor.startswith("cell")]
        if shown:
            self._view(shown)
        others = [hit for hit in hits if hit not in shown]
        if others:
            self._edit(others)

    def _view(self, hits: Sequence[Hit]) -> None:
        """Open documents in what shows them, each once, at the place of its first hit."""
        for hit in {hit.chunk.path: hit for hit in reversed(hits)}.values():
            words = viewer.command(self.session.file(hit.chunk.path), hit.chunk.anchor)
            if words is None:
                self.tell(say("no-viewer"), say("no-viewer-hint"))
                return
            try:
                _start(words)
            except OSError as error:
                self.tell(say("no-viewer"), f"{words[0]}: {error.strerror}")

    def _edit(self, hits: Sequence[Hit]) -> None:
        """Open hits in the user's editor; a notebook's lines are none of the file's."""
        places = [
            editor.Place(self.session.file(hit.chunk.path), 1 if hit.chunk.anchor else line_of(hit)) for hit in hits
        ]
        command = editor.command(places, self.session.workspace.memory)
        if command is None:
            self.tell(say("no-editor"), say("no-editor-hint"))
            return
        try:
            if not command.terminal:
                _start(command.words)
                return
            with self.app.suspend():
                status = subprocess.run(command.words, check=False).returncode
        except OSError as error:
            self.tell(say("no-editor"), f"{command.name}: {error.strerror}")
            return
        except SuspendNotSupported:
            self.tell(say("no-terminal", editor=command.name))
            return
        self.refresh()
        if status:
            self.tell(say("editor-failed", editor=command.name, status=status))
        if self.session.workspace.watch is not None:
            self.session.refresh(asked=False)

    def action_choose(self) -> None:
        """Choose the hit under the cursor, or no longer."""
        self.results.toggle_chosen()
        self.paint_lines()

    def action_choose_all(self) -> None:
        """Choose every hit, or none."""
        self.results.toggle_all()
        self.paint_lines()

    def action_group(self) -> None:
        """Group hits by file, or not."""
        self.per_file = 1 if self.per_file > 1 else 4
        self.results.group(grouped=self.per_file > 1)
        self.ask_again()

    def action_back(self) -> None:
        """Go back one step; in the query there is nothing left but to clear it."""
        if self.query_one("#panes").has_class("zoomed"):
            self.action_zoom()
        elif self.results.chosen:
            self.results.clear_chosen()
            self.paint_lines()
        elif self.visits:
            text, place, hit = self.visits.pop()
            self.restate(text, place, hit)
        elif self.focused is not self.query_input:
            self.query_input.focus()
        elif self.query_input.value or self.similar_to:
            self.restate("", None)

    def action_similar(self) -> None:
        """Look for the likes of the hit under the cursor; the filters stay."""
        hit = self.results.current
        if hit is None:
            return
        self.remember()
        self.push_visit()
        kept = filters.written("", [*filters.active(self.query_input.value)])
        self.restate(kept, (hit.chunk.path, hit.chunk.first_line))

    def action_why(self) -> None:
        """Show the reasons for a hit, or no longer."""
        self.explain = not self.explain
        self.paint_crumbs()
        if self.explain and self.question is not None:
            self.ask_again()

    def action_index(self) -> None:
        """Bring the index up to date."""
        self.session.refresh(asked=True)

    def action_quit(self) -> None:
        """Leave."""
        self.app.exit()

    def remember(self) -> None:
        """Keep the query in the history."""
        self.session.memory.remember(self.query_input.value)
