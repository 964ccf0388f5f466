"""Where a command works: the project, and the folder in it that was named."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from codeseek import everywhere, settings
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
    if named is None:
        return Place(root_of(project), PurePosixPath())
    directory = _directory(named)
    root = root_of(str(directory))
    return Place(root, PurePosixPath(directory.relative_to(root).as_posix()))


def root_of(project: str | None) -> Path:
    """Return the root of a project by a folder in it (the current one for None), or by its name if it is indexed.

    A folder outside every repository is a project of its own, unless one around it is indexed.
    """
    from codeseek.walker import find_root, is_root

    if project is not None and not os.path.isdir(project) and (root := indexed().get(project)) is not None:
        return root
    directory = _directory(project or ".")
    root = find_root(directory)
    if root == directory and not is_root(root):
        known = settings.load()
        around = (folder for folder in (root, *root.parents[:-1]) if folder != Path.home())
        return next((folder for folder in around if known.index_directory(folder).is_dir()), root)
    return root


def indexed() -> dict[str, Path]:
    """Return the projects that are indexed and still there, by their names."""
    from codeseek import store

    known = store.catalogue(settings.load().data_dir)
    return everywhere.named(one.root for one in known if not one.problem and one.root.is_dir())


def roots_of(projects: Sequence[str]) -> dict[str, Path]:
    """Return projects by name: those that were named, by a folder or as they are called, or else all that are indexed.

    Raises `UsageError` for one that is not there and `ProjectError` where none is indexed.
    """
    known = indexed()
    if not projects:
        if not known:
            raise ProjectError("no project is indexed", "`codeseek index` makes an index")
        return known
    chosen = {root_of(project) for project in projects}
    return {name: root for name, root in everywhere.named({*known.values(), *chosen}).items() if root in chosen}


def _spelt(name: str) -> str:
    """Say what else may be meant: projects that are called so in full, or any that is indexed."""
    alike = [label for label, root in indexed().items() if root.name == name]
    if alike:
        return f"{len(alike)} projects are called so: {', '.join(f'`{label}`' for label in alike)}"
    return "check how it is spelt; `codeseek list` names the projects that are indexed"


def _directory(name: str) -> Path:
    """Return a folder's real path; raises `UsageError` or `ProjectError` where there is none to read."""
    try:
        path = Path(name).resolve(strict=True)
        if not path.is_dir():
            raise UsageError(f"`{name}` is not a folder", "name the folder that holds it")
    except FileNotFoundError as error:
        raise UsageError(f"there is no folder `{name}`", _spelt(name)) from error
    except (OSError, ValueError) as error:
        raise ProjectError(f"cannot open `{name}`: {getattr(error, 'strerror', None) or error}") from error
    if not os.access(path, os.R_OK | os.X_OK):
        raise ProjectError(f"`{name}` cannot be read: permission denied", "ask its owner, or name another folder")
    return path
