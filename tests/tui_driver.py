"""Runs the full-screen search without a terminal, for tests."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from textual.app import App
from textual.pilot import Pilot

from codeseek import screen
from codeseek.engine import Engine
from codeseek.records import Hit
from codeseek.tui.app import CodeseekApp
from codeseek.tui.browser import Browser
from codeseek.tui.workspace import Export, Project, Watch, Workspace
from fake_engine import HITS, FakeEngine

Script = Callable[[Pilot[Any], Browser], Awaitable[None]]


def numbered(count: int) -> tuple[Hit, ...]:
    """Return hits in different files and places, the best first."""
    return tuple(
        HITS[at % 2]._replace(
            chunk=HITS[at % 2].chunk._replace(
                path=HITS[at % 2].chunk.path.with_stem(f"file_{at // 3}"),
                symbol=f"{HITS[at % 2].chunk.symbol}_{at}",
                first_line=at + 1,
                last_line=at + 4,
            ),
            score=1.0 - at / (count + 1),
        )
        for at in range(count)
    )


def workspace(
    root: Path,
    engine: Engine | None = None,
    *,
    indexed: bool = True,
    projects: Sequence[Project] = (),
    watch: Watch | None = None,
) -> Workspace:
    """Return what the command gives to the screen, around a fake engine."""
    chosen = engine or FakeEngine()
    return Workspace(
        root,
        open=lambda _: chosen,
        is_indexed=lambda _: indexed,
        projects=lambda: projects,
        export=_exported,
        memory=root.parent / "memory",
        watch=watch,
    )


def _exported(export: Export) -> str:
    return "".join(f"{export.format_name} {hit.chunk.path}\n" for hit in export.result.hits)


def drive(given: Workspace, script: Script, text: str = "", size: tuple[int, int] = (80, 24)) -> CodeseekApp:
    """Run the screen, and a script on it; return the app as it was left."""

    async def run() -> CodeseekApp:
        app = CodeseekApp(given, text)
        async with app.run_test(size=size) as pilot:
            await settle(pilot)
            browser = app.screen
            assert isinstance(browser, Browser)
            await script(pilot, browser)
            await settle(pilot)
        return app

    return asyncio.run(run())


async def settle(pilot: Pilot[Any]) -> None:
    """Wait until workers have said what they know, and it is painted."""
    for _ in range(3):
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()


async def write(pilot: Pilot[Any], text: str) -> None:
    """Type a text."""
    await pilot.press(
        *({" ": "space", "/": "slash", ":": "colon", "-": "minus", "*": "asterisk"}.get(one, one) for one in text)
    )
    await settle(pilot)


def seen(browser: Browser) -> str:
    """Return the text on the screen, line by line."""
    return "\n".join(strip.text for strip in browser.app.screen._compositor.render_strips())


def picture(app: App[Any], title: str | None = None) -> str:
    """Return the screen as SVG, the same each time, with wide characters given their two columns."""

    def widened(match: re.Match[str]) -> str:
        text = html.unescape(match[3])
        return f'textLength="{float(match[1]) * screen.columns(text) / len(text):.4g}"{match[2]}>{match[3]}<'

    drawn = re.sub(r"terminal-\d+", "terminal-0", app.export_screenshot(title=title))
    return re.sub(r'textLength="([\d.]+)"([^>]*)>([^<]*[^\x00-\x7f\xa0][^<]*)<', widened, drawn)
