"""Questions from documentation: a section's heading where that says enough, or else its first sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator

from codeseek import chunkers
from codeseek.chunkers.lines import Lines
from codeseek.mining import wording
from codeseek.mining.question import Hidden, Question, Target
from codeseek.records import Chunk, SourceFile

_HEADING_WITHIN = 3  # lines of a section
_SHORTEST_BODY = 120  # characters of a section that are left to be found
_NOT_PROSE = re.compile(
    r"\s*(?:[-*+•|>:!<=~^`#]|\d+[.)]\s|\.\. |\[!?[\w ]*\]|\{|@|\\|import\b|export\b|---)|\s{4}|\s*\Z"
)
_NO_MORE_PROSE = re.compile(r"\s*(?:[-*+•|>!=~^#]\s|\d+[.)]\s|\.\. |```|~~~|:::|[-=~^]{3}|\Z)")
_NOTICE = re.compile(
    r"changelog|change log|unreleased|\bv?\d+\.\d+|table of contents|contribut|sponsor|目录|更新日志|贡献",
    re.IGNORECASE,
)


def questions(file: SourceFile, text: str) -> Iterator[Question]:
    """Yield what the sections of a document are about; what is asked is to be hidden, the section is the answer."""
    lines = Lines(text)
    before = ""
    for chunk in chunkers.chunk(file, text):
        whole = lines.text.startswith(chunk.text, lines.starts[chunk.first_line - 1])
        if chunk.kind != "section" or not chunk.symbol or chunk.symbol == before or not whole:
            continue
        before = chunk.symbol
        if found := _of_section(chunk, lines):
            yield found


def _of_section(chunk: Chunk, lines: Lines) -> Question | None:
    first = chunk.first_line - 1
    numbers = range(first, min(first + _HEADING_WITHIN, chunk.last_line))
    heading = next((number for number in numbers if chunk.symbol in lines.lines[number]), None)
    if heading is None or _NOTICE.search(chunk.symbol):
        return None
    target = (Target(str(chunk.path), chunk.first_line, chunk.last_line),)
    asked = wording.unmarked(chunk.symbol)
    body = lines.size(heading, chunk.last_line - 1) - len(lines.lines[heading])
    if wording.is_question(asked) and body >= _SHORTEST_BODY:
        hidden = Hidden(str(chunk.path), lines.starts[heading], lines.end(heading))
        return Question(asked, "documentation", wording.tongue(asked), target, (hidden,))
    start = next(
        (number for number in range(heading + 1, chunk.last_line) if not _NOT_PROSE.match(lines.lines[number])), None
    )
    if start is None:
        return None
    stop = start
    while stop + 1 < chunk.last_line and not _NO_MORE_PROSE.match(lines.lines[stop + 1]):
        stop += 1
    asked = wording.first_sentence(wording.unmarked("\n".join(lines.lines[start : stop + 1])))
    if not wording.is_question(asked) or body - lines.size(start, stop) < _SHORTEST_BODY:
        return None
    hidden = Hidden(str(chunk.path), lines.starts[start], lines.end(stop))
    return Question(asked, "documentation", wording.tongue(asked), target, (hidden,))
