"""Where a command works: the project, and the folder in it that was named."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from codeseek.errors import ProjectError, UsageError


class Place(NamedTuple):
    """A project's root, and the folder in it that a command is limited to (`.` is all)."""

    root: Path
    folder: PurePosixPath

    def paths(self, patterns: Sequence[str]) -> tuple[str, ...]:
        """Return path patterns as seen from the root; no pattern means all of the folder."""
        if self.folder == PurePosixPath():
            return tuple(patterns)
        folder = re.sub(r"[*?{]", "?", str(self.folder))  # a sign that has a meaning in patterns: any one sign
        if not patterns:
            return (f"{folder}/**",)
        return tuple(
            f"{folder}/{pattern.lstrip('/')}" if "/" in pattern.rstrip("/") else f"{folder}/**/{pattern}"
            for pattern in patterns
        )


def locate(named: str | None, project: str | None = None) -> Place:
    """Find the project of a folder that was named, of `--project`, or of the current folder."""
    directory = _directory(named if named is not None else project or ".")
    root = root_of(project if project is not None and named is None else str(directory))
    if named is None:
        return Place(root, PurePosixPath())
    return Place(root, PurePosixPath(directory.relative_to(root).as_posix()))


def root_of(project: str | None) -> Path:
    """Return the root of the project that holds a folder, or the current folder."""
    from codeseek.walker import find_root

    return find_root(_directory(project or "."))


def _directory(name: str) -> Path:
    """Return a folder's real path; raises `UsageError` or `ProjectError` where there is none to read."""
    try:
        path = Path(name).resolve(strict=True)
        if not path.is_dir():
            raise UsageError(f"`{name}` is not a folder", "name the folder that holds it")
    except FileNotFoundError as error:
        raise UsageError(f"there is no folder `{name}`", "check how it is spelt") from error
    except (OSError, ValueError) as error:
        raise ProjectError(f"cannot open `{name}`: {getattr(error, 'strerror', None) or error}") from error
    if not os.access(path, os.R_OK | os.X_OK):
        raise ProjectError(f"`{name}` cannot be read: permission denied", "ask its owner, or name another folder")
    return path
