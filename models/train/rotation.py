"""A rotation of the trained table: its first dimensions alone come to find what all of them find.

A rotation changes no cosine of whole vectors. Which texts are alike is taken from these, softened by how the questions and
answers truly belong together: what whole vectors confuse need not be confused in the same way by a prefix.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from contrast import softmax, through_unit, unit_and_norms
from training import Numbers, draw

VERSION = 1
STEPS = 600
BATCH = 768
PREFIXES = ((128, 1.0), (64, 0.3))
"""Prefixes, and the weight of each one's loss."""

SCALE = np.float32(16)  # of cosines
OWN = np.float32(0.4)  # how much of what is wanted is the own answer, the rest is what whole vectors say
_RATE, _DECAY, _SQUARE_DECAY = 2e-3, 0.9, 0.99

Floats = NDArray[np.float32]


class Matched(NamedTuple):
    """Questions and their answers as unit vectors, [rows, dimensions], for the rows asked for; `block` of a source in a row."""

    vectors: Callable[[Numbers], tuple[Floats, Floats]]
    sources: Sequence[Numbers]
    block: int


def learn(corpora: Sequence[Matched], dimensions: int, seed: int, steps: int) -> Floats:
    """Return the rotation, [dimensions, dimensions], that vectors are to be multiplied by from the right.

    Adam along the orthogonal group: gradients are made tangent to it, and what leaves it is brought back by QR.
    """
    generator = np.random.default_rng(seed)
    rotation = np.eye(dimensions, dtype=np.float32)
    first, second = np.zeros_like(rotation), np.zeros_like(rotation)
    for step in range(steps):
        slope = np.zeros_like(rotation)
        for corpus in corpora:
            slope += gradient(*corpus.vectors(draw(corpus.sources, corpus.block, BATCH, generator)), rotation)
        turn = rotation.T @ slope
        slope = rotation @ (turn - turn.T) * np.float32(0.5)
        first = first * np.float32(_DECAY) + slope * np.float32(1 - _DECAY)
        second = second * np.float32(_SQUARE_DECAY) + slope * slope * np.float32(1 - _SQUARE_DECAY)
        mean = first / np.float32(1 - _DECAY ** (step + 1))
        mean /= np.sqrt(second / np.float32(1 - _SQUARE_DECAY ** (step + 1))) + np.float32(1e-8)
        orthogonal, triangle = np.linalg.qr(rotation - np.float32(_RATE * (1 - step / steps)) * mean)
        rotation = (orthogonal * np.sign(np.diagonal(triangle))).astype(np.float32)
    return rotation


def gradient(questions: Floats, answers: Floats, rotation: Floats) -> Floats:
    """Return the gradient, by the rotation, of the cross-entropy between what is wanted and what the prefixes say."""
    cosines = SCALE * (questions @ answers.T)
    wanted = _wanted(cosines) + _wanted(cosines.T).T
    slopes = np.zeros_like(rotation)
    for size, weight in PREFIXES:
        asked, asked_norms = unit_and_norms(questions @ rotation[:, :size])
        answer, answer_norms = unit_and_norms(answers @ rotation[:, :size])
        logits = SCALE * (asked @ answer.T)
        slope = softmax(logits)[0] + softmax(logits.T)[0].T - wanted
        slope *= SCALE * np.float32(weight / (2 * len(questions)))
        slopes[:, :size] += questions.T @ through_unit(slope @ answer, asked, asked_norms)
        slopes[:, :size] += answers.T @ through_unit(slope.T @ asked, answer, answer_norms)
    return slopes


def _wanted(cosines: Floats) -> Floats:
    wanted: Floats = softmax(cosines)[0] * (1 - OWN)
    wanted[np.diag_indices(len(wanted))] += OWN
    return wanted
