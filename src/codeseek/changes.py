"""What differs between the project's files and what the store knows of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from codeseek import documents, walker
from codeseek.errors import ProjectError
from codeseek.records import WHOLE, Skipped, SourceFile
from codeseek.rows import KnownFile, Task, Touched, digest_of, encode_path
from codeseek.store import Store

RACY_NS = 2_000_000_000
"""A file changed so shortly before it was read may have changed again without its time showing it."""

_READ_AT_ONCE = 100  # so many files with a new stat are compared by content before a model is loaded for them


class Changes:
    """The result of a comparison with the store as it was at `generation`.

    `tasks` are files to look at, `touched` those of which only the stat is new. `skipped` are all that the walker left
    out, `unfit` counts the files that a look inside found so. `folders` are what the walker remembers anew.
    """

    def __init__(self, generation: int | None, *, same_model: bool) -> None:
        self.generation = generation
        self.same_model = same_model
        self.tasks: list[Task] = []
        self.removed: list[str] = []
        self.touched: list[Touched] = []
        self.unchanged = 0
        self.unfit = 0
        self.skipped: dict[str, Skipped] = {}
        self.skipped_changed = False
        self.folders: dict[str, tuple[object, ...]] = {}
        self.folders_gone: set[str] = set()

    @property
    def stale(self) -> int:
        """Files that are not in the index as they are now."""
        return len(self.tasks) + len(self.removed)

    @property
    def idle(self) -> bool:
        """Whether there is nothing that a search would notice."""
        return self.same_model and not self.stale and not self.skipped_changed

    @property
    def notable(self) -> bool:
        """Whether there is something that makes the next comparison quicker."""
        return bool(self.touched or self.folders or self.folders_gone)


def find(
    root: Path,
    options: walker.WalkOptions,
    store: Store | None,
    model: str,
    *,
    under: PurePosixPath = WHOLE,
    advance: Callable[[int, str], None] | None = None,
    on_task: Callable[[Task], None] | None = None,
) -> Changes:
    """Compare the files under a folder with the store, by their content only where their stat leaves a doubt.

    `advance` hears of each file seen, `on_task` of each that is new or changed. Raises `ProjectError` without a project.
    """
    if not root.is_dir():
        raise ProjectError(f"there is no folder `{root}`", hint="its index is dropped with `codeseek forget`")
    known = store.known_files() if store else {}
    if store is None:
        changes = Changes(None, same_model=False)
    else:
        changes = Changes(store.meta("generation"), same_model=store.meta("model") == model)
    folders = {
        path: walker.KnownDirectory(PurePosixPath(path), *details)
        for path, details in (store.directories() if store else {}).items()
    }
    changes.folders_gone = {path for path in folders if _is_under(path, under)}
    seen: set[str] = set()
    doubtful: list[tuple[SourceFile, KnownFile]] = []

    def add(task: Task) -> None:
        changes.tasks.append(task)
        if on_task is not None:
            on_task(task)

    def is_current(path: str, size: int, mtime_ns: int, language: str) -> bool:
        """Tell whether a file is surely what was read: same size and time, and not changed just when it was read."""
        old = known.get(path)
        return (
            old is not None
            and (old.size, old.mtime_ns, old.language) == (size, mtime_ns, language)
            and abs(old.checked_ns - mtime_ns) > RACY_NS
        )

    for item in walker.walk(root, options, folders, under, is_current):
        path = item if isinstance(item, str) else str(item.path)
        if isinstance(item, Skipped):
            changes.skipped[path] = item
        elif isinstance(item, walker.KnownDirectory):
            changes.folders_gone.discard(path)
            if item is not folders.get(path):
                changes.folders[path] = item[1:]
        else:
            seen.add(path)
            if isinstance(item, SourceFile):
                if path in known:
                    doubtful.append((item, known[path]))
                else:
                    add(Task(item))
            elif known[path].reason:
                changes.unfit += 1
            else:
                changes.unchanged += 1
            if advance is not None:
                advance(1, path)
    for file, old in doubtful:
        worth_reading = file.mtime_ns == old.mtime_ns or len(doubtful) <= _READ_AT_ONCE
        if worth_reading and old.digest and (touched := _same_content(root, file, old)) is not None:
            changes.touched.append(touched)
            changes.unchanged += 1
        else:
            add(Task(file, old.digest))
    changes.removed = [path for path in known if path not in seen and _is_under(path, under)]
    before = store.skipped_by_walker() if store else {}
    changes.skipped_changed = {path: item for path, item in before.items() if _is_under(path, under)} != changes.skipped
    return changes


def _same_content(root: Path, file: SourceFile, known: KnownFile) -> Touched | None:
    """Read a file, and return its new stat if its content is what it was."""
    checked_ns = time.time_ns()
    try:
        if file.language in documents.FORMATS:
            data = walker.read_bytes(root, file)
        else:
            data = walker.read_text(root, file).encode("utf-8", "replace")
    except walker.Unreadable:
        return None
    if file.language != known.language or digest_of(file.language, data) != known.digest:
        return None
    return Touched(encode_path(file.path), file.size, file.mtime_ns, checked_ns)


def _is_under(path: str, under: PurePosixPath) -> bool:
    return under == WHOLE or PurePosixPath(path).is_relative_to(under)
