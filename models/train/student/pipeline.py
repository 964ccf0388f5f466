"""From data to files that the engines run: vocabulary, tokens, teacher's vectors, training, export, check, measure.

Tokens, the teacher's vectors and the state of training are kept in WORK under a key of all that they depend on, so that
a run that was stopped goes on, on another machine too.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeseek import analysis
from corpus import Folder, Pair
from student import distillation, export, wordpiece
from student.encoder import TABLE, Encoder, Floats, Texts

VERSION = 1
SEED = 1
LONGEST = 512
LONGEST_PAIR, LONGEST_QUESTION, LONGEST_CODE = 128, 64, 192  # tokens in training
_LEAST_WORDS = 3  # of a held-out English sentence
_COUNTS = re.compile(r":\d+(?= |$)")
_HARD = (
    "def f(x):\n    return x + 1  # 傳回下一個數，「快取失效」時呼叫",
    "在 Kubernetes 中，如何实现滚动更新（rolling update）？",
    "naïve café 🎉 …… ＡＰＩ：Ｈｔｔｐ 【注意】",
    "[CLS] x->y != z; // 龘靐",
)


class Plan(NamedTuple):
    """How to train, and on how many held-out pairs to measure."""

    training: distillation.Plan = distillation.Plan()
    held_out: int = 2000


SMOKE_PLAN = Plan(
    distillation.Plan(steps=6, pair_tokens=384, code_tokens=512, code_rows=8, rate=1e-4, keep_every=3), 60
)


class Data(NamedTuple):
    """What is learned from, folded, and pairs that are not."""

    english: list[str]
    chinese: list[str]
    said: list[str]
    code: list[str]
    held_out: list[Pair]


def make(folder: Folder, work: Path, teacher: Path, plan: Plan, device: str) -> dict[str, Any]:
    """Make the model in `work / "model"`, check that the engines agree with it, and return the figures."""
    work.mkdir(parents=True, exist_ok=True)
    data = _read(folder, plan.held_out)
    known = (teacher / "vocab.txt").read_text("utf-8").split("\n")[:-1]
    vocabulary = wordpiece.extend(known, (text for text in (*data.chinese, *data.said) if not text.isascii()))
    tokenizer, teachers = wordpiece.load(teacher, vocabulary.tokens), wordpiece.load(teacher)
    original = Encoder.load(teacher, device)
    key = _key(folder, teacher, vocabulary.tokens)
    parts = _kept(work / f"tokens.{key}.npz", lambda: [part for texts in _tokens(data, tokenizer) for part in texts])
    english, chinese, said, code = (Texts(*pair) for pair in zip(parts[::2], parts[1::2], strict=True))
    (taught,) = _kept(
        work / f"taught.{key}.npz",
        lambda: [original.encode(wordpiece.tokenised(teachers, data.english, LONGEST_PAIR)).astype(np.float16)],
    )
    weights = original.arrays()
    weights[TABLE] = wordpiece.first_vectors(weights[TABLE], vocabulary, english, chinese)
    student = Encoder({**original.config, "vocab_size": len(vocabulary.tokens)}, weights, device)

    def measured(encoder: Encoder, tokenizer: Any) -> dict[str, float]:
        return retrieval(data.held_out, lambda texts: encoder.encode(wordpiece.tokenised(tokenizer, texts, LONGEST)))

    found = {"teacher": measured(original, teachers), "before training": measured(student, tokenizer)}
    _say(f"{len(known):,} tokens and {len(vocabulary.tokens) - len(known):,} new ones; {json.dumps(found)}")
    distillation.train(
        student,
        distillation.Pairs(english, chinese, taught),
        distillation.Code(said, code, _numbered(data.said)),
        plan.training,
        SEED,
        work / f"state.{_digest([key, distillation.VERSION, SEED, plan.training])}.pt",
        _tell,
    )
    weights = student.arrays()
    weights[TABLE] = wordpiece.copied(weights[TABLE], vocabulary)
    found["after training"] = measured(Encoder(student.config, weights, device), tokenizer)
    into = work / "model"
    export.write(into, tokenizer, student.config, vocabulary.tokens, weights)
    compared = export.compared(into, Encoder(student.config, weights), tokenizer, _samples(data.held_out))
    figures = {"retrieval": found, "files": compared}
    (into / "figures.json").write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    return figures


def retrieval(pairs: Sequence[Pair], encode: Callable[[Sequence[str]], Floats]) -> dict[str, float]:
    """Return for how many of held-out pairs the other side is the nearest of all, from both languages."""
    cosines = encode([pair.english for pair in pairs]) @ encode([pair.chinese for pair in pairs]).T
    own = np.arange(len(pairs))
    return {
        "pairs": len(pairs),
        "English to Chinese": float((cosines.argmax(1) == own).mean()),
        "Chinese to English": float((cosines.argmax(0) == own).mean()),
    }


def _read(folder: Folder, held_out: int) -> Data:
    """Read the data; as many held-out pairs as are asked even for a moment's training, and no single words."""
    pairs = [*folder.pairs()]
    documented = [(each.said, _COUNTS.sub("", each.words)) for each in folder.words()]
    documented += [(each.question, f"{each.path}\n{each.names}\n{each.text}") for each in folder.functions()]
    if not pairs or not documented:
        raise SystemExit(
            f"error: {folder.path} has no pairs, or nothing that is said of code"
            "\nhint: models/train/README.md tells what it holds"
        )
    sentences = {
        pair.english.lower(): pair
        for pair in folder._replace(step=1).pairs(held_out=True)
        if len(pair.english.split()) >= _LEAST_WORDS
    }
    asked = [*sentences.values()]
    chosen = np.random.default_rng(SEED).permutation(len(asked))[:held_out]
    return Data(
        [analysis.fold(pair.english) for pair in pairs],
        [analysis.fold(pair.chinese) for pair in pairs],
        [analysis.fold(said) for said, _ in documented],
        [analysis.fold(code) for _, code in documented],
        [asked[number] for number in chosen],
    )


def _samples(pairs: Sequence[Pair]) -> list[str]:
    """Return texts of every kind for the comparison of engines: both languages, the mix, traditional marks, code."""
    some = pairs[:8]
    mixed = [f"{pair.chinese}，{pair.english}" for pair in some]
    return [*(pair.english for pair in some), *(pair.chinese for pair in some), *mixed, *_HARD]


def _tokens(data: Data, tokenizer: Any) -> list[Texts]:
    """Return the tokens of all that is learned from."""
    longest = (LONGEST_PAIR, LONGEST_PAIR, LONGEST_QUESTION, LONGEST_CODE)
    return [wordpiece.tokenised(tokenizer, texts, most) for texts, most in zip(data[:4], longest, strict=True)]


def _numbered(texts: Sequence[str]) -> NDArray[np.int64]:
    """Return a number for each text, the same for the same."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(text, len(numbers)) for text in texts], np.int64)


def _kept(path: Path, make_arrays: Callable[[], list[NDArray[Any]]]) -> list[NDArray[Any]]:
    """Return arrays, made now or before."""
    if not path.exists():
        unfinished = path.with_suffix(".unfinished")
        with unfinished.open("wb") as stream:
            np.savez(stream, *make_arrays())
        unfinished.replace(path)
    with np.load(path) as stored:
        return [stored[f"arr_{number}"] for number in range(len(stored.files))]


def _key(folder: Folder, teacher: Path, tokens: Sequence[str]) -> str:
    """Identify all that tokens and the teacher's vectors depend on."""
    files = [*folder.files(), *folder.function_files(), teacher / "model.safetensors", teacher / "tokenizer.json"]
    hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    return _digest([VERSION, hashes, folder.step, tokens, LONGEST_PAIR, LONGEST_QUESTION, LONGEST_CODE])


def _digest(about: object) -> str:
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()[:16]


def _tell(told: distillation.Told) -> None:
    _say(
        f"  step {told.step}: English {told.english:.4f}  Chinese {told.chinese:.4f}  code {told.code:.3f}"
        f"  {told.tokens_a_second:,.0f} tokens/s"
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
