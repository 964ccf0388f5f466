"""Questions from a file of the user's: JSON lines with the question, its translations and the places that answer it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from codeseek import analysis
from codeseek.errors import UsageError
from codeseek.mining import wording
from codeseek.mining.question import Question, Target
from codeseek.mining.wording import Tongue

_EXAMPLE = '`{"query": "where are retries decided", "targets": [{"file": "src/retry.py"}]}`'
_FIELDS: Mapping[str, Tongue | None] = {"query": None, "zh": "Chinese", "mixed": "mixed"}
"""The fields that hold a question, and the language that they say it is in."""


def questions(path: Path, project: str) -> list[Question]:
    """Read a file of questions; of one that names several repositories in `repo`, those of the project named so.

    Raises `UsageError` for what is no such file, naming the line.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read `{path}`: {error}", "it has to be UTF-8, one JSON object a line") from error
    rows: list[tuple[str, list[Question]]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            rows.append((row.get("repo") or project, _of_row(row)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(
                f"`{path}`, line {number}, is no question", f"a line looks like this: {_EXAMPLE}"
            ) from error
    found = [question for repository, asked in rows if repository == project for question in asked]
    if not found:
        named = ", ".join(f"`{name}`" for name in sorted({name for name, _ in rows})[:5])
        raise UsageError(
            f"`{path}` has no question for `{project}`",
            f"its questions are for {named}: the folder has to be called so, or leave `repo` out"
            if named
            else _EXAMPLE,
        )
    return found


def _of_row(row: Any) -> list[Question]:
    """Make the questions of one line; raises ValueError, KeyError, TypeError and AttributeError for what is none."""
    targets = tuple(_target(target) for target in row["targets"])
    if not targets or not isinstance(row["query"], str):
        raise ValueError
    found = []
    for field, tongue in _FIELDS.items():
        text = row.get(field)
        if text is not None:
            asked = " ".join(text.split())
            if not analysis.words(asked):
                raise ValueError
            found.append(Question(asked, "file", tongue or wording.tongue(asked), targets))
    return found


def _target(row: Any) -> Target:
    first, last = row.get("first_line", 0), row.get("last_line", row.get("first_line", 0))
    name = row.get("file") or row["path"]
    if not isinstance(name, str) or not (isinstance(first, int) and isinstance(last, int) and 0 <= first <= last):
        raise ValueError
    return Target(name.removeprefix("./"), first, last)
