"""Snippets: the lines that show why a chunk was found."""

from __future__ import annotations

from pathlib import PurePosixPath

from codeseek import snippets
from codeseek.records import Chunk, Definition
from fake_engine import README, STORE


def chunk(text: str, *, first_line: int = 1, defined_at: int | None = None) -> Chunk:
    last_line = first_line + text.rstrip("\n").count("\n")
    definitions = (Definition("f", "function", defined_at),) if defined_at else ()
    return Chunk(PurePosixPath("a.py"), first_line, last_line, "python", "function", "f", text, definitions=definitions)


def marked(text: str, *terms: str, query: str = "") -> list[str]:
    words = snippets.pattern(query, terms)
    assert words is not None
    return [match[0] for match in words.finditer(text)]


def test_a_word_is_marked_wherever_a_part_of_a_name_starts() -> None:
    assert marked("parse_config parseConfig ConfigParser HTTPConfig reconfig", "config") == [
        "config",
        "Config",
        "Config",
        "Config",
    ]


def test_the_ending_of_a_word_is_marked_with_it() -> None:
    assert marked("index indexes indexing indexation", "index") == ["index", "indexes", "indexing", "index"]


def test_a_word_as_typed_is_marked_where_its_stem_is_looked_up() -> None:
    assert marked("query queries", "queri", query="all query") == ["query", "queries"]


def test_chinese_words_are_marked_inside_a_sentence() -> None:
    assert marked("支持多语言代码检索。", "代码", "检索") == ["代码", "检索"]


def test_without_terms_the_question_itself_is_marked() -> None:
    assert marked("多语言代码", query="语言") == ["语言"]
    assert marked("the retry of it", query="of a retry") == ["retry"]


def test_a_question_without_a_markable_word_marks_nothing() -> None:
    assert snippets.pattern("a b", ()) is None


def test_lines_that_only_part_others_are_left_out() -> None:
    text = "// ==========\n// Rotates checks\n// ----------\nrun();\n#########\n/**\n};\n"
    assert [line.number for line in snippets.choose(chunk(text), None, most=5)] == [2, 4, 6, 7]
    assert [line.text for line in snippets.choose(chunk("====\n"), None)] == ["===="]


def test_a_line_without_a_letter_heads_nothing_where_another_can() -> None:
    assert [line.text for line in snippets.choose(chunk("}\n\n/**\n * Sends it.\n */\n"), None, most=1)] == [
        "* Sends it."
    ]
    assert [line.text for line in snippets.choose(chunk("}\n});\n"), None, most=1)] == ["}"]


def test_the_definition_comes_first_and_the_best_lines_after_it() -> None:
    lines = snippets.choose(STORE, snippets.pattern("", ("listener",)))
    assert [line.number for line in lines] == [12, 19, 20, 21]
    assert lines[0].text == "def replace(self, file, chunks):"
    assert [line.gap for line in lines] == [False, True, False, False]
    assert [line.text[start:end] for line in lines for start, end in line.marks] == [
        "listener",
        "listeners",
        "listener",
    ]


def test_a_comment_above_a_definition_does_not_take_its_place() -> None:
    lines = snippets.choose(
        chunk("# about f\n\n@cache\ndef f():\n    pass\n", first_line=5, defined_at=8), None, most=1
    )
    assert [(line.number, line.text) for line in lines] == [(8, "def f():")]


def test_without_a_match_the_first_lines_are_shown() -> None:
    lines = snippets.choose(README, None)
    assert [(line.number, line.gap) for line in lines] == [(3, False), (5, False), (6, False)]


def test_common_indentation_is_taken_off_and_tabs_are_spread() -> None:
    lines = snippets.choose(chunk("\t\tif x:\n\t\t\ty()\n"), None)
    assert [line.text for line in lines] == ["if x:", "    y()"]


def test_lines_are_counted_as_editors_count() -> None:
    lines = snippets.choose(chunk("a\x0cb\r\nc\u2028d\re\n"), None)
    assert [(line.number, line.text) for line in lines] == [(1, "a\x0cb"), (2, "c\u2028d"), (3, "e")]


def test_a_chunk_of_blank_lines_shows_nothing() -> None:
    assert snippets.choose(chunk("\n  \n"), None) == []


def test_a_line_without_end_is_looked_at_in_part() -> None:
    (line,) = snippets.choose(chunk("word " * 1_000_000), snippets.pattern("", ("word",)))
    assert len(line.text) <= 4_000
    assert len(line.marks) <= 250
