"""An engine that is kept: its project is watched, so that nothing need be looked at before each answer."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from codeseek.daemon.shelf import Shelf
from codeseek.embedders import Choice
from codeseek.errors import BusyError, CodeseekError
from codeseek.local import LocalEngine
from codeseek.records import (
    WHOLE,
    Chunk,
    DuplicatesRequest,
    DuplicatesResult,
    EmbedSummary,
    Progress,
    ProgressListener,
    RefreshSummary,
    SearchRequest,
    SearchResult,
    SimilarRequest,
    Status,
    TokenCounts,
)
from codeseek.settings import Settings
from codeseek.store import DATABASE
from codeseek.watcher import News, Watcher

MOST_EMBEDDED = 2_000
"""Chunks; what a change leaves for the chosen model is read without being asked for, unless it is more than that."""


class KeptEngine:
    """A `LocalEngine` that is watched from its first refresh on, and whose chosen model keeps up with small changes."""

    def __init__(self, root: Path, settings: Settings, shelf: Shelf) -> None:
        self._engine = LocalEngine(root, settings, load_chosen=functools.partial(shelf.lend, Choice.of(settings)))
        self._root = root
        self._index = settings.index_directory(root)
        self._guard = threading.Lock()  # over the watcher
        self._watcher: Watcher | None = None
        self._refreshing = threading.Lock()  # the watcher's refresh and one that was asked for are one after the other
        self._begun = self._done = 0  # refreshes: how many have begun, and which of the whole was the last to end
        self._files = self._skipped = 0  # as that one counted them
        self._embedding = threading.Lock()  # one at a time, whoever wants it
        self._wanted = threading.Event()  # somebody waits for their turn to embed, or all ends
        self._closed = False

    def search(self, request: SearchRequest) -> SearchResult:
        """Answer from the index as it is."""
        return self._answered(lambda: self._engine.search(request))

    def similar(self, request: SimilarRequest) -> SearchResult:
        """Find chunks that mean the same as the one at a place."""
        return self._answered(lambda: self._engine.similar(request))

    def chunks(self, path: PurePosixPath, first_line: int, last_line: int) -> tuple[Chunk, ...]:
        """Return what is indexed of these lines of a file."""
        return self._engine.chunks(path, first_line, last_line)

    def count_tokens(self, texts: Sequence[str]) -> TokenCounts:
        """Count the tokens of texts."""
        return self._engine.count_tokens(texts)

    def duplicates(self, request: DuplicatesRequest, listener: ProgressListener | None = None) -> DuplicatesResult:
        """Find passages and files that are nearly the same."""
        return self._engine.duplicates(request, listener)

    def refresh(
        self, listener: ProgressListener | None = None, *, under: PurePosixPath = WHOLE, thorough: bool = False
    ) -> RefreshSummary:
        """Bring the index up to date, which it is already when nothing has happened since."""
        with self._guard:
            current = self._watcher is not None and self._watcher.is_current and (self._index / DATABASE).exists()
        if current and not thorough:
            return RefreshSummary(unchanged=self._files, skipped=self._skipped)
        begun = self._begun
        with self._refreshing:
            if self._done > begun and not thorough:  # one that began after this was asked for has just ended
                summary = RefreshSummary(unchanged=self._files, skipped=self._skipped)
            else:
                summary = self._refreshed(listener, under=under, thorough=thorough)
        with self._guard:
            if self._watcher is None and not self._closed:
                self._watcher = Watcher(self._root, self._index, self._watched_refresh, self._hear)
                self._watcher.start()
        return summary

    def embed(self, listener: ProgressListener | None = None) -> EmbedSummary:
        """Give the chunks that lack one a vector of the chosen model."""

        def listen(progress: Progress) -> None:
            if self._closed:
                raise KeyboardInterrupt
            if listener is not None:
                listener(progress)

        self._wanted.set()
        with self._embedding:
            self._wanted.clear()
            return self._engine.embed(listen)

    def status(self) -> Status:
        """Say what the index holds and how it is."""
        return self._engine.status()

    def close(self) -> None:
        """Watch nothing, end what goes on, and let go of files and memory."""
        with self._guard:
            self._closed = True
            watcher = self._watcher
        self._wanted.set()
        if watcher is not None:
            watcher.close()
        with self._embedding:
            self._engine.close()

    def _answered(self, ask: Callable[[], SearchResult]) -> SearchResult:
        """Ask, and once more after the watcher's refresh where that was at it while a part had to be mended."""
        try:
            return ask()
        except BusyError:
            with self._refreshing:
                return ask()

    def _watched_refresh(self, listener: ProgressListener) -> RefreshSummary:
        with self._refreshing:
            return self._refreshed(listener)

    def _refreshed(
        self, listener: ProgressListener | None, *, under: PurePosixPath = WHOLE, thorough: bool = False
    ) -> RefreshSummary:
        """Look at the files; the caller holds `_refreshing`."""
        self._begun += 1
        number = self._begun
        summary = self._engine.refresh(listener, under=under, thorough=thorough)
        if under == WHOLE:
            self._done = number
            self._files, self._skipped = summary.added + summary.changed + summary.unchanged, summary.skipped
        return summary

    def _hear(self, news: News) -> None:
        """Remember what the watcher found, and let the chosen model read what is new."""
        if not isinstance(news, RefreshSummary):
            return
        if news.added or news.changed:
            threading.Thread(target=self._catch_up, name=f"embed {self._root.name}", daemon=True).start()

    def _catch_up(self) -> None:
        if not self._embedding.acquire(blocking=False):
            return
        try:
            with contextlib.suppress(CodeseekError, KeyboardInterrupt):
                for model in self._engine.status().models:
                    if model.chosen and 0 < model.chunks - model.covered <= min(MOST_EMBEDDED, model.covered):
                        self._engine.embed(self._unless_wanted)
        finally:
            self._embedding.release()

    def _unless_wanted(self, _: Progress) -> None:
        """Make room for whoever wants the model."""
        if self._wanted.is_set():
            raise KeyboardInterrupt
