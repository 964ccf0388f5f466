"""Write a BERT as an ONNX graph, operation by operation: all-MiniLM-L6-v2, or a tiny one with random weights.

`python tests/bert_onnx.py FOLDER` writes all-MiniLM-L6-v2 as model.onnx and tokenizer.json.
"""

from __future__ import annotations

import json
import math
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from minilm_reference import Array, Bert, folder, tensors

TINY: dict[str, Any] = {
    "vocab_size": 64,
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 48,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 64,
}
WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] sort the list of words , . [ ] cls sep 把 列 表 排 序".split()
INT32, INT64 = int(TensorProto.INT32), int(TensorProto.INT64)
INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class _Graph:
    """Nodes and weights as they are added."""

    def __init__(self, weights: Mapping[str, Array]) -> None:
        self.weights = weights
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"{kind}-{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, value: Array | Sequence[int] | float, name: str = "") -> str:
        name = name or f"constant-{len(self.constants)}"
        array = np.array(value, np.float32) if isinstance(value, float) else np.array(value)
        self.constants[name] = numpy_helper.from_array(array, name)
        return name

    def weight(self, name: str) -> str:
        return name if name in self.constants else self.constant(self.weights[name], name)

    def linear(self, state: str, name: str) -> str:
        turned = self.constant(np.ascontiguousarray(self.weights[f"{name}.weight"].T), f"{name}.turned")
        return self.add("Add", self.add("MatMul", state, turned), self.weight(f"{name}.bias"))

    def normed(self, state: str, name: str, epsilon: float) -> str:
        weight, bias = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.add("LayerNormalization", state, weight, bias, axis=-1, epsilon=epsilon)


def write(
    path: Path,
    config: Mapping[str, Any],
    weights: Mapping[str, Array],
    *,
    inputs: Sequence[str] = INPUTS,
    kind: int = INT64,
    pooled: bool = False,
) -> None:
    """Write a graph that takes some of the inputs, and gives the last layer, or `pooled` its mean too."""
    graph = _Graph(weights)
    heads, size = config["num_attention_heads"], config["hidden_size"]
    epsilon = config["layer_norm_eps"]
    taken = {name: graph.add("Cast", name, to=INT64) for name in inputs}
    ids = taken["input_ids"]
    length = graph.add("Slice", graph.add("Shape", ids), graph.constant([1]), graph.constant([2]))
    one = graph.constant(np.array(1, np.int64))
    positions = taken.get("position_ids") or graph.add(
        "Range", graph.constant(np.array(0, np.int64)), graph.add("Squeeze", length), one
    )
    kinds = taken.get("token_type_ids") or graph.add("Sub", ids, ids)
    state = graph.add("Gather", graph.weight("embeddings.word_embeddings.weight"), ids)
    for table, rows in (("position", positions), ("token_type", kinds)):
        state = graph.add(
            "Add", state, graph.add("Gather", graph.weight(f"embeddings.{table}_embeddings.weight"), rows)
        )
    state = graph.normed(state, "embeddings.LayerNorm", epsilon)
    mask = graph.add("Cast", taken["attention_mask"], to=TensorProto.FLOAT)
    hidden = graph.add("Mul", graph.add("Sub", graph.constant(1.0), mask), graph.constant(-1e9))
    hidden = graph.add("Unsqueeze", hidden, graph.constant([1, 2]))
    split = graph.constant([0, 0, heads, size // heads])
    for layer in range(config["num_hidden_layers"]):
        name = f"encoder.layer.{layer}"
        query, key, value = (
            graph.add(
                "Transpose",
                graph.add("Reshape", graph.linear(state, f"{name}.attention.self.{part}"), split),
                perm=[0, 2, 3, 1] if part == "key" else [0, 2, 1, 3],
            )
            for part in ("query", "key", "value")
        )
        scale = graph.constant(1 / math.sqrt(size // heads))
        scores = graph.add("Add", graph.add("Mul", graph.add("MatMul", query, key), scale), hidden)
        mixed = graph.add("MatMul", graph.add("Softmax", scores, axis=-1), value)
        mixed = graph.add("Reshape", graph.add("Transpose", mixed, perm=[0, 2, 1, 3]), graph.constant([0, 0, size]))
        attended = graph.linear(mixed, f"{name}.attention.output.dense")
        state = graph.normed(graph.add("Add", state, attended), f"{name}.attention.output.LayerNorm", epsilon)
        inner = graph.linear(state, f"{name}.intermediate.dense")
        bell = graph.add("Erf", graph.add("Mul", inner, graph.constant(math.sqrt(0.5))))
        bell = graph.add("Mul", graph.add("Add", bell, graph.constant(1.0)), graph.constant(0.5))
        outer = graph.linear(graph.add("Mul", inner, bell), f"{name}.output.dense")
        state = graph.normed(graph.add("Add", state, outer), f"{name}.output.LayerNorm", epsilon)
    graph.nodes.append(helper.make_node("Identity", [state], ["last_hidden_state"]))
    outputs = [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "length", size])]
    if pooled:
        weight = graph.add("Unsqueeze", mask, graph.constant([2]))
        total = graph.add("ReduceSum", graph.add("Mul", state, weight), graph.constant([1]), keepdims=0)
        count = graph.add("ReduceSum", weight, graph.constant([1]), keepdims=0)
        graph.nodes.append(helper.make_node("Div", [total, count], ["sentence_embedding"]))
        outputs.append(helper.make_tensor_value_info("sentence_embedding", TensorProto.FLOAT, ["batch", size]))
    entries = [helper.make_tensor_value_info(name, kind, ["batch", "length"]) for name in inputs]
    whole = helper.make_graph(graph.nodes, "bert", entries, outputs, list(graph.constants.values()))
    onnx.save(helper.make_model(whole, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))


def tiny(path: Path, **options: Any) -> Bert:
    """Write a tiny model and its tokenizer into a folder; return the same model in numpy."""
    weights = random_weights(TINY)
    path.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer()
    tokenizer.save(str(path / "tokenizer.json"))
    write(path / "model.onnx", TINY, weights, **options)
    return Bert(TINY, weights, tokenizer)


def random_weights(config: Mapping[str, Any]) -> dict[str, Array]:
    """Return weights of the shapes that a model's config.json asks for, always the same."""
    chance = np.random.default_rng(7)
    size, inner = config["hidden_size"], config["intermediate_size"]
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (config["vocab_size"], size),
        "embeddings.position_embeddings.weight": (config["max_position_embeddings"], size),
        "embeddings.token_type_embeddings.weight": (2, size),
    }
    norms = ["embeddings.LayerNorm"]
    for layer in range(config["num_hidden_layers"]):
        name = f"encoder.layer.{layer}"
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            shapes[f"{name}.attention.{part}.weight"] = (size, size)
        shapes[f"{name}.intermediate.dense.weight"] = (inner, size)
        shapes[f"{name}.output.dense.weight"] = (size, inner)
        norms += [f"{name}.attention.output.LayerNorm", f"{name}.output.LayerNorm"]
    weights = {name: chance.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    for name, weight in list(weights.items()):
        if name.endswith("dense.weight") or ".self." in name:
            weights[name.removesuffix("weight") + "bias"] = chance.standard_normal(len(weight)).astype(np.float32)
    for name in norms:
        weights[f"{name}.weight"] = np.ones(size, np.float32)
        weights[f"{name}.bias"] = np.zeros(size, np.float32)
    return weights


def minilm(path: Path) -> None:
    """Write all-MiniLM-L6-v2 into a folder."""
    source = folder()
    assert source is not None, "the weights are not there"
    path.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source / "tokenizer.json", path / "tokenizer.json")
    config = json.loads((source / "config.json").read_text("utf-8"))
    write(path / "model.onnx", config, tensors(source / "model.safetensors"))


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, "[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", None, [("[CLS]", 2), ("[SEP]", 3)])
    return tokenizer


if __name__ == "__main__":
    minilm(Path(sys.argv[1]))
