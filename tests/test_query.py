"""The question as typed: words and filters."""

from __future__ import annotations

import time
from datetime import datetime

import pytest

from codeseek import query
from codeseek.errors import UsageError
from codeseek.query import Query


def test_words_without_filters_are_left_as_they_are() -> None:
    assert query.parse("how is auth done") == Query("how is auth done")
    assert query.parse("依赖注入  是怎么实现的") == Query("依赖注入 是怎么实现的")


def test_filters_are_taken_out_wherever_they_stand() -> None:
    assert query.parse("lang:python retry kind:function,method with path:src/** backoff -path:tests") == Query(
        "retry with backoff",
        languages=("python",),
        kinds=("function", "method"),
        paths=("src/**",),
        exclude=("tests",),
    )


def test_a_full_width_colon_and_capitals_are_understood() -> None:
    assert query.parse("Lang：Go 并发") == Query("并发", languages=("go",))


def test_a_path_with_spaces_is_quoted() -> None:
    assert query.parse('x path:"my docs/**"') == Query("x", paths=("my docs/**",))


@pytest.mark.parametrize(
    "text", ['"lang:go"', "std::path::Path", "url path: where", "xlang:go", "a->kind:b", "http://lang:go/"]
)
def test_what_only_looks_like_a_filter_is_words(text: str) -> None:
    assert query.parse(text) == Query(text)


@pytest.mark.parametrize(
    "text", ["path::Path canonicalize", "io::ErrorKind kind::WouldBlock", "-path::x", "Lang：：Go", 'kind::"a b"']
)
def test_a_name_with_two_colons_is_code_and_no_filter(text: str) -> None:
    assert query.parse(text) == Query(text)


@pytest.mark.parametrize(
    ("name", "language"),
    [("py", "python"), (".rs", "rust"), ("C++", "cpp"), ("c#", "csharp"), ("golang", "go"), ("Markdown", "markdown")],
)
def test_a_language_goes_by_its_name_its_alias_or_its_suffix(name: str, language: str) -> None:
    assert query.languages([name]) == (language,)


def test_an_unknown_language_gets_the_one_that_was_meant() -> None:
    with pytest.raises(UsageError, match="unknown language `pyhton`") as error:
        query.parse("x lang:pyhton")
    assert error.value.hint == "did you mean `python`?"


def test_an_unknown_kind_gets_the_list_of_kinds() -> None:
    with pytest.raises(UsageError, match="unknown kind `zzz`") as error:
        query.parse("x kind:zzz")
    assert "function" in error.value.hint


@pytest.mark.parametrize(("text", "ago_s"), [("30min", 1_800), ("2h", 7_200), ("2d", 172_800), ("1y", 365 * 86_400)])
def test_a_change_is_asked_for_by_its_age(text: str, ago_s: int) -> None:
    parsed = query.parse(f"retry changed:{text}")
    assert parsed.words == "retry"
    assert parsed.changed_since == pytest.approx(time.time() - ago_s, abs=60)


def test_a_change_is_asked_for_by_its_date_and_the_latest_counts() -> None:
    parsed = query.parse("retry changed:2026-01-31 changed:2025-12-01")
    assert parsed == Query("retry", changed_since=datetime.fromisoformat("2026-01-31").astimezone().timestamp())


@pytest.mark.parametrize("text", ["x changed:HEAD~5", "x changed:2x", "x changed:2026-13-45", "x changed:9999999d"])
def test_what_is_no_time_is_refused_with_examples(text: str) -> None:
    with pytest.raises(UsageError) as error:
        query.parse(text)
    assert "2d" in error.value.hint


def test_only_paths_can_be_left_out() -> None:
    with pytest.raises(UsageError, match="`-lang:go` cannot be left out"):
        query.parse("x -lang:go")


def test_control_characters_and_broken_bytes_part_words() -> None:
    assert query.parse("a\x00b\x1b[31mc\udcffd\ne") == Query("a b [31mc d e")


@pytest.mark.parametrize("words", ["", "  ", "???", "->", "。,!", "🚀🔥", "_ _"])
def test_a_question_without_a_word_is_refused(words: str) -> None:
    with pytest.raises(UsageError) as error:
        query.checked(words)
    assert error.value.hint


def test_a_question_of_filters_alone_is_not_called_empty() -> None:
    for typed in ("path:server", " -path:tests  lang:go"):
        with pytest.raises(UsageError, match="only filters") as error:
            query.checked(query.parse(typed).words, typed)
        assert "add words" in error.value.hint
    with pytest.raises(UsageError, match="is empty"):
        query.checked("", " ")


@pytest.mark.parametrize("words", ["x", "检索", "🚀 launch", "c++", "7"])
def test_a_question_with_a_word_is_taken(words: str) -> None:
    assert query.checked(words) == words


def test_a_very_long_question_is_read_in_a_moment() -> None:
    text = "很长 path:src " * 20_000
    assert len(query.parse(text).words) == 20_000 * 3 - 1
    assert query.parse("a" * 100_000).words == "a" * 100_000
