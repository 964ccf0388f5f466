"""What ships: the table in int8 with its scales, vocabulary and scores, the term table, and where all this came from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codeseek.embedders.pieces import Tokens
from codeseek.embedders.static import FORMAT, StaticEmbedder
from terms import Row
from vocabulary import Vocabulary

VERSION = 1
LICENCE = "Apache-2.0; made from data under Apache-2.0, MIT, BSD, PSF, MulanPSL-2.0, CC0 and CC-BY: see MODEL_CARD.md"

Floats = NDArray[np.float32]


def quantised(rows: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Return rows as int8 and the scale of each, so that row = int8 * scale."""
    scale = np.maximum(np.abs(rows).max(axis=1), np.float32(1e-9)) / np.float32(127)
    return np.round(rows / scale[:, None]).astype(np.int8), scale.astype(np.float32)


def write(
    folder: Path, vocabulary: Vocabulary, rows: Floats, terms: Sequence[Row], provenance: Mapping[str, Any]
) -> None:
    """Write all parts of the model but the table of traditional characters, which is there already."""
    folder.mkdir(parents=True, exist_ok=True)
    table, scale = quantised(rows)
    (folder / "vocabulary.txt").write_text("".join(f"{token}\n" for token in vocabulary.tokens), "utf-8")
    np.save(folder / "table.npy", table)
    np.save(folder / "scale.npy", scale)
    np.save(folder / "score.npy", np.array(vocabulary.scores, np.float32))
    (folder / "terms.tsv").write_text("".join(map(_line, terms)), "utf-8")
    embedder = StaticEmbedder(Tokens.of(vocabulary.tokens), table, scale, np.array(vocabulary.scores, np.float32))
    about = {
        "format": FORMAT,
        "fingerprint": embedder.fingerprint,
        "licence": LICENCE,
        "files": {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.iterdir())
            if path.suffix in {".npy", ".txt", ".tsv"}
        },
        **provenance,
    }
    (folder / "bundle.json").write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _line(row: Row) -> str:
    translations = " ".join(f"{english}:{probability:.3f}" for english, probability in row.translations)
    return f"{row.word}\t{row.times}\t{translations}\n"
