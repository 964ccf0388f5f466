"""Settings: who may say what, and who has the last word."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from codeseek import settings
from codeseek.errors import ConfigError


def write_user_file(text: str) -> Path:
    path = settings.user_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def write_project_file(root: Path, text: str) -> Path:
    path = root / settings.PROJECT_FILE
    path.write_text(text, encoding="utf-8")
    return path


def test_without_any_source_every_setting_has_its_default() -> None:
    chosen = settings.load()
    assert chosen == settings.Settings(data_dir=chosen.data_dir)
    assert chosen.data_dir.name == "codeseek"
    assert {chosen.origin(name) for name in settings.MEANINGS} == {"default"}


def test_every_setting_has_a_meaning() -> None:
    assert {item.name for item in dataclasses.fields(settings.Settings)} - {"origins"} == set(settings.MEANINGS)


def test_each_source_overrules_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user = write_user_file("workers = 3\nlimit = 8\n")
    assert settings.load(tmp_path).limit == 8
    project = write_project_file(tmp_path, "\nlimit = 7")
    chosen = settings.load(tmp_path)
    assert (chosen.limit, chosen.origin("limit")) == (7, f"{project}:2")
    assert (chosen.workers, chosen.origin("workers")) == (3, f"{user}:1")
    monkeypatch.setenv("CODESEEK_LIMIT", "6")
    assert (settings.load(tmp_path).limit, settings.load(tmp_path).origin("limit")) == (6, "CODESEEK_LIMIT")
    chosen = settings.load(tmp_path, {"limit": 50, "refresh": None})
    assert (chosen.limit, chosen.origin("limit")) == (50, "--limit")
    assert chosen.origin("refresh") == "default"


def test_a_project_can_lower_a_limit_but_never_what_the_user_lowered_further(tmp_path: Path) -> None:
    write_project_file(tmp_path, "max_file_bytes = 500_000")
    assert settings.load(tmp_path).max_file_bytes == 500_000
    user = write_user_file("max_file_bytes = 1000")
    chosen = settings.load(tmp_path)
    assert (chosen.max_file_bytes, chosen.origin("max_file_bytes")) == (1000, f"{user}:1")


def test_a_project_cannot_raise_a_limit(tmp_path: Path) -> None:
    path = write_project_file(tmp_path, "# big files matter here\nmax_file_bytes = 2_000_000\n")
    with pytest.raises(ConfigError, match="may only lower `max_file_bytes`") as error:
        settings.load(tmp_path)
    assert f"{path}:2" in error.value.message
    assert str(settings.user_file()) in error.value.hint


@pytest.mark.parametrize("line", ['model = "evil"', 'data_dir = "/tmp/elsewhere"', "refresh = false", "workers = 64"])
def test_a_project_cannot_widen(tmp_path: Path, line: str) -> None:
    path = write_project_file(tmp_path, f"limit = 5\n{line}\n")
    with pytest.raises(ConfigError, match="a project may not set") as error:
        settings.load(tmp_path)
    assert error.value.message.startswith(f"{path}:2: ")


def test_what_a_project_ignores_is_added_to_what_the_user_ignores(tmp_path: Path) -> None:
    write_user_file('ignore = ["*.log"]')
    write_project_file(tmp_path, 'ignore = ["third_party/**"]')
    assert settings.load(tmp_path).ignore == ("*.log", "third_party/**")


def test_a_mistyped_key_is_named_with_its_line_and_the_key_that_was_meant() -> None:
    path = write_user_file("limit = 3\n\nmax_file_byte = 5\n")
    with pytest.raises(ConfigError) as error:
        settings.load()
    assert error.value.message == f"{path}:3: unknown setting `max_file_byte`"
    assert error.value.hint == "did you mean `max_file_bytes`?"


def test_an_unheard_of_key_gets_the_list_of_settings() -> None:
    write_user_file("[telemetry]\nurl = 'http://example.org'\n")
    with pytest.raises(ConfigError, match="unknown setting `telemetry`") as error:
        settings.load()
    assert all(f"`{name}`" in error.value.hint for name in settings.MEANINGS)


@pytest.mark.parametrize(
    "line",
    [
        "limit = 0",
        "limit = true",
        'limit = "ten"',
        "limit = 1.5",
        "max_file_bytes = -1",
        "workers = -1",
        "refresh = 1",
        'ignore = "*.log"',
        "ignore = [1]",
        'model = ""',
        "data_dir = 5",
    ],
)
def test_a_value_of_a_wrong_kind_is_refused_with_what_is_wanted(line: str) -> None:
    path = write_user_file(line)
    with pytest.raises(ConfigError) as error:
        settings.load()
    assert error.value.message.startswith(f"{path}:1: `{line.split(maxsplit=1)[0]}` cannot be ")
    assert error.value.hint.startswith("it wants ")


def test_a_file_that_is_not_toml_is_refused() -> None:
    path = write_user_file("limit: 10")
    with pytest.raises(ConfigError, match="is not TOML") as error:
        settings.load()
    assert str(path) in error.value.message


def test_a_file_that_is_not_text_is_refused() -> None:
    path = write_user_file("")
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot read"):
        settings.load()


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("refresh", "off", False),
        ("refresh", "YES", True),
        ("limit", "25", 25),
        ("max_file_bytes", "2_000_000", 2_000_000),
        ("ignore", "*.log, third_party/**,", ("*.log", "third_party/**")),
        ("model", "other", "other"),
        ("data_dir", "/somewhere", Path("/somewhere")),
    ],
)
def test_the_environment_gives_every_type(name: str, text: str, value: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"CODESEEK_{name.upper()}", text)
    assert getattr(settings.load(), name) == value


@pytest.mark.parametrize(("name", "text"), [("CODESEEK_REFRESH", "maybe"), ("CODESEEK_LIMIT", "many")])
def test_a_wrong_value_in_the_environment_names_its_variable(
    name: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, text)
    with pytest.raises(ConfigError, match=f"^{name}: "):
        settings.load()


def test_a_mistyped_variable_is_refused_and_a_foreign_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODESEEK_VERSION", "1.2.3")  # what a build pipeline may set for itself
    settings.load()
    monkeypatch.setenv("CODESEEK_LIMITS", "3")
    with pytest.raises(ConfigError) as error:
        settings.load()
    assert error.value.hint == "did you mean `CODESEEK_LIMIT`?"


def test_a_home_folder_is_found_in_a_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write_user_file('data_dir = "~/indexes"')
    assert settings.load().data_dir == tmp_path / "indexes"


def test_projects_of_the_same_name_have_indexes_apart() -> None:
    chosen = settings.load()
    first, second = (chosen.index_directory(Path(parent) / "my project") for parent in ("/a", "/b"))
    assert first != second
    assert first.parent == second.parent == chosen.data_dir / "indexes"
    assert first.name.startswith("my-project-")


@pytest.mark.parametrize("root", ["/", "/项目", "/a\nb", "/..."])
def test_the_index_of_any_root_is_a_folder_below_the_data(root: str) -> None:
    chosen = settings.load()
    assert chosen.index_directory(Path(root)).parent == chosen.data_dir / "indexes"


def test_a_value_is_changed_and_all_else_is_kept() -> None:
    path = write_user_file('# mine\nlimit = 20 # many\nmodel = "old" # why\n\n# below\nignore = ["*.log"]\n')
    assert settings.change({"model": "bge-m3", "dimensions": 256, "quant": None}) == path
    text = '# mine\nlimit = 20 # many\nmodel = "bge-m3" # why\n\n# below\nignore = ["*.log"]\ndimensions = 256\n'
    assert path.read_text("utf-8") == text
    settings.change({"model": None, "dimensions": None})
    assert path.read_text("utf-8") == '# mine\nlimit = 20 # many\n\n# below\nignore = ["*.log"]\n'
    assert settings.load().model == "bundled"


def test_the_first_value_makes_the_file() -> None:
    path = settings.change({"model": "bge-m3"})
    assert path.read_text("utf-8") == 'model = "bge-m3"\n'


def test_a_file_that_is_a_link_stays_one(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text("limit = 5\n")
    real.chmod(0o640)
    path = settings.user_file()
    path.parent.mkdir(parents=True)
    path.symlink_to(real)
    settings.change({"model": "bge-m3"})
    assert path.is_symlink()
    assert real.read_text() == 'limit = 5\nmodel = "bge-m3"\n'
    assert real.stat().st_mode & 0o777 == 0o640


def test_what_cannot_be_meant_is_not_written() -> None:
    path = write_user_file("limit = 5\n")
    with pytest.raises(ConfigError, match="`dimensions` cannot be -3"):
        settings.change({"dimensions": -3})
    assert path.read_text("utf-8") == "limit = 5\n"
    write_user_file("limit: 5\n")
    with pytest.raises(ConfigError, match="is not TOML"):
        settings.change({"model": "x"})
