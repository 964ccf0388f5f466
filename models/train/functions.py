"""Chinese comments and the functions that they document, from repositories: the comment is taken out of the code."""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from codeseek import chunkers, walker
from codeseek.records import CODE_KINDS, Chunk, SourceFile

_MOST_PER_FILE = 6
_LEAST_CODE = 40  # characters that are left of a function
_LEAST_HAN, _LONGEST = 4, 120  # characters of a question
_MARKERS = re.compile(r"^[ \t]*(?:///?!?|/\*\*?!?|\*/?|#+|--+|;+|%+|\"{3}|'{3})[ \t]?|</?\w[^>]{0,40}>|\{@\w+ |\}")
_DETAIL = re.compile(r"^\s*(?:[@\\]\w+|:param|:return|Args:|Returns:|参数|返回)", re.MULTILINE)
_END = re.compile(r"[。！？\n]")
_JUNK = re.compile(r"copyright|licen[cs]e|todo|fixme|https?://|创建时间|作者|版权|@author", re.IGNORECASE)
_HAN = re.compile("[一-鿿]")


class Documented(NamedTuple):
    """What a comment says first, and the chunk that it stands in, without any comment."""

    question: str
    chunk: Chunk


def cut_up(root: Path) -> Iterator[tuple[SourceFile, str, list[Chunk]]]:
    """Yield a folder's files that can be read, each with its text and its chunks."""
    for entry in walker.walk(root):
        if isinstance(entry, SourceFile):
            with contextlib.suppress(walker.Unreadable):
                text = walker.read_text(root, entry)
                yield entry, text, chunkers.chunk(entry, text)


def documented(root: Path) -> Iterator[Documented]:
    """Yield the documented functions and classes of a repository, in the order of its files."""
    taken: Counter[str] = Counter()
    for _, _, chunks in cut_up(root):
        for chunk in chunks:
            path = str(chunk.path)
            if (
                chunk.kind not in CODE_KINDS
                or not chunk.definitions
                or not chunk.comments
                or taken[path] >= _MOST_PER_FILE
            ):
                continue
            question = _said(chunk.text[slice(*chunk.comments[0])])
            bare = _bare(chunk)
            if question and len(bare.text) >= _LEAST_CODE:
                taken[path] += 1
                yield Documented(question, bare)


def _bare(chunk: Chunk) -> Chunk:
    text, at = "", 0
    for start, end in chunk.comments:
        text += chunk.text[at:start]
        at = end
    return chunk._replace(text=text + chunk.text[at:], comments=())


def _said(comment: str) -> str:
    text = "\n".join(_MARKERS.sub("", line) for line in comment.splitlines()).strip().strip("\"'*/ \n")
    if match := _DETAIL.search(text):
        text = text[: match.start()]
    said = " ".join(_END.split(text.strip(), maxsplit=1)[0].split())
    return said if len(said) <= _LONGEST and len(_HAN.findall(said)) >= _LEAST_HAN and not _JUNK.search(said) else ""


def main() -> None:
    """Write the documented functions of all repositories in a folder: `functions.py REPOSITORIES FILE.jsonl.gz`."""
    folder, target = map(Path, sys.argv[1:])
    with gzip.open(target, "wt", encoding="utf-8") as stream:
        for root in sorted(path for path in folder.iterdir() if path.is_dir()):
            for question, chunk in documented(root):
                names = " ".join(definition.name for definition in chunk.definitions)
                line = {"question": question, "path": str(chunk.path), "names": names, "text": chunk.text}
                line["src"] = root.name.replace("+", "/", 1)
                stream.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
