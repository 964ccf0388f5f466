"""Bytes to text: find out the encoding of a source file."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from functools import cache

_HEAD = 8000  # bytes in which a zero byte means that a file is binary, as git has it
_SAMPLE = 200_000

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, with which it begins
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MAGIC = (b"%PDF-", b"%!PS", b"\x1f\x8b", b"PK\x03\x04", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"BZh", b"\xfd7zXZ")
_CONTROL = re.compile(r"[\x00-\x07\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f]")


def decode(data: bytes) -> str | None:
    """Return the text, line ends as they are and without a byte order mark; None if the bytes are no text.

    Knows UTF-8, UTF-16 and UTF-32 with a mark, UTF-16 without, GB18030, Big5, Shift-JIS, EUC-JP and EUC-KR, and else
    takes it for Western European. An end cut off in the middle of a character does no harm.
    """
    if data.startswith(_MAGIC):
        return None
    if data.isascii() and b"\0" not in data[:_HEAD]:
        return data.decode("ascii")
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    if b"\0" in data[:_HEAD]:
        return _unmarked_utf16(data)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    text = _damaged_utf8(data) or _east_asian(data) or _western(data)
    return None if len(_CONTROL.findall(text)) > len(text) // 50 else text


def _unmarked_utf16(data: bytes) -> str | None:
    """Take bytes for UTF-16 if every second one is often zero and the others hardly ever are."""
    head = data[:_HEAD]
    half = len(head) // 2
    low, high = head[0::2].count(0), head[1::2].count(0)
    if len(head) < 4 or max(low, high) < half // 5 or min(low, high) > (half // 100 or half // 40):  # 一 has a zero too
        return None
    text = data.decode("utf-16-le" if high > low else "utf-16-be", "replace")
    return None if len(_CONTROL.findall(text)) + text.count("\ufffd") > 2 + len(text) // 100 else text


def _damaged_utf8(data: bytes) -> str | None:
    """Take bytes for UTF-8 with some errors in it if most of what is not ASCII fits."""
    text = data.decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    right = sum(1 for char in text if char > "\x7f") - wrong
    return text if right > 4 * wrong else None


def _western(data: bytes) -> str:
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")


# ---------------------------------------------------------------- East Asian encodings


def _east_asian(data: bytes) -> str | None:
    """Take bytes for the East Asian encoding in which they make the most sense, None if they do in none.

    Sense is the share of characters that are common in the language that is written so.
    """
    sample = data[:_SAMPLE]
    best, encoding = 0.6, ""
    for name, common in _common_characters().items():
        text = sample.decode(name, "replace")
        foreign = [char for char in text if char > "\x7f"]
        wrong = text.count("\ufffd")
        if len(foreign) < 3 * wrong or not foreign or wrong > 1 + len(foreign) // 50:
            continue
        score = sum(char in common for char in foreign) / (len(foreign) - wrong)
        if name in _JAPANESE and not any(char in _KANA for char in foreign):
            score = 0.0
        elif name == "euc_kr":  # Chinese in GB 2312 is half Hangul when read so, Korean is all level-one Chinese
            score = 1.1 if score > 0.95 and len(foreign) >= 10 else 0.0
        if score > best:
            best, encoding = score, name
    return data.decode(encoding, "replace") if encoding else None


@cache
def _common_characters() -> Mapping[str, frozenset[str]]:
    """Return the characters that their standard puts first, for each encoding; likelier encodings come first."""
    punctuation = _range(0x2010, 0x2030) | _range(0x3000, 0x3020) | _range(0xFF00, 0xFF60)
    simplified = _rows("gb2312", 0xB0, 0xD7)
    traditional = _rows("big5", 0xA4, 0xC6)
    japanese = _rows("euc_jp", 0xB0, 0xCF) | _KANA | punctuation
    return {
        "gb18030": simplified | traditional | punctuation,
        "big5": traditional | punctuation,
        "euc_kr": _range(0xAC00, 0xD7A4) | punctuation,
        "cp932": japanese,
        "euc_jp": japanese,
    }


def _rows(encoding: str, first: int, last: int) -> frozenset[str]:
    trails = (*range(0x40, 0x7F), *range(0xA1, 0xFF))
    data = bytes(byte for lead in range(first, last + 1) for trail in trails for byte in (lead, trail))
    pairs = (data[at : at + 2].decode(encoding, "ignore") for at in range(0, len(data), 2))
    return frozenset(char for char in pairs if len(char) == 1 and char > "\x7f")


def _range(first: int, end: int) -> frozenset[str]:
    return frozenset(map(chr, range(first, end)))


_JAPANESE = ("cp932", "euc_jp")
_KANA = _range(0x3041, 0x3100)
