"""JSON with comments and trailing commas, as editors keep their settings: read, and changed without losing a comment."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

_STRING = r'"(?:\\.|[^"\\])*"'
_COMMENT = re.compile(rf"{_STRING}|//[^\r\n]*|/\*.*?\*/", re.DOTALL)
_LAST_COMMA = re.compile(rf"{_STRING}|[\[{{,]\s*,|,(?=\s*[}}\]])", re.DOTALL)
_SPACE = re.compile(r"[ \t\r\n]*")
_LINE_END = re.compile(r"[ \t]*(?:\r|\n|\Z)")
_DECODER = json.JSONDecoder(strict=False)


class _Member(NamedTuple):
    """A member of an object: where its name begins, where its value begins and ends."""

    name: str
    start: int
    value: int
    end: int


def parsed(text: str) -> Any:
    """Return the value; raises ValueError."""
    return _DECODER.decode(_plain(text)) if text.strip() else {}


def with_member(text: str, path: Sequence[str], value: object) -> str:
    """Return the text with a member set, objects on the way to it made; raises ValueError where that cannot be.

    All else stays as it is, to the last space.
    """
    if not isinstance(parsed(text), dict):
        raise ValueError("it is no object")  # noqa: TRY004 # as all that is wrong with a text
    if not text.strip():
        text = "{}\n"
    plain = _plain(text)
    start, end = _after_space(plain, 0), len(text)
    for depth, name in enumerate(path):
        found = next((member for member in _members(plain, start) if member.name == name), None)
        if found is None:
            for inner in reversed(path[depth + 1 :]):
                value = {inner: value}
            return _inserted(text, plain, start, name, value, depth)
        if depth < len(path) - 1 and plain[found.value] != "{":
            raise ValueError(f"`{name}` is no object")
        start, end = found.value, found.end
    return text[:start] + _written(value, _indent(text), len(path)) + text[end:]


def without_member(text: str, path: Sequence[str]) -> str:
    """Return the text without a member and the comma that belongs to it; raises ValueError."""
    parsed(text)
    plain = _plain(text)
    start = _after_space(plain, 0)
    for name in path[:-1]:
        found = next((member for member in _members(plain, start) if member.name == name), None)
        if found is None:
            return text
        start = found.value
    members = list(_members(plain, start))
    at = next((at for at, member in enumerate(members) if member.name == path[-1]), None)
    if at is None:
        return text
    end = members[at].end
    if (comma := _comma(text, end)) is not None:
        rest = text[end:comma] + text[comma + 1 :]
        return text[: _before(text, members[at].start, rest)] + rest
    rest = text[end:]
    begin = _before(text, members[at].start, rest)
    if at and (comma := _comma(text, members[at - 1].end)) is not None:  # the last one leaves with the comma before it
        return text[:comma] + text[comma + 1 : begin] + rest
    return text[:begin] + rest


def _before(text: str, start: int, rest: str) -> int:
    """Return where the space before a member begins; where it starts if `rest` would come into a comment otherwise."""
    begin = len(text[:start].rstrip())
    commented = bool(begin) and _uncommented(text)[begin - 1] == " "
    return start if commented and not _LINE_END.match(rest) else begin


def _inserted(text: str, plain: str, start: int, name: str, value: object, depth: int) -> str:
    """Return the text with a new last member in the object that begins at `start`."""
    unit = _indent(text)
    members = list(_members(plain, start))
    end = members[-1].end if members else start + 1
    close = _after_space(plain, end)
    comma = "," if members and _comma(text, end) is None else ""
    written = f"{json.dumps(name)}: {_written(value, unit, depth + 1)}"
    kept = f"{text[:end]}{comma}{text[end:close].rstrip()}"
    return f"{kept}\n{unit * (depth + 1)}{written}\n{unit * depth}{text[close:]}"


def _members(plain: str, start: int) -> Iterator[_Member]:
    at = _after_space(plain, start + 1)
    while plain[at] == '"':
        name, end = _DECODER.raw_decode(plain, at)
        value = _after_space(plain, _after_space(plain, end) + 1)
        _, stop = _DECODER.raw_decode(plain, value)
        yield _Member(name, at, value, stop)
        at = _after_space(plain, stop)
        if plain[at] != ",":
            return
        at = _after_space(plain, at + 1)


def _plain(text: str) -> str:
    """Return JSON of the same length: comments and trailing commas are spaces."""
    return _LAST_COMMA.sub(lambda found: " " if found[0] == "," else found[0], _uncommented(text))


def _uncommented(text: str) -> str:
    return _COMMENT.sub(lambda found: found[0] if found[0][0] == '"' else re.sub(r"[^\r\n]", " ", found[0]), text)


def _comma(text: str, end: int) -> int | None:
    """Return where the comma after a member is, None if there is none."""
    uncommented = _uncommented(text)
    at = _after_space(uncommented, end)
    return at if uncommented[at] == "," else None


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _indent(text: str) -> str:
    """Return one step of indentation as the file has it."""
    match = re.search(r"^([ \t]+)\S", text, re.MULTILINE)
    return match[1] if match else "  "


def _written(value: object, unit: str, depth: int) -> str:
    lines = json.dumps(value, indent=unit, ensure_ascii=False).splitlines()
    return "\n".join([lines[0], *(unit * depth + line for line in lines[1:])])


def snippet(path: Sequence[str], value: object) -> str:
    """Return the member alone, with the objects around it."""
    whole: Mapping[str, object] | object = value
    for name in reversed(path):
        whole = {name: whole}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
