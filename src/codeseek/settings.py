"""Settings and where each came from: defaults < user file < project file < environment < flags."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

from codeseek.errors import ConfigError

PROJECT_FILE = ".codeseek.toml"
"""Lies at a project's root. A repository is untrusted, so the file may only narrow what the user allows."""

BUNDLED = "bundled"
"""The model in the package, which answers first whatever else is chosen."""

ENVIRONMENT_PREFIX = "CODESEEK_"

_NARROWING = ("ignore", "limit", "max_file_bytes", "max_document_bytes")
_TRUTH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user decided. `origins` names the source of each value that is not a default."""

    data_dir: Path
    model: str = BUNDLED
    quant: str = ""
    dimensions: int = 0
    task: str = ""
    gpu_layers: int = -1
    threads: int = 0
    offline: bool = False
    daemon: str = "auto"
    limit: int = 10
    ignore: tuple[str, ...] = ()
    max_file_bytes: int = 1_000_000
    max_document_bytes: int = 50_000_000
    refresh: bool = True
    workers: int = 0
    origins: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    def origin(self, name: str) -> str:
        """Name the file, variable or flag that gave a value, or `default`."""
        return self.origins.get(name, "default")

    def index_directory(self, root: Path) -> Path:
        """Return the folder of a project's index: readable by its name, unique by its path."""
        from hashlib import blake2b

        digest = blake2b(os.fsencode(root), digest_size=6).hexdigest()
        name = re.sub(r"[^\w.-]+", "-", root.name).strip("-.")[:40] or "root"
        return self.data_dir / "indexes" / f"{name}-{digest}"


MEANINGS: Mapping[str, str] = {
    "data_dir": "the folder that holds every index and model",
    "model": "the model that places text by meaning",
    "quant": "which of the chosen model's files runs, such as Q4_K_M; empty is the recommended one",
    "dimensions": "cut the chosen model's vectors to so many numbers; 0 keeps them whole",
    "task": "what questions are for, by a name that the model knows or in your own words",
    "gpu_layers": "layers of the chosen model that the graphics card takes; -1 is as many as fit",
    "threads": "threads that run the chosen model; 0 is one for each core",
    "offline": "forbid every connection that leaves this machine",
    "daemon": "whether a process stays to answer at once: auto is for models that take long to load; always, never",
    "limit": "the most hits to show",
    "ignore": "patterns of files to leave out, as in .gitignore",
    "max_file_bytes": "larger files are left out",
    "max_document_bytes": "larger PDF files, notebooks, office documents and books are left out",
    "refresh": "bring the index up to date before each search",
    "workers": "processes that index at once; 0 is one for each core",
}
"""Every setting in a few words, in the order in which they are shown."""


def user_file() -> Path:
    """Return where the user's own settings are looked for."""
    from platformdirs import user_config_path

    return user_config_path("codeseek", appauthor=False) / "config.toml"


def load(project_root: Path | None = None, flags: Mapping[str, object] | None = None) -> Settings:
    """Merge every source; flags that are None count as not given. Raises `ConfigError`."""
    values = _read(user_file())
    if project_root is not None:
        values |= _narrow(_read(project_root / PROJECT_FILE), values)
    values |= _read_environment()
    for key, value in (flags or {}).items():
        if value is not None:
            flag = f"--{key.replace('_', '-')}"
            values[key] = _Value(_checked(key, value, flag), flag)
    if "data_dir" not in values:
        values["data_dir"] = _Value(_default_data_dir(), "default")
    given: dict[str, Any] = {key: value.value for key, value in values.items()}
    return Settings(**given, origins={key: value.origin for key, value in values.items()})


def change(values: Mapping[str, object]) -> Path:
    """Set values in the user's own file, keeping all else that is in it; None takes a setting out.

    Raises `ConfigError` when a value is wrong or the file cannot be read or written.
    """
    path = user_file()
    _read(path)
    import shutil

    import tomlkit

    # A file that is a link, as those who keep their settings in a repository have it, stays one.
    target = Path(os.path.realpath(path))
    try:
        document = tomlkit.parse(target.read_text("utf-8")) if target.exists() else tomlkit.document()
        for key, value in values.items():
            if value is None:
                document.pop(key, None)
            else:
                document[key] = _checked(key, value, key)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f"{target.name}.tmp")
        temporary.write_text(tomlkit.dumps(document), encoding="utf-8")
        if target.exists():
            shutil.copymode(target, temporary)
        temporary.replace(target)
    except OSError as error:
        raise ConfigError(f"cannot write `{path}`: {error.strerror}", "make it writable, or room for it") from error
    return path


class _Value(NamedTuple):
    """A setting's value in its type, and the file and line, variable or flag that gave it."""

    value: object
    origin: str


def _default_data_dir() -> Path:
    from platformdirs import user_data_path

    return user_data_path("codeseek", appauthor=False)


def _names() -> tuple[str, ...]:
    return tuple(item.name for item in fields(Settings) if item.name != "origins")


def _read(path: Path) -> dict[str, _Value]:
    """Return a file's settings; an absent file has none."""
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read `{path}`: {error}", "make the file readable UTF-8, or remove it") from error
    import tomllib

    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"`{path}` is not TOML: {error}", "a setting looks like this: `limit = 20`") from error
    values = {}
    for key, value in table.items():
        place = f"{path}:{_line(text, key)}"
        values[key] = _Value(_checked(key, value, place), place)
    return values


def _line(text: str, key: str) -> int:
    """Find the line where a file gives a key; the parser does not tell."""
    before = re.match(rf"(?s)(.*?\n)??[ \t]*\[*[ \t]*[\"']?{re.escape(key)}\b", text)
    return (before[1] or "").count("\n") + 1 if before else 1


def _narrow(project: Mapping[str, _Value], user: Mapping[str, _Value]) -> dict[str, _Value]:
    """Return what a project's settings come to: never more than the defaults and the user allow."""
    narrowed, defaults = {}, Settings(Path())
    for key, (value, place) in project.items():
        if key not in _NARROWING:
            raise ConfigError(
                f"{place}: a project may not set `{key}`",
                f"put it into your own `{user_file()}`; a project may set {_listed(_NARROWING)}",
            )
        default = getattr(defaults, key)
        own = user[key].value if key in user else default
        if isinstance(value, tuple) and isinstance(own, tuple):
            narrowed[key] = _Value((*own, *value), place)
        elif isinstance(value, int) and isinstance(own, int):
            if value > default:
                raise ConfigError(
                    f"{place}: a project may only lower `{key}`, and {value} is above {default}",
                    f"raise it in your own `{user_file()}`",
                )
            if value < own:
                narrowed[key] = _Value(value, place)
    return narrowed


def _read_environment() -> dict[str, _Value]:
    """Return the settings that environment variables give."""
    return {
        key: _Value(_parse(key, text, name), name)
        for name, text in sorted(os.environ.items())
        if (key := _variable(name)) is not None
    }


def _variable(name: str) -> str | None:
    """Return the setting that an environment variable means; other programs' variables mean none."""
    if not name.startswith(ENVIRONMENT_PREFIX):
        return None
    key = name.removeprefix(ENVIRONMENT_PREFIX).lower()
    if key in _names():
        return key
    if near := _near(key):
        raise ConfigError(
            f"`{name}`: unknown setting in the environment",
            f"did you mean `{ENVIRONMENT_PREFIX}{near.upper()}`?",
        )
    return None


def _parse(key: str, text: str, where: str) -> object:
    """Turn a variable's text into a setting's value."""
    if key == "ignore":
        return _checked(key, [part.strip() for part in text.split(",") if part.strip()], where)
    if key in ("refresh", "offline"):
        return _checked(key, _TRUTH.get(text.strip().lower(), text), where)
    if key in ("limit", "max_file_bytes", "max_document_bytes", "workers", "dimensions", "gpu_layers", "threads"):
        try:
            return _checked(key, int(text), where)
        except ValueError:
            return _checked(key, text, where)
    return _checked(key, text, where)


def _checked(key: str, value: object, where: str) -> object:
    """Return a value in its setting's type; raises `ConfigError` that names `where`."""
    if key not in _names():
        near = _near(key)
        hint = f"did you mean `{near}`?" if near else f"the settings are {_listed(_names())}"
        raise ConfigError(f"{where}: unknown setting `{key}`", hint)
    match key:
        case "data_dir":
            if isinstance(value, str | os.PathLike) and os.fspath(value):
                return Path(os.path.abspath(os.path.expanduser(value)))
            wanted = "a folder"
        case "model":
            if isinstance(value, str) and value:
                return value
            wanted = "a model's name"
        case "quant" | "task":
            if isinstance(value, str):
                return value
            wanted = "text"
        case "daemon":
            if value in ("auto", "always", "never"):
                return value
            wanted = "auto, always or never"
        case "ignore":
            if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
                return tuple(value)
            wanted = 'a list of patterns such as ["docs/**", "*.min.js"]'
        case "refresh" | "offline":
            if isinstance(value, bool):
                return value
            wanted = "true or false"
        case _:
            least = {"workers": 0, "dimensions": 0, "threads": 0, "gpu_layers": -1}.get(key, 1)
            if isinstance(value, int) and not isinstance(value, bool) and value >= least:
                return value
            wanted = f"a whole number of at least {least}"
    raise ConfigError(f"{where}: `{key}` cannot be {value!r}", f"it wants {wanted}")


def _near(key: str) -> str | None:
    """Return the setting whose name is closest to a mistyped one."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(key, _names(), n=1, cutoff=0.7)), None)


def _listed(names: tuple[str, ...]) -> str:
    *most, last = (f"`{name}`" for name in names)
    return f"{', '.join(most)} and {last}"
