"""The read path: understand the question, retrieve by words and by meaning, rank, and say why."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeseek import inside, questions, ranking, snippets
from codeseek.embedders import Embedder
from codeseek.errors import UsageError
from codeseek.meaning import Meaning, MeaningIndex
from codeseek.questions import Question
from codeseek.quoting import Quotation
from codeseek.records import KINDS, Chunk, Hit, SearchRequest, SearchResult, SimilarRequest
from codeseek.retrieval import Files, Ranked, Retrieval
from codeseek.segments import CHUNK_KIND_OF_SYMBOL, CODE, OVERLAY, SECTION
from codeseek.vectors import VectorIndex
from codeseek.wildcards import glob_filter
from codeseek.words import Index

if TYPE_CHECKING:
    from codeseek.tier import TierIndex, TierMeaning

Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

_SECTIONS_PER_FILE = 3
_NEAREST_FOR_EACH = 20  # chunks looked at for each hit wanted, since few may be of one file
LONGEST_QUERY = 4_000
"""Characters of a question that are read."""


class Tier(NamedTuple):
    """A second model: its vectors, and the vector of a question for it where that is known."""

    name: str
    vectors: TierIndex
    query_vector: Callable[[str], Floats | None]


class Searcher:
    """Answers requests from one state of an index.

    `fetch` returns chunks by their numbers in the store, `changed_since` the paths of files changed since a time.
    """

    def __init__(
        self,
        index: Index,
        vectors: Sequence[VectorIndex],
        embedder: Embedder,
        fetch: Callable[[Sequence[int]], Mapping[int, Chunk]],
        tier: Tier | None = None,
        changed_since: Callable[[float], Collection[str]] = lambda _: (),
        project: str = "",
    ) -> None:
        """`vectors` are aligned with the index's segments; `tier` is a second model that answers along; `project` a name."""
        self._tier = tier
        self._index = index
        self._files = Files(index, project)
        self._meanings = MeaningIndex(index, vectors)
        self._embedder = embedder
        self._fetch = fetch
        self._changed_since = changed_since

    def search(self, request: SearchRequest) -> SearchResult:
        """Answer a question; raises `UsageError` if there is nothing to look for."""
        started = time.perf_counter()
        text = request.query[:LONGEST_QUERY]
        index = self._index
        question = questions.understand(text, index.knows)
        if not question.typed:
            raise UsageError(
                "the query has no words", hint="ask with words or names, for example `codeseek parse config file`"
            )
        allowed = self._allowed(request)
        by_words_alone = request.arm == "lexical"
        meaning = (self._meanings.ask_nothing(),) * 3 if by_words_alone else self._ask(question, text)
        second = None if by_words_alone else self._second(text)
        if request.arm == "dense":
            return self._by_meaning(request, allowed, second or meaning[CODE], started)
        retrieval = Retrieval(index, self._files, question, meaning, second)
        of_set = OVERLAY if request.kinds == ("comment",) else CODE
        code, sections = retrieval.code(allowed, of_set), retrieval.sections(allowed)
        likelihood = 0.5
        if len(code.rows) and len(sections.rows):
            likelihood = retrieval.documentation_likelihood(code, sections)
        quotation = Quotation(text)
        if request.verbatim and quotation.may_stand(index.knows):
            code = self._with_quotation(quotation, code, retrieval.may_hold(quotation, code, of_set))
            sections = self._with_quotation(quotation, sections, retrieval.may_hold(quotation, sections, SECTION))
            likelihood = ranking.of_quotation(likelihood, code.most_quoted, sections.most_quoted)
        per_file = request.per_file if self._spread(request, allowed) else request.limit
        code_places = _limited(code, index.chunk_file, per_file, request.limit)
        section_places = _limited(sections, index.chunk_file, max(per_file, _SECTIONS_PER_FILE), request.limit)
        order = ranking.join(len(code_places), len(section_places), likelihood)[: request.limit]
        sections_shown = sum(is_section for is_section, _ in order)
        others = {
            False: retrieval.others(code, code_places[: len(order) - sections_shown]),
            True: retrieval.others(sections, section_places[:sections_shown]),
        }
        chosen = [
            (sections, section_places[rank]) if is_section else (code, code_places[rank]) for is_section, rank in order
        ]
        numbers = [int(index.chunk_ids[ranked.rows[at]]) for ranked, at in chosen]
        terms = tuple(question.terms) + tuple(question.native)
        chunks = self._chunks(numbers, request.kinds, text, terms)
        shown = {False: _displayed(code), True: _displayed(sections)}
        vouched = second is not None or any(retrieval.chunk_scores.frequency.values())
        hits = []
        score = 1.0
        for number, (is_section, rank), (ranked, at) in zip(numbers, order, chosen, strict=True):
            chunk = chunks.get(number)
            if chunk is not None:
                why = retrieval.explain(ranked, at, likelihood) if request.explain else {}
                score = min(score, shown[is_section][at])  # of two lists joined by rank: none may rise after the other
                hits.append(Hit(chunk, score, why, others[is_section][rank]))
        return SearchResult(
            tuple(hits),
            tier=self._embedder.name,
            terms=terms,
            elapsed_ms=(time.perf_counter() - started) * 1000,
            degraded=_cut_short(request.query) + _without_words(question, vouched=vouched or not hits),
        )._replace(**(self._told() if second is not None else {}))

    def similar(self, request: SimilarRequest, row_id: int) -> SearchResult:
        """Find the chunks nearest in meaning to the one numbered `row_id`, itself left out."""
        started = time.perf_counter()
        index = self._index
        row = int(np.flatnonzero(index.chunk_ids == row_id)[0])
        allowed = self._allowed(request)
        allowed &= index.chunk_set != OVERLAY if "comment" not in request.kinds else True
        allowed[row] = False
        told: dict[str, Any] = {}
        if self._tier is not None and self._tier.vectors.knows_all(row, allowed):
            from codeseek.tier import TierMeaning

            known = self._tier.vectors
            meaning: Meaning | TierMeaning = TierMeaning(known, known.gather(known.row_of[[row]])[0])
            told = {"tier": self._tier.name}
        else:
            (meaning,) = self._meanings.ask(self._meanings.gather(np.array([row]))[0])
        best, cosines = meaning.nearest(allowed, request.limit)
        chunks = self._chunks([int(index.chunk_ids[at]) for at in best], request.kinds)
        hits = [
            Hit(chunk, round(float(cosine), 4), {"meaning": round(float(cosine), 4)})
            for at, cosine in zip(best, cosines, strict=True)
            if (chunk := chunks.get(int(index.chunk_ids[at])))
        ]
        elapsed_ms = (time.perf_counter() - started) * 1000
        return SearchResult(tuple(hits), self._embedder.name, elapsed_ms=elapsed_ms)._replace(**told)

    def _chunks(
        self, numbers: Sequence[int], kinds: tuple[str, ...], text: str = "", terms: Sequence[str] = ()
    ) -> Mapping[int, Chunk]:
        """Return chunks by number; one of another kind than those asked for as the definition that let it through."""
        chunks = self._fetch(numbers)
        if not kinds:
            return chunks
        words = snippets.pattern(text, terms)
        parts = ((number, inside.of_kinds(chunk, kinds, words)) for number, chunk in chunks.items())
        return {number: part for number, part in parts if part is not None}

    def _ask(self, question: Question, text: str) -> tuple[Meaning, ...]:
        """Return what a question means to each set: in English it says first what of the code it is about."""
        vector, words = self._embedder.embed_query(text), question.typed
        if question.has_chinese or len(words) < 2:
            return (*self._meanings.ask(vector),) * 3
        first_half = self._embedder.embed_query(" ".join(words[: -(-len(words) // 2)]))
        both: Floats = vector + ranking.FIRST_HALF * first_half
        emphasised: Floats = both / (np.sqrt(both @ both) or np.float32(1))
        of_code, of_sections = self._meanings.ask(emphasised, vector)
        return of_code, of_sections, of_code

    def _with_quotation(self, quotation: Quotation, ranked: Ranked, places: Ints) -> Ranked:
        """Look for a question word for word at places of a list, and rank what holds it foremost."""
        if not len(places):
            return ranked
        numbers = self._index.chunk_ids[ranked.rows[places]].tolist()
        chunks = self._fetch(numbers)
        shares = np.zeros(len(ranked.rows), np.float32)
        for place, number in zip(places.tolist(), numbers, strict=True):
            if number in chunks:
                shares[place] = quotation.share(chunks[number].text)
        return ranked.with_quotation(shares) if shares.any() else ranked

    def _by_meaning(
        self, request: SearchRequest, allowed: Mask, meaning: Meaning | TierMeaning, started: float
    ) -> SearchResult:
        """Return what is nearest in meaning, whatever its words: by the second model alone where there is one."""
        index = self._index
        rows, cosines = meaning.nearest(allowed & (index.chunk_set != OVERLAY), request.limit * _NEAREST_FOR_EACH)
        taken: dict[int, int] = {}
        hits = []
        chunks = self._chunks(index.chunk_ids[rows].tolist(), request.kinds, request.query[:LONGEST_QUERY])
        for row, cosine in zip(rows.tolist(), cosines.tolist(), strict=True):
            file = int(index.chunk_file[row])
            most = request.per_file if index.chunk_set[row] == CODE else max(request.per_file, _SECTIONS_PER_FILE)
            if taken.get(file, 0) < most and (chunk := chunks.get(int(index.chunk_ids[row]))):
                taken[file] = taken.get(file, 0) + 1
                hits.append(Hit(chunk, round(cosine, 4)))
        elapsed_ms = (time.perf_counter() - started) * 1000
        tier = self._tier.name if self._tier is not None and not isinstance(meaning, Meaning) else self._embedder.name
        return SearchResult(tuple(hits[: request.limit]), tier, elapsed_ms=elapsed_ms)

    def _second(self, text: str) -> TierMeaning | None:
        """Return what the second model thinks of a question, if it has been asked."""
        tier = self._tier
        if tier is None or (vector := tier.query_vector(text)) is None:
            return None
        from codeseek.tier import TierMeaning

        return TierMeaning(tier.vectors, vector)

    def _told(self) -> dict[str, Any]:
        """Say of an answer that both models gave it."""
        assert self._tier is not None  # noqa: S101  it has just answered
        return {"tier": f"{self._embedder.name}+{self._tier.name}", "coverage": round(self._tier.vectors.coverage, 4)}

    def _allowed(self, request: SearchRequest | SimilarRequest) -> Mask:
        """Return which rows the request's filters let through."""
        index = self._index
        allowed = index.alive.copy()
        if request.languages or request.paths or request.exclude or request.changed_since is not None:
            wanted = glob_filter(request.paths, request.exclude)
            languages = set(request.languages)
            recent = None if request.changed_since is None else self._changed_since(request.changed_since)
            files = np.fromiter(
                (
                    (not languages or language in languages) and (recent is None or path in recent) and wanted(path)
                    for path, language in zip(index.paths, index.languages, strict=True)
                ),
                bool,
                index.file_count,
            )
            allowed &= files[index.chunk_file]
        if request.kinds:
            wanted_kinds = np.array([kind in request.kinds for kind in KINDS])[index.chunk_kind]
            symbols = np.array([kind in request.kinds for kind in CHUNK_KIND_OF_SYMBOL])[index.symbol_kind]
            wanted_kinds[index.symbol_chunk[symbols]] = True  # what is inside of a chunk is asked for, too
            allowed &= wanted_kinds
        return allowed

    def _spread(self, request: SearchRequest, allowed: Mask) -> bool:
        """Tell whether more than a few files are left, so that one file's chunks should not fill the list."""
        index = self._index
        narrowed = request.languages or request.paths or request.exclude or request.kinds or request.changed_since
        return len(set(index.chunk_file[allowed].tolist()) if narrowed else index.paths) > 3


def _limited(ranked: Ranked, file_of: NDArray[np.int32], per_file: int, limit: int) -> list[int]:
    """Return the places of the best rows, no more than `per_file` of one file."""
    taken: dict[int, int] = {}
    places: list[int] = []
    for place, file in enumerate(file_of[ranked.rows].tolist()):
        if taken.get(file, 0) < per_file:
            taken[file] = taken.get(file, 0) + 1
            places.append(place)
            if len(places) == limit:
                break
    return places


def _displayed(ranked: Ranked) -> list[float]:
    """Return scores between 0 and 1 for display: how near each row's score comes to its list's best."""
    if not len(ranked.scores):
        return []
    top, bottom = ranked.scores[0], np.minimum(ranked.scores[-1], 0)
    shares: list[float] = ((ranked.scores - bottom) / ((top - bottom) or 1)).astype(np.float64).round(4).tolist()
    return shares


def _without_words(question: questions.Question, *, vouched: bool) -> tuple[str, ...]:
    """Say that hits share no word with a question, unless a better model vouches for them."""
    if question.words and vouched:
        return ()
    lack = "no word of the query is in the index" if question.words else "the query has only common words"
    return (f"{lack}: what is listed is near it in meaning alone",)


def _cut_short(query: str) -> tuple[str, ...]:
    if len(query) <= LONGEST_QUERY:
        return ()
    return (f"only the first {LONGEST_QUERY:,} of the query's {len(query):,} characters were searched for",)
