"""The models we know: one TOML file each, in the package or in the user's own folder; where their files lie."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from codeseek import settings
from codeseek.errors import ModelError
from codeseek.settings import BUNDLED

EngineName = Literal["static", "gguf", "onnx", "remote"]
Pooling = Literal["last", "mean", "cls"]

_NAME = re.compile(r"[\w][\w.+-]{0,63}")


class ModelFile(NamedTuple):
    """One file of a model: its path in the repository that publishes it, and about how many bytes it has (0: unknown)."""

    path: str
    size: int = 0


class Golden(NamedTuple):
    """Two texts, with the templates filled in, and how near to each other the model's card says they lie."""

    one: str
    other: str
    cosine: float


class Variant(NamedTuple):
    """One form in which a model is published, such as a quantisation: what runs it, its files and where they are.

    `sources` maps `huggingface` and `modelscope` to the repository there; `memory` is what it takes to run, in bytes.
    """

    name: str
    engine: EngineName
    files: tuple[ModelFile, ...] = ()
    sources: Mapping[str, str] = {}
    memory: int = 0

    @property
    def size(self) -> int:
        """About how many bytes the files have, 0 if that is not known."""
        return sum(file.size for file in self.files)


class ModelSpec(NamedTuple):
    """A model as its card describes it; the first variant is the one that is recommended.

    `commercial` is False where the licence forbids such use; `score` is the mean over tasks of MTEB (Multilingual, v2),
    0 where none is published. `active_parameters` are those that each token is multiplied
    with: all but the table of token vectors (0: all). `dimensions` may be 0 where only a server knows.
    `least_dimensions` is the shortest prefix of a vector that is one itself (0: no prefix is); `context` counts tokens.
    `query` and `document` are templates with `{text}`, the former perhaps with `{task}` too; `tasks` are the words that
    stand for it by name, the first of them the default. Of a remote model, `url` is where `/embeddings` is asked for,
    `remote_name` its name there, `key_variable` names what holds the key; `request_texts` and `connections` are how many
    texts a request and how many requests at once the server bears (0: as many as is usual).
    """

    name: str
    family: str
    licence: str
    dimensions: int
    variants: tuple[Variant, ...]
    commercial: bool = True
    languages: str = "multilingual"
    score: float = 0.0
    parameters: int = 0
    active_parameters: int = 0
    least_dimensions: int = 0
    context: int = 512
    pooling: Pooling = "mean"
    architecture: str = ""
    query: str = "{text}"
    document: str = "{text}"
    tasks: Mapping[str, str] = {}
    url: str = ""
    remote_name: str = ""
    key_variable: str = ""
    request_texts: int = 0
    connections: int = 0
    golden: tuple[Golden, ...] = ()
    origin: Path | None = None

    def variant(self, name: str = "") -> Variant:
        """Return the variant of this name, the recommended one if it is empty; raises `ModelError`."""
        for variant in self.variants:
            if not name or variant.name.lower() == name.lower():
                return variant
        names = ", ".join(f"`{variant.name}`" for variant in self.variants)
        raise ModelError(f"`{self.name}` has no variant `{name}`", hint=f"it comes as {names}")

    def template(self, task: str = "") -> str:
        """Return the template of questions for a task by its name, or for one in the user's own words."""
        words = self.tasks.get(task or next(iter(self.tasks), ""), task)
        return self.query.replace("{task}", words)

    def check_dimensions(self, dimensions: int) -> None:
        """Raise `ModelError` if vectors cannot be cut to so many dimensions (0: left whole)."""
        if not dimensions or not self.dimensions or dimensions == self.dimensions:
            return
        if dimensions > self.dimensions:
            raise ModelError(
                f"`{self.name}` has {self.dimensions} dimensions, not {dimensions}", hint="set `dimensions` to less"
            )
        if not 0 < self.least_dimensions <= dimensions:
            least = f"to {self.least_dimensions} at least" if self.least_dimensions else "not at all"
            raise ModelError(
                f"vectors of `{self.name}` cannot be cut to {dimensions} dimensions", hint=f"they can be cut {least}"
            )


def catalogue() -> dict[str, ModelSpec]:
    """Return every model by its name, the package's and then the user's own; raises `ModelError`."""
    specs = {spec.name: spec for spec in _specs(_package_folder())}
    own = {spec.name: spec for spec in _specs(user_folder())}
    return specs | own


def find(name: str) -> ModelSpec:
    """Return the model of a name; raises `ModelError` when there is none."""
    specs = catalogue()
    if name not in specs:
        from difflib import get_close_matches

        near = get_close_matches(name, specs, n=1)
        hint = f"did you mean `{near[0]}`?" if near else "`codeseek models` lists those there are"
        raise ModelError(f"unknown model `{name}`", hint=hint)
    return specs[name]


def user_folder() -> Path:
    """Return where the user's own models are described."""
    return settings.user_file().parent / "models"


def files_folder(data_dir: Path, spec: ModelSpec, variant: Variant) -> Path:
    """Return where a variant's files lie once they are there."""
    return data_dir / "models" / spec.name / variant.name


@cache
def model_directory(name: str = BUNDLED) -> Path:
    """Return the folder of a model that comes in the package; raises `ModelError` when it is not there."""
    folder = _package_folder() / name
    if folder.is_dir():
        return folder
    raise ModelError(f"the model `{name}` is missing from the installation", hint="install codeseek again")


@cache
def _package_folder() -> Path:
    package = Path(__file__).parent
    installed = package / "models"
    return installed if installed.is_dir() else package.parents[1] / "models"


def _specs(folder: Path) -> Iterator[ModelSpec]:
    return map(read, sorted(folder.glob("*.toml")))


def read(path: Path) -> ModelSpec:
    """Read a model's description; raises `ModelError` that names the file and what is wrong with it."""
    import tomllib

    try:
        table = tomllib.loads(path.read_text("utf-8"))
        return _spec(table)._replace(origin=path)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, ValueError) as error:
        problem = f"`{error.args[0]}` is missing" if isinstance(error, KeyError) else str(error)
        raise ModelError(
            f"`{path}` does not describe a model: {problem}", hint="mend the file, or move it elsewhere"
        ) from error


def write(spec: ModelSpec) -> Path:
    """Write a description into the user's folder, over one of the same name; raises `ModelError`."""
    import tomlkit

    path = user_folder() / f"{check_name(spec.name)}.toml"
    text = tomlkit.dumps(_table(spec))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise ModelError(f"cannot write `{path}`: {error.strerror}", hint="make room, or make it writable") from error
    return path


def _table(record: ModelSpec | Variant | ModelFile | Golden) -> dict[str, Any]:
    """Return a record as values of TOML: what is not a default, and what its user may want to complete."""
    table = {}
    for key, value in record._asdict().items():
        usual = key in record._field_defaults and value == record._field_defaults[key]
        if key == "origin" or (usual and key not in ("pooling", "query", "document")):
            continue
        rows = isinstance(value, tuple)
        table[key] = [_table(row) for row in value] if rows else dict(value) if isinstance(value, Mapping) else value
    return table


def check_name(name: str) -> str:
    """Return a name that can be a model's and a file's; raises ValueError."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"`name` cannot be {name!r}: letters, digits, `.`, `_`, `+` and `-` are what it has")
    return name


def _spec(table: dict[str, Any]) -> ModelSpec:
    parts = {
        "variants": tuple(map(_variant, _rows(table, "variants"))),
        "golden": tuple(Golden(**_checked(Golden, row)) for row in _rows(table, "golden", [])),
    }
    spec = ModelSpec(**_checked(ModelSpec, table | parts))
    check_name(spec.name)
    if spec.pooling not in get_args(Pooling):
        raise ValueError(f"`pooling` is one of {', '.join(get_args(Pooling))}")
    if not spec.variants:
        raise ValueError("it has no variant")
    if "{text}" not in spec.query or "{text}" not in spec.document:
        raise ValueError("`query` and `document` need a `{text}`")
    return spec


def _variant(row: dict[str, Any]) -> Variant:
    variant = Variant(**_checked(Variant, row | {"files": tuple(map(_file, _rows(row, "files", [])))}))
    check_name(variant.name)
    if variant.engine not in get_args(EngineName):
        raise ValueError(f"`engine` is one of {', '.join(get_args(EngineName))}")
    return variant


def _file(row: dict[str, Any]) -> ModelFile:
    file = ModelFile(**_checked(ModelFile, row))
    if not file.path or PurePosixPath(file.path).is_absolute() or {"..", ""} & set(re.split(r"[/\\]", file.path)):
        raise ValueError(f"`path` cannot be {file.path!r}: it lies inside the model's own folder")
    return file


def _rows(table: Mapping[str, Any], key: str, default: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
    rows = table[key] if default is None else table.get(key, default)
    if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        return rows
    raise ValueError(f"`{key}` is a list of tables")


def _checked(record: type[ModelSpec | Variant | ModelFile | Golden], table: dict[str, Any]) -> dict[str, Any]:
    """Return the table if it has the keys of a record and values of their types; raises KeyError and ValueError."""
    hints = get_type_hints(record)
    for key in record._fields:
        if key not in table and key not in record._field_defaults:
            raise KeyError(key)
    for key, value in table.items():
        if key not in record._fields or key == "origin":
            raise ValueError(f"unknown key `{key}`")
        kind = get_origin(hints[key]) or hints[key]  # of `Literal[…]` no value is an instance: it is looked at later
        if kind in (int, float) and (type(value) not in (int, kind) or value < 0):
            raise ValueError(f"`{key}` cannot be {value!r}: it is a number")
        if kind in (str, bool) and not isinstance(value, kind):
            raise ValueError(f"`{key}` cannot be {value!r}: it is {'a text' if kind is str else 'true or false'}")
        if kind is Mapping and not (isinstance(value, dict) and all(isinstance(text, str) for text in value.values())):
            raise ValueError(f"`{key}` is a table of texts")
    return table
