"""How the full-screen search looks: pictures that are compared; look at them before they are written anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from textual.pilot import Pilot

from codeseek import settings
from codeseek.engine import Engine
from codeseek.local import LocalEngine
from codeseek.records import SearchRequest, SearchResult
from codeseek.tui.browser import Browser
from fake_engine import HITS, RESULT, STATUS, FakeEngine
from tui_driver import drive, numbered, settle, workspace
from tui_driver import picture as picture_of


class Picture(SingleFileSnapshotExtension):
    """Keeps each picture in a file of its own."""

    file_extension = "svg"
    _write_mode = WriteMode.TEXT


@pytest.fixture
def picture(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(Picture)


SCREENS: dict[str, tuple[str, tuple[str, ...], tuple[int, int], str, str]] = {
    # name: query, keys, size, theme, language
    "home": ("", (), (80, 24), "textual-dark", "en"),
    "hits": ("replace file", ("down",), (80, 24), "textual-dark", "en"),
    "hits-wide": ("replace file", ("tab", "space"), (160, 48), "textual-dark", "en"),
    "hits-light": ("replace file", (), (160, 48), "textual-light", "en"),
    "hits-ansi": ("replace file", (), (80, 24), "ansi-dark", "en"),
    "grouped": ("replace file", ("f3", "down"), (80, 24), "textual-dark", "en"),
    "why": ("replace file", ("f4",), (80, 24), "textual-dark", "en"),
    "filters": ("replace lang:python", ("f2",), (80, 24), "textual-dark", "en"),
    "help": ("", ("f1",), (80, 24), "textual-dark", "en"),
    "help-chinese": ("", ("f1",), (160, 48), "textual-light", "zh"),
    "hits-chinese": ("多语言 检索", (), (80, 24), "textual-dark", "zh"),
    "commands": ("replace", ("ctrl+p",), (80, 24), "textual-dark", "en"),
    "welcome": ("", (), (80, 24), "textual-dark", "en"),
    "nothing": ("zzz lang:go", (), (80, 24), "textual-dark", "zh"),
}


@pytest.mark.parametrize("name", SCREENS)
def test_the_screen_looks_as_it_did(
    name: str, project: Path, picture: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, keys, size, theme, language = SCREENS[name]
    monkeypatch.setenv("LANG", {"zh": "zh_CN.UTF-8", "en": "C.UTF-8"}[language])
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    (project / "src" / "store.py").write_text("import os\n\n\nclass Store:\n" + "    #\n" * 7 + HITS[0].chunk.text)
    hits = () if name == "nothing" else (*HITS, *numbered(10))
    result = RESULT._replace(indexed_at=None)
    engine = FakeEngine(hits=hits, result=result, answer=STATUS)
    shown = []

    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        pilot.app.theme = theme
        browser.query_input.cursor_blink = False
        browser.session.root = Path("/project") if not text else browser.session.root
        browser.status = STATUS
        browser.query_input.put(text)
        browser.paint_lines()
        await settle(pilot)
        await pilot.press(*keys)
        await settle(pilot)
        shown.append(picture_of(pilot.app))

    drive(workspace(project, engine, indexed=name != "welcome"), script, size=size)
    assert shown[0] == picture


FILES = {
    "README.md": "# shipyard\n\nFetches packages, quickly and politely.\n\n## 重试与超时\n\n失败的请求会重试三次, 每次等待加倍; "
    "超过期限就放弃。\n\n## Settings\n\nSettings come from `shipyard.toml`.\n",
    "src/client.py": '"""Talks to package registries."""\n\nimport random\nimport time\n\n\nclass Client:\n'
    '    """Fetches packages; failed requests are retried."""\n\n'
    "    def __init__(self, session, retries=3, timeout_s=10.0):\n        self._session = session\n"
    "        self._retries = retries\n        self._timeout_s = timeout_s\n\n"
    '    def fetch(self, url):\n        """Fetch a page, with a limited number of retries.\n\n'
    '        Waits twice as long after each failure: 指数退避, 避免压垮服务器。\n        """\n'
    "        for attempt in range(self._retries + 1):\n            try:\n"
    "                return self._session.get(url, timeout=self._timeout_s)\n            except ConnectionError:\n"
    "                if attempt == self._retries:\n                    raise\n                self._back_off(attempt)\n\n"
    '    def _back_off(self, attempt):\n        """Sleep before the next attempt."""\n'
    "        time.sleep(2**attempt * (0.5 + random.random()))\n",
    "src/settings.py": 'import tomllib\n\n\ndef load(path):\n    """Read settings, and how often to retry."""\n'
    "    with open(path, 'rb') as file:\n        return tomllib.load(file)\n",
    "src/queue.go": "package queue\n\n// Retry puts a failed job back, unless its limit is reached.\n"
    "func (q *Queue) Retry(job Job) error {\n\tif job.Attempts >= q.Limit {\n\t\treturn ErrGivenUp\n\t}\n"
    "\tjob.Attempts++\n\treturn q.Put(job)\n}\n",
}


class Steady:
    """A real engine whose answers always take as long."""

    def __init__(self, engine: LocalEngine) -> None:
        self._engine = engine

    def search(self, request: SearchRequest) -> SearchResult:
        return self._engine.search(request)._replace(elapsed_ms=6.0, indexed_at=None, freshness="fresh")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


def test_the_readme_shows_the_program_as_it_is(tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    root = tmp_path / "shipyard"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    engine = LocalEngine(root, settings.load(None, {"data_dir": tmp_path / "data", "workers": 1}))
    engine.refresh()
    shown = []

    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        browser.query_input.cursor_blink = False
        browser.query_input.put("请求失败 怎么 retry")
        await settle(pilot)
        await pilot.pause(0.2)
        await settle(pilot)
        assert browser.results.current is not None
        assert browser.results.current.chunk.path.as_posix() == "src/client.py"
        shown.append(picture_of(pilot.app, "codeseek"))

    drive(workspace(root, cast("Engine", Steady(engine))), script, size=(118, 30))
    golden("tui.svg", shown[0])
