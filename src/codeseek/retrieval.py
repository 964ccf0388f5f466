"""One question against one index: candidates by words and meaning, their features, two ranked lists."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeseek import analysis, ranking
from codeseek.meaning import Meaning
from codeseek.questions import Question
from codeseek.quoting import Quotation
from codeseek.segments import CODE, SECTION, SYMBOL_KINDS, TEXT, begins, concatenated, file_title, joined
from codeseek.words import Index, Postings, Weights, inverse_document_frequency, log_length

if TYPE_CHECKING:
    from codeseek.tier import TierMeaning

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]
Mask = NDArray[np.bool_]

_CHUNK = Weights(ranking.CHUNK_WEIGHT, ranking.CHUNK_B, ranking.CHUNK_K1)
_FILE = Weights(ranking.FILE_WEIGHT, ranking.FILE_B, ranking.FILE_K1)
_KIND_WEIGHT = np.array([ranking.SYMBOL_KIND_WEIGHT[kind] for kind in SYMBOL_KINDS], np.float32)
_FILES_EXAMINED = 60
_CONSIDERED = 1200  # rows that words find which are compared in meaning too
_NEAREST = 100  # rows that meaning alone may add where words find none
_LESS_NEAREST = 60  # of these, as many fewer as words find
_SYMBOLS_EXAMINED = 200
_STANDARD_SCORES = (-1, 6)  # of a cosine among its set's: what lies beyond tells no more
_UNSHARED = np.float32(1 / 3)  # what meaning counts for a chunk without a word of the question, where others have one
_MAY_QUOTE = 8  # chunks in which a question is looked for word for word
_ROUNDING = 0.01  # sums of weights may differ in their last digits
_DENSE_ALONE = 2.5  # standard deviations above the mean from which a chunk without a common word is a candidate


class Ranked(NamedTuple):
    """A list of rows, best first, one group's: their scores, and their features by name (aligned with the rows)."""

    rows: Ints
    scores: Floats
    cosines: Floats
    features: Mapping[str, Floats]
    weights: Mapping[str, float]

    @property
    def most_quoted(self) -> float:
        """How surely the question stands word for word in some row, 0 to 1."""
        return float(self.features["quoted"].max()) if "quoted" in self.features else 0.0

    def with_quotation(self, shares: Floats) -> Ranked:
        """Return the list ranked anew, when it is known how surely the question stands in each row word for word.

        A test or an example repeats what comes from elsewhere: there it counts half, unless the question names them.
        """
        shares = shares * (1 - np.maximum(self.features["test"], self.features["example"]) * np.float32(0.5))
        scores = self.scores + np.float32(ranking.QUOTED) * shares
        order = (-scores).argsort(kind="stable")
        features = {name: values.take(order) for name, values in (*self.features.items(), ("quoted", shares))}
        weights = {**self.weights, "quoted": ranking.QUOTED}
        return Ranked(self.rows[order], scores[order], self.cosines[order], features, weights)


_NOTHING = Ranked(np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0, np.float32), {}, {})


class _Candidates(NamedTuple):
    """Rows, their files (distinct, ascending), each row's place among these, the rows' cosines and features so far."""

    rows: Ints
    files: NDArray[np.int32]
    file_at: Ints
    cosines: Floats
    features: dict[str, Floats]


class Files:
    """What is known of an index's files whatever the question, kept from one question to the next."""

    def __init__(self, index: Index, project: str = "") -> None:
        """`project` is what it is called."""
        self._index = index
        self.own_name = frozenset(map(analysis.stem, analysis.parts(project)))
        self._languages: dict[int, str] = {}

    @cached_property
    def central(self) -> Floats:
        """How many files speak of each file, 1 if all do."""
        index = self._index
        frequency = index.frequency(index.column("file_title"))
        return np.log1p(frequency).astype(np.float32) / np.float32(np.log(max(2, index.live_file_count) + 1))

    @cached_property
    def size(self) -> Floats:
        """How much text each file has, 1 for the largest."""
        lengths = self._index.column("file_lengths")[:, TEXT]
        return np.log1p(lengths).astype(np.float32) / np.float32(np.log1p(max(1, int(lengths.max()))))

    @cached_property
    def depth(self) -> Floats:
        """How deep each file lies among the others."""
        return np.clip(self._index.depth, -2, 3)

    @cached_property
    def part_idf(self) -> tuple[Hashes, Floats]:
        """The hashed parts of all symbols' names, ascending, and how rare each is among the files."""
        parts = np.sort(concatenated([segment.columns["symbol_terms"] for segment in self._index.segments], np.uint64))
        parts = parts[begins(parts)]
        return parts, inverse_document_frequency(self._index.live_file_count, self._index.frequency(parts))

    def foreign(self, files: NDArray[np.int32], *, has_chinese: bool) -> Floats:
        """Mark pages in a language that the question was not asked in (English is nobody's foreign language)."""
        native = {"", "en", "zh"} if has_chinese else {"", "en"}
        languages = self._languages
        for file in files.tolist():
            if file not in languages:
                languages[file] = ranking.translation_of(self._index.paths[file], self._siblings)
        return np.array([languages[file] not in native for file in files.tolist()], np.float32)

    @cached_property
    def _siblings(self) -> dict[str, int]:
        index = self._index
        pages = _distinct(index.chunk_file[index.rows_of[SECTION]], index.file_count)
        return ranking.language_folders(index.paths[page] for page in pages)


class Retrieval:
    """One question against one index: all that is computed once and used by both lists."""

    def __init__(
        self,
        index: Index,
        files: Files,
        question: Question,
        meaning: Sequence[Meaning],
        second: TierMeaning | None = None,
    ) -> None:
        """`meaning` is what the question means to each set; `second` tells what another model thinks of the rows it covers."""
        self.second = second
        self.index = index
        self.question = question
        self.meaning = meaning
        self.files = files
        self.intent = ranking.Intent.of(question.text)
        self.terms = {
            **dict.fromkeys(question.native, ranking.NATIVE_WEIGHT),
            **ranking.emphasised(question, files.own_name),
        }
        self.chunk_scores = index.bm25f("chunk", self.terms, _CHUNK)
        self.file_scores = index.bm25f("file", self.terms, _FILE)
        frequency = np.array([self.file_scores.frequency[term] for term in self.terms], np.int64)
        idf = dict(zip(self.terms, inverse_document_frequency(index.live_file_count, frequency).tolist(), strict=True))
        self.weighted_terms = {term: self.terms[term][CODE] * idf[term] for term in question.terms}
        nameless = [
            max(idf[term] for term in found) for word in question.words if (found := question.only_native(word))
        ]
        self.total = sum(self.weighted_terms.values()) + sum(nameless)
        self.names = ranking.NameMatcher(self.weighted_terms, ranking.title_runs(question), nameless)

    def code(self, allowed: Mask, of_set: int) -> Ranked:
        """Rank code: words and meaning of chunk and file, names of file, folder and symbols, and what speaks against a path."""
        defined = self._definitions()
        base = self._candidates(allowed & (self.index.chunk_set == of_set), of_set, defined, ranking.CODE_WEIGHTS)
        if base is None:
            return _NOTHING
        files, paths = base.files, self._paths(base.files)
        title, share, run, folder = self.names.match(paths)
        base.features["definition"] = _values(defined, base.rows)
        by_file = {
            "title": title,
            "title share": share,
            "title run": run,
            "folder": folder,
            "symbol": self._symbols(files),
            "central": self.files.central[files],
            "size": self.files.size[files],
            "file meaning": self.meaning[CODE].file_cosines(files),
            "comment meaning": self.meaning[CODE].file_cosines(files, comments=True),
            "depth": self.files.depth[files],
            **ranking.path_priors(paths, self.intent, is_code=True),
        }
        return _ranked(base, by_file, ranking.CODE_WEIGHTS)

    def sections(self, allowed: Mask) -> Ranked:
        """Rank sections of documentation: words, meaning, coverage of the question, and what speaks against a page."""
        base = self._candidates(allowed & (self.index.chunk_set == SECTION), SECTION, {}, ranking.SECTION_WEIGHTS)
        if base is None:
            return _NOTHING
        rows, files, paths = base.rows, base.files, self._paths(base.files)
        lengths = self.index.column("chunk_length")[rows]
        base.features["coverage"] = self.chunk_scores.matched[rows] / np.float32(max(self._weight_in(SECTION), 1e-9))
        base.features["length"] = np.minimum(1, np.log1p(lengths, dtype=np.float32) / np.float32(np.log(1500)))
        by_file = {
            "title": self.names.match(paths).title,
            "foreign": self.files.foreign(files, has_chinese=self.question.has_chinese),
            "file meaning": self.meaning[SECTION].file_cosines(files),
            **ranking.path_priors(paths, self.intent, is_code=False),
        }
        return _ranked(base, by_file, ranking.SECTION_WEIGHTS)

    def may_hold(self, quotation: Quotation, ranked: Ranked, of_set: int) -> Ints:
        """Return the places in a list where the question may stand word for word: where enough of its words do, most first.

        Of a question with Chinese any may: what its words may be called in English need not stand there.
        """
        matched, scores = self.chunk_scores.matched[ranked.rows], self.chunk_scores.score[ranked.rows]
        least = 0.0 if self.question.has_chinese else (quotation.least_share - _ROUNDING) * self._weight_in(of_set)
        places = np.flatnonzero(matched >= least)
        return places[(-scores[places]).argsort(kind="stable")][:_MAY_QUOTE]

    def _candidates(
        self, allowed: Mask, of_set: int, defined: Mapping[int, float], weights: Mapping[str, float]
    ) -> _Candidates | None:
        """Choose the rows worth a closer look: their files are the foremost by words, meaning and definitions."""
        index, meaning = self.index, self.meaning[of_set]
        words, file_words = self.chunk_scores.score, self.file_scores.score
        rows = np.flatnonzero(allowed & (words > 0))
        if len(rows) > _CONSIDERED:
            rough = weights["chunk words"] * words[rows] / words[rows].max()
            rough += weights["file words"] * file_words[index.chunk_file[rows]] / max(float(file_words.max()), 1e-9)
            rows = rows[_largest(rough, _CONSIDERED)]
        alone = _NEAREST - min(len(rows), _LESS_NEAREST)
        found = [rows, meaning.standing_out(allowed, rows, of_set, alone, _DENSE_ALONE)]
        found.append(np.array([row for row in defined if allowed[row]], np.int64))
        if self.second is not None:
            mean, deviation = self.second.spread(of_set)
            found.append(self.second.nearest(allowed, _NEAREST, mean + _DENSE_ALONE * deviation)[0])
        rows = _distinct(concatenated(found), len(index))
        if not len(rows):
            return None
        second = None if self.second is None else _standard(self.second.cosines(rows), *self.second.spread(of_set))
        shares = words[rows] > 0
        trust = np.where(shares, np.float32(1), _UNSHARED) if shares.any() else np.ones(len(rows), np.float32)
        file_of = index.chunk_file[rows]
        features = {
            "chunk words": words[rows] / max(float(words[rows].max()), 1e-9),
            "file words": file_words[file_of] / max(float(file_words[file_of].max()), 1e-9),
            "meaning": _meaning(meaning.standing(rows, of_set), trust, second),
        }
        rough = ranking.weighted(np.array([*features.values()]), [weights[name] for name in features])
        rough += _values(defined, rows)
        begun = begins(file_of)  # rows are ascending, and so are their files
        file_at, firsts = begun.cumsum() - 1, np.flatnonzero(begun)
        files = file_of[firsts]
        if len(files) > _FILES_EXAMINED:
            foremost = _largest(np.maximum.reduceat(rough, firsts), _FILES_EXAMINED)
            keep = foremost[file_at]
            files, file_at = files[foremost], (foremost.cumsum() - 1)[file_at[keep]]
            rows, trust, second = rows[keep], trust[keep], None if second is None else second[keep]
            features = {name: values[keep] for name, values in features.items()}
        cosines = meaning.cosines(rows)
        features["meaning"] = _meaning(_standard(cosines, *meaning.spread(of_set)), trust, second)
        return _Candidates(rows, files, file_at, cosines, features)

    def _weight_in(self, of_set: int) -> float:
        """Return the question's weight in a set: the idf of all its terms, absent ones counting as the rarest."""
        return float(sum(weight[of_set] for weight in self.chunk_scores.weight.values()))

    def documentation_likelihood(self, code: Ranked, sections: Ranked) -> float:
        """Judge whether documentation or code is asked for, from the question and the best of both lists."""
        matched = float(self.chunk_scores.matched[code.rows].max())
        found = self.file_scores.frequency
        present = sum(float(weight[CODE]) for term, weight in self.chunk_scores.weight.items() if found[term])
        return ranking.asks_documentation(
            {
                **ranking.documentation_features(self.question),
                "cosine gap": float(sections.cosines.max() - code.cosines.max()),
                "coverage": matched / max(present, 1e-9),
                "title run": float(code.features["title run"].max()),
                "symbol": float(code.features["symbol"].max()),
                "section top": float(sections.scores[0]),
            }
        )

    def _paths(self, files: NDArray[np.int32]) -> list[str]:
        paths = self.index.paths
        return [paths[file] for file in files.tolist()]

    def _symbols(self, files: NDArray[np.int32]) -> Floats:
        """Return for each file how well its best symbol's name fits: share of the question times share of the name."""
        index = self.index
        postings = index.postings("symbol", self.weighted_terms)
        values = np.zeros(len(files), np.float32)
        keep = _mask(files, index.file_count)[index.chunk_file[index.symbol_chunk[postings.documents]]]
        if not keep.any():
            return values
        symbols = postings.documents[keep]
        order = symbols.argsort(kind="stable")
        symbols = symbols[order]
        firsts = np.flatnonzero(begins(symbols))
        every = symbols[firsts]
        weights = np.add.reduceat(np.array([*self.weighted_terms.values()])[postings.terms[keep][order]], firsts)
        file_of = index.chunk_file[index.symbol_chunk[every]]
        parts, starts = index.symbol_parts
        counts = starts[every + 1] - starts[every]
        flat = parts[np.repeat(starts[every] - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())]
        known, idf = self.files.part_idf
        whole = np.add.reduceat(idf[known.searchsorted(flat)], np.cumsum(counts) - counts)
        recall = np.minimum(1, weights / max(self.total, 1e-9))
        precision = np.sqrt(np.minimum(1, weights / np.maximum(whole, 1e-9)))
        np.maximum.at(
            values,
            np.searchsorted(files, file_of),
            (recall * precision * _KIND_WEIGHT[index.symbol_kind[every]]).astype(np.float32),
        )
        return values

    def _definitions(self) -> dict[int, float]:
        """Return for rows how surely they define an identifier of the question, 2 at most."""
        index = self.index
        values: dict[int, float] = {}
        for place, (name, strength) in enumerate(self.question.identifiers):
            claim = strength * (ranking.LATER_IDENTIFIER if place else 1)
            pieces = [piece for piece in re.split(r"::|->|\\|\.|#", name.strip("`'\"()!?@$")) if piece]
            if not pieces:
                continue
            last, qualifier = pieces[-1], joined(pieces[-2]) if len(pieces) > 1 else ""
            exact = index.symbols_named(last, exactly=True)
            folded = [symbol for symbol in index.symbols_named(last, exactly=False) if symbol not in exact]
            best: dict[int, float] = {}
            for symbols, likeness in ((exact, 1.0), (folded, 0.8)):
                for symbol in symbols[:_SYMBOLS_EXAMINED]:
                    row = int(index.symbol_chunk[symbol])
                    path = index.paths[int(index.chunk_file[row])]
                    title = joined(file_title(path))
                    lines = int(index.column("chunk_last")[row] - index.column("chunk_first")[row]) + 1
                    value = claim * likeness * float(_KIND_WEIGHT[index.symbol_kind[symbol]]) * log_length(lines)
                    if qualifier and (qualifier in joined(path) or self._file_defines(row, qualifier)):
                        value *= 1.3
                    if title == joined(last):
                        value *= 1.5
                    elif title and joined(last).startswith(title):
                        value *= 1.1
                    best[row] = max(best.get(row, 0.0), value)
            for row, value in best.items():
                values[row] = min(2.0, values.get(row, 0.0) + value)
        return values

    def _file_defines(self, row: int, name: str) -> bool:
        rows = self.index.symbol_chunk[self.index.symbols_named(name, exactly=False)]
        return bool((self.index.chunk_file[rows] == self.index.chunk_file[row]).any())

    def others(self, ranked: Ranked, places: Sequence[int]) -> list[tuple[tuple[int, int], ...]]:
        """Return for places in a list the lines of up to three more chunks of the same file that score nearly as well."""
        if not places:
            return []
        files, words = self.index.chunk_file[ranked.rows], ranked.features["chunk words"]
        at = np.array(places)
        good = (files == files[at, None]) & (words >= 0.5 * words[at, None]) & (words > np.float32(0.15))
        good[np.arange(len(at)), at] = False
        place, other = np.nonzero(good)
        foremost = np.arange(len(place)) - place.searchsorted(place) < 3
        place, rows = place[foremost], ranked.rows[other[foremost]]
        order = np.lexsort((rows, place))
        first, last = (self.index.column(name)[rows[order]].tolist() for name in ("chunk_first", "chunk_last"))
        found: list[list[tuple[int, int]]] = [[] for _ in places]
        for number, lines in zip(place[order].tolist(), zip(first, last, strict=True), strict=True):
            found[number].append(lines)
        return list(map(tuple, found))

    @cached_property
    def _postings(self) -> Postings:
        return self.index.postings("chunk", self.terms)

    def explain(self, ranked: Ranked, at: int, documentation: float) -> dict[str, float | int | str | tuple[str, ...]]:
        """Break a score into each feature's share, with the arms' ranks and the terms that matched."""
        row = ranked.rows[at]
        why: dict[str, float | int | str | tuple[str, ...]] = {
            name: round(float(ranked.features[name][at]) * weight, 3)
            for name, weight in ranked.weights.items()
            if name in ranked.features and abs(float(ranked.features[name][at]) * weight) >= 0.0005
        }
        scores = self.chunk_scores.score
        if scores[row] > 0:
            why["rank by words"] = int((scores[ranked.rows] > scores[row]).sum()) + 1
        why["rank by meaning"] = int((ranked.cosines > ranked.cosines[at]).sum()) + 1
        why["cosine"] = round(float(ranked.cosines[at]), 4)
        why["documentation"] = round(documentation, 3)
        matched = []
        here = set(self._postings.terms[self._postings.documents == row].tolist())
        for number, term in enumerate(self.terms):
            if number in here:
                origin = self.question.origins.get(term, term)
                matched.append(term if origin == term else f"{origin} → {term}")
        why["terms"] = tuple(matched)
        return why


def _ranked(candidates: _Candidates, by_file: Mapping[str, Floats], weights: Mapping[str, float]) -> Ranked:
    """Score candidates by all features, their own and those of their files."""
    names = [*candidates.features, *by_file]
    own, of_files = np.array([*candidates.features.values()]), np.array([*by_file.values()])
    values = np.concatenate((own, of_files.take(candidates.file_at, axis=1)))
    scores = ranking.weighted(values, [weights[name] for name in names])
    order = (-scores).argsort(kind="stable")  # candidates are ascending: so are equals
    features = dict(zip(names, values.take(order, axis=1), strict=True))
    return Ranked(candidates.rows[order], scores[order], candidates.cosines[order], features, weights)


def _standard(cosines: Floats, mean: float, deviation: float) -> Floats:
    return (cosines - np.float32(mean)) / np.float32(deviation)


def _meaning(bundled: Floats, trust: Floats, chosen: Floats | None) -> Floats:
    """Return the standard scores of one or two models as a feature; `trust` tells how far the bundled one is believed."""
    bundled = bundled.clip(*_STANDARD_SCORES) * trust
    return bundled if chosen is None else ranking.of_two_models(bundled, chosen.clip(*_STANDARD_SCORES))


def _largest(values: Floats, count: int) -> Mask:
    """Tell which values are the so many largest, or as large as the last of these."""
    least = np.partition(values, len(values) - count)[len(values) - count]
    largest: Mask = values >= least
    return largest


def _values(of: Mapping[int, float], rows: Ints) -> Floats:
    """Return what is known of ascending rows, 0 where that is nothing."""
    values = np.zeros(len(rows), np.float32)
    for row, value in of.items():
        at = int(rows.searchsorted(row))
        if at < len(rows) and rows[at] == row:
            values[at] = value
    return values


def _mask(numbers: Ints | NDArray[np.int32], size: int) -> Mask:
    """Return a mask of this size that is true at the numbers."""
    mask = np.zeros(size, bool)
    mask[numbers] = True
    return mask


def _distinct(numbers: Ints | NDArray[np.int32], size: int) -> Ints:
    """Return the distinct numbers, ascending. Unlike numpy's `unique`, it imports nothing the first time."""
    return np.flatnonzero(_mask(numbers, size))
