"""Standard output: every format, byte by byte, and what untrusted text may do to it."""

from __future__ import annotations

import json
import os
import pty
import sys
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

import pytest

from codeseek.cli import formats, main, terminal
from codeseek.cli.report import Report
from codeseek.cli.terminal import Terminal
from codeseek.records import Chunk, Hit
from fake_engine import HITS, README, RESULT, STORE, FakeEngine

ROOT = Path("/project")
PIPE = Terminal(width=80)
COLOURED = Terminal(width=80, colours=True, links=True, live=True)
HOSTILE = Chunk(
    path=PurePosixPath("src/a\nb\x1b]0;title\x07\u202e.py"),
    first_line=1,
    last_line=2,
    language="python",
    kind="function",
    symbol="f\x1b[2J",
    text="def f():\n    '\x1b[31m \u202e gnp.exe \x9b2J \x00'\n",
)


def report(hits: Sequence[Hit] = HITS, *, explain: bool = False, **changes: object) -> Report:
    result = RESULT._replace(hits=tuple(hits), terms=("replace", "检索"), **changes)  # type: ignore[arg-type] # any field
    return Report(result, "replace 检索", ROOT, ROOT, explain)


def render(name: str, shown: Report, screen: Terminal = PIPE) -> str:
    return "".join(formats.render(name, shown, screen))


@pytest.mark.parametrize("name", formats.FORMATS)
def test_each_format_is_as_it_was(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"{name}.txt", render(name, report()))


def test_text_on_a_terminal_is_as_it_was(golden: Callable[[str, str], None]) -> None:
    golden("text-terminal.txt", render("text", report(explain=True), COLOURED))


def test_text_on_a_narrow_terminal_is_as_it_was(golden: Callable[[str, str], None]) -> None:
    golden("text-narrow.txt", render("text", report(explain=True), Terminal(width=36, live=True)))


def test_text_without_unicode_is_as_it_was(golden: Callable[[str, str], None]) -> None:
    golden("text-ascii.txt", render("text", report(HITS[:1]), Terminal(width=50, unicode=False)))


@pytest.mark.parametrize("name", formats.FORMATS)
@pytest.mark.parametrize("screen", [PIPE, COLOURED], ids=["pipe", "terminal"])
def test_no_format_lets_a_repository_steer_the_terminal(name: str, screen: Terminal) -> None:
    text = terminal.plain(render(name, report([Hit(HOSTILE, 1.0)]), screen))
    if not (screen is PIPE and name in ("paths", "vimgrep")):
        assert not set(text) & set("\x1b\x07\x9b\x00\u202e\u2028")
    else:  # other programs open these files by their names
        assert str(HOSTILE.path) in text


@pytest.mark.parametrize("name", ["xterm", "dumb"])
@pytest.mark.parametrize("options", ["-l", "-0", *(f"--format {name}" for name in formats.FORMATS)])
def test_no_terminal_is_steered_however_little_it_can_do(
    options: str, name: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", name)
    ours, theirs = pty.openpty()
    with open(theirs, "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        assert main(["retry", *options.split()], FakeEngine(hits=(Hit(HOSTILE, 1.0),)).open) == 0
        shown = terminal.plain(os.read(ours, 65_536).decode())
    os.close(ours)
    assert not set(shown) & set("\x1b\x07\x9b\u202e\u2028")


def test_a_pipe_of_paths_can_be_split_whatever_is_in_a_name() -> None:
    from codeseek.cli.formats import paths

    text = "".join(paths.render(report([Hit(HOSTILE, 1.0), Hit(STORE, 0.5), Hit(STORE, 0.4)]), PIPE, end="\0"))
    assert text.split("\0") == [str(HOSTILE.path), "src/store.py", ""]


def test_a_hit_has_every_promised_key() -> None:
    record = json.loads(render("json", report()))
    assert {"version", "query", "freshness", "indexed_at", "tier", "degraded", "elapsed_ms", "hits"} <= set(record)
    assert {"path", "first_line", "last_line", "language", "kind", "symbol", "score", "text", "why", "also"} <= set(
        record["hits"][0]
    )
    assert record["hits"][0]["text"] == STORE.text


def test_json_gives_back_every_character_and_byte() -> None:
    broken = HOSTILE._replace(path=PurePosixPath("caf\udce9.py"))
    text = render("json", report([Hit(HOSTILE, 1.0), Hit(broken, 0.5)]))
    text.encode("utf-8")
    hits = json.loads(text)["hits"]
    assert hits[0]["text"] == HOSTILE.text
    assert [hit["path"] for hit in hits] == [str(HOSTILE.path), "caf\udce9.py"]


def test_a_json_line_knows_how_far_it_can_be_trusted() -> None:
    records = [json.loads(line) for line in render("jsonl", report(freshness="stale")).splitlines()]
    assert [record["path"] for record in records] == ["src/store.py", "docs/说明.md"]
    assert {record["freshness"] for record in records} == {"stale"}


def test_no_hits_make_no_text_but_whole_json() -> None:
    for name in ("text", "jsonl", "vimgrep", "paths", "markdown"):
        assert not render(name, report([]))
    assert json.loads(render("json", report([])))["hits"] == []
    assert json.loads(render("sarif", report([])))["runs"][0]["results"] == []


def test_sarif_names_files_and_regions_as_the_standard_has_it() -> None:
    log = json.loads(render("sarif", report()))
    (run,) = log["runs"]
    assert log["version"] == "2.1.0"
    assert run["originalUriBaseIds"]["PROJECT"]["uri"] == "file:///project/"
    for hit, result in zip(HITS, run["results"], strict=True):
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert 0 <= result["rank"] <= 100
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"].isascii()
        assert unquote(place["artifactLocation"]["uri"]) == str(hit.chunk.path)
        assert 1 <= place["region"]["startLine"] <= place["region"]["endLine"]


def test_vimgrep_lines_can_be_taken_apart() -> None:
    for line, hit in zip(render("vimgrep", report()).splitlines(), HITS, strict=True):
        path, number, column, text = line.split(":", 3)
        assert (path, int(number), int(column)) == (str(hit.chunk.path), hit.chunk.first_line, 1)
        assert text in hit.chunk.text


def test_a_markdown_fence_is_longer_than_any_in_the_text() -> None:
    fenced = README._replace(text="````python\nx\n````", symbol="a `b` c")
    text = render("markdown", report([Hit(fenced, 1.0)]))
    assert "\n`````markdown\n" in text
    assert "``a `b` c``" in text


@pytest.mark.parametrize("width", range(20, 121, 9))
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    long = STORE._replace(
        path=PurePosixPath("src/路径.py"),
        symbol="非常长的名字" * 20,
        text="x" * 500 + " replace " + "多" * 300 + "\n" + "replace " * 100 + "\n",
        definitions=(),
    )
    hit = Hit(long, 1.0, why={"terms": tuple("abcdefghij")}, also=((1, 2),))
    for line in render("text", report([hit, *HITS]), Terminal(width=width, live=True)).splitlines():
        assert terminal.columns(line) <= width or line.startswith("docs/说明.md:3")  # a path is never cut


def test_a_long_line_is_cut_around_its_first_mark() -> None:
    long = STORE._replace(text="x" * 500 + " replace " + "y" * 500, definitions=())
    line = render("text", report([Hit(long, 1.0)])).splitlines()[1]
    assert " replace " in line
    assert line.split()[1].startswith("…")
    assert line.endswith("…")


def test_a_link_opens_the_file_of_the_hit() -> None:
    text = render("text", report(HITS[1:]), COLOURED)
    assert "\x1b]8;;file:///project/docs/%E8%AF%B4%E6%98%8E.md\x1b\\" in text


def test_paths_are_shown_as_the_reader_would_type_them() -> None:
    assert replace_directory(report(), "/project/src").path(STORE.path) == "store.py"
    assert replace_directory(report(), "/project/src").path(README.path) == "../docs/说明.md"
    assert replace_directory(report(), "/project/a/b/c").path(STORE.path) == "/project/src/store.py"
    assert replace_directory(report(), "/").path(STORE.path) == "project/src/store.py"


def replace_directory(shown: Report, directory: str) -> Report:
    return shown._replace(directory=Path(directory))


def test_scores_below_zero_or_all_equal_draw_a_bar() -> None:
    for scores in ((0.0, 0.0), (-1.0, -2.0), (1e-9, 1e-9)):
        hits = [hit._replace(score=score) for hit, score in zip(HITS, scores, strict=True)]
        for name in formats.FORMATS:
            assert render(name, report(hits))
