"""Whatever keys are pressed in whatever order, the full-screen search goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from textual.pilot import Pilot

from codeseek.errors import StoreError
from codeseek.tui import keys
from codeseek.tui.browser import Browser
from fake_engine import FakeEngine
from tui_driver import drive, numbered, settle, workspace

LETTERS = ("a", "q", "x", "space", "colon", "slash", "backspace", "left", "home", "ctrl+w", "ctrl+z", "依", "[", "\\")
USUAL = ["enter", "tab", "down", "escape", "f2", "ctrl+s"]
KEYS = sorted(
    {key for action in keys.ACTIONS if action.name != "quit" for key in (*action.keys, *action.letters)}
    | {*LETTERS, "enter", "tab", "shift+tab", "down", "end", "ctrl+u", "ctrl+d"}
)


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    pressed=st.lists(st.sampled_from([*KEYS, *USUAL * 4]), min_size=10, max_size=40),
    count=st.sampled_from([0, 1, 60]),
    wide=st.booleans(),
    fails=st.booleans(),
)
def test_any_keys_in_any_order_leave_a_screen(
    pressed: list[str], count: int, wide: bool, fails: bool, tmp_path_factory: Any, monkeypatch: Any
) -> None:
    root: Path = tmp_path_factory.mktemp("project")
    monkeypatch.chdir(root)
    monkeypatch.setenv("EDITOR", "true")
    (root / "src").mkdir()
    (root / "src" / "file_0.py").write_text("a = 1\n" * 90)
    engine = FakeEngine(hits=numbered(count), search_error=StoreError("it is [broken", "hint]") if fails else None)

    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        browser.query_input.put("replace")
        await settle(pilot)
        for at, key in enumerate(pressed):
            await pilot.press(key)
            if at == len(pressed) // 2:
                await pilot.resize_terminal(40, 10)
        assert pilot.app.is_running

    drive(workspace(root, engine), script, size=(160, 48) if wide else (80, 24))
