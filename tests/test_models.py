"""`codeseek models`: from a hub of our own to the settings, and what is said on the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from codeseek import capacity, catalogue, settings
from codeseek.capacity import Card, Machine
from codeseek.cli import main
from gguf_file import write_gguf
from hub import Hub, serve

NAME = "all-minilm-l6-v2"
FILE = "all-MiniLM-L6-v2-ggml-model-f16.gguf"
REPOSITORY = "second-state/All-MiniLM-L6-v2-Embedding-GGUF"


class Done(NamedTuple):
    status: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(project: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> Done:
        capfd.readouterr()
        status = main(["models", *arguments])
        return Done(status, *capfd.readouterr())

    return run


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Return a file that says it is MiniLM, and is not in the project."""
    folder = tmp_path / "downloads"
    folder.mkdir()
    return write_gguf(folder / "minilm.gguf", {"general.description": "x" * 2000})


@pytest.fixture
def hub(weights: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serve(Hub({REPOSITORY: {FILE: weights.read_bytes()}})) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in for what the machine has: the tables are the same on every one."""
    monkeypatch.setattr(capacity, "look", lambda: Machine(2, 16_000_000_000, 12_000_000_000))


def user_settings() -> str:
    return settings.user_file().read_text("utf-8")


def row_of(table: str, name: str) -> str:
    return next(line for line in table.splitlines() if f" {name} " in line)


# ------------------------------------------------------------ the whole way


def test_a_model_is_pulled_chosen_and_given_up(hub: Hub, run: Run) -> None:
    done = run("pull", NAME)
    assert (done.status, done.out) == (0, "")
    assert f"codeseek: pulling {NAME} F16, 46.0 MB\n" in done.err
    assert "checked and pinned in" in done.err
    assert done.err.endswith(f"codeseek: `codeseek models use {NAME}` chooses it\n")
    assert run("pull", NAME).err.startswith(f"codeseek: {NAME} F16 is here, as the hub has it\n")
    assert run("verify").out == f"{NAME} F16: {FILE}: as pinned\n"
    assert row_of(run().out, NAME).startswith("✓")
    done = run("use", NAME)
    assert done.status == 0
    assert f"codeseek: {NAME} is chosen: F16, 384 dimensions, in {settings.user_file()}\n" in done.err
    assert "`codeseek index` reads a project with it: under a minute for 1,000 chunks on this processor" in done.err
    assert user_settings() == f'model = "{NAME}"\n'
    assert row_of(run().out, NAME).startswith("●")
    assert f"`{NAME}` is chosen\n  hint: choose another first" in run("remove", NAME).err
    assert run("use", "bundled").status == 0
    assert user_settings() == ""
    assert run("remove", NAME).err.startswith(f"codeseek: removed {NAME}, ")
    done = run("use", NAME)
    assert (done.status, done.err.splitlines()[-1]) == (2, f"  hint: `codeseek models pull {NAME}` fetches it")


def test_a_model_is_taken_in_from_a_file_without_a_network(weights: Path, run: Run) -> None:
    for how in ((), ("--link",)):
        done = run("import", str(weights), "--as", NAME, *how)
        assert done.status == 0
        assert f"{NAME} F16 is here, {'linked' if how else 'copied'} and pinned" in done.err
        assert run("verify", NAME).status == 0
    assert run("use", NAME).status == 0


def test_an_unknown_name_becomes_a_model_of_the_users(weights: Path, run: Run) -> None:
    done = run("import", str(weights), "--as", "mine")
    path = catalogue.user_folder() / "mine.toml"
    assert f"described mine in {path}: complete it" in done.err
    assert "F16" in run("info", "mine").out
    assert "mine" in run().out
    assert "and its description" in run("remove", "mine").err
    assert not path.exists()


def test_a_server_is_added_and_chosen(run: Run) -> None:
    done = run("add", "ours", "--url", "http://127.0.0.1:8080/v1/", "--remote-name", "qwen", "--dimensions", "8")
    assert done.status == 0
    assert "sent to" not in done.err
    spec = catalogue.find("ours")
    assert (spec.url, spec.remote_name, spec.dimensions) == ("http://127.0.0.1:8080/v1", "qwen", 8)
    assert run("use", "ours").status == 0
    assert "http://127.0.0.1:8080/v1" in run("info", "ours").out


def test_text_that_leaves_the_machine_is_told_of(run: Run) -> None:
    far = ("add", "far", "--url", "http://example.org/v1", "--remote-name", "m", "--key-variable", "FAR_KEY")
    done = run(*far)
    assert "the text of what you index and ask will be sent to example.org, and not encrypted" in done.err
    assert "the variable FAR_KEY is not set" in done.err
    assert "FAR_KEY" in (catalogue.user_folder() / "far.toml").read_text("utf-8")
    assert "sent to example.org" in run("use", "far").err


# ------------------------------------------------------------ choosing


def test_what_is_chosen_is_written_and_all_else_is_kept(weights: Path, run: Run) -> None:
    settings.user_file().parent.mkdir(parents=True)
    settings.user_file().write_text("# mine\nlimit = 7\n")
    folder = catalogue.files_folder(
        settings.load().data_dir, spec := catalogue.find("qwen3-embedding-4b"), spec.variant("q8_0")
    )
    folder.mkdir(parents=True)
    (folder / "Qwen3-Embedding-4B-Q8_0.gguf").write_bytes(b"GGUF")
    assert run("use", spec.name, "--dimensions", "256").status == 0
    assert user_settings() == '# mine\nlimit = 7\nmodel = "qwen3-embedding-4b"\nquant = "Q8_0"\ndimensions = 256\n'
    run("use", "bundled")
    assert user_settings() == "# mine\nlimit = 7\n"


def test_a_variable_that_overrules_the_settings_is_told_of(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODESEEK_MODEL", "bge-m3")
    assert "CODESEEK_MODEL=bge-m3 overrules your settings" in run("use", "bundled").err


def test_a_licence_without_commercial_use_is_shown_everywhere(weights: Path, run: Run) -> None:
    name = "jina-code-embeddings-0.5b"
    assert "CC-BY-NC-4.0 !" in row_of(run().out, name)
    assert f" {name} ! " in run("recommend").out
    assert "CC-BY-NC-4.0: no commercial use" in run("info", name).out


# ------------------------------------------------------------ what it says


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (("pull", "qwen3-embeding-4b"), "unknown model `qwen3-embeding-4b`", "did you mean `qwen3-embedding-4b`?"),
        (("pull", "bundled"), "`bundled` has no files to pull", "`codeseek models use bundled`"),
        (
            ("pull", "bge-m3", "--quant", "Q2_K"),
            "`bge-m3` has no variant `Q2_K`",
            "it comes as `Q8_0`, `F16`, `Q4_K_M`",
        ),
        (("pull", "bge-m3", "--mirror", "modelscope"), "ModelScope has no `bge-m3` Q8_0", "it has F16, Q4_K_M"),
        (("pull", "bge-m3", "--mirror", "nowhere"), "unknown mirror `nowhere`", "hf-mirror, modelscope"),
        (("pull", "bge-m3", "--offline"), "offline: `huggingface.co` was not contacted", "leave out `--offline`"),
        (("use", "nothing"), "unknown model `nothing`", "`codeseek models` lists"),
        (("use", "bundled", "--dimensions", "300"), "`bundled` has 256 dimensions, not 300", "less"),
        (("use", "bundled", "--dimensions", "8"), "cannot be cut to 8", "64 at least"),
        (("use", "bundled", "--quant", "Q4"), "`bundled` has no variant `Q4`", "`int8`"),
        (("remove", "bundled"), "the bundled model stays", "a part of the program"),
        (("remove", "bge-m3"), "`bge-m3` is not here", "`codeseek models pull bge-m3`"),
        (("verify", "bge-m3"), "`bge-m3` is not here", "`codeseek models pull bge-m3`"),
        (("info", "nothing"), "unknown model `nothing`", "`codeseek models` lists"),
        (("bench", "nothing"), "unknown model `nothing`", "`codeseek models` lists"),
        (("import", "none.gguf", "--as", "x"), "there is no file `none.gguf`", "spelt"),
        (("import", "src/store.py", "--as", "bge-m3"), "is not a GGUF file", "fetch"),
        (("import", "src/store.py", "--as", "../x"), "`name` cannot be '../x'", "`--as`"),
        (("import", "src/store.py"), "missing option `--as`", "`codeseek models import --help`"),
        (("add", "x", "--url", "localhost:80", "--remote-name", "m"), "is no server's address", "http://"),
        (("add", "x", "--url", "http://a:b@c/v1", "--remote-name", "m"), "holds a password", "--key-variable"),
        (("add", "a/b", "--url", "http://c/v1", "--remote-name", "m"), "`name` cannot be 'a/b'", "another name"),
        (("add", "bge-m3", "--url", "http://c/v1", "--remote-name", "m"), "there is a model `bge-m3`", "another name"),
        (("frobnicate",), "no such command", "`codeseek models --help`"),
    ],
    ids=str,
)
def test_bad_input_gets_a_message_and_a_hint(arguments: tuple[str, ...], message: str, hint: str, run: Run) -> None:
    if "--offline" in arguments:  # a hook stays for a process's life
        command = [sys.executable, "-m", "codeseek", "models", *arguments]
        program = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=30, env=os.environ.copy()
        )
        done = Done(program.returncode, program.stdout, program.stderr)
    else:
        done = run(*arguments)
    assert (done.status, done.out) == (2, "")
    *_, said, hinted = done.err.splitlines()
    assert message in said
    assert said.startswith("codeseek: ")
    assert hint in hinted
    assert hinted.startswith("  hint: ")


def test_a_file_of_another_model_is_not_taken_in(weights: Path, run: Run) -> None:
    done = run("import", str(weights), "--as", "bge-m3")
    assert done.status == 2
    assert "hint: import it `--as` another name" in done.err
    other = write_gguf(weights.with_name("q8.gguf"), {"general.file_type": 7})
    assert "is Q8_0, and `all-minilm-l6-v2` comes as F16" in run("import", str(other), "--as", NAME).err
    onnx = weights.with_suffix(".onnx")
    onnx.write_bytes(b"\x08\x07")
    assert "an ONNX file does not say what `mine` is" in run("import", str(onnx), "--as", "mine").err


def test_a_file_that_changed_is_found_out(hub: Hub, run: Run) -> None:
    run("pull", NAME)
    spec = catalogue.find(NAME)
    path = catalogue.files_folder(settings.load().data_dir, spec, spec.variants[0]) / FILE
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    done = run("verify")
    assert (done.status, done.out) == (2, f"{NAME} F16: {FILE}: not what was pinned: its sha256 differs\n")
    assert "hint: `codeseek models remove`, then `models pull` again" in done.err


def test_the_table_fits_a_narrow_terminal_and_programs_get_json(
    run: Run, golden: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    golden("models.txt", run().out)
    records = json.loads(run("--json").out)
    assert {record["name"] for record in records} == set(catalogue.catalogue())
    assert [record["name"] for record in records if record["chosen"]] == ["bundled"]
    (variant,) = json.loads(run("info", "embeddinggemma-300m", "--json").out)["variants"]
    assert (variant["name"], variant["size_bytes"], variant["installed"]) == ("Q8_0", 333_590_944, False)


def test_a_chosen_model_that_is_gone_does_not_hide_the_others(run: Run) -> None:
    settings.change({"model": "gone", "quant": "Q9"})
    done = run()
    assert (done.status, "bge-m3" in done.out) == (0, True)
    assert "the chosen model, gone, is not among them" in done.err


# ------------------------------------------------------------ recommending and measuring


def recommended(run: Run) -> str:
    record = json.loads(run("recommend", "--json").out)
    name: str = record["recommended"]["name"]
    return name


def test_the_best_model_that_is_done_within_the_hour_is_recommended(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert recommended(run) == "qwen3-embedding-8b"
    monkeypatch.setattr(capacity, "look", lambda: Machine(2, 8_000_000_000, 8_000_000_000))
    assert recommended(run) == "qwen3-embedding-4b"
    (project / "big.py").write_text("x = 1\n" * 150_000)
    assert recommended(run) == "embeddinggemma-300m"
    for number in range(20):
        (project / f"big{number}.py").write_text("x = 1\n" * 150_000)
    assert recommended(run) == "bundled"
    monkeypatch.setattr(capacity, "look", lambda: Machine(2, 8_000_000_000, 8_000_000_000, (Card("X", 6 << 30),)))
    assert recommended(run) == "qwen3-embedding-8b"


def test_a_recommendation_shows_what_it_rests_on(run: Run, project: Path) -> None:
    out = run("recommend").out
    assert "machine    2 cores, 16.0 GB of memory, no graphics card\n" in out
    assert f"project    {project}\n" in out
    assert "about " in out
    best = "qwen3-embedding-8b"
    assert out.endswith(f"recommended: {best}\n  codeseek models pull {best}\n  codeseek models use {best}\n")
    assert max(len(line) for line in out.splitlines()[4:]) <= 80


def test_what_was_measured_replaces_the_estimate(run: Run) -> None:
    done = run("bench", "bundled", "--seconds", "0.05", "--json")
    (figures,) = json.loads(done.out)
    assert figures["model"] == "bundled"
    assert figures["dimensions"] == 256
    assert min(figures[key] for key in ("load_s", "single_texts_per_s", "batched_texts_per_s", "tokens_per_s")) > 0
    path = settings.load().data_dir / "models" / "bench.json"
    rows = json.loads(path.read_text())
    assert [row["model"] for row in rows] == ["bundled"]
    path.write_text(json.dumps([rows[0] | {"model": "bge-m3", "variant": "Q8_0", "tokens_per_s": 1e-3}]))
    assert "days, measured" in row_of(run("recommend").out, "bge-m3")


def test_models_are_measured_side_by_side(run: Run) -> None:
    done = run("bench", "bundled", "--seconds", "0.05")
    head, row = done.out.splitlines()
    assert head.split() == ["model", "form", "dims", "load", "one", "by", "one", "batched", "tokens", "memory"]
    assert row.split()[:3] == ["bundled", "int8", "256"]
    assert done.err == ""
