"""Telling agents' programs of codeseek: each in its own form, nothing else changed, and taken back without a trace."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeseek.cli import main
from codeseek.errors import UsageError
from codeseek.serve import clients, jsonc

ENTRY = {"command": "/bin/codeseek", "args": ["mcp"]}
COMMENTED = """\
// Settings of the editor
{
    "theme": "dark", // at night
    /* servers */
    "servers": {
        // the other one
        "other": { "command": "x", }, // stays
    },
    "url": "http://x//y", /* no comment in the text before */
}
"""


def install(name: str, *options: str) -> int:
    return main(["mcp", "install", name, *options])


def file_of(name: str) -> Path:
    return clients.clients(Path.cwd())[name].file


def servers(name: str) -> Any:
    file = file_of(name)
    text = file.read_text(encoding="utf-8")
    key = clients.clients(Path.cwd())[name].key
    return (tomllib.loads(text) if file.suffix == ".toml" else jsonc.parsed(text))[key]


@pytest.mark.parametrize("name", sorted(clients.clients(Path("/p"))))
def test_each_client_is_told_and_forgets_again(name: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert install(name, "--yes") == 0
    shown = capsys.readouterr()
    assert "+" in shown.out
    assert "codeseek" in shown.out
    started = servers(name)["codeseek"]
    assert Path(started["command"]).is_absolute()
    assert "mcp" in started["args"]
    assert install(name, "--yes") == 0
    assert "knows codeseek already" in capsys.readouterr().err
    assert install(name, "--undo", "--yes") == 0
    assert not file_of(name).exists()
    assert not [*file_of(name).parent.glob("*backup")]
    assert install(name, "--undo", "--yes") == 0
    assert "does not know codeseek already" in capsys.readouterr().err


def test_what_is_written_starts_a_server_that_speaks(project: Path) -> None:
    install("claude", "--yes")
    started = servers("claude")["codeseek"]
    assert started["type"] == "stdio"
    hello = '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},\
"clientInfo":{"name":"t","version":"1"}}}\n'
    done = subprocess.run(
        [started["command"], *started["args"]], input=hello, capture_output=True, text=True, check=True, timeout=30
    )
    assert json.loads(done.stdout.splitlines()[0])["result"]["serverInfo"]["name"] == "codeseek"


@pytest.mark.parametrize("name", ["vscode", "zed", "gemini"])
def test_comments_and_all_else_stay(name: str, project: Path) -> None:
    file = file_of(name)
    text = COMMENTED.replace('"servers"', f'"{clients.clients(project)[name].key}"')
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    install(name, "--yes")
    written = file.read_text(encoding="utf-8")
    for line in text.splitlines():
        assert line.rstrip(",") in written
    assert set(servers(name)) == {"other", "codeseek"}
    assert file.stat().st_mode & 0o777 == 0o600
    install(name, "--undo", "--yes")
    assert file.read_text(encoding="utf-8") == text


def test_toml_of_codex_keeps_its_comments_and_tables(project: Path) -> None:
    file = file_of("codex")
    file.parent.mkdir(parents=True)
    text = '# mine\nmodel = "o3"\n\n[mcp_servers.other]\ncommand = "x" # stays\n\n[tui]\ntheme = "dark"\n'
    file.write_text(text)
    install("codex", "--yes")
    assert file.read_text().startswith(text)
    assert set(servers("codex")) == {"other", "codeseek"}
    file.write_text(file.read_text() + '\n[mcp_servers.codeseek.env]\nA = "1"\n\n[later]\nx = 1\n')
    install("codex", "--undo", "--yes")
    left = file.read_text()
    assert tomllib.loads(left) == tomllib.loads(text) | {"later": {"x": 1}}
    assert "# mine" in left


def test_what_changed_since_stays_when_codeseek_is_taken_out(project: Path) -> None:
    file = file_of("claude")
    file.write_text('{"numStartups": 1}')
    install("claude", "--yes")
    record = json.loads(file.read_text())
    file.write_text(json.dumps(record | {"numStartups": 2}))
    install("claude", "--undo", "--yes")
    assert json.loads(file.read_text())["numStartups"] == 2
    assert "codeseek" not in file.read_text()


def test_an_older_entry_is_replaced_and_comes_back(project: Path) -> None:
    file = file_of("cursor")
    file.parent.mkdir()
    text = '{"mcpServers": {"codeseek": {"command": "old"}, "b": {}}}'
    file.write_text(text)
    install("cursor", "--yes")
    assert servers("cursor")["codeseek"]["args"][-1] == "${workspaceFolder}"
    assert servers("cursor")["b"] == {}
    backup = file.with_name("mcp.json.codeseek-backup")
    assert backup.read_text() == text
    assert install("cursor", "--undo", "--yes") == 0
    assert file.read_text() == text


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"mcpServers": []}', '{"mcpServers": 3}', "\ufeff{}", '{"a": 1} {}', "null"]
)
def test_a_file_that_is_not_understood_is_left_alone(
    text: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = file_of("claude")
    file.write_text(text, encoding="utf-8")
    assert install("claude", "--yes") == 2
    assert file.read_text(encoding="utf-8") == text
    assert "cannot be changed safely" in (err := capsys.readouterr().err)
    assert "--print" in err


@pytest.mark.parametrize(
    "text", ["x = ", "[mcp_servers]\ncodeseek = {command = 'x'}\n", "mcp_servers.codeseek.command = 'x'\n"]
)
def test_toml_that_is_not_understood_is_left_alone(text: str, project: Path) -> None:
    file = file_of("codex")
    file.parent.mkdir()
    file.write_text(text)
    assert install("codex", "--yes") == 2
    assert file.read_text() == text


def test_without_yes_somebody_has_to_be_there(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert install("claude") == 2
    assert not file_of("claude").exists()
    assert "--yes" in capsys.readouterr().err


def test_a_snippet_is_shown_and_nothing_written(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert install("vscode", "--print") == 0
    assert json.loads(capsys.readouterr().out)["servers"]["codeseek"]["type"] == "stdio"
    assert not file_of("vscode").exists()


def test_a_repository_cannot_have_a_file_elsewhere_written(project: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text("{}")
    (project / ".vscode").mkdir()
    (project / ".vscode" / "mcp.json").symlink_to(tmp_path / "mine.json")
    assert install("vscode", "--yes") == 2
    assert (tmp_path / "mine.json").read_text() == "{}"


def test_a_link_of_the_users_own_stays_a_link(project: Path, tmp_path: Path) -> None:
    (tmp_path / "dotfile.json").write_text("{}")
    file_of("claude").symlink_to(tmp_path / "dotfile.json")
    install("claude", "--yes")
    assert file_of("claude").is_symlink()
    assert "codeseek" in (tmp_path / "dotfile.json").read_text()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everything")
def test_a_folder_that_cannot_be_written_is_said(project: Path) -> None:
    file_of("claude").parent.chmod(0o500)
    assert install("claude", "--yes") == 2


def test_the_names_on_the_command_line_are_the_clients() -> None:
    from codeseek.cli.commands.mcp import _CLIENTS

    assert sorted(_CLIENTS) == sorted(clients.clients(Path("/p")))


def test_without_the_extra_the_command_says_how_to_get_it(project: Path) -> None:
    script = "import sys; sys.modules['mcp'] = None; from codeseek.cli import main; sys.exit(main(['mcp']))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 2
    assert "pip install 'codeseek[mcp]'" in done.stderr


# ------------------------------------------------------------ JSON with comments

SPACE = st.sampled_from(["", " ", "\n", "\n\t", ' // a, "note"\n', "/* { */", "\r\n  "])
SCALAR = st.sampled_from(["1", "null", '"a // b"', '"\\"}"', "[1, 2,]", "true", '"/*"'])


@st.composite
def documents(draw: st.DrawFn, depth: int = 2) -> str:
    names = draw(st.lists(st.sampled_from(["a", "servers", "x y", "codeseek"]), unique=True, max_size=3))
    parts = []
    for name in names:
        value = draw(documents(depth=depth - 1)) if depth and draw(st.booleans()) else draw(SCALAR)
        parts.append(f"{draw(SPACE)}{json.dumps(name)}{draw(SPACE)}:{draw(SPACE)}{value}{draw(SPACE)}")
    trailing = draw(st.sampled_from(["", ","])) if parts else ""
    return f"{{{','.join(parts)}{trailing}{draw(SPACE)}}}"


@given(documents(), st.sampled_from([("codeseek",), ("servers", "codeseek"), ("a", "servers", "codeseek")]))
def test_only_the_member_changes_and_no_comment_is_lost(text: str, path: tuple[str, ...]) -> None:
    before = jsonc.parsed(text)
    inner = before
    for name in path[:-1]:
        inner = inner.get(name, {}) if isinstance(inner, dict) else None
    try:
        after = jsonc.with_member(text, path, ENTRY)
    except ValueError:
        assert not isinstance(inner, dict)
        return
    if path[-1] not in inner:  # what is replaced takes its comments with it
        assert after.count("//") + after.count("/*") >= text.count("//") + text.count("/*")
    now = jsonc.parsed(after)
    expected, at = before, before
    for name in path[:-1]:
        at = at.setdefault(name, {})
    at[path[-1]] = ENTRY
    assert now == expected
    del at[path[-1]]
    assert jsonc.parsed(jsonc.without_member(after, path)) == expected


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('{ // a, "note"\n"codeseek":1,"a":1\n}', '{ // a, "note"\n"a":1\n}'),
        ('{ // first\n"codeseek": 1, /* then */ "a": 2}', '{ // first\n /* then */ "a": 2}'),
        ('{"a": 1, // last\n"codeseek": 1}', '{"a": 1 // last\n}'),
        ('{ // only\r\n  "codeseek": 1 }', "{ // only\r\n   }"),
        ('{ // kept\n  "codeseek": 1,\n  "a": 2\n}', '{ // kept\n  "a": 2\n}'),
    ],
)
def test_what_follows_a_member_that_goes_does_not_come_into_the_comment_before_it(text: str, left: str) -> None:
    assert jsonc.without_member(text, ("codeseek",)) == left


@pytest.mark.parametrize("text", ["", "  \n", "{}", "{ }\n", "// nothing yet\n{\n}\n"])
def test_an_empty_file_gets_the_member_alone(text: str) -> None:
    after = jsonc.with_member(text, ("servers", "codeseek"), ENTRY)
    assert jsonc.parsed(after) == {"servers": {"codeseek": ENTRY}}
    assert text.partition("{")[0].strip() in after


def test_members_are_written_as_the_file_is_indented() -> None:
    after = jsonc.with_member('{\n\t"a": 1\n}\n', ("s", "c"), {"x": 1})
    assert after == '{\n\t"a": 1,\n\t"s": {\n\t\t"c": {\n\t\t\t"x": 1\n\t\t}\n\t}\n}\n'
    assert jsonc.without_member(after, ("s",)) == '{\n\t"a": 1\n}\n'


@pytest.mark.parametrize("text", ["{,}", '{"a": 1,,}', '{"a": [,1]}', "{ // }", '{"a": 1 /* }'])
def test_bad_text_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="Expecting"):
        jsonc.with_member(text, ("a",), 1)
    with pytest.raises(UsageError, match="safely"):
        clients._edited(clients.clients(Path("/p"))["claude"], "[]", jsonc.with_member, ENTRY)
