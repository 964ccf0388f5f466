"""Stand-ins that take no model: deterministic, quick, and true to the protocols."""

from __future__ import annotations

import hashlib
import os
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeseek.embedders import Vectors
from codeseek.errors import ModelError
from codeseek.records import Chunk


@dataclass(frozen=True)
class HashEmbedder:
    """Places text by the hashes of its words: texts that share words are near each other. The class loads itself."""

    name: str = "hash"
    dimensions: int = 32
    version: int = 1

    @property
    def prefix(self) -> int:
        return self.dimensions

    @property
    def notes(self) -> Sequence[str]:
        return ()

    def close(self) -> None:
        pass

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    @property
    def fingerprint(self) -> str:
        return f"hash-{self.dimensions}-{self.version}"

    def embed(self, chunks: Sequence[Chunk]) -> Vectors:
        rows = [self._sum(f"{chunk.path} {chunk.symbol} {chunk.text}") for chunk in chunks]
        return np.array(rows, np.float32).reshape(len(chunks), self.dimensions)

    def embed_query(self, query: str) -> NDArray[np.float32]:
        return self._sum(query)

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        return np.array([self._sum(text) for text in texts], np.float32).reshape(len(texts), self.dimensions)

    def _sum(self, text: str) -> NDArray[np.float32]:
        total = np.zeros(self.dimensions, np.float64)
        for word in sorted(set(re.findall(r"\w+", text.lower()))):
            total += _direction(f"{self.version}{word}", self.dimensions)
        length = float(np.linalg.norm(total))
        return (total / length if length else total).astype(np.float32)


@cache
def _direction(word: str, dimensions: int) -> NDArray[np.float64]:
    seed = hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=8).digest()
    return np.random.default_rng(int.from_bytes(seed, "little")).standard_normal(dimensions)


class Deadly:
    """Loads a model whose process dies at the sight of certain files, as a parser may."""

    def __init__(self, *paths: str) -> None:
        self.paths = paths

    def load(self) -> HashEmbedder:
        return DeadlyEmbedder(paths=self.paths)


@dataclass(frozen=True)
class DeadlyEmbedder(HashEmbedder):
    paths: tuple[str, ...] = ()

    def embed(self, chunks: Sequence[Chunk]) -> Vectors:
        if any(path.endswith(f"/{chunk.path}") for path in self.paths for chunk in chunks):
            os.abort()
        return super().embed(chunks)


def broken_load() -> HashEmbedder:
    raise ZeroDivisionError


class Acting(NamedTuple):
    """A model for a process of its own, whose texts say what it does; it leaves marks in `folder`."""

    folder: Path
    at_start: str = ""

    def load(self) -> Acting:
        if self.at_start == "abort":
            print("model.cpp:1: assertion failed", file=sys.stderr, flush=True)
            os.abort()
        if self.at_start == "refuse":
            raise ModelError("it is no model", hint="get another")
        if self.at_start == "stumble":
            raise ZeroDivisionError
        return self

    @property
    def notes(self) -> tuple[str, ...]:
        return ("a note",)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        if "abort" in texts:
            os.abort()
        return [len(text.split()) for text in texts]

    def encode(self, texts: Sequence[str]) -> Vectors:
        for text in texts:
            if text == "abort" or self.at_start == "abort later":
                os.abort()
            if text == "abort once" and not (self.folder / "aborted").exists():
                (self.folder / "aborted").touch()
                os.abort()
            if text == "refuse":
                raise ModelError("not this text", hint="write another")
            if text == "print":
                os.write(1, b"noise among the answers")
            if text == "hang":
                (self.folder / "hanging").touch()
                time.sleep(600)
        return np.array([[len(text), 1] for text in texts], np.float32)
