"""The architecture: layers that point one way, and start-up that loads nothing it does not need."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import codeseek

HEAVY = """
    codeseek.serve hnswlib huggingface_hub mcp numpy rich sqlite3 starlette textual tomlkit tree_sitter
    tree_sitter_language_pack uvicorn
""".split()
PACKAGE = Path(codeseek.__file__).parent


def modules_after(statement: str) -> set[str]:
    """Return the modules that a fresh interpreter has loaded after a statement."""
    script = f"{statement}\nimport sys\nprint('', *sys.modules, sep='\\0')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30)
    return set(done.stdout.rstrip("\n").split("\0")[1:])


def test_the_layers_are_kept() -> None:
    from importlinter.cli import lint_imports

    assert lint_imports(config_filename=str(PACKAGE.parents[1] / "pyproject.toml"), no_cache=True) == 0


@pytest.mark.parametrize(
    "statement",
    [
        "import codeseek",
        "import codeseek.cli, codeseek.cli.commands, codeseek.cli.commands.search",
        "from codeseek.cli import main; main(['--version'])",
        "from codeseek.cli import main; main(['--help'])",
        "from codeseek.cli import main; main(['search', '--help'])",
        "from codeseek.cli import main; main([])",
        "from codeseek.cli import main; main(['config'])",
        "from codeseek.cli import main; main(['models'])",
        "from codeseek.cli import main; main(['models', 'pull', '--help'])",
        "from codeseek.cli import main; main(['eval', '--help'])",
        "import codeseek.engine, codeseek.query, codeseek.settings, codeseek.snippets",
    ],
)
def test_start_up_loads_nothing_heavy(statement: str) -> None:
    assert not modules_after(statement) & set(HEAVY)


def test_a_search_with_the_bundled_model_loads_nothing_of_others(project: Path) -> None:
    engines = {"gguf", "endpoint", "installed", "onnx", "process", "remote", "selftest", "text"}
    others = {"archive", "chosen", "embedding", "tier", *(f"embedders.{name}" for name in engines)}
    libraries = {"http.client", "llama_cpp", "onnxruntime", "ssl", "tokenizers"}
    loaded = modules_after("from codeseek.cli import main; assert main(['检索']) == 0")
    assert not ({f"codeseek.{name}" for name in others} | libraries) & loaded


def test_a_search_of_what_is_indexed_loads_nothing_that_indexes(project: Path) -> None:
    search = "from codeseek.cli import main; assert main(['检索']) == 0"
    assert "codeseek.batch" in modules_after(search)
    indexing = {"codeseek.batch", "codeseek.chunkers", "codeseek.documents.record", "codeseek.workers"}
    assert not (indexing | {"subprocess", "tree_sitter"}) & modules_after(search)


def test_the_version_is_told_without_the_command_line() -> None:
    assert not modules_after("from codeseek.cli import main; main(['--version'])") & {"click", "codeseek.settings"}


def test_a_search_that_is_not_offline_watches_no_network() -> None:
    assert "codeseek.network" not in modules_after(
        "import codeseek.local, codeseek.searcher, codeseek.embedders.static"
    )


def test_only_two_modules_write_to_the_standard_streams() -> None:
    sign = re.compile(r"\bprint\(|std(out|err)\.write|click\.echo")
    writers = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if sign.search(path.read_text(encoding="utf-8"))
    }
    assert writers == {"cli/output.py", "cli/diagnostics.py"}


def test_every_module_begins_with_its_duty() -> None:
    for path in PACKAGE.rglob("*.py"):
        duty = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        assert duty, f"{path} has no docstring"


def test_the_wheel_carries_models_and_the_sources_find_them() -> None:
    from codeseek.catalogue import model_directory

    assert (model_directory("bundled") / "vocabulary.txt").is_file()
