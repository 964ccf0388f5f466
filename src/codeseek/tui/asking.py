"""Questions to the engine: a search, or the likes of a place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from codeseek import query, snippets
from codeseek.engine import Engine
from codeseek.records import Hit, SearchRequest, SearchResult, SimilarRequest
from codeseek.tui import filters

PAGE = 40
"""Hits that are asked for at first, and again whenever the end is near."""
MOST = 400
LONGEST = 2_000
"""Characters of a pasted text that are a question."""


@dataclass(frozen=True)
class Question:
    """What is asked: the text as typed, or the likes of a place in a file narrowed by the text's filters.

    `number` tells a later question from an earlier one; `quiet` ones are asked again after files have changed, and leave
    the cursor where it is; `deep` ones are put to the slower model too.
    """

    number: int
    text: str
    place: tuple[PurePosixPath, int] | None = None
    limit: int = PAGE
    per_file: int = 1
    quiet: bool = False
    explain: bool = False
    deep: bool = False

    @property
    def has_words(self) -> bool:
        """Whether there is something to look for."""
        return self.place is not None or any(character.isalnum() for character in filters.words(self.text))


def ask(engine: Engine, question: Question) -> SearchResult:
    """Put a question to the engine; raises `CodeseekError`."""
    parsed = query.parse(question.text[:LONGEST])
    if question.place is not None:
        path, line = question.place
        return engine.similar(
            SimilarRequest(
                path,
                line,
                limit=question.limit,
                languages=parsed.languages,
                kinds=parsed.kinds,
                paths=parsed.paths,
                exclude=parsed.exclude,
                changed_since=parsed.changed_since,
            )
        )
    return engine.search(
        SearchRequest(
            query.checked(parsed.words),
            limit=question.limit,
            languages=parsed.languages,
            kinds=parsed.kinds,
            paths=parsed.paths,
            exclude=parsed.exclude,
            per_file=question.per_file,
            explain=question.explain,
            quick=not question.deep,
            changed_since=parsed.changed_since,
        )
    )


def place(hit: Hit) -> tuple[PurePosixPath, str, int]:
    """Return what a hit is known by while its score changes."""
    return hit.chunk.path, hit.chunk.symbol, hit.chunk.first_line


def line_of(hit: Hit) -> int:
    """Return the line of a hit to which an editor goes: the one that defines or heads it."""
    lines = snippets.choose(hit.chunk, None, most=1)
    return lines[0].number if lines else hit.chunk.first_line
