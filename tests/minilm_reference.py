"""An independent BERT: plain numpy over safetensors and tokenizer.json, against which engines are compared.

The weights are all-MiniLM-L6-v2 as `python tests/minilm_gguf.py` fetches them; where neither they nor `tokenizers` are
there, `folder()` is None and tests that need them are skipped.
"""

from __future__ import annotations

import importlib.util
import json
import math
import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

FETCHED = Path(__file__).parents[1] / ".weights" / "all-MiniLM-L6-v2"

_TYPES = {"F32": np.float32, "F16": np.float16, "I64": np.int64}


def folder() -> Path | None:
    """Return where config.json, model.safetensors and tokenizer.json of all-MiniLM-L6-v2 lie, None if nowhere.

    The variable CODESEEK_TEST_MINILM names another folder than that into which they are fetched.
    """
    for place in (Path(os.environ.get("CODESEEK_TEST_MINILM", "")), FETCHED):
        if (place / "model.safetensors").is_file() and importlib.util.find_spec("tokenizers") is not None:
            return place
    return None


def tensors(path: Path) -> dict[str, Array]:
    """Read a safetensors file: eight bytes with the length of a JSON header, the header, the numbers."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    found = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name != "__metadata__":
            start, stop = entry["data_offsets"]
            raw = np.frombuffer(data[8 + length + start : 8 + length + stop], _TYPES[entry["dtype"]])
            found[name] = raw.reshape(entry["shape"]).astype(np.float32)
    return found


class Bert(NamedTuple):
    """A BERT encoder with mean pooling. It takes one text at a time, so that no padding can be wrong."""

    config: Mapping[str, Any]
    weights: Mapping[str, Array]
    tokenizer: Any

    @classmethod
    def load(cls, model: Path) -> Bert:
        """Read a model's folder."""
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        config = json.loads((model / "config.json").read_text("utf-8"))
        return cls(config, tensors(model / "model.safetensors"), tokenizer)

    def encode(self, texts: Sequence[str]) -> Array:
        """Return unit vectors, [n, dimensions]."""
        rows = [self.pooled(self.tokenizer.encode(text).ids) for text in texts]
        return np.array(rows, np.float32).reshape(len(texts), self.config["hidden_size"])

    def pooled(self, numbers: Sequence[int]) -> Array:
        """Return the unit mean of the last layer over tokens, given by number."""
        mean = self.hidden(numbers).mean(axis=0)
        unit: Array = mean / np.linalg.norm(mean)
        return unit

    def hidden(self, numbers: Sequence[int]) -> Array:
        """Return the last layer, [tokens, dimensions]."""
        state = (
            self.weights["embeddings.word_embeddings.weight"][list(numbers)]
            + self.weights["embeddings.position_embeddings.weight"][: len(numbers)]
            + self.weights["embeddings.token_type_embeddings.weight"][0]
        )
        state = self._normed(state, "embeddings.LayerNorm")
        for layer in range(self.config["num_hidden_layers"]):
            name = f"encoder.layer.{layer}"
            attended = self._linear(self._attention(state, f"{name}.attention.self"), f"{name}.attention.output.dense")
            state = self._normed(state + attended, f"{name}.attention.output.LayerNorm")
            inner = _gelu(self._linear(state, f"{name}.intermediate.dense"))
            state = self._normed(state + self._linear(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")
        return state

    def _attention(self, state: Array, name: str) -> Array:
        heads = self.config["num_attention_heads"]
        shape = (len(state), heads, state.shape[1] // heads)
        query, key, value = (
            self._linear(state, f"{name}.{part}").reshape(shape).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) / math.sqrt(shape[2])
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        mixed: Array = (weights @ value).transpose(1, 0, 2).reshape(state.shape)
        return mixed

    def _linear(self, state: Array, name: str) -> Array:
        result: Array = state @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]
        return result

    def _normed(self, state: Array, name: str) -> Array:
        centred = state - state.mean(axis=-1, keepdims=True)
        scale = 1 / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + self.config["layer_norm_eps"])
        result: Array = centred * scale * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]
        return result


@cache
def minilm() -> Bert:
    """Return all-MiniLM-L6-v2; only where `folder()` is one."""
    place = folder()
    assert place is not None
    return Bert.load(place)


def _gelu(values: Array) -> Array:
    """Return the exact x * Phi(x)."""
    erf = np.frompyfunc(math.erf, 1, 1)
    result: Array = (values * 0.5 * (1 + erf(values / math.sqrt(2)).astype(np.float32))).astype(np.float32)
    return result
