"""What the search screen does when a key is pressed."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from codeseek import snippets
from codeseek.records import Hit
from codeseek.tui import editor
from codeseek.tui.strings import say

if TYPE_CHECKING:
    from codeseek.tui.browser import Browser


def line_of(hit: Hit) -> int:
    """Return the line of a hit to which an editor goes: the one that defines or heads it."""
    lines = snippets.choose(hit.chunk, None, most=1)
    return lines[0].number if lines else hit.chunk.first_line


class Deeds:
    """The actions of `Browser`: each is a line of `keys.ACTIONS`."""

    # ------------------------------------------------------------ moving

    def action_down(self: Browser) -> None:
        """Go to the next hit."""
        self.results.action_step(1)

    def action_up(self: Browser) -> None:
        """Go to the previous hit."""
        self.results.action_step(-1)

    def action_page_down(self: Browser) -> None:
        """Go down by a page of hits."""
        self.results.action_page(1)

    def action_page_up(self: Browser) -> None:
        """Go up by a page of hits."""
        self.results.action_page(-1)

    def action_next_pane(self: Browser) -> None:
        """Go from the query to the hits, to the preview, and round."""
        self.focus_next()

    def action_focus_query(self: Browser) -> None:
        """Go to the query."""
        self.query_input.focus()

    def action_scroll_down(self: Browser) -> None:
        """Scroll the preview down."""
        self.preview.action_scroll_by(3)

    def action_scroll_up(self: Browser) -> None:
        """Scroll the preview up."""
        self.preview.action_scroll_by(-3)

    def action_next(self: Browser) -> None:
        """Go to the next place found in the file."""
        self.preview.step(1)

    def action_previous(self: Browser) -> None:
        """Go to the previous place found in the file."""
        self.preview.step(-1)

    def action_zoom(self: Browser) -> None:
        """Give the preview the whole screen, or share it again."""
        self.query_one("#panes").toggle_class("zoomed")

    def action_wrap(self: Browser) -> None:
        """Wrap long lines, or not."""
        self.preview.wrap(wrapped=not self.preview.wrapped)

    # ------------------------------------------------------------ hits

    def action_open(self: Browser) -> None:
        """Open the chosen hits, or the one under the cursor, in the user's editor."""
        hits = self.results.picked
        if not hits:
            return
        command = editor.command([editor.Place(self.session.root / hit.chunk.path, line_of(hit)) for hit in hits])
        if command is None:
            self.tell(say("no-editor"), say("no-editor-hint"))
            return
        try:
            if not command.terminal:
                subprocess.Popen(
                    command.words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
                return
            with self.app.suspend():
                status = subprocess.run(command.words, check=False).returncode
        except OSError as error:
            self.tell(say("no-editor"), f"{command.name}: {error.strerror}")
            return
        self.refresh()
        if status:
            self.tell(say("editor-failed", editor=command.name, status=status))
        self.session.refresh(asked=False)

    def action_choose(self: Browser) -> None:
        """Choose the hit under the cursor, or no longer."""
        self.results.toggle_chosen()
        self.paint_lines()

    def action_choose_all(self: Browser) -> None:
        """Choose every hit, or none."""
        self.results.toggle_all()
        self.paint_lines()

    def action_group(self: Browser) -> None:
        """Group hits by file, or not."""
        self.per_file = 1 if self.per_file > 1 else 4
        self.results.group(grouped=self.per_file > 1)
        self.ask(quiet=True)

    def action_back(self: Browser) -> None:
        """Go back one step; in the query there is nothing left but to clear it."""
        if self.query_one("#panes").has_class("zoomed"):
            self.action_zoom()
        elif self.results.chosen:
            self.results.clear_chosen()
            self.paint_lines()
        elif self.focused is not self.query_input:
            self.query_input.focus()

    def action_index(self: Browser) -> None:
        """Bring the index up to date."""
        self.session.refresh(asked=True)

    def action_quit(self: Browser) -> None:
        """Leave."""
        self.app.exit()

    def tell(self: Browser, message: str, hint: str = "") -> None:
        """Say something in passing; the text is shown as it is."""
        self.notify(hint or message, title=message if hint else "", markup=False)
