"""What is remembered from one time to the next: queries and preferences."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

_MOST = 1_000
_LONGEST = 500


class Memory:
    """Keeps queries and preferences in a folder of the user's own; a folder that cannot be written is no failure."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._queries: list[str] | None = None
        self._last = ""

    # ------------------------------------------------------------ queries

    @property
    def queries(self) -> list[str]:
        """The earlier queries, the latest first, each once."""
        if self._queries is None:
            self._queries = [line for line in self._read("history").splitlines() if line.strip()]
        return [*dict.fromkeys(reversed(self._queries))]

    def remember(self, text: str) -> None:
        """Keep a query; it replaces the one before it if that was its beginning."""
        text = " ".join(text.split())[:_LONGEST]
        queries = [*reversed(self.queries)]
        if not text or (queries and queries[-1] == text):
            return
        if queries and self._last and queries[-1] == self._last and text.startswith(self._last):
            queries.pop()
        self._last = text
        self._queries = [*(query for query in queries if query != text), text][-_MOST:]
        self._write("history", "".join(f"{query}\n" for query in self._queries))

    # ------------------------------------------------------------ preferences

    def preference(self, name: str, default: Any = None) -> Any:
        """Return what was preferred last."""
        return self._preferences().get(name, default)

    def prefer(self, name: str, value: object) -> None:
        """Keep a preference."""
        self._write("preferences.json", json.dumps(self._preferences() | {name: value}, indent=1) + "\n")

    def _preferences(self) -> dict[str, Any]:
        with contextlib.suppress(ValueError):
            found = json.loads(self._read("preferences.json") or "{}")
            if isinstance(found, dict):
                return found
        return {}

    # ------------------------------------------------------------ files

    def _read(self, name: str) -> str:
        try:
            return (self._directory / name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def _write(self, name: str, text: str) -> None:
        """Replace a file as a whole, readable by its owner only."""
        with contextlib.suppress(OSError):
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._directory / f".{name}.{os.getpid()}"
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                file.write(text.encode("utf-8", "replace").decode("utf-8"))
            path.replace(self._directory / name)
