"""The entries of a configuration file, in any of the formats that we know."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

_LONGEST_LINE = 2000  # a longer line is searched for nothing
_LONGEST_KEY = 80
_LONGEST_COMMENT = 1200  # what stands above it is apart from a setting

_YAML_KEY = re.compile(
    r"""[ ]*(?:-[ ]+)*(?:"([^"]*)"|'([^']*)'|([^\s#"'\[{&*!|>%@`-][^:#]*?|-[^\s:]+))[ ]*:(?:[ ]|$)"""
)
_YAML_NAMES = re.compile(r"[ ]*-?[ ]*(?:name|id|key|title|uses|run|alias|path|repo|job_name):[ ]*[\"']?([^\"'#\n]+)")
_JSON_KEY = re.compile(r'\s*"((?:[^"\\]|\\.)*)"\s*:')
_JSON_NAMES = re.compile(r'[\s{]*"(?:name|id|key|title|label|path|type)"\s*:\s*"((?:[^"\\]|\\.)*)"')
_XML_TAG = re.compile(r"\s*<([\w:.-]+)([^>]*)")
_XML_NAMES = re.compile(r"\b(?:name|id|key|Include|Name)\s*=\s*[\"']([^\"']*)")
_TABLE = re.compile(r"\s*\[\[?\s*([^\[\]]+?)\s*\]?\]\s*(?:[#;].*)?$")
_SETTING = re.compile(
    r"(\"[^\"]*\"|[^\s=:#;\[\"]+)\s*[=:](?!:)|([^\s=:#;\[\"][^=:\n]{0,60}?)\s*=|([A-Za-z][\w.-]*)(?:\s+([\w./~*-]+))?"
)
_TITLED = frozenset(
    "benchmark common executable flag foreign-library library module replace source-repository test-suite".split()
)
_BANNER = re.compile(r"[#;]{3,}\s*(\w.*?)\s*[#;]{3,}\s*")
_BANNER_SIGNS = ("###", ";;;")
_TARGET = re.compile(r"([^\s:=#][^:=#]*?)\s*:(?![:=])|([^\s:=#][^:=#]*?)\s*::(?!=)")
_VARIABLE = re.compile(r"(?:export\s+|override\s+|set\s+)*([\w.-]+)\s*(?::{0,3}|[?+!])=|define\s+([\w.-]+)")
_INSTRUCTION = re.compile(r"[A-Z]+\s", re.IGNORECASE)
_FROM = re.compile(r"FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?", re.IGNORECASE)
_BLOCK = re.compile(r"([\w.-]+)((?:\s+(?:\"[^\"]*\"|[\w.-]+))*)\s*\{|([\w.-]+)\s*=")
_HEREDOC = re.compile(r"<<-?\"?(\w+)")
_CSS_SIGN = re.compile(r"/\*.*?\*/|(?<!:)//[^\n]*|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|[{};]", re.DOTALL)
_CSS_COMMENT = re.compile(r"/\*.*?(?:\*/|$)|(?<!:)//[^\n]*", re.DOTALL)
_SCSS_NAME = re.compile(r"@(mixin|function)\s+([\w-]+)|(%[\w-]+)\s*$")


class Entry(NamedTuple):
    """A part of a file: the line (from 0) where it begins, comments included, that of its key, the key, what it defines.

    A definition is a name and its kind.
    """

    line: int
    key_line: int
    key: str
    definition: tuple[str, str] | None = None


Finder = Callable[[Sequence[str], int, int], list[Entry]]
"""Finds the entries between two lines, the second left out; the first entry may begin later than the first line."""


def finder(language: str) -> Finder | None:
    """Return what finds the entries of a whole file, None for a format that we do not know."""
    return _FINDERS.get(language)


def inner_finder(language: str) -> Finder | None:
    """Return what finds the entries within an entry."""
    return _INNER_FINDERS.get(language)


def _key(text: str) -> str:
    return " ".join(text.split())[:_LONGEST_KEY]


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip())


def _above(lines: Sequence[str], number: int, first: int, marks: tuple[str, ...]) -> int:
    """Return where the comment begins that stands right above a line, or the line itself."""
    while number > first and lines[number - 1].lstrip().startswith(marks):
        number -= 1
    return number


# ---------------------------------------------------------------- formats that indent what is inside


def _indented(
    lines: Sequence[str], first: int, last: int, name: Callable[[Sequence[str], int, int], str | None], comment: str
) -> list[Entry]:
    """Find the entries at the indentation of the first; `name` returns None for a line that begins none."""
    found: list[Entry] = []
    width = -1
    bound = first
    for number in range(first, last):
        line = lines[number]
        bare = line.lstrip()
        if not bare or (width >= 0 and len(line) - len(bare) != width) or bare.startswith(comment):
            continue
        key = name(lines, number, last) if len(line) <= _LONGEST_LINE else ""
        if key is None:
            continue
        if width < 0:
            width = len(line) - len(bare)
        found.append(Entry(_above(lines, number, bound, (comment,)), number, key))
        bound = number + 1
    return found


def _yaml_name(lines: Sequence[str], number: int, last: int) -> str | None:
    line = lines[number]
    if line.lstrip().startswith("- "):
        width = _indentation(line)
        for at in range(number, min(number + 8, last)):
            if at > number and lines[at].strip() and _indentation(lines[at]) <= width:
                break
            if match := _YAML_NAMES.match(lines[at][:_LONGEST_LINE]):
                return _key(match[1])
    match = _YAML_KEY.match(line)
    if match:
        return _key(match[1] or match[2] or match[3] or "")
    return _key(line.lstrip("- ")) if line.lstrip().startswith("- ") else None


def _yaml_documents(lines: Sequence[str], first: int, last: int) -> list[Entry]:
    starts = [first, *(number for number in range(first, last) if lines[number].rstrip() == "---")]
    if len(starts) < 3 and not any(lines[number].startswith("apiVersion:") for number in range(first, last)):
        return _yaml(lines, first, last)
    return [
        Entry(start, start, _document_name(lines, start, end))
        for start, end in zip(starts, [*starts[1:], last], strict=True)
        if end > start
    ]


def _document_name(lines: Sequence[str], first: int, last: int) -> str:
    """Name a document as Kubernetes does: its kind and name."""
    kind = name = ""
    for number in range(first, last):
        line = lines[number]
        if line.startswith("kind:"):
            kind = line[5:].strip()
        elif line.startswith("  name:") and not name:
            name = line[7:].strip().strip("\"'")
    return _key(f"{kind} {name}")


def _yaml(lines: Sequence[str], first: int, last: int) -> list[Entry]:
    return _indented(lines, first, last, _yaml_name, "#")


def _json_name(lines: Sequence[str], number: int, last: int) -> str | None:
    line = lines[number]
    if match := _JSON_KEY.match(line):
        return _key(match[1])
    bare = line.lstrip()
    if bare[:1] in ("{", "["):
        for at in range(number, min(number + 6, last)):
            if match := _JSON_NAMES.match(lines[at][:_LONGEST_LINE]):
                return _key(match[1])
        return ""
    return None if bare[:1] in ("}", "]") else ""


def _json(lines: Sequence[str], first: int, last: int) -> list[Entry]:
    return _indented(lines, first, last, _json_name, "//")


def _json_file(lines: Sequence[str], first: int, last: int) -> list[Entry]:
    while first < last and not lines[first].strip():
        first += 1
    return _json(lines, first + (first < last and lines[first].strip() in ("{", "[")), last)


def _xml_name(lines: Sequence[str], number: int, _last: int) -> str | None:
    match = _XML_TAG.match(lines[number])
    if match is None:
        return None
    name = _XML_NAMES.search(match[2])
    return _key(f"{match[1]} {name[1]}" if name else match[1])


def _xml(lines: Sequence[str], first: int, last: int) -> list[Entry]:
    return _indented(lines, first, last, _xml_name, "<!--")


def _xml_file(lines: Sequence[str], first: int, last: int) -> list[Entry]:
    """Find what is right inside the outermost element."""
    while first < last and not _XML_TAG.match(lines[first][:_LONGEST_LINE]):
        first += 1
    while first < last and ">" not in lines[first]:
        first += 1
    return _xml(lines, first + 1, last)


# ---------------------------------------------------------------- sections and settings


def _toml(lines: Sequence[str], first: int, last: int) -> list[Entry]:
    return _sections(lines, first, last) or _settings(lines, first, last)


def _sections(lines: Sequence[str], first: int, last: int) -> list[Entry]:
    """Find tables such as `[tool.ruff]`, and what stands before them."""
    found: list[Entry] = []
    quotes = ""
    for number in range(first, last):
        line = lines[number]
        if quotes:
            if quotes in line:
                quotes = ""
            continue
        bare = line.lstrip()
        if bare.startswith("[") and len(line) <= _LONGEST_LINE and (match := _TABLE.match(line)):
            bound = found[-1].key_line + 1 if found else first
            found.append(Entry(_above(lines, number, bound, ("#", ";")), number, _key(match[1])))
            continue
        for mark in ('"""', "'''"):
            if line.count(mark) % 2:
                quotes = mark
    return found


def _ini(lines: Sequence[str], first: int, last: int) -> list[Entry]:
    return _sections(lines, first, last) or _banners(lines, first, last) or _settings(lines, first, last)


def _banners(lines: Sequence[str], first: int, last: int) -> list[Entry]:
    """Find titles between rows of signs, `#### TITLE ####`, if there are several."""
    found = [
        Entry(number, number, _key(match[1]))
        for number in range(first, last)
        if lines[number][:3] in _BANNER_SIGNS and (match := _BANNER.fullmatch(lines[number][:_LONGEST_LINE]))
    ]
    return found if len(found) > 1 else []


def _settings(lines: Sequence[str], first: int, last: int) -> list[Entry]:
    """Find settings at the left margin; comments belong to the setting below them, unless they are very long."""
    found: list[Entry] = []
    bound = first
    for number in range(first, last):
        line = lines[number]
        if not line[:1].strip() or line[0] in "#;[]{}()'" or len(line) > _LONGEST_LINE:
            continue
        match = _SETTING.match(line)
        if match is None:
            continue
        key = (match[1] or match[2] or match[3]).strip('"')
        if match[4] and (key in _TITLED or line.rstrip().endswith("{")):
            key = f"{key} {match[4]}"
        start = near = number
        size = 0
        while start > bound and (not lines[start - 1].strip() or lines[start - 1].lstrip()[0] in "#;"):
            start -= 1
            size += len(lines[start]) + 1
            if size <= _LONGEST_COMMENT and not lines[start].strip():
                near = start
        if size > _LONGEST_COMMENT:
            found.append(Entry(start, start, ""))
        found.append(Entry(near if size > _LONGEST_COMMENT else start, number, _key(key)))
        bound = number + 1
    return found


# ---------------------------------------------------------------- languages of their own


def _makefile(lines: Sequence[str], first: int, last: int) -> list[Entry]:
    found: list[Entry] = []
    bound, inside, continued = first, False, False
    for number in range(first, last):
        line = lines[number]
        goes_on, continued = continued, line.endswith("\\")
        if inside:
            inside = not line.startswith("endef")
            continue
        if goes_on or not line[:1].strip() or line[0] in "#-@" or len(line) > _LONGEST_LINE:
            continue
        if match := _VARIABLE.match(line):
            inside = match[2] is not None and "=" not in line
            entry = Entry(number, number, _key(match[1] or match[2]))
        elif match := _TARGET.match(line):
            names = (match[1] or match[2]).split()
            if names and names[0].startswith(".") and names[0][1:].isupper():
                continue  # `.PHONY` belongs to the target below
            name = names[0] if names else ""
            plain = name and name[0] != "." and not set(name) & set("%$(){}")
            entry = Entry(number, number, _key(" ".join(names)), (name, "function") if plain else None)
        else:
            continue
        start = number
        while start > bound and lines[start - 1].startswith(("#", ".PHONY", "[")):
            start -= 1
        found.append(entry._replace(line=start))
        bound = number + 1
    return found


def _dockerfile(lines: Sequence[str], first: int, last: int) -> list[Entry]:
    found: list[Entry] = []
    for number in range(first, last):
        if match := _FROM.match(lines[number].lstrip()[:_LONGEST_LINE]):
            bound = found[-1].key_line + 1 if found else first
            definition = (match[2], "instance") if match[2] else None
            found.append(Entry(_above(lines, number, bound, ("#",)), number, _key(match[2] or match[1]), definition))
    return found


def _instructions(lines: Sequence[str], first: int, last: int) -> list[Entry]:
    """Find the instructions of a stage; what goes on over several lines belongs to the first."""
    found: list[Entry] = []
    continued = False
    for number in range(first, last):
        line = lines[number]
        if not continued and line[:1].isalpha() and _INSTRUCTION.match(line):
            bound = found[-1].key_line + 1 if found else first
            found.append(Entry(_above(lines, number, bound, ("#",)), number, ""))
        continued = line.rstrip().endswith("\\") or (continued and (not line.strip() or line.lstrip().startswith("#")))
    return found


def _hcl(lines: Sequence[str], first: int, last: int) -> list[Entry]:
    found: list[Entry] = []
    end = ""  # of text that is taken as it is
    for number in range(first, last):
        line = lines[number]
        if end:
            if line.strip() == end:
                end = ""
            continue
        if "<<" in line and (match := _HEREDOC.search(line)):
            end = match[1]
        if line[:1].isalpha() and len(line) <= _LONGEST_LINE and (match := _BLOCK.match(line)):
            bound = found[-1].key_line + 1 if found else first
            labels = (match[2] or "").replace('"', " ").split()
            kind = match[1] or match[3]
            key = ".".join(labels if kind == "resource" and labels else [kind, *labels])
            definition = (labels[-1], "instance") if labels else None
            found.append(Entry(_above(lines, number, bound, ("#", "//")), number, _key(key), definition))
    return found


def _css(lines: Sequence[str], first: int, last: int) -> list[Entry]:
    """Find rules by their braces; without any, as in Sass' indented form, by what stands at the left margin."""
    text = "\n".join(lines[first:last])
    found: list[Entry] = []
    depth = start = at = line = 0
    for match in _CSS_SIGN.finditer(text):
        sign = match[0]
        if sign == "{":
            if not depth:
                entry, at, line = _rule(text, start, match.start(), at, line, first)
                found.append(entry)
            depth += 1
        elif sign == "}":
            depth = max(0, depth - 1)
        if not depth and sign in ("}", ";"):
            start = match.end()
    return found or _margin(lines, first, last)


def _rule(text: str, start: int, brace: int, at: int, line: int, first: int) -> tuple[Entry, int, int]:
    """Return a rule that begins behind `start`; `at` is a place whose line is known, as the new ones returned are."""
    head = text[start:brace]
    start += len(head) - len(head.lstrip())
    line += text.count("\n", at, start)
    selector = _CSS_COMMENT.sub(" ", head[: 8 * _LONGEST_LINE])
    definition = None
    if match := _SCSS_NAME.search(selector):
        definition = (match[2] or match[3], "function" if match[1] == "function" else "macro")
    key_line = first + line + text.count("\n", start, brace)
    return Entry(first + line, key_line, _key(selector), definition), start, line


def _margin(lines: Sequence[str], first: int, last: int) -> list[Entry]:
    return [
        Entry(number, number, _key(lines[number][:_LONGEST_LINE]))
        for number in range(first, last)
        if lines[number][:1].strip() and lines[number][0] not in "})"
    ]


_FINDERS: dict[str, Finder] = {
    "yaml": _yaml_documents,
    "json": _json_file,
    "xml": _xml_file,
    "toml": _toml,
    "ini": _ini,
    "makefile": _makefile,
    "dockerfile": _dockerfile,
    "hcl": _hcl,
    "css": _css,
}


_INNER_FINDERS: dict[str, Finder] = {
    "yaml": _yaml,
    "json": _json,
    "xml": _xml,
    "toml": _settings,
    "ini": _settings,
    "dockerfile": _instructions,
}
