"""README's recipes for editors: real ones run them, word for word."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
QUICKFIX = "json_encode(map(getqflist(), '[bufname(v:val.bufnr), v:val.lnum, v:val.col]'))"


def recipe(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return str(found)


def quickfix_after(command: list[str], tmp_path: Path) -> list[list[object]]:
    """Run an editor that writes its quickfix list to a file."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "TERM": "dumb",
    }
    subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=50)
    found: list[list[object]] = json.loads((tmp_path / "hits").read_text())
    return found


@pytest.fixture
def code(project: Path) -> Path:
    (project / "src" / "scope.py").write_text("def telescope(far):\n    '''Look at the stars.'''\n    return far\n")
    return project


@pytest.mark.parametrize(
    "keys",
    ["Codeseek telescope's stars lang:py", "edit src/scope.py | execute 'normal ggVG\\s'"],
    ids=["words", "selected"],
)
def test_vim_shows_hits_as_its_quickfix_list(keys: str, code: Path, tmp_path: Path) -> None:
    if shutil.which("vim") is None:
        pytest.skip("Vim is not installed")
    (tmp_path / "vimrc").write_text(recipe("vim"))
    write = f"call writefile([{QUICKFIX}], '{tmp_path / 'hits'}')"
    command = ["vim", "-u", str(tmp_path / "vimrc"), "-es", "-N", "-c", keys, "-c", write, "-c", "qa!"]
    assert quickfix_after(command, tmp_path)[0] == ["src/scope.py", 1, 1]


@pytest.mark.parametrize(
    "keys", ["Codeseek telescope's stars lang:py", "edit src/scope.py | %Codeseek"], ids=["words", "selected"]
)
def test_neovim_shows_hits_as_its_quickfix_list(keys: str, code: Path, tmp_path: Path) -> None:
    if shutil.which("nvim") is None:
        pytest.skip("Neovim is not installed")
    (tmp_path / "init.lua").write_text(recipe("lua"))
    write = f"call writefile([{QUICKFIX}], '{tmp_path / 'hits'}')"
    command = ["nvim", "--headless", "-u", str(tmp_path / "init.lua"), "-c", keys, "-c", write, "-c", "qa!"]
    assert quickfix_after(command, tmp_path)[0] == ["src/scope.py", 1, 1]
