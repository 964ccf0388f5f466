"""The user's editor: how each is told a file and a line, and whether it needs the terminal."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class Place(NamedTuple):
    """A line of a file."""

    path: Path
    line: int


class Command(NamedTuple):
    """What to run; `terminal` editors take the screen until they end."""

    words: tuple[str, ...]
    terminal: bool

    @property
    def name(self) -> str:
        """The editor's own name."""
        return os.path.basename(self.words[0])


_COLON = {*"code code-insiders codium vscodium cursor windsurf trae positron".split()}
_PLAIN_COLON = {*"zed zeditor subl sublime_text lapce hx helix fleet".split()}
_JETBRAINS = {
    *"idea pycharm clion goland webstorm phpstorm rubymine rider rustrover datagrip studio charm mate kate".split()
}
_VIM = {*"vim nvim gvim mvim vimx nvim-qt".split()}
_PLUS = _VIM | {*"vi view ex emacs emacsclient nano pico micro joe ne jed mg kak vis gedit xed".split()}
_WINDOWED = (
    _COLON | _JETBRAINS | {*"zed zeditor subl sublime_text lapce fleet gvim mvim nvim-qt gedit xed bbedit".split()}
)
_FALLBACK = ("nvim", "vim", "vi", "nano", "emacs")


def command(
    places: Sequence[Place], scratch: Path | None = None, environment: dict[str, str] | None = None
) -> Command | None:
    """Return what opens places in `$VISUAL` or `$EDITOR`, or in an editor that is there; None without any.

    Vim takes several places as its quickfix list, which is written into the folder `scratch`.
    """
    given = os.environ if environment is None else environment
    chosen = given.get("CODESEEK_EDITOR") or given.get("VISUAL") or given.get("EDITOR") or ""
    try:
        editor = shlex.split(chosen)
    except ValueError:
        editor = []
    if not editor:
        found = next((name for name in _FALLBACK if shutil.which(name, path=given.get("PATH"))), None)
        if found is None:
            return None
        editor = [found]
    name = os.path.basename(editor[0]).lower().removesuffix(".exe").removesuffix(".cmd").removesuffix("64")
    absolute = [Place(place.path.absolute(), max(1, place.line)) for place in places]
    quickfix = None
    if name in _VIM and len(places) > 1 and scratch is not None:
        quickfix = _quickfix(absolute, scratch)
    return Command((*editor, *(quickfix or _arguments(name, absolute))), terminal=_in_terminal(name, editor))


def _in_terminal(name: str, editor: Sequence[str]) -> bool:
    if name == "emacsclient":
        return any(word in ("-t", "-nw", "--tty", "-tty") for word in editor)
    return name not in _WINDOWED or "--wait" in editor


def _arguments(name: str, places: Sequence[Place]) -> list[str]:
    """Return the words that name places, in the editor's own syntax."""
    if name in _COLON:
        return ["--goto", *(f"{path}:{line}" for path, line in places)]
    if name in _PLAIN_COLON:
        return [f"{path}:{line}" for path, line in places]
    if name in _JETBRAINS:
        return [word for path, line in places for word in ("--line", str(line), str(path))]
    if name in ("vi", *_VIM):  # only the first can be told its line
        return [f"+{places[0].line}", *(str(place.path) for place in places)]
    if name in _PLUS:
        return [word for path, line in places for word in (f"+{line}", str(path))]
    return [str(place.path) for place in places]


def _quickfix(places: Sequence[Place], scratch: Path) -> list[str] | None:
    """Return the words that give Vim a list of places: it opens the first at its line, and `:cnext` the others.

    Names go by a file, for in a command of Vim a name could be a command of its own. None where that cannot be.
    """
    lines = [f"{path}\x1f{line}\x1f{path.name}\n" for path, line in places]
    if any("\n" in line[:-1] or line.count("\x1f") != 2 for line in lines):
        return None
    file = scratch / "hits.quickfix"
    try:
        scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.write_bytes("".join(lines).encode("utf-8", "surrogateescape"))
    except OSError:
        return None
    return ["--cmd", "set errorformat=%f\x1f%l\x1f%m", "-q", str(file)]
