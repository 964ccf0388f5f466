from __future__ import annotations

import os

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from codeseek.decoding import decode

SIMPLIFIED = "// 返回用户的名称\nint f(int a); /* 初始化缓存，如果失败则抛出异常。*/\n"
TRADITIONAL = "// 返回使用者的名稱\nint f(int a); /* 初始化快取，如果失敗則拋出例外。*/\n"
JAPANESE = "// ユーザー名を返す\nint f(int a); /* キャッシュを初期化します。*/\n"
KOREAN = "// 사용자 이름을 반환합니다\nint f(int a); /* 캐시를 초기화한다 */\n"
WESTERN = "// Initialise le cache à l'été, café déjà vu, Müller, José\nint f(int a); // garçon ÀÉ\n"

TEXTS = [
    *((SIMPLIFIED, name) for name in "utf-8 utf-8-sig utf-16 utf-16-le utf-16-be utf-32 gbk gb18030".split()),
    *((TRADITIONAL, name) for name in "utf-8 utf-16-le big5 gbk".split()),
    *((JAPANESE, name) for name in "utf-8 utf-16-be cp932 euc_jp".split()),
    *((KOREAN, name) for name in "utf-8 euc_kr".split()),
    *((WESTERN, name) for name in "utf-8 utf-16-le cp1252 latin-1".split()),
]


@pytest.mark.parametrize(("text", "encoding"), TEXTS)
def test_the_encoding_is_found(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(("text", "encoding"), TEXTS)
@pytest.mark.parametrize("cut", [1, 2, 3])
def test_an_end_cut_off_does_no_harm(text: str, encoding: str, cut: int) -> None:
    decoded = decode(text.encode(encoding)[: -cut - 8])
    assert decoded is not None
    assert decoded[: len(text) - 12] == text[: len(text) - 12]


@pytest.mark.parametrize("word", ["参数", "# 测试", "x = '你好'", "如果"])
def test_a_single_chinese_word_is_enough(word: str) -> None:
    assert decode(word.encode("gbk")) == word


@pytest.mark.parametrize("word", ["Müller", "é", "José", "ÄÖÜ", "naïve façade", "“quoted”"])
def test_a_single_accent_makes_no_chinese(word: str) -> None:
    assert decode(word.encode("cp1252")) == word


def test_a_few_wrong_bytes_in_utf8_are_replaced() -> None:
    assert decode("多语言代码检索".encode() + b" \xff end") == "多语言代码检索 \ufffd end"


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n\x00",
        b"\x1f\x8b\x08 words",
        b"%PDF-1.4\n%words",
        b"a\x00b",
        bytes(range(256)) * 4,
        b"text" + b"\x00" * 100,
        b"\xff\xd8\xff\xe0 words",
    ],
)
def test_binary_data_is_no_text(data: bytes) -> None:
    assert decode(data) is None


def test_random_bytes_are_no_text() -> None:
    assert all(decode(os.urandom(400)) is None for _ in range(50))


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff")))
@example("%")
def test_utf8_is_always_right(text: str) -> None:
    if not text.startswith(("%PDF-", "%!PS", "PK", "GIF8", "BZh", "\x1f")):
        assert decode(text.encode()) == text


@given(st.binary(max_size=200))
def test_no_bytes_are_too_strange(data: bytes) -> None:
    text = decode(data)
    assert text is None or text.encode("utf-8") is not None
