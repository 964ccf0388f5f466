"""The command line with a chosen model: it reads after the index is made, and every answer says how far it has come."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codeseek.cli import main, open_engine
from codeseek.engine import Engine
from codeseek.errors import ModelError
from codeseek.local import LocalEngine
from codeseek.settings import Settings
from fake_engine import FakeEngine
from fakes import HashEmbedder


def choose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODESEEK_MODEL", "hash-2")


def opened(root: Path, settings: Settings) -> Engine:
    return LocalEngine(root, settings, HashEmbedder, lambda: HashEmbedder("hash-2", 64, 2))


def broken(root: Path, settings: Settings) -> Engine:
    def load() -> HashEmbedder:
        raise ModelError("`hash-2` is not installed", hint="`codeseek models pull hash-2`")

    return LocalEngine(root, settings, HashEmbedder, load)


@pytest.mark.parametrize(
    ("model", "arguments", "embeds"),
    [("bundled", ["index"], False), ("other", ["index"], True), ("other", ["index", "--quick"], False)],
)
def test_index_lets_a_chosen_model_read_unless_it_is_to_be_quick(
    model: str, arguments: list[str], embeds: bool, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODESEEK_MODEL", model)
    engine = FakeEngine()
    assert main(arguments, engine.open) == 0
    assert ("embed" in engine.calls) == embeds


def test_engines_of_one_process_share_the_model(tmp_path: Path) -> None:
    chosen = Settings(data_dir=tmp_path, model="hash-2", daemon="never")
    one, other = (open_engine(tmp_path / name, chosen) for name in ("one", "other"))
    assert isinstance(one, LocalEngine)
    assert isinstance(other, LocalEngine)
    assert one._load_chosen() is other._load_chosen()


def test_a_question_may_say_what_it_is_for(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine()
    assert main(["--task", "找出相似的代码", "检索"], engine.open) == 0
    assert engine.opened[-1][1].task == "找出相似的代码"


def test_index_tells_what_the_model_has_read(
    project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    choose(monkeypatch)
    assert main(["index"], opened) == 0
    told = capfd.readouterr().err
    assert "indexed 2 files" in told
    assert "hash-2 has read" in told
    assert "it knows all" in told
    assert main(["index"], opened) == 0
    assert "hash-2 has read nothing new" in capfd.readouterr().err


def test_a_model_that_is_not_there_fails_after_the_index_is_made(
    project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    choose(monkeypatch)
    assert main(["index"], broken) == 2
    told = capfd.readouterr().err
    assert "indexed 2 files" in told
    assert "hint: `codeseek models pull hash-2`" in told
    assert main(["检索"], broken) == 0, "the bundled model answers"
    assert main(["--strict", "检索"], broken) == 3


def test_every_format_says_who_answered(
    project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    choose(monkeypatch)
    main(["index"], opened)
    capfd.readouterr()
    assert main(["检索"], opened) == 0
    assert capfd.readouterr().err.endswith("· hash+hash-2\n")
    main(["检索", "--format", "json"], opened)
    record = json.loads(capfd.readouterr().out)
    assert (record["tier"], record["coverage"], record["degraded"]) == ("hash+hash-2", 1.0, [])
    main(["检索", "--format", "jsonl"], opened)
    assert json.loads(capfd.readouterr().out.splitlines()[0])["tier"] == "hash+hash-2"


def test_status_shows_both_models_and_forget_frees_one(
    project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    choose(monkeypatch)
    main(["index"], opened)
    capfd.readouterr()
    assert main(["status"], opened) == 0
    shown = capfd.readouterr().out
    assert "model      bundled (32 dimensions)" in shown
    assert "hash-2 (64 dimensions, 100% of chunks read" in shown
    main(["status", "--json"], opened)
    (model,) = json.loads(capfd.readouterr().out)["models"]
    assert (model["name"], model["dimensions"], model["chosen"]) == ("hash-2", 64, True)
    assert model["covered"] == model["chunks"] > 0
    assert main(["forget", "--model", "nobody"], opened) == 2
    assert main(["forget", "--model", "hash-2"], opened) == 0
    capfd.readouterr()
    main(["status"], opened)
    assert "hash-2" not in capfd.readouterr().out
