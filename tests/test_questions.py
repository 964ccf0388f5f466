"""What questions mean: terms that are looked for, what Chinese words may be called in English, what names a symbol."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeseek import questions


def everything(_: str) -> bool:
    return True


def test_question_words_are_dropped_in_both_languages() -> None:
    assert set(questions.understand("how does the dependency injection work", everything).terms) == {
        "dependenci",
        "inject",
        "work",
    }
    asked = questions.understand("缓存是怎么实现的", everything)
    assert set(asked.native) == {"缓存"}
    assert "cach" in asked.terms


def test_chinese_is_looked_for_as_it_stands_between_stop_words() -> None:
    assert set(questions.understand("缓存的过期策略", everything).native) == {"缓存", "过期", "期策", "策略"}
    assert set(questions.understand("缓存的过期策略", lambda term: term == "过期").native) == {"过期"}


def test_characters_that_make_no_known_word_are_looked_for_together() -> None:
    asked = questions.understand("站内信怎么发送", everything)
    assert {"站内", "内信", "发送"} <= set(asked.native)
    assert [word.text for word in asked.words] == ["站内信", "发送"]
    assert {"stat", "letter"}.isdisjoint(asked.terms)


@pytest.mark.parametrize(
    ("typed", "words"), [("栈和堆", ["栈", "堆"]), ("锁的粒度", ["锁", "粒度"]), ("加签与减签", ["加签", "减签"])]
)
def test_characters_with_a_particle_between_them_are_words_of_their_own(typed: str, words: list[str]) -> None:
    assert [word.text for word in questions.understand(typed, everything).words] == words


def test_a_word_that_says_in_chinese_what_the_question_has_in_english_adds_only_itself() -> None:
    asked = questions.understand("strategy 策略的过期", everything)
    assert [word.text for word in asked.words] == ["strategy", "过期"]
    assert "策略" in asked.native
    assert "polici" not in asked.terms
    assert "polici" in questions.understand("策略的过期", everything).terms


def test_the_places_of_terms_are_those_of_their_words() -> None:
    asked = questions.understand("how does JsonReader parse 字符串", everything)
    places = {asked.origins[term]: place for term, place in asked.places.items()}
    assert places == {"JsonReader": 0, "parse": 2, "字符串": 3}
    assert asked.places.keys() == asked.terms.keys()


@pytest.mark.parametrize(("typed", "own"), [("商品上架", "上架"), ("会签", "会签"), ("用户的外呼", "外呼")])
def test_a_stop_word_may_begin_a_word_that_the_index_knows(typed: str, own: str) -> None:
    assert own in [word.text for word in questions.understand(typed, everything).words]
    assert own not in questions.understand(typed, lambda term: term.isascii() or term == "商品").native
    assert [word.text for word in questions.understand("在堆里", everything).words] == ["堆"]


def test_a_stop_word_is_dropped_whole() -> None:
    for typed in sorted(questions._STOP_WORDS_ZH):
        asked = questions.understand(typed, everything)
        assert (asked.words, asked.native) == ((), ())


def test_a_word_that_nobody_knows_is_translated_by_its_characters() -> None:
    asked = questions.understand("验签", lambda term: term.isascii())
    assert {"verif", "sign"} & {term[:5] for term in asked.terms}
    assert [word.text for word in asked.words] == ["验", "签"]
    asked = questions.understand("从堆到栈", lambda term: term.isascii())
    assert [word.text for word in asked.words] == ["堆", "栈"]


def test_a_chinese_word_stands_for_english_ones_that_the_index_knows() -> None:
    assert set(questions.understand("缓存", lambda term: term == "cach").terms) == {"cach"}
    assert not questions.understand("缓存", lambda term: False).terms


def test_a_translation_weighs_less_than_a_word_as_typed() -> None:
    asked = questions.understand("websocket 连接", everything)
    assert asked.terms["websocket"] == 1.0
    assert 0 < asked.terms["connect"] < 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("HTTPSession", ("HTTPSession", 1.0)),
        ("Foo::bar", ("Foo::bar", 1.0)),
        ("where is parseConfig used", ("parseConfig", 0.5)),
        ("how does Redis expire keys", ("Redis", 0.25)),
        ("the TCP connector", ("TCP", 0.15)),
    ],
)
def test_identifiers_in_a_question_claim_by_their_form(text: str, expected: tuple[str, float]) -> None:
    assert expected in questions.understand(text, everything).identifiers


def test_segments_join_to_the_run() -> None:
    assert questions.segment("异步客户端会话的工作原理") == ["异步", "客户端", "会话", "的", "工作原理"]


@given(st.text(max_size=200))
def test_any_question_is_understood_without_an_error(text: str) -> None:
    asked = questions.understand(text, everything)
    assert asked.terms.keys() | set(asked.native) == asked.origins.keys()


@given(st.text(alphabet="缓存连接数据库的工作进程语义化版本", min_size=1, max_size=60))
def test_segmentation_loses_nothing(run: str) -> None:
    assert "".join(questions.segment(run)) == run
