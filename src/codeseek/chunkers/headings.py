"""The headings of a document in any of the markup languages that we know."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

_LONGEST_LINE = 2000  # a longer line is no heading; the expressions below need not be quick on it
_LONGEST_TITLE = 200

_FENCE = re.compile(r"[ \t>]{0,16}(`{3,}|~{3,})(.*)")
_SETEXT = re.compile(r" {0,3}(?:(=+)|(-{2,}))[ \t]*")
_HTML_HEADING = re.compile(r"<h([1-6])\b[^>]*>(.*?)(?:</h\1>|$)", re.IGNORECASE)
_HTML_TITLE = re.compile(r"<title\b[^>]*>([^<]*)", re.IGNORECASE)
_RULE = re.compile(r"([=\-`:'\"~^_*+#<>.!$%&(),/;?@\[\\\]{|}])\1{2,}\s*")
_ASCIIDOC = re.compile(r"(={1,6}|#{1,6})[ \t]+(\S.*)")
_ASCIIDOC_BLOCK = re.compile(r"(-{4,}|\.{4,}|={4,}|\*{4,}|_{4,}|\+{4,}|/{4,}|\|===|`{3,})")
_ORG = re.compile(r"(\*+)[ \t]+(?:(?:TODO|DONE)[ \t]+)?(?:\[#[A-Z]\][ \t]+)?(.*?)(?:[ \t]+:[\w@:]+:)?")
_RDOC = re.compile(r"(={1,6})[ \t]*([^=\s].*)")
_MAN = re.compile(r"\.(?:(SH|Sh)|(SS|Ss))\b[ \t]*(.*)")
_TEX = re.compile(r"[ \t]*\\(part|chapter|section|subsection|subsubsection|paragraph|title)\*?(?:\[[^\]]*\])?\{(.+)\}")
_TEX_DEPTHS = {"part": 1, "chapter": 2, "section": 3, "subsection": 4, "subsubsection": 5, "paragraph": 6}
_VIM_TAG = re.compile(r"(?:^|(.*?)[ \t]+)\*(\S+)\*[ \t]*")
_TITLE_KEY = re.compile(r"(?:title|name)[ \t]*[:=][ \t]*(.+)", re.IGNORECASE)
_MARKUP = (
    (re.compile(r"[ \t]*\{[ \t]*[#:.][^}]*\}[ \t]*$"), ""),  # {#anchor}
    (re.compile(r"!\[[^\]]*\]\([^)]*\)"), ""),
    (re.compile(r"\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])"), r"\1"),
    (re.compile(r"<[^>]*>"), ""),
    (re.compile(r":\w+:`([^`<]*)(?:<[^`]*>)?`"), r"\1"),
    (re.compile(r"(\*\*|__|\*|`+)(?=\S)(.+?)(?<=\S)\1"), r"\2"),
    (re.compile(r"\\([!-/:-@\[-`{-~])"), r"\1"),
)
_MARKS = re.compile(r"[{\[<`_*\\]")  # one of them is in all of these


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: the line (from 0) where it begins, its depth (1 is outermost) and its text without markup."""

    line: int
    depth: int
    title: str


@dataclass(slots=True)
class Outline:
    """A document's headings in order, the lines that must not be parted from the one before, and its own title."""

    headings: list[Heading] = field(default_factory=list)
    kept: set[int] = field(default_factory=set)
    title: str = ""


def outline(language: str, lines: Sequence[str]) -> Outline:
    """Return the outline of a document, without headings if its language has none that we know."""
    reader = _READERS.get(language)
    return reader(lines) if reader is not None else Outline()


def _plain(title: str) -> str:
    """Return a heading as a reader sees it, without markup."""
    title = title[:_LONGEST_LINE]
    if _MARKS.search(title):
        for pattern, replacement in _MARKUP:
            title = pattern.sub(replacement, title)
    return " ".join(html.unescape(title).split())[:_LONGEST_TITLE]


# ---------------------------------------------------------------- Markdown


def _markdown(lines: Sequence[str]) -> Outline:
    result = Outline()
    start = _front_matter(lines, result)
    opened = _scan_markdown(lines, result, start, fences=True)
    if opened is not None:  # a fence that is never closed was none
        result.headings = [heading for heading in result.headings if heading.line < opened]
        result.kept = {line for line in result.kept if line < opened}
        _scan_markdown(lines, result, opened + 1, fences=False)
    return result


def _scan_markdown(lines: Sequence[str], result: Outline, start: int, *, fences: bool) -> int | None:
    """Add headings and kept lines from a line on; return the line of a fence that is still open at the end."""
    headings, kept = result.headings, result.kept
    fence, opened = "", 0
    comment = False
    for number in range(start, len(lines)):
        line = lines[number]
        mark = line.lstrip()[:1]
        if comment:
            comment = "-->" not in line
        elif fence:
            kept.add(number)
            match = _FENCE.match(line) if mark in _FENCE_MARKS else None
            if match and match[1].startswith(fence) and not match[2].strip():
                fence = ""
        elif not mark or mark not in _MARKDOWN_MARKS or len(line) > _LONGEST_LINE:
            continue
        elif mark == "#":
            bare = line.strip()
            depth = len(bare) - len(bare.lstrip("#"))
            title = bare[depth:]
            if depth <= 6 and title[:1] in ("", " ", "\t") and not line.startswith(("    ", "\t")):
                closing = title.rstrip("#")
                headings.append(Heading(number, depth, _plain(closing if closing[-1:] in ("", " ", "\t") else title)))
        elif mark in "=-":
            if number > start and (match := _SETEXT.fullmatch(line)) and _may_be_heading(lines, number - 1, start):
                headings.append(Heading(number - 1, 1 if match[1] else 2, _plain(lines[number - 1])))
                kept.add(number)
        elif mark == "<":
            comment = "<!--" in line and "-->" not in line
            _add_html_heading(lines, number, result)
        elif fences and (match := _FENCE.match(line)) and not (match[1][0] == "`" and "`" in match[2]):
            fence, opened = match[1], number
    return opened if fence else None


_FENCE_MARKS = frozenset("`~>")
_MARKDOWN_MARKS = frozenset("#=-<`~>")


def _may_be_heading(lines: Sequence[str], number: int, start: int) -> bool:
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


def _front_matter(lines: Sequence[str], result: Outline) -> int:
    """Read the title of front matter, and return the first line after it."""
    mark = lines[0].strip()
    if mark not in ("---", "+++"):
        return 0
    title = ""
    for number in range(1, min(len(lines), 300)):
        line = lines[number].strip()
        if line in (mark, "..." if mark == "---" else mark):
            result.kept.update(range(1, number + 1))
            result.title = title
            return number + 1
        if not title and len(line) < _LONGEST_LINE and (match := _TITLE_KEY.fullmatch(lines[number].rstrip())):
            title = _plain(match[1].strip().strip("\"'"))
    return 0


# ---------------------------------------------------------------- HTML


def _html(lines: Sequence[str]) -> Outline:
    result = Outline()
    for number, line in enumerate(lines):
        if "<" in line and len(line) <= _LONGEST_LINE:
            if not result.title and number < 200 and (match := _HTML_TITLE.search(line)):
                result.title = _plain(match[1])
            _add_html_heading(lines, number, result)
    return result


def _add_html_heading(lines: Sequence[str], number: int, result: Outline) -> None:
    """Add the heading that begins in a line, if one does; its text may stand in the next few lines."""
    match = _HTML_HEADING.search(lines[number])
    if match is None:
        return
    depth, text = int(match[1]), match[2]
    end = f"</h{depth}>"
    last = number
    if end not in lines[number].lower():
        while last + 1 < len(lines) and last < number + 8 and end not in lines[last].lower():
            last += 1
            text += " " + lines[last][:_LONGEST_LINE]
        text = text[: text.lower().find(end)] if end in text.lower() else match[2]
    if title := _plain(text):
        result.headings.append(Heading(number, depth, title))


# ---------------------------------------------------------------- underlined headings


def _restructured(lines: Sequence[str]) -> Outline:
    result = Outline()
    depths: dict[str, int] = {}
    for number in range(1, len(lines)):
        rule = lines[number]
        if not rule or rule[0].isalnum() or rule[0].isspace() or not _RULE.fullmatch(rule):
            continue
        title = lines[number - 1].rstrip()
        if not title.strip() or _RULE.fullmatch(title) or len(rule.rstrip()) < min(len(title.strip()), 8):
            continue
        over = number > 1 and lines[number - 2].rstrip() == rule.rstrip()
        if (title[0].isspace() and not over) or len(title) > _LONGEST_TITLE:
            continue
        depth = depths.setdefault(rule[0] * (1 + over), len(depths) + 1)
        result.headings.append(Heading(number - 1 - over, depth, _plain(title)))
        result.kept.update((number, number - over))
    return result


def _text(lines: Sequence[str]) -> Outline:
    """Read plain text by its looks: Vim's help, Markdown that is not called so, or underlined headings."""
    if lines[0].startswith("*") and _VIM_TAG.match(lines[0][:_LONGEST_LINE]):
        return _vim_help(lines)
    if sum(1 for line in lines if line.startswith(("## ", "### ", "```"))) >= 2:
        return _markdown(lines)
    result = Outline()
    for number in range(1, len(lines)):
        rule = lines[number]
        if rule[:3] in ("===", "---", "~~~", "***") and _RULE.fullmatch(rule) and _may_be_heading(lines, number - 1, 0):
            title = lines[number - 1].strip()
            if abs(len(rule.rstrip()) - len(title)) <= 3 or not title.isascii():
                result.headings.append(Heading(number - 1, "=*-~".index(rule[0]) // 2 + 1, _plain(title)))
                result.kept.add(number)
    return result


def _vim_help(lines: Sequence[str]) -> Outline:
    result = Outline()
    ruled = 0  # the depth of the rule above, if any
    for number, line in enumerate(lines):
        if line[:20] in ("=" * 20, "-" * 20) and _RULE.fullmatch(line):
            ruled = 1 if line[0] == "=" else 2
            continue
        tag = _VIM_TAG.fullmatch(line) if line.rstrip().endswith("*") and len(line) <= _LONGEST_LINE else None
        if tag and number and not (tag[1] or "").strip().endswith("*"):
            title = " ".join((tag[1] or tag[2]).split())
            if not ruled and result.headings and result.headings[-1].line == number - 1:
                result.headings.pop()  # several tags, one above the other, for what follows
                number -= 1
            result.headings.append(Heading(number - bool(ruled), ruled or 3, title[:_LONGEST_TITLE]))
        elif ruled and line.strip():
            result.headings.append(Heading(number - 1, ruled, " ".join(line.split())[:_LONGEST_TITLE]))
        ruled = 0
    return result


# ---------------------------------------------------------------- others


def _asciidoc(lines: Sequence[str]) -> Outline:
    result = Outline()
    closing = {line.rstrip(): number for number, line in enumerate(lines) if _ASCIIDOC_BLOCK.match(line)}
    block = ""
    for number, line in enumerate(lines):
        if block:
            result.kept.add(number)
            if line.rstrip() == block:
                block = ""
        elif line[:1] in ("=", "#") and len(line) <= _LONGEST_LINE and (match := _ASCIIDOC.fullmatch(line)):
            result.headings.append(Heading(number, len(match[1]), _plain(match[2])))
        elif line.rstrip() in closing and _ASCIIDOC_BLOCK.fullmatch(line.rstrip()):
            block = line.rstrip() if closing[line.rstrip()] > number else ""
    return result


def _org(lines: Sequence[str]) -> Outline:
    result = Outline()
    inside = False
    for number, line in enumerate(lines):
        lower = line[:12].lstrip().lower()
        if lower.startswith("#+begin"):
            inside = True
        elif lower.startswith("#+end"):
            inside = False
            result.kept.add(number)
        elif lower.startswith("#+title:"):
            result.title = _plain(line.partition(":")[2])
        elif (
            not inside and lower[:1] == "*" and len(line) <= _LONGEST_LINE and (match := _ORG.fullmatch(line.rstrip()))
        ):
            result.headings.append(Heading(number, len(match[1]), _plain(match[2])))
        elif inside:
            result.kept.add(number)
    return result


def _line_by_line(find: Callable[[str], tuple[int, str] | None]) -> Callable[[Sequence[str]], Outline]:
    """Make a reader from a function that tells depth and title of a heading line; depth 0 is the document's title."""

    def read(lines: Sequence[str]) -> Outline:
        result = Outline()
        for number, line in enumerate(lines):
            if line and len(line) <= _LONGEST_LINE and (found := find(line)):
                depth, title = found[0], _plain(found[1])
                if depth:
                    result.headings.append(Heading(number, depth, title))
                else:
                    result.title = title
        return result

    return read


def _rdoc(line: str) -> tuple[int, str] | None:
    match = _RDOC.fullmatch(line) if line[0] == "=" else None
    return (len(match[1]), match[2].replace("\\", "")) if match else None


def _man(line: str) -> tuple[int, str] | None:
    match = _MAN.fullmatch(line.rstrip()) if line[0] == "." else None
    return (1 if match[1] else 2, match[3].strip('"').capitalize()) if match else None


def _tex(line: str) -> tuple[int, str] | None:
    match = _TEX.match(line) if "\\" in line else None
    return (_TEX_DEPTHS.get(match[1], 0), re.sub(r"\\\w+|[{}~]", " ", match[2])) if match else None


_READERS: dict[str, Callable[[Sequence[str]], Outline]] = {
    "markdown": _markdown,
    "html": _html,
    "rst": _restructured,
    "text": _text,
    "asciidoc": _asciidoc,
    "org": _org,
    "rdoc": _line_by_line(_rdoc),
    "man": _line_by_line(_man),
    "tex": _line_by_line(_tex),
}
