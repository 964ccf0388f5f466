"""The installed command in a real terminal, driven through tmux: type, filter, open an editor, leave."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

SOURCE = Path(__file__).parents[1] / "src"


class Tmux:
    """A terminal of 80 by 24 in which a command runs."""

    def __init__(self, socket: Path, directory: Path, command: str) -> None:
        self._base = ["tmux", "-S", str(socket), "-f", "/dev/null"]
        self._call("new-session", "-d", "-s", "t", "-x", "80", "-y", "24", "-c", str(directory), command)

    def _call(self, *words: str) -> str:
        done = subprocess.run([*self._base, *words], capture_output=True, text=True, check=False, timeout=10)
        return done.stdout

    def press(self, *keys: str) -> None:
        self._call("send-keys", "-t", "t", *keys)

    def write(self, text: str) -> None:
        self._call("send-keys", "-t", "t", "-l", text)

    def screen(self) -> str:
        return self._call("capture-pane", "-p", "-t", "t")

    def cursor(self) -> str:
        return self._call("display-message", "-p", "-t", "t", "#{cursor_x},#{cursor_y}").strip()

    def wait(self, wanted: Callable[[str], bool], within_s: float = 20) -> str:
        until = time.monotonic() + within_s
        while not wanted(shown := self.screen()):
            assert time.monotonic() < until, shown
            time.sleep(0.1)
        return shown

    def close(self) -> None:
        self._call("kill-server")


@pytest.fixture
def editor(tmp_path: Path) -> Path:
    """Return an editor (by name a vim) that writes down what it was asked to open."""
    path = tmp_path / "bin" / "vim"
    path.parent.mkdir()
    path.write_text(f'#!/bin/sh\necho "$@" >> "{tmp_path / "opened"}"\n')
    path.chmod(0o755)
    return path


@pytest.fixture
def tmux(tmp_path: Path, project: Path, editor: Path) -> Iterator[Tmux]:
    (project / "src" / "store.py").write_text(
        "class Store:\n"
        '    """Keeps records."""\n\n'
        "    def replace(self, file, chunks):\n"
        '        """Replace all that is known of a file."""\n'
        "        self._rows[file] = chunks\n\n\n"
        "def parse_configuration(path):\n"
        '    """Read settings from a file."""\n'
        "    return open(path).read()\n"
    )
    environment = f"PYTHONPATH='{SOURCE}' EDITOR='{editor}' LANG=C.UTF-8 CODESEEK_DATA_DIR='{tmp_path / 'data'}'"
    running = Tmux(tmp_path / "tmux", project, f"env {environment} {sys.executable} -m codeseek; echo LEFT; sleep 20")
    yield running
    running.close()


def test_a_session_from_the_welcome_to_the_editor_and_out(tmux: Tmux, tmp_path: Path) -> None:
    tmux.wait(lambda shown: "Welcome" in shown)
    tmux.press("Enter")
    tmux.wait(lambda shown: "Welcome" not in shown and "indexing" not in shown)
    tmux.write("read settings 配置")
    shown = tmux.wait(lambda shown: "parse_configuration" in shown)
    assert "src/store.py" in shown
    assert tmux.cursor() == "21,0"
    tmux.press("F2")
    tmux.wait(lambda shown: "kind:function" in shown)
    tmux.write("kind:function")
    tmux.press("Enter")
    tmux.press("Escape")
    tmux.wait(lambda shown: "read settings 配置 kind:function" in shown.splitlines()[0])
    tmux.press("Enter")
    tmux.wait(lambda _: (tmp_path / "opened").exists())
    assert (tmp_path / "opened").read_text().split()[0].startswith("+")
    tmux.wait(lambda shown: "parse_configuration" in shown)
    tmux.press("C-q")
    tmux.wait(lambda shown: "LEFT" in shown)
