"""Read Word and PowerPoint documents: paragraphs below their headings, and slides with their notes."""

from __future__ import annotations

import re
from collections.abc import Iterable

from codeseek.documents.package import Attributes, Package, parse, title_in
from codeseek.documents.record import MOST_CHARACTERS, Document, Part, Title, Unfit, cleaned, title_of, wrapped

_HEADING = re.compile(r"heading (\d)", re.IGNORECASE)
_CONTENTS = -1
"""Stands for a line of a table of contents, which is no text of its own."""
_TITLES = ("title", "ctrTitle")


def word(data: bytes) -> Document:
    """Return a Word document's text, a part for each heading; raises `Unfit`."""
    package = Package(data)
    named = (target for target in package.related("").values() if target.startswith("word/document"))
    reader = _Word(_styles(package))
    parse(package.read(next(named, "word/document.xml")), reader.start, reader.end, reader.text)
    return _document(reader.parts(), title_in(package))


def slides(data: bytes) -> Document:
    """Return a presentation's text, a part for each slide; raises `Unfit`."""
    package = Package(data)
    name = "ppt/presentation.xml"
    order: list[str] = []

    def start(tag: str, attributes: Attributes) -> None:
        if tag == "sldId":
            order.append(attributes.get("r:id", ""))

    related = package.related(name)
    parse(package.read(name), start)
    parts = []
    for number, identity in enumerate(order, 1):
        slide = related.get(identity, "")
        if slide in package:
            parts.append(_slide(package, slide, number))
    return _document(parts, title_in(package))


def _document(parts: Iterable[Part], title: str) -> Document:
    found = tuple(part for part in parts if part.lines)
    size = sum(len(line) for part in found for line in part.lines)
    if not size:
        raise Unfit("no text")
    if size > MOST_CHARACTERS:
        raise Unfit("too much text")
    return Document(found, title_of(title))


# ---------------------------------------------------------------- Word


def _styles(package: Package) -> dict[str, int]:
    """Return the depth of headings by the style that they have, `_CONTENTS` for lines of a table of contents."""
    depths: dict[str, int] = {}
    style = ""

    def start(tag: str, attributes: Attributes) -> None:
        nonlocal style
        value = attributes.get("val", "")
        if tag == "style":
            style = attributes.get("styleId", "")
        elif tag == "name" and (match := _HEADING.fullmatch(value)):
            depths[style] = int(match[1])
        elif tag == "name" and value.lower() == "title":
            depths[style] = 1
        elif tag == "name" and value.lower().startswith("toc "):
            depths[style] = _CONTENTS
        elif tag == "outlineLvl" and style and value.isdigit() and int(value) < 9:
            depths.setdefault(style, int(value) + 1)

    if "word/styles.xml" in package:
        parse(package.read("word/styles.xml"), start)
    return depths


class _Word:
    """Takes a document's paragraphs as they come; the rows of a table are a paragraph each."""

    def __init__(self, styles: dict[str, int]) -> None:
        self._styles = styles
        self._paragraphs: list[tuple[int, int, str]] = []  # number, depth, text
        self._number = self._depth = self._skipped = self._tables = 0
        self._texts: list[list[str]] = []  # of the paragraphs that are open: a text box lies within one
        self._cells: list[str] = []
        self._listening = False

    def start(self, tag: str, attributes: Attributes) -> None:
        """Hear of an element's start."""
        if self._skipped or tag == "Fallback":
            self._skipped += 1
        elif tag == "p":
            self._number += 1
            self._depth = 0
            self._texts.append([])
        elif tag == "pStyle":
            self._depth = self._styles.get(attributes.get("val", ""), 0)
        elif tag == "outlineLvl" and self._texts:
            value = attributes.get("val", "")
            self._depth = int(value) + 1 if value.isdigit() and int(value) < 9 else self._depth
        elif tag == "t":
            self._listening = True
        elif tag in ("tab", "br", "cr") and self._texts:
            self._texts[-1].append(" ")
        elif tag == "tbl":
            self._tables += 1

    def end(self, tag: str) -> None:
        """Hear of an element's end."""
        if self._skipped:
            self._skipped -= 1
        elif tag == "t":
            self._listening = False
        elif tag == "p" and self._texts:
            text = cleaned("".join(self._texts.pop()))
            if self._tables:
                self._cells += [text] if text else []
            elif text and self._depth != _CONTENTS:
                self._paragraphs.append((self._number, self._depth, text))
            self._depth = 0
        elif tag == "tr" and self._tables == 1 and self._cells:
            self._paragraphs.append((self._number, 0, " | ".join(self._cells)))
            self._cells = []
        elif tag == "tbl":
            self._tables -= 1

    def text(self, data: str) -> None:
        """Hear of text."""
        if self._listening and self._texts:
            self._texts[-1].append(data)

    def parts(self) -> Iterable[Part]:
        """Yield the text from heading to heading."""
        lines: list[str] = []
        titles: list[Title] = []
        anchors: list[str] = []
        for number, depth, text in self._paragraphs:
            if depth and lines:
                yield Part(anchors[0], tuple(lines), tuple(titles), anchors=tuple(anchors))
                lines, titles, anchors = [], [], []
            if lines:
                lines.append("")
            if depth:
                titles.append(Title(len(lines), depth, text))
            lines += [text] if depth else wrapped(text)
            anchors += [f"paragraph {number}"] * (len(lines) - len(anchors))
        if lines:
            yield Part(anchors[0], tuple(lines), tuple(titles), anchors=tuple(anchors))


# ---------------------------------------------------------------- PowerPoint


def _slide(package: Package, name: str, number: int) -> Part:
    title, lines = _shapes(package.read(name))
    for target in package.related(name).values():
        if "notesSlide" in target and target in package:
            notes = _shapes(package.read(target), placeholder="body")[1]
            lines += ["", *notes] if notes and lines else notes
    if title:
        lines = [title, *([""] if lines else []), *lines]
    return Part(f"slide {number}", tuple(lines), (Title(0, 1, title),) if title else ())


def _shapes(data: bytes, placeholder: str = "") -> tuple[str, list[str]]:
    """Return the title and the lines of a slide's shapes, only those of a kind of placeholder if one is named."""
    kind, skipped, listening = "", 0, False
    text: list[str] = []
    titles: list[str] = []
    lines: list[str] = []

    def start(tag: str, attributes: Attributes) -> None:
        nonlocal kind, skipped, listening
        if skipped or tag == "Fallback":
            skipped += 1
        elif tag == "sp":
            kind = ""
        elif tag == "ph":
            kind = attributes.get("type", "body")
        elif tag == "p":
            text.clear()
        elif tag == "t":
            listening = True
        elif tag == "br":
            text.append(" ")

    def end(tag: str) -> None:
        nonlocal skipped, listening, kind
        if skipped:
            skipped -= 1
        elif tag == "t":
            listening = False
        elif tag == "sp":
            kind = ""
        elif tag == "p" and (line := cleaned("".join(text))):
            text.clear()
            if kind in _TITLES:
                titles.append(line)
            elif kind not in ("sldNum", "dt", "ftr", "hdr") and placeholder in ("", kind):
                lines.extend(wrapped(line))

    def heard(piece: str) -> None:
        if listening:
            text.append(piece)

    parse(data, start, end, heard)
    return " ".join(titles)[:200], lines
