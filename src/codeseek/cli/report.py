"""A result with what a reader needs beside it: the question, the place and how to show paths."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from codeseek import documents
from codeseek.records import SearchResult


class Report(NamedTuple):
    """What every output format is made from. `directory` is where the reader is."""

    result: SearchResult
    query: str
    root: Path
    directory: Path
    explain: bool = False

    def path(self, path: PurePosixPath) -> str:
        """Return a hit's path as the reader would type it here."""
        relative = os.path.relpath(self.root / path, self.directory)
        far = os.path.join(*[os.pardir] * 3)
        return str(self.root / path) if relative.startswith(far) else relative

    def uri(self, path: PurePosixPath, anchor: str = "") -> str:
        """Return a hit's path as a link, to the page where that is known."""
        return (self.root / path).as_uri() + documents.fragment(anchor)
