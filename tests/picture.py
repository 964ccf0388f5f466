"""Draw README's picture: a real search in this project, as a terminal would show it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

COLUMNS = 88
QUESTION = ["refresh", "之后", "怎么", "判断", "index", "过期"]
THEME = TerminalTheme(
    (24, 26, 31),
    (214, 218, 226),
    [
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


def main() -> None:
    """Search, and write `tests/golden/search.svg`."""
    root = Path(__file__).parents[1]
    command = [sys.executable, "-m", "codeseek", "--color", "always", "-n", "3", *QUESTION]
    environment = os.environ | {"COLUMNS": str(COLUMNS), "FORCE_COLOR": "1"}
    subprocess.run([sys.executable, "-m", "codeseek", "index"], cwd=root, check=True, capture_output=True)
    done = subprocess.run(
        command, cwd=root, env=environment, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    console = Console(record=True, width=COLUMNS, file=open(os.devnull, "w"), force_terminal=True)  # noqa: SIM115
    console.print(Text.assemble(("$ ", "bold green"), f"codeseek {' '.join(QUESTION)}\n"))
    console.print(Text.from_ansi(done.stdout))
    svg = console.export_svg(title="codeseek", theme=THEME, unique_id="search")
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)  # a picture that fetches nothing
    svg = re.sub(r"font-family: Fira Code, monospace", f"font-family: {FONT}", svg)
    (root / "tests" / "golden" / "search.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
