"""Read Jupyter notebooks: their cells as they were typed, without what came out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from codeseek import decoding
from codeseek.documents.record import Document, Part, Unfit
from codeseek.languages import LANGUAGES

_LINE_END = re.compile(r"\r\n|\r|\n")
_PICTURE = re.compile(r"\(data:[^)\s]{100,}\)|(?<=[\"'])data:[^\"'\s]{100,}")
_MAGIC = re.compile(r"%%(\w+)")
_LANGUAGES = {
    "ir": "r",
    "c++": "cpp",
    "c#": "csharp",
    "f#": "fsharp",
    "ipython": "python",
    "sagemath": "python",
    "sh": "bash",
}
_TINY, _SMALL = 100, 800  # characters of cells that are put together, and up to which they are
_WIDEST = 10_000  # characters of a line: more is data


def read(data: bytes) -> Document:
    """Return a notebook's cells; raises `Unfit`."""
    try:
        book = json.loads(decoding.decode(data) or "")
    except (ValueError, RecursionError) as error:
        raise Unfit("damaged") from error
    if not isinstance(book, dict):
        raise Unfit("no notebook")
    sheets = book.get("worksheets")  # until format 3 cells lay in sheets
    lists = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)] if isinstance(sheets, list) else []
    cells = [cell for found in [book.get("cells"), *lists] if isinstance(found, list) for cell in found]
    language = _language(book)
    parts = [_part(number, cell, language) for number, cell in enumerate(cells, 1) if isinstance(cell, dict)]
    parts = list(_joined(part for part in parts if any(line.strip() for line in part.lines)))
    if not parts:
        raise Unfit("no text")
    return Document(tuple(parts))


def _joined(parts: Iterable[Part]) -> Iterator[Part]:
    """Yield cells, those of a line of code that follow others together with them: they show what was made there."""
    pending: Part | None = None
    for part in parts:
        if pending is not None and part.language == pending.language != "markdown" and _is_peek(part, pending):
            first, last = (one.anchor.split()[-1].split("-") for one in (pending, part))
            lines = (*pending.lines, "", *part.lines)
            pending = pending._replace(anchor=f"cells {first[0]}-{last[-1]}", lines=lines)
            continue
        if pending is not None:
            yield pending
        pending = part
    if pending is not None:
        yield pending


def _is_peek(part: Part, before: Part) -> bool:
    return len(part.lines) <= 2 and sum(map(len, part.lines)) <= _TINY and sum(map(len, before.lines)) < _SMALL


def _part(number: int, cell: dict[str, Any], language: str) -> Part:
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    text = source if isinstance(source, str) else ""
    text = text.encode("utf-8", "replace").decode().replace("\0", "")
    kind = cell.get("cell_type")
    if kind != "code":
        text = _PICTURE.sub("", text)
        if kind == "heading":
            level = cell.get("level")
            text = f"{'#' * (level if isinstance(level, int) and 1 <= level <= 6 else 1)} {text}"
        language = "text" if kind == "raw" else "markdown"
    elif match := _MAGIC.match(text):
        named = _known(match[1])
        language = named or language
    lines = [line[:_WIDEST].rstrip() for line in _LINE_END.split(text)]
    while lines and not lines[-1]:
        lines.pop()
    return Part(f"cell {number}", tuple(lines), language=language)


def _language(book: dict[str, Any]) -> str:
    """Return the language of a notebook's code; Python, which most are in, where it is not said."""
    metadata = book.get("metadata")
    for section, key in (("language_info", "name"), ("kernelspec", "language"), ("kernelspec", "name")):
        described = metadata.get(section) if isinstance(metadata, dict) else None
        name = described.get(key) if isinstance(described, dict) else None
        if isinstance(name, str) and (known := _known(name)):
            return known
    return "python"


def _known(name: str) -> str:
    lower = name.lower().rstrip("0123456789.- ")
    lower = _LANGUAGES.get(lower, lower)
    return lower if lower in LANGUAGES and LANGUAGES[lower].group == "code" else ""
