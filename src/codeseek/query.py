"""The question as typed: words to search for, and filters such as `lang:python -path:tests`."""

from __future__ import annotations

import re
from typing import NamedTuple
from unicodedata import category

from codeseek.errors import UsageError
from codeseek.records import KINDS

FILTER = re.compile(r'(?<!\S)(-?)(lang|kind|path|changed)[:：](?![:：])(?:"([^"]*)"|([^\s"]\S*))', re.IGNORECASE)
"""A filter among words: its sign, its name, and its value in quotes or without; not code such as `path::Path`."""

_AGE = re.compile(r"(\d{1,5})\s*(min|h|d|w|mo|y)", re.IGNORECASE)
_SECONDS = {"min": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400, "mo": 30 * 86_400, "y": 365 * 86_400}
_ALIASES = {"c#": "csharp", "c++": "cpp", "golang": "go", "make": "makefile", "shell": "bash", "terraform": "hcl"}


class Query(NamedTuple):
    """The words of a question and the filters typed among them."""

    words: str
    languages: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    changed_since: float | None = None


def parse(text: str) -> Query:
    """Tell words from filters; a filter in quotes (`"lang:go"`) is words. Raises `UsageError`."""
    values: dict[str, list[str]] = {"lang": [], "kind": [], "path": [], "-path": [], "changed": []}

    def take(match: re.Match[str]) -> str:
        sign, name, quoted, bare = match[1], match[2].lower(), match[3], match[4]
        if f"{sign}{name}" not in values:
            raise UsageError(f"`{match[0]}` cannot be left out", "only paths can: `-path:tests`")
        found = [quoted] if quoted is not None else bare.split(",")
        values[f"{sign}{name}"] += [value for value in found if value]
        return " "

    words = " ".join(FILTER.sub(take, _visible(text)).split())
    return Query(
        words,
        languages=languages(values["lang"]),
        kinds=kinds(values["kind"]),
        paths=tuple(values["path"]),
        exclude=tuple(values["-path"]),
        changed_since=since(values["changed"]),
    )


def literal(text: str) -> str:
    """Return a text, such as code, as words in which nothing is a filter."""
    return " ".join(_visible(text).split())


def _visible(text: str) -> str:
    """Replace control characters, and bytes that are not UTF-8, by spaces."""
    if text.isprintable():
        return text
    return "".join(" " if category(character) in ("Cc", "Cs") else character for character in text)


def checked(words: str, typed: str = "") -> str:
    """Return words that can be searched for, of what was `typed`; raises `UsageError` when there is none among them."""
    if not words.strip():
        if FILTER.search(typed):
            raise UsageError("the query has only filters", "add words that say what to look for among what they leave")
        raise UsageError("the query is empty", 'say what to look for, as in `codeseek "parse a config file"`')
    if not any(character.isalnum() for character in words):
        shown = words if len(words) <= 40 else f"{words[:40]}…"
        raise UsageError(f"the query `{shown}` has no word in it", "use a letter, a digit or a Chinese character")
    return words


def languages(names: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """Return languages by name, alias (`c++`) or file suffix (`py`); raises `UsageError`."""
    if not names:
        return ()
    from codeseek.languages import LANGUAGES

    by_suffix = {
        suffix.lstrip("."): name for name, language in reversed([*LANGUAGES.items()]) for suffix in language.suffixes
    }
    chosen = []
    for name in names:
        folded = name.lower().lstrip(".")
        known = folded if folded in LANGUAGES else _ALIASES.get(folded) or by_suffix.get(folded)
        if known is None:
            raise UsageError(f"unknown language `{name}`", _suggestion(folded, [*LANGUAGES, *_ALIASES]))
        chosen.append(known)
    return tuple(dict.fromkeys(chosen))


def kinds(names: list[str] | tuple[str, ...], known: tuple[str, ...] = KINDS) -> tuple[str, ...]:
    """Return kinds of chunks by name; raises `UsageError`."""
    chosen = []
    for name in names:
        folded = name.lower()
        if folded not in known:
            raise UsageError(f"unknown kind `{name}`", _suggestion(folded, list(known)))
        chosen.append(folded)
    return tuple(dict.fromkeys(chosen))


def since(moments: list[str] | tuple[str, ...]) -> float | None:
    """Return the latest of moments (`2d` ago, `2026-01-31`) as a Unix time, None without any; raises `UsageError`."""
    return max(map(_moment, moments), default=None)


def _moment(text: str) -> float:
    import time
    from datetime import datetime

    if age := _AGE.fullmatch(text.strip()):
        return time.time() - int(age[1]) * _SECONDS[age[2].lower()]
    try:
        return datetime.fromisoformat(text.strip()).astimezone().timestamp()  # a date without a zone is a local one
    except (ValueError, OverflowError, OSError) as error:
        hint = "an age such as `30min`, `2h`, `2d`, `3w`, `6mo` or `1y`, or a date such as `2026-01-31`"
        raise UsageError(f"`{text}` is no time since when files have changed", hint) from error


def _suggestion(name: str, known: list[str]) -> str:
    from difflib import get_close_matches

    if near := get_close_matches(name, known, n=1):
        return f"did you mean `{near[0]}`?"
    return f"one of {', '.join(sorted(known))}"
