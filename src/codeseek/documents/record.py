"""What is read out of a document: its text in parts, each with the anchor by which a reader finds it, and headings."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple


class Unfit(Exception):
    """A document out of which nothing can be read; the text is the reason."""


class Title(NamedTuple):
    """A heading: its line in the part (from 0), its depth (1 is outermost) and its text."""

    line: int
    depth: int
    text: str


class Part(NamedTuple):
    """Lines of a document under one anchor (`page 3`), those of a notebook's cell in its `language`.

    Where something smaller is counted than what a part holds, `anchors` has that of each line.
    """

    anchor: str
    lines: tuple[str, ...]
    titles: tuple[Title, ...] = ()
    language: str = ""
    anchors: tuple[str, ...] = ()

    def anchor_at(self, line: int) -> str:
        """Return the anchor of a line of the part, from 0."""
        return self.anchors[min(line, len(self.anchors) - 1)] if self.anchors else self.anchor


class Document(NamedTuple):
    """A document's text: its lines are those of its parts, one after the other, counted through."""

    parts: tuple[Part, ...]
    title: str = ""


MOST_CHARACTERS = 20_000_000
"""So much text is read out of one document: ten times the Bible and more."""

_NO_TITLE = re.compile(
    r"untitled.*|(?:powerpoint )?presentation\d*|document\d*|microsoft \w+ - .*|.*\.\w{2,4}", re.IGNORECASE
)
_WIDE = 160
"""Columns up to which a paragraph is one line."""
_LINE = 110
"""Columns to which sentences of a longer one are put together."""
_END = re.compile(r"[。！？；][”’』」）)]*|[.!?;][”’』」）)\"']*(?= (?![a-z]))")
_LONGEST = 400


def is_cjk(character: str) -> bool:
    """Tell whether a character is written without spaces around it: Chinese, Japanese, their punctuation."""
    return (
        "\u2e80" <= character <= "\ua4cf"
        or "\uf900" <= character <= "\ufaff"
        or "\ufe30" <= character <= "\ufe4f"
        or "\uff00" <= character <= "\uffef"
        or character >= "\U00020000"
    )


def cleaned(text: str) -> str:
    """Return a text in one line without control characters, ligatures or characters that stand for others.

    Chinese PDFs often hold radicals instead of the characters that look like them, which nobody types.
    """
    if not text.isascii():
        text = "".join(_plain(character) for character in text)
    elif text.isprintable():
        return " ".join(text.split())
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def _plain(character: str) -> str:
    if "\u2e80" <= character <= "\u2fd5" or "\uf900" <= character <= "\ufaff" or "\ufb00" <= character <= "\ufb06":
        return unicodedata.normalize("NFKC", character)
    if "\ue000" <= character <= "\uf8ff" or "\ud800" <= character <= "\udfff" or character in "\u00ad\ufeff\u200b":
        return ""
    return character


def title_of(told: str) -> str:
    """Return a document's title as it tells it, empty if a program put it there: a file's name, or nothing in particular."""
    title = cleaned(told)
    return "" if _NO_TITLE.fullmatch(title) else title


def joined(first: str, second: str) -> str:
    """Return two lines of a paragraph as one: without a hyphen at the break, and without a space in Chinese."""
    if not first or not second:
        return first or second
    last, following = first[-1], second[0]
    word = first.rpartition(" ")[2]
    if last in "-\u2010\u00ad" and following.isalpha() and len(word) > 1 and word[-2:-1].isalpha():
        kept = "-" in word[:-1] or following.isupper()  # `state-of-the-` goes on with `art`, `multi-` with `lingual`
        return (first if kept else first[:-1]) + second
    return f"{first}{second}" if is_cjk(last) and is_cjk(following) else f"{first} {second}"


def wrapped(paragraph: str) -> list[str]:
    """Return a paragraph as lines that end where sentences do, so that a line can be shown by itself."""
    if _columns(paragraph) <= _WIDE:
        return [paragraph] if paragraph else []
    lines: list[str] = []
    line = ""
    for sentence in _sentences(paragraph):
        if line and _columns(line) + _columns(sentence) > _LINE:
            lines.append(line.strip())
            line = ""
        line += sentence
        while len(line) > _LONGEST:
            cut = max(line.rfind(sign, _LONGEST // 2, _LONGEST) for sign in " ，,、") + 1 or _LONGEST
            lines.append(line[:cut].strip())
            line = line[cut:]
    return [*lines, line.strip()] if line.strip() else lines


def _sentences(text: str) -> Iterator[str]:
    start = 0
    for match in _END.finditer(text):
        if text[start : match.start()].strip().isdigit():
            continue  # the number of what follows
        yield text[start : match.end()]
        start = match.end()
    yield text[start:]


def _columns(text: str) -> int:
    return len(text) if text.isascii() else len(text) + sum(map(is_cjk, text))
