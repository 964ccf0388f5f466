"""One question against one index: candidates by words and meaning, their features, two ranked lists."""

from __future__ import annotations

import re
import weakref
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeseek import analysis, ranking
from codeseek.segments import CODE, SECTION, SYMBOL_KINDS, TEXT, concatenated, file_title, joined, term_hash
from codeseek.vectors import ExactIndex, VectorIndex, best
from codeseek.words import Index, Weights, inverse_document_frequency, log_length

if TYPE_CHECKING:
    from codeseek.tier import TierMeaning

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_CHUNK = Weights(ranking.CHUNK_WEIGHT, ranking.CHUNK_B, ranking.CHUNK_K1)
_FILE = Weights(ranking.FILE_WEIGHT, ranking.FILE_B, ranking.FILE_K1)
_KIND_WEIGHT = np.array([ranking.SYMBOL_KIND_WEIGHT[kind] for kind in SYMBOL_KINDS], np.float32)
_FILES_EXAMINED = 60
_CONSIDERED = 1200  # rows that words find which are compared in meaning too
_NEAREST = 100  # rows that meaning alone may add
_SYMBOLS_EXAMINED = 200
_SCANNED = 40_000  # rows; up to so many all are compared with the question
_SAMPLED = 4096
_FOREMOST = 400  # rows that one look into the graphs brings, of code and documentation alike
_NARROW = 5  # a filter that leaves less than a fifth of the rows is searched by itself
_DENSE_ALONE = 3.0  # standard deviations above the mean from which a chunk without a common word is a candidate


class Ranked(NamedTuple):
    """A list of rows, best first, one group's: their scores, and their features by name (aligned with the rows)."""

    rows: Ints
    scores: Floats
    cosines: Floats
    features: Mapping[str, Floats]
    weights: Mapping[str, float]


_NOTHING = Ranked(np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0, np.float32), {}, {})


class _Candidates(NamedTuple):
    """Rows, their files (distinct, ascending), each row's place among these, the rows' cosines and features so far."""

    rows: Ints
    files: Ints
    file_at: Ints
    cosines: Floats
    features: dict[str, Floats]


class MeaningIndex:
    """The vectors of all segments seen as one, aligned with an index's rows."""

    def __init__(self, index: Index, vectors: Sequence[VectorIndex]) -> None:
        self.index = index
        self.vectors = vectors
        self.firsts = np.cumsum([0, *(len(each.matrix) for each in vectors)])
        self.scans = len(index) <= _SCANNED or all(isinstance(each, ExactIndex) for each in vectors)
        self._samples: dict[int, Floats] = {}

    def gather(self, rows: Ints) -> Floats:
        """Return the vectors of rows, [n, dimensions]."""
        pieces = []
        for vectors, first, last in zip(self.vectors, self.firsts, self.firsts[1:], strict=False):
            within = rows[(rows >= first) & (rows < last)]
            pieces.append(vectors.matrix[within - first])
        return concatenated(pieces, np.float32)

    def sample(self, of_set: int) -> Floats:
        """Return vectors of a set's rows, evenly spread and the same at every question."""
        if of_set not in self._samples:
            rows = self.index.rows_of[of_set]
            self._samples[of_set] = self.gather(rows[:: -(-len(rows) // _SAMPLED) or 1])
        return self._samples[of_set]


class Meaning:
    """How near every row is to one question in meaning: of all rows where they are few, else of those asked for."""

    def __init__(self, meanings: MeaningIndex, query: Floats) -> None:
        self._meanings = meanings
        self._query = query
        self._all = concatenated([each.matrix @ query for each in meanings.vectors]) if meanings.scans else None
        self._top: tuple[Ints, Floats] | None = None

    def cosines(self, rows: Ints) -> Floats:
        """Return the cosines of rows, which are ascending."""
        return self._all[rows] if self._all is not None else self._meanings.gather(rows) @ self._query

    def nearest(self, allowed: Mask, k: int, least: float = 0.0) -> tuple[Ints, Floats]:
        """Return the nearest of the rows allowed whose cosine is above `least`, nearest first, and their cosines."""
        if self._all is not None:
            near = np.flatnonzero(self._all > least)
            near = near[allowed[near]]
            order, values = best(self._all[near], k)
            return near[order], values
        if np.count_nonzero(allowed) * _NARROW < len(allowed):
            rows, cosines = self._found(k, allowed)
        else:
            if self._top is None:
                self._top = self._found(_FOREMOST, None)  # one look into the graphs serves code and sections
            rows, cosines = self._top
            rows, cosines = rows[allowed[rows]], cosines[allowed[rows]]
        enough = cosines > least
        return rows[enough][:k], cosines[enough][:k]

    def _found(self, k: int, allowed: Mask | None) -> tuple[Ints, Floats]:
        rows, cosines = [], []
        firsts = self._meanings.firsts
        for vectors, first, last in zip(self._meanings.vectors, firsts, firsts[1:], strict=False):
            found, values = vectors.nearest(self._query, k, None if allowed is None else allowed[first:last])
            rows.append(found + first)
            cosines.append(values)
        order, values = best(concatenated(cosines, np.float32), k)
        return concatenated(rows)[order], values

    def spread(self, of_set: int) -> tuple[float, float]:
        """Return mean and standard deviation of the cosines of a set's rows, by a sample where they are many."""
        if self._all is not None:
            cosines = self._all[self._meanings.index.rows_of[of_set]]
        else:
            cosines = self._meanings.sample(of_set) @ self._query
        if len(cosines) < 2:
            return 0.0, 1.0
        return float(cosines.mean()), float(cosines.std()) or 1.0


class Retrieval:
    """One question against one index: all that is computed once and used by both lists."""

    def __init__(
        self, index: Index, question: analysis.Question, meaning: Meaning, second: TierMeaning | None = None
    ) -> None:
        """`second` tells what another model thinks of the rows that it covers."""
        self.second = second
        self.index = index
        self.question = question
        self.meaning = meaning
        self.intent = ranking.Intent.of(question.text)
        self.terms = {**question.native, **question.terms}
        self.chunk_scores = index.bm25f("chunk", self.terms, _CHUNK)
        self.file_scores = index.bm25f("file", self.terms, _FILE)
        frequency = index.frequency(np.array([term_hash(term) for term in question.terms], np.uint64))
        idf = inverse_document_frequency(int(index.file_alive.sum()), frequency)
        self.weighted_terms = {
            term: weight * float(value) for (term, weight), value in zip(question.terms.items(), idf, strict=True)
        }
        self.total = sum(self.weighted_terms.values())
        self.names = ranking.NameMatcher(self.weighted_terms, ranking.title_runs(question))

    def code(self, allowed: Mask, of_set: int) -> Ranked:
        """Rank code: words and meaning of chunk and file, names of file, folder and symbols, and what speaks against a path."""
        defined = self._definitions()
        base = self._candidates(allowed & (self.index.chunk_set == of_set), of_set, defined, 4.0, ranking.CODE_WEIGHTS)
        if base is None:
            return _NOTHING
        rows, files, number_of, cosines, features = base
        names = [self.names.match(self.index.paths[file]) for file in files]
        number = max(2, int(self.index.file_alive.sum()))
        lengths = self.index.column("file_lengths")[:, TEXT]
        frequency = self.index.frequency(self.index.column("file_title")[files])
        by_file = {
            "title": np.array([name.title for name in names], np.float32),
            "title share": np.array([name.title_share for name in names], np.float32),
            "title run": np.array([name.title_run for name in names], np.float32),
            "folder": np.array([name.folder for name in names], np.float32),
            "symbol": self._symbols(files),
            "central": np.log1p(frequency).astype(np.float32) / np.float32(np.log(number + 1)),
            "size": np.log1p(lengths[files]).astype(np.float32) / np.float32(np.log1p(max(1, int(lengths.max())))),
            "depth": np.clip(self.index.depth[files], -2, 3),
            **self._priors(files, is_code=True),
        }
        definition = np.array([defined.get(int(row), 0.0) for row in rows], np.float32)
        features |= {"definition": definition, **{name: values[number_of] for name, values in by_file.items()}}
        return _ranked(rows, cosines, features, ranking.CODE_WEIGHTS)

    def sections(self, allowed: Mask) -> Ranked:
        """Rank sections of documentation: words, meaning, coverage of the question, and what speaks against a page."""
        base = self._candidates(allowed & (self.index.chunk_set == SECTION), SECTION, {}, 5.0, ranking.SECTION_WEIGHTS)
        if base is None:
            return _NOTHING
        rows, files, number_of, cosines, features = base
        features |= {
            "coverage": self.chunk_scores.matched[rows] / max(self._weight_in(SECTION), 1e-9),
            "length": np.minimum(1, np.log1p(self.index.column("chunk_length")[rows]) / np.float32(np.log(1500))),
            "title": np.array([self.names.match(self.index.paths[file]).title for file in files], np.float32)[
                number_of
            ],
            "foreign": self._foreign(files)[number_of],
            **{name: values[number_of] for name, values in self._priors(files, is_code=False).items()},
        }
        return _ranked(rows, cosines, features, ranking.SECTION_WEIGHTS)

    def _candidates(
        self, allowed: Mask, of_set: int, defined: Mapping[int, float], clip: float, weights: Mapping[str, float]
    ) -> _Candidates | None:
        """Choose the rows worth a closer look: their files are the foremost by words, meaning and definitions."""
        index = self.index
        words, file_words = self.chunk_scores.score, self.file_scores.score
        mean, deviation = self.meaning.spread(of_set)
        near, _ = self.meaning.nearest(allowed, _NEAREST, mean + _DENSE_ALONE * deviation)
        if self.second is not None:
            own_mean, own_deviation = self.second.spread(of_set)
            found, _ = self.second.nearest(allowed, _NEAREST, own_mean + _DENSE_ALONE * own_deviation)
            near = np.concatenate((near, found))
        rows = np.flatnonzero(allowed & (words > 0))
        if len(rows) > _CONSIDERED:
            rough = weights["chunk words"] * words[rows] / words[rows].max()
            rough += weights["file words"] * file_words[index.chunk_file[rows]] / max(float(file_words.max()), 1e-9)
            rows = rows[np.argpartition(-rough, _CONSIDERED)[:_CONSIDERED]]
        rows = _distinct(
            np.concatenate((rows, near, np.array([row for row in defined if allowed[row]], np.int64))), len(index)
        )
        if not len(rows):
            return None
        cosines = self.meaning.cosines(rows)
        features: dict[str, Floats] = {
            "chunk words": words[rows] / max(float(words[rows].max()), 1e-9),
            "file words": file_words[index.chunk_file[rows]]
            / max(float(file_words[index.chunk_file[rows]].max()), 1e-9),
            "meaning": np.clip((cosines - np.float32(mean)) / np.float32(deviation), -1, clip),
        }
        if self.second is not None:
            own = np.clip((self.second.cosines(rows) - np.float32(own_mean)) / np.float32(own_deviation), -1, clip)
            features["meaning"] = ranking.of_two_models(features["meaning"], own)
        rough = ranking.weighted(features, weights)
        rough += np.array([defined.get(int(row), 0.0) for row in rows], np.float32) if defined else np.float32(0)
        files = _distinct(index.chunk_file[rows], index.file_count)
        if len(files) > _FILES_EXAMINED:
            foremost = np.full(index.file_count, -np.inf, np.float32)
            np.maximum.at(foremost, index.chunk_file[rows], rough)
            files = np.sort(files[np.argpartition(-foremost[files], _FILES_EXAMINED)[:_FILES_EXAMINED]])
            keep = _mask(files, index.file_count)[index.chunk_file[rows]]
            rows, cosines = rows[keep], cosines[keep]
            features = {name: values[keep] for name, values in features.items()}
        return _Candidates(rows, files, np.searchsorted(files, index.chunk_file[rows]), cosines, features)

    def _weight_in(self, of_set: int) -> float:
        """Return the question's weight in a set: the idf of all its terms, absent ones counting as the rarest."""
        return float(sum(weight[of_set] for weight in self.chunk_scores.weight.values()))

    def documentation_likelihood(self, code: Ranked, sections: Ranked) -> float:
        """Judge whether documentation or code is asked for, from the question and the best of both lists."""
        matched = float(self.chunk_scores.matched[code.rows].max())
        present = sum(
            float(weight[CODE]) for term, weight in self.chunk_scores.weight.items() if self.index.knows(term)
        )
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

    def _priors(self, files: Ints, *, is_code: bool) -> dict[str, Floats]:
        rows = [ranking.path_priors(self.index.paths[file], self.intent, is_code=is_code) for file in files]
        return {name: np.array([row[name] for row in rows], np.float32) for name in rows[0]}

    def _foreign(self, files: Ints) -> Floats:
        """Mark pages in a language that the question was not asked in (English is nobody's foreign language)."""
        native = {"", "en", "zh"} if self.question.has_chinese else {"", "en"}
        siblings = _language_folders(self.index)
        return np.array(
            [ranking.translation_of(self.index.paths[file], siblings) not in native for file in files], np.float32
        )

    def _symbols(self, files: Ints) -> Floats:
        """Return for each file how well its best symbol's name fits: share of the question times share of the name."""
        index = self.index
        symbols, matched = [], []
        for term, weight in self.weighted_terms.items():
            documents = index.postings("symbol", term).documents
            symbols.append(documents)
            matched.append(np.full(len(documents), weight, np.float32))
        values = np.zeros(len(files), np.float32)
        if not any(map(len, symbols)):
            return values
        every, inverse = np.unique(np.concatenate(symbols), return_inverse=True)
        weights = np.bincount(inverse, np.concatenate(matched), len(every))
        file_of = index.chunk_file[index.symbol_chunk[every]]
        keep = _mask(files, index.file_count)[file_of]
        every, weights, file_of = every[keep], weights[keep], file_of[keep]
        if not len(every):
            return values
        parts, starts = index.symbol_parts
        counts = starts[every + 1] - starts[every]
        flat = parts[np.repeat(starts[every] - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())]
        unique, back = np.unique(flat, return_inverse=True)
        idf = inverse_document_frequency(int(index.file_alive.sum()), index.frequency(unique))[back]
        whole = np.add.reduceat(idf, np.cumsum(counts) - counts)
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
        for name, strength in self.question.identifiers:
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
                    value = strength * likeness * float(_KIND_WEIGHT[index.symbol_kind[symbol]]) * log_length(lines)
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
        why["rank by meaning"] = int((ranked.cosines > ranked.cosines[at]).sum()) + 1
        why["cosine"] = round(float(ranked.cosines[at]), 4)
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


def _ranked(candidates: Ints, cosines: Floats, features: Mapping[str, Floats], weights: Mapping[str, float]) -> Ranked:
    scores = ranking.weighted(features, weights)
    order = np.lexsort((candidates, -scores))
    ordered = {name: values[order] for name, values in features.items()}
    return Ranked(candidates[order], scores[order], cosines[order], ordered, weights)


def _mask(numbers: Ints | NDArray[np.int32], size: int) -> Mask:
    """Return a mask of this size that is true at the numbers."""
    mask = np.zeros(size, bool)
    mask[numbers] = True
    return mask


def _distinct(numbers: Ints | NDArray[np.int32], size: int) -> Ints:
    """Return the distinct numbers, ascending. Unlike numpy's `unique`, it imports nothing the first time."""
    return np.flatnonzero(_mask(numbers, size))


_folders_of: weakref.WeakKeyDictionary[Index, dict[str, int]] = weakref.WeakKeyDictionary()


def _language_folders(index: Index) -> dict[str, int]:
    if index not in _folders_of:
        pages = _distinct(index.chunk_file[index.rows_of[SECTION]], index.file_count)
        _folders_of[index] = ranking.language_folders(index.paths[page] for page in pages)
    return _folders_of[index]
