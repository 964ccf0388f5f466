"""The few lines of a chunk that show why it was found, and the words in them to mark."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from codeseek.records import Chunk

_LINE_END = re.compile(r"\r\n|\r|\n")
_WORD = re.compile(r"[^\W_]+")
_INDENT = re.compile(r"[ \t]*")
_RULE = re.compile(r"\s*[^\w\s]{0,3}\s*([^\w\s])\1{3,}[^\w\s]{0,3}\s*")  # a line that only parts others: // ======
_LONGEST = 1_000
"""Characters of a line that are looked at: a minified line is not searched to its end."""


class Line(NamedTuple):
    """A line of a file without the indentation common to the snippet.

    `marks` are character ranges [start, end); `gap` tells that lines with text were left out before it.
    """

    number: int
    text: str
    marks: tuple[tuple[int, int], ...] = ()
    gap: bool = False


def pattern(query: str, terms: Sequence[str]) -> re.Pattern[str] | None:
    """Return what finds a question's words in code: at the start of a word's parts, with its ending."""
    words = {word for term in terms for word in _WORD.findall(term.lower())}
    if words:
        # A term may be a stem (`queri`): the word as typed is looked for too.
        stems = {word[:4] for word in words}
        words |= {word for word in _WORD.findall(query[:_LONGEST].lower()) if word[:4] in stems}
    else:
        typed = _WORD.findall(query[:_LONGEST].lower())
        words = {word for word in typed if len(word) > 2 or not word.isascii()}
        words |= {word[at : at + 2] for word in typed if not word.isascii() for at in range(len(word) - 1)}
    latin = sorted((word for word in words if word.isascii() and len(word) > 1), key=len, reverse=True)
    other = sorted((word for word in words if not word.isascii()), key=len, reverse=True)
    parts = []
    if latin:
        start = r"(?:(?<![A-Za-z])|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]))"
        parts.append(f"{start}(?i:{'|'.join(map(re.escape, latin))})(?:[a-z]{{1,4}}(?![a-z]))?")
    parts += map(re.escape, other)
    return re.compile("|".join(parts)) if parts else None


def choose(chunk: Chunk, words: re.Pattern[str] | None, most: int = 4) -> list[Line]:
    """Return at most `most` lines: the one that defines or heads the chunk, and the best run of the others."""
    texts = _LINE_END.split(chunk.text)
    filled = [position for position, text in enumerate(texts) if text.strip()]
    if not filled:
        return []
    filled = [position for position in filled if not _RULE.fullmatch(texts[position][:_LONGEST])] or filled
    head = _head(chunk, [position for position in filled if _WORD.search(texts[position])] or filled)
    marks = {position: _marks(texts[position], words) for position in filled}
    after = [position for position in filled if position > head]
    run = _best_run(after, texts, marks, most - 1) if most > 1 else []
    chosen = [head, *run]
    indent = min(len(_indent(texts[position])) for position in chosen)
    before = [head, *chosen[:-1]]
    lines = []
    for previous, position in zip(before, chosen, strict=True):
        text = texts[position].expandtabs(4)[indent:].rstrip()[: 4 * _LONGEST]
        gap = any(previous < other < position for other in filled)
        lines.append(Line(chunk.first_line + position, text, _marks(text, words), gap))
    return lines


def _indent(text: str) -> str:
    match = _INDENT.match(text.expandtabs(4))
    return match[0] if match else ""


def _head(chunk: Chunk, filled: Sequence[int]) -> int:
    """Return the line of the first definition, or the first of those that are filled."""
    defined = sorted(definition.line - chunk.first_line for definition in chunk.definitions)
    return next((position for position in defined if position in filled), filled[0])


def _marks(text: str, words: re.Pattern[str] | None) -> tuple[tuple[int, int], ...]:
    return tuple(match.span() for match in words.finditer(text, 0, _LONGEST)) if words else ()


def _best_run(
    after: Sequence[int], texts: Sequence[str], marks: dict[int, tuple[tuple[int, int], ...]], length: int
) -> Sequence[int]:
    """Return the run of lines with the most different words of the question, then the most lines that have one."""

    def worth(run: Sequence[int]) -> tuple[int, int]:
        words = {texts[position][start:end].lower()[:5] for position in run for start, end in marks[position]}
        return len(words), sum(bool(marks[position]) for position in run)

    return max((after[at : at + length] for at in range(max(1, len(after) - length + 1))), key=worth)
