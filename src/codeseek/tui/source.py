"""A file to be shown: read, decoded, cut into lines and coloured."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pygments.lexer import Lexer

Spans = tuple[tuple[int, int, str], ...]
"""Coloured ranges [start, end) of a line, each with the name of its colour."""

_LARGEST = 4_000_000
"""Bytes of a file that are shown."""
_WIDEST = 2_000
"""Characters of a line that are shown."""
_COLOURED = 600_000
"""Characters of a file that are coloured: what is beyond stays plain."""
_BATCH = 400
_LINE_END = re.compile(r"\r\n|\r|\n")

_COLOURS = (
    ("Comment.Preproc", "keyword"),
    ("Comment", "comment"),
    ("Literal.String.Doc", "comment"),
    ("Literal.String", "string"),
    ("Literal.Number", "number"),
    ("Keyword.Constant", "number"),
    ("Keyword.Type", "type"),
    ("Keyword", "keyword"),
    ("Operator.Word", "keyword"),
    ("Name.Function", "function"),
    ("Name.Class", "type"),
    ("Name.Exception", "type"),
    ("Name.Namespace", "type"),
    ("Name.Decorator", "function"),
    ("Name.Tag", "keyword"),
    ("Name.Attribute", "function"),
    ("Name.Builtin", "type"),
    ("Name.Constant", "number"),
    ("Generic.Heading", "keyword"),
    ("Generic.Subheading", "keyword"),
    ("Generic.Strong", "function"),
    ("Generic.Emph", "string"),
)
COLOURS = tuple(dict.fromkeys(colour for _, colour in _COLOURS))
"""The names of all colours."""

_LEXERS = {
    "csharp": "csharp",
    "tsx": "tsx",
    "hcl": "terraform",
    "dockerfile": "docker",
    "asciidoc": "text",
    "org": "text",
}


@dataclass(frozen=True, eq=False)
class Source:
    """A file's lines, with tabs made spaces; `problem` says in words why there are none. `path` is as hits name it."""

    file: Path
    path: PurePosixPath
    language: str
    lines: tuple[str, ...]
    problem: str = ""
    truncated: bool = False
    mtime_ns: int = 0
    spans: list[Spans] = field(default_factory=list)
    """The colours of the lines so far; only the screen adds to them."""


def read(root: Path, path: PurePosixPath, language: str, shown: PurePosixPath | None = None) -> Source:
    """Read a file for the preview, which is `shown` by another path; what cannot be shown comes with its `problem`."""
    file, path = root / path, shown or path
    try:
        if not file.resolve().is_relative_to(root.resolve()):
            return Source(file, path, language, (), problem="outside")
        with file.open("rb") as stream:
            data = stream.read(_LARGEST + 1)
            mtime_ns = file.stat().st_mtime_ns
    except FileNotFoundError:
        return Source(file, path, language, (), problem="gone")
    except (OSError, ValueError):
        return Source(file, path, language, (), problem="unreadable")
    text = decoded(data[:_LARGEST])
    if text is None:
        return Source(file, path, language, (), problem="binary", mtime_ns=mtime_ns)
    lines = tuple(line.expandtabs(4)[:_WIDEST] for line in _LINE_END.split(text))
    if len(lines) > 1 and not lines[-1]:
        lines = lines[:-1]
    return Source(file, path, language, lines, truncated=len(data) > _LARGEST, mtime_ns=mtime_ns)


def is_current(source: Source) -> bool:
    """Tell whether a file is still as it was read."""
    try:
        return source.file.stat().st_mtime_ns == source.mtime_ns
    except (OSError, ValueError):
        return source.problem == "gone"


def decoded(data: bytes) -> str | None:
    """Decode as the indexer does: by its mark, as UTF-8, as GB18030, as Latin-1; None for what is no text."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    if b"\x00" in data[:8_192]:
        return None
    for encoding in ("utf-8", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError as error:
            if error.start > len(data) - 4:  # cut within a character
                return data[: error.start].decode(encoding)
    return data.decode("latin-1")


def coloured(source: Source, superseded: Callable[[], bool]) -> Iterator[tuple[int, list[Spans]]]:
    """Yield the colours of a file in batches of lines, each with the number of its first (from 0)."""
    lexer = _lexer(source.language, source.path.name)
    if lexer is None:
        return
    text = "\n".join(source.lines)[:_COLOURED]
    first, line, start = 0, 0, 0
    spans: list[tuple[int, int, str]] = []
    batch: list[Spans] = []
    for count, (at, kind, value) in enumerate(lexer.get_tokens_unprocessed(text)):
        if not count % 256 and superseded():
            return
        name = _colour(str(kind))
        pieces = value.split("\n")
        for number, piece in enumerate(pieces):
            if number:
                batch.append(tuple(spans))
                spans, line = [], line + 1
                start = at
                if len(batch) >= _BATCH:
                    yield first, batch
                    first, batch = line, []
            if name and piece:
                spans.append((at - start, at - start + len(piece), name))
            at += len(piece) + 1
    batch.append(tuple(spans))
    yield first, batch


_colours: dict[str, str] = {}


def _colour(kind: str) -> str:
    """Return the name of a token's colour, empty for plain text."""
    if kind not in _colours:
        name = kind.removeprefix("Token.")
        _colours[kind] = next((colour for prefix, colour in _COLOURS if name.startswith(prefix)), "")
    return _colours[kind]


def _lexer(language: str, name: str) -> Lexer | None:
    from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
    from pygments.util import ClassNotFound

    for find, wanted in ((get_lexer_by_name, _LEXERS.get(language, language)), (get_lexer_for_filename, name)):
        try:
            lexer: Lexer = find(wanted, stripnl=False, ensurenl=False)
        except ClassNotFound:
            continue
        return lexer
    return None
