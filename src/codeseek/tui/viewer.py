"""The programs that show documents, and how each is told a page."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

_PAGED = {
    "zathura": ("--page={page}", "{file}"),
    "evince": ("--page-index={page}", "{file}"),
    "papers": ("--page-index={page}", "{file}"),
    "atril": ("--page-index={page}", "{file}"),
    "xreader": ("--page-index={page}", "{file}"),
    "okular": ("--page", "{page}", "{file}"),
    "qpdfview": ("--unique", "{file}#{page}"),
    "mupdf": ("{file}", "{page}"),
    "mupdf-gl": ("{file}", "{page}"),
    "xpdf": ("{file}", "{page}"),
    "sumatrapdf": ("-page", "{page}", "{file}"),
    "sioyek": ("--page", "{page}", "{file}"),
}
_BROWSERS = frozenset("firefox chromium chromium-browser google-chrome chrome brave msedge vivaldi opera".split())
_OPENERS = {"darwin": "open", "win32": "explorer"}


def command(file: Path, anchor: str, environment: Mapping[str, str] | None = None) -> tuple[str, ...] | None:
    """Return what shows a document, at its page where the viewer can go there; None without any viewer.

    That is `$CODESEEK_VIEWER`, for a PDF file else a viewer that is there and can be told a page, else what the desktop
    opens such files with.
    """
    given = os.environ if environment is None else environment
    file = file.absolute()
    try:
        chosen = shlex.split(given.get("CODESEEK_VIEWER", ""))
    except ValueError:
        chosen = []
    name, _, page = anchor.partition(" ")
    page = page if name == "page" else ""
    if chosen:
        return (*chosen, *_words(os.path.basename(chosen[0]), file, page))
    if sys.platform not in _OPENERS and not (given.get("DISPLAY") or given.get("WAYLAND_DISPLAY")):
        return None
    if page:
        for viewer in _PAGED:
            if shutil.which(viewer, path=given.get("PATH")):
                return (viewer, *_words(viewer, file, page))
    opener = shutil.which(_OPENERS.get(sys.platform, "xdg-open"), path=given.get("PATH"))
    return (opener, str(file)) if opener else None


def _words(program: str, file: Path, page: str) -> tuple[str, ...]:
    name = program.lower().removesuffix(".exe")
    if page and name in _PAGED:
        return tuple(word.format(file=file, page=page) for word in _PAGED[name])
    if page and name in _BROWSERS:
        return (f"{file.as_uri()}#page={page}",)
    return (str(file),)
