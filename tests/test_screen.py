"""Text for a screen: nothing in it steers the terminal, and its width is known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeseek import screen


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text", "plain text"),
        ("多语言 café 👍", "多语言 café 👍"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\nb\rc\td", "a\\nb\\rc\\td"),
        ("\x9b2J\x7f\x00", "\\x9b2J\\x7f\\x00"),
        ("user\u202etxt.exe", "user\\u202etxt.exe"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("caf\udce9.txt", "caf\\xe9.txt"),
        ("family 👨\u200d👩\u200d👧", "family 👨\u200d👩\u200d👧"),
    ],
)
def test_what_would_steer_or_deceive_is_written_out(text: str, shown: str) -> None:
    assert screen.safe(text) == shown


@given(st.text())
def test_safe_text_can_be_written_and_stays_on_its_line(text: str) -> None:
    shown = screen.safe(text)
    assert not any(character in shown for character in "\x1b\n\r\t\x00\x07\x9b\u202e\u2028")
    shown.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "width"), [("", 0), ("abc", 3), ("多语言", 6), ("ｆｕｌｌ", 8), ("cafe\u0301", 4), ("👍", 2), ("a多", 3)]
)
def test_wide_characters_take_two_columns_and_combining_ones_none(text: str, width: int) -> None:
    assert screen.columns(text) == width


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdef", 5, "abcd…"),
        ("多语言", 5, "多语…"),
        ("多语言", 4, "多…"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
    ],
)
def test_a_cut_text_fits_and_says_that_it_was_cut(text: str, width: int, shown: str) -> None:
    assert screen.cut(text, width) == shown


@given(st.text(), st.integers(0, 20))
def test_a_cut_text_is_never_wider_than_asked(text: str, width: int) -> None:
    assert screen.columns(screen.cut(text, width)) <= width
