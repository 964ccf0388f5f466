"""GGUF files of the kinds that users have, with random weights: tiny ones for tests, full-size ones for measuring."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

END, START, STOP = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
_MERGES = ("t h", "th e", "Ġ the", "i n", "e r", "Ġ f", "o r", "Ġf or", "r e", "re t")


@dataclass
class Qwen3:
    """A model that attends to what stands before, as Qwen3-Embedding does; the last token's state is the vector."""

    seed: int = 0
    layers: int = 2
    dimensions: int = 64
    heads: int = 4
    shared_heads: int = 2
    head_size: int = 32
    inner: int = 96
    context: int = 4096
    filler: int = 0  # more tokens for the vocabulary, that no text has
    pooling: int | None = 3
    adds_end: bool = True
    end: str = END
    architecture: str = "qwen3"
    weights: dict[str, Array] = field(init=False)
    vocabulary: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.vocabulary = [
            *_bytes(), *(merge.replace(" ", "") for merge in _MERGES), *(f"<filler {n}>" for n in range(self.filler)),
            END, START, STOP,
        ]  # fmt: skip
        chance = np.random.default_rng(self.seed)

        def random(*shape: int) -> Array:
            return chance.standard_normal(shape, np.float32) * np.float32(shape[-1] ** -0.5 if len(shape) > 1 else 0.1)

        d, size = self.dimensions, self.head_size
        self.weights = {
            "token_embd.weight": random(len(self.vocabulary), d) * np.float32(d**0.5),
            "output_norm.weight": 1 + random(d),
        }
        for layer in range(self.layers):
            part = {
                "attn_norm": 1 + random(d),
                "attn_q": random(self.heads * size, d),
                "attn_k": random(self.shared_heads * size, d),
                "attn_v": random(self.shared_heads * size, d),
                "attn_q_norm": 1 + random(size),
                "attn_k_norm": 1 + random(size),
                "attn_output": random(d, self.heads * size),
                "ffn_norm": 1 + random(d),
                "ffn_gate": random(self.inner, d),
                "ffn_up": random(self.inner, d),
                "ffn_down": random(d, self.inner),
            }
            self.weights |= {f"blk.{layer}.{name}.weight": tensor for name, tensor in part.items()}

    def write(self, path: Path, quantise: Callable[[Array], Array] | None = None) -> Path:
        """Write the file, matrices as `quantise` makes them."""
        writer = gguf.GGUFWriter(path, self.architecture)
        _dimensions(writer, self)
        writer.add_head_count_kv(self.shared_heads)
        writer.add_layer_norm_rms_eps(1e-6)
        writer.add_rope_freq_base(1_000_000.0)
        writer.add_key_length(self.head_size)
        writer.add_value_length(self.head_size)
        _vocabulary(writer, self.vocabulary, "qwen2", {END, START, STOP})
        writer.add_eos_token_id(self.vocabulary.index(self.end))
        writer.add_add_eos_token(self.adds_end)
        writer.add_add_bos_token(value=False)
        return _finish(writer, path, self.weights, quantise)

    def ids(self, text: str) -> list[int]:
        """Return a text's tokens where no merge applies, with the one that ends it."""
        alphabet = _bytes()
        return [*(self.vocabulary.index(alphabet[byte]) for byte in text.encode()), self.vocabulary.index(END)]

    def embed(self, ids: list[int]) -> Array:
        """Return the unit vector of a text's tokens, by the paper."""
        weights, size = self.weights, self.head_size
        x = weights["token_embd.weight"][ids]
        for layer in range(self.layers):

            def weight(name: str, at: str = f"blk.{layer}") -> Array:
                return weights[f"{at}.{name}.weight"]

            inner = _rms(x, weight("attn_norm"))
            query, key, value = ((inner @ weight(f"attn_{name}").T).reshape(len(ids), -1, size) for name in "qkv")
            query = _rotated(_rms(query, weight("attn_q_norm")))
            key = _rotated(_rms(key, weight("attn_k_norm")))
            repeat = self.heads // self.shared_heads
            key, value = (np.repeat(each, repeat, axis=1).transpose(1, 0, 2) for each in (key, value))
            scores = query.transpose(1, 0, 2) @ key.transpose(0, 2, 1) / np.sqrt(size)
            scores = np.where(np.tri(len(ids), dtype=bool), scores, -np.inf)
            likely = np.exp(scores - scores.max(-1, keepdims=True))
            mixed = (likely / likely.sum(-1, keepdims=True)) @ value
            x = x + mixed.transpose(1, 0, 2).reshape(len(ids), -1) @ weight("attn_output").T
            inner = _rms(x, weight("ffn_norm"))
            gate = inner @ weight("ffn_gate").T
            x = x + (gate / (1 + np.exp(-gate)) * (inner @ weight("ffn_up").T)) @ weight("ffn_down").T
        last = _rms(x[-1:], weights["output_norm.weight"])[0]
        unit: Array = (last / np.linalg.norm(last)).astype(np.float32)
        return unit


@dataclass
class JinaBert:
    """An encoder without positions, as Jina's models of the second generation: attention fades with distance."""

    seed: int = 0
    layers: int = 2
    dimensions: int = 64
    heads: int = 4
    inner: int = 96
    context: int = 8192
    pooling: int | None = 1
    filler: int = 0
    architecture: str = "jina-bert-v2"

    def write(self, path: Path, quantise: Callable[[Array], Array] | None = None) -> Path:
        """Write the file, matrices as `quantise` makes them."""
        special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
        vocabulary = [
            *special, *_bytes(), *(merge.replace(" ", "") for merge in _MERGES),
            *(f"<filler {n}>" for n in range(self.filler)),
        ]  # fmt: skip
        writer = gguf.GGUFWriter(path, self.architecture)
        _dimensions(writer, self)
        writer.add_layer_norm_eps(1e-12)
        writer.add_causal_attention(value=False)
        writer.add_token_type_count(2)
        _vocabulary(writer, vocabulary, "jina-v2-code", set(special))
        for number, name in enumerate(("bos", "pad", "eos", "unk", "mask")):
            getattr(writer, f"add_{name}_token_id")(number)
        writer.add_sep_token_id(2)
        writer.add_add_bos_token(value=True)
        writer.add_add_eos_token(value=True)
        chance = np.random.default_rng(self.seed)
        d = self.dimensions

        def random(*shape: int) -> Array:
            return chance.standard_normal(shape, np.float32) * np.float32(shape[-1] ** -0.5 if len(shape) > 1 else 0.1)

        weights = {
            "token_embd.weight": random(len(vocabulary), d) * np.float32(d**0.5),
            "token_types.weight": random(2, d),
        }
        norms = {"token_embd_norm": d}
        for layer in range(self.layers):
            at = f"blk.{layer}"
            shapes = {
                "attn_q": (d, d), "attn_k": (d, d), "attn_v": (d, d), "attn_output": (d, d),
                "ffn_up": (self.inner, d), "ffn_gate": (self.inner, d), "ffn_down": (d, self.inner),
            }  # fmt: skip
            for name, shape in shapes.items():
                weights[f"{at}.{name}.weight"] = random(*shape)
                if name not in {"ffn_up", "ffn_gate"}:
                    weights[f"{at}.{name}.bias"] = random(shape[0])
            norms |= {f"{at}.attn_output_norm": d, f"{at}.layer_output_norm": d}
        for name, size in norms.items():
            weights[f"{name}.weight"], weights[f"{name}.bias"] = 1 + random(size), random(size)
        return _finish(writer, path, weights, quantise)


def _dimensions(writer: gguf.GGUFWriter, model: Qwen3 | JinaBert) -> None:
    writer.add_block_count(model.layers)
    writer.add_context_length(model.context)
    writer.add_embedding_length(model.dimensions)
    writer.add_feed_forward_length(model.inner)
    writer.add_head_count(model.heads)
    if model.pooling is not None:
        writer.add_pooling_type(gguf.PoolingType(model.pooling))


def _vocabulary(writer: gguf.GGUFWriter, tokens: list[str], kind: str, special: set[str]) -> None:
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(kind)
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL if t in special else gguf.TokenType.NORMAL for t in tokens])
    writer.add_token_merges(list(_MERGES))


def _finish(
    writer: gguf.GGUFWriter, path: Path, weights: dict[str, Array], quantise: Callable[[Array], Any] | None
) -> Path:
    for name, tensor in weights.items():
        if quantise is not None and tensor.ndim == 2 and name != "token_types.weight":
            data = quantise(tensor)
            raw = {np.dtype(np.uint8): gguf.GGMLQuantizationType.Q8_0}.get(data.dtype)
            writer.add_tensor(name, data, raw_dtype=raw)
        else:
            writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def q8(tensor: Array) -> Any:
    """Return a matrix as Q8_0 keeps it."""
    return gguf.quants.quantize(tensor, gguf.GGMLQuantizationType.Q8_0)


def _bytes() -> list[str]:
    """Return the printable characters that stand for the 256 bytes in vocabularies of the kind of GPT-2."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = iter(range(256, 512))
    return [chr(byte if byte in plain else next(others)) for byte in range(256)]


def _rms(x: Array, weight: Array) -> Array:
    result: Array = x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-6) * weight
    return result


def _rotated(x: Array) -> Array:
    """Turn pairs of numbers, those half a head apart, by angles that grow with the position."""
    half = x.shape[-1] // 2
    angles = np.arange(len(x))[:, None, None] * 1_000_000.0 ** (-np.arange(half) / half)
    first, second = x[..., :half], x[..., half:]
    cos, sin = np.cos(angles), np.sin(angles)
    return np.concatenate((first * cos - second * sin, second * cos + first * sin), -1).astype(np.float32)
