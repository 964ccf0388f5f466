"""The read path: understand the question, retrieve by words and by meaning, rank, and say why."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from codeseek import analysis, ranking
from codeseek.embedders import Embedder, Vectors
from codeseek.errors import UsageError
from codeseek.records import Chunk, Hit, SearchRequest, SearchResult, SimilarRequest
from codeseek.words import (
    CODE,
    FILE,
    KIND_NUMBER,
    OVERLAY,
    SECTION,
    SYMBOL_KINDS,
    TEXT,
    Index,
    Weights,
    file_title,
    inverse_document_frequency,
    joined,
    log_length,
    term_hash,
)

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_CHUNK = Weights(ranking.CHUNK_WEIGHT, ranking.CHUNK_B, ranking.CHUNK_K1)
_FILE = Weights(ranking.FILE_WEIGHT, ranking.FILE_B, ranking.FILE_K1)
_KIND_WEIGHT = np.array([ranking.SYMBOL_KIND_WEIGHT[kind] for kind in SYMBOL_KINDS], np.float32)
_FILES_EXAMINED = 200
_SECTIONS_PER_FILE = 3
_DENSE_ALONE = 3.0  # standard deviations above the mean from which a chunk without a common word is a candidate
_LONGEST_QUERY = 4_000


@dataclass(frozen=True, slots=True)
class Ranked:
    """A list of rows, best first, one group's: their scores, and their features by name (aligned with the rows)."""

    rows: Ints
    scores: Floats
    features: Mapping[str, Floats]
    weights: Mapping[str, float]


class Searcher:
    """Answers requests from one state of an index. `fetch` returns chunks by their numbers in the store."""

    def __init__(
        self, index: Index, matrices: Sequence[Vectors], embedder: Embedder, fetch: Callable[[Sequence[int]], Mapping[int, Chunk]]
    ) -> None:
        self._index = index
        self._matrices = matrices
        self._embedder = embedder
        self._fetch = fetch

    def search(self, request: SearchRequest) -> SearchResult:
        """Answer a question; raises `UsageError` if there is nothing to look for."""
        started = time.perf_counter()
        text = request.query[:_LONGEST_QUERY]
        if not analysis.words(text):
            raise UsageError("the query has no words", hint="ask with words or names, for example `codeseek parse config file`")
        allowed = self._allowed(request)
        question = analysis.question(text, self._index.knows)
        retrieval = _Retrieval(self._index, question, self._cosines(self._embedder.embed_query(text)))
        kinds = request.kinds
        code = retrieval.code(allowed, self._index.chunk_set == (OVERLAY if kinds == ("comment",) else CODE))
        sections = retrieval.sections(allowed)
        per_file = request.per_file if self._spread(allowed) else request.limit
        code_rows = _limited(code, self._index.chunk_file, per_file, request.limit)
        section_rows = _limited(sections, self._index.chunk_file, max(per_file, _SECTIONS_PER_FILE), request.limit)
        likelihood = 0.5
        if len(code_rows) and len(section_rows):
            likelihood = retrieval.documentation_likelihood(code, sections)
        order = ranking.join(len(code_rows), len(section_rows), likelihood)[: request.limit]
        chosen = [(sections, section_rows[rank]) if is_section else (code, code_rows[rank]) for is_section, rank in order]
        ids = self._index.chunk_ids
        chunks = self._fetch([int(ids[ranked.rows[at]]) for ranked, at in chosen])
        hits = []
        for place, (ranked, at) in enumerate(chosen):
            chunk = chunks.get(int(ids[ranked.rows[at]]))
            if chunk is not None:
                why = retrieval.explain(ranked, int(at), likelihood) if request.explain else {}
                hits.append(Hit(chunk, _displayed(ranked, int(at), place), why, retrieval.others(ranked, int(at))))
        return SearchResult(
            tuple(hits),
            tier=self._embedder.name,
            terms=tuple(question.terms) + tuple(question.native),
            elapsed_ms=(time.perf_counter() - started) * 1000,
        )

    def similar(self, request: SimilarRequest, row_id: int) -> SearchResult:
        """Find the chunks nearest in meaning to the one numbered `row_id`, itself left out."""
        started = time.perf_counter()
        index = self._index
        row = int(np.flatnonzero(index.chunk_ids == row_id)[0])
        vector = self._vector(row)
        allowed = self._allowed(request)
        allowed &= index.chunk_set != OVERLAY if "comment" not in request.kinds else True
        allowed[row] = False
        cosines = np.where(allowed, self._cosines(vector), -2.0)
        best = _best(cosines, request.limit)
        best = best[cosines[best] > 0]
        chunks = self._fetch([int(index.chunk_ids[at]) for at in best])
        hits = [
            Hit(chunk, float(cosines[at]), {"meaning": round(float(cosines[at]), 4)})
            for at in best
            if (chunk := chunks.get(int(index.chunk_ids[at])))
        ]
        return SearchResult(tuple(hits), self._embedder.name, elapsed_ms=(time.perf_counter() - started) * 1000)

    def _vector(self, row: int) -> Floats:
        for matrix in self._matrices:
            if row < len(matrix):
                vector: Floats = np.asarray(matrix[row], np.float32)
                return vector
            row -= len(matrix)
        raise IndexError(row)

    def _cosines(self, query: Floats) -> Floats:
        pieces = [matrix @ query for matrix in self._matrices]
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces) if pieces else np.zeros(0, np.float32)

    def _allowed(self, request: SearchRequest | SimilarRequest) -> Mask:
        """Return which rows the request's filters let through."""
        index = self._index
        allowed = index.alive.copy()
        if request.languages or request.paths or request.exclude:
            wanted = glob_filter(request.paths, request.exclude)
            languages = set(request.languages)
            files = np.fromiter(
                (
                    (not languages or language in languages) and wanted(path)
                    for path, language in zip(index.paths, index.languages, strict=True)
                ),
                bool,
                index.file_count,
            )
            allowed &= files[index.chunk_file]
        if request.kinds:
            allowed &= np.isin(index.chunk_kind, [KIND_NUMBER[kind] for kind in request.kinds])
        return allowed

    def _spread(self, allowed: Mask) -> bool:
        """Tell whether more than a few files are left, so that one file's chunks should not fill the list."""
        return len(np.unique(self._index.chunk_file[allowed])) > 3


class _Retrieval:
    """One question against one index: all that is computed once and used by both lists."""

    def __init__(self, index: Index, question: analysis.Question, cosines: Floats) -> None:
        self.index = index
        self.question = question
        self.cosines = cosines
        self.intent = ranking.Intent.of(question.text)
        self.runs = ranking.title_runs(question)
        self.terms = {**question.native, **question.terms}
        self.chunk_scores = index.bm25f("chunk", self.terms, _CHUNK)
        self.file_scores = index.bm25f("file", self.terms, _FILE)
        frequency = index.frequency(np.array([term_hash(term) for term in question.terms], np.uint64))
        idf = inverse_document_frequency(int(index.file_alive.sum()), frequency)
        self.weighted_terms = {term: weight * float(value) for (term, weight), value in zip(question.terms.items(), idf, strict=True)}
        self.total = sum(self.weighted_terms.values())

    def code(self, allowed: Mask, of_set: Mask) -> Ranked:
        """Rank code: words and meaning of chunk and file, names of file, folder and symbols, and what speaks against a path."""
        index = self.index
        rows_allowed = allowed & of_set
        meaning = np.clip(ranking.standardised(self.cosines, index.alive & of_set), -1, 4)
        definition = self._definitions()
        chunk_words = self.chunk_scores.score
        candidates = np.flatnonzero(rows_allowed & ((chunk_words > 0) | (definition > 0) | (meaning > _DENSE_ALONE)))
        if not len(candidates):
            return Ranked(candidates, np.zeros(0, np.float32), {}, ranking.CODE_WEIGHTS)
        chunk_words = chunk_words / max(float(chunk_words[candidates].max()), 1e-9)
        file_words = self.file_scores.score
        file_words = file_words / max(float(file_words[index.chunk_file[candidates]].max()), 1e-9)
        rough = chunk_words + 0.5 * meaning + 0.85 * definition + 1.1 * file_words[index.chunk_file]
        files = self._foremost(candidates, rough)
        candidates = candidates[np.isin(index.chunk_file[candidates], files)]
        number_of = np.searchsorted(files, index.chunk_file[candidates])
        by_file = self._file_features(files)
        features = {
            "chunk words": chunk_words[candidates],
            "file words": file_words[index.chunk_file[candidates]],
            "meaning": meaning[candidates],
            "definition": definition[candidates],
            **{name: values[number_of] for name, values in by_file.items()},
        }
        return _ranked(candidates, features, ranking.CODE_WEIGHTS)

    def sections(self, allowed: Mask) -> Ranked:
        """Rank sections of documentation: words, meaning, coverage of the question, and what speaks against a page."""
        index = self.index
        of_set = index.chunk_set == SECTION
        meaning = np.clip(ranking.standardised(self.cosines, index.alive & of_set), -1, 5)
        words = self.chunk_scores.score
        candidates = np.flatnonzero(allowed & of_set & ((words > 0) | (meaning > _DENSE_ALONE)))
        if not len(candidates):
            return Ranked(candidates, np.zeros(0, np.float32), {}, ranking.SECTION_WEIGHTS)
        words = words / max(float(words[candidates].max()), 1e-9)
        page_words = self.file_scores.score
        page_words = page_words / max(float(page_words[index.chunk_file[candidates]].max()), 1e-9)
        rough = 1.5 * words + 0.45 * meaning + 0.4 * page_words[index.chunk_file]
        files = self._foremost(candidates, rough)
        candidates = candidates[np.isin(index.chunk_file[candidates], files)]
        number_of = np.searchsorted(files, index.chunk_file[candidates])
        names = self._names(files)
        priors = self._priors(files)
        features = {
            "chunk words": words[candidates],
            "file words": page_words[index.chunk_file[candidates]],
            "meaning": meaning[candidates],
            "coverage": self.chunk_scores.matched[candidates] / max(self._section_total, 1e-9),
            "length": np.minimum(1, np.log1p(index.column("chunk_length")[candidates]) / np.float32(np.log(1500))),
            "title": np.array([name.title for name in names], np.float32)[number_of],
            "foreign": self._foreign(files)[number_of],
            **{name: values[number_of] for name, values in priors.items()},
        }
        return _ranked(candidates, features, ranking.SECTION_WEIGHTS)

    @cached_property
    def _section_total(self) -> float:
        """The question's weight in documentation: the idf of all its terms, absent ones counting as the rarest."""
        return float(sum(weight * float(self.index.idf("chunk", term)[SECTION]) for term, weight in self.terms.items()))

    def documentation_likelihood(self, code: Ranked, sections: Ranked) -> float:
        """Judge whether documentation or code is asked for, from the question and the best of both lists."""
        best_code, best_section = code.features, sections.features
        present = sum(
            weight * float(idf)
            for term, weight in self.terms.items()
            if len(self.index.postings("chunk", term).documents) and (idf := self.index.idf("chunk", term)[CODE])
        )
        code_words = float(self.chunk_scores.score[code.rows].max()) / max(present, 1e-9)
        section_words = float(self.chunk_scores.score[sections.rows].max()) / max(self._section_total, 1e-9)
        return ranking.asks_documentation(
            self.question,
            cosine_gap=float(self.cosines[sections.rows].max() - self.cosines[code.rows].max()),
            word_gap=section_words - code_words,
            coverage=float(self.chunk_scores.matched[code.rows].max()) / max(present, 1e-9),
            title_run=float(best_code["title run"].max()),
            symbol=float(best_code["symbol"].max()),
            code_top=float(code.scores[0]),
            section_top=float(sections.scores[0]),
        )

    def _foremost(self, candidates: Ints, rough: Floats) -> Ints:
        """Return the files whose best candidate is among the best by a rough score, ascending."""
        order = candidates[np.argsort(-rough[candidates])]
        files, first = np.unique(self.index.chunk_file[order], return_index=True)
        return np.sort(files[np.argsort(first)[:_FILES_EXAMINED]])

    def _file_features(self, files: Ints) -> dict[str, Floats]:
        names = self._names(files)
        number = max(2, int(self.index.file_alive.sum()))
        lengths = self.index.column("file_lengths")[:, TEXT]
        depths = _depths(self.index)
        return {
            "title": np.array([name.title for name in names], np.float32),
            "title share": np.array([name.title_share for name in names], np.float32),
            "title run": np.array([name.title_run for name in names], np.float32),
            "folder": np.array([name.folder for name in names], np.float32),
            "symbol": self._symbols(files),
            "central": np.log1p(self.index.frequency(self.index.column("file_title")[files])).astype(np.float32) / np.float32(np.log(number + 1)),
            "size": np.log1p(lengths[files]).astype(np.float32) / np.float32(np.log1p(max(1, int(lengths.max())))),
            "depth": np.clip(depths[files] - np.median(depths), -2, 3).astype(np.float32),
            **self._priors(files),
        }

    def _names(self, files: Ints) -> list[ranking.Names]:
        paths = [PurePosixPath(self.index.paths[file]) for file in files]
        return [
            ranking.match_names(file_title(path), path.parts[:-1][-2:], self.weighted_terms, self.total, self.runs)
            for path in paths
        ]

    def _priors(self, files: Ints) -> dict[str, Floats]:
        rows = [ranking.path_priors(self.index.paths[file], self.intent) for file in files]
        return {name: np.array([row[name] for row in rows], np.float32) for name in rows[0]}

    def _foreign(self, files: Ints) -> Floats:
        """Mark pages in a language that the question was not asked in (English is nobody's foreign language)."""
        siblings = _language_folders(self.index)
        native = {"", "en", "zh"} if self.question.has_chinese else {"", "en"}
        return np.array([ranking.translation_of(self.index.paths[file], siblings) not in native for file in files], np.float32)

    def _symbols(self, files: Ints) -> Floats:
        """Return for each file how well its best symbol's name fits: share of the question times share of the name."""
        index = self.index
        found: dict[int, float] = {}
        symbols, matched = [], []
        for term, weight in self.weighted_terms.items():
            documents = index.postings("symbol", term).documents
            symbols.append(documents)
            matched.append(np.full(len(documents), weight, np.float32))
        values = np.zeros(len(files), np.float32)
        if not symbols or not (count := sum(map(len, symbols))):
            return values
        every, inverse = np.unique(np.concatenate(symbols), return_inverse=True)
        weights = np.bincount(inverse, np.concatenate(matched), len(every))
        file_of = index.chunk_file[index.symbol_chunk[every]]
        keep = np.isin(file_of, files)
        every, weights, file_of = every[keep], weights[keep], file_of[keep]
        if not len(every):
            return values
        del found, count
        parts, starts = index.symbol_parts
        counts = starts[every + 1] - starts[every]
        flat = parts[np.repeat(starts[every] - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())]
        unique, back = np.unique(flat, return_inverse=True)
        idf = inverse_document_frequency(int(index.file_alive.sum()), index.frequency(unique))[back]
        whole = np.add.reduceat(idf, np.cumsum(counts) - counts)
        recall = np.minimum(1, weights / max(self.total, 1e-9))
        precision = np.sqrt(np.minimum(1, weights / np.maximum(whole, 1e-9)))
        np.maximum.at(values, np.searchsorted(files, file_of), (recall * precision * _KIND_WEIGHT[index.symbol_kind[every]]).astype(np.float32))
        return values

    def _definitions(self) -> Floats:
        """Return for each row how surely it defines an identifier of the question, 2 at most."""
        index = self.index
        values = np.zeros(len(index), np.float32)
        for name, strength in self.question.identifiers:
            pieces = [piece for piece in re.split(r"::|->|\\|\.|#", name.strip("`'\"()!?@$")) if piece]
            if not pieces:
                continue
            last, qualifier = pieces[-1], joined(pieces[-2]) if len(pieces) > 1 else ""
            exact = index.symbols_named(last, exactly=True)
            folded = np.setdiff1d(index.symbols_named(last, exactly=False), exact)
            best = np.zeros(len(index), np.float32)
            for symbols, likeness in ((exact, 1.0), (folded, 0.8)):
                for symbol in symbols:
                    row = int(index.symbol_chunk[symbol])
                    path = index.paths[int(index.chunk_file[row])]
                    title = joined(file_title(PurePosixPath(path)))
                    lines = int(index.column("chunk_last")[row] - index.column("chunk_first")[row]) + 1
                    value = strength * likeness * float(_KIND_WEIGHT[index.symbol_kind[symbol]]) * log_length(lines)
                    if qualifier and (qualifier in joined(path) or self._file_defines(row, qualifier)):
                        value *= 1.3
                    if title == joined(last):
                        value *= 1.5
                    elif title and joined(last).startswith(title):
                        value *= 1.1
                    best[row] = max(best[row], value)
            values += best
        return np.minimum(values, 2)

    def _file_defines(self, row: int, name: str) -> bool:
        rows = self.index.symbol_chunk[self.index.symbols_named(name, exactly=False)]
        return bool((self.index.chunk_file[rows] == self.index.chunk_file[row]).any())

    def others(self, ranked: Ranked, at: int) -> tuple[tuple[int, int], ...]:
        """Return the line ranges of up to three more chunks of the same file that score nearly as well, in file order."""
        index = self.index
        same = np.flatnonzero(index.chunk_file[ranked.rows] == index.chunk_file[ranked.rows[at]])
        words = ranked.features["chunk words"]
        good = [other for other in same if other != at and words[other] >= 0.5 * words[at] and words[other] > 0.15][:3]
        rows = sorted(int(ranked.rows[other]) for other in good)
        first, last = index.column("chunk_first"), index.column("chunk_last")
        return tuple((int(first[row]), int(last[row])) for row in rows)

    def explain(self, ranked: Ranked, at: int, documentation: float) -> dict[str, float | int | str | tuple[str, ...]]:
        """Break a score into each feature's share, with the arms' ranks and the terms that matched."""
        row = ranked.rows[at]
        why: dict[str, float | int | str | tuple[str, ...]] = {
            name: round(float(ranked.features[name][at]) * weight, 3)
            for name, weight in ranked.weights.items()
            if name in ranked.features and abs(float(ranked.features[name][at]) * weight) >= 0.0005
        }
        scores = self.chunk_scores.score
        why["rank by words"] = int((scores[ranked.rows] > scores[row]).sum()) + 1
        why["rank by meaning"] = int((self.cosines[ranked.rows] > self.cosines[row]).sum()) + 1
        why["cosine"] = round(float(self.cosines[row]), 4)
        why["documentation"] = round(documentation, 3)
        matched = []
        for term in self.terms:
            documents = self.index.postings("chunk", term).documents
            at_row = np.searchsorted(documents, row)
            if at_row < len(documents) and documents[at_row] == row:
                origin = self.question.origins.get(term, term)
                matched.append(term if origin == term else f"{origin} → {term}")
        why["terms"] = tuple(matched)
        return why


def glob_filter(include: Sequence[str], exclude: Sequence[str]) -> Callable[[str], bool]:
    """Return a test of paths: any of `include` (all, if none) and none of `exclude`.

    A pattern with a slash is matched from the root, `**` crossing folders; one without matches any name in the path.
    """
    wanted, unwanted = [_glob(p) for p in include], [_glob(p) for p in exclude]
    return lambda path: (not wanted or any(p.search(path) for p in wanted)) and not any(p.search(path) for p in unwanted)


@lru_cache(maxsize=256)
def _glob(pattern: str) -> re.Pattern[str]:
    anchored = "/" in pattern.rstrip("/")
    pattern = pattern.removeprefix("./").strip("/")
    expression, at = "", 0
    while at < len(pattern):
        if pattern.startswith("**/", at):
            expression, at = expression + "(?:[^/]+/)*", at + 3
        elif pattern.startswith("**", at):
            expression, at = expression + ".*", at + 2
        elif pattern[at] == "*":
            expression, at = expression + "[^/]*", at + 1
        elif pattern[at] == "?":
            expression, at = expression + "[^/]", at + 1
        elif pattern[at] == "{" and (end := pattern.find("}", at)) > 0:
            expression += "(?:" + "|".join(map(re.escape, pattern[at + 1 : end].split(","))) + ")"
            at = end + 1
        else:
            expression, at = expression + re.escape(pattern[at]), at + 1
    return re.compile(("^" if anchored else "(?:^|/)") + expression + "(?:$|/)")


def _ranked(candidates: Ints, features: Mapping[str, Floats], weights: Mapping[str, float]) -> Ranked:
    scores = ranking.weighted(features, weights)
    order = np.lexsort((candidates, -scores))
    return Ranked(candidates[order], scores[order], {name: values[order] for name, values in features.items()}, weights)


def _limited(ranked: Ranked, file_of: NDArray[np.int32], per_file: int, limit: int) -> list[int]:
    """Return the places of the best rows, no more than `per_file` of one file."""
    taken: dict[int, int] = {}
    places: list[int] = []
    for place, file in enumerate(file_of[ranked.rows]):
        if taken.get(file, 0) < per_file:
            taken[file] = taken.get(file, 0) + 1
            places.append(place)
            if len(places) == limit:
                break
    return places


def _displayed(ranked: Ranked, at: int, place: int) -> float:
    """Return a score between 0 and 1 for display: how near the row's score comes to the list's best."""
    best = float(ranked.scores[0])
    return round(max(0.0, min(1.0, float(ranked.scores[at]) / best if best > 0 else 1 / (1 + place))), 4)


def _best(scores: Floats, k: int) -> Ints:
    k = min(k, len(scores))
    if not k:
        return np.zeros(0, np.int64)
    best = np.argpartition(-scores, k - 1)[:k]
    return best[np.argsort(-scores[best], kind="stable")]


def _depths(index: Index) -> Floats:
    return np.fromiter((path.count("/") for path in index.paths), np.float32, index.file_count)


def _language_folders(index: Index) -> dict[str, int]:
    return ranking.language_folders(index.paths)
