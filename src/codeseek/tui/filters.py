"""The filters in a query's text: which there are, and the text with one switched on or off."""

from __future__ import annotations

import re
from typing import NamedTuple

from codeseek.query import FILTER


class Filter(NamedTuple):
    """One value of a filter: `lang`, `kind`, `path`, `-path` or `changed`."""

    name: str
    value: str


def active(text: str) -> tuple[Filter, ...]:
    """Return the filters in a query, in the order in which they were typed."""
    found = []
    for match in FILTER.finditer(text):
        values = [match[3]] if match[3] is not None else match[4].split(",")
        found += [Filter(f"{match[1]}{match[2].lower()}", value) for value in values if value]
    return tuple(dict.fromkeys(found))


def words(text: str) -> str:
    """Return a query without its filters."""
    return " ".join(FILTER.sub(" ", text).split())


def toggled(text: str, chosen: Filter) -> str:
    """Return a query with a filter added, or without it if it was there."""
    there = active(text)
    kept = [one for one in there if one != chosen] if chosen in there else [*there, chosen]
    return written(words(text), kept)


def written(spoken: str, filters: list[Filter]) -> str:
    """Return words and filters as one text; values of the same name are put together where they may be."""
    together: dict[str, list[str]] = {}
    for name, value in filters:
        together.setdefault(name, []).append(value)
    parts = [spoken] if spoken else []
    for name, values in together.items():
        if name in ("lang", "kind"):
            parts.append(f"{name}:{','.join(values)}")
        else:
            parts += [
                f'{name}:"{value}"' if re.search(r"[\s,]|^[:：]", value) else f"{name}:{value}" for value in values
            ]
    return " ".join(parts)
