"""BERT with mean pooling in plain PyTorch. Its weights keep the names of their safetensors file, for those who write files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from minilm_reference import tensors

TABLE = "embeddings.word_embeddings.weight"

Floats = NDArray[np.float32]
Numbers = NDArray[np.int32]


class Texts(NamedTuple):
    """Tokens of many texts in one row; text number n is `ids[starts[n] : starts[n + 1]]`."""

    ids: Numbers
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, texts: Iterable[Sequence[int]]) -> Texts:
        """Put the tokens of texts in a row."""
        rows = [np.array(text, np.int32) for text in texts]
        starts = np.cumsum([0, *map(len, rows)], dtype=np.int64)
        return cls(np.concatenate([np.empty(0, np.int32), *rows]), starts)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The tokens of each text."""
        return np.diff(self.starts)

    def padded(self, rows: NDArray[np.int64]) -> tuple[Numbers, NDArray[np.bool_]]:
        """Return the tokens of some texts, [rows, longest], and where there are such; zeros elsewhere."""
        lengths = self.lengths[rows]
        places = np.arange(lengths.max())
        mask = places < lengths[:, None]
        ids = np.zeros(mask.shape, np.int32)
        ids[mask] = self.ids[(self.starts[rows][:, None] + places)[mask]]
        return ids, mask


class Encoder:
    """Turns tokens into unit vectors; `weights` are tensors that may be trained."""

    def __init__(self, config: Mapping[str, Any], weights: Mapping[str, Floats], device: str = "cpu") -> None:
        """`config` is what config.json of BERT says."""
        self.config = dict(config)
        self.device = torch.device(device)
        used = {name: weight for name, weight in weights.items() if name.startswith(("embeddings.", "encoder."))}
        used.pop("embeddings.position_ids", None)
        self.weights = {name: torch.tensor(weight, device=self.device) for name, weight in used.items()}

    @classmethod
    def load(cls, folder: Path, device: str = "cpu") -> Encoder:
        """Read config.json and model.safetensors."""
        config = json.loads((folder / "config.json").read_text("utf-8"))
        return cls(config, tensors(folder / "model.safetensors"), device)

    def arrays(self) -> dict[str, Floats]:
        """Return the weights as they are now."""
        return {name: weight.detach().float().cpu().numpy() for name, weight in self.weights.items()}

    def vectors(self, texts: Texts, rows: NDArray[np.int64]) -> Any:
        """Return the unit vectors of some texts as a tensor, [rows, dimensions]."""
        ids, mask = (torch.from_numpy(each).to(self.device, non_blocking=True) for each in texts.padded(rows))
        state = self._hidden(ids.long(), mask)
        weight = mask[:, :, None].to(state.dtype)
        return functional.normalize(((state * weight).sum(1) / weight.sum(1)).float(), dim=-1)

    def encode(self, texts: Texts, tokens_at_once: int = 1 << 14) -> Floats:
        """Return the unit vectors of all texts, [texts, dimensions]; nothing is learned from it."""
        found = np.empty((len(texts.lengths), self.config["hidden_size"]), np.float32)
        with torch.inference_mode(), self.autocast():
            for rows in batches(texts.lengths, np.argsort(texts.lengths, kind="stable"), tokens_at_once):
                found[rows] = self.vectors(texts, rows).cpu().numpy()
        return found

    def autocast(self) -> Any:
        """Return what makes a graphics card compute in bfloat16; a processor computes as the weights are."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type != "cpu")

    def _hidden(self, ids: Any, mask: Any) -> Any:
        """Return the last layer, [texts, longest, dimensions]."""
        part = self.weights
        heads, epsilon = self.config["num_attention_heads"], self.config["layer_norm_eps"]
        table = functional.embedding(ids, part[TABLE])
        places = part["embeddings.position_embeddings.weight"][: ids.shape[1]]
        kind = part["embeddings.token_type_embeddings.weight"][0]
        state = self._normed(table + places + kind, "embeddings.LayerNorm", epsilon)
        seen = mask[:, None, None, :]
        for layer in range(self.config["num_hidden_layers"]):
            name = f"encoder.layer.{layer}"
            query, key, value = (
                self._linear(state, f"{name}.attention.self.{side}").unflatten(-1, (heads, -1)).transpose(1, 2)
                for side in ("query", "key", "value")
            )
            mixed = (
                functional.scaled_dot_product_attention(query, key, value, attn_mask=seen).transpose(1, 2).flatten(2)
            )
            attended = self._linear(mixed, f"{name}.attention.output.dense")
            state = self._normed(state + attended, f"{name}.attention.output.LayerNorm", epsilon)
            inner = functional.gelu(self._linear(state, f"{name}.intermediate.dense"))
            outer = self._linear(inner, f"{name}.output.dense")
            state = self._normed(state + outer, f"{name}.output.LayerNorm", epsilon)
        return state

    def _linear(self, state: Any, name: str) -> Any:
        return functional.linear(state, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])

    def _normed(self, state: Any, name: str, epsilon: float) -> Any:
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        return functional.layer_norm(state, state.shape[-1:], weight, bias, epsilon)


def batches(
    lengths: NDArray[np.int64], order: NDArray[np.int64], tokens: int, most: int = 1 << 16
) -> Iterator[NDArray[np.int64]]:
    """Cut an order by length into batches of so many tokens with their padding at most, and of `most` texts."""
    start = 0
    while start < len(order):
        stop = min(start + most, len(order))
        padded = np.maximum.accumulate(lengths[order[start:stop]]) * np.arange(1, stop - start + 1)
        stop = start + max(1, int(np.searchsorted(padded, tokens, side="right")))
        yield order[start:stop]
        start = stop
