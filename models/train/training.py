"""The table of token vectors: how it begins, from a teacher's word vectors, and how it is trained by contrast.

A row is a direction times exp(log weight): tokens that say little end up short. What Chinese words mean comes from the
English sides of the pairs that they stand in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from bags import Bags, unit
from contrast import DIMENSIONS, contrast

VERSION = 1
LARGEST = DIMENSIONS[0][0]
_RATE, _WEIGHT_RATE, _SCALE_RATE = 4e-3, 1.2e-2, 1e-2
_DECAY, _SQUARE_DECAY = 0.9, 0.98
_FIRST_SCALE = 20.0
_DROPOUT = 0.25  # of tokens
_ASKED = 0.3  # of the questions get the words of a question form
_COMMON = 1e-3  # a token as frequent as this begins at half the weight of a rare one
_SOURCE_POWER = 0.75  # sources are drawn by their size to this power

TEMPLATES = (
    "how does", "how is", "where is", "how do I", "what is the", "implementation", "how does it work", "the logic for",
    "class that", "function to", "code that handles", "handling of", "是怎么实现的", "怎么实现", "在哪里", "如何", "的实现",
    "是怎么工作的", "的处理逻辑", "的工作原理", "怎么做", "的原理", "在哪里定义", "处理", "实现", "机制", "是怎么处理的",
    "怎么用", "的逻辑", "功能",
)  # fmt: skip
"""Forms of questions. Added to questions at random, so that their words lose weight by themselves."""

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]


class Corpus(NamedTuple):
    """Texts that belong together, row by row, and the rows of each source; `block` rows of one source come in a row."""

    questions: Bags
    answers: Bags
    sources: Sequence[Numbers]
    block: int
    asks: bool


class Run(NamedTuple):
    """One training of a table: the seed of all chance in it, its steps, and the rows of each corpus in a step."""

    seed: int
    steps: int
    batch: int = 768


def by_source(names: Sequence[str], least: int = 8) -> list[Numbers]:
    """Return the rows of each source that has at least so many."""
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(name, []).append(row)
    return [np.array(found, np.int64) for found in rows.values() if len(found) >= least]


class Table:
    """The rows in training: directions [tokens, dimensions], their log weights [tokens], and what Adam keeps of them."""

    def __init__(self, directions: Floats, log_weights: Floats) -> None:
        self.directions, self.log_weights = directions.copy(), log_weights.copy()
        self._moments = [np.zeros_like(each) for each in (directions, directions, log_weights, log_weights)]
        self._log_scale = float(np.log(_FIRST_SCALE))
        self._steps = 0

    @property
    def rows(self) -> Floats:
        """The token vectors, [tokens, dimensions]."""
        rows: Floats = self.directions * np.exp(self.log_weights)[:, None]
        return rows

    def train(
        self,
        corpora: Sequence[Corpus],
        templates: Bags,
        run: Run,
        advance: Callable[[int, list[float]], None],
    ) -> None:
        """Train on all corpora at once; `advance` hears the number of steps done and each corpus's loss."""
        generator = np.random.default_rng(run.seed)
        for step in range(run.steps):
            gradients: list[tuple[Bags, Floats]] = []
            losses, scale_slope = [], 0.0
            for corpus in corpora:
                rows = draw(corpus.sources, corpus.block, run.batch, generator)
                asked = _asking(corpus.questions[rows], templates, generator) if corpus.asks else corpus.questions[rows]
                sides = _without_some(asked, generator), _without_some(corpus.answers[rows], generator)
                loss = contrast(self._sums(sides[0]), self._sums(sides[1]), self._log_scale)
                gradients += zip(sides, (loss.questions, loss.answers), strict=True)
                losses.append(loss.value)
                scale_slope += loss.log_scale
            self._step(gradients, scale_slope, 1 - step / run.steps)
            advance(step + 1, losses)

    def _sums(self, bags: Bags) -> Floats:
        """Return the bags' sums of rows, [bags, dimensions]."""
        used, places = np.unique(bags.indices, return_inverse=True)
        rows = self.directions[used] * np.exp(self.log_weights[used])[:, None]
        sums: Floats = sp.csr_matrix((bags.data, places, bags.indptr), shape=(bags.shape[0], len(used))) @ rows
        return sums

    def _step(self, gradients: Sequence[tuple[Bags, Floats]], scale_slope: float, rate: float) -> None:
        """Take a step of Adam on the rows of all tokens that were seen."""
        self._steps += 1
        used = np.unique(np.concatenate([bags.indices for bags, _ in gradients]))
        slope = np.zeros((len(used), self.directions.shape[1]), np.float32)
        for bags, gradient in gradients:
            places = np.searchsorted(used, bags.indices)
            slope += np.asarray(
                sp.csr_matrix((bags.data, places, bags.indptr), shape=(bags.shape[0], len(used))).T @ gradient,
                np.float32,
            )
        weights: Floats = np.exp(self.log_weights[used])
        weight_slope = np.einsum("ij,ij->i", slope, self.directions[used]) * weights
        slope *= weights[:, None]
        first, second, weight_first, weight_second = self._moments
        self.directions[used] -= rate * _RATE * self._adam(first, second, used, slope)
        self.log_weights[used] -= rate * _WEIGHT_RATE * self._adam(weight_first, weight_second, used, weight_slope)
        self._log_scale -= rate * _SCALE_RATE * float(np.clip(10 * scale_slope, -1, 1))

    def _adam(self, first: Floats, second: Floats, used: Numbers, slope: Floats) -> Floats:
        first[used] = first[used] * np.float32(_DECAY) + slope * np.float32(1 - _DECAY)
        second[used] = second[used] * np.float32(_SQUARE_DECAY) + slope * slope * np.float32(1 - _SQUARE_DECAY)
        mean = first[used] / np.float32(1 - _DECAY**self._steps)
        step: Floats = mean / (np.sqrt(second[used] / np.float32(1 - _SQUARE_DECAY**self._steps)) + np.float32(1e-8))
        return step


def begin(
    is_latin: NDArray[np.bool_], words: Floats, sentences: Floats, corpora: Sequence[Corpus], pairs: Corpus, seed: int
) -> tuple[Floats, Floats]:
    """Return directions and log weights to begin with.

    `words` are a teacher's vectors of the Latin tokens, `sentences` of some sentences, which say along which directions
    texts differ. A Chinese token begins as the mean of the English sides of the pairs that it stands in.
    """
    _, _, axes = np.linalg.svd(sentences - sentences.mean(axis=0), full_matrices=False)
    directions = np.zeros((len(is_latin), LARGEST), np.float32)
    axes = axes[:LARGEST]
    directions[is_latin, : len(axes)] = unit((words - words.mean(axis=0)) @ axes.T)
    counts = np.zeros(len(is_latin))
    for corpus in (*corpora, pairs):
        for side in (corpus.questions, corpus.answers):
            counts += np.bincount(side.indices, minlength=len(is_latin))
    log_weights = np.log(_COMMON / (_COMMON + counts / max(counts.sum(), 1))).astype(np.float32)
    english = unit(pairs.questions @ (directions * np.exp(log_weights)[:, None]))
    stands = pairs.answers.T.tocsr()
    stands.data[:] = 1
    means = stands @ english / np.maximum(np.asarray(stands.sum(axis=1)), 1)
    directions[~is_latin] = unit(means - english.mean(axis=0))[~is_latin]
    lost = np.linalg.norm(directions, axis=1) < 1e-3
    chance = np.random.default_rng(seed).standard_normal((int(lost.sum()), LARGEST))
    directions[lost] = unit(chance.astype(np.float32))
    return directions, log_weights


def draw(sources: Sequence[Numbers], block: int, size: int, generator: np.random.Generator) -> Numbers:
    """Draw rows in blocks of one source each: what is told apart within a block is alike in style."""
    shares = np.array([len(rows) for rows in sources], np.float64) ** _SOURCE_POWER
    shares /= shares.sum()
    drawn: list[int] = []
    while len(drawn) < size:
        rows = sources[generator.choice(len(sources), p=shares)]
        drawn += generator.choice(rows, min(block, len(rows)), replace=False).tolist()
    return np.array(drawn[:size], np.int64)


def _without_some(bags: Bags, generator: np.random.Generator) -> Bags:
    bags = bags.copy()
    bags.data = bags.data * (generator.random(len(bags.data)) >= _DROPOUT).astype(np.float32)
    return bags


def _asking(bags: Bags, templates: Bags, generator: np.random.Generator) -> Bags:
    """Add a form of question to some."""
    rows = np.flatnonzero(generator.random(bags.shape[0]) < _ASKED)
    forms = generator.integers(0, templates.shape[0], len(rows))
    chosen = sp.csr_matrix((np.ones(len(rows), np.float32), (rows, forms)), shape=(bags.shape[0], templates.shape[0]))
    return (bags + chosen @ templates).tocsr()
