"""What the full-screen search is given: engines, projects, formats and a folder for its own memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from codeseek.engine import Engine
from codeseek.records import ProgressListener, SearchResult
from codeseek.watcher import News, Refresh

EVERYWHERE = Path()
"""Instead of a project's root: all indexed projects."""


class Watching(Protocol):
    """Follows changed files until it is closed."""

    def close(self) -> None:
        """Follow nothing any more."""
        ...


Watch = Callable[[Path, Refresh, Callable[[News], None], ProgressListener], Watching]
"""Begins to follow a project's files: refreshes at once and after changes, and tells what came of it, in a thread."""


class Project(NamedTuple):
    """An indexed project."""

    root: Path
    files: int
    chunks: int
    indexed_at: float | None


class Export(NamedTuple):
    """Hits to be written in a format. With several `projects` by name, the hits' paths begin with one of them."""

    format_name: str
    result: SearchResult
    query: str
    root: Path
    projects: Mapping[str, Path] = {}


@dataclass(frozen=True)
class Workspace:
    """`root` is the project to begin with; `open` opens an engine on a project.

    `is_indexed` and `projects` tell what there is without opening anything large; `export` makes text in one of
    `formats`; `memory` is the folder for history and preferences; `watch` follows changed files, None does not. `deep`
    says that a second, slower model answers after a pause.
    """

    root: Path
    open: Callable[[Path], Engine]
    is_indexed: Callable[[Path], bool]
    projects: Callable[[], Sequence[Project]]
    export: Callable[[Export], str]
    memory: Path
    formats: Sequence[str] = ("vimgrep", "json", "markdown")
    watch: Watch | None = None
    deep: bool = False
