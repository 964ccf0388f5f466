from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeseek.chunkers import prose
from codeseek.records import Chunk, SourceFile

LANGUAGES = ["markdown", "rst", "asciidoc", "org", "rdoc", "man", "tex", "text", "html"]


def cut(text: str, language: str = "markdown") -> list[Chunk]:
    file = SourceFile(PurePosixPath("docs/a"), len(text), 0, language)
    return prose.chunk(file, text)


def outline(text: str, language: str = "markdown") -> list[tuple[str, str]]:
    """Return each section's headings, outermost first, and its first line."""
    chunks = cut(textwrap.dedent(text).lstrip("\n"), language)
    return [(" > ".join((*chunk.breadcrumb, chunk.symbol)), chunk.text.split("\n")[0]) for chunk in chunks]


def headings(text: str, language: str = "markdown") -> list[str]:
    return [heading for heading, _ in outline(text, language)]


BODY = "Enough words to make a section of its own, which is not so short that it goes with others. " * 2


# ---------------------------------------------------------------- Markdown


def test_a_section_goes_from_its_heading_to_the_next_and_knows_what_encloses_it() -> None:
    chunks = cut(f"# Guide\n\n{BODY}\n\n## Install\n\n{BODY}\n### On Linux\n{BODY}\n## Use\n{BODY}\n")
    assert [(chunk.symbol, chunk.breadcrumb, chunk.first_line, chunk.last_line) for chunk in chunks] == [
        ("Guide", (), 1, 3),
        ("Install", ("Guide",), 5, 7),
        ("On Linux", ("Guide", "Install"), 8, 9),
        ("Use", ("Guide",), 10, 11),
    ]
    assert {chunk.kind for chunk in chunks} == {"section"}
    assert chunks[1].text == f"## Install\n\n{BODY}"


def test_a_heading_is_shown_without_its_markup() -> None:
    text = "".join(
        f"{heading}\n\n{BODY}\n"
        for heading in [
            "## 依赖注入 { #dependencies }",
            "## `Store.open()` and **bold**",
            "## [linked](https://example.com) text ##",
            "## A &amp; B \\*",
            "## C#",
            '## <a name="x"></a>Anchored',
            "## ![logo](logo.png) Logo",
        ]
    )
    assert [chunk.symbol for chunk in cut(text)] == [
        "依赖注入",
        "Store.open() and bold",
        "linked text",
        "A & B *",
        "C#",
        "Anchored",
        "Logo",
    ]


def test_underlined_headings_count() -> None:
    assert headings(f"Title\n=====\n\n{BODY}\n\nPart\n----\n{BODY}\n\n- item\n---\n{BODY}\n") == [
        "Title",
        "Title > Part",
    ]


def test_front_matter_names_the_document() -> None:
    text = f"---\ntags: [a]\ntitle: 'The guide'\n---\n\n{BODY}\n\n## Install\n{BODY}\n"
    assert headings(text) == ["The guide", "The guide > Install"]
    assert headings(f'+++\ntitle = "The guide"\n+++\n## Install\n{BODY}\n') == ["The guide > Install"]
    assert headings(f"---\n\n{BODY * 2}\n\n# Title\n{BODY}\n") == ["", "Title"]


@pytest.mark.parametrize("fence", ["```", "~~~", "````", "   ```", "- ```", "> ```"])
def test_what_looks_like_a_heading_in_a_fence_is_none(fence: str) -> None:
    opening, closing = fence.replace("- ", ""), fence.lstrip("- ")
    assert headings(f"# A\n{BODY}\n{opening}sh\n# comment\n## comment\n{closing}\n## B\n{BODY}\n") == ["A", "A > B"]


def test_a_fence_is_closed_only_by_its_like() -> None:
    assert headings(f"# A\n{BODY}\n````\n```\n# no\n~~~\n````\n## B\n{BODY}\n") == ["A", "A > B"]


def test_a_fence_that_is_never_closed_swallows_nothing() -> None:
    assert headings(f"# A\n{BODY}\n```\n## B\n{BODY}\n## C\n{BODY}\n") == ["A", "A > B", "A > C"]


def test_no_chunk_ends_within_a_fence() -> None:
    code = "".join(f"value_{number} = {number}\n\n" for number in range(250))
    text = f"# A\n\n{BODY * 6}\n\n```python\n{code}```\n\n{BODY * 12}\n"
    [block] = [chunk for chunk in cut(text) if "```" in chunk.text]
    assert block.text.startswith("```python\n")
    assert block.text.endswith("\n```")
    assert len(block.text) > 2400


def test_headings_in_html_and_comments() -> None:
    text = f"""
    <h1 align="center">
      <img src="logo.svg" alt="logo">
      Project
    </h1>

    {BODY}
    <!--
    ## not this
    -->
    <h2 id="x">Part</h2>
    {BODY}
    """
    assert headings(text) == ["Project", "Project > Part"]


def test_a_heading_with_nothing_below_goes_with_the_first_section_in_it() -> None:
    assert outline(f"# Guide\n\n## Install\n\n{BODY}\n## Use\n\n{BODY}\n") == [
        ("Guide > Install", "# Guide"),
        ("Guide > Use", "## Use"),
    ]


def test_one_line_sections_side_by_side_are_one() -> None:
    chunks = cut(f"# API\n\n{BODY}\n\n### get()\n\n### put()\n\nWrites.\n\n### delete()\n\n{BODY}\n")
    assert [(chunk.symbol, chunk.first_line, chunk.last_line) for chunk in chunks] == [
        ("API", 1, 3),
        ("get(), put()", 5, 9),
        ("delete()", 11, 13),
    ]


def test_chinese_says_much_in_few_signs() -> None:
    text = (
        "# 文档\n\n## 安装\n\n使用包管理器安装这个工具，然后建立索引，就可以开始检索代码了，不需要联网。\n\n## 配置\n\n"
        + "配置文件位于项目的根目录。" * 9
    )
    assert [chunk.symbol for chunk in cut(text)] == ["安装", "配置"]


def test_a_long_section_is_cut_at_paragraphs() -> None:
    paragraphs = [f"Paragraph {number}. " + "word " * 80 for number in range(30)]
    chunks = cut("# A\n\n" + "\n\n".join(paragraphs))
    assert all(700 <= len(chunk.text) <= 2400 for chunk in chunks)
    assert all(chunk.text.startswith(("# A", "Paragraph")) for chunk in chunks)
    assert {(chunk.symbol, chunk.breadcrumb) for chunk in chunks} == {("A", ())}


def test_a_long_list_is_cut_between_items() -> None:
    items = "".join(f"- item {number}\n  that goes on\n" for number in range(200))
    assert all(chunk.text.startswith(("# A", "- item")) for chunk in cut(f"# A\n\n{items}"))


def test_a_huge_line_is_cut_into_parts_of_the_same_line() -> None:
    text = "# A\n\n" + "sentence " * 5000
    chunks = [chunk for chunk in cut(text) if chunk.first_line == 3]
    assert "".join(chunk.text for chunk in chunks) == "sentence " * 5000
    assert all(len(chunk.text) <= 2400 and chunk.last_line == 3 for chunk in chunks)


# ---------------------------------------------------------------- other markup


def test_restructured_text() -> None:
    text = f"""
    =====
    Title
    =====

    {BODY}

    Part
    ====
    {BODY}

    Sub :func:`open <x>`
    --------------------
    {BODY}

    Other
    =====
    {BODY}
    """
    assert headings(text, "rst") == ["Title", "Title > Part", "Title > Part > Sub open", "Title > Other"]


def test_asciidoc() -> None:
    text = f"= Title\n\n{BODY}\n\n== Part\n{BODY}\n----\n== code\n----\n=== Sub\n{BODY}\n"
    assert headings(text, "asciidoc") == ["Title", "Title > Part", "Title > Part > Sub"]


def test_org() -> None:
    text = (
        f"#+TITLE: Notes\n{BODY * 2}\n* TODO [#A] Part :tag:\n{BODY}\n#+begin_src sh\n* no\n#+end_src\n** Sub\n{BODY}\n"
    )
    assert headings(text, "org") == ["Notes", "Notes > Part", "Notes > Part > Sub"]


def test_rdoc_man_pages_and_tex() -> None:
    assert headings(f"= Active \\Record\n\n{BODY}\n== Part\n{BODY}\n", "rdoc") == [
        "Active Record",
        "Active Record > Part",
    ]
    page = f'.TH X 1\n.SH NAME\n{BODY}\n.SS "Sub part"\n{BODY}\n.SH DESCRIPTION\n{BODY}\n'
    assert headings(page, "man") == ["Name", "Name > Sub part", "Description"]
    paper = f"\\title{{A \\emph{{paper}}}}\n\\section{{One}}\n{BODY}\n\\subsection*{{Two}}\n{BODY}\n"
    assert headings(paper, "tex") == ["A paper > One", "A paper > One > Two"]


def test_html() -> None:
    text = f"<html><head><title>Site</title></head>\n<body><h1>Page</h1>\n<p>{BODY}\n<h2\nclass=x>no</h2>\n<h2>Part</h2>\n{BODY}"
    assert headings(text, "html") == ["Site > Page", "Site > Page > Part"]


def test_vim_s_help() -> None:
    text = f"""
    *tool.txt*   A tool

    {"=" * 78}
    INTRODUCTION                                  *tool*

    {BODY}

    tool.setup({{opts}})                             *tool.setup()*
      {BODY}

    {"-" * 78}
    Details
    {BODY}
    """
    assert headings(text, "text") == ["INTRODUCTION", "INTRODUCTION > tool.setup({opts})", "INTRODUCTION > Details"]


def test_plain_text_by_its_looks() -> None:
    assert headings(f"Title\n=====\n\n{BODY}\n\n# not one\n{BODY}\n\nPart\n----\n{BODY}\n", "text") == [
        "Title",
        "Title > Part",
    ]
    assert headings(f"## One\n{BODY}\n### Two\n{BODY}\n", "text") == ["One", "One > Two"]
    assert headings(f"{BODY}\n\n{BODY}\n", "text") == [""]


# ---------------------------------------------------------------- whatever comes

FRAGMENTS = st.sampled_from(
    [
        *(
            "# One",
            "## Two",
            "###### Six",
            "####### Seven",
            "#no",
            "# ",
            "===",
            "---",
            "-----",
            "~~~~",
            "^^^^",
            "* Org",
        ),
        *("```", "~~~", "````py", "<h1>Html</h1>", "<h2>", "</h2>", "<!--", "-->", "= Ascii", "==", "|===", "----"),
        *(".SH NAME", "\\section{Tex}", "#+begin_src", "#+end_src", "*tag*", "text *tag*", "+++", "title: x", "=" * 40),
        *("", "", "", " ", "words", "  indented words", "中文说明", "\x0c", "a\x85b\u2028c", "x" * 50, "word " * 300),
    ]
)
TEXTS = st.lists(FRAGMENTS, max_size=60).flatmap(
    lambda lines: st.sampled_from(["\n", "\r\n", "\r"]).map(lambda end: end.join(lines))
)


def lines_of(text: str) -> list[str]:
    return re.split(r"\r\n|\r|\n", text)


def assert_tiles(text: str, chunks: Sequence[Chunk]) -> None:
    lines = lines_of(text)
    covered: list[int] = []
    for chunk in chunks:
        assert 1 <= chunk.first_line <= chunk.last_line <= len(lines)
        assert lines_of(chunk.text) == lines[chunk.first_line - 1 : chunk.last_line]
        covered += range(chunk.first_line, chunk.last_line + 1)
    assert covered == sorted(set(covered))
    assert {number for number, line in enumerate(lines, 1) if line.strip()} <= set(covered)


@given(TEXTS, st.sampled_from(LANGUAGES))
def test_sections_tile_any_document(text: str, language: str) -> None:
    assert_tiles(text, cut(text, language))


@given(st.text(max_size=300), st.sampled_from(LANGUAGES))
def test_no_text_is_too_strange(text: str, language: str) -> None:
    assert_tiles(text, cut(text, language))


@given(TEXTS)
def test_a_whole_fence_is_in_one_section(text: str) -> None:
    chunks = cut(f"# A\n\n```\n{text.replace('`', '')}\n```\n\n# B\n")
    [block] = [chunk for chunk in chunks if chunk.first_line <= 3 <= chunk.last_line]
    assert len(lines_of(block.text)) >= len(lines_of(text)) or len(text) > 6000


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "text",
    [
        "# " + " " * 75_000 + "x",
        "#" * 75_000,
        "<h1 " * 20_000,
        "<h1>\n" * 15_000,
        "```\n~~~\n````\n" * 5000,
        "<!--\n" * 15_000,
        "[" * 75_000,
        ("*" * 2000 + "\n") * 150,
        "=\n" * 37_500,
        "x\n===\n" * 12_500,
        "----\n" * 15_000,
        "\\section{" * 7500,
        "{#" * 37_500,
        "a\n" * 37_500,
        "\n" * 75_000,
        "x" * 75_000,
    ],
    ids=lambda text: text[:12],
)
@pytest.mark.timeout(20)  # what is not linear takes minutes
def test_no_text_takes_long(text: str, language: str) -> None:
    assert cut(text, language) is not None
