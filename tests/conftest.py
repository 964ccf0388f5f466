"""What holds for every test: no settings of the machine reach it, and nothing is written outside its folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the program does: threads that wait for each other by spinning

_PREFIXES = ("CODESEEK_", "XDG_", "GIT_", "HF_", "MODELSCOPE_")
_NAMES = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES")

collect_ignore = ["corpus"]  # files to be indexed, not tests


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-golden", action="store_true", help="write golden files anew instead of comparing")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Return what compares a text with its golden file: look at the difference before you write it anew."""

    def compare(name: str, text: str) -> None:
        path = Path(__file__).parent / "golden" / name
        if request.config.getoption("--write-golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text.encode("utf-8", "surrogateescape"))
        assert text == path.read_bytes().decode("utf-8", "surrogateescape")

    return compare


@pytest.fixture(autouse=True)
def _alone(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path_factory.mktemp("home")
    for name in [*os.environ]:
        if name.startswith(_PREFIXES) or name in _NAMES or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home / "run"))


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


@pytest.fixture(scope="session", autouse=True)
def _closed() -> Iterator[None]:
    """Close the two files that llama_cpp opens when it is imported."""
    yield
    if helpers := sys.modules.get("llama_cpp._utils"):
        helpers.outnull_file.close()
        helpers.errnull_file.close()
