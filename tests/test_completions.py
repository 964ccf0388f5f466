"""Completion scripts: current, and understood by their shells."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from codeseek.cli import completion
from codeseek.cli.commands import codeseek

FOLDER = Path(__file__).parents[1] / "completions"


def complete(*words: str, environment: dict[str, str] | None = None) -> list[str]:
    """Return what bash offers for the last word."""
    script = (
        f'source "{FOLDER / "codeseek.bash"}"; compopt() {{ :; }}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1));'
        ' _codeseek; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script, "bash", *words],
        env=os.environ | (environment or {}),
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(("shell", "file"), completion.FILES.items())
def test_the_scripts_in_the_project_are_current(shell: str, file: str) -> None:
    assert (FOLDER / file).read_text(encoding="utf-8") == completion.script(shell, codeseek), "run `poe completions`"


@pytest.mark.parametrize(("shell", "file"), completion.FILES.items())
def test_each_shell_can_read_its_script(shell: str, file: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    subprocess.run([shell, "-n", str(FOLDER / file)], check=True, timeout=30)


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
class TestBash:
    @pytest.mark.parametrize(
        ("words", "offered"),
        [
            (["st"], ["status"]),
            (["s"], ["search", "similar", "serve", "status"]),
            (["--ver"], ["--version"]),
            (["search", "--str"], ["--strict"]),
            (["how", "is", "--wh"], ["--why"]),
            (["status", "--j"], ["--json"]),
            (["x", "--format", "js"], ["json", "jsonl"]),
            (["x", "--format", "=", "sa"], ["sarif"]),
            (["x", "--format", "zz"], []),
            (["x", "-n", ""], []),
            (["-C", "src", "sta"], ["status"]),
            (["--color", "a"], ["auto", "always"]),
            (["completions", ""], ["bash", "zsh", "fish"]),
            (["index", "d"], ["docs"]),
            (["similar", "src/st"], ["src/store.py"]),
            (["daemon", ""], ["logs", "restart", "start", "status", "stop"]),
            (["models", "p"], ["pull"]),
            (["models", "--js"], ["--json"]),
            (["models", "use", "--di"], ["--dimensions"]),
            (["models", "use", "--dimensions", ""], []),
            (["--color", "never", "models", "re"], ["recommend", "remove"]),
            (["models", "recommend", "-C", "d"], ["docs"]),
            (["models", "import", "src/st"], ["src/store.py"]),
        ],
        ids=str,
    )
    def test_what_stands_in_the_script_needs_no_program(
        self, words: list[str], offered: list[str], project: Path
    ) -> None:
        found = complete("codeseek", *words)
        assert sorted(found) == sorted(offered) if words[0] == "index" else found == offered

    @pytest.mark.parametrize(
        ("words", "offered"),
        [
            (["x", "--lang", "pyt"], ["python"]),
            (["x", "--lang", "go,pyt"], ["go,python"]),
            (["x", "--kind", "me"], ["method"]),
            (["x", "--path", "s"], ["src/"]),
            (["x", "--path", "!src/"], ["!src/store.py"]),
            (["x", "--exclude", ""], ["docs/", "src/"]),
            (["similar", "--lang", "pyt"], ["python"]),
            (["models", "use", "qwen3-embedding-4"], ["qwen3-embedding-4b"]),
            (["models", "verify", "b"], ["bge-m3", "bundled"]),
            (["models", "bench", "bundled", "bge"], ["bge-m3"]),
            (["models", "pull", "--quant", "q4"], ["Q4_K_M"]),
            (["models", "import", "x.gguf", "--as", "nom"], ["nomic-embed-text-v1.5"]),
        ],
        ids=str,
    )
    @pytest.mark.usefixtures("project")
    def test_what_the_program_alone_knows_is_asked_of_it(
        self, words: list[str], offered: list[str], tmp_path: Path
    ) -> None:
        program = tmp_path / "bin" / "codeseek"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m codeseek "$@"\n')
        program.chmod(0o755)
        path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
        assert complete("codeseek", *words, environment={"PATH": path}) == offered
