"""A searcher over a few files that are given as text, with the bundled model: no store, no process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

import numpy as np

from codeseek import chunkers
from codeseek.embedders import bundled
from codeseek.languages import language_of
from codeseek.records import SourceFile
from codeseek.searcher import Searcher
from codeseek.segments import Segment, analyse
from codeseek.vectors import ExactIndex, Matrix, VectorIndex
from codeseek.words import Index

MODEL = bundled()


def searcher(project: Mapping[str, str], vectors: Callable[[Matrix], VectorIndex] = ExactIndex) -> Searcher:
    """Return what answers about files, by their paths; `vectors` makes the index of their vectors."""
    files = []
    for name, text in project.items():
        path = PurePosixPath(name)
        file = SourceFile(path, len(text), 0, language_of(path) or "text")
        files.append((file, chunkers.chunk(file, text)))
    chunks = dict(enumerate((c for _, chunks in files for c in chunks), 1))
    segment = Segment.build([analyse(files)], np.array(list(chunks)))
    matrix = MODEL.embed(list(chunks.values()))
    return Searcher(Index([segment]), [vectors(matrix)], MODEL, lambda ids: {number: chunks[number] for number in ids})
