"""What parsers must be told first: C++ in header files, macros that hide a declaration, scripts inside components."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from codeseek.chunkers.lines import Lines
from codeseek.chunkers.names import unquoted

if TYPE_CHECKING:
    from tree_sitter import Range

_CPP = re.compile(
    rb"^[ \t]*(?:class\s+\w+[^;{}()]*\{|(?:inline\s+)?namespace\s+[\w:]+\s*\{|template\s*<|(?:public|private|protected)\s*:"
    rb"|using\s+(?:namespace\s+)?[\w:]+\s*[=;]|enum\s+class\b|constexpr\s)|\bstd::\w",
    re.MULTILINE,
)
_CPP_WORDS = (b"::", b"class ", b"namespace ", b"template", b"constexpr ", b"public:")
_MACRO_LINE = re.compile(rb"\n([A-Z][A-Z0-9_]{3,}(?:[ \t]*\([ -~]*\))?[ \t]*)(?=[\r\n])")
_MACRO_IN_HEAD = re.compile(
    rb"\b(class|struct)((?:\s+[A-Z][A-Z0-9]*_?[A-Z0-9_]+(?:\s*\([^()\n]*\))?)+)(?=\s+\w+(?:\s*<[^<>{};]*>)?\s*(?:final\s*)?[{:][^:])"
)
_SCRIPT = re.compile(rb"^[ \t]*<script\b([^>]*)>(.*?)^[ \t]*</script>", re.MULTILINE | re.DOTALL)
_MARKUP = re.compile(rb"^<(template|style|i18n|docs)\b[^>]*>.*?^</\1>", re.MULTILINE | re.DOTALL)
_PROCEDURE = re.compile(
    rb"^[ \t]*create\s+(?:or\s+(?:replace|alter)\s+)?(?:definer\s*=\s*\S+\s+)?proc(?:edure)?\s+(?:if\s+not\s+exists\s+)?"
    rb"([\w.\[\]`\"$#]+)",
    re.IGNORECASE | re.MULTILINE,
)
_PROCEDURE_END = re.compile(
    rb"^end\b[^\n]*|^(?=go\b|delimiter\b|/[ \t]*$|create\b|alter\b|drop\b)", re.IGNORECASE | re.MULTILINE
)


def is_cpp(data: bytes) -> bool:
    """Tell whether a header file is C++ rather than C."""
    return any(word in data for word in _CPP_WORDS) and _CPP.search(data) is not None


def without_macros(data: bytes) -> bytes:
    """Return C or C++ with the macros blanked out that parsers stumble over, every other byte being in its place.

    These are macros alone on an unindented line, and those between `class` and a class's name.
    """
    data = _MACRO_LINE.sub(lambda match: b"\n" + b" " * len(match.group(1)), b"\n" + data)[1:]
    if b"class " in data:
        data = _MACRO_IN_HEAD.sub(lambda match: match.group(1) + b" " * len(match.group(2)), data)
    return data


def component(lines: Lines) -> tuple[str, list[Range], list[tuple[int, int]]]:
    """Return the language of a component's scripts, where they stand, and where its other blocks start and end."""
    from tree_sitter import Point, Range

    data = lines.data
    language = "javascript"
    ranges = []
    for match in _SCRIPT.finditer(data):
        if re.search(rb"""\blang\s*=\s*["']?(?:ts|typescript)\b""", match.group(1)):
            language = "typescript"
        elif re.search(rb"""\blang\s*=\s*["']?tsx\b""", match.group(1)):
            language = "tsx"
        start, end = match.span(2)
        first, last = lines.line_of(start), lines.line_of(end)
        ranges.append(
            Range(
                Point(first, start - lines.byte_starts[first]), Point(last, end - lines.byte_starts[last]), start, end
            )
        )
    return language, ranges, [match.span() for match in _MARKUP.finditer(data)]


def procedures(data: bytes) -> Iterator[tuple[int, int, str]]:
    """Yield where SQL procedures start and end, and their names: the grammar doesn't know them."""
    for match in _PROCEDURE.finditer(data):
        end = _PROCEDURE_END.search(data, match.end())
        name = match.group(1).decode("utf-8", "replace")
        yield match.start(), end.end() if end is not None else len(data), unquoted(name)
