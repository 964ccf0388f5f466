"""Several projects as one: their engines asked in turn, their answers joined, each path beginning with its project."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple, TypeVar

from codeseek.engine import Engine
from codeseek.errors import CodeseekError, ProjectError, UsageError
from codeseek.records import (
    WHOLE,
    Chunk,
    Cluster,
    DuplicatesRequest,
    DuplicatesResult,
    EmbedSummary,
    Freshness,
    Hit,
    Origin,
    ProgressListener,
    RefreshSummary,
    SearchRequest,
    SearchResult,
    SimilarRequest,
    Status,
    TokenCounts,
)

_SHARPNESS = 14.0
"""How much more a project counts for one whose best hits are nearer in meaning: e to so many times the cosines' difference."""
_TELLING = 3
"""Hits that say how near a project comes."""

Request = TypeVar("Request", SearchRequest, SimilarRequest)


class Member(NamedTuple):
    """A project among others."""

    root: Path
    engine: Engine


def named(roots: Iterable[Path]) -> dict[str, Path]:
    """Return projects by a short name each: its folder's, with the folder around it where several are called so."""
    found: dict[str, Path] = {}
    listed = sorted(roots)
    common = Counter(root.name for root in listed)
    for root in listed:
        name = label = (
            root.name if common[root.name] == 1 and root.name else f"{root.parent.name}-{root.name or 'root'}"
        )
        number = 1
        while label in found:
            number += 1
            label = f"{name}-{number}"
        found[label] = root
    return found


def locate(path: PurePosixPath, projects: Mapping[str, Path]) -> Origin:
    """Tell the project of a path that begins with one from the path in it."""
    name, *rest = path.parts
    return Origin(name, projects[name], PurePosixPath(*rest))


class Everywhere:
    """An engine over projects by name; engines are opened with the first question."""

    def __init__(self, projects: Mapping[str, Path], open_engine: Callable[[Path], Engine]) -> None:
        self.projects = projects
        self.members = {name: Member(root, open_engine(root)) for name, root in projects.items()}

    def search(self, request: SearchRequest) -> SearchResult:
        """Ask every project; raises what the last one says if none answers."""
        began = time.perf_counter()
        answers, problems = {}, []
        for label, member in self.members.items():
            own = self._narrowed(label, request._replace(explain=True))
            if own is None:
                continue
            try:
                answers[label] = member.engine.search(own)
            except UsageError:
                raise
            except CodeseekError as error:
                problems.append((label, error))
        if not answers and problems:
            raise problems[-1][1]
        joined = self._joined(answers, request.limit)
        if not request.explain:
            joined = tuple(hit._replace(why={}) for hit in joined)
        weaker = [f"{label}: {text}" for label, one in answers.items() for text in one.degraded]
        weaker += [f"{label}: {error.message}" for label, error in problems]
        return SearchResult(
            joined,
            tier=", ".join(dict.fromkeys(one.tier for one in answers.values())),
            freshness=_freshness(one.freshness for one in answers.values()),
            indexed_at=max((one.indexed_at for one in answers.values() if one.indexed_at), default=None),
            degraded=tuple(weaker),
            terms=tuple(dict.fromkeys(term for one in answers.values() for term in one.terms)),
            elapsed_ms=(time.perf_counter() - began) * 1000,
            coverage=min((one.coverage for one in answers.values()), default=1.0),
            notes=tuple(dict.fromkeys(note for one in answers.values() for note in one.notes)),
        )

    def similar(self, request: SimilarRequest) -> SearchResult:
        """Ask the project in which the place is."""
        label = request.path.parts[0] if request.path.parts else ""
        if label not in self.members:
            raise UsageError(f"`{label}` is none of the projects", "name a place of a hit")
        inner = locate(request.path, self.projects).path
        own = self._narrowed(label, request)
        if own is None:
            return SearchResult((), tier="")
        found = self.members[label].engine.similar(own._replace(path=inner))
        return found._replace(hits=tuple(_named(hit, label) for hit in found.hits))

    def chunks(self, path: PurePosixPath, first_line: int, last_line: int) -> tuple[Chunk, ...]:
        """Read in the project in which the file is."""
        label = path.parts[0] if path.parts else ""
        if label not in self.members:
            return ()
        found = self.members[label].engine.chunks(locate(path, self.projects).path, first_line, last_line)
        return tuple(chunk._replace(path=path) for chunk in found)

    def count_tokens(self, texts: Sequence[str]) -> TokenCounts:
        """Count by the first project's model, which is that of all."""
        return next(iter(self.members.values())).engine.count_tokens(texts)

    def duplicates(self, request: DuplicatesRequest, listener: ProgressListener | None = None) -> DuplicatesResult:
        """Find what is nearly the same within each project."""
        found = {name: member.engine.duplicates(request, listener) for name, member in self.members.items()}
        clusters = [_cluster_in(name, cluster) for name, one in found.items() for cluster in one.clusters]
        clusters.sort(key=lambda cluster: -cluster.lines)
        return DuplicatesResult(
            tuple(clusters[: request.limit]),
            compared=sum(one.compared for one in found.values()),
            left_off=sum(one.left_off for one in found.values()) + max(0, len(clusters) - request.limit),
            freshness=_freshness(one.freshness for one in found.values()),
            indexed_at=max((one.indexed_at for one in found.values() if one.indexed_at), default=None),
            elapsed_ms=sum(one.elapsed_ms for one in found.values()),
        )

    def refresh(
        self, listener: ProgressListener | None = None, *, under: PurePosixPath = WHOLE, thorough: bool = False
    ) -> RefreshSummary:
        """Bring every index up to date; a project that fails does not keep the others from it."""
        done, problems = [], []
        for member in self.members.values():
            try:
                done.append(member.engine.refresh(listener, under=under, thorough=thorough))
            except CodeseekError as error:
                problems.append(error)
        if problems and not done:
            raise problems[-1]
        return RefreshSummary(
            added=sum(one.added for one in done),
            changed=sum(one.changed for one in done),
            removed=sum(one.removed for one in done),
            unchanged=sum(one.unchanged for one in done),
            skipped=sum(one.skipped for one in done),
            chunks=sum(one.chunks for one in done),
            elapsed_s=sum(one.elapsed_s for one in done),
            rebuilt=tuple(name for one in done for name in one.rebuilt),
        )

    def embed(self, listener: ProgressListener | None = None) -> EmbedSummary:
        """Give every index what the chosen model does not know yet."""
        done = [member.engine.embed(listener) for member in self.members.values()]
        return EmbedSummary(
            ", ".join(dict.fromkeys(one.model for one in done)),
            embedded=sum(one.embedded for one in done),
            covered=sum(one.covered for one in done),
            chunks=sum(one.chunks for one in done),
            elapsed_s=sum(one.elapsed_s for one in done),
            notes=tuple(dict.fromkeys(note for one in done for note in one.notes)),
        )

    def status(self) -> Status:
        """Say what all of them hold."""
        told, unread = [], {}
        for label, member in self.members.items():
            try:
                told.append(member.engine.status())
            except CodeseekError:
                continue
            unread.update({f"{label}/{path}": reason for path, reason in told[-1].unread.items()})
        if not told:
            raise ProjectError("no project is indexed", "index one with `codeseek index`")
        return told[0]._replace(
            files=sum(one.files for one in told),
            chunks=sum(one.chunks for one in told),
            languages=_summed(one.languages for one in told),
            kinds=_summed(one.kinds for one in told),
            skipped=_summed(one.skipped for one in told),
            size_bytes=sum(one.size_bytes for one in told),
            stale_files=sum(one.stale_files for one in told),
            freshness=_freshness(one.freshness for one in told),
            indexed_at=max((one.indexed_at for one in told if one.indexed_at), default=None),
            unread=unread,
        )

    def close(self) -> None:
        """Let go of all of them."""
        for member in self.members.values():
            member.engine.close()

    def _joined(self, answers: Mapping[str, SearchResult], limit: int) -> tuple[Hit, ...]:
        """Merge answers: each keeps its order, and a project counts the more the nearer its best hits are in meaning.

        What lies in two projects, of which one holds the other, is found in one of them, in the inner one if both say the same.
        """
        near = {}
        for label, answer in answers.items():
            cosines = [float(str(hit.why["cosine"])) for hit in answer.hits[:_TELLING] if "cosine" in hit.why]
            near[label] = max(cosines, default=0.0)
        best = max(near.values(), default=0.0)
        keyed = []
        for label, answer in answers.items():
            weight = math.exp(_SHARPNESS * (near[label] - best))
            keyed += [((rank + 0.5) / weight, label, weight, hit) for rank, hit in enumerate(answer.hits)]
        roots = {label: self.members[label].root for label in answers}
        keyed.sort(key=lambda one: (one[0], -len(roots[one[1]].parts), one[1]))
        hits: list[Hit] = []
        owners: dict[Path, str] = {}
        for _, label, weight, hit in keyed:
            if owners.setdefault(roots[label] / hit.chunk.path, label) == label:
                score = min(hits[-1].score if hits else 1.0, hit.score * weight)
                hits.append(_named(hit, label)._replace(score=score))
        return tuple(hits[:limit])

    def _narrowed(self, label: str, request: Request) -> Request | None:
        """Return a request with path patterns as one project sees them; None where they leave nothing of it."""
        paths = self._inside(label, request.paths)
        exclude = self._inside(label, request.exclude)
        if (request.paths and not paths) or "**" in exclude:
            return None
        return request._replace(paths=() if "**" in paths else paths, exclude=exclude)

    def _inside(self, label: str, patterns: Sequence[str]) -> tuple[str, ...]:
        """Return patterns that begin with no project, and those that begin with this one, without its name."""
        inside = []
        for pattern in patterns:
            head, _, rest = pattern.removeprefix("./").partition("/")
            if head not in self.members:
                inside.append(pattern)
            elif head == label:
                inside.append(rest or "**")
        return tuple(inside)


def _named(hit: Hit, label: str) -> Hit:
    return hit._replace(chunk=hit.chunk._replace(path=PurePosixPath(label) / hit.chunk.path))


def _cluster_in(name: str, cluster: Cluster) -> Cluster:
    return cluster._replace(
        members=tuple(member._replace(path=PurePosixPath(name) / member.path) for member in cluster.members)
    )


def _freshness(each: Iterable[Freshness]) -> Freshness:
    """Return the worst."""
    found = {*each}
    return "stale" if "stale" in found else "unknown" if "unknown" in found else "fresh"


def _summed(each: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in each:
        total.update(one)
    return dict(total.most_common())
