"""The full-screen search: what keys and workers do, on an engine with fixed answers."""

from __future__ import annotations

import asyncio
import dataclasses
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot

from codeseek import settings
from codeseek.errors import StoreError, UsageError
from codeseek.local import LocalEngine
from codeseek.records import Progress, ProgressListener, RefreshSummary, SearchRequest, SearchResult, SimilarRequest
from codeseek.tui import keys, strings
from codeseek.tui.browser import Browser
from codeseek.tui.guide import Guide
from codeseek.tui.picker import Picker
from codeseek.tui.workspace import Project
from codeseek.watcher import News, Polling, Refresh, Watcher
from fake_engine import HITS, RESULT, FakeEngine
from tui_driver import drive, numbered, seen, settle, workspace, write


def test_typing_searches_and_shows_the_file_at_the_best_hit(project: Path) -> None:
    engine = FakeEngine()

    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        await write(pilot, "replace")
        assert browser.results.current == HITS[0]
        assert "Store.replace" in seen(browser)
        assert "line_12 = 12" in seen(browser)

    drive(workspace(project, engine), script)
    assert isinstance(engine.requests[-1], SearchRequest)
    assert engine.requests[-1].query == "replace"


def test_letters_are_typed_and_never_quit(project: Path) -> None:
    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        await write(pilot, "quit jk")
        assert browser.query_input.value == "quit jk"
        await pilot.press("tab", "q", "q")
        await settle(pilot)
        assert pilot.app.is_running

    drive(workspace(project), script)


def test_filters_in_the_query_narrow_the_search(project: Path) -> None:
    engine = FakeEngine()

    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        browser.query_input.put("where lang:python kind:method path:src/** -path:tests")
        await settle(pilot)

    drive(workspace(project, engine), script)
    asked = engine.requests[-1]
    assert isinstance(asked, SearchRequest)
    assert (asked.query, asked.languages, asked.kinds) == ("where", ("python",), ("method",))
    assert (asked.paths, asked.exclude) == (("src/**",), ("tests",))


def test_a_wrong_filter_is_said_in_place_and_the_hits_stay(project: Path) -> None:
    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        await write(pilot, "replace")
        browser.query_input.put("replace lang:pythn")
        await settle(pilot)
        assert "did you mean" in seen(browser)
        assert len(browser.results.hits) == 2

    drive(workspace(project), script)


class SlowEngine(FakeEngine):
    """Answers the first question last."""

    gate: threading.Event

    def search(self, request: SearchRequest) -> SearchResult:
        if request.query == "a":
            self.gate.wait(5)
            return RESULT._replace(hits=(HITS[1],))
        return super().search(request)


def test_an_answer_that_comes_too_late_is_dropped(project: Path) -> None:
    engine = SlowEngine()
    engine.gate = threading.Event()

    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        browser.query_input.put("a")
        await pilot.pause(0.05)
        began = time.monotonic()
        browser.query_input.put("ab")
        await pilot.pause()
        assert time.monotonic() - began < 10, "a key was blocked: the gate is still closed"
        engine.gate.set()
        await settle(pilot)
        assert browser.results.current == HITS[0]
        assert [request.query for request in engine.requests if isinstance(request, SearchRequest)] == ["ab"]

    drive(workspace(project, engine), script)


def test_new_answers_keep_the_cursor_on_its_hit(project: Path) -> None:
    engine = FakeEngine(hits=numbered(30))

    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        await write(pilot, "replace")
        await pilot.press(*["down"] * 10)
        hit, top = browser.results.current, browser.results.scroll_offset.y
        engine.hits = (*numbered(30)[20:], *numbered(30)[:20])
        browser.ask_again()
        await settle(pilot)
        assert browser.results.current == hit
        assert browser.results.scroll_offset.y == top + 20

    drive(workspace(project, engine), script)


def test_the_next_page_comes_when_the_cursor_nears_the_end(project: Path) -> None:
    engine = FakeEngine(hits=numbered(300))

    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        await write(pilot, "replace")
        assert len(browser.results.hits) == 40
        await pilot.press("tab", "G")
        await settle(pilot)
        assert len(browser.results.hits) == 80
        assert browser.results.cursor == 39

    drive(workspace(project, engine), script)


def test_a_similar_search_leads_on_and_back(project: Path) -> None:
    engine = FakeEngine(hits=numbered(12))

    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        await write(pilot, "replace")
        await pilot.press("down", "down")
        hit = browser.results.current
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert isinstance(engine.requests[-1], SimilarRequest)
        assert browser.query_input.value == ""
        await pilot.press("escape")
        await settle(pilot)
        assert browser.query_input.value == "replace"
        assert browser.results.current == hit

    drive(workspace(project, engine), script)


def test_filters_are_chosen_from_a_list_and_written_into_the_query(project: Path) -> None:
    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        await write(pilot, "replace")
        await pilot.press("f2")
        await settle(pilot)
        assert isinstance(pilot.app.screen, Picker)
        await write(pilot, "lang:python")
        await pilot.press("enter")
        await settle(pilot)
        assert browser.query_input.value == "replace lang:python"
        await pilot.press("enter", "escape")
        await settle(pilot)
        assert browser.query_input.value == "replace"

    drive(workspace(project), script)


def test_facets_count_the_best_hits_each_without_its_own_filter(project: Path) -> None:
    engine = FakeEngine(hits=numbered(300))

    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        browser.query_input.put("replace lang:python")
        await settle(pilot)
        asked = len(engine.requests)
        await pilot.press("f2")
        await settle(pilot)
        limits = [(request.limit, request.languages) for request in engine.requests[asked:]]
        assert limits == [(400, ("python",)), (400, ())]
        await pilot.pause()
        assert "300" not in seen(browser)
        assert re.search(r"kind:method +150 +5 ", seen(browser))
        for told in ("kind (chunks)", "language (files)", "numbers: among the best hits, in the index"):
            assert told in seen(browser)
        await write(pilot, "changed:1d")
        await pilot.press("enter", "escape")
        await settle(pilot)
        assert browser.query_input.value == "replace lang:python changed:1d"
        assert engine.requests[-1].changed_since is not None

    drive(workspace(project, engine), script)


def test_a_slower_model_is_asked_after_a_pause_and_moves_nothing(project: Path) -> None:
    engine = FakeEngine(hits=numbered(30))

    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        await write(pilot, "rep")
        await pilot.press("down", "down")
        hit = browser.results.current
        assert all(isinstance(request, SearchRequest) and request.quick for request in engine.requests)
        engine.hits = (*numbered(30)[2:], *numbered(30)[:2])
        await pilot.pause(0.5)
        await settle(pilot)
        assert [request.quick for request in engine.requests if isinstance(request, SearchRequest)].count(False) == 1
        assert browser.results.current == hit

    drive(dataclasses.replace(workspace(project, engine), deep=True), script)


def test_what_is_weaker_than_it_should_be_is_said(project: Path) -> None:
    result = RESULT._replace(degraded=("the graph [b]is[/b] missing",), coverage=0.4, tier="bundled+large")
    engine = FakeEngine(result=result)

    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        await write(pilot, "replace")
        assert "degraded" in seen(browser)
        assert "▲ the graph [b]is[/b] missing" in seen(browser)
        assert "bundled+large 40%" in seen(browser)

    drive(workspace(project, engine), script, size=(140, 30))


def test_a_click_goes_to_a_hit_and_a_second_opens_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Any] = []
    monkeypatch.setattr(Browser, "action_open", lambda self: opened.append(self.results.current))

    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        await write(pilot, "replace")
        await pilot.click("#results", offset=(10, 5))
        await settle(pilot)
        assert browser.results.cursor == 2
        assert browser.preview.place.first_line == 3
        await pilot.click("#results", offset=(10, 2), times=2)
        assert opened == [browser.results.hits[1]]
        await pilot.click("#results", offset=(10, 0), control=True)
        assert [*browser.results.chosen.values()] == [browser.results.hits[0]]

    drive(workspace(project, FakeEngine(hits=numbered(30))), script)


def test_a_click_on_a_key_in_the_footer_does_what_it_says(project: Path) -> None:
    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        await write(pilot, "replace")
        footer = seen(browser).splitlines()[-1]
        await pilot.click("#keys", offset=(footer.index("Filters"), 0))
        await settle(pilot)
        assert isinstance(pilot.app.screen, Picker)
        await pilot.click("#options", offset=(5, 1))
        await settle(pilot)
        assert browser.query_input.value == "replace kind:method"

    drive(workspace(project), script)


def test_the_wheel_scrolls_what_is_under_it_and_brings_the_next_page(project: Path) -> None:
    (project / "src" / "file_0.py").write_text("a = 1\n" * 200)

    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        await write(pilot, "replace")
        for widget in (browser.results, browser.preview):
            x, y = widget.region.offset
            for _ in range(60):
                pilot.app.screen._forward_event(
                    events.MouseScrollDown(widget, x + 3, y + 3, 0, 1, 0, shift=False, meta=False, ctrl=False)
                )
                await pilot.pause()
            await settle(pilot)
            assert widget.scroll_offset.y > 0
        assert browser.results.cursor == 0
        assert len(browser.results.hits) > 40

    drive(workspace(project, FakeEngine(hits=numbered(300))), script)


@pytest.mark.parametrize(
    ("size", "handle", "move"), [((140, 30), "#divider", (-20, 0)), ((80, 24), "#crumbs", (0, -4))]
)
def test_the_border_between_the_panes_is_dragged(
    size: tuple[int, int], handle: str, move: tuple[int, int], project: Path
) -> None:
    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        await write(pilot, "replace")
        before = browser.results.size
        x, y = browser.query_one(handle).region.offset
        await pilot.mouse_down(handle, offset=(0, 0))
        await pilot.hover(offset=(x + move[0], y + move[1]))
        await pilot.mouse_up(offset=(x + move[0], y + move[1]))
        await settle(pilot)
        now = browser.results.size
        assert (now.width - before.width, now.height - before.height) == pytest.approx(move, abs=1)
        await pilot.hover(offset=(x, y))
        await settle(pilot)
        assert browser.results.size == now, "the border was let go"

    drive(workspace(project, FakeEngine(hits=numbered(30))), script, size=size)


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("first", [30, 50, 70])
def test_the_preview_stays_at_the_hit_in_every_size_until_it_is_scrolled(
    first: int, wrapped: bool, project: Path
) -> None:
    hit = HITS[0]._replace(chunk=HITS[0].chunk._replace(first_line=first, last_line=first + 9))

    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        preview = browser.preview
        preview.wrap(wrapped=wrapped)
        await write(pilot, "replace")
        for size in ((60, 20), (120, 35), (80, 24), (120, 60), (60, 20)):
            await pilot.resize_terminal(*size)
            await settle(pilot)
            assert preview.top_line <= first, size
            room = preview.size.height
            assert first + min(9, room - 3) < preview.top_line + room, size
        preview.action_scroll_top()
        await settle(pilot)
        await pilot.resize_terminal(100, 20)
        await settle(pilot)
        assert preview.top_line == 1, "the reader went there"

    drive(workspace(project, FakeEngine(hits=(hit,))), script, size=(120, 35))


def test_several_hits_are_chosen_and_exported(project: Path) -> None:
    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        await write(pilot, "replace")
        await pilot.press("tab", "space", "space")
        assert len(browser.results.chosen) == 2
        await pilot.press("e")
        await settle(pilot)
        await write(pilot, "json")
        await pilot.press("enter")
        await settle(pilot)

    drive(workspace(project, FakeEngine(hits=numbered(9))), script)
    assert len((project / "codeseek-hits.json").read_text().splitlines()) == 2


def test_the_hit_is_copied_by_the_terminal(project: Path) -> None:
    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        await write(pilot, "replace")
        await pilot.press("tab", "y")
        await settle(pilot)
        assert pilot.app.clipboard == "src/store.py:12"

    drive(workspace(project), script)


def test_queries_are_remembered_and_found_again(project: Path) -> None:
    async def first(pilot: Pilot[Any], browser: Browser) -> None:
        await write(pilot, "replace")
        browser.remember()

    async def second(pilot: Pilot[Any], browser: Browser) -> None:
        assert "replace" in seen(browser)
        await pilot.press("ctrl+r")
        await write(pilot, "repl")
        await pilot.press("enter")
        await settle(pilot)
        assert browser.query_input.value == "replace"
        await pilot.press("escape", "up")
        await settle(pilot)
        assert browser.query_input.value == "replace"
        await pilot.press("escape")
        await settle(pilot)
        lines = seen(browser).splitlines()
        row = next(at for at, line in enumerate(lines) if "❯ replace" in line)
        await pilot.click(offset=(lines[row].index("replace") + 2, row))
        await settle(pilot)
        assert browser.query_input.value == "replace"

    drive(workspace(project), first)
    drive(workspace(project), second)


def test_without_an_index_there_is_a_welcome_and_enter_indexes(project: Path) -> None:
    progress = (Progress("scan", 3), Progress("index", 1, 3, 40, "src/a.py"), Progress("index", 3, 3, 90))
    engine = FakeEngine(progress=progress, summary=RefreshSummary(added=3, chunks=90))

    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        assert "Welcome" in seen(browser)
        assert "refresh" not in engine.calls
        await pilot.press("enter")
        await settle(pilot)
        assert "refresh" in engine.calls
        assert browser.session.indexed

    drive(workspace(project, engine, indexed=False), script)


class Watching:
    """Stands for the watcher: remembers what it was given, and is told by a test when files change."""

    def __init__(self, root: Path, refresh: Refresh, tell: Callable[[News], None], progress: ProgressListener) -> None:
        self.root = root
        self.closed = False
        self._refresh = refresh
        self._progress = progress
        self.tell = tell

    def change(self) -> None:
        self.tell(self._refresh(self._progress))

    def close(self) -> None:
        self.closed = True


def test_changed_files_renew_the_answer(project: Path) -> None:
    engine = FakeEngine(summary=RefreshSummary(changed=1, unchanged=1))
    watching: list[Watching] = []

    def watch(*given: Any) -> Watching:
        watching.append(Watching(*given))
        return watching[-1]

    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        await write(pilot, "replace")
        searches = engine.calls.count("search")
        await asyncio.to_thread(watching[0].change)
        await settle(pilot)
        assert engine.calls.count("search") == searches + 1
        watching[0].tell(Polling("limit"))
        await settle(pilot)
        assert any("sysctl" in told.message for told in pilot.app._notifications)

    drive(workspace(project, engine, watch=watch), script)
    assert engine.calls.count("refresh") == 1
    assert [(one.root, one.closed) for one in watching] == [(project, True)]


def test_a_saved_file_changes_the_answer_and_leaves_the_cursor(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    for number in range(30):
        (root / f"part_{number}.py").write_text(f"def parse_part_{number}(text):\n    return text.parse({number})\n")
    chosen = settings.load(None, {"data_dir": tmp_path / "data", "workers": 1})
    engine = LocalEngine(root, chosen)
    engine.refresh()

    def watch(root: Path, *given: Any) -> Watcher:
        watcher = Watcher(root, chosen.index_directory(root), *given)
        watcher.start()
        return watcher

    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        await write(pilot, "parse part")
        await pilot.press(*["down"] * 6)
        hit, top = browser.results.current, browser.results.scroll_offset.y
        row = browser.results.cursor * 2 - top
        (root / "new.py").write_text("def parse_part(text):\n    return text\n")
        until = time.monotonic() + 20
        while not any(hit.chunk.path.name == "new.py" for hit in browser.results.hits):
            assert time.monotonic() < until
            await pilot.pause(0.05)
        assert browser.results.current == hit or (
            browser.results.current and hit and browser.results.current.chunk == hit.chunk
        )
        assert browser.results.cursor * 2 - browser.results.scroll_offset.y == row

    drive(workspace(root, engine, watch=watch), script)


def test_an_error_is_shown_with_its_hint(project: Path) -> None:
    engine = FakeEngine(search_error=StoreError("the index is [b]damaged[/b]", "run `codeseek index`"))

    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        await write(pilot, "replace")
        assert "the index is [b]damaged[/b] (run `codeseek index`)" in seen(browser)
        engine.refresh_error = UsageError("no [red]way[/red]", "try")
        await pilot.press("f5")
        await settle(pilot)

    drive(workspace(project, engine), script, size=(120, 30))


def test_another_project_takes_the_screen(project: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()

    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        await write(pilot, "replace")
        await pilot.press("ctrl+g", "down", "enter")
        await settle(pilot)
        assert isinstance(pilot.app.screen, Browser)
        assert pilot.app.screen.session.root == other
        assert pilot.app.screen.query_input.value == "replace"

    drive(workspace(project, projects=[Project(other, 3, 4, 5.0)]), script)


def test_all_projects_are_searched_at_once_and_hits_say_of_which_they_are(project: Path, tmp_path: Path) -> None:
    others = [tmp_path / name for name in ("alpha", "beta")]
    engines = {project: FakeEngine()}
    for root in others:
        (root / "src").mkdir(parents=True)
        (root / "src" / "store.py").write_text(f"name = '{root.name}'\n" * 30)
        engines[root] = FakeEngine(hits=HITS[:1])
    listed = [Project(root, 3, 4, 5.0) for root in others]
    given = dataclasses.replace(workspace(project, projects=listed), open=lambda root: engines[root])

    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        await write(pilot, "replace")
        await pilot.press("ctrl+g")
        await settle(pilot)
        assert "all projects" in seen(browser)
        await pilot.press("enter")
        await settle(pilot)
        everywhere = pilot.app.screen
        assert isinstance(everywhere, Browser)
        assert [str(hit.chunk.path) for hit in everywhere.results.hits] == ["alpha/src/store.py", "beta/src/store.py"]
        assert "name = 'alpha'" in seen(everywhere)
        await pilot.press("down", "tab", "y")
        await settle(pilot)
        assert pilot.app.clipboard == "beta/src/store.py:12"
        everywhere.query_input.put("replace path:beta/src/** -path:tests")
        await settle(pilot)
        assert [str(hit.chunk.path) for hit in everywhere.results.hits] == ["beta/src/store.py"]
        asked = engines[others[1]].requests[-1]
        assert (asked.paths, asked.exclude) == (("src/**",), ("tests",))
        await pilot.press("ctrl+s")
        await settle(pilot)
        asked = engines[others[1]].requests[-1]
        assert isinstance(asked, SimilarRequest)
        assert str(asked.path) == "src/store.py"

    drive(given, script)


def test_code_pasted_over_several_lines_is_one_query(project: Path) -> None:
    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        browser.query_input.post_message(events.Paste("def a(b):\n\treturn b\x1b[2J\n"))
        await settle(pilot)
        assert browser.query_input.value.startswith("def a(b): return b")
        await pilot.press("ctrl+z")
        assert browser.query_input.value == ""

    drive(workspace(project), script)


def test_every_action_exists_and_no_key_means_two() -> None:
    for action in keys.ACTIONS:
        assert callable(getattr(Browser, f"action_{action.method}")), action.name
        assert action.help
    everywhere = [key for action in keys.ACTIONS for key in (*action.keys, *action.letters)]
    assert len(everywhere) == len(set(everywhere))


def test_every_text_is_there_in_both_languages() -> None:
    for name, (english, chinese) in strings.TEXTS.items():
        fields = {part.split("}")[0] for part in english.split("{")[1:]}
        assert fields == {part.split("}")[0] for part in chinese.split("{")[1:]}, name
        assert english
        assert chinese


@pytest.mark.parametrize("key", ["f1", "ctrl+p", "f2", "f9", "ctrl+y", "f8"])
def test_every_dialog_opens_and_closes(key: str, project: Path) -> None:
    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        await write(pilot, "replace")
        await pilot.press(key)
        await settle(pilot)
        assert isinstance(pilot.app.screen, Picker | Guide)
        await pilot.press("escape")
        await settle(pilot)
        assert browser.is_current
        assert browser.query_input.has_focus

    drive(workspace(project), script)


def test_the_terminals_cursor_stays_in_the_query(project: Path) -> None:
    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        assert pilot.app.cursor_position == (3, 0)
        browser.query_input.put("依赖a")
        await settle(pilot)
        assert pilot.app.cursor_position == (8, 0)
        await pilot.press("left", "left")
        assert pilot.app.cursor_position == (5, 0)

    drive(workspace(project), script)


def test_enter_opens_the_editor_at_the_line(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = project / "opened"
    script_file = project / "code"
    script_file.write_text(f'#!/bin/sh\necho "$@" > "{opened}"\n')
    script_file.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(script_file))

    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        await write(pilot, "replace")
        await pilot.press("enter")
        for _ in range(100):
            if opened.exists() and opened.read_text():
                break
            await pilot.pause(0.05)

    drive(workspace(project), script)
    assert opened.read_text() == f"--goto {project}/src/store.py:12\n"


def test_an_editor_that_is_not_there_is_said(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "/nowhere/vim")

    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        await write(pilot, "replace")
        await pilot.press("enter")
        await settle(pilot)
        assert pilot.app.is_running

    drive(workspace(project), script)
