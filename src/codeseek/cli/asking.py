"""What is asked on the command line: of which projects, with what filters; and the engine's answer, after a refresh."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from codeseek import query, settings
from codeseek.cli import diagnostics
from codeseek.cli.place import Place, locate, roots_of
from codeseek.engine import Engine
from codeseek.errors import BusyError, StoreError, UsageError
from codeseek.everywhere import Everywhere
from codeseek.records import UNFINISHED, WHOLE, SearchRequest, SearchResult, SimilarRequest
from codeseek.settings import Settings

if TYPE_CHECKING:
    from codeseek.cli.commands.options import Narrowing, Projects

_LONGEST_STDIN = 100_000
"""Bytes: no question is as long, and the search itself takes less."""

OpenEngine = Callable[[Path, Settings], Engine]


class Where(NamedTuple):
    """What is asked: the project at `root`, or several `projects` by name."""

    root: Path
    projects: Mapping[str, Path] = {}

    def settings(self, flags: Mapping[str, object]) -> Settings:
        """Return the settings of the project, those of the user for several; raises `UsageError` for no project."""
        if self.projects:
            return settings.load(None, flags)
        chosen = settings.load(self.root, flags)
        if self.root in (Path.home(), Path(self.root.anchor)) and not chosen.index_directory(self.root).is_dir():
            raise UsageError(
                f"`{self.root}` is no project", "go to one or name one with `-C DIR`; `codeseek index` takes any folder"
            )
        return chosen

    def opened(self, open_engine: OpenEngine, flags: Mapping[str, object]) -> AbstractContextManager[Engine]:
        """Open an engine until the block ends."""
        if self.projects:
            return closing(Everywhere(self.projects, lambda root: open_engine(root, settings.load(root, flags))))
        return closing(open_engine(self.root, self.settings(flags)))


class Asked(NamedTuple):
    """A question as `typed`, and what it asks for."""

    typed: str
    request: SearchRequest
    where: Where


def question(words: Sequence[str], narrowing: Narrowing, projects: Projects, *, from_stdin: bool = False) -> Asked:
    """Understand the words of a command line; the last is a PATH if it is a folder and one project is asked."""
    typed, folder = (" ".join(words), None) if projects.are_several else _split(words, alone=from_stdin)
    parsed = query.parse(typed)
    if from_stdin:
        read = query.literal(sys.stdin.buffer.read(_LONGEST_STDIN).decode("utf-8", "replace"))
        typed = f"{typed} {read}".strip()
        parsed = parsed._replace(words=f"{parsed.words} {read}".strip())
    query.checked(parsed.words, typed)
    if projects.are_several:
        place, where = Place(Path(), WHOLE), Where(Path(), roots_of(projects.named))
    else:
        place = locate(folder, projects.one)
        where = Where(place.root)
    exclude = (*narrowing.exclude, *parsed.exclude)
    request = SearchRequest(
        parsed.words,
        languages=(*narrowing.languages, *parsed.languages),
        kinds=(*narrowing.kinds, *parsed.kinds),
        paths=place.paths((*narrowing.paths, *parsed.paths)),
        exclude=place.paths(exclude) if exclude else (),
        changed_since=max(filter(None, (narrowing.changed_since, parsed.changed_since)), default=None),
    )
    return Asked(typed, request, where)


def answer(engine: Engine, request: SearchRequest | SimilarRequest, *, refresh: bool) -> SearchResult:
    """Refresh and ask; where the index cannot be brought up to date, answer from it as it is and say so.

    Nothing found in a first index that another process is writing is no answer: raises `BusyError`.
    """
    failed = refreshed(engine) if refresh else None
    try:
        result = engine.search(request) if isinstance(request, SearchRequest) else engine.similar(request)
    except StoreError as error:
        raise failed or error from error
    if failed is None:
        return result
    if isinstance(failed, BusyError) and not result.hits and _is_unfinished(result):
        hint = "wait until it ends; `codeseek status` tells how far it is"
        raise BusyError(f"nothing found yet: {failed.message}", hint) from failed
    return result._replace(freshness="unknown", degraded=(*result.degraded, f"not refreshed: {failed.message}"))


def refreshed(engine: Engine) -> StoreError | None:
    """Bring an index up to date, and say so where it took long; return what kept it from that."""
    try:
        with diagnostics.ProgressBar() as bar:
            summary = engine.refresh(bar)
        if (summary.added and not summary.unchanged) or summary.rebuilt or summary.elapsed_s > 2:
            diagnostics.refreshed(summary)
    except StoreError as error:
        return error
    return None


def advice(request: SearchRequest | SimilarRequest, result: SearchResult) -> str:
    """Say what to try after nothing was found."""
    if _is_unfinished(result):
        return "let `codeseek index` go on with it"
    if request.languages or request.kinds or request.paths or request.exclude or request.changed_since:
        return "search without filters, or see with `codeseek status` what is indexed"
    return "use other words, or see with `codeseek status` what is indexed"


def here(fallback: Path) -> Path:
    """Return the current folder; another one where that is gone."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return fallback


def _is_unfinished(result: SearchResult) -> bool:
    """Tell whether the first index, or that of one of several projects, is unfinished."""
    return any(reason.endswith(UNFINISHED) for reason in result.degraded)


def _split(words: Sequence[str], *, alone: bool = False) -> tuple[str, str | None]:
    """Tell the query from the PATH: the last word is one if it is a folder and not the only word, or may stand alone."""
    if len(words) > (not alone) and words[-1] and os.path.isdir(words[-1]):
        return " ".join(words[:-1]), words[-1]
    return " ".join(words), None
