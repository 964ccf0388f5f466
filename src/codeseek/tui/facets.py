"""Facets: the filters that there are, with how many of the best hits are such, and how much of the index is."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from codeseek.errors import CodeseekError
from codeseek.languages import language_of
from codeseek.records import KINDS, Hit, SearchResult, Status
from codeseek.tui import filters
from codeseek.tui.asking import MOST, Question
from codeseek.tui.filters import Filter
from codeseek.tui.picker import Item
from codeseek.tui.strings import say

_FOLDERS, _FOLDERS_WITHOUT = 12, 6
_AGES = (("1h", 3_600), ("1d", 86_400), ("1w", 7 * 86_400), ("1mo", 30 * 86_400), ("1y", 365 * 86_400))
_NAMES = {"kind": ("kind",), "lang": ("lang",), "path": ("path", "-path"), "changed": ("changed",)}
"""The filters of each facet: what it counts must not be narrowed by them."""


class Counts(NamedTuple):
    """How many hits there are of each kind, in each folder and changed since each age, and how many files in each language."""

    kinds: Counter[str]
    languages: Counter[str]
    folders: Counter[str]
    ages: Counter[str]


def of_hits(hits: Sequence[Hit]) -> Counts:
    """Count hits at once, but for the times of their files."""
    files = {hit.chunk.path: language_of(hit.chunk.path) or hit.chunk.language for hit in hits}
    return Counts(
        Counter(hit.chunk.kind for hit in hits),
        Counter(files.values()),
        Counter(map(_folder, hits)),
        Counter(),
    )


def of_answer(
    question: Question,
    ask: Callable[[Question], SearchResult],
    file: Callable[[PurePosixPath], Path],
    superseded: Callable[[], bool],
) -> Counts | None:
    """Count the best hits of a question, each facet without its own filters; None when that is wanted no more."""
    answers: dict[str, tuple[Hit, ...]] = {}
    hits: dict[str, tuple[Hit, ...]] = {}
    for facet, names in _NAMES.items():
        kept = [one for one in filters.active(question.text) if one.name not in names]
        text = filters.written(filters.words(question.text), kept)
        if text not in answers:
            if superseded():
                return None
            answers[text] = ()
            with contextlib.suppress(CodeseekError):
                answers[text] = ask(dataclasses.replace(question, text=text, limit=MOST, explain=False)).hits
        hits[facet] = answers[text]
    now, ages = time.time(), Counter[str]()
    for hit in hits["changed"]:
        with contextlib.suppress(OSError, ValueError):
            age = now - file(hit.chunk.path).stat().st_mtime
            ages.update(name for name, length in _AGES if age <= length)
    by_kind, by_language, by_folder = (of_hits(hits[facet]) for facet in ("kind", "lang", "path"))
    return Counts(by_kind.kinds, by_language.languages, by_folder.folders, ages)


def items(text: str, counts: Counts, status: Status | None) -> list[Item]:
    """Return the filters to choose from: those in a query first, then the others, the most frequent first."""
    active = filters.active(text)
    kinds, languages = (status.kinds, status.languages) if status else ({}, {})
    groups: dict[str, list[tuple[Filter, int, int]]] = {
        "facet-kind": [
            (Filter("kind", kind), counts.kinds[kind], kinds.get(kind, 0))
            for kind in sorted(KINDS, key=lambda kind: (-counts.kinds[kind], -kinds.get(kind, 0)))
        ],
        "facet-language": [
            (Filter("lang", name), counts.languages[name], languages.get(name, 0))
            for name in dict.fromkeys([*(name for name, _ in counts.languages.most_common()), *languages])
        ],
        "facet-folder": [
            (Filter("path", f"{name}/**"), count, 0) for name, count in counts.folders.most_common(_FOLDERS) if name
        ],
        "facet-changed": [(Filter("changed", name), counts.ages[name], 0) for name, _ in _AGES],
    }
    groups["facet-without"] = [
        (Filter("-path", one.value), count, 0) for one, count, _ in groups["facet-folder"][:_FOLDERS_WITHOUT]
    ]
    listed = {one for group in groups.values() for one, _, _ in group}
    made = [
        Item(one, f"{one.name}:{one.value}", "", on=True, group=say("facet-on")) for one in active if one not in listed
    ]
    for group, members in groups.items():
        made += [
            Item(one, f"{one.name}:{one.value}", _note(count, total), on=one in active, group=say(group))
            for one, count, total in members
        ]
    return made


def _note(count: int, total: int) -> str:
    """Say how many chunks or files that a filter names there are among the best hits, and in the index."""
    return f"{f'{count:,}' if count else '·'} {f'{total:,}' if total else '':>9}"


def _folder(hit: Hit) -> str:
    parts = hit.chunk.path.parts
    return "/".join(parts[: min(2, len(parts) - 1)])
