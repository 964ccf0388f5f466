"""The lines on a document's pages as text: headers dropped, columns in order, paragraphs joined, headings by their size."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from codeseek.documents.record import Part, Title, is_cjk, joined, wrapped

_NUMBER = re.compile(
    r"(?:page|p\.|第|[-–—·|])?\s*(?:\d{1,4}|[ivxlc]{1,6})\s*(?:页|[-–—·|]|(?:/|of|共)\s*(?:共\s*)?\d{1,4}\s*页?)?",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\d+")
_BULLET = re.compile(r"(?:[•‣◦▪●■–*·-]|\(?\d{1,2}[.)、]|\(?[a-z][.)]|[（(]?[一二三四五六七八九十]{1,3}[)）、.])\s*")
_NUMBERED = re.compile(
    r"(?:\d{1,2}(?:\.\d{1,2}){0,4}\.?\s+|第[一二三四五六七八九十百\d]{1,4}[章节部分]|[一二三四五六七八九十]{1,3}、)\S"
)
_END = tuple("。.！!？?；;：:")
_SENTENCE = re.compile(r".*?(?:[。！？；]|[.!?;](?=\s|$))")
_LONGEST_HEADING = 120
_CUT_OFF = 20  # characters of a line from which on it may break in the middle of a sentence
_FEW = 3  # lines that make a column


class Font(NamedTuple):
    """How a line is set: bold, and in a font whose signs are all as wide."""

    bold: bool
    fixed: bool


class Line(NamedTuple):
    """A line of a page, or what of it lies in one column; y grows upwards."""

    text: str
    left: float
    bottom: float
    right: float
    top: float
    size: float
    font: Font


class Page(NamedTuple):
    """A page's lines in any order, and the height at which it ends below."""

    lines: list[Line]
    bottom: float


def text_of(pages: Sequence[Page]) -> list[Part]:
    """Return the text of pages, a part for each."""
    _drop_running(pages)
    ordered = [_in_order(page.lines) for page in pages]
    sizes = _heading_sizes(ordered)
    return _mended([_part(number, lines, sizes) for number, lines in enumerate(ordered, 1)])


# ---------------------------------------------------------------- headers, footers, page numbers


def _drop_running(pages: Sequence[Page]) -> None:
    """Drop lines that come at the same height of several pages, their digits aside, and page numbers.

    A chapter's title that is alike but for its number is told by its size.
    """
    body = _body_size(line for page in pages for line in page.lines)
    edges = [_edges(page) for page in pages]
    seen = Counter(
        key for page, lines in zip(pages, edges, strict=True) for key in {_running(line, page, body) for line in lines}
    )
    several = {key for key, count in seen.items() if count >= min(3, len(pages)) > 1}
    for page, lines in zip(pages, edges, strict=True):
        numbers = {line for line in lines if _NUMBER.fullmatch(line.text)}
        gone = numbers | {line for line in lines if not _near(_running(line, page, body)).isdisjoint(several)}
        if gone == set(page.lines):
            gone = numbers  # a page is more than its header
        page.lines[:] = [line for line in page.lines if line not in gone]


def _body_size(lines: Iterable[Line]) -> float:
    """Return the size in which most of a text is set."""
    counts: Counter[float] = Counter()
    for line in lines:
        counts[_rounded(line.size)] += len(line.text)
    return counts.most_common(1)[0][0] if counts else 10.0


def _rounded(size: float) -> float:
    return round(size * 2) / 2


def _edges(page: Page) -> list[Line]:
    """Return the lines in the two outermost rows of a page, at its top and at its bottom."""
    found: list[Line] = []
    ordered = sorted(page.lines, key=_middle)
    for lines in (ordered, ordered[::-1]):
        rows: list[float] = []
        for line in lines:
            if not rows or abs(_middle(line) - rows[-1]) > 0.5 * line.size:
                rows.append(_middle(line))
            if len(rows) > 2:
                break
            found.append(line)
    return found


def _middle(line: Line) -> float:
    return (line.bottom + line.top) / 2


def _running(line: Line, page: Page, body: float) -> tuple[str, int]:
    """Return what is the same of a header on all pages that have it: its text and about where it stands."""
    text = line.text if line.size >= 1.25 * body else _DIGITS.sub("#", line.text)
    return text, round((line.bottom - page.bottom) / 4)


def _near(key: tuple[str, int]) -> frozenset[tuple[str, int]]:
    return frozenset((key[0], key[1] + by) for by in (-1, 0, 1))


# ---------------------------------------------------------------- reading order


def _in_order(lines: Sequence[Line]) -> list[list[Line]]:
    """Return a page's lines by the columns in which they are read, from top to bottom and from left to right."""
    gutter = _gutter(lines) if len(lines) >= 2 * _FEW else None
    if gutter is None:
        return [_by_rows(lines)] if lines else []
    columns: list[list[Line]] = []
    left: list[Line] = []
    right: list[Line] = []

    def flush() -> None:
        for side in (left, right):
            columns.extend(_in_order(side))
            side.clear()

    wide: list[Line] = []
    for line in sorted(lines, key=lambda line: -line.top):
        if line.left < gutter < line.right:  # it goes across: a title, a figure's caption
            flush()
            wide.append(line)
            continue
        if wide:
            columns.append(_by_rows(wide))
            wide = []
        (left if line.right <= gutter else right).append(line)
    flush()
    if wide:
        columns.append(_by_rows(wide))
    return columns


def _gutter(lines: Sequence[Line]) -> float | None:
    """Return where a gap goes down between two columns of text, None where there is none."""
    start, end = min(line.left for line in lines), max(line.right for line in lines)
    size = median(line.size for line in lines)
    starts = sorted({round(line.left) for line in lines})
    best, place = 0, None
    for right in sorted({round(line.right) + 1 for line in lines}):
        at = bisect_right(starts, right)
        if at == len(starts) or not start + 0.15 * (end - start) < right < end - 0.15 * (end - start):
            continue
        middle = (right + starts[at]) / 2
        before = [line for line in lines if line.right <= middle]
        after = [line for line in lines if line.left >= middle]
        crossing = len(lines) - len(before) - len(after)
        if (
            min(len(before), len(after)) < _FEW
            or min(line.left for line in after) - max(line.right for line in before) < 0.6 * size
        ):
            continue
        full = min(_full(before, size), _full(after, size))
        if full > max(best, crossing // 4):
            best, place = full, middle
    return place


def _full(lines: Sequence[Line], size: float) -> int:
    """Count the lines that fill their column, 0 where these are not many: the cells of a table do not."""
    width = max(line.right for line in lines) - min(line.left for line in lines)
    count = sum(line.right - line.left > 0.6 * width for line in lines)
    return count if width >= 10 * size and count >= max(_FEW, 0.2 * len(lines)) else 0


def _by_rows(lines: Sequence[Line]) -> list[Line]:
    """Return lines from top to bottom, those beside each other from left to right."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: -(line.bottom + line.top)):
        middle = _middle(line)
        if rows and rows[-1][0].bottom < middle < rows[-1][0].top:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda line: line.left)]


# ---------------------------------------------------------------- paragraphs and headings


def _heading_sizes(pages: Sequence[Sequence[Sequence[Line]]]) -> list[float]:
    """Return the size of the document's text, then those of its headings from large to small."""
    lines = [line for columns in pages for column in columns for line in column]
    body = _body_size(lines)
    return [body, *sorted({_rounded(line.size) for line in lines if _stands_out(line, body)}, reverse=True)[:6]]


def _stands_out(line: Line, body: float) -> bool:
    """Tell whether a line is set as headings are: clearly larger than the text, or a little larger and bold."""
    return line.size >= (1.08 if line.font.bold else 1.25) * body and len(line.text) <= _LONGEST_HEADING


class _Paragraph(NamedTuple):
    """Text as it is shown, in lines only where it is code; `depth` is that of a heading, 0 of other text."""

    text: str
    depth: int


def _part(number: int, columns: Sequence[Sequence[Line]], sizes: Sequence[float]) -> Part:
    paragraphs: list[_Paragraph] = []
    for column in columns:
        for paragraph in filter(_has_text, _paragraphs(column, sizes)):
            if paragraphs and _is_one(paragraphs[-1], paragraph):
                paragraph = _Paragraph(joined(paragraphs.pop().text, paragraph.text), 0)
            paragraphs.append(paragraph)
    lines: list[str] = []
    titles: list[Title] = []
    for text, depth in paragraphs:
        if lines:
            lines.append("")
        if depth:
            titles.append(Title(len(lines), depth, text))
        lines += text.split("\n") if "\n" in text else wrapped(text)
    return Part(f"page {number}", tuple(lines), tuple(titles))


def _has_text(paragraph: _Paragraph) -> bool:
    return bool(paragraph.text.strip())


def _is_one(first: _Paragraph, second: _Paragraph) -> bool:
    """Tell whether a paragraph goes on in the next column, in the middle of a sentence."""
    if first.depth or second.depth or "\n" in first.text + second.text or len(first.text) < _CUT_OFF:
        return False
    return _goes_on(first.text, second.text)


def _goes_on(first: str, second: str) -> bool:
    start = second[0]
    return not first.endswith(_END) and (start.islower() or (is_cjk(start) and is_cjk(first[-1])))


def _paragraphs(column: Sequence[Line], sizes: Sequence[float]) -> Iterator[_Paragraph]:
    """Yield the paragraphs of a column, and headings with their depth."""
    left, right = median(line.left for line in column), max(line.right for line in column)
    steps = [above.bottom - below.bottom for above, below in pairwise(column)]
    step = median([one for one in steps if one > 0] or [0.0])
    text, depth = "", 0
    previous: Line | None = None
    for line in column:
        own = _depth(line, sizes)
        if (
            depth
            and previous is not None
            and _continues(line, previous)
            and not _starts(line, previous, left, right, step)
        ):
            own = depth
        if previous is not None and (own != depth or _starts(line, previous, left, right, step)):
            yield _settled(text, depth)
            text = ""
        if previous is not None and text and abs(line.bottom - previous.bottom) < 0.5 * line.size:
            text = f"{text} {line.text}"  # beside it: a table's cell
        elif previous is not None and text and line.font.fixed and previous.font.fixed:
            text = f"{text}\n{line.text}"
        else:
            text = joined(text, line.text)
        previous, depth = line, own
    yield _settled(text, depth)


def _settled(text: str, depth: int) -> _Paragraph:
    """Return a paragraph, a heading only where it can be one: some are too long, or go on after a comma."""
    is_heading = len(text) <= _LONGEST_HEADING and "\n" not in text and not text.endswith(("。", "，", ",", ";"))
    return _Paragraph(text, depth if is_heading else 0)


def _continues(line: Line, heading: Line) -> bool:
    """Tell whether a line is set as the line of a heading above it is."""
    return line.font.bold and heading.font.bold and abs(line.size - heading.size) < 0.3


def _starts(line: Line, previous: Line, left: float, right: float, step: float) -> bool:
    """Tell whether a line begins a paragraph, and does not go on with the previous line."""
    down = previous.bottom - line.bottom
    if abs(down) < 0.5 * line.size:
        return False
    if down < 0 or down > 1.45 * max(step, 1.05 * line.size) or abs(line.size - previous.size) > 0.15 * line.size:
        return True
    if line.font.fixed != previous.font.fixed:
        return True
    cut_off = len(previous.text) > _CUT_OFF and not previous.text.endswith(_END) and not _BULLET.match(previous.text)
    if _BULLET.match(line.text) and line.left <= left + 4 * line.size and not cut_off:
        return True
    indented = line.left > left + 0.8 * line.size and previous.left < line.left - 0.6 * line.size
    short = previous.right < right - max(2.5 * line.size, 0.12 * (right - left))
    return (indented and previous.text.endswith(_END)) or (short and previous.text.endswith(_END))


def _depth(line: Line, sizes: Sequence[float]) -> int:
    """Return the depth of the heading that a line is, 0 if it is none."""
    body, *larger = sizes
    if len(line.text) > _LONGEST_HEADING or not any(map(str.isalpha, line.text)):
        return 0
    size = _rounded(line.size)
    if size in larger and _stands_out(line, body):
        return larger.index(size) + 1
    if line.font.bold and size >= body - 0.5 and _NUMBERED.match(line.text) and not line.text.endswith(_END):
        return len(larger) + 1
    return 0


def _mended(parts: Sequence[Part]) -> list[Part]:
    """Let a sentence that goes over to the next page end on the page where it began."""
    mended = list(parts)
    for at, there in enumerate(parts[1:], 1):
        here = mended[at - 1]
        last = len(here.lines) - 1
        if not here.lines or not there.lines or any(title.line == last for title in here.titles):
            continue
        if len(here.lines[last]) < _CUT_OFF or not _goes_on(here.lines[last], there.lines[0]):
            continue
        if any(title.line == 0 for title in there.titles) or not (end := _SENTENCE.match(there.lines[0])):
            continue
        mended[at - 1] = here._replace(lines=(*here.lines[:last], *wrapped(joined(here.lines[last], end[0]))))
        rest = there.lines[0][end.end() :].strip()
        lines = ((rest,) if rest else ()) + there.lines[1:]
        while lines and not lines[0]:
            lines = lines[1:]
        gone = len(there.lines) - len(lines)
        titles = tuple(title._replace(line=title.line - gone) for title in there.titles)
        mended[at] = there._replace(lines=lines, titles=titles)
    return mended
