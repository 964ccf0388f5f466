"""Losses by contrast, and their gradients: in a batch of questions and answers, each question should find its own."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

DIMENSIONS = ((256, 1.0), (128, 0.4), (64, 0.3))
"""Prefixes of a vector that are to be good by themselves (Matryoshka), and the weight of each one's loss."""


class Loss(NamedTuple):
    """A batch's loss at full length, and its gradients for the questions, the answers, and the log of the scale."""

    value: float
    questions: Floats
    answers: Floats
    log_scale: float


def contrast(questions: Floats, answers: Floats, log_scale: float) -> Loss:
    """Return the symmetric InfoNCE loss of sums of token vectors, both [batch, dimensions], over all prefixes."""
    scale = float(np.exp(log_scale))
    slopes = np.zeros_like(questions), np.zeros_like(answers)
    grad_scale, value = 0.0, 0.0
    for size, weight in DIMENSIONS:
        asked, asked_norms = unit_and_norms(questions[:, :size])
        answer, answer_norms = unit_and_norms(answers[:, :size])
        cosines = asked @ answer.T
        logits: Floats = np.float32(scale) * cosines
        forward, loss_forward = softmax(logits)
        backward, loss_backward = softmax(logits.T)
        slope: Floats = (forward + backward.T) * np.float32(weight / (2 * len(logits)))
        slope[np.diag_indices(len(slope))] -= np.float32(weight / len(logits))
        if size == DIMENSIONS[0][0]:
            value = (loss_forward + loss_backward) / 2
        grad_scale += float(np.vdot(slope, cosines)) * scale
        slope *= np.float32(scale)
        slopes[0][:, :size] += through_unit(slope @ answer, asked, asked_norms)
        slopes[1][:, :size] += through_unit(slope.T @ asked, answer, answer_norms)
    return Loss(value, *slopes, grad_scale)


def unit_and_norms(rows: Floats) -> tuple[Floats, Floats]:
    """Return rows made unit vectors, and the norms that they had, [rows, 1]."""
    norms = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-6))
    return rows / norms, norms


def through_unit(gradient: Floats, unit: Floats, norms: Floats) -> Floats:
    """Return the gradient before rows were made unit vectors."""
    along = np.einsum("ij,ij->i", gradient, unit)[:, None]
    before: Floats = (gradient - unit * along) / norms
    return before


def softmax(logits: Floats) -> tuple[Floats, float]:
    """Return the softmax of each row, and the mean loss of the diagonal."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    right = np.diagonal(shifted).copy()
    np.exp(shifted, out=shifted)
    total = shifted.sum(axis=1, keepdims=True)
    shifted /= total
    return shifted, float(np.mean(np.log(total[:, 0]) - right))
