"""Git's wildcard patterns as regular expressions, and as a filter of paths."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

_ANYTHING, _WITHIN_FOLDER = ".", "[^/]"
_RUNS = {"": "", "**": ".*?", "**/": "(?:.*?/)??"}

_PRINTABLE = frozenset(map(chr, range(0x20, 0x7F)))
_ALPHA = frozenset(char for char in _PRINTABLE if char.isalpha())
_DIGIT = frozenset("0123456789")
_CLASSES: Mapping[str, frozenset[str]] = {
    "alnum": _ALPHA | _DIGIT,
    "alpha": _ALPHA,
    "blank": frozenset(" \t"),
    "cntrl": frozenset(map(chr, (*range(0x20), 0x7F))),
    "digit": _DIGIT,
    "graph": _PRINTABLE - {" "},
    "lower": frozenset(char for char in _ALPHA if char.islower()),
    "print": _PRINTABLE,
    "punct": _PRINTABLE - _ALPHA - _DIGIT - {" "},
    "space": frozenset(" \t\n\r"),
    "upper": frozenset(char for char in _ALPHA if char.isupper()),
    "xdigit": frozenset("0123456789abcdefABCDEF"),
}


def translate(pattern: str, *, within_folders: bool = False, ignore_case: bool = False) -> str | None:
    """Return the regular expression (for DOTALL) that means the same as a wildcard pattern, None if nothing can match.

    A slash is a sign like others, but with `within_folders` only `**` goes beyond one. With `ignore_case` pattern and text
    have to be in lower case.

    Every part between stars has a fixed length, and the earliest place where it fits is as good as any later one: an
    atomic group keeps it, so that no pattern takes exponential time.
    """
    one = _WITHIN_FOLDER if within_folders else _ANYTHING
    parts = _split(pattern, one, ignore_case=ignore_case)
    if parts is None:
        return None
    stretches: list[tuple[str, list[str]]] = []  # a run of folders `**`, then parts with single stars between
    for star, part in parts:
        if star == "*":
            stretches[-1][1].append(part)
        else:
            stretches.append((_RUNS[star], [part]))
    expression = ""
    for number, (run, pieces) in enumerate(stretches, 1):
        inner, *others = pieces
        for at, piece in enumerate(others, 1):
            ends_all = number == len(stretches) and at == len(others)
            inner += f"{one}*{piece}" if ends_all else f"(?>{one}*?{piece})"
        expression += f"(?>{run}{inner})" if run and number < len(stretches) else run + inner
    return expression


def _split(pattern: str, one: str, *, ignore_case: bool) -> list[tuple[str, str]] | None:
    """Cut a pattern at its stars: pairs of a star (`*`, `**`, `**/`, first none) and the expression of what follows."""
    parts: list[tuple[str, str]] = []
    star, part = "", ""
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            parts.append((star, part))
            star, part = "*", ""
            before = pattern[at - 2] if at > 1 else "/"
            is_run = pattern[at : at + 1] == "*"
            while pattern[at : at + 1] == "*":
                at += 1
            following = pattern[at : at + 2]
            if is_run and one != _ANYTHING and before == "/":
                if following[:1] == "/":
                    star = "**/"
                    at += 1
                elif following in ("", "\\/"):
                    star = "**"
        elif char == "?":
            part += one
        elif char == "[":
            found = _bracket(pattern, at, ignore_case=ignore_case)
            if found is None:
                return None
            members, at = found
            part += _any_of(members if one == _ANYTHING else members - {"/"})
        else:
            if char == "\\":
                char = pattern[at : at + 1]
                at += 1
                if not char:
                    return None
            part += re.escape(char)
    parts.append((star, part))
    return parts


def _bracket(pattern: str, at: int, *, ignore_case: bool) -> tuple[set[str], int] | None:
    """Read what stands between `[` and `]`: the characters meant, and the place behind; None if it is malformed."""
    negated = pattern[at : at + 1] in ("!", "^")
    at += negated
    members: set[str] = set()
    before = ""  # what a range may start with
    first = True
    while True:
        char = pattern[at : at + 1]
        if not char:
            return None
        if char == "]" and not first:
            break
        first = False
        at += 1
        following = pattern[at : at + 1]
        if char == "\\":
            if not following:
                return None
            members.add(following)
            before, at = following, at + 1
        elif char == "-" and before and following not in ("", "]"):
            at += 1
            if following == "\\":
                following = pattern[at : at + 1]
                if not following:
                    return None
                at += 1
            members.update(map(chr, range(ord(before), ord(following) + 1)))
            before = ""
        elif char == "[" and following == ":":
            end = pattern.find("]", at + 1)
            if end < 0:
                return None
            if end == at + 1 or pattern[end - 1] != ":":
                members.add("[")
                before = "["
                continue
            if (named := _CLASSES.get(pattern[at + 1 : end - 1])) is None:
                return None
            members |= named
            before, at = "", end + 1
        else:
            members.add(char)
            before = char
    if ignore_case:  # `[[:upper:]]` means lower case too, and so its opposite does not
        members |= {char.lower() for char in members}
    if negated:
        members = set(map(chr, range(1, 256))) - members
    return members, at + 1


def _any_of(members: set[str]) -> str:
    if not members:
        return "(?!)"
    return "[" + "".join(f"\\x{ord(char):02x}" for char in sorted(members)) + "]"


def glob_filter(include: Sequence[str], exclude: Sequence[str]) -> Callable[[str], bool]:
    """Return a test of paths: any of `include` (all, if none) and none of `exclude`.

    Patterns are git's: one with a slash is matched from the root, `**` crossing folders; one without matches any name in
    the path. A folder's pattern stands for all in it.
    """
    wanted, unwanted = [_glob(p) for p in include], [_glob(p) for p in exclude]
    return lambda path: (
        (not wanted or any(p.fullmatch(path) for p in wanted)) and not any(p.fullmatch(path) for p in unwanted)
    )


@lru_cache(maxsize=256)
def _glob(pattern: str) -> re.Pattern[str]:
    anchored = "/" in pattern.rstrip("/")
    expression = translate(pattern.removeprefix("./").strip("/"), within_folders=True)
    return re.compile(rf"{'' if anchored else '(?:.*/)?'}{expression or '(?!)'}(?:/.*)?", re.DOTALL)
