"""Terms: what is written in a file and what is asked for meet."""

from __future__ import annotations

import itertools
from collections import defaultdict
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeseek import analysis


def terms(text: str) -> set[str]:
    return {term for word in analysis.words(text) for term in analysis.word_terms(word)}


@pytest.mark.parametrize("spelling", ["flat_hash_map", "FlatHashMap", "flatHashMap", "FLAT_HASH_MAP"])
def test_spellings_of_an_identifier_share_all_terms(spelling: str) -> None:
    assert terms(spelling) == {"flat", "hash", "map", "flathashmap"}


@pytest.mark.parametrize(
    ("identifier", "parts"),
    [
        ("HTTPServer", ("http", "server")),
        ("parseURL2", ("parse", "url", "2")),
        ("getHTTPResponseCode", ("get", "http", "response", "code")),
        ("utf8_decode", ("utf", "8", "decode")),
        ("__init__", ("init",)),
        ("i18n", ("i18n",)),
    ],
)
def test_identifiers_split_where_a_reader_splits_them(identifier: str, parts: tuple[str, ...]) -> None:
    assert analysis.parts(identifier) == parts


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("connections", "connection"),
        ("parsing", "parser"),
        ("caches", "cache"),
        ("dependencies", "dependency"),
        ("running", "runner"),
        ("validation", "validate"),
        ("serialized", "serializing"),
        ("indexes", "index"),
    ],
)  # fmt: skip
def test_forms_of_an_english_word_share_a_stem(one: str, other: str) -> None:
    assert analysis.stem(one) == analysis.stem(other)


@pytest.mark.parametrize("word", ["class", "status", "this", "bus", "is", "as"])
def test_what_only_looks_like_a_plural_is_kept(word: str) -> None:
    assert analysis.singular(word) == word


def test_chinese_gives_bigrams_and_dictionary_words() -> None:
    assert {"多语", "语言", "言代", "代码", "检索"} <= terms("多语言代码检索")
    assert "客户端" in terms("异步客户端会话")


def test_traditional_characters_are_simplified() -> None:
    assert terms("資料庫連線") == terms("资料库连线")


def test_full_width_letters_are_plain_letters() -> None:
    assert terms("ＨＴＴＰ") == terms("HTTP")


def test_accents_do_not_hide_a_word() -> None:
    assert terms("naïve") == terms("naive")


def test_chinese_and_english_in_one_clause_are_parted() -> None:
    assert {"redis", "缓存", "client"} <= terms("使用Redis缓存client")


def test_special_tokens_are_plain_text() -> None:
    assert terms("<|endoftext|>") == {"endoftext"}
    assert terms("<s>[INST]") == {"s", "inst"}


def test_cpp_and_csharp_are_words() -> None:
    assert "c++" in terms("written in C++")
    assert "c#" in terms("a C# client")


@given(st.text(max_size=200))
def test_any_text_has_terms_without_an_error(text: str) -> None:
    for term in terms(text):
        assert term
        assert term == term.lower() or not term.isascii()


NUMBERS: defaultdict[str, int] = defaultdict(itertools.count().__next__)
LENGTHS = analysis.Sense(lambda words: [(len(word),) for word in words], int)
NUMBERED_TERMS = analysis.Sense(partial(map, analysis.word_terms), NUMBERS.__getitem__)


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.lists(st.sampled_from(["get", "getUser", "用户", "x", ""]), max_size=6)),
        max_size=8,
    ),
    st.booleans(),
)
def test_occurrences_count_as_counting_one_by_one_does(added: list[tuple[int, list[str]]], by_owner: bool) -> None:
    expected: dict[tuple[int, int], int] = {}
    occurrences = analysis.Occurrences(NUMBERED_TERMS)
    for owner, words in added:
        occurrences.add(owner, " ".join(words))
        for word in filter(None, words):
            for number in map(NUMBERS.__getitem__, analysis.word_terms(word)):
                expected[owner, number] = expected.get((owner, number), 0) + 1
    distinct, indices, owners, counts = occurrences.count(by_owner=by_owner)
    found = {
        (int(owner), int(distinct[index])): int(count)
        for owner, index, count in zip(owners, indices, counts, strict=True)
    }
    assert found == expected
    assert list(distinct) == sorted(distinct)
    order = (owners, indices) if by_owner else (indices, owners)
    assert list(zip(*order, strict=True)) == sorted(zip(*order, strict=True))


def test_a_vocabulary_that_has_grown_too_large_is_left_for_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analysis, "LARGEST_VOCABULARY", 1)
    for text in ("one two", "two three three"):
        occurrences = analysis.Occurrences(LENGTHS)
        occurrences.add(7, text)
        distinct, indices, owners, counts = occurrences.count(by_owner=True)
        assert distinct.tolist() == sorted({len(word) for word in text.split()})
        assert owners.tolist() == [7] * len(indices)
        assert int(counts.sum()) == len(text.split())
