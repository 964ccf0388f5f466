"""The training data: a folder of gzipped JSON lines.

`zh_en*.jsonl.gz`: {"en", "zh", "src"}, a sentence or a phrase in both languages; `nl_words*.jsonl.gz`: {"nl", "words",
"src"}, what is said of code and the words of that code with their counts (`lock:3 mutex and:2`). `src` is the repository
that a line comes from, `owner/name`, perhaps with `#…` or `~…` after it. `functions*.jsonl.gz`, which need not be there:
{"question", "path", "names", "text", "src"}, what a comment says first, and the code without it as it stands in the file.
README.md says how such a folder is made.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HELD_OUT = frozenset(
    "karmada-io/website antvis/G6 kubevela/kubevela.io vuejs/router apache/dolphinscheduler juicedata/juicefs"
    " alibaba/easyexcel elunez/eladmin baomidou/mybatis-plus alibaba/arthas".split()
)
"""Repositories that nothing is learned from: what is measured on them was never seen."""

SMOKE = 1000
_FUNCTIONS = "functions*.jsonl.gz"


class Pair(NamedTuple):
    """A text in English and in Chinese."""

    english: str
    chinese: str
    source: str


class Words(NamedTuple):
    """What is said of code, and the code's words."""

    said: str
    words: str
    source: str


class Function(NamedTuple):
    """What is asked for, and the code that answers it: its path, the names that it defines, its text."""

    question: str
    path: str
    names: str
    text: str
    source: str


class Folder(NamedTuple):
    """Where the data lies; with `step` above 1 only every so manieth line is read."""

    path: Path
    step: int = 1

    def files(self) -> list[Path]:
        """Return the files of pairs and words, sorted; raises SystemExit without any."""
        found = sorted([*self.path.glob("zh_en*.jsonl.gz"), *self.path.glob("nl_words*.jsonl.gz")])
        if not any(path.name.startswith("zh_en") for path in found):
            raise SystemExit(
                f"error: no zh_en*.jsonl.gz in {self.path}\nhint: models/train/README.md tells what it holds"
            )
        return found

    def pairs(self, *, held_out: bool = False) -> Iterator[Pair]:
        """Yield the pairs to learn from, or those that are held out."""
        for line in self._lines("zh_en*.jsonl.gz"):
            source = _repository(line["src"])
            if (source in HELD_OUT) is held_out:
                yield Pair(line["en"], line["zh"], source)

    def words(self) -> Iterator[Words]:
        """Yield what is said of code, but for what is held out."""
        for line in self._lines("nl_words*.jsonl.gz"):
            source = _repository(line["src"])
            if source not in HELD_OUT:
                yield Words(line["nl"], line["words"], source)

    def function_files(self) -> list[Path]:
        """Return the files of functions, sorted."""
        return sorted(self.path.glob(_FUNCTIONS))

    def functions(self) -> Iterator[Function]:
        """Yield the functions, but for what is held out."""
        for line in self._lines(_FUNCTIONS):
            source = _repository(line["src"])
            if source not in HELD_OUT:
                yield Function(line["question"], line["path"], line["names"], line["text"], source)

    def _lines(self, pattern: str) -> Iterator[dict[str, str]]:
        for path in sorted(self.path.glob(pattern)):
            with gzip.open(path, "rt", encoding="utf-8") as stream:
                for number, line in enumerate(stream):
                    if number % self.step == 0:
                        yield json.loads(line)


def _repository(source: str) -> str:
    return source.partition("#")[0].partition("~")[0]
