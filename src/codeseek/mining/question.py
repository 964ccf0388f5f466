"""A question whose answer is known."""

from __future__ import annotations

import hashlib
from typing import Literal, NamedTuple

from codeseek.mining.wording import Tongue

Source = Literal["docstring", "comment", "documentation", "commit", "file"]
"""What a question was made from; the last is a file of the user's."""


class Target(NamedTuple):
    """A place that answers: lines of a file (1-based, inclusive), or all of it where both are 0."""

    path: str
    first_line: int = 0
    last_line: int = 0


class Hidden(NamedTuple):
    """The characters [start, end) of a file's text that say what is asked, and must not be searched."""

    path: str
    start: int
    end: int


class Question(NamedTuple):
    """A question, where it is from, the places that answer it, and what of them must be hidden to make it fair."""

    text: str
    source: Source
    tongue: Tongue
    targets: tuple[Target, ...]
    hidden: tuple[Hidden, ...] = ()

    @property
    def key(self) -> str:
        """What the same question is known by in the next run, though its lines may be others."""
        paths = "\0".join(sorted({target.path for target in self.targets}))
        return digest(self.source, self.text, paths)

    @property
    def cluster(self) -> str:
        """What questions share that are alike: a file, or of given ones, which may be translations, all their targets."""
        return digest(*map(str, self.targets)) if self.source == "file" else self.targets[0].path


def digest(*parts: str) -> str:
    """Return a short hash of texts."""
    return hashlib.blake2b("\1".join(parts).encode("utf-8", "replace"), digest_size=8).hexdigest()


def shuffled_key(seed: int, text: str) -> str:
    """Return what puts texts in a random order that is the same in every run, and little changed by new texts."""
    return digest(str(seed), text)
