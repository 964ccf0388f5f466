from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from codeseek import chunkers, inside
from codeseek.chunkers import code, grammars
from codeseek.languages import LANGUAGES, language_of
from codeseek.records import KINDS, Chunk, SourceFile

CORPUS = Path(__file__).parent / "corpus" / "code"
FIXTURES = sorted(path.name for path in CORPUS.iterdir() if path.is_file())
LANGUAGES_WITH_GRAMMAR = sorted(grammars.QUERIES)


def chunk(text: str, language: str = "python", path: str = "src/store") -> list[Chunk]:
    return chunkers.chunk(SourceFile(PurePosixPath(path), len(text), 0, language), text)


def tiles(chunks: Sequence[Chunk]) -> list[Chunk]:
    return [chunk for chunk in chunks if chunk.kind != "comment"]


def overlays(chunks: Sequence[Chunk]) -> list[Chunk]:
    return [chunk for chunk in chunks if chunk.kind == "comment"]


def only(chunks: Sequence[Chunk]) -> Chunk:
    assert len(chunks) == 1
    return chunks[0]


def editor_lines(text: str) -> list[str]:
    return re.split("\r\n|\r|\n", text)


def names(chunks: Sequence[Chunk]) -> list[str]:
    return [definition.name for chunk in chunks for definition in chunk.definitions]


def assert_sound(text: str, chunks: Sequence[Chunk]) -> None:
    """Check what must hold for the chunks of any text."""
    lines = editor_lines(text)
    held = [0] * len(lines)
    overlaid = False
    for piece in chunks:
        assert piece.kind in KINDS
        assert 1 <= piece.first_line <= piece.last_line <= len(lines)
        assert piece.text.strip()
        own_lines = lines[piece.first_line - 1 : piece.last_line]
        if len(own_lines) > 1 or len(own_lines[0]) <= 4000:
            assert editor_lines(piece.text) == own_lines
        else:
            assert piece.text in own_lines[0]
        end = 0
        for a, b in piece.comments:
            assert end <= a < b <= len(piece.text)
            end = b
        if piece.kind == "comment":
            overlaid = True
            assert not piece.definitions
            continue
        assert not overlaid
        for number in range(piece.first_line - 1, piece.last_line):
            held[number] += 1
        for definition in piece.definitions:
            assert piece.first_line <= definition.line <= piece.last_line
            assert definition.name
            own = inside.part(piece, definition)
            assert piece.first_line <= own.first_line <= definition.line <= own.last_line <= piece.last_line
            if len(own_lines) > 1:
                assert editor_lines(own.text) == lines[own.first_line - 1 : own.last_line]
            assert all(0 <= a < b <= len(own.text) for a, b in own.comments)
    for number, line in enumerate(lines):
        if line.strip() and len(line) <= 4000:
            assert held[number] == 1, f"line {number + 1} is in {held[number]} chunks"
        else:
            assert line.strip() == "" or held[number] >= 1


def drawn(chunks: Sequence[Chunk]) -> str:
    rows = []
    for piece in chunks:
        defined = " ".join(f"{definition.kind}:{definition.name}@{definition.line}" for definition in piece.definitions)
        comments = " ".join(repr(piece.text[a:b]) for a, b in piece.comments)
        where = f"{piece.first_line}-{piece.last_line}"
        rows.append(f"{where:7} {piece.kind:8} {piece.symbol or '-'} < {'/'.join(piece.breadcrumb) or '-'}")
        rows += [f"          {defined}"] if defined else []
        rows += [f"          # {comments}"] if comments else []
    return "\n".join(rows)


@pytest.mark.parametrize("name", FIXTURES)
def test_definitions_comments_and_symbols_are_what_the_language_says(
    name: str, snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code, "LARGEST_UNIT", 200)
    monkeypatch.setattr(code, "_PIECE", 150)
    monkeypatch.setattr(code, "_SMALL", 30)
    monkeypatch.setattr(code, "_TINY", 20)
    monkeypatch.setattr(code, "_SHORTEST_COMMENT", 20)
    text = (CORPUS / name).read_text(encoding="utf-8")
    language = language_of(PurePosixPath(name))
    assert language is not None
    chunks = chunk(text, language, name)
    assert_sound(text, chunks)
    assert drawn(chunks) == snapshot


def test_every_language_with_a_grammar_has_a_fixture() -> None:
    assert {language_of(PurePosixPath(name)) for name in FIXTURES} == set(LANGUAGES_WITH_GRAMMAR)


def test_every_language_with_a_grammar_is_cut_by_it() -> None:
    assert set(LANGUAGES_WITH_GRAMMAR) == {name for name, language in LANGUAGES.items() if language.grammar}


@st.composite
def texts(draw: st.DrawFn, language: str) -> str:
    """Draw text that is often near the language's syntax, and has every kind of line end and odd character."""
    name = next(name for name in FIXTURES if language_of(PurePosixPath(name)) == language)
    lines = (CORPUS / name).read_text(encoding="utf-8").split("\n")
    start = draw(st.integers(0, len(lines)))
    parts = lines[start : start + draw(st.integers(0, 40))]
    odd = st.sampled_from(
        [
            "",
            " ",
            "\t",
            "\f",
            "\x00",
            "\ufeff",
            "\u2028",
            "\x1c",
            "函数",
            "é",
            "😀",
            "{",
            "}",
            "(",
            '"',
            "'",
            "/*",
            "*/",
            "#",
            "\\",
        ]
    )
    for _ in range(draw(st.integers(0, 6))):
        parts.insert(
            draw(st.integers(0, len(parts))), draw(odd | st.text(max_size=20)) * draw(st.sampled_from([1, 1, 3, 900]))
        )
    end = draw(st.sampled_from(["\n", "\n", "\r\n", "\r", "mixed"]))
    if end != "mixed":
        return end.join(parts)
    return "".join(part + draw(st.sampled_from(["\n", "\r\n", "\r", "\n\r"])) for part in parts)


@pytest.mark.parametrize("language", [*LANGUAGES_WITH_GRAMMAR, "perl"])
def test_chunks_tile_the_file_whatever_it_holds(language: str) -> None:
    @settings(max_examples=12, deadline=None, database=None)
    @given(texts(language if language in LANGUAGES_WITH_GRAMMAR else "bash"))
    def check(text: str) -> None:
        assert_sound(text, chunk(text, language))

    check()


def test_line_numbers_equal_an_editors() -> None:
    text = "a = '\x0c\x1c\u2028\x85'\x0c\n\r\ndef second():\r    pass\r\r\ndef third(): pass\n" + "# more\n" * 200
    definitions = [definition for piece in chunk(text) for definition in piece.definitions]
    lines = editor_lines(text)
    assert [(definition.name, definition.line) for definition in definitions] == [("a", 1), ("second", 3), ("third", 6)]
    assert lines[2].startswith("def second")
    assert lines[5].startswith("def third")


def test_lone_carriage_returns_end_lines() -> None:
    text = "# Says what it does,\r# in two lines.\rdef first():\r    pass\r\r\rdef second():\r    pass\r"
    assert [(found.name, found.line) for piece in chunk(text) for found in piece.definitions] == [
        ("first", 3),
        ("second", 7),
    ]
    assert only(overlays(chunk(text))).symbol == "first"


def test_comments_are_character_ranges_where_text_is_not_ascii() -> None:
    text = "名字 = '值'  # 存放的值 😀\n\ndef 取值():\n    '''返回值。'''\n    return 名字\n"
    piece = only(tiles(chunk(text)))
    assert [piece.text[a:b] for a, b in piece.comments] == ["# 存放的值 😀", "'''返回值。'''"]
    assert names([piece]) == ["名字", "取值"]


def test_a_short_file_is_one_chunk() -> None:
    piece = only(chunk("import os\n\n\ndef main():\n    pass\n"))
    assert (piece.kind, piece.symbol, piece.first_line, piece.last_line) == ("function", "main", 1, 5)


@pytest.mark.parametrize("text", ["", "\n", "\r\n\r\n", "  \n\t\n\x0c\n", "\ufeff"])
@pytest.mark.parametrize("language", ["python", "c", "vue", "perl"])
def test_a_blank_file_has_no_chunks(text: str, language: str) -> None:
    assert all(piece.text.strip() for piece in chunk(text, language))
    if not text.strip():
        assert chunk(text, language) == []


def test_a_byte_order_mark_hides_nothing() -> None:
    assert names(chunk("\ufeffdef main():\n    pass\n")) == ["main"]


LONG_BODY = "".join(f"    value_{number} = compute({number})\n" for number in range(30))


def test_a_definition_takes_its_comments_and_decorators_with_it() -> None:
    attached = "# Explains it,\n# in two lines.\n@decorated\n@twice(\n    1,\n)\n"
    text = f"def before():\n{LONG_BODY}\n{attached}def after():\n{LONG_BODY}"
    before, after = tiles(chunk(text))
    assert (before.symbol, after.symbol) == ("before", "after")
    assert after.text.startswith("# Explains it,")
    comment = only(overlays(chunk(text)))
    assert (comment.symbol, comment.first_line, comment.last_line) == ("after", 33, 34)


def test_a_comment_behind_a_blank_line_belongs_to_nothing() -> None:
    text = f"# About nothing in particular,\n# but in two lines.\n\ndef main():\n{LONG_BODY}"
    assert only(overlays(chunk(text))).symbol == ""


def test_long_documentation_stays_with_its_definition() -> None:
    text = (
        "".join(f"// Line {number} of what there is to say about it.\n" for number in range(100)) + "func main() {\n}\n"
    )
    chunks = chunk(text, "go")
    assert {piece.symbol for piece in chunks} == {"main"}
    assert all(len(piece.text) <= code.LARGEST_UNIT for piece in chunks)
    assert len(overlays(chunks)) > 1


def test_comments_inside_of_functions_are_no_chunks() -> None:
    text = "function main() {\n  // A comment that is long enough, being inside of a function after all.\n  run();\n}\n"
    piece = only(chunk(text, "javascript"))
    assert len(piece.comments) == 1


def test_documentation_inside_of_functions_is_a_chunk() -> None:
    documentation = '"""{} a value.\n\n        By its name."""\n'
    text = (
        f"class Store:\n    {documentation.format('Keeps')}    def load(self):\n        {documentation.format('Loads')}"
    )
    assert [comment.symbol for comment in overlays(chunk(text))] == ["Store", "Store.load"]


def test_licences_and_rulers_are_no_chunks() -> None:
    text = f"/*\n * Copyright 2024 The Authors.\n * All rights reserved.\n */\n\n/* {'-' * 80} */\n\nint a;\n"
    assert overlays(chunk(text, "c")) == []


def test_a_large_class_is_a_header_and_its_methods() -> None:
    methods = "".join(f"    def method_{number}(self):\n    {LONG_BODY}\n" for number in range(3)).replace(
        "\n    value", "\n        value"
    )
    documentation = '"""Keeps values by name, the newest ones first, and forgets the oldest."""'
    text = f"class Store(Base):\n    {documentation}\n    size = 0\n\n{methods}"
    header, *rest = tiles(chunk(text))
    assert (header.kind, header.symbol, header.definitions[0].name) == ("class", "Store", "Store")
    assert [(piece.kind, piece.symbol, piece.breadcrumb) for piece in rest] == [
        ("method", f"Store.method_{number}", ("Store",)) for number in range(3)
    ]


def test_a_large_function_is_cut_at_blank_or_least_indented_lines() -> None:
    body = "".join(
        f"    if value_{number}:\n        run({number})\n{chr(10) * (number % 10 == 0)}" for number in range(200)
    )
    pieces = tiles(chunk(f"def main():\n{body}"))
    assert len(pieces) > 3
    assert {piece.symbol for piece in pieces} == {"main"}
    assert all(len(piece.text) <= code.LARGEST_UNIT for piece in pieces)
    assert all(re.match(r"    if|def", piece.text) for piece in pieces)
    assert names(pieces) == ["main"]


def test_small_neighbours_are_one_chunk() -> None:
    text = "".join(f"def function_{number}():\n    return {number}\n\n\n" for number in range(100))
    pieces = tiles(chunk(text))
    assert all(150 < len(piece.text) <= 400 for piece in pieces)


@pytest.mark.parametrize("language", LANGUAGES_WITH_GRAMMAR)
def test_what_does_not_parse_still_has_chunks(language: str) -> None:
    text = "@@ ))) %% \x00 <<< ;;; ]]\n" * 500
    chunks = chunk(text, language)
    assert_sound(text, chunks)
    assert all(len(piece.text) <= code.LARGEST_UNIT for piece in chunks)


def test_a_line_of_a_megabyte_is_cut_into_chunks_with_its_number() -> None:
    text = "var a = 1;\n" + "x = [1, 2, 3]; " * 70_000 + "\nvar b = 2;\n"
    chunks = chunk(text, "javascript")
    assert_sound(text, chunks)
    assert "".join(piece.text for piece in chunks if piece.first_line == piece.last_line == 2).count("x = ") > 69_000
    assert max(len(piece.text) for piece in chunks) <= code.LARGEST_UNIT


@pytest.mark.parametrize("language", LANGUAGES_WITH_GRAMMAR)
@pytest.mark.parametrize("text", ["(" * 10_000 + ")" * 10_000, "{\n" * 8_000], ids=["round", "braces"])
def test_deep_nesting_is_no_trouble(language: str, text: str) -> None:
    assert_sound(text, chunk(text, language))


def test_deeply_nested_definitions_are_no_trouble() -> None:
    text = "".join(f"{' ' * depth}class C{depth}:\n" for depth in range(800)) + " " * 800 + "pass\n"
    chunks = chunk(text)
    assert_sound(text, chunks)
    assert max(len(piece.breadcrumb) for piece in chunks) <= 60


@pytest.mark.timeout(40)  # were it quadratic, it would take hours
def test_ten_megabytes_are_cut_in_seconds() -> None:
    text = ("def function():\n    return 1  # what else\n\n" * 220_000)[:10_000_000]
    chunks = chunk(text)
    assert sum(piece.last_line - piece.first_line + 1 for piece in chunks) > 400_000


@pytest.mark.parametrize("language", ["lua", "julia", "kotlin"])
def test_parsing_what_is_another_language_ends_soon(language: str) -> None:
    text = "template <typename T> what is this in a file of that name\n" * 1200
    start = time.thread_time()
    chunks = chunk(text, language)
    assert time.thread_time() - start < 5
    assert_sound(text, chunks)


def test_a_row_of_tokens_without_structure_ends_soon() -> None:
    text = "*&" * 9000 + "\n" + "*&" * 9000
    start = time.thread_time()
    assert_sound(text, chunk(text, "go"))
    assert time.thread_time() - start < 5


def test_a_header_is_read_as_cpp_where_it_is_cpp() -> None:
    assert names(chunk("namespace a {\nclass Store {\n public:\n  void load();\n};\n}\n", "c", "store.h")) == [
        "a",
        "Store",
        "load",
    ]


def test_macros_hide_no_class() -> None:
    head = "class ACME_EXPORT(1) Store final : public Base"
    text = f"ACME_NAMESPACE_BEGIN\n{head} {{\n  int load() {{ return 1; }}\n}};\nACME_NAMESPACE_END\n"
    piece = only(chunk(text, "cpp"))
    assert (piece.symbol, names([piece])) == ("Store", ["Store", "load"])
    assert piece.text == text.rstrip("\n")


def test_a_method_defined_outside_of_its_class_is_qualified() -> None:
    text = "namespace acme {\nint acme::Store::load(int a) {\n  return a;\n}\n}\n"
    definition = chunk(text, "cpp")[0].definitions[1]
    assert (definition.name, definition.kind) == ("load", "method")
    text = f"void Store::load() {{\n{LONG_BODY}}}\n\nfunc\n"
    assert chunk(text, "cpp")[0].symbol == "Store.load"


def test_a_language_without_a_grammar_is_cut_by_lines() -> None:
    text = "sub main {\n    print 1;\n}\n\n" * 200
    chunks = chunk(text, "perl")
    assert_sound(text, chunks)
    assert len(chunks) > 3
    assert {(piece.kind, piece.symbol) for piece in chunks} == {("module", "")}


def test_a_grammar_is_loaded_only_when_it_is_wanted() -> None:
    import subprocess
    import sys

    script = "import sys, codeseek.chunkers.code; sys.exit('tree_sitter' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
