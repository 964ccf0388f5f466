"""The self-test: which models are let pass, and which are refused."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from codeseek.catalogue import Golden, ModelSpec, Variant
from codeseek.embedders import Vectors, bundled, selftest
from codeseek.errors import ModelError

SPEC = ModelSpec("m", "", "", 256, (Variant("v", "onnx"),), languages="English, Chinese")


class Encoding:
    """A text model that is one function; counts how often it is asked."""

    identity = "encoding"

    def __init__(self, encode: Callable[[str], Vectors], dimensions: int = 256) -> None:
        self._encode, self.dimensions, self.asked, self.notes = encode, dimensions, 0, ()

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.asked += 1
        return np.array([self._encode(text) for text in texts], np.float32)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def close(self) -> None:
        pass


def meaning(text: str) -> Vectors:
    return bundled().embed_query(text)


def noise(text: str) -> Vectors:
    row = np.random.default_rng(zlib.crc32(text.encode())).standard_normal(256).astype(np.float32)
    unit: Vectors = row / np.linalg.norm(row)
    return unit


def blind_to_chinese(text: str) -> Vectors:
    return meaning(text) if text.isascii() else noise(text)


def test_a_model_that_understands_both_languages_passes() -> None:
    selftest.check(Encoding(meaning), SPEC)


@pytest.mark.parametrize(
    ("encode", "why"),
    [
        (noise, "no nearer to their answers in English"),
        (blind_to_chinese, "no nearer to their answers in Chinese"),
        (lambda text: np.ones(256, np.float32) / 16, "no nearer"),
        (lambda text: meaning(text) * np.float32("nan"), "not numbers"),
        (lambda text: meaning(text) * 2, "unit length"),
        (lambda text: meaning(text)[:9], "an array of"),
    ],
)
def test_nonsense_is_refused(encode: Callable[[str], Vectors], why: str) -> None:
    with pytest.raises(ModelError, match=why):
        selftest.check(Encoding(encode), SPEC)


def test_a_model_is_asked_in_no_language_that_it_does_not_know() -> None:
    selftest.check(Encoding(blind_to_chinese), SPEC._replace(languages="English"))
    english = dict(
        zip((*selftest._QUESTIONS_ZH, *selftest._PASSAGES_ZH), (*selftest._QUESTIONS, *selftest._PASSAGES), strict=True)
    )
    selftest.check(
        Encoding(lambda text: meaning(english[text]) if text in english else noise(text)),
        SPEC._replace(languages="Chinese"),
    )


def test_a_text_that_depends_on_its_neighbours_is_refused() -> None:
    class Padded(Encoding):
        def encode(self, texts: Sequence[str]) -> Vectors:
            rows = super().encode(texts)
            return rows if len(texts) > 1 else rows[:, ::-1]

    with pytest.raises(ModelError, match="the texts beside it"):
        selftest.check(Padded(meaning), SPEC)


def test_the_figures_on_a_card_must_be_met() -> None:
    pair = ("sort the list", "order the array")
    cosine = float(meaning(pair[0]) @ meaning(pair[1]))
    selftest.check(Encoding(meaning), SPEC._replace(golden=(Golden(*pair, cosine + 0.05),)))
    with pytest.raises(ModelError, match="where its card says"):
        selftest.check(Encoding(meaning), SPEC._replace(golden=(Golden(*pair, cosine + 0.1),)))


def test_what_passed_is_not_asked_again_until_it_changes(tmp_path: Path) -> None:
    model = Encoding(meaning)
    selftest.check_once(model, SPEC, tmp_path / "m")
    asked = model.asked
    selftest.check_once(model, SPEC, tmp_path / "m")
    assert model.asked == asked
    selftest.check_once(model, SPEC._replace(query="find: {text}"), tmp_path / "m")
    assert model.asked > asked


def test_what_failed_is_asked_again(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ModelError):
            selftest.check_once(Encoding(noise), SPEC, tmp_path)
