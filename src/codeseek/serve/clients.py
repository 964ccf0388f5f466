"""The clients of MCP that can be told of codeseek: where each keeps its servers, and in which form."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any, Literal, NamedTuple

from codeseek.errors import UsageError
from codeseek.serve import jsonc

NAME = "codeseek"
BACKUP = ".codeseek-backup"
"""Ends the name of the file as it was before."""

Folder = Literal["shell", "workspace", "root"]
"""Where a client starts servers: in the project (`shell`), anywhere but it fills `${workspaceFolder}` in, or anywhere."""


class Client(NamedTuple):
    """A client: its file, the key of its servers, and how it starts them. `note` is what the user does next."""

    title: str
    file: Path
    key: str
    folder: Folder
    typed: bool = False
    note: str = "restart it to see the tools"


class Change(NamedTuple):
    """A file before and after; `before` is None where there was none, `after` where there will be none."""

    file: Path
    before: str | None
    after: str | None


def clients(root: Path) -> dict[str, Client]:
    """Return the clients by name; some keep their servers in the project at `root`."""
    home = Path.home()
    claude = os.environ.get("CLAUDE_CONFIG_DIR")
    codex = Path(os.environ.get("CODEX_HOME") or home / ".codex")
    return {
        "claude": Client(
            "Claude Code",
            Path(claude or home) / ".claude.json",
            "mcpServers",
            "shell",
            typed=True,
            note="see `/mcp` there",
        ),
        "claude-desktop": Client(
            "Claude Desktop", _settings_folder("Claude") / "claude_desktop_config.json", "mcpServers", "root"
        ),
        "codex": Client("Codex", codex / "config.toml", "mcp_servers", "shell", note="see `/mcp` there"),
        "cursor": Client("Cursor", root / ".cursor" / "mcp.json", "mcpServers", "workspace"),
        "gemini": Client(
            "Gemini CLI", home / ".gemini" / "settings.json", "mcpServers", "shell", note="see `/mcp` there"
        ),
        "vscode": Client("VS Code", root / ".vscode" / "mcp.json", "servers", "workspace", typed=True),
        "zed": Client("Zed", _zed_folder() / "settings.json", "context_servers", "root"),
    }


def entry(client: Client, root: Path) -> dict[str, object]:
    """Return how the client is to start the server: by the full path, for programs with a window have another PATH."""
    script = Path(sys.executable).with_name("codeseek.exe" if os.name == "nt" else "codeseek")
    command = [str(script)] if script.is_file() else [sys.executable, "-m", "codeseek"]
    place = {"shell": [], "workspace": ["-C", "${workspaceFolder}"], "root": ["-C", str(root)]}[client.folder]
    started: dict[str, object] = {"type": "stdio"} if client.typed else {}
    return started | {"command": command[0], "args": [*command[1:], "mcp", *place]}


def snippet(client: Client, root: Path) -> str:
    """Return what is to stand in the client's file."""
    if client.file.suffix == ".toml":
        return _table(client, root)
    return jsonc.snippet((client.key, NAME), entry(client, root))


def installed(client: Client, root: Path) -> Change:
    """Return the file with the server in it, all else as it was; raises `UsageError` where it cannot be understood."""
    if client.folder == "workspace" and not client.file.resolve().is_relative_to(root):
        raise UsageError(f"`{client.file}` leads out of the project", "a repository decides nothing outside of itself")
    before = _read(client.file)
    if client.file.suffix == ".toml":
        kept = _without_table(before or "", client)
        after = f"{kept.rstrip()}\n\n{_table(client, root)}" if kept.strip() else _table(client, root)
    else:
        after = _edited(client, before, jsonc.with_member, entry(client, root))
    return Change(client.file, before, after)


def removed(client: Client) -> Change:
    """Return the file without the server: as it was before where nothing else has changed since."""
    before = _read(client.file)
    backup = client.file.with_name(client.file.name + BACKUP)
    if before is None:
        return Change(client.file, None, None)
    if client.file.suffix == ".toml":
        after = _without_table(before, client)
    else:
        after = _edited(client, before, jsonc.without_member)
    original = _read(backup)
    if original is None:
        emptied = not after.strip() or (client.file.suffix == ".json" and jsonc.parsed(after) in ({}, {client.key: {}}))
        return Change(client.file, before, None if emptied else after)
    return Change(client.file, before, original if _same(client, original, after) else after)


def write(change: Change) -> None:
    """Make a change, whole or not at all; the file as it was stays beside it. Raises `UsageError`."""
    file = Path(os.path.realpath(change.file))  # what is a link stays one
    backup = change.file.with_name(change.file.name + BACKUP)
    try:
        if change.after is None:
            file.unlink(missing_ok=True)
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        if change.before is not None and not backup.exists():
            _replace(backup, change.before, file)
        _replace(file, change.after, file)
    except OSError as error:
        raise UsageError(
            f"cannot write `{change.file}`: {error.strerror}", "`--print` shows what to put there"
        ) from error


def forget_backup(client: Client) -> None:
    """Delete the file as it was before."""
    with contextlib.suppress(OSError):
        client.file.with_name(client.file.name + BACKUP).unlink()


def _replace(file: Path, text: str, like: Path) -> None:
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=file.name)
    try:
        with open(descriptor, "w", encoding="utf-8", newline="") as new:
            new.write(text)
        if like.exists():
            os.chmod(name, like.stat().st_mode & 0o7777)
        os.replace(name, file)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def _read(file: Path) -> str | None:
    try:
        with open(file, encoding="utf-8", newline="") as content:
            return content.read()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot read `{file}`: {reason}", "`--print` shows what to put there") from error


def _edited(client: Client, before: str | None, edit: Any, *value: object) -> str:
    """Edit a file of JSON, and see to it that only our member has changed."""
    try:
        after: str = edit(before or "", (client.key, NAME), *value)
        was, now = jsonc.parsed(before or ""), jsonc.parsed(after)
        for whole in (was, now):
            if client.key in whole:
                whole[client.key].pop(NAME, None)
        if {key: part for key, part in now.items() if part or key in was} != was and was.get(client.key) != {}:
            raise ValueError("its form is an unusual one")
    except (ValueError, AttributeError, RecursionError) as error:
        raise UsageError(
            f"`{client.file}` cannot be changed safely: {error}", "`--print` shows what to put there by hand"
        ) from error
    return after


def _same(client: Client, one: str, other: str) -> bool:
    """Tell whether two texts say the same but for our member."""
    read = tomllib.loads if client.file.suffix == ".toml" else jsonc.parsed
    try:
        first, second = read(one), read(other)
        for whole in (first, second):
            whole.setdefault(client.key, {}).pop(NAME, None)
    except (ValueError, AttributeError):
        return False
    return bool(first == second)


def _table(client: Client, root: Path) -> str:
    started = entry(client, root)
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in started.items()]
    return "\n".join([f"[{client.key}.{NAME}]", *lines]) + "\n"


def _without_table(text: str, client: Client) -> str:
    """Return TOML without our table and those in it; raises `UsageError` for what is no TOML or has it in another form."""
    head = rf"[ \t]*\[[ \t]*{client.key}[ \t]*\.[ \t]*[\"']?{NAME}[\"']?"
    kept = re.sub(rf"(?ms)^{head}[ \t]*(?:\.[^\]\n]*)?\].*?(?=^[ \t]*\[|\Z)", "", text)
    try:
        was, now = tomllib.loads(text), tomllib.loads(kept)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"`{client.file}` cannot be changed safely: {error}", "`--print` shows what to put there by hand"
        ) from error
    was.get(client.key, {}).pop(NAME, None)
    if NAME in now.get(client.key, {}) or {key: part for key, part in was.items() if part} != {
        key: part for key, part in now.items() if part
    }:
        raise UsageError(
            f"`{client.file}` has `{NAME}` in an unusual form", "take it out yourself; `--print` shows the new one"
        )
    return kept


def _settings_folder(name: str) -> Path:
    """Return where programs with a window keep their settings."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / name
    if os.name == "nt":
        return Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming") / name
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / name


def _zed_folder() -> Path:
    return (
        Path.home() / ".config" / "zed"
        if sys.platform == "darwin"
        else _settings_folder("zed" if os.name != "nt" else "Zed")
    )
