"""Engine: the one interface that front ends program against."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Protocol

from codeseek.records import (
    WHOLE,
    Chunk,
    DuplicatesRequest,
    DuplicatesResult,
    EmbedSummary,
    ProgressListener,
    RefreshSummary,
    SearchRequest,
    SearchResult,
    SimilarRequest,
    Status,
    TokenCounts,
)


class Engine(Protocol):
    """Search over one project. Every method raises `CodeseekError` and nothing else that a user can cause."""

    def search(self, request: SearchRequest) -> SearchResult:
        """Answer from the index as it is; call `refresh` first for what is on disk now."""
        ...

    def similar(self, request: SimilarRequest) -> SearchResult:
        """Find chunks that mean the same as the one at a place."""
        ...

    def chunks(self, path: PurePosixPath, first_line: int, last_line: int) -> tuple[Chunk, ...]:
        """Return what is indexed of these lines of a file, in the order of lines; nothing where nothing is."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> TokenCounts:
        """Count the tokens of texts: by the chosen model's tokenizer where it has one, else by an estimate."""
        ...

    def duplicates(self, request: DuplicatesRequest, listener: ProgressListener | None = None) -> DuplicatesResult:
        """Find passages and files that are nearly the same, in the index as it is."""
        ...

    def refresh(
        self,
        listener: ProgressListener | None = None,
        *,
        under: PurePosixPath = WHOLE,
        thorough: bool = False,
    ) -> RefreshSummary:
        """Bring the index up to date with the files; a KeyboardInterrupt in it keeps what is done.

        `under` limits it to a folder; `thorough` also checks what was written before and builds what speeds up searching.
        """
        ...

    def embed(self, listener: ProgressListener | None = None) -> EmbedSummary:
        """Give the chunks that lack one a vector of the chosen model; a KeyboardInterrupt in it keeps what is done.

        It takes hours where model and project are large; searches go on meanwhile, and use what is there.
        """
        ...

    def status(self) -> Status:
        """Say what the index holds and how it is."""
        ...

    def close(self) -> None:
        """Let go of files, memory and workers; further calls are errors."""
        ...
