"""Tells a listener how far long work has come, often but not too often."""

from __future__ import annotations

import time

from codeseek.records import Phase, Progress, ProgressListener

_PROGRESS_S = 0.05


class Reporter:
    """Tells a listener how far the work is, often but not too often."""

    def __init__(self, listener: ProgressListener | None) -> None:
        self._listener = listener
        self._said = 0.0
        self._phase: Phase = "scan"
        self._total: int | None = None
        self._done = 0
        self._path = ""
        self.chunks = 0

    def start(self, phase: Phase, total: int | None = None) -> None:
        """Begin a part of the work."""
        self._phase, self._total, self._done, self._path, self._said = phase, total, 0, "", 0.0
        self.advance(0)

    def advance(self, count: int, path: str = "") -> None:
        """Say that more is done."""
        self._done += count
        self._path = path or self._path
        now = time.monotonic()
        if self._listener is not None and (now - self._said >= _PROGRESS_S or self._done == self._total):
            self._said = now
            done = self._done if self._total is None else min(self._done, self._total)
            self._listener(Progress(self._phase, done, self._total, self.chunks, self._path))
