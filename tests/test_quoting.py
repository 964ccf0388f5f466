"""Quotations: an error message or a pasted passage is known where it stands word for word."""

from __future__ import annotations

import pytest

from codeseek.quoting import Quotation

PASTED = """fn park(&mut self) {
    let lock = self.shared.lock();
    while !lock.woken { self.condvar.wait(lock); }
    lock.woken = false;
}"""


def stands(passage: str, text: str) -> float:
    return Quotation(passage).share(text)


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("no alive canal server for", 'throw new ClientException("no alive canal server for " + destination);'),
        ("Can't find start position for", 'logger.error("can\'t find start position for {}", destination)'),
        (
            "error: could not open `config.toml`",
            'f"error: could not open `{path}`" # error: could not open config.toml',
        ),
        ("获取token失败", 'return errors.New("获取token失败")'),
        ("permission denied (os error 13)", "// Permission denied (os error 13)"),
    ],
)
def test_a_message_stands_where_all_its_words_are_in_a_row(message: str, line: str) -> None:
    assert stands(message, line) > 0
    assert stands(message, line.replace(" ", " then ").replace("token", "令牌")) == 0


def test_the_longer_a_passage_the_surer_it_is_meant() -> None:
    text = "the quick brown fox jumps over the lazy dog and on"
    values = [stands(" ".join(text.split()[:count]), text) for count in (4, 6, 8, 10)]
    assert values == [0.5, 0.75, 1.0, 1.0]


def test_pasted_code_stands_where_most_of_it_does() -> None:
    assert stands(PASTED, PASTED.replace("\n", "\r\n\t")) == 1.0
    assert 0.5 <= stands(PASTED, PASTED.replace("lock.woken = false;", "")) < 1
    assert stands(PASTED, PASTED.replace("lock", "guard")) == 0
    assert stands(PASTED, "") == 0


def test_few_words_are_no_passage() -> None:
    assert not Quotation("connection pool timeout").may_stand(lambda _: True)
    assert not Quotation("缓存过").may_stand(lambda _: True)
    assert not Quotation("").may_stand(lambda _: True)
    assert Quotation("connection pool timeout exceeded").may_stand(lambda _: True)


def test_chinese_of_which_two_neighbours_stand_nowhere_is_not_looked_for() -> None:
    known = {"缓存", "存已", "已过"}
    assert Quotation("缓存已过").may_stand(known.__contains__)
    assert not Quotation("缓存已过期").may_stand(known.__contains__)
    assert Quotation("快取已过 cache").may_stand({"快取", "取已", "已过"}.__contains__)
