"""The bundled model: a lookup table of bilingual token vectors, a Viterbi tokenizer, and vectors composed by field.

A text's vector is the sum over its distinct tokens of log(1 + count) * row; a chunk's is the weighted sum of the unit
vectors of its content, its path, its name and the names that it defines.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections import Counter
from collections.abc import Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from codeseek import analysis, catalogue
from codeseek.embedders import Vectors
from codeseek.embedders.pieces import Pieces, Tokens
from codeseek.errors import ModelError
from codeseek.records import Chunk
from codeseek.rows import MOST_NAMES

FORMAT = 1
"""Of a model's files: grows when an older program could not read them rightly."""

_LONGEST_WORD = 64
# field weights, chosen on the development half of the benchmark; the optimum is flat
_CODE_WEIGHTS = {"path": 0.5, "title": 0.4, "names": 0.6}
_SECTION_WEIGHTS = {"path": 0.3, "breadcrumb": 0.3, "heading": 0.5}
_GROUP = 32  # texts multiplied at once: few enough that most of their tokens are shared
_COMPOSITION = "fielded-2"


class StaticEmbedder:
    """Embeds with a table alone: no network, no GPU, thousands of chunks a second on one core."""

    name = "bundled"
    notes: Sequence[str] = ()

    def __init__(
        self,
        tokens: Tokens,
        table: NDArray[np.int8] | NDArray[np.float32],
        scale: NDArray[np.float32],
        score: NDArray[np.float32],
    ) -> None:
        """`table` is [tokens, dimensions], its rows times `scale` are the vectors; `score` is for segmentation."""
        self._vocabulary = tokens
        self._table = table
        self._scale = scale
        self._score = score
        self._sense = analysis.Sense(self._tokens, int)

    @classmethod
    def bundled(cls) -> Self:
        """Load the model in the package; raises `ModelError` if it is damaged."""
        return cls.load(catalogue.model_directory("bundled"))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load a model from its folder, the table memory-mapped; raises `ModelError`."""
        try:
            made_for = json.loads((folder / "bundle.json").read_text("utf-8"))["format"]
            tokens = Tokens((folder / "vocabulary.txt").read_bytes().decode())
            table = np.load(folder / "table.npy", mmap_mode="r")
            scale, score = np.load(folder / "scale.npy"), np.load(folder / "score.npy")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"the model in `{folder}` cannot be read: {error}", hint="install codeseek again"
            ) from error
        if made_for != FORMAT:
            raise ModelError(
                f"the model in `{folder}` has format {made_for}, this program reads {FORMAT}",
                hint="install codeseek again",
            )
        if not len(tokens) == len(table) == len(scale) == len(score):
            raise ModelError(
                f"the model in `{folder}` is damaged: its parts differ in length", hint="install codeseek again"
            )
        return cls(tokens, table, scale, score)

    def shortened(self, dimensions: int) -> Self:
        """Return the same model by its first dimensions alone."""
        return type(self)(self._vocabulary, self._table[:, :dimensions], self._scale, self._score)

    def with_rows(self, rows: NDArray[np.float32]) -> Self:
        """Return the same model with token vectors of full precision, [tokens, dimensions]."""
        return type(self)(self._vocabulary, rows, np.ones(len(rows), np.float32), self._score)

    @property
    def dimensions(self) -> int:
        """The length of a vector."""
        return int(self._table.shape[1])

    @property
    def prefix(self) -> int:
        """The whole vector: it is short."""
        return self.dimensions

    @cached_property
    def fingerprint(self) -> str:
        """Identifies table, vocabulary and composition."""
        digest = hashlib.blake2b(_COMPOSITION.encode(), digest_size=8)
        digest.update(self._scale.tobytes())
        digest.update(self._score.tobytes())
        return f"{self.name}-{digest.hexdigest()}"

    def embed(self, chunks: Sequence[Chunk]) -> Vectors:
        """Return unit vectors, [n, dimensions]; a chunk without a single known token gives zeros."""
        fields: list[tuple[str, ...]] = []
        places: dict[tuple[str, ...], int] = {}
        parts: list[tuple[int, int, float]] = []  # chunk, field text, weight

        def place(*texts: str) -> int:
            if (at := places.get(texts)) is None:
                at = places[texts] = len(fields)
                fields.append(texts)
            return at

        for number, chunk in enumerate(chunks):
            parts.append((number, place(*analysis.separate(chunk)), 1.0))
            for text, weight in _header(chunk):
                if text:
                    parts.append((number, place(text), weight))
        unit = _normalised(self._sums(fields))
        rows, texts, weights = (
            (np.array(column) for column in zip(*parts, strict=True)) if parts else (np.zeros(0, int),) * 3
        )
        total = np.zeros((len(chunks), self.dimensions), np.float32)
        if len(rows):
            starts = np.flatnonzero(np.diff(rows, prepend=-1))
            for begin in range(0, len(starts), 1024):  # bounded: each part is a row of floats here
                stop = starts[begin + 1024] if begin + 1024 < len(starts) else len(rows)
                part = slice(starts[begin], stop)
                weighted = unit[texts[part]] * weights[part, None].astype(np.float32)
                within = starts[begin : begin + 1024]
                total[rows[within]] = np.add.reduceat(weighted, within - within[0], axis=0)
        return _normalised(total)

    def embed_query(self, query: str) -> NDArray[np.float32]:
        """Return the question's unit vector, [dimensions]."""
        counts = Counter(itertools.chain.from_iterable(self._tokens(analysis.words(query))))
        tokens = np.fromiter(counts.keys(), np.int64, len(counts))
        weights = np.log1p(np.fromiter(counts.values(), np.float32, len(counts))) * self._scale[tokens]
        vector: NDArray[np.float32] = weights @ self._table[tokens].astype(np.float32)
        return vector / (np.sqrt(vector @ vector) or np.float32(1))

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, [n, dimensions]; a text without a single known token gives zeros."""
        return _normalised(self._sums([(text,) for text in texts]))

    def count_tokens(self, texts: Sequence[str]) -> None:  # noqa: ARG002
        """Return None: its tokens are no language model's."""
        return

    def close(self) -> None:
        """Do nothing: what is mapped is shared, and little."""

    def _sums(self, texts: Sequence[tuple[str, ...]]) -> Vectors:
        """Return the unnormalised vectors of texts, each given in one or more pieces."""
        occurrences = analysis.Occurrences(self._sense)
        for number, pieces in enumerate(texts):
            for piece in pieces:
                occurrences.add(number, piece)
        tokens, indices, owners, counts = occurrences.count(by_owner=True)
        used = self._table[tokens.astype(np.int64)] * self._scale[tokens.astype(np.int64), None]
        weights = np.log1p(counts).astype(np.float32)
        sums = np.zeros((len(texts), self.dimensions), np.float32)
        bounds = np.searchsorted(owners, np.arange(0, len(texts) + _GROUP, _GROUP))
        for first, (start, stop) in zip(range(0, len(texts), _GROUP), itertools.pairwise(bounds), strict=False):
            shared, columns = np.unique(indices[start:stop], return_inverse=True)
            matrix = np.zeros((min(_GROUP, len(texts) - first), len(shared)), np.float32)
            matrix[owners[start:stop] - first, columns] = weights[start:stop]
            sums[first : first + _GROUP] = matrix @ used[shared]
        return sums

    def tokens(self, word: str) -> tuple[int, ...]:
        """Return the tokens of a word as written."""
        return tuple(self._tokens((word,))[0])

    def _tokens(self, words: Sequence[str]) -> list[list[int]]:
        """Return the tokens of each word."""
        self._vocabulary.expect(len(words))
        numbers = self._vocabulary.numbers
        parted = list(map(self._parts, words))
        parts = dict.fromkeys(itertools.chain.from_iterable(parted))
        unknown = [part for part in parts if part not in numbers]
        tokens = {part: [numbers[part]] for part in parts if part in numbers}
        tokens |= zip(unknown, self._pieces.of(unknown), strict=True)
        return [
            tokens[found[0]] if len(found) == 1 else [token for part in found for token in tokens[part]]
            for found in parted
        ]

    def _parts(self, word: str) -> list[str]:
        """Cut a word, lower case, at case and where letters, digits and Chinese meet."""
        plain = word.isascii()
        if plain and word.islower() and word.isalpha() and len(word) <= _LONGEST_WORD:
            return [word]
        if not plain and not _token_characters().search(word):
            return []
        parts = []
        for part in _token_words().findall(word if plain else analysis.fold(word)):
            lower = part.lower()
            if lower in self._vocabulary.numbers:
                parts.append(lower)
            elif plain or not lower.isascii():  # what an accent leaves of a word means nothing
                parts += [lower[start : start + _LONGEST_WORD] for start in range(0, len(lower), _LONGEST_WORD)]
        return parts

    @cached_property
    def _pieces(self) -> Pieces:
        return Pieces(self._vocabulary, self._score)


@cache
def _token_words() -> re.Pattern[str]:
    return re.compile(
        r"(?i:i18n|l10n|k8s|a11y|c\+\+|[cf]#)|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+|[㐀-鿿]+"
    )  # compiled when first needed: wide ranges take long


@cache
def _token_characters() -> re.Pattern[str]:
    """Match what the vocabulary is made of, and what is folded to it; other scripts have no tokens."""
    return re.compile("[a-zA-Z0-9㐀-鿿\uf900-\uffef]")


def _header(chunk: Chunk) -> list[tuple[str, float]]:
    path = str(chunk.path)
    if chunk.kind == "section":
        return [
            (chunk.symbol, _SECTION_WEIGHTS["heading"]),
            (" ".join(chunk.breadcrumb), _SECTION_WEIGHTS["breadcrumb"]),
            (path, _SECTION_WEIGHTS["path"]),
        ]
    names = " ".join(definition.name for definition in chunk.definitions[:MOST_NAMES])
    return [
        (path, _CODE_WEIGHTS["path"]),
        (chunk.path.stem, _CODE_WEIGHTS["title"]),
        (names, _CODE_WEIGHTS["names"]),
    ]


def _normalised(rows: Vectors) -> Vectors:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Vectors = (rows / np.where(norms > 0, norms, 1)).astype(np.float32)
    return unit
