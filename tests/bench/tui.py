"""Measure the full-screen search: key press to painted results, start, idle time and memory.

python tests/bench/tui.py                      on 50,000 generated chunks
python tests/bench/tui.py --root DIR           on a project of yours, indexed into a folder of its own
"""

# the variable counts only before numpy is imported
from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command itself does

import argparse
import asyncio
import gc
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from textual import events
from textual._compositor import CompositorUpdate
from textual.screen import Screen

from codeseek import settings
from codeseek.local import LocalEngine
from codeseek.tui.app import CodeseekApp
from codeseek.tui.browser import Browser
from codeseek.tui.workspace import Workspace

QUERIES = (
    "parse a configuration file",
    "how are retries limited",
    "依赖注入 是怎么实现的",
    "connection pool timeout",
    "多语言代码检索",
    "validate user input 校验",
)
NOUNS = "config user token file cache session query index socket parser buffer thread record route schema event".split()
VERBS = "parse load save validate merge split open close retry limit encode decode render fetch lock flush".split()
BARE = (
    "import time; began = time.perf_counter()\n"
    "from textual.app import App\n"
    "from textual.widgets import Input\n"
    "class Bare(App):\n"
    "    def compose(self): yield Input()\n"
    "    def on_mount(self): self.call_after_refresh(self.exit)\n"
    "Bare().run(headless=True)\n"
    "print(time.perf_counter() - began)\n"
)


class Measured(CodeseekApp):
    """Renders as for a terminal, and notes when an answer was painted."""

    painted: asyncio.Event
    answered = 0

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        super()._display(screen, renderable)
        if isinstance(renderable, CompositorUpdate):
            renderable.render_segments(self.console)
        if isinstance(screen, Browser) and screen.question is not None:
            shown = screen.question.number
            if screen.shown == shown and shown != self.answered:
                self.answered = shown
                self.painted.set()


def generated(root: Path, chunks: int) -> None:
    """Write Python files with so many functions."""
    chance = random.Random(1)
    for number in range(chunks // 10):  # two short functions share a chunk
        lines = ['"""Works with records."""\n']
        for at in range(19):
            verb, noun, other = chance.choice(VERBS), chance.choice(NOUNS), chance.choice(NOUNS)
            lines.append(
                f'\ndef {verb}_{noun}_{at}({other}, limit={at}):\n    """{verb} a {noun} by its {other}."""\n'
                f"    found = {other}.{verb}({at})\n    return [one for one in found if one.{noun} != limit]\n\n"
            )
        path = root / f"part{number % 50}" / f"{chance.choice(NOUNS)}_{number}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(lines), encoding="utf-8")


def workspace(root: Path, data: Path) -> Workspace:
    chosen = settings.load(None, {"data_dir": data})
    return Workspace(
        root,
        open=lambda root: LocalEngine(root, chosen),
        is_indexed=lambda _: True,
        projects=list,
        export=lambda _: "",
        memory=data / "tui",
    )


def resident() -> float:
    """Return the memory of this process, in MB."""
    with Path("/proc/self/statm").open(encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


async def type_key(app: Measured, browser: Browser, key: str) -> float:
    """Press a key; return after how many milliseconds its answer was painted."""
    app.painted.clear()
    began = time.perf_counter()
    browser.query_input.post_message(events.Key({" ": "space"}.get(key, key), key))
    await asyncio.wait_for(app.painted.wait(), 10)
    return (time.perf_counter() - began) * 1000


async def measure(root: Path, data: Path, searches: int, size: tuple[int, int]) -> dict[str, float]:
    figures: dict[str, float] = {}
    app = Measured(workspace(root, data))
    app.painted = asyncio.Event()
    async with app.run_test(size=size) as pilot:
        await app.workers.wait_for_complete()
        await pilot.pause(0.5)
        browser = app.screen
        assert isinstance(browser, Browser)
        taken: list[float] = []
        cpu = painting = 0.0
        for query in (QUERIES[0], *QUERIES):
            browser.query_input.value = ""
            await pilot.pause(0.2)
            if query is QUERIES[0]:
                taken.clear()  # the first round warms up
                cpu, painting = time.process_time(), time.thread_time()
            for key in query:
                if not key.isspace():
                    taken.append(await type_key(app, browser, key))
                else:
                    browser.query_input.post_message(events.Key("space", " "))
                await asyncio.sleep(0.08)
        figures |= {
            "keys": len(taken),
            "cpu_ms_per_key": 1000 * (time.process_time() - cpu) / len(taken),
            "of_that_on_the_screen": 1000 * (time.thread_time() - painting) / len(taken),
            "p50_ms": median(taken),
            "p95_ms": quantiles(taken, n=20)[-1],
            "worst_ms": max(taken),
        }
        await pilot.pause(1)
        began, cpu = time.perf_counter(), time.process_time()
        await asyncio.sleep(10)
        figures["idle_cpu_percent"] = 100 * (time.process_time() - cpu) / (time.perf_counter() - began)
        chance = random.Random(2)
        memory = 0.0
        for number in range(searches):
            if number == searches // 4:
                gc.collect()
                memory = resident()
            app.painted.clear()
            browser.query_input.put(f"{chance.choice(VERBS)} {chance.choice(NOUNS)} {number}")
            await asyncio.wait_for(app.painted.wait(), 10)
        gc.collect()
        figures |= {"memory_mb": resident(), "memory_growth_mb": resident() - memory}
    return figures


def start_s(root: Path, data: Path) -> tuple[float, float]:
    """Return how long bare Textual takes to its first screen, and how long ours takes beyond that."""
    ours = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import tui; tui.start({str(root)!r}, {str(data)!r})"

    def best(script: str) -> float:
        runs = [
            subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True) for _ in range(3)
        ]
        return min(float(run.stdout.split()[-1]) for run in runs)

    bare = best(BARE)
    return bare, best(f"import time; began = time.perf_counter()\n{ours}\nprint(time.perf_counter() - began)") - bare


def start(root: str, data: str) -> None:
    """Show the first screen that can be used, and leave."""

    class Brief(CodeseekApp):
        def on_ready(self) -> None:
            self.call_after_refresh(self.exit)

    Brief(workspace(Path(root), Path(data))).run(headless=True)


def main() -> None:
    options = argparse.ArgumentParser(description="Measure the full-screen search.")
    options.add_argument("--root", type=Path, help="a project to search instead of generated files")
    options.add_argument("--chunks", type=int, default=50_000)
    options.add_argument("--searches", type=int, default=2_000)
    options.add_argument("--size", default="120x40")
    given = options.parse_args()
    width, height = map(int, given.size.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        root, data = given.root or Path(folder) / "project", Path(folder) / "data"
        if given.root is None:
            root.mkdir()
            generated(root, given.chunks)
        engine = LocalEngine(root, settings.load(None, {"data_dir": data}))
        engine.refresh()
        chunks = engine.status().chunks
        engine.close()
        bare, beyond = start_s(root, data)
        figures = {"chunks": float(chunks), "bare_textual_s": bare, "start_beyond_s": beyond}
        figures |= asyncio.run(measure(root, data, given.searches, (width, height)))
    print(json.dumps({name: round(value, 3) for name, value in figures.items()}, indent=1))


if __name__ == "__main__":
    main()
