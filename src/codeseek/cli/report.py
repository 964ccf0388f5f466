"""A result with what a reader needs beside it: the question, the place and how to show paths."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from codeseek import documents
from codeseek.everywhere import locate
from codeseek.records import Origin, SearchResult


class Report(NamedTuple):
    """What every output format is made from. `directory` is where the reader is.

    With several `projects` by name, the paths of hits begin with one of them; `root` means nothing then.
    """

    result: SearchResult
    query: str
    root: Path
    directory: Path
    explain: bool = False
    projects: Mapping[str, Path] = {}

    def origin(self, path: PurePosixPath) -> Origin:
        """Return where a hit's path lies."""
        if self.projects:
            return locate(path, self.projects)
        return Origin(self.root.name, self.root, path)

    def project(self, path: PurePosixPath) -> str:
        """Return the name of a hit's project where there are several, else nothing."""
        return self.origin(path).project if self.projects else ""

    def path(self, path: PurePosixPath) -> str:
        """Return a hit's path as the reader would type it here."""
        _, root, inner = self.origin(path)
        relative = os.path.relpath(root / inner, self.directory)
        far = os.path.join(*[os.pardir] * 3)
        return str(root / inner) if relative.startswith(far) else relative

    def uri(self, path: PurePosixPath, anchor: str = "") -> str:
        """Return a hit's path as a link, to the page where that is known."""
        _, root, inner = self.origin(path)
        return (root / inner).as_uri() + documents.fragment(anchor)
