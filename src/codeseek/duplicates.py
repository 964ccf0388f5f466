"""Clusters of passages and files that are nearly the same, and what differs between them."""

from __future__ import annotations

import difflib
import itertools
import re
import textwrap
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from codeseek import likeness
from codeseek.progress import Reporter
from codeseek.records import CODE_KINDS, FILE, Chunk, Cluster, Duplicate, DuplicatesRequest, DuplicatesResult
from codeseek.store import Store
from codeseek.wildcards import glob_filter

_LEAST_WORDS, _LEAST_PROSE = 20, 40
"""Shorter code, such as a getter, and shorter prose, such as a list of parameters, is alike by chance or by necessity."""
_DIFF_LINES = 8
_LONGEST_LINE = 160
_LONGEST_DIFFED = 2_000  # lines

_GROUPS = {"comment": "comment", "section": "section", FILE: FILE}
"""Kinds that are compared among themselves only; all others are code."""

_VENDORED = re.compile(
    r"(?:^|/)(?:vendor|vendored|third[_-]?party|external|extern|node_modules|bower_components|generated|__generated__|_vendor"
    r"|gen|dist|autogen)/",
    re.IGNORECASE,
)
_LICENCE_FILE = re.compile(r"(?:.*[.-])?(?:licen[cs]e|copying|copyright|notice|unlicense)(?:[.-].*)?", re.IGNORECASE)
_LICENCE = re.compile(r"\bcopyright\b|\blicen[cs]ed?\b|\bspdx-|all rights reserved|版权|许可", re.IGNORECASE)


class _Unit(NamedTuple):
    """A text that is compared, without the text."""

    path: PurePosixPath
    first_line: int
    last_line: int
    language: str
    kind: str
    symbol: str
    anchor: str
    ids: tuple[int, ...]

    @property
    def lines(self) -> int:
        return self.last_line - self.first_line + 1


class _Group:
    """Units that are compared with each other."""

    def __init__(self) -> None:
        self.units: list[_Unit] = []
        self.bags = likeness.Bags()


def find(store: Store, request: DuplicatesRequest, reporter: Reporter) -> DuplicatesResult:
    """Find clusters, those first that would save most lines; raises `StoreError` when the index cannot be read."""
    started = time.perf_counter()
    groups = _gathered(store, request, reporter)
    families: list[list[_Unit]] = []
    for group in groups.values():
        found = group.bags.pairs(request.min_similarity)
        families += [[group.units[number] for number in family] for family in likeness.clusters(found)]
    families.sort(key=lambda family: (-_saved(family), family[0].path, family[0].first_line))
    families = _without_parts(families)
    clusters = [_cluster(store, family) for family in families[: request.limit]]
    return DuplicatesResult(
        tuple(clusters),
        sum(len(group.units) for group in groups.values()),
        len(families) - len(clusters),
        indexed_at=store.meta("indexed_at"),
        elapsed_ms=(time.perf_counter() - started) * 1000,
    )


# ------------------------------------------------------------ what is compared


def _gathered(store: Store, request: DuplicatesRequest, reporter: Reporter) -> dict[str, _Group]:
    """Read what is to be compared, in groups."""
    groups: defaultdict[str, _Group] = defaultdict(_Group)
    matches = glob_filter(request.paths, request.exclude)
    recent = None if request.changed_since is None else store.changed_since(request.changed_since)
    reporter.start("compare", store.size()[1])
    for segment in store.segments():
        for file, chunks in store.segment_files(segment):
            path = str(file.path)
            reporter.advance(len(chunks), path)
            if (
                (not request.languages or file.language in request.languages)
                and (recent is None or path in recent)
                and (request.vendored or not _VENDORED.search(path))
                and matches(path)
            ):
                for unit, words in _units(chunks, request):
                    group = groups[_GROUPS.get(unit.kind, "code")]
                    group.units.append(unit)
                    group.bags.add(words)
    return groups


def _units(chunks: Sequence[tuple[int, Chunk]], request: DuplicatesRequest) -> Iterator[tuple[_Unit, Sequence[str]]]:
    """Yield what of a file is compared, with its words."""
    if chunks[0][1].kind not in CODE_KINDS and _LICENCE_FILE.fullmatch(chunks[0][1].path.name):
        return
    words = {number: likeness.words(_without_licence(chunk)) for number, chunk in chunks}
    tiles = [(number, chunk) for number, chunk in chunks if chunk.kind != "comment"]
    comments = [[(number, chunk)] for number, chunk in chunks if chunk.kind == "comment"]
    named = [(pieces[0][1].kind, pieces) for pieces in (*comments, *_definitions(tiles))]
    for kind, pieces in (*named, (FILE, tiles)):
        own = [word for number, _ in pieces for word in words[number]]
        if kind not in request.kinds or len(own) < (_LEAST_WORDS if kind in CODE_KINDS else _LEAST_PROSE):
            continue
        (_, first), (_, last) = pieces[0], pieces[-1]
        if last.last_line - first.first_line + 1 >= request.min_lines:
            symbol, anchor = ("", "") if kind == FILE else (first.symbol, first.anchor)
            place = (first.path, first.first_line, last.last_line, first.language)
            yield _Unit(*place, kind, symbol, anchor, tuple(number for number, _ in pieces)), own


def _without_licence(chunk: Chunk) -> str:
    """Return a chunk's text without the comments at the head of a file, if they speak of a licence."""
    if chunk.first_line > 1 or not chunk.comments or chunk.text[: chunk.comments[0][0]].strip():
        return chunk.text
    end = 0
    for start, stop in chunk.comments:
        if chunk.text[end:start].strip():
            break
        end = stop
    return chunk.text[end:] if _LICENCE.search(chunk.text, 0, end) else chunk.text


def _definitions(tiles: Sequence[tuple[int, Chunk]]) -> Iterator[list[tuple[int, Chunk]]]:
    """Yield the chunks that a file is made of, those together into which one long definition was cut."""
    together: list[tuple[int, Chunk]] = []
    for number, chunk in tiles:
        before = together[-1][1] if together else None
        if before is not None and not (
            chunk.symbol and chunk.symbol == before.symbol and chunk.kind == before.kind and not chunk.definitions
        ):
            yield together
            together = []
        together.append((number, chunk))
    if together:
        yield together


# ------------------------------------------------------------ what is told


def _saved(family: Sequence[_Unit]) -> int:
    """Return how many lines would be saved if only the longest of a family stayed."""
    lines = [unit.lines for unit in family]
    return sum(lines) - max(lines)


def _without_parts(families: Sequence[list[_Unit]]) -> list[list[_Unit]]:
    """Leave out families that only repeat what one before says: each member lies in another member of that one."""
    kept: list[list[_Unit]] = []
    places: defaultdict[PurePosixPath, list[tuple[_Unit, int, int]]] = defaultdict(list)
    for family in families:
        around = [
            {
                number: member
                for other, number, member in places[unit.path]
                if other.first_line <= unit.first_line and unit.last_line <= other.last_line
            }
            for unit in family
        ]
        common = set(around[0]).intersection(*around[1:])
        if any(len({holding[number] for holding in around}) == len(family) for number in common):
            continue
        for member, unit in enumerate(family):
            places[unit.path].append((unit, len(kept), member))
        kept.append(family)
    return kept


def _cluster(store: Store, family: Sequence[_Unit]) -> Cluster:
    """Return a family with how alike its members are to the first, and what differs from it."""
    first, *others = family
    text = _text(store, first)
    words = Counter(likeness.words(text))
    members = [Duplicate(*first[:-1])]
    for unit in others:
        own = _text(store, unit)
        similarity = round(likeness.likeness(words, Counter(likeness.words(own))), 4)
        members.append(Duplicate(*unit[:-1], similarity, _differences(text, own)))
    members[1:] = sorted(members[1:], key=lambda member: (-member.similarity, member.path, member.first_line))
    return Cluster(tuple(members), _saved(family))


def _text(store: Store, unit: _Unit) -> str:
    chunks = store.chunks(unit.ids)
    texts = (chunks[number].text for number in unit.ids if number in chunks)
    return "".join(text if text.endswith("\n") else f"{text}\n" for text in texts)


def _differences(one: str, other: str) -> tuple[str, ...]:
    """Return the lines that differ, as a diff without anything around them, cut where it is long."""
    before, after = (textwrap.dedent(text).splitlines()[:_LONGEST_DIFFED] for text in (one, other))
    if before == after:
        return ()
    told = itertools.islice(difflib.unified_diff(before, after, n=0, lineterm=""), 2, None)  # two lines name the files
    found = (line for line in told if not line.startswith("@@"))
    lines = [line.rstrip()[:_LONGEST_LINE] for line in itertools.islice(found, _DIFF_LINES + 1)]
    return (*lines[:_DIFF_LINES], "…") if len(lines) > _DIFF_LINES else tuple(lines)
