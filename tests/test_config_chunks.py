from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from pathlib import PurePosixPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from codeseek.chunkers import config
from codeseek.languages import LANGUAGES
from codeseek.records import Chunk, SourceFile

FORMATS = [language.name for language in LANGUAGES.values() if language.group == "config"]


def cut(text: str, language: str) -> list[Chunk]:
    text = textwrap.dedent(text).lstrip("\n")
    return config.chunk(SourceFile(PurePosixPath("a"), len(text), 0, language), text)


def symbols(text: str, language: str) -> list[str]:
    return [chunk.symbol for chunk in cut(text, language)]


def long(comment: str = "#", characters: int = 450) -> str:
    """Return comment lines that make an entry large enough to stand alone."""
    return f"{comment} words of a comment\n" * (characters // 21)


# ---------------------------------------------------------------- formats


def test_toml_is_cut_at_tables() -> None:
    text = f'name = "x"\n\n[tool.ruff]\n{long()}\n# of poetry\n[[tool.poetry.source]]\n{long()}\ntext = """\n[no.table]\n"""\n'
    chunks = cut(text, "toml")
    assert [chunk.symbol for chunk in chunks] == ["tool.ruff", "tool.poetry.source"]
    assert chunks[0].text.startswith('name = "x"')
    assert chunks[1].text.startswith("# of poetry\n")
    assert {chunk.kind for chunk in chunks} == {"config"}


def test_small_neighbours_are_one_chunk() -> None:
    assert symbols('[a]\nx = 1\n[b]\ny = 2\n["c d"]\nz = 3\n', "toml") == ['a, b, "c d"']


def test_a_large_table_is_cut_at_its_settings() -> None:
    text = "[tool.x]\n" + "".join(f'key{number} = "{"y" * 200}"\n' for number in range(15))
    chunks = cut(text, "toml")
    assert chunks[0].symbol == "tool.x.key0, key1"
    assert {chunk.breadcrumb for chunk in chunks} == {("tool.x",)}


def test_yaml_is_cut_at_keys_and_large_values_at_theirs() -> None:
    steps = "".join(f"      - name: Step {number}\n        run: |\n          x: {'y' * 500}\n" for number in range(8))
    text = f"name: CI\non:\n  push:\n\njobs:\n  # fast\n  lint:\n    runs-on: x\n{long('    #')}  test:\n    steps:\n{steps}"
    chunks = cut(text, "yaml")
    assert [chunk.symbol for chunk in chunks][:3] == ["name, on", "jobs.lint", "jobs.test.steps.Step 0"]
    assert chunks[1].breadcrumb == ("jobs",)
    assert chunks[-1].breadcrumb == ("jobs", "test", "steps")


def test_kubernetes_documents_are_called_by_kind_and_name() -> None:
    text = f"""\
apiVersion: v1
kind: Service
metadata:
  name: web
{long()}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: "api"
{long()}
"""
    assert symbols(text, "yaml") == ["Service web", "Deployment api"]


def test_json_is_cut_at_keys_and_objects_in_a_list_by_name() -> None:
    scripts = ",\n".join(f'    "run{number}": "{"x" * 100}"' for number in range(8))
    assert symbols(f'{{\n  "name": "a",\n  "scripts": {{\n{scripts}\n  }},\n  "files": []\n}}\n', "json") == [
        "name, scripts, files",
    ]
    items = ",\n".join(f'  {{\n    "id": "n{number}",\n    "text": "{"x" * 500}"\n  }}' for number in range(3))
    assert symbols(f"[\n{items}\n]\n", "json") == ["n0", "n1", "n2"]


def test_settings_take_the_comments_above_them() -> None:
    text = f"""\
{"#" * 20} NETWORK {"#" * 20}

# Listen here.
#
# bind 10.0.0.1
{long()}
bind 127.0.0.1 -::1
{long()}

port 6379
{"#" * 20} MEMORY {"#" * 20}
{long()}
maxmemory 1
"""
    chunks = cut(text, "ini")
    assert [chunk.symbol for chunk in chunks] == ["NETWORK", "MEMORY"]
    assert symbols(text.replace(" NETWORK ", "").replace(" MEMORY ", ""), "ini") == ["bind", "port", "maxmemory"]


def test_ini_properties_and_go_mod() -> None:
    assert symbols(f"[server]\nport=1\n{long(';')}[client]\nx=1\n", "ini") == ["server, client"]
    assert symbols("a.b.c=1\nlong key = 2\nother: 3\n", "ini") == ["a.b.c, long key, other"]
    assert symbols("module example.com/x\n\nrequire (\n\ta v1\n)\nreplace b => c\n", "ini") == [
        "module example.com/x, require, replace b"
    ]


def test_xml_is_cut_inside_its_outermost_element() -> None:
    text = f"""\
<?xml version="1.0"?>
<project
    xmlns="x">
  <name>a</name>
  <!-- what we need -->
  <dependencies>
{"    <dependency>x</dependency>" * 20}
  </dependencies>
  <bean id="store">
  </bean>
</project>
"""
    assert symbols(text, "xml") == ["name, dependencies, bean store"]


def test_a_makefile_is_cut_at_targets_and_defines_them() -> None:
    text = f"""\
CC := gcc
SRC = a.c \\
      b.c

# Build it all.
.PHONY: build
build: $(SRC)
\tgcc
{long()}
%.o: %.c
\tcc
test lint: build
\ttest:
{long()}
"""
    chunks = cut(text, "makefile")
    assert [chunk.symbol for chunk in chunks] == ["CC, SRC, build", "%.o, test lint"]
    assert [(found.name, found.line) for chunk in chunks for found in chunk.definitions] == [("build", 7), ("test", 33)]
    assert chunks[0].definitions[0].kind == "function"


def test_a_dockerfile_is_cut_at_stages() -> None:
    text = f"# syntax\nFROM --platform=x golang:1 AS build\n{long()}\n# the rest\nFROM scratch\n{long()}COPY . .\n"
    chunks = cut(text, "dockerfile")
    assert [(chunk.symbol, chunk.text.split("\n")[0]) for chunk in chunks] == [
        ("build", "# syntax"),
        ("scratch", "# the rest"),
    ]
    assert [found.name for found in chunks[0].definitions] == ["build"]


def test_hcl_is_cut_at_blocks() -> None:
    text = f"""\
# Where logs go.
resource "aws_s3_bucket" "logs" {{
  policy = <<EOF
module "no" {{
EOF
{long("  #")}}}

variable "region" {{
{long("  #")}}}
locals {{
  x = 1
}}
"""
    chunks = cut(text, "hcl")
    assert [chunk.symbol for chunk in chunks] == ["aws_s3_bucket.logs", "variable.region, locals"]
    assert [(found.name, found.kind) for chunk in chunks for found in chunk.definitions] == [
        ("logs", "instance"),
        ("region", "instance"),
    ]


def test_css_is_cut_at_rules() -> None:
    rules = "".join(
        f".c{number} a {{\n  color: red; /* }} */\n  x: '{{';\n  &:hover {{ y: z }}\n}}\n" for number in range(9)
    )
    text = f'@import "x";\n@mixin button($x) {{\n  {"y: z; " * 70}\n}}\n// one }}\n{rules}@media print {{\n  a {{ b: c }}\n}}\n'
    chunks = cut(text, "css")
    assert [chunk.symbol for chunk in chunks] == [
        "@mixin button($x)",
        ".c0 a, .c1 a, .c2 a, .c3 a, .c4 a, .c5 a, .c6 a",
        ".c7 a, .c8 a, @media print",
    ]
    assert [(found.name, found.kind, found.line) for found in chunks[0].definitions] == [("button", "macro", 2)]


def test_one_long_line_is_cut_into_parts() -> None:
    chunks = cut('{"a": "' + "word " * 3000 + '"}', "json")
    assert all(len(chunk.text) <= 2400 for chunk in chunks)
    assert {(chunk.first_line, chunk.last_line) for chunk in chunks} == {(1, 1)}


# ---------------------------------------------------------------- whatever comes

FRAGMENTS = st.sampled_from(
    [
        *("[a.b]", "[[x]]", "key = 1", 'x = """', '"""', "key:", "  sub:", "    deep: 1", "- a", "  - name: b", "---"),
        *("{", "}", "[", "]", '  "k": {', '    "n": [', "  },", "<a>", "  <b name='x'>", "  </b>", "</a>", "kind: Pod"),
        *("all: b", "\tcc", "X := 1", "define D", "endef", "FROM a AS b", "RUN x \\", "  && y", "apiVersion: v1"),
        *('resource "a" "b" {', "  x = <<EOF", "EOF", ".a { b: c }", "/*", "*/", "a, b {", "@mixin m {", "// {"),
        *(
            "# comment",
            "; comment",
            "### A ###",
            "### B ###",
            "",
            "",
            " ",
            "\x0c",
            "a\x85\u2028b",
            "x" * 80,
            "y: z " * 500,
        ),
    ]
)
TEXTS = st.lists(FRAGMENTS, max_size=80).flatmap(
    lambda lines: st.sampled_from(["\n", "\r\n", "\r"]).map(lambda end: end.join(lines))
)


def lines_of(text: str) -> list[str]:
    return re.split(r"\r\n|\r|\n", text)


def assert_tiles(text: str, chunks: Sequence[Chunk]) -> None:
    lines = lines_of(text)
    covered: list[int] = []
    for chunk in chunks:
        assert lines_of(chunk.text) == lines[chunk.first_line - 1 : chunk.last_line]
        assert all(chunk.first_line <= found.line <= chunk.last_line for found in chunk.definitions)
        assert all(found.first_line <= found.line <= found.last_line for found in chunk.definitions)
        covered += range(chunk.first_line, chunk.last_line + 1)
    assert covered == sorted(set(covered))
    assert {number for number, line in enumerate(lines, 1) if line.strip()} <= set(covered)


def raw(text: str, language: str) -> list[Chunk]:
    return config.chunk(SourceFile(PurePosixPath("a"), len(text), 0, language), text)


@given(TEXTS, st.sampled_from(FORMATS))
@example("y: z " * 500 + "\nFROM a AS b", "dockerfile")
def test_chunks_tile_any_file(text: str, language: str) -> None:
    assert_tiles(text, raw(text, language))


@given(st.text(max_size=300), st.sampled_from(FORMATS))
def test_no_text_is_too_strange(text: str, language: str) -> None:
    assert_tiles(text, raw(text, language))


@pytest.mark.parametrize("language", FORMATS)
@pytest.mark.parametrize(
    "text",
    [
        "a:\n" * 40_000,
        "".join(" " * min(number, 500) + "a:\n" for number in range(1000)),
        "{" * 100_000,
        '{"a":' * 20_000,
        "a{" * 50_000,
        "a{\n" * 40_000,
        "/*" * 50_000,
        "[" * 100_000,
        "[a" * 50_000,
        "# x\n" * 40_000,
        "\n" * 100_000,
        "<a " * 30_000,
        "<a>\n" * 30_000,
        "a b " * 30_000,
        "x \\\n" * 30_000,
        "- " * 50_000,
        "- a\n" * 30_000,
        '"' * 100_000,
        "kind: a\n---\n" * 10_000,
        "x" * 100_000,
    ],
    ids=lambda text: text[:10],
)
@pytest.mark.timeout(20)  # what is not linear takes minutes
def test_no_text_takes_long(text: str, language: str) -> None:
    assert raw(text, language) is not None
