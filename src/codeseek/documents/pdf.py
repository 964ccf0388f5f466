"""Read PDF files with pdfium: the text of each page in reading order, headings told by their size."""

from __future__ import annotations

import ctypes
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple

import pypdfium2 as pdfium
from pypdfium2 import raw

from codeseek.documents.record import (
    MOST_CHARACTERS,
    Document,
    Part,
    Title,
    Unfit,
    cleaned,
    is_cjk,
    joined,
    title_of,
    wrapped,
)

_NUMBER = re.compile(
    r"(?:page|p\.|第|[-–—·|])?\s*(?:\d{1,4}|[ivxlc]{1,6})\s*(?:页|[-–—·|]|(?:/|of|共)\s*(?:共\s*)?\d{1,4}\s*页?)?",
    re.IGNORECASE,
)
_LEADERS = re.compile(r"(?:[.·…．]\s?){5,}\s*\w{0,6}$")
"""The dots of a table of contents, whose lines are no text of their own."""
_DIGITS = re.compile(r"\d+")
_BULLET = re.compile(r"(?:[•‣◦▪●■–*·-]|\(?\d{1,2}[.)、]|\(?[a-z][.)]|[（(]?[一二三四五六七八九十]{1,3}[)）、.])\s*")
_NUMBERED = re.compile(
    r"(?:\d{1,2}(?:\.\d{1,2}){0,4}\.?\s+|第[一二三四五六七八九十百\d]{1,4}[章节部分]|[一二三四五六七八九十]{1,3}、)\S"
)
_BOLD = re.compile(r"bold|black|heavy|semibold|demi|[-,]bd\b|hei\b", re.IGNORECASE)
_FIXED = re.compile(r"mono|courier|consol|typewriter|cmtt|menlo", re.IGNORECASE)
_END = tuple("。.！!？?；;：:")
_SENTENCE = re.compile(r".*?(?:[。！？；]|[.!?;](?=\s|$))")
_LONGEST_HEADING = 120
_CUT_OFF = 20  # characters of a line from which on it may break in the middle of a sentence
_FEW = 3  # lines that make a column
_FEWEST = 5  # characters that a document must have at least to count as text
_RUN = re.compile("[^\r\n\x02\ufffe]+[\x02\ufffe]?")
"""A line in pdfium's text; a hyphen at its end is one of two signs, after which the next line follows at once."""
_PAINTED = "\x02\ufffe"


class _Font(NamedTuple):
    bold: bool
    fixed: bool


class _Line(NamedTuple):
    """A line of a page, or what of it lies in one column; y grows upwards."""

    text: str
    left: float
    bottom: float
    right: float
    top: float
    size: float
    font: _Font


_Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""


class _Page(NamedTuple):
    lines: list[_Line]
    bottom: float


def read(data: bytes) -> Document:
    """Return a PDF file's text by pages; raises `Unfit`."""
    try:
        pdf = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        code = getattr(error, "err_code", None)
        raise Unfit("encrypted" if code == raw.FPDF_ERR_PASSWORD else "damaged") from error
    try:
        title = title_of(pdf.get_metadata_value("Title"))
        pages = _pages(pdf)
    finally:
        pdf.close()
    if sum(len(line.text) for page in pages for line in page.lines) < _FEWEST:
        raise Unfit("no text: pages are pictures" if pages else "no pages")
    _drop_running(pages)
    ordered = [_in_order(page.lines) for page in pages]
    sizes = _heading_sizes(ordered)
    parts = [_part(number, lines, sizes) for number, lines in enumerate(ordered, 1)]
    return Document(tuple(_mended(parts)), title)


# ---------------------------------------------------------------- lines of a page


def _pages(pdf: Any) -> list[_Page]:
    pages, characters = [], 0
    for number in range(len(pdf)):
        try:
            page = pdf[number]
        except pdfium.PdfiumError:  # a damaged page must not shift the numbers of the others
            pages.append(_Page([], 0.0))
            continue
        try:
            found = _page(page)
        finally:
            page.close()
        pages.append(found)
        characters += sum(len(line.text) for line in found.lines)
        if characters > MOST_CHARACTERS:
            raise Unfit("too much text")
    return pages


def _page(page: Any) -> _Page:
    handle = raw.FPDFText_LoadPage(page)
    if not handle:
        return _Page([], 0.0)
    try:
        lines = [line for line in _lines(handle) if not _LEADERS.search(line.text)]
    finally:
        raw.FPDFText_ClosePage(handle)
    upright = [line for line in lines if not _is_sideways(line)]
    lines = upright if 2 * len(upright) > len(lines) else lines  # a stamp in the margin reaches over all columns
    signs = "".join(line.text.replace(" ", "") for line in lines)
    if sum(map(str.isalnum, signs)) < 0.5 * len(signs):
        lines = []  # a font that does not say which letters its signs are
    return _Page(lines, page.get_mediabox()[1])


def _is_sideways(line: _Line) -> bool:
    return line.top - line.bottom > max(4 * line.size, 3 * (line.right - line.left))


def _lines(handle: Any) -> Iterator[_Line]:
    """Yield a page's lines as pdfium puts characters together, cut where a wide gap parts columns."""
    count = raw.FPDFText_CountChars(handle)
    if count <= 0:
        return
    buffer = ctypes.create_string_buffer(2 * count + 2)
    written = raw.FPDFText_GetText(handle, 0, count, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)))
    text = buffer.raw[: 2 * max(0, written - 1)].decode("utf-16-le", "replace")
    for match in _RUN.finditer(text):
        piece = match[0].strip()
        if piece:
            yield from _cut(handle, piece, match.start() + match[0].index(piece))


def _cut(handle: Any, text: str, start: int) -> Iterator[_Line]:
    """Yield what pdfium takes for one line, which starts at a place in the page's text."""
    first = raw.FPDFText_GetCharIndexFromTextIndex(handle, start)
    last = raw.FPDFText_GetCharIndexFromTextIndex(handle, start + len(text) - 1)
    if first < 0 or last < first:
        return
    size = _size(handle, first)
    boxes = _rectangles(handle, first, last - first + 1)
    if not boxes:
        return
    gaps = [right for (_, _, right, _), (left, *_) in pairwise(boxes) if left - right > 1.5 * size]
    if not gaps:
        yield _line(text, boxes, size, _font(handle, first))
        return
    pieces: list[tuple[str, list[_Box]]] = [("", [])]
    box = (ctypes.c_double * 4)()
    corners = [ctypes.cast(ctypes.addressof(box) + 8 * at, ctypes.POINTER(ctypes.c_double)) for at in range(4)]
    end = None
    for at, character in enumerate(text):
        index = raw.FPDFText_GetCharIndexFromTextIndex(handle, start + at)
        if character.isspace() or not raw.FPDFText_GetCharBox(handle, index, *corners):
            pieces[-1] = (pieces[-1][0] + character, pieces[-1][1])
            continue
        left, right, bottom, top = box
        if end is not None and left - end > 1.5 * size:
            pieces.append(("", []))
        pieces[-1] = (pieces[-1][0] + character, [*pieces[-1][1][-400:], (left, bottom, right, top)])
        end = right
    font = _font(handle, first)
    for piece, own in pieces:
        if own and piece.strip():
            yield _line(piece, own, size, font)


def _line(text: str, boxes: Sequence[_Box], size: float, font: _Font) -> _Line:
    text = text.strip()
    if text[-1:] in _PAINTED:
        text = text[:-1] + "-"
    left, bottom = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, top = max(box[2] for box in boxes), max(box[3] for box in boxes)
    return _Line(cleaned(text), left, bottom, right, top, size, font)


def _rectangles(handle: Any, first: int, count: int) -> list[_Box]:
    found = raw.FPDFText_CountRects(handle, first, count)
    left, top, right, bottom = (ctypes.c_double() for _ in range(4))
    return [
        (left.value, bottom.value, right.value, top.value)
        for at in range(max(0, found))
        if raw.FPDFText_GetRect(handle, at, left, top, right, bottom)
    ]


def _size(handle: Any, index: int) -> float:
    """Return the size in which a character is set: that of the font, scaled as it is put on the page."""
    size: float = raw.FPDFText_GetFontSize(handle, index)
    matrix = raw.FS_MATRIX()
    if raw.FPDFText_GetMatrix(handle, index, matrix):
        size *= (matrix.b**2 + matrix.d**2) ** 0.5 or 1.0
    return min(max(abs(size), 1.0), 200.0)


def _font(handle: Any, index: int) -> _Font:
    name, flags = ctypes.create_string_buffer(128), ctypes.c_int()
    raw.FPDFText_GetFontInfo(handle, index, name, 128, flags)
    called = name.value.decode("latin-1")
    bold = raw.FPDFText_GetFontWeight(handle, index) >= 600 or _BOLD.search(called) is not None
    return _Font(bold, bool(flags.value & 1) or _FIXED.search(called) is not None)


# ---------------------------------------------------------------- headers, footers, page numbers


def _drop_running(pages: Sequence[_Page]) -> None:
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


def _body_size(lines: Iterable[_Line]) -> float:
    """Return the size in which most of a text is set."""
    counts: Counter[float] = Counter()
    for line in lines:
        counts[_rounded(line.size)] += len(line.text)
    return counts.most_common(1)[0][0] if counts else 10.0


def _rounded(size: float) -> float:
    return round(size * 2) / 2


def _edges(page: _Page) -> list[_Line]:
    """Return the lines in the two outermost rows of a page, at its top and at its bottom."""
    found: list[_Line] = []
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


def _middle(line: _Line) -> float:
    return (line.bottom + line.top) / 2


def _running(line: _Line, page: _Page, body: float) -> tuple[str, int]:
    """Return what is the same of a header on all pages that have it: its text and about where it stands."""
    text = line.text if line.size >= 1.25 * body else _DIGITS.sub("#", line.text)
    return text, round((line.bottom - page.bottom) / 4)


def _near(key: tuple[str, int]) -> frozenset[tuple[str, int]]:
    return frozenset((key[0], key[1] + by) for by in (-1, 0, 1))


# ---------------------------------------------------------------- reading order


def _in_order(lines: Sequence[_Line]) -> list[list[_Line]]:
    """Return a page's lines by the columns in which they are read, from top to bottom and from left to right."""
    gutter = _gutter(lines) if len(lines) >= 2 * _FEW else None
    if gutter is None:
        return [_by_rows(lines)] if lines else []
    columns: list[list[_Line]] = []
    left: list[_Line] = []
    right: list[_Line] = []

    def flush() -> None:
        for side in (left, right):
            columns.extend(_in_order(side))
            side.clear()

    wide: list[_Line] = []
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


def _gutter(lines: Sequence[_Line]) -> float | None:
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


def _full(lines: Sequence[_Line], size: float) -> int:
    """Count the lines that fill their column, 0 where these are not many: the cells of a table do not."""
    width = max(line.right for line in lines) - min(line.left for line in lines)
    count = sum(line.right - line.left > 0.6 * width for line in lines)
    return count if width >= 10 * size and count >= max(_FEW, 0.2 * len(lines)) else 0


def _by_rows(lines: Sequence[_Line]) -> list[_Line]:
    """Return lines from top to bottom, those beside each other from left to right."""
    rows: list[list[_Line]] = []
    for line in sorted(lines, key=lambda line: -(line.bottom + line.top)):
        middle = _middle(line)
        if rows and rows[-1][0].bottom < middle < rows[-1][0].top:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda line: line.left)]


# ---------------------------------------------------------------- paragraphs and headings


def _heading_sizes(pages: Sequence[Sequence[Sequence[_Line]]]) -> list[float]:
    """Return the size of the document's text, then those of its headings from large to small."""
    lines = [line for columns in pages for column in columns for line in column]
    body = _body_size(lines)
    return [body, *sorted({_rounded(line.size) for line in lines if _stands_out(line, body)}, reverse=True)[:6]]


def _stands_out(line: _Line, body: float) -> bool:
    """Tell whether a line is set as headings are: clearly larger than the text, or a little larger and bold."""
    return line.size >= (1.08 if line.font.bold else 1.25) * body and len(line.text) <= _LONGEST_HEADING


class _Paragraph(NamedTuple):
    """Text as it is shown, in lines only where it is code; `depth` is that of a heading, 0 of other text."""

    text: str
    depth: int


def _part(number: int, columns: Sequence[Sequence[_Line]], sizes: Sequence[float]) -> Part:
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


def _paragraphs(column: Sequence[_Line], sizes: Sequence[float]) -> Iterator[_Paragraph]:
    """Yield the paragraphs of a column, and headings with their depth."""
    left, right = median(line.left for line in column), max(line.right for line in column)
    steps = [above.bottom - below.bottom for above, below in pairwise(column)]
    step = median([one for one in steps if one > 0] or [0.0])
    text, depth = "", 0
    previous: _Line | None = None
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


def _continues(line: _Line, heading: _Line) -> bool:
    """Tell whether a line is set as the line of a heading above it is."""
    return line.font.bold and heading.font.bold and abs(line.size - heading.size) < 0.3


def _starts(line: _Line, previous: _Line, left: float, right: float, step: float) -> bool:
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


def _depth(line: _Line, sizes: Sequence[float]) -> int:
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
