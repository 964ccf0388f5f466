"""Documents: what is read out of each format, what is refused and why, and that no damage does any."""

from __future__ import annotations

import io
import os
import random
import re
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import PurePosixPath

import pytest

import papers
from codeseek import chunkers, documents
from codeseek.documents import html
from codeseek.documents.extractor import CRASHED, LARGE, SLOW, Extractor
from codeseek.documents.record import Document, Unfit, joined, wrapped
from codeseek.records import Chunk, SourceFile


@pytest.fixture(scope="session")
def font_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("font") / "test.ttf"
    path.write_bytes(papers.font())
    return str(path)


@pytest.fixture
def paper(font_file: str) -> Callable[..., papers.Paper]:
    return lambda header="": papers.Paper(header, font_file=font_file)


def chunks(language: str, data: bytes) -> list[Chunk]:
    file = SourceFile(PurePosixPath(f"a.{language}"), len(data), 0, language)
    return chunkers.cut(file, documents.read(language, data))


def text_of(document: Document) -> str:
    return "\n".join(line for part in document.parts for line in part.lines)


def test_the_pages_of_a_pdf_file_are_its_anchors(paper: Callable[..., papers.Paper]) -> None:
    sheets = paper("白皮书 White paper")
    for number in range(1, 6):
        sheets.page()
        sheets.heading(f"第{number}章 Chapter")
        sheets.text(f"内容{number}讲的是检索。" * 30)
    found = chunks("pdf", sheets.data())
    assert [chunk.anchor for chunk in found] == [f"page {number}" for number in range(1, 6)]
    assert [chunk.symbol for chunk in found] == [f"第{number}章 Chapter" for number in range(1, 6)]
    assert all(f"内容{chunk.anchor[5:]}讲" in chunk.text for chunk in found)


def test_running_headers_and_page_numbers_are_dropped(paper: Callable[..., papers.Paper]) -> None:
    sheets = paper("Confidential draft")
    for number in range(1, 5):
        sheets.page()
        sheets.text(f"Text number {'one two three four'.split()[number - 1]} of this document.")
    assert text_of(documents.read("pdf", sheets.data())).split("\n") == [
        f"Text number {number} of this document." for number in "one two three four".split()
    ]


def test_columns_are_read_one_after_the_other(paper: Callable[..., papers.Paper]) -> None:
    sheets = paper()
    sheets.page()
    left = [f"left words in line {number} of the first" for number in range(9)]
    right = [f"right words in line {number} of the second" for number in range(9)]
    sheets.heading("A heading that goes across both of the columns of this page")
    sheets.columns(left, right)
    text = text_of(documents.read("pdf", sheets.data())).replace("\n", " ")
    assert " ".join(left) in text
    assert " ".join(right) in text
    assert text.index("heading") < text.index("left") < text.index("right")


def test_lines_of_a_paragraph_are_joined_and_hyphens_taken_out(paper: Callable[..., papers.Paper]) -> None:
    sheets = paper()
    sheets.page()
    sheets.text("This text goes on in the multi-\nlingual part of a state-of-the-\nart retrieval system.")
    sheets.text("多语言代码检索把不同语言的代码\n放进同一个空间。")
    text = text_of(documents.read("pdf", sheets.data()))
    assert "in the multilingual part of a state-of-the-art retrieval system." in text
    assert "多语言代码检索把不同语言的代码放进同一个空间。" in text


def test_larger_lines_are_headings_by_their_size(paper: Callable[..., papers.Paper]) -> None:
    sheets = paper()
    sheets.page()
    sheets.heading("The Title", 24)
    sheets.text("Words about it. " * 20)
    sheets.heading("A Section", 16)
    sheets.text("Words about the section. " * 20)
    found = chunks("pdf", sheets.data())
    assert [(chunk.symbol, chunk.breadcrumb) for chunk in found] == [("The Title", ()), ("A Section", ("The Title",))]


def test_a_sentence_over_two_pages_ends_on_the_page_where_it_began(paper: Callable[..., papers.Paper]) -> None:
    sheets = paper()
    sheets.page()
    sheets.text("The first page has a sentence that is cut in the middle and")
    sheets.page()
    sheets.text("goes on over here. The second sentence is the second page's own.")
    first, second = documents.read("pdf", sheets.data()).parts
    assert first.lines[-1].endswith("in the middle and goes on over here.")
    assert second.lines == ("The second sentence is the second page's own.",)


def test_signs_that_look_like_characters_are_these_characters() -> None:
    from codeseek.documents.record import cleaned

    assert cleaned("⽂⽊ ﬁle\u00ad\x07 名\ue000") == "文木 file 名"


def test_a_table_of_contents_is_left_out(paper: Callable[..., papers.Paper]) -> None:
    sheets = paper()
    sheets.page()
    for line in (
        "1.1 Background . . . . . . . . . . 4",
        "1.2 设计 ........... 12",
        "The text begins here and goes on.",
    ):
        sheets.text(line)
    assert text_of(documents.read("pdf", sheets.data())) == "The text begins here and goes on."


def test_a_long_paragraph_is_shown_in_lines_that_end_where_sentences_do() -> None:
    sentences = "".join(f"这是第{number}个句子，它说明了一件事情。" for number in range(30))
    lines = wrapped(sentences)
    assert "".join(lines) == sentences
    assert all(line.endswith("。") and len(line) < 120 for line in lines)
    assert wrapped("short") == ["short"]
    assert wrapped(f"3. {'The third of them. ' * 20}")[0].startswith("3. The third")
    assert "".join(wrapped("字" * 3000)) == "字" * 3000
    assert joined("检索", "代码") == "检索代码"
    assert joined("the re-", "Use") == "the re-Use"


def test_cells_of_a_notebook_are_prose_and_code() -> None:
    data = papers.notebook(
        [
            ("markdown", "# 数据 Data\n\nHow the data are loaded."),
            ("markdown", "## Load"),
            ("code", "import json\n\n\ndef load(path):\n    # read it\n    return json.load(open(path))\n"),
            ("code", "%%bash\nls -l"),
            ("raw", "left as it is"),
        ],
        outputs="an output nobody looks for",
    )
    found = chunks("notebook", data)
    tiles = [chunk for chunk in found if chunk.kind != "comment"]
    assert not any("output nobody" in chunk.text for chunk in found)
    assert [(chunk.anchor, chunk.language) for chunk in tiles] == [
        ("cell 1", "markdown"),
        ("cell 3", "python"),
        ("cell 4", "bash"),
        ("cell 5", "text"),
    ]
    function = tiles[1]
    assert (function.kind, function.symbol, function.breadcrumb) == ("function", "load", ("数据 Data", "Load"))
    assert function.text.startswith("## Load\n\nimport json")  # a heading alone stands with what it heads


def test_a_cell_that_only_shows_something_goes_with_the_one_before() -> None:
    cells = [
        ("code", "frame = read_table('a.csv')"),
        ("code", "frame.head()"),
        ("code", "frame.info()"),
        ("markdown", "end"),
    ]
    parts = documents.read("notebook", papers.notebook(cells)).parts
    assert [part.anchor for part in parts] == ["cells 1-3", "cell 4"]
    assert parts[0].lines == ("frame = read_table('a.csv')", "", "frame.head()", "", "frame.info()")


def test_the_chunks_of_a_notebook_are_its_lines() -> None:
    cells = [
        ("markdown", "# A\n\ntext"),
        ("markdown", "## B"),
        ("code", "x = 1\n\ndef f():\n    pass"),
        ("markdown", "# C"),
    ]
    data = papers.notebook(cells)
    lines = [line for part in documents.read("notebook", data).parts for line in (*part.lines, "")]
    covered: set[int] = set()
    for chunk in chunks("notebook", data):
        assert chunk.text.rstrip("\n").split("\n") == lines[chunk.first_line - 1 : chunk.last_line]
        covered |= set(range(chunk.first_line, chunk.last_line + 1))
        assert all(chunk.first_line <= one.line <= chunk.last_line for one in chunk.definitions)
        assert all(one.first_line == one.line <= one.last_line <= chunk.last_line for one in chunk.definitions)
    assert all(not line or number in covered for number, line in enumerate(lines, 1))


@pytest.mark.parametrize("kernel", ["R", "ir", "julia", "C++17", "javascript", "unheard-of"])
def test_a_notebook_of_any_kernel_is_read(kernel: str) -> None:
    assert chunks("notebook", papers.notebook([("code", "x <- 1")], kernel))


def test_an_old_notebook_is_read() -> None:
    heading = '{"cell_type": "heading", "level": 2, "source": "Old"}'
    data = f'{{"worksheets": [{{"cells": [{heading}, {{"cell_type": "code", "input": "y"}}]}}]}}'.encode()
    assert [part.lines for part in documents.read("notebook", data).parts] == [("## Old",), ("y",)]


def test_a_word_document_is_cut_at_its_headings() -> None:
    cells = "".join(f"<w:tc><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc>" for text in "键值")
    table = f"<w:tbl><w:tr>{cells}</w:tr></w:tbl>"
    deleted = "<w:p><w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:r><w:t>kept</w:t></w:r></w:p>"
    data = papers.docx(
        [(1, "设计 Design"), (0, "The index is one file. " * 20), (2, "锁 Locks"), (0, "One writer. " * 20)],
        "手册",
        table + deleted,
    )
    found = chunks("docx", data)
    assert [(chunk.symbol, chunk.breadcrumb, chunk.anchor) for chunk in found] == [
        ("设计 Design", ("手册",), "paragraph 1"),
        ("锁 Locks", ("手册", "设计 Design"), "paragraph 3"),
    ]
    assert "键 | 值" in found[1].text
    assert "kept" in found[1].text
    assert "gone" not in found[1].text


def test_a_word_document_without_headings_is_found_by_its_paragraphs() -> None:
    data = papers.docx(
        [(0, f"Paragraph {number} says this. " + "One of many sentences. " * 20) for number in range(1, 30)]
    )
    found = chunks("docx", data)
    assert len(found) > 5
    for chunk in found:
        (first,) = re.findall(r"Paragraph (\d+)", chunk.text.splitlines()[0])
        assert chunk.anchor == f"paragraph {first}"


def test_a_slide_is_found_by_its_number_with_its_notes() -> None:
    data = papers.pptx(
        [("开始", ["hello"], ""), ("Plan", ["first", "second"], "say this slowly"), ("End", ["bye"], "")]
    )
    found = chunks("pptx", data)
    assert [(chunk.anchor, chunk.symbol) for chunk in found] == [
        ("slide 1", "开始"),
        ("slide 2", "Plan"),
        ("slide 3", "End"),
    ]
    assert found[1].text == "Plan\n\nfirst\nsecond\n\nsay this slowly"


def test_the_parts_of_a_book_come_in_the_order_of_reading() -> None:
    data = papers.epub(
        ["<h1>第一章</h1><p>很久以前。</p>", "<h1>Two</h1><p>It went on &amp; on.</p><pre>a = 1\n  b = 2</pre>"], "书"
    )
    found = chunks("epub", data)
    assert [(chunk.anchor, chunk.symbol, chunk.breadcrumb) for chunk in found] == [
        ("part 1", "第一章", ("书",)),
        ("part 2", "Two", ("书",)),
    ]
    assert found[1].text == "Two\n\nIt went on & on.\n\na = 1\n  b = 2"


PAGE = """<!DOCTYPE html>
<html><head><title>The guide</title><style>p { color: red }</style>
<script>var hidden = "<p>no</p>";</script></head>
<body>
<nav><ul><li><a href="/">Home</a></li><li><a href="/x">Other</a></li></ul></nav>
<main>
<h1 id="a">Installing <em>it</em></h1>
<p>First you fetch the package, and then
you run the <code>installer</code> of it. &lt;yes&gt; 安装很简单，只需要几分钟。</p>
<h2>On a server</h2>
<p>There you do the same as a user who may write there, and nothing besides, as was said above.</p>
<p>Without a network take the file along and name it, which is what the installer asks you for first.</p>
</main>
<footer>Copyright</footer>
</body></html>
"""


def test_a_page_is_its_main_text_line_by_line() -> None:
    file = SourceFile(PurePosixPath("a.html"), len(PAGE), 0, "html")
    first, second = chunkers.chunk(file, PAGE)
    assert (first.symbol, first.first_line, first.last_line, first.breadcrumb) == (
        "Installing it",
        7,
        9,
        ("The guide",),
    )
    assert first.text == (
        "Installing it\nFirst you fetch the package, and then\n"
        "you run the installer of it. <yes> 安装很简单，只需要几分钟。"
    )
    assert (second.symbol, second.first_line, second.last_line) == ("On a server", 10, 12)


def test_a_template_stays_as_it_is() -> None:
    template = PAGE.replace("the package", "{{ package }}")
    file = SourceFile(PurePosixPath("a.html"), len(template), 0, "html")
    assert html.page(template) is None
    assert any("{{ package }}" in chunk.text and "<p>" in chunk.text for chunk in chunkers.chunk(file, template))


def test_a_page_about_templates_or_with_scripts_is_a_page() -> None:
    shown = PAGE.replace("</h2>", "</h2><pre>{{ name }}</pre>").replace("var hidden", "var url = `${host}`, hidden")
    page = html.page(shown)
    assert page is not None
    assert "{{ name }}" in text_of(page)
    assert "host" not in text_of(page)


def test_menus_are_left_out() -> None:
    links = "".join(f'<li><a href="{number}">Chapter {number}</a></li>' for number in range(5))
    _, blocks = html.read(f"<h1>T</h1><ul>{links}</ul><p>See <a href='x'>this</a>, which says it all.</p>")
    assert [block.text for block in blocks] == ["T", "See this, which says it all."]


@pytest.mark.parametrize(
    "text",
    [
        part * (400_000 // len(part))
        for part in (
            "<!--",
            "<a ",
            '<a "',
            "<script>",
            "<",
            "</",
            "<!",
            "<div>",
            "<p>x",
            "&#x",
            "<title>",
            "<head><nav>",
        )
    ],
    ids=lambda text: text[:8],
)
def test_no_page_takes_long(text: str) -> None:
    html.read(text)


# ---------------------------------------------------------------- what is refused


def bomb() -> bytes:
    """Return a small archive that is large when it is unpacked."""
    return papers.packed({"word/document.xml": b"<a>" + b" " * 80_000_000, "_rels/.rels": "<a/>"})


def refusal(language: str, data: bytes) -> str:
    with Extractor() as extractor, pytest.raises(Unfit) as caught:
        extractor.read(language, data)
    return str(caught.value)


def encrypted_pdf(font_file: str) -> bytes:
    sheets = papers.Paper(font_file=font_file)
    sheets.page()
    sheets.text("secret")
    sheets.pdf.set_encryption(owner_password="o", user_password="u")  # noqa: S106  it is a test's
    return sheets.data()


def test_every_refusal_says_why(font_file: str) -> None:
    scanned = papers.tiny_pdf("").replace(b"( 1) Tj", b"       ")
    entities = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><x>&b;</x>'
    assert refusal("pdf", encrypted_pdf(font_file)) == "encrypted"
    assert refusal("pdf", scanned) == "no text: pages are pictures"
    assert refusal("pdf", b"%PDF-1.4 nothing of the kind") == "damaged"
    assert refusal("docx", bomb()) == "too large when unpacked"
    assert refusal("docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old") == "encrypted, or of an old format"
    assert refusal("docx", papers.packed({"word/document.xml": entities})) == "declares entities"
    assert refusal("docx", papers.docx([])) == "no text"
    assert refusal("pptx", papers.packed({"a": "b"})) == "damaged"
    assert refusal("epub", papers.epub([])) == "no text"
    cipher = '<e><CipherReference URI="OPS/text/p%200.xhtml"/></e>'
    assert refusal("epub", papers.epub(["<p>x</p>"], extra={"META-INF/encryption.xml": cipher})) == "encrypted"
    assert refusal("notebook", b"{") == "damaged"
    assert refusal("notebook", b"[]") == "no notebook"
    assert refusal("notebook", b"[" * 100_000) == "damaged"
    assert refusal("notebook", papers.notebook([("code", " ")])) == "no text"


def test_a_document_that_takes_too_long_or_too_much_is_given_up() -> None:
    many = papers.tiny_pdf("word " * 200, pages=2_000)
    with Extractor(time_s=0.05) as hasty, pytest.raises(Unfit, match=SLOW):
        hasty.read("pdf", many)
    with Extractor(memory_bytes=200_000_000) as small:
        with pytest.raises(Unfit, match=f"{LARGE}|{CRASHED}"):
            small.read(
                "docx", papers.packed({"word/document.xml": b"<a>" + b"<b>x</b>" * 7_000_000, "_rels/.rels": "<a/>"})
            )
        assert small.read("pdf", papers.tiny_pdf("the next one")).parts


def test_two_thousand_pages_keep_their_numbers() -> None:
    with Extractor() as extractor:
        parts = extractor.read("pdf", papers.tiny_pdf("this is page", pages=2_000)).parts
    assert [part.lines for part in parts] == [(f"this is page {number}",) for number in range(1, 2_001)]
    assert parts[1_999].anchor == "page 2000"


def test_a_crash_of_a_parser_costs_one_document() -> None:
    with Extractor() as extractor:
        assert extractor.read("pdf", papers.tiny_pdf("one")).parts
        os.kill(extractor.pid, signal.SIGKILL)
        with pytest.raises(Unfit, match=CRASHED):
            extractor.read("pdf", papers.tiny_pdf("two"))
        assert extractor.read("pdf", papers.tiny_pdf("three")).parts


def test_without_the_extra_a_pdf_file_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "find_spec", lambda name: None)
    assert documents.missing("pdf") == "needs `pip install codeseek[docs]`"
    assert not documents.missing("docx")


def test_a_parser_is_imported_only_where_a_document_is_met() -> None:
    script = (
        "import sys, codeseek.batch, codeseek.chunkers.code, codeseek.local, codeseek.walker\n"
        "print(*(name for name in sys.modules if name.startswith(('pypdfium2', 'codeseek.documents.'))))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"codeseek.documents.record", "codeseek.documents.extractor"}


# ---------------------------------------------------------------- damage

SOUND = {
    "pdf": papers.tiny_pdf("page number", pages=5),
    "docx": papers.docx([(1, "Heading"), (0, "Some words. " * 40), (2, "Next"), (0, "More. " * 30)], "t"),
    "pptx": papers.pptx([(f"Slide {number}", ["a line"], "notes") for number in range(1, 6)]),
    "epub": papers.epub([f"<h1>Part {number}</h1><p>Text of it.</p>" for number in range(1, 6)], "t"),
    "notebook": papers.notebook([("markdown", "# T"), ("code", "def f():\n    return 1\n"), ("markdown", "words")]),
}


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Return bytes cut off, with bits turned, or with a piece taken out, doubled or overwritten."""
    spoilt = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(max(1, len(spoilt)))
        match chance.randrange(5):
            case 0:
                del spoilt[at:]
            case 1:
                del spoilt[at : at + chance.randint(1, 200)]
            case 2:
                spoilt[at:at] = spoilt[at : at + chance.randint(1, 200)]
            case 3:
                spoilt[at : at + 8] = chance.randbytes(8)
            case _:
                for _ in range(chance.randint(1, 20)):
                    if spoilt:
                        spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(8)
    return bytes(spoilt)


def pages_as_shown(data: bytes) -> list[str]:
    """Return the text of each page, as whoever looks at the file finds them."""
    import pypdfium2

    pdf = pypdfium2.PdfDocument(data)
    texts = []
    for number in range(len(pdf)):
        try:
            page = pdf[number]
        except pypdfium2.PdfiumError:
            texts.append("")
            continue
        sheet = page.get_textpage()
        texts.append(sheet.get_text_range())
        sheet.close()
        page.close()
    pdf.close()
    return texts


@pytest.mark.parametrize("language", sorted(SOUND))
def test_damage_never_crashes_hangs_or_moves_an_anchor(language: str) -> None:
    chance = random.Random(language)
    with Extractor(time_s=20) as extractor:
        for _ in range(250):
            data = damaged(SOUND[language], chance)
            try:
                document = extractor.read(language, data)
            except Unfit as error:
                reason = str(error)
                assert reason not in (CRASHED, SLOW, LARGE)
                continue
            file = SourceFile(PurePosixPath("a"), len(data), 0, language)
            assert all(chunk.anchor and chunk.text.strip() for chunk in chunkers.cut(file, document))
            if language == "pdf":
                shown = pages_as_shown(data)
                assert [part.anchor for part in document.parts] == [
                    f"page {number}" for number in range(1, len(shown) + 1)
                ]
                for part, text in zip(document.parts, shown, strict=True):
                    assert set("".join(part.lines).split()) <= set(text.split())


def test_damaged_pages_never_take_long() -> None:
    chance = random.Random(7)
    for _ in range(300):
        html.page(damaged(PAGE.encode(), chance).decode("utf-8", "replace"))


def test_an_archive_of_thousands_of_entries_is_refused() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for number in range(50_001):
            archive.writestr(str(number), b"")
    assert refusal("docx", stream.getvalue()) == "too many entries"
