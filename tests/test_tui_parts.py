"""The parts of the full-screen search that need no screen: filters, editors, memory, files, painting."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.style import Style
from textual.pilot import Pilot

from codeseek import query, screen
from codeseek.everywhere import Everywhere
from codeseek.records import Chunk, Hit, SearchResult
from codeseek.tui import editor, facets, filters, large, lines, painting, rows, source, strings
from codeseek.tui.browser import Browser
from codeseek.tui.filters import Filter
from codeseek.tui.memory import Memory
from fake_engine import HITS, STATUS, STORE, FakeEngine
from tui_driver import drive, numbered, seen, settle, workspace, write

EVIL = "\x1b]0;owned\x07\x1b[2J\u202egnp.exe\u200b\x9b31m[red]markup[/red]"


@given(st.sampled_from(["", "where is it", "多语言 检索 lang:go"]), st.lists(st.sampled_from(["go", "c", "python"])))
def test_a_filter_toggled_twice_leaves_the_search_as_it_was(text: str, names: list[str]) -> None:
    for name in names:
        chosen = Filter("lang", name)
        there = chosen in filters.active(text)
        once = filters.toggled(text, chosen)
        assert (chosen in filters.active(once)) is not there
        assert query.parse(filters.toggled(once, chosen)).words == query.parse(text).words
        text = once


def test_filters_are_read_as_the_query_reads_them() -> None:
    text = 'a lang:go,c kind:method path:"my docs/**" -path:tests path:":odd" path::Path b'
    parsed = query.parse(text)
    active = filters.active(text)
    assert filters.words(text) == parsed.words
    assert tuple(one.value for one in active if one.name == "lang") == parsed.languages
    assert tuple(one.value for one in active if one.name == "path") == parsed.paths
    assert query.parse(filters.written(parsed.words, [*active])) == parsed


def test_a_filter_counts_the_same_among_the_hits_and_in_the_index() -> None:
    cell = HITS[0].chunk._replace(
        path=PurePosixPath("a.ipynb")
    )  # a notebook's code is in another language than its file
    hits = (*numbered(9), *numbered(9), HITS[0]._replace(chunk=cell))
    counts = facets.of_hits(hits)
    assert counts.languages == {"python": 3, "markdown": 3, "notebook": 1}
    assert counts.kinds == {"method": 11, "section": 8}
    status = STATUS._replace(languages={"python": 4, "markdown": 3, "notebook": 1, "yaml": 2}, kinds={"method": 30})
    notes = {item.text: item.note.split() for item in facets.items("", counts, status)}
    assert notes["lang:python"] == ["3", "4"]
    assert notes["lang:yaml"] == ["·", "2"]
    assert notes["kind:method"] == ["11", "30"]
    assert notes["path:docs/**"] == notes["-path:docs/**"] == ["8"]


@pytest.mark.parametrize(
    ("chosen", "words", "terminal"),
    [
        ("vim", ["vim", "+7", "/p/a.py"], True),
        ("nvim -p", ["nvim", "-p", "+7", "/p/a.py"], True),
        ("emacsclient -nw", ["emacsclient", "-nw", "+7", "/p/a.py"], True),
        ("nano", ["nano", "+7", "/p/a.py"], True),
        ("hx", ["hx", "/p/a.py:7"], True),
        ("code", ["code", "--goto", "/p/a.py:7"], False),
        ("code --wait", ["code", "--wait", "--goto", "/p/a.py:7"], True),
        ("/opt/Cursor/cursor", ["/opt/Cursor/cursor", "--goto", "/p/a.py:7"], False),
        ("zed", ["zed", "/p/a.py:7"], False),
        ("subl", ["subl", "/p/a.py:7"], False),
        ("idea", ["idea", "--line", "7", "/p/a.py"], False),
        ("strange", ["strange", "/p/a.py"], True),
    ],
)
def test_every_editor_is_told_the_line_in_its_own_way(chosen: str, words: list[str], terminal: bool) -> None:
    command = editor.command([editor.Place(Path("/p/a.py"), 7)], environment={"EDITOR": chosen})
    assert command is not None
    assert ([*command.words], command.terminal) == (words, terminal)


SEVERAL = [editor.Place(Path("/p/a.py"), 7), editor.Place(Path("/p/b c.py"), 0), editor.Place(Path("/p/a.py"), 90)]


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ("emacs", ["+7", "/p/a.py", "+1", "/p/b c.py", "+90", "/p/a.py"]),
        ("nano", ["+7", "/p/a.py", "+1", "/p/b c.py", "+90", "/p/a.py"]),
        ("code", ["--goto", "/p/a.py:7", "/p/b c.py:1", "/p/a.py:90"]),
        ("hx", ["/p/a.py:7", "/p/b c.py:1", "/p/a.py:90"]),
        ("zed", ["/p/a.py:7", "/p/b c.py:1", "/p/a.py:90"]),
        ("subl", ["/p/a.py:7", "/p/b c.py:1", "/p/a.py:90"]),
        ("idea", ["--line", "7", "/p/a.py", "--line", "1", "/p/b c.py", "--line", "90", "/p/a.py"]),
        ("vi", ["+7", "/p/a.py", "/p/b c.py", "/p/a.py"]),
    ],
)
def test_several_places_are_opened_at_their_lines(chosen: str, words: list[str], tmp_path: Path) -> None:
    command = editor.command(SEVERAL, tmp_path, {"EDITOR": chosen})
    assert command is not None
    assert [*command.words[1:]] == words


@pytest.mark.parametrize("chosen", ["vim", "nvim"])
def test_vim_opens_several_places_as_its_list_and_obeys_no_name(chosen: str, tmp_path: Path) -> None:
    if shutil.which(chosen) is None:
        pytest.skip(f"there is no {chosen} here")
    names = ["a.py", "b c.py", "|call writefile([1],'owned')|.py", "%#.py", "多语言:12:.py", "`touch owned`.py"]
    for name in names:
        (tmp_path / name).write_text("".join(f"line {number}\n" for number in range(1, 30)))
    places = [editor.Place(tmp_path / name, at + 3) for at, name in enumerate(names)]
    command = editor.command(places, tmp_path / "scratch", {"EDITOR": chosen})
    assert command is not None
    told = tmp_path / "told"
    script = (
        f"let told = map(getqflist(), {{_, one -> bufname(one.bufnr) . '@' . one.lnum}})"
        f" | call writefile(told + [expand('%:t') . '@' . line('.')], '{told}')"
    )
    words = [*command.words, "-u", "NONE", "-es", "-c", "set encoding=utf-8", "-c", script, "-c", "qa!"]
    subprocess.run(words, check=False, timeout=30, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True)
    *listed, at = told.read_text().splitlines()
    assert [Path(one).name for one in listed] == [f"{name}@{number + 3}" for number, name in enumerate(names)]
    assert at == "a.py@3"
    assert not (tmp_path / "owned").exists()


def test_a_name_that_would_break_vims_list_goes_another_way(tmp_path: Path) -> None:
    places = [editor.Place(Path("/p/a\nb.py"), 7), editor.Place(Path("/p/c.py"), 9)]
    command = editor.command(places, tmp_path, {"EDITOR": "vim"})
    assert command is not None
    assert [*command.words] == ["vim", "+7", "/p/a\nb.py", "/p/c.py"]


def test_without_any_editor_there_is_no_command() -> None:
    assert editor.command([editor.Place(Path("/p/a.py"), 7)], environment={"PATH": "/nowhere"}) is None


def test_memory_keeps_queries_once_and_for_the_owner_only(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "memory")
    for text in ("pars", "parse a", "检索", "parse a", "x\ny"):
        memory.remember(text)
    again = Memory(tmp_path / "memory")
    assert again.queries == ["x y", "parse a", "检索"]
    assert stat.S_IMODE((tmp_path / "memory" / "history").stat().st_mode) == 0o600
    again.prefer("theme", "nord")
    assert Memory(tmp_path / "memory").preference("theme") == "nord"


def test_a_memory_that_cannot_be_read_or_written_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    memory = Memory(tmp_path / "file")
    memory.remember("parse")
    assert memory.queries == ["parse"]
    (tmp_path / "preferences.json").write_text("[broken")
    assert Memory(tmp_path).preference("theme", "none") == "none"


@pytest.mark.parametrize(
    ("data", "problem", "first"),
    [
        (b"a\r\nb\rc\n", "", "a"),
        ("检索\n".encode("gb18030"), "", "检索"),
        ("\ufeffa\n".encode(), "", "a"),
        ("检索".encode("utf-16"), "", "检索"),
        (b"\x00\x01\x02", "binary", None),
    ],
)
def test_a_file_is_read_for_the_preview(data: bytes, problem: str, first: str | None, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(data)
    read = source.read(tmp_path, PurePosixPath("a.py"), "python")
    assert read.problem == problem
    assert (read.lines[0] if read.lines else None) == first


def test_what_cannot_be_shown_says_why(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "secret").write_text("x")
    (tmp_path / "project" / "link").symlink_to(tmp_path / "secret")
    assert source.read(tmp_path / "project", PurePosixPath("link"), "text").problem == "outside"
    assert source.read(tmp_path / "project", PurePosixPath("none"), "text").problem == "gone"
    for problem in ("outside", "gone", "unreadable", "binary"):
        assert strings.say(f"problem-{problem}")


@given(
    parts=st.lists(st.text("a检\t\r", max_size=30) | st.just("x" * 70_000) | st.just("short")),
    repeated=st.sampled_from([1, 7, 4_000]),
    ended=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_a_large_files_lines_are_those_of_the_whole(
    parts: list[str], repeated: int, ended: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lines = [line for part in parts for line in [part] * (repeated if len(part) < 100 else 1)]
    text = "\n".join(lines) + "\n" * ended
    file = tmp_path_factory.getbasetemp() / "large.py"
    file.write_bytes(text.encode())
    wanted = text.split("\n")[: None if text and not text.endswith("\n") else -1]
    opened = large.LargeFile(file, "utf-8", 2_000)
    assert len(opened) == len(wanted)
    for at in {0, 1, len(wanted) // 2, *range(max(0, len(wanted) - 3), len(wanted)), *range(0, len(wanted), 997)}:
        if at < len(wanted):
            assert opened[at] == wanted[at].removesuffix("\r").expandtabs(4)[:2_000]
    assert opened[:3] == [opened[at] for at in range(min(3, len(opened)))]


def test_of_a_large_file_only_what_is_seen_is_read(project: Path) -> None:
    path = HITS[0].chunk.path
    with (project / path).open("w") as file:
        for number in range(1, 400_001):
            file.write(f"value_{number} = '{number}'  # 检索\n")
    chunk = HITS[0].chunk._replace(first_line=200_000, last_line=200_010)
    engine = FakeEngine(hits=(HITS[0]._replace(chunk=chunk),))

    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        await write(pilot, "replace")
        assert "value_200000" in seen(browser)
        shown = browser.preview.source
        assert shown is not None
        assert isinstance(shown.lines, large.LargeFile)
        assert len(shown.lines) == 400_000
        assert len(shown.lines._pieces) <= 4
        await settle(pilot)
        assert 199_999 in shown.spans
        await pilot.press("tab", "tab", "G")
        await settle(pilot)
        assert "value_400000 = '400000'  # 检索" in seen(browser)
        assert 399_990 in shown.spans
        await pilot.press("f7", "m", "m", "g")
        await settle(pilot)
        assert "value_1 = '1'" in seen(browser)

    drive(workspace(project, engine), script, size=(120, 30))


@given(st.text(alphabet="ab \n\t\"'#é检def():", max_size=200))
def test_colours_lie_within_their_lines(text: str) -> None:
    lines = tuple(text.split("\n"))
    made = [*source.coloured(source.Source(Path("a.py"), PurePosixPath("a.py"), "python", lines), 0, lambda: False)]
    spans = [line for _, batch in made for line in batch]
    assert len(spans) == len(lines)
    for line, ranges in zip(lines, spans, strict=True):
        assert all(0 <= start < end <= len(line) for start, end, _ in ranges)


@given(st.text(max_size=60), st.integers(1, 50))
def test_a_strip_is_safe_and_as_wide_as_it_should_be(text: str, width: int) -> None:
    plain = Style()
    marks = tuple(match.span() for match in re.finditer("a", text))
    strip = painting.strip(painting.marked(text, plain, Style(bold=True), marks), width, plain)
    assert strip.cell_length == sum(segment.cell_length for segment in strip)
    assert screen.safe(strip.text) == strip.text


@given(st.text(max_size=40), st.integers(0, 40))
def test_a_text_cut_at_its_front_fits_and_keeps_its_end(text: str, width: int) -> None:
    cut = painting.cut_front(text, width)
    assert screen.columns(cut) <= max(width, 0) or cut == text
    assert text.endswith(cut.removeprefix("…"))


def test_grouped_hits_stay_in_the_order_of_their_files() -> None:
    laid, order = rows.layout([*HITS, HITS[0]], grouped=True)
    assert order == [0, 2, 1]
    assert [row.part for row in laid] == [-1, 0, 1, 0, 1, -1, 0, 1]


def test_escapes_in_names_and_files_never_reach_the_terminal(project: Path) -> None:
    name = "evil\x1b[2J\u202e.py"
    (project / name).write_text(f"{EVIL}\n" * 30)
    chunk = HITS[0].chunk._replace(
        path=PurePosixPath(name), symbol=EVIL, text=f"{EVIL}\n" * 5, breadcrumb=(EVIL,), first_line=2, last_line=6
    )
    engine = FakeEngine(hits=(HITS[0]._replace(chunk=chunk, why={EVIL: (EVIL,)}),))

    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        await write(pilot, "replace")
        for key in ("f4", "f3", "f7", "f2", "escape", "ctrl+y", "escape", "tab", "y"):
            await pilot.press(key)
            shown = seen(browser)
            assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u200b]", shown)
            assert "\\x1b" in shown or pilot.app.screen is not browser

    drive(workspace(project, engine), script, size=(120, 40))


def test_a_file_is_read_in_the_project_that_its_path_begins_with(tmp_path: Path) -> None:
    everywhere = Everywhere({name: tmp_path / name for name in ("one", "two")}, lambda _: FakeEngine())
    path = PurePosixPath("two", STORE.path)
    assert everywhere.chunks(path, 12, 12) == (STORE._replace(path=path),)
    assert everywhere.chunks(STORE.path, 12, 12) == ()


def test_the_translation_of_a_question_is_told_in_words_and_not_in_names_made_of_them() -> None:
    chunk = Chunk(
        PurePosixPath("Product.java"), 1, 2, "java", "class", "", "ProductSpuDO getProductSpu(ProductSpuDO spu)"
    )
    result = SearchResult((Hit(chunk, 1.0),), "bundled", terms=("product", "上架"))
    assert lines.translated("商品上架", result) == ["product"]
