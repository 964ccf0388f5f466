"""The models we know: one TOML file each, in the package or in the user's own folder; where their files lie."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from codeseek import settings
from codeseek.errors import ModelError
from codeseek.settings import BUNDLED

EngineName = Literal["static", "gguf", "onnx", "remote"]
Pooling = Literal["last", "mean", "cls"]


class ModelFile(NamedTuple):
    """One file of a model: its path in the repository that publishes it, and its size in bytes (0: not known)."""

    path: str
    size: int = 0


class Variant(NamedTuple):
    """One form in which a model is published, such as a quantisation: what runs it, its files and where they are.

    `sources` maps `huggingface` and `modelscope` to the repository there; `memory` is what it takes to run, in bytes.
    """

    name: str
    engine: EngineName
    files: tuple[ModelFile, ...] = ()
    sources: Mapping[str, str] = {}
    memory: int = 0


class ModelSpec(NamedTuple):
    """A model as its card describes it; the first variant is the one that is recommended.

    `least_dimensions` is the shortest prefix of a vector that is one itself (0: no prefix is); `context` counts tokens.
    `query` and `document` are templates with `{text}`, the former perhaps with `{task}` too; `tasks` are the words that
    stand for it by name, the first of them the default. `url`, `remote_name` and `key_variable` are of a remote model.
    """

    name: str
    family: str
    licence: str
    dimensions: int
    variants: tuple[Variant, ...]
    commercial: bool = True
    languages: str = "multilingual"
    parameters: int = 0
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


def catalogue() -> dict[str, ModelSpec]:
    """Return every model by its name, the package's and then the user's own; raises `ModelError`."""
    specs = {}
    for folder in (_package_folder(), user_folder()):
        for path in sorted(folder.glob("*.toml")):
            spec = _read(path)
            specs[spec.name] = spec
    return specs


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


def _read(path: Path) -> ModelSpec:
    """Read a model's description; raises `ModelError` that names the file and what is wrong with it."""
    import tomllib

    try:
        table = tomllib.loads(path.read_text("utf-8"))
        return _spec(table)._replace(origin=path)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        problem = f"`{error.args[0]}` is missing" if isinstance(error, KeyError) else str(error)
        raise ModelError(
            f"`{path}` does not describe a model: {problem}", hint="mend the file, or move it elsewhere"
        ) from error


def _spec(table: Mapping[str, Any]) -> ModelSpec:
    unknown = table.keys() - set(ModelSpec._fields)
    if unknown:
        raise ValueError(f"unknown key `{min(unknown)}`")
    variants = tuple(_variant(row) for row in table["variants"])
    spec = ModelSpec(**{**table, "variants": variants})
    if not spec.name or os.sep in spec.name or spec.name.startswith("."):
        raise ValueError(f"`name` cannot be {spec.name!r}")
    if spec.pooling not in get_args(Pooling):
        raise ValueError(f"`pooling` is one of {', '.join(get_args(Pooling))}")
    if not variants:
        raise ValueError("it has no variant")
    if "{text}" not in spec.query or "{text}" not in spec.document:
        raise ValueError("`query` and `document` need a `{text}`")
    return spec


def _variant(row: Mapping[str, Any]) -> Variant:
    if row["engine"] not in get_args(EngineName):
        raise ValueError(f"`engine` is one of {', '.join(get_args(EngineName))}")
    return Variant(**{**row, "files": tuple(ModelFile(**file) for file in row.get("files", ()))})
