"""The student as files that the engines run: GGUF in half precision and Q8_0, ONNX in single precision and int8."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import bert_onnx
import minilm_gguf
from codeseek.embedders.gguf import GgufSource
from codeseek.embedders.onnx import OnnxSource
from student.encoder import TABLE, Encoder, Floats, Texts

NAME = "codeseek-small"
F16, Q8_0 = f"{NAME}-F16.gguf", f"{NAME}-Q8_0.gguf"
GRAPH, SMALL_GRAPH = "model.onnx", "model_int8.onnx"
BLOCK = 32
LEAST_COSINES = {F16: 0.999, Q8_0: 0.99, GRAPH: 0.999, SMALL_GRAPH: 0.99}
"""How near the vectors of the engines have to be to those of PyTorch, for each file."""


def write(
    into: Path, tokenizer: Any, config: Mapping[str, Any], vocabulary: Sequence[str], weights: Mapping[str, Floats]
) -> None:
    """Write all files."""
    into.mkdir(parents=True, exist_ok=True)
    tokenizer.no_truncation()
    tokenizer.save(str(into / "tokenizer.json"), pretty=False)
    (into / "config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")
    (into / "vocab.txt").write_text("".join(f"{token}\n" for token in vocabulary), "utf-8")
    for name, kind in ((F16, gguf.GGMLQuantizationType.F16), (Q8_0, gguf.GGMLQuantizationType.Q8_0)):
        minilm_gguf.write_bert(into / name, NAME, config, vocabulary, weights, kind)
    bert_onnx.write(into / GRAPH, config, weights)
    onnx.save(_small(onnx.load(into / GRAPH)), into / SMALL_GRAPH)


def _small(model: onnx.ModelProto) -> onnx.ModelProto:
    """Make matrices int8 with a scale for every 32 numbers, as Q8_0 is; they are multiplied out when the graph is loaded.

    What the library would do, to compute in int8, costs too much here: states of this model have few large numbers
    among small ones, and cosines fall to .955. With a scale for a whole row or column they fall to .993.
    """
    graph = model.graph
    for matrix in [each for each in graph.initializer if each.name == TABLE or each.name.endswith(".turned")]:
        values = numpy_helper.to_array(matrix)
        rows, columns = values.shape
        split, axis = ((rows, -1, BLOCK), 2) if matrix.name == TABLE else ((-1, BLOCK, columns), 1)
        blocks = values.reshape(split)
        scales = np.maximum(np.abs(blocks).max(axis=axis, keepdims=True), 1e-9) / 127
        name = matrix.name
        graph.initializer.remove(matrix)
        graph.initializer.append(numpy_helper.from_array(np.round(blocks / scales).astype(np.int8), f"{name}.int8"))
        graph.initializer.append(numpy_helper.from_array(scales.astype(np.float32), f"{name}.scales"))
        graph.initializer.append(numpy_helper.from_array(np.array(values.shape), f"{name}.shape"))
        nodes = [
            helper.make_node("Cast", [f"{name}.int8"], [f"{name}.float"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [f"{name}.float", f"{name}.scales"], [f"{name}.blocks"]),
            helper.make_node("Reshape", [f"{name}.blocks", f"{name}.shape"], [name]),
        ]
        for node in reversed(nodes):
            graph.node.insert(0, node)
    return model


def compared(into: Path, encoder: Encoder, tokenizer: Any, texts: Sequence[str]) -> dict[str, dict[str, float]]:
    """Run the engines on the files beside PyTorch, on one core: size, least cosine of any text, speed.

    Raises SystemExit where tokens or vectors do not agree.
    """
    wanted = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    rows = encoder.encode(Texts.of([tokenizer.encode(text).ids for text in texts]))
    found = {}
    for name, least in LEAST_COSINES.items():
        path = into / name
        model: Any = (
            GgufSource(path, "mean", threads=1).load()
            if name.endswith(".gguf")
            else OnnxSource(path, into / "tokenizer.json", "mean", gpu=False, threads=1).load()
        )
        for text, ids in zip(texts, wanted, strict=True) if name.endswith(".gguf") else ():
            if model.tokens(text).tolist() != ids:
                raise SystemExit(f"error: llama.cpp and tokenizers cut differently: {text!r}")
        started = time.perf_counter()
        cosines = (model.encode(texts) * rows).sum(1)
        seconds = time.perf_counter() - started
        found[name] = {
            "megabytes": path.stat().st_size / 1e6,
            "least cosine": float(cosines.min()),
            "tokens a second": sum(map(len, wanted)) / seconds,
        }
        if cosines.min() < least:
            worst = texts[int(cosines.argmin())]
            raise SystemExit(f"error: {name} makes other vectors than PyTorch: cosine {cosines.min():.4f} of {worst!r}")
    return found
