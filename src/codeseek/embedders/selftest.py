"""Refuse a model that embeds nonsense: what means the same must lie nearer than what does not, in each language.

Wrong weights, a wrong tokenizer or a wrong file give vectors like any others; only their relations show it. Wrong
pooling or a missing end-of-text token often leaves relations of a kind, which is what a card's own figures are for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from codeseek.catalogue import ModelSpec
from codeseek.embedders import Vectors
from codeseek.embedders.text import TextModel
from codeseek.errors import ModelError

_QUESTIONS = (
    "How do I put numbers in order, largest first?",
    "What happens when the network connection drops?",
    "How much does it cost to send a parcel?",
    "Where are pictures made smaller?",
)
_PASSAGES = (
    "Sorts a list in descending order.",
    "Reconnects to the server after a failure.",
    "Calculates the price of shipping by weight.",
    "Resizes an image to a thumbnail.",
)
_QUESTIONS_ZH = (
    "怎样让数字从最大的开始排？",
    "断网的时候会发生什么？",
    "寄一个快递要多少钱？",
    "在哪里把照片变小？",
)
_PASSAGES_ZH = (
    "把列表按从大到小的顺序排列",
    "网络断开以后重新连接服务器",
    "按重量计算包裹的运费",
    "把图片缩小成缩略图",
)
# how many standard deviations of unrelated pairs the related ones lie above them: all-MiniLM-L6-v2 has 7, with random
# weights, with other token numbers and in a language that it does not know below 1
_LEAST_SEPARATION = 2.5
_LEAST_ALIKE = 0.99  # half precision and another order of sums move a vector by less
# what 4-bit weights may move a cosine; a missing end-of-text token or another pooling moves it further
_GOLDEN_TOLERANCE = 0.08
_REMEMBERED = "self-test"


def check(model: TextModel, spec: ModelSpec) -> None:
    """Embed a few texts; raises `ModelError` when the vectors are unfit or do not relate as the texts do."""
    languages = spec.languages.lower()
    chinese = any(word in languages for word in ("chinese", "multilingual", "languages"))
    english = languages != "chinese"
    questions = _encode(model, spec, _QUESTIONS if english else _QUESTIONS_ZH, spec.template())
    alone = _encode(model, spec, (_QUESTIONS if english else _QUESTIONS_ZH)[:1], spec.template())
    if float(alone[0] @ questions[0]) < _LEAST_ALIKE:
        raise _unfit(spec, "a text's vector changes with the texts beside it")
    if english:
        _compare(spec, questions, _encode(model, spec, _PASSAGES, spec.document), "English")
    if chinese:
        _compare(spec, questions, _encode(model, spec, _PASSAGES_ZH, spec.document), "Chinese")
    for pair in spec.golden:
        one, other = _encode(model, spec, (pair.one, pair.other), "{text}")
        cosine = float(one @ other)
        if abs(cosine - pair.cosine) > _GOLDEN_TOLERANCE:
            raise _unfit(spec, f"a cosine is {cosine:.2f} where its card says {pair.cosine:.2f}")


def check_once(model: TextModel, spec: ModelSpec, folder: Path) -> None:
    """Check a model unless the file in `folder` says that the very same has passed; raises `ModelError`."""
    told = repr((model.identity, model.dimensions, spec, _QUESTIONS))
    mark = hashlib.blake2b(told.encode(), digest_size=16).hexdigest()
    passed = folder / _REMEMBERED
    try:
        if passed.read_text("utf-8") == mark:
            return
    except (OSError, UnicodeDecodeError):
        pass  # it was never checked, or not by us
    check(model, spec)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        passed.write_text(mark, "utf-8")
    except OSError:
        pass  # then it is checked again next time


def _encode(model: TextModel, spec: ModelSpec, texts: Sequence[str], template: str) -> Vectors:
    rows = model.encode([template.replace("{text}", text) for text in texts])
    if rows.shape != (len(texts), model.dimensions):
        raise _unfit(spec, f"{len(texts)} texts gave an array of {rows.shape}")
    if not np.isfinite(rows).all():
        raise _unfit(spec, "its vectors are not numbers")
    if not np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-3):
        raise _unfit(spec, "its vectors are not of unit length")
    return rows


def _compare(spec: ModelSpec, questions: Vectors, passages: Vectors, language: str) -> None:
    cosines = questions @ passages.T
    apart = cosines[~np.eye(len(cosines), dtype=bool)]
    separation = (np.diag(cosines).mean() - apart.mean()) / max(float(apart.std()), 1e-3)
    if separation < _LEAST_SEPARATION:
        raise _unfit(spec, f"questions are no nearer to their answers in {language} than to others")


def _unfit(spec: ModelSpec, why: str) -> ModelError:
    return ModelError(
        f"`{spec.name}` embeds nonsense: {why}",
        hint="its file, pooling or tokenizer is wrong: `codeseek models verify` compares files, `codeseek models info` "
        "shows what it was taken for",
    )
