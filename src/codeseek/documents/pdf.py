"""Read PDF files with pdfium: the lines on each page, where they stand and how they are set."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import pypdfium2 as pdfium
from pypdfium2 import raw

from codeseek.documents.layout import Font, Line, Page, text_of
from codeseek.documents.record import MOST_CHARACTERS, Document, Unfit, cleaned, title_of

_LEADERS = re.compile(r"(?:[.·…．]\s?){5,}\s*\w{0,6}$")
"""The dots of a table of contents, whose lines are no text of their own."""
_BOLD = re.compile(r"bold|black|heavy|semibold|demi|[-,]bd\b|hei\b", re.IGNORECASE)
_FIXED = re.compile(r"mono|courier|consol|typewriter|cmtt|menlo", re.IGNORECASE)
_FEWEST = 5  # characters that a document must have at least to count as text
_RUN = re.compile("[^\r\n\x02\ufffe]+[\x02\ufffe]?")
"""A line in pdfium's text; a hyphen at its end is one of two signs, after which the next line follows at once."""
_PAINTED = "\x02\ufffe"

_Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""


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
    return Document(tuple(text_of(pages)), title)


def _pages(pdf: Any) -> list[Page]:
    pages, characters = [], 0
    for number in range(len(pdf)):
        try:
            page = pdf[number]
        except pdfium.PdfiumError:  # a damaged page must not shift the numbers of the others
            pages.append(Page([], 0.0))
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


def _page(page: Any) -> Page:
    handle = raw.FPDFText_LoadPage(page)
    if not handle:
        return Page([], 0.0)
    try:
        lines = [line for line in _lines(handle) if not _LEADERS.search(line.text)]
    finally:
        raw.FPDFText_ClosePage(handle)
    upright = [line for line in lines if not _is_sideways(line)]
    lines = upright if 2 * len(upright) > len(lines) else lines  # a stamp in the margin reaches over all columns
    signs = "".join(line.text.replace(" ", "") for line in lines)
    if sum(map(str.isalnum, signs)) < 0.5 * len(signs):
        lines = []  # a font that does not say which letters its signs are
    return Page(lines, page.get_mediabox()[1])


def _is_sideways(line: Line) -> bool:
    return line.top - line.bottom > max(4 * line.size, 3 * (line.right - line.left))


def _lines(handle: Any) -> Iterator[Line]:
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


def _cut(handle: Any, text: str, start: int) -> Iterator[Line]:
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


def _line(text: str, boxes: Sequence[_Box], size: float, font: Font) -> Line:
    text = text.strip()
    if text[-1:] in _PAINTED:
        text = text[:-1] + "-"
    left, bottom = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, top = max(box[2] for box in boxes), max(box[3] for box in boxes)
    return Line(cleaned(text), left, bottom, right, top, size, font)


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


def _font(handle: Any, index: int) -> Font:
    name, flags = ctypes.create_string_buffer(128), ctypes.c_int()
    raw.FPDFText_GetFontInfo(handle, index, name, 128, flags)
    called = name.value.decode("latin-1")
    bold = raw.FPDFText_GetFontWeight(handle, index) >= 600 or _BOLD.search(called) is not None
    return Font(bold, bool(flags.value & 1) or _FIXED.search(called) is not None)
