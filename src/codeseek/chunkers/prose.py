"""Cut documentation at its headings, and long sections at blank lines outside of code."""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from codeseek.chunkers.lines import Lines
from codeseek.records import Chunk, SourceFile

_LARGEST = 2400  # characters; longer sections are cut
_PIECE = 1500
_BARE = 60  # a section with less than this beside its heading goes with the next one below it

_FENCE = re.compile(r"\s{0,12}(`{3,}|~{3,})(.*)")
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#*)?[ \t]*")
_SETEXT = re.compile(r" {0,3}(?:(=+)|(-{2,}))[ \t]*")
_HTML_HEADING = re.compile(r"<h([1-6])\b[^>]*>(.*?)(?:</h\1>|$)", re.IGNORECASE)
_HTML_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_RULE = re.compile(r"([=\-`:'\"~^_*+#<>.!$%&(),/;?@\[\\\]{|}])\1{2,}\s*")
_ASCIIDOC = re.compile(r"(={1,6}|#{1,6})[ \t]+(\S.*)")
_ASCIIDOC_BLOCK = re.compile(r"(-{4,}|\.{4,}|={4,}|\*{4,}|_{4,}|\+{4,}|/{4,}|\|===|```)[ \t]*")
_ORG = re.compile(r"(\*+)[ \t]+(?:(?:TODO|DONE)[ \t]+)?(?:\[#[A-Z]\][ \t]+)?(.*?)(?:[ \t]+:[\w@:]+:)?[ \t]*")
_TITLE_KEY = re.compile(r"(?:title|name)[ \t]*[:=][ \t]*(.+)", re.IGNORECASE)
_MARKUP = (
    (re.compile(r"[ \t]*\{[ \t]*[#:][^}]*\}[ \t]*$"), ""),  # {#anchor}
    (re.compile(r"!\[[^\]]*\]\([^)]*\)"), ""),
    (re.compile(r"\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])"), r"\1"),
    (re.compile(r"<[^>]{0,500}>"), ""),
    (re.compile(r":\w+:`([^`<]*)(?:<[^`]*>)?`"), r"\1"),
    (re.compile(r"(\*\*|__|\*|`+)(?=\S)(.+?)(?<=\S)\1"), r"\2"),
    (re.compile(r"\\([!-/:-@\[-`{-~])"), r"\1"),
)


@dataclass(frozen=True, slots=True)
class _Heading:
    line: int
    depth: int
    title: str


@dataclass(slots=True)
class _Outline:
    """A document's headings in order, the lines that must not be parted from the one before, and its own title."""

    headings: list[_Heading] = field(default_factory=list)
    kept: set[int] = field(default_factory=set)
    title: str = ""


def chunk(file: SourceFile, text: str) -> list[Chunk]:
    """Return the sections of a document; they tile it. A text without headings is cut at its paragraphs."""
    lines = Lines(text)
    reader = _READERS.get(file.language)
    outline = reader(lines.lines) if reader else _Outline()
    chunks = []
    for first, last, heading, breadcrumb in _sections(lines, outline):
        for start, stop in _pieces(lines, outline.kept, first, last):
            start, stop = lines.trimmed(start, stop)
            if start <= stop and lines.lines[start].strip():
                body = lines.text[lines.starts[start] : lines.end(stop)]
                chunks.append(
                    Chunk(file.path, start + 1, stop + 1, file.language, "section", heading, body, breadcrumb)
                )
    return chunks


def _sections(lines: Lines, outline: _Outline) -> Iterator[tuple[int, int, str, tuple[str, ...]]]:
    """Yield first line, last line, heading and what encloses it, of each section; bare headings go with what is below."""
    above: list[tuple[int, str]] = [(0, outline.title)] if outline.title else []
    headings = (
        [_Heading(0, 99, ""), *outline.headings]
        if not outline.headings or outline.headings[0].line
        else outline.headings
    )
    last_line = len(lines.lines) - 1
    first = 0
    for number, heading in enumerate(headings):
        following = headings[number + 1] if number + 1 < len(headings) else None
        last = following.line - 1 if following else last_line
        if heading.depth < 99:
            while above and above[-1][0] >= heading.depth:
                above.pop()
        body = lines.size(heading.line, last) - len(lines.lines[heading.line]) if last > heading.line else 0
        bare = following is not None and following.depth > heading.depth and body < _BARE
        if not bare:
            symbol = heading.title or outline.title
            breadcrumb = tuple(dict.fromkeys(title for _, title in above if title and title != symbol))
            yield first, last, symbol, breadcrumb
            first = last + 1
        if heading.depth < 99:
            above.append((heading.depth, heading.title))


def _pieces(lines: Lines, kept: set[int], first: int, last: int) -> Iterator[tuple[int, int]]:
    """Cut a long section into pieces: at the last blank line before the limit, a paragraph's rather than an item's."""
    starts = lines.starts
    while lines.size(first, last) > _LARGEST:
        begin = bisect_right(starts, starts[first] + _PIECE // 2, first, last + 1)
        limit = bisect_right(starts, starts[first] + _PIECE, first, last + 1)
        end = bisect_right(starts, starts[first] + 2 * _LARGEST, first, last + 1)
        cut = _cut(lines, kept, range(limit - 1, begin - 1, -1)) or _cut(lines, kept, range(limit, end))
        if cut is None:
            cut = next((at for at in range(limit, end) if at not in kept), max(end - 1, first + 1))
        if not first < cut <= last:
            break
        yield first, cut - 1
        first = cut
    yield first, last


def _cut(lines: Lines, kept: set[int], candidates: range) -> int | None:
    """Return the first line among the candidates that follows a blank one and begins something new."""
    fallback = None
    for at in candidates:
        if at and at < len(lines.lines) and at not in kept and not lines.lines[at - 1].strip():
            line = lines.lines[at]
            if line[:1].strip():
                return at
            if fallback is None and line.strip():
                fallback = at
    return fallback


def _plain(title: str) -> str:
    """Return a heading as a reader sees it, without markup."""
    for pattern, replacement in _MARKUP:
        title = pattern.sub(replacement, title)
    return " ".join(html.unescape(title).split())


def _markdown(lines: Sequence[str]) -> _Outline:
    outline = _Outline()
    start = _front_matter(lines, outline)
    fence = ""
    for number in range(start, len(lines)):
        line = lines[number]
        mark = line.lstrip()[:1]
        if fence:
            outline.kept.add(number)
            if (
                mark == fence[0]
                and (match := _FENCE.match(line))
                and len(match[1]) >= len(fence)
                and not match[2].strip()
            ):
                fence = ""
        elif mark == "#":
            if match := _ATX.fullmatch(line):
                outline.headings.append(_Heading(number, len(match[1]), _plain(match[2] or "")))
        elif mark in "`~":
            if mark and (match := _FENCE.match(line)) and not (mark == "`" and "`" in match[2]):
                fence = match[1]
        elif mark in "=-":
            if (
                mark
                and number > start
                and (match := _SETEXT.fullmatch(line))
                and _is_paragraph(lines, number - 1, start)
            ):
                outline.headings.append(_Heading(number - 1, 1 if match[1] else 2, _plain(lines[number - 1])))
                outline.kept.add(number)
        elif mark == "<" and (match := _HTML_HEADING.search(line)):
            outline.headings.append(_Heading(number, int(match[1]), _plain(match[2])))
    return outline


def _is_paragraph(lines: Sequence[str], number: int, start: int) -> bool:
    """Tell whether a line can be the text of an underlined heading: one line of prose by itself."""
    line = lines[number].strip()
    alone = number <= start or not lines[number - 1].strip()
    return (
        bool(line)
        and alone
        and len(line) <= 200
        and line[0] not in "#>|-*+`~<"
        and not lines[number].startswith("    ")
    )


def _front_matter(lines: Sequence[str], outline: _Outline) -> int:
    """Read the title of front matter, and return the first line after it."""
    mark = lines[0].strip().lstrip("\ufeff")
    if mark not in ("---", "+++"):
        return 0
    for number in range(1, min(len(lines), 200)):
        if lines[number].strip() == mark:
            outline.kept.update(range(1, number + 1))
            return number + 1
        if not outline.title and (match := _TITLE_KEY.fullmatch(lines[number].strip())):
            outline.title = _plain(match[1].strip().strip("\"'"))
    outline.title = ""
    return 0


def _restructured(lines: Sequence[str]) -> _Outline:
    outline = _Outline()
    depths: dict[str, int] = {}
    for number in range(1, len(lines)):
        rule = lines[number]
        if not rule or rule[0].isalnum() or rule[0].isspace() or not _RULE.fullmatch(rule):
            continue
        title = lines[number - 1].rstrip()
        if not title.strip() or _RULE.fullmatch(title) or len(rule.rstrip()) < min(len(title.strip()), 8):
            continue
        over = number > 1 and lines[number - 2].rstrip() == rule.rstrip()
        if title[0].isspace() and not over:
            continue
        depth = depths.setdefault(rule[0] * (1 + over), len(depths) + 1)
        outline.headings.append(_Heading(number - 1 - over, depth, _plain(title)))
        outline.kept.update((number, number - over))
    return outline


def _asciidoc(lines: Sequence[str]) -> _Outline:
    outline = _Outline()
    block = ""
    for number, line in enumerate(lines):
        if block:
            outline.kept.add(number)
            if line.rstrip() == block:
                block = ""
        elif match := _ASCIIDOC.fullmatch(line):
            outline.headings.append(_Heading(number, len(match[1]), _plain(match[2])))
        elif match := _ASCIIDOC_BLOCK.fullmatch(line):
            block = match[1]
    return outline


def _org(lines: Sequence[str]) -> _Outline:
    outline = _Outline()
    inside = False
    for number, line in enumerate(lines):
        lower = line[:12].lstrip().lower()
        if lower.startswith("#+begin"):
            inside = True
        elif lower.startswith("#+end"):
            inside = False
            outline.kept.add(number)
        elif lower.startswith("#+title:"):
            outline.title = line.split(":", 1)[1].strip()
        elif not inside and line.startswith("*") and (match := _ORG.fullmatch(line)):
            outline.headings.append(_Heading(number, len(match[1]), _plain(match[2])))
        if inside:
            outline.kept.add(number)
    return outline


def _html(lines: Sequence[str]) -> _Outline:
    outline = _Outline()
    if match := _HTML_TITLE.search("\n".join(lines[:200])):
        outline.title = _plain(match[1])
    for number, line in enumerate(lines):
        if "<" in line and len(line) < 20_000 and (match := _HTML_HEADING.search(line)):
            outline.headings.append(_Heading(number, int(match[1]), _plain(match[2])))
    return outline


_READERS: dict[str, Callable[[Sequence[str]], _Outline]] = {
    "markdown": _markdown,
    "rst": _restructured,
    "asciidoc": _asciidoc,
    "org": _org,
    "html": _html,
}
