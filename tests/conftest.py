"""What holds for every test: no settings of the machine reach it, and nothing is written outside its folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _alone(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path_factory.mktemp("home")
    for name in [*os.environ]:
        if name.startswith(("CODESEEK_", "XDG_", "GIT_")) or name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a small project that is the current folder."""
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    (root / "src").mkdir()
    (root / "docs").mkdir()
    (root / "src" / "store.py").write_text("".join(f"line_{number} = {number}\n" for number in range(1, 81)))
    (root / "docs" / "说明.md").write_text("# 说明\n\n多语言代码检索\n")
    monkeypatch.chdir(root)
    return root
