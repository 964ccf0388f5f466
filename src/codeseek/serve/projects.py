"""The projects being served: each with its engine, kept fresh by a watcher, and honest about how far that is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from codeseek import context as contexts
from codeseek import inside
from codeseek.context import Context
from codeseek.engine import Engine
from codeseek.errors import BusyError, CodeseekError, StoreError, UsageError
from codeseek.records import Chunk, Origin, Progress, SearchRequest, SearchResult, SimilarRequest, Status
from codeseek.settings import Settings
from codeseek.watcher import News, Polling, Watcher

Tell = Callable[[News], None]

_ID = re.compile(r"(.+):([1-9]\d{0,8})(?:-([1-9]\d{0,8}))?", re.DOTALL)


def chunk_id(chunk: Chunk) -> str:
    """Return what names a chunk as long as its file does not change: `src/store.py:12-21`."""
    return f"{chunk.path}:{chunk.first_line}-{chunk.last_line}"


class Project:
    """One project. Its methods may be called in several threads; `close` ends the watching, then the engine.

    With the setting `refresh` the index is made and kept up to date beside the questions, which are answered meanwhile
    from what there is. `tell` hears of every refresh, in a thread of its own. `name` is the folder's if it is left out.
    """

    def __init__(self, root: Path, chosen: Settings, engine: Engine, tell: Tell | None = None, name: str = "") -> None:
        self.root = root
        self.name = name or root.name
        self._engine = engine
        self._tell = tell
        self._watcher: Watcher | None = None
        self._progress: Progress | None = None
        self._complaint: CodeseekError | None = None
        self._fresh = not chosen.refresh  # the first refresh is over, or there will be none
        if chosen.refresh:
            self._watcher = Watcher(root, chosen.index_directory(root), engine.refresh, self._hear, self._listen)
            self._watcher.start()

    def origin(self, path: PurePosixPath) -> Origin:
        """Return where a hit's path lies."""
        return Origin(self.name, self.root, path)

    @property
    def building(self) -> str:
        """Say how far the first refresh has come; empty when it is over."""
        if self._fresh:
            return ""
        progress = self._progress
        if progress is None or not progress.total:
            return "the index is being built"
        return f"the index is being built: {progress.done:,} of {progress.total:,} files read"

    def search(self, request: SearchRequest) -> SearchResult:
        """Answer from the index as far as it is built; raises `StoreError` while there is nothing of it yet."""
        with self._told():
            return self._qualified(self._engine.search(request))

    def similar(self, request: SimilarRequest) -> SearchResult:
        """Find chunks that mean the same as the one at a place."""
        with self._told():
            return self._qualified(self._engine.similar(request))

    def chunks(self, path: PurePosixPath, first_line: int, last_line: int) -> tuple[Chunk, ...]:
        """Return what is indexed of these lines of a file."""
        with self._told():
            return self._engine.chunks(path, first_line, last_line)

    def context(self, query: str, request: SearchRequest, most: int) -> tuple[Context, SearchResult]:
        """Pack the best passages into a budget of `most` tokens, and return the search that they are from."""
        result = self.search(contexts.widened(request, most))
        return contexts.pack(query, result, most, self.origin, self._engine.count_tokens), result

    def chunk(self, identity: str) -> Chunk | None:
        """Return the chunk of an id, or the narrowest one at `path:line`; None where there is none."""
        path, first, last = self.place(identity)
        found = self.chunks(path, first, last or first)
        if last is not None:
            whole = tuple(chunk for chunk in found if (chunk.first_line, chunk.last_line) == (first, last))
            found = whole or tuple(part for chunk in found if (part := inside.at_lines(chunk, first, last)))
        return min(found, key=lambda chunk: (chunk.kind == "comment", chunk.last_line - chunk.first_line), default=None)

    def place(self, identity: str) -> tuple[PurePosixPath, int, int | None]:
        """Take `path:first-last` or `path:line` apart; raises `UsageError` for what is not of the project."""
        match = _ID.fullmatch(identity)
        if match is None:
            raise UsageError(f"`{identity}` names no lines", "write path:line or path:first-last")
        last = None if match[3] is None else int(match[3])
        if last is not None and last < int(match[2]):
            raise UsageError(f"`{identity}` ends before it begins", "write path:first-last")
        return self.relative(match[1]), int(match[2]), last

    def relative(self, path: str) -> PurePosixPath:
        """Return a path as the index knows it. No file is touched: what is not in the index cannot be read."""
        pure = PurePosixPath(path)
        if pure.is_relative_to(self.root.as_posix()):
            pure = pure.relative_to(self.root.as_posix())
        if pure.is_absolute() or ".." in pure.parts or "\0" in path:
            raise UsageError(f"`{path}` is not in the project", "name it from the project's root, as search does")
        return pure

    def status(self) -> Status:
        """Say what the index holds and how it is."""
        with self._told():
            status = self._engine.status()
        return status._replace(degraded=(*status.degraded, *self._weaknesses()))

    def close(self) -> None:
        """End a refresh that goes on, and let go of the engine."""
        if self._watcher is not None:
            self._watcher.close()
        self._engine.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say of an index that cannot be read yet why that is."""
        try:
            yield
        except StoreError as error:
            if self._complaint is not None:
                raise self._complaint from error
            if self.building:
                raise StoreError(self.building, "ask again in a moment") from error
            raise

    def _qualified(self, result: SearchResult) -> SearchResult:
        return result._replace(degraded=(*self._weaknesses(), *result.degraded))

    def _weaknesses(self) -> Iterator[str]:
        if self._complaint is not None:
            yield f"not refreshed: {self._complaint.message}"
        elif self._progress is not None and self.building:
            yield self.building

    def _listen(self, progress: Progress) -> None:
        if progress.phase == "index":
            self._progress = progress

    def _hear(self, news: News) -> None:
        if not isinstance(news, Polling):
            self._complaint = news if isinstance(news, CodeseekError) else None
            self._progress = None
            self._fresh = self._fresh or not isinstance(news, BusyError)  # which is tried again
        if self._tell is not None:
            self._tell(news)


class Projects:
    """The projects of one server by their names."""

    def __init__(self) -> None:
        self._named: dict[str, Project] = {}

    def add(self, project: Project) -> None:
        """Serve one more project, whose name no other has."""
        self._named[project.name] = project

    def named(self) -> list[tuple[str, Project]]:
        """Return every project with its name; the first is asked when none is named."""
        return list(self._named.items())

    def find(self, name: str = "") -> Project:
        """Return the project of a name or root, the first one if it is empty; raises `UsageError`."""
        if not name:
            return next(iter(self._named.values()))
        for known, project in self._named.items():
            if name in (known, str(project.root)):
                return project
        raise UsageError(f"no project `{name}` is served here", f"there is {', '.join(self._named)}")

    def close(self) -> None:
        """Close every project."""
        for project in self._named.values():
            project.close()
