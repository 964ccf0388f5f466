"""Training: the student's vectors of both sides of a pair follow the teacher's of the English side; questions find code."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from student.encoder import TABLE, Encoder, Texts, batches

VERSION = 1
_DECAYS = (0.9, 0.98)
_WEIGHT_DECAY = 0.01
_LARGEST_GRADIENT = 1.0
_MIXED = 64  # batches whose texts are sorted by length together

Half = NDArray[np.float16]


class Plan(NamedTuple):
    """How to train. Batches are counted in tokens with padding, of the longer side; those of code in texts too.

    What is in the batch is what a question is told apart from, so `code_rows` says how hard that is.
    """

    steps: int = 3000
    pair_tokens: int = 1 << 17
    code_tokens: int = 1 << 17
    code_rows: int = 1024
    rate: float = 4e-4
    warm_up: float = 0.05  # of all steps
    code_weight: float = 0.1
    scale: float = 20.0  # of cosines in the contrast
    keep_every: int = 500


class Pairs(NamedTuple):
    """Texts in both languages, and the teacher's vectors of the English ones."""

    english: Texts
    chinese: Texts
    taught: Half


class Code(NamedTuple):
    """What is said of code, and the code; equal numbers in `same` mark questions that are the same."""

    said: Texts
    code: Texts
    same: NDArray[np.int64]


class Told(NamedTuple):
    """How a step went: distances from the teacher by language, the loss by contrast, tokens a second so far."""

    step: int
    english: float
    chinese: float
    code: float
    tokens_a_second: float


def train(
    student: Encoder, pairs: Pairs, code: Code, plan: Plan, seed: int, kept: Path, tell: Callable[[Told], None]
) -> None:
    """Train a student in place; goes on from what lies in `kept`, where it leaves its state on the way."""
    for weight in student.weights.values():
        weight.requires_grad_()
    decayed = [weight for name, weight in student.weights.items() if weight.dim() > 1 and name != TABLE]
    others = [weight for name, weight in student.weights.items() if weight.dim() == 1 or name == TABLE]
    groups = [{"params": decayed, "weight_decay": _WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=plan.rate, betas=_DECAYS, fused=student.device.type == "cuda")
    done = _restored(student, optimizer, kept)
    draw_pairs = islice(_drawn([pairs.english, pairs.chinese], plan.pair_tokens, 1 << 16, seed), done, None)
    draw_code = islice(_drawn([code.said, code.code], plan.code_tokens, plan.code_rows, seed + 1), done, None)
    started, tokens = time.perf_counter(), 0
    for step in range(done, plan.steps):
        for group in optimizer.param_groups:
            group["lr"] = plan.rate * _share(step / plan.steps, plan.warm_up)
        rows, asked = next(draw_pairs), next(draw_code)
        tokens += _count(rows, pairs.english, pairs.chinese) + _count(asked, code.said, code.code)
        optimizer.zero_grad(set_to_none=True)
        losses: list[Any] = []
        for loss_of, weight in (
            (partial(_distance, student, pairs.english, pairs.taught, rows), 1.0),
            (partial(_distance, student, pairs.chinese, pairs.taught, rows), 1.0),
            (partial(_contrast, student, code, asked, plan.scale), plan.code_weight),
        ):  # one after the other: what the way back needs fills the memory of a graphics card
            with student.autocast():
                loss = loss_of()
            (weight * loss).backward()
            losses.append(loss.detach())
        torch.nn.utils.clip_grad_norm_([*student.weights.values()], _LARGEST_GRADIENT)
        optimizer.step()
        if (step + 1) % plan.keep_every == 0 or step + 1 == plan.steps:
            _keep(student, optimizer, step + 1, kept)
        if (step + 1) % max(1, plan.steps // 50) == 0:
            rate = tokens / (time.perf_counter() - started)
            english, chinese, contrast = (loss.item() for loss in losses)
            tell(Told(step + 1, english, chinese, contrast, rate))
    for weight in student.weights.values():
        weight.requires_grad_(requires_grad=False)


def _distance(student: Encoder, texts: Texts, taught: Half, rows: NDArray[np.int64]) -> Any:
    """Return the mean of one less the cosine to the teacher."""
    wanted = functional.normalize(torch.from_numpy(taught[rows]).to(student.device).float(), dim=-1)
    return 1 - (student.vectors(texts, rows) * wanted).sum(-1).mean()


def _contrast(student: Encoder, code: Code, rows: NDArray[np.int64], scale: float) -> Any:
    """Return the loss of finding the code to each question and the question to each code, among those of the batch."""
    said, answers = student.vectors(code.said, rows), student.vectors(code.code, rows)
    same = torch.from_numpy(code.same[rows]).to(student.device)
    own = torch.eye(len(rows), dtype=torch.bool, device=student.device)
    cosines = (said.float() @ answers.float().T).masked_fill((same[:, None] == same) & ~own, -1.0)
    wanted = torch.arange(len(rows), device=student.device)
    return (functional.cross_entropy(scale * cosines, wanted) + functional.cross_entropy(scale * cosines.T, wanted)) / 2


def _drawn(sides: list[Texts], tokens: int, most: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Yield batches of texts of like length for ever, each text once a round, by chance that a seed decides."""
    generator = np.random.default_rng(seed)
    lengths = np.maximum(*(texts.lengths for texts in sides))
    window = _MIXED * min(most, max(1, tokens // max(1, int(lengths.mean()))))
    while True:
        order = generator.permutation(len(lengths))
        cut: list[NDArray[np.int64]] = []
        for start in range(0, len(order), window):
            near = order[start : start + window]
            cut += batches(lengths, near[np.argsort(lengths[near], kind="stable")], tokens, most)
        yield from (cut[place] for place in generator.permutation(len(cut)))


def _count(rows: NDArray[np.int64], *sides: Texts) -> int:
    return sum(int(texts.lengths[rows].sum()) for texts in sides)


def _share(done: float, warm_up: float) -> float:
    """Return the share of the rate: a line up, then half a cosine down."""
    return done / warm_up if done < warm_up else (1 + math.cos(math.pi * (done - warm_up) / (1 - warm_up))) / 2


def _keep(student: Encoder, optimizer: Any, step: int, kept: Path) -> None:
    unfinished = kept.with_suffix(".unfinished")
    torch.save({"step": step, "weights": student.weights, "optimizer": optimizer.state_dict()}, unfinished)
    unfinished.replace(kept)


def _restored(student: Encoder, optimizer: Any, kept: Path) -> int:
    """Put back what was kept, if anything was; return how many steps it had."""
    if not kept.exists():
        return 0
    state = torch.load(kept, map_location=student.device, weights_only=True)
    with torch.no_grad():
        for name, weight in state["weights"].items():
            student.weights[name].copy_(weight)
    optimizer.load_state_dict(state["optimizer"])
    step: int = state["step"]
    return step
