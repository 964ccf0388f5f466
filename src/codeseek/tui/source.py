"""A file to be shown: read, decoded, cut into lines and coloured."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from codeseek.records import Chunk
from codeseek.tui.large import LargeFile

if TYPE_CHECKING:
    from pygments.lexer import Lexer

Spans = tuple[tuple[int, int, str], ...]
"""Coloured ranges [start, end) of a line, each with the name of its colour."""

_LARGE = 1_000_000
"""Bytes from which on a file is read by and by."""
_SNIFFED = 65_536
_WIDEST = 2_000
"""Characters of a line that are shown."""
_COLOURED = 400
"""Lines that are coloured beyond the one that is looked at; of a large file also before it."""
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
    """A file's lines, with tabs made spaces; `problem` says in words why there are none. `path` is as hits name it.

    Of a `large` file lines are read when they are looked at. `prose` is to be read, in lines that may be long.
    """

    file: Path
    path: PurePosixPath
    language: str
    lines: Sequence[str]
    problem: str = ""
    large: bool = False
    mtime_ns: int = 0
    prose: bool = False
    spans: dict[int, Spans] = field(default_factory=dict)
    """The colours of the lines so far, by number from 0; only the screen adds to them."""


def read(root: Path, path: PurePosixPath, language: str, shown: PurePosixPath | None = None) -> Source:
    """Read a file for the preview, which is `shown` by another path; what cannot be shown comes with its `problem`."""
    file, path = root / path, shown or path
    try:
        if not file.resolve().is_relative_to(root.resolve()):
            return Source(file, path, language, (), problem="outside")
        with file.open("rb") as stream:
            data = stream.read(_LARGE)
            mtime_ns = file.stat().st_mtime_ns
            large = bool(stream.read(1)) and not data.startswith((b"\xff\xfe", b"\xfe\xff"))
            if large:
                encoding = encoding_of(data[:_SNIFFED])
                lines = LargeFile(file, encoding, _WIDEST) if encoding else ()
                problem = "" if encoding else "binary"
                return Source(file, path, language, lines, problem, large=True, mtime_ns=mtime_ns)
            data += stream.read()
    except FileNotFoundError:
        return Source(file, path, language, (), problem="gone")
    except (OSError, ValueError):
        return Source(file, path, language, (), problem="unreadable")
    encoding = encoding_of(data)
    if not encoding:
        return Source(file, path, language, (), problem="binary", mtime_ns=mtime_ns)
    whole = tuple(line.expandtabs(4)[:_WIDEST] for line in _LINE_END.split(data.decode(encoding, "replace")))
    if len(whole) > 1 and not whole[-1]:
        whole = whole[:-1]
    return Source(file, path, language, whole, mtime_ns=mtime_ns)


def of_chunks(file: Path, path: PurePosixPath, chunks: Sequence[Chunk]) -> Source:
    """Return a document as it was read when it was indexed: the text of its chunks, each line by its number."""
    lines: dict[int, str] = {}
    for chunk in chunks:
        if chunk.kind != "comment":
            for number, line in enumerate(_LINE_END.split(chunk.text), chunk.first_line):
                lines[number] = line.expandtabs(4)[:_WIDEST]
    try:
        mtime_ns = file.stat().st_mtime_ns
    except (OSError, ValueError):
        return Source(file, path, "text", (), problem="gone")
    whole = tuple(lines.get(number, "") for number in range(1, max(lines, default=0) + 1))
    return Source(file, path, "text", whole, problem="" if whole else "unreadable", mtime_ns=mtime_ns, prose=True)


def is_current(source: Source) -> bool:
    """Tell whether a file is still as it was read."""
    try:
        return source.file.stat().st_mtime_ns == source.mtime_ns
    except (OSError, ValueError):
        return source.problem == "gone"


def encoding_of(data: bytes) -> str:
    """Name a text's encoding as the indexer does: by its mark, UTF-8, GB18030, Latin-1; empty for what is no text."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return encoding
    if b"\x00" in data[:8_192]:
        return ""
    for encoding in ("utf-8", "gb18030"):
        try:
            data.decode(encoding)
        except UnicodeDecodeError as error:
            if error.start <= len(data) - 4:  # not just cut within a character
                continue
        return encoding
    return "latin-1"


def coloured(source: Source, line: int, superseded: Callable[[], bool]) -> Iterator[tuple[int, list[Spans]]]:
    """Yield the colours of a file in batches of lines, each with the number of its first (from 0).

    They end a little behind the line that is looked at. Of a large file only lines around that are coloured, as if the
    file began a little before it.
    """
    lexer = _lexer(source.language, source.path.name)
    if lexer is None:
        return
    first = max(0, line - _COLOURED) if source.large else 0
    text = "\n".join(source.lines[first : line + _COLOURED])
    line, start = first, 0
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
