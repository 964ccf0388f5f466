"""The best passages for a question in a budget of tokens: merged where they touch, none twice, for a language model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from codeseek import budget, markdown, schema, screen
from codeseek.records import Hit, Origin, SearchRequest, SearchResult, TokenCounts

LEAST_TOKENS, TOKENS, MOST_TOKENS = 200, 4_000, 1_000_000
"""What a budget can be, and what it is if nobody says."""

_LEAST_CUT = 60
"""A passage that is cut to fewer tokens tells nothing."""
_SHORT = 60
"""Tokens of a short passage: so many hits are asked for that such would fill the budget."""
_MOST_HITS = 200
_PER_FILE = 4
_TOLD = ("first_line", "last_line", "language", "kind", "symbol", "anchor")
_LONGEST_TOLD = 120  # columns of the question: it may be a file of code
_AROUND = 24  # tokens of a heading's signs, a fence and what tells that a passage goes on

Count = Callable[[Sequence[str]], TokenCounts]
"""Counts the tokens of texts, as an engine does."""


class Passage(NamedTuple):
    """Lines of a file that answer, `first_line` to `last_line` (1-based, inclusive); `cut` tells that more would.

    Kind, symbol and score are those of the best hit in it; `anchor` names pages, cells or slides, all that it touches;
    `tokens` are those of the text.
    """

    origin: Origin
    first_line: int
    last_line: int
    language: str
    kind: str
    symbol: str
    anchor: str
    score: float
    text: str
    tokens: int
    cut: bool = False


class Context(NamedTuple):
    """Passages, the best first. `tokens` is what all of it takes as Markdown, counted by `tokenizer`.

    `left_off` counts the hits that did not fit, or not whole.
    """

    query: str
    passages: tuple[Passage, ...]
    tokens: int
    max_tokens: int
    tokenizer: str
    left_off: int


def widened(request: SearchRequest, most: int) -> SearchRequest:
    """Return a request for as many hits as may be needed to fill a budget of `most` tokens."""
    limit = min(_MOST_HITS, max(10, most // _SHORT))
    return request._replace(limit=limit, per_file=max(request.per_file, _PER_FILE))


def pack(query: str, result: SearchResult, most: int, locate: schema.Locate, count: Count) -> Context:
    """Fill a budget of `most` tokens with the hits of a search, the best first.

    A hit that does not fit is left out for the next one that does. Only the very best is rather cut, and what room is left
    at the end goes to the best that does not fit whole.
    """
    packing = _Packing(_each_once(result.hits), locate, count, most - count([_head(query)]).counts[0])
    packing.fill()
    passages = packing.passages()
    while True:
        made = Context(query, passages, 0, most, packing.tokenizer, packing.left_off(passages))
        total = count(["".join(rendered(made))]).counts[0]
        if total <= most or not passages:
            return made._replace(tokens=total)
        passages = passages[:-1] or _halved(passages[-1])


def _each_once(hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """Return hits without those that say word for word what a better one says: of a file that is there twice, for one."""
    first: dict[tuple[str, ...], Hit] = {}
    for hit in hits:
        first.setdefault(tuple(hit.chunk.text.split()), hit)
    return tuple(first.values())


class _Span(NamedTuple):
    """Neighbouring lines of a file with the ranks of the hits that they come from, the best first."""

    ranks: tuple[int, ...]
    lines: Mapping[int, str]

    def touches(self, other: _Span) -> bool:
        return min(self.lines) <= max(other.lines) + 1 and min(other.lines) <= max(self.lines) + 1


class _Packing:
    """The spans that have been taken so far, and the room that is left."""

    def __init__(self, hits: Sequence[Hit], locate: schema.Locate, count: Count, room: int) -> None:
        self._hits = hits
        self._origins = [locate(hit.chunk.path) for hit in hits]
        self._whole = [_Span((rank,), _numbered(hit)) for rank, hit in enumerate(hits)]
        headings = [_heading(_passage(hit, origin)) for hit, origin in zip(hits, self._origins, strict=True)]
        texts = list(dict.fromkeys((*headings, *(line for span in self._whole for line in span.lines.values()))))
        counted = count(texts)
        self.tokenizer = counted.tokenizer
        self._cost = dict(zip(texts, counted.counts, strict=True))
        self._around = [self._cost[heading] + _AROUND for heading in headings]
        self._room = room
        self._taken: list[_Span] = []

    def fill(self) -> None:
        """Take what fits."""
        left = [rank for rank in range(len(self._hits)) if not self._take(self._whole[rank], must=rank == 0)]
        for span in [span for span in self._taken if span.ranks == (0,) == tuple(left[:1])]:
            self._taken.remove(span)  # the best, cut to leave room for others: it gets what they left
            self._room += self._costs(span)
        if left and (left[0] == 0 or self._room >= _LEAST_CUT):
            self._take_part(left[0], self._room)

    def passages(self) -> tuple[Passage, ...]:
        """Return what was taken, the best first."""
        return tuple(self._made(span) for span in sorted(self._taken, key=lambda span: span.ranks[0]))

    def left_off(self, passages: Sequence[Passage]) -> int:
        """Count the hits that are not whole in any passage."""
        return sum(
            not any(
                passage.origin == origin
                and passage.first_line <= hit.chunk.first_line
                and passage.last_line >= hit.chunk.last_line
                and not passage.cut
                for passage in passages
            )
            for hit, origin in zip(self._hits, self._origins, strict=True)
        )

    def _take(self, span: _Span, *, must: bool) -> bool:
        """Take lines if they fit, joined with those that they touch; of what `must` be there, as much as half the room."""
        touching = [other for other in self._taken if self._same_file(span, other) and span.touches(other)]
        merged = span
        for other in touching:
            merged = _Span(
                tuple(sorted((*merged.ranks, *other.ranks))), dict(sorted({**merged.lines, **other.lines}.items()))
            )
        more = self._costs(merged) - sum(map(self._costs, touching))
        if more > self._room:
            if must:
                self._take_part(span.ranks[0], self._room // 2)
            return False
        self._taken = [other for other in self._taken if other not in touching] + [merged]
        self._room -= more
        return True

    def _take_part(self, rank: int, room: int) -> None:
        """Take the first lines of a hit that are not there yet, up to the next that is.

        A line is cut where those before it, a heading perhaps, fill less than half of the room.
        """
        there = {number for span in self._taken if self._same_file(span, self._whole[rank]) for number in span.lines}
        part: dict[int, str] = {}
        left = room - self._around[rank]
        for number, line in self._whole[rank].lines.items():
            if number in there:
                if part:
                    break
                continue
            if self._cost[line] > left:
                if 2 * left > room - self._around[rank] and left >= _LEAST_CUT // 2:
                    start = line[: len(line) * left // self._cost[line]].rstrip() + "\n"
                    self._cost[start] = left
                    part[number] = start
                break
            part[number] = line
            left -= self._cost[line]
        if part and (rank == 0 or sum(self._cost[line] for line in part.values()) >= _LEAST_CUT // 2):
            self._take(_Span((rank,), part), must=False)

    def _costs(self, span: _Span) -> int:
        return sum(self._cost[line] for line in span.lines.values()) + self._around[span.ranks[0]]

    def _same_file(self, one: _Span, other: _Span) -> bool:
        return self._origins[one.ranks[0]] == self._origins[other.ranks[0]]

    def _made(self, span: _Span) -> Passage:
        best = span.ranks[0]
        text = "".join(span.lines.values())
        cut = any(self._whole[rank].lines.items() - span.lines.items() for rank in span.ranks)
        # A chunk may have fewer lines than it says, being what a reader sees of them.
        last_line = max(span.lines) if cut else max(self._hits[rank].chunk.last_line for rank in span.ranks)
        tokens = self._costs(span) - self._around[best]
        made = _passage(self._hits[best], self._origins[best])
        chunks = sorted((self._hits[rank].chunk for rank in span.ranks), key=lambda chunk: chunk.first_line)
        made = made._replace(anchor=", ".join(dict.fromkeys(chunk.anchor for chunk in chunks if chunk.anchor)))
        return made._replace(first_line=min(span.lines), last_line=last_line, text=text, tokens=tokens, cut=cut)


def _passage(hit: Hit, origin: Origin) -> Passage:
    chunk = hit.chunk
    return Passage(
        origin,
        chunk.first_line,
        chunk.last_line,
        chunk.language,
        chunk.kind,
        chunk.symbol,
        chunk.anchor,
        hit.score,
        chunk.text,
        0,
    )


def _numbered(hit: Hit) -> dict[int, str]:
    """Return a hit's lines by number, each with its end."""
    found = budget.lines(hit.chunk.text) or [""]
    if not found[-1].endswith(("\n", "\r")):
        found[-1] += "\n"  # where a file or a chunk ends without one
    return dict(enumerate(found, hit.chunk.first_line))


def _halved(passage: Passage) -> tuple[Passage, ...]:
    """Return a passage with the first half of its text; nothing where little is left."""
    text = passage.text[: len(passage.text) // 2]
    if len(text) < _LEAST_CUT:
        return ()
    last_line = passage.first_line + max(0, len(budget.lines(text)) - 1)
    return (passage._replace(text=text, last_line=last_line, tokens=passage.tokens // 2, cut=True),)


# ------------------------------------------------------------ shown


def rendered(context: Context) -> Iterator[str]:
    """Yield the context as Markdown: each passage under its number and where it is from."""
    yield _head(context.query)
    for number, passage in enumerate(context.passages, 1):
        text = markdown.block(markdown.visible(passage.text), passage.language)
        more = "\n(cut: it goes on)" if passage.cut else ""
        yield f"\n## [{number}] {_heading(passage)}\n\n{text}{more}\n"


def record(context: Context, result: SearchResult) -> dict[str, object]:
    """Return a context, and how far the search that it comes from can be trusted, as JSON values."""
    return {
        "version": schema.SCHEMA_VERSION,
        "query": context.query,
        "tokens": context.tokens,
        "max_tokens": context.max_tokens,
        "tokenizer": context.tokenizer,
        "left_off": context.left_off,
        "freshness": result.freshness,
        "tier": result.tier,
        "coverage": result.coverage,
        "degraded": list(result.degraded),
        "notes": list(result.notes),
        "passages": [
            {
                "project": passage.origin.project,
                "root": str(passage.origin.root),
                "path": str(passage.origin.path),
                **{name: getattr(passage, name) for name in _TOLD},
                "score": round(passage.score, 6),
                "tokens": passage.tokens,
                "text": passage.text,
                "cut": passage.cut,
            }
            for passage in context.passages
        ],
    }


def _head(query: str) -> str:
    told = screen.cut(" ".join(query.split()), _LONGEST_TOLD)
    return f"Passages that answer {markdown.span(told)}, the best first, each with where it is from.\n"


def _heading(passage: Passage) -> str:
    origin = passage.origin
    place = markdown.span(f"{origin.path}:{passage.first_line}-{passage.last_line}")
    symbol = f" {markdown.span(passage.symbol)}" if passage.symbol else ""
    anchor = f" · {screen.safe(passage.anchor)}" if passage.anchor else ""
    return f"{place}{anchor} · {passage.kind}{symbol} · in {markdown.span(origin.project)}"
