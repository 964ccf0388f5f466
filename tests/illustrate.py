"""Fill README.md's examples in by running them, and draw its picture from a real search."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT = Path(__file__).parents[1]
COLUMNS = 88
LONGEST = 24
"""Lines of an example that are shown."""
QUESTION = "codeseek -n 3 怎么 判断 terminal 支持颜色"
THEME = TerminalTheme(
    background=(24, 26, 31),
    foreground=(214, 218, 226),
    normal=[
        (24, 26, 31),
        (240, 113, 120),
        (140, 200, 120),
        (230, 190, 110),
        (110, 170, 250),
        (205, 150, 250),
        (100, 200, 200),
        (214, 218, 226),
    ],
)
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', 'Noto Sans Mono CJK SC', monospace"


def output(command: str, data: Path, **environment: str) -> str:
    """Run a line of shell on this project and return all that it writes, free of this machine's own paths."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    settings = {"PATH": programs, "CODESEEK_DATA_DIR": str(data), "COLUMNS": str(COLUMNS)}
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env=os.environ | settings | environment,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    shown = done.stdout.replace(str(data), "~/.local/share/codeseek").replace(str(ROOT), "~/codeseek")
    return shown.replace(f"indexes/{ROOT.name}-", "indexes/codeseek-")


def examples(text: str, data: Path) -> str:
    """Return the page with each example's output below its command."""

    def filled(match: re.Match[str]) -> str:
        lines = output(match[1], data).splitlines()
        shown = [*lines[: LONGEST - 2], "⋮", lines[-1]] if len(lines) > LONGEST else lines
        return "\n".join(("```console", f"$ {match[1]}", *shown, "```"))

    return re.sub(r"```console\n\$ (.*)\n(?:.*\n)*?```", filled, text)


def picture(command: str, shown: str) -> str:
    """Return an SVG of a terminal with a command and its output; it fetches nothing."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.assemble(("$ ", "bold green"), f"{command}\n"))
    console.print(Text.from_ansi(shown))
    svg = console.export_svg(title="codeseek", theme=THEME, unique_id="search")
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    return svg.replace("font-family: Fira Code, monospace", f"font-family: {FONT}")


def main() -> None:
    """Write README.md and `tests/golden/search.svg` anew."""
    page, drawing = ROOT / "README.md", ROOT / "tests" / "golden" / "search.svg"
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        output("codeseek index", data)
        page.write_text(examples(page.read_text(encoding="utf-8"), data), encoding="utf-8")
        drawing.write_text(picture(QUESTION, output(QUESTION, data, FORCE_COLOR="1")), encoding="utf-8")


if __name__ == "__main__":
    main()
