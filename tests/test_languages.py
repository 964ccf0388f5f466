from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from codeseek.languages import LANGUAGES, language_of, language_of_name


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("a.py", "python"),
        ("a.R", "r"),
        ("A.CPP", "cpp"),
        ("a.d.ts", "typescript"),
        ("Dockerfile", "dockerfile"),
        ("Dockerfile.dev", "dockerfile"),
        ("web.Dockerfile", "dockerfile"),
        ("CMakeLists.txt", "cmake"),
        ("notes.txt", "text"),
        ("Makefile.am", "makefile"),
        ("config.h.in", "c"),
        ("settings.yml.example", "yaml"),
        (".env.example", "ini"),
        ("README", "text"),
        ("README.zh-CN.md", "markdown"),
        ("LICENSE-MIT", "text"),
        ("CHANGES.next", "text"),
        (".bashrc", "bash"),
        ("说明.md", "markdown"),
        (".md", None),
        ("photo.jpeg", None),
        ("noise", None),
        ("", None),
    ],
)
def test_a_file_s_name_tells_its_language(name: str, language: str | None) -> None:
    assert language_of_name(name) == language


@pytest.mark.parametrize(
    ("head", "language"),
    [
        (b"#!/bin/sh\n", "bash"),
        (b"#! /usr/bin/python3.12 -O", "python"),
        (b"#!/usr/bin/env node\n", "javascript"),
        (b"#!/usr/bin/env -S deno run --allow-net\n", "typescript"),
        (b"#!/usr/bin/env RUBYOPT=-w ruby\n", "ruby"),
        (b"#!/opt/unheard-of\n", None),
        (b"echo hello\n", None),
        (b"\xff\xfe#!", None),
    ],
)
def test_where_the_name_says_nothing_the_interpreter_does(head: bytes, language: str | None) -> None:
    assert language_of(PurePosixPath("bin/tool"), head) == language


def test_no_suffix_or_name_belongs_to_two_languages() -> None:
    for field in ("suffixes", "filenames", "interpreters"):
        names = [name for language in LANGUAGES.values() for name in getattr(language, field)]
        assert len(names) == len(set(names))


def test_languages_are_called_in_lower_case() -> None:
    assert all(name == language.name == name.lower() for name, language in LANGUAGES.items())
