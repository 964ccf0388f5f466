"""Documents for tests: PDF files with an embedded font that has Chinese, office documents, books and notebooks."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from xml.sax.saxutils import escape

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fpdf import FPDF
from fpdf.enums import WrapMode

LATIN = [
    chr(code) for code in (*range(0x20, 0x7F), *range(0xA0, 0x180), 0x2013, 0x2014, 0x2019, 0x201C, 0x201D, 0x2022)
]
CHINESE = [chr(code) for code in (*range(0x4E00, 0x9FA6), *range(0x3000, 0x3020), *range(0xFF00, 0xFF60))]


@cache
def font(name: str = "Test Sans", style: str = "Regular") -> bytes:
    """Return a font of our own in which every sign is a box: what matters is what can be read out of it."""
    builder = FontBuilder(1000, isTTF=True)
    signs = [*LATIN, *CHINESE]
    names = [".notdef", *(f"u{ord(sign):04X}" for sign in signs)]
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(sign): f"u{ord(sign):04X}" for sign in signs})
    pen = TTGlyphPen(None)
    pen.moveTo((50, 0))
    for point in ((50, 700), (400, 700), (400, 0)):
        pen.lineTo(point)
    pen.closePath()
    box, blank = pen.glyph(), TTGlyphPen(None).glyph()
    builder.setupGlyf({glyph: blank if glyph == "u0020" else box for glyph in names})
    widths = {glyph: 500 if position <= len(LATIN) else 1000 for position, glyph in enumerate(names)}
    builder.setupHorizontalMetrics({glyph: (width, 50) for glyph, width in widths.items()})
    builder.setupHorizontalHeader(ascent=850, descent=-150)
    builder.setupNameTable({"familyName": name, "styleName": style, "psName": f"{name.replace(' ', '')}-{style}"})
    builder.setupOS2(sTypoAscender=850, sTypoDescender=-150, usWinAscent=850, usWinDescent=150)
    builder.setupPost()
    stream = io.BytesIO()
    builder.save(stream)
    return stream.getvalue()


class Paper:
    """A PDF file being written, page by page."""

    def __init__(self, header: str = "", *, font_file: str, bold_file: str = "") -> None:
        paper = self

        class Sheets(FPDF):
            def header(self) -> None:
                if paper.running:
                    self.set_font("sans", size=9)
                    self.cell(0, 5, paper.running, align="L")
                    self.ln(12)

            def footer(self) -> None:
                if paper.running:
                    self.set_y(-15)
                    self.set_font("sans", size=9)
                    self.cell(0, 5, str(self.page_no()), align="C")

        self.running = header
        self.pdf = Sheets(format="A4")
        self.pdf.add_font("sans", fname=font_file)
        if bold_file:
            self.pdf.add_font("sans", style="B", fname=bold_file)
        self.pdf.set_auto_page_break(auto=True, margin=25)

    def page(self) -> None:
        self.pdf.add_page()

    def heading(self, text: str, size: int = 18) -> None:
        self.pdf.set_font("sans", size=size)
        self.pdf.multi_cell(0, size * 0.6, text, new_x="LMARGIN", new_y="NEXT")
        self.pdf.ln(2)

    def text(self, text: str, size: int = 11) -> None:
        self.pdf.set_font("sans", size=size)
        self.pdf.multi_cell(
            0,
            6,
            text,
            align="L",
            new_x="LMARGIN",
            new_y="NEXT",
            wrapmode=WrapMode.WORD if text.isascii() else WrapMode.CHAR,
        )
        self.pdf.ln(3)

    def columns(self, left: Sequence[str], right: Sequence[str], size: int = 10) -> None:
        """Set lines in two columns beside each other, written row by row: the order of the file is no order of reading."""
        self.pdf.set_font("sans", size=size)
        top = self.pdf.get_y()
        for at in range(max(len(left), len(right))):
            for lines, x in ((left, 20), (right, 110)):
                if at < len(lines):
                    self.pdf.text(x, top + 6 * at, lines[at])
        self.pdf.set_y(top + 6 * max(len(left), len(right)))

    def data(self) -> bytes:
        return bytes(self.pdf.output())


def tiny_pdf(text: str, *, pages: int = 1) -> bytes:
    """Return a PDF file of a few hundred bytes in one of the fonts that every viewer has."""
    objects = ["<</Type/Catalog/Pages 2 0 R>>", "", "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]
    kids = []
    for number in range(1, pages + 1):
        stream = f"BT /F1 12 Tf 72 700 Td ({text} {number}) Tj ET"
        objects += [
            f"<</Length {len(stream)}>>stream\n{stream}\nendstream",
            f"<</Type/Page/Parent 2 0 R/Contents {len(objects) + 1} 0 R>>",
        ]
        kids.append(f"{len(objects)} 0 R")
    objects[1] = (
        f"<</Type/Pages/Kids[{' '.join(kids)}]/Count {pages}/MediaBox[0 0 612 792]/Resources<</Font<</F1 3 0 R>>>>>>"
    )
    out, places = "%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj{body}endobj\n"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n" + "".join(f"{place:010} 00000 n \n" for place in places)
    return f"{out}trailer<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n".encode("latin-1")


def packed(entries: Mapping[str, str | bytes]) -> bytes:
    """Return an archive of these entries."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return stream.getvalue()


_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_P = (
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
    ' xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    f' xmlns:r="{_OFFICE}"'
)
_CORE = (
    '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{}</dc:title></cp:coreProperties>'
)


def docx(paragraphs: Iterable[tuple[int, str]], title: str = "", extra: str = "") -> bytes:
    """Return a Word document: headings by their depth, 0 for other paragraphs; `extra` is raw XML at the end."""
    body = ""
    for depth, text in paragraphs:
        style = f'<w:pPr><w:pStyle w:val="H{depth}"/></w:pPr>' if depth else ""
        runs = (text[: len(text) // 2], text[len(text) // 2 :])  # Word cuts wherever somebody once typed
        body += f"<w:p>{style}{''.join(f'<w:r><w:t>{escape(run)}</w:t></w:r>' for run in runs)}</w:p>"
    styles = "".join(
        f'<w:style w:styleId="H{depth}"><w:name w:val="heading {depth}"/></w:style>' for depth in range(1, 7)
    )
    return packed(
        {
            "_rels/.rels": f'<Relationships xmlns="{_RELATIONS}">'
            '<Relationship Id="r1" Target="word/document.xml"/></Relationships>',
            "word/document.xml": f"<w:document {_W}><w:body>{body}{extra}</w:body></w:document>",
            "word/styles.xml": f"<w:styles {_W}>{styles}</w:styles>",
            "docProps/core.xml": _CORE.format(escape(title)),
        }
    )


def pptx(slides: Sequence[tuple[str, Sequence[str], str]]) -> bytes:
    """Return a presentation: of each slide its title, its lines and its notes."""
    entries: dict[str, str] = {}
    links = []
    for number, (title, lines, notes) in enumerate(slides, 1):
        name = f"slide{100 - number}.xml"  # names are no order
        links.append(f'<Relationship Id="rId{number}" Target="slides/{name}"/>')
        body = "".join(f"<a:p><a:r><a:t>{escape(line)}</a:t></a:r></a:p>" for line in lines)
        entries[f"ppt/slides/{name}"] = (
            f'<p:sld {_P}><p:sp><p:nvPr><p:ph type="title"/></p:nvPr>'
            f"<a:p><a:r><a:t>{escape(title)}</a:t></a:r></a:p></p:sp>"
            f'<p:sp><p:nvPr><p:ph idx="1"/></p:nvPr>{body}</p:sp></p:sld>'
        )
        if notes:
            entries[f"ppt/slides/_rels/{name}.rels"] = (
                f'<Relationships xmlns="{_RELATIONS}">'
                f'<Relationship Id="rId9" Target="../notesSlides/n{number}.xml"/></Relationships>'
            )
            entries[f"ppt/notesSlides/n{number}.xml"] = (
                f'<p:notes {_P}><p:sp><p:ph type="body"/><a:p><a:r><a:t>{escape(notes)}</a:t></a:r></a:p></p:sp>'
                '<p:sp><p:ph type="sldNum"/><a:p><a:t>7</a:t></a:p></p:sp></p:notes>'
            )
    ids = "".join(f'<p:sldId id="{255 + number}" r:id="rId{number}"/>' for number in range(1, len(slides) + 1))
    return packed(
        {
            "ppt/presentation.xml": f"<p:presentation {_P}><p:sldIdLst>{ids}</p:sldIdLst></p:presentation>",
            "ppt/_rels/presentation.xml.rels": f'<Relationships xmlns="{_RELATIONS}">{"".join(links)}</Relationships>',
            **entries,
        }
    )


def epub(parts: Sequence[str], title: str = "", extra: Mapping[str, str] | None = None) -> bytes:
    """Return a book of these bodies in XHTML."""
    items = "".join(f'<item id="i{number}" href="text/p%20{number}.xhtml"/>' for number in range(len(parts)))
    spine = "".join(f'<itemref idref="i{number}"/>' for number in range(len(parts)))
    return packed(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
            '<rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>',
            "OPS/book.opf": '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">'
            f"<metadata><dc:title>{escape(title)}</dc:title></metadata>"
            f"<manifest>{items}</manifest><spine>{spine}</spine></package>",
            **{
                f"OPS/text/p {number}.xhtml": '<?xml version="1.0"?><!DOCTYPE html>'
                '<html xmlns="http://www.w3.org/1999/xhtml">'
                f"<head><title>t</title></head><body>{body}</body></html>"
                for number, body in enumerate(parts)
            },
            **(extra or {}),
        }
    )


def notebook(cells: Sequence[tuple[str, str]], language: str = "python", outputs: str = "") -> bytes:
    """Return a notebook: of each cell its kind and its source."""
    shown = [
        {
            "cell_type": kind,
            "metadata": {},
            "source": source.splitlines(keepends=True),
            **(
                {"outputs": [{"output_type": "stream", "text": [outputs]}], "execution_count": 1}
                if kind == "code"
                else {}
            ),
        }
        for kind, source in cells
    ]
    metadata = {"kernelspec": {"name": "x", "language": language}, "language_info": {"name": language}}
    return json.dumps({"cells": shown, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}).encode()
