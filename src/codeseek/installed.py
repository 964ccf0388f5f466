"""The models on this machine: which files are there, what was pinned of them, taking files in and giving them up."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from codeseek import catalogue, weights
from codeseek.catalogue import ModelFile, ModelSpec, Variant
from codeseek.errors import ModelError

_PIN = "pin.json"
_BLOCK = 1 << 20


class Transfer(NamedTuple):
    """How far the work on one file has come, in bytes; `total` is 0 where the size is not known."""

    doing: str
    file: str
    done: int
    total: int


Listener = Callable[[Transfer], None]


class Pin(NamedTuple):
    """What a file was when it arrived, and where it came from; `tag` is what the server calls that state of it."""

    sha256: str
    size: int
    source: str
    time: str
    tag: str = ""


def private(path: str, flags: int) -> int:
    """Open a file that its owner alone may read, should it be new: an `opener` for `open`."""
    return os.open(path, flags, 0o600)


def is_installed(data_dir: Path, spec: ModelSpec, variant: Variant) -> bool:
    """Tell whether a variant can be loaded: it needs no files, or they are all there."""
    folder = catalogue.files_folder(data_dir, spec, variant)
    return all((folder / file.path).is_file() for file in variant.files)


def variants(data_dir: Path, spec: ModelSpec) -> tuple[Variant, ...]:
    """Return the variants that can be loaded, the recommended one first."""
    return tuple(variant for variant in spec.variants if is_installed(data_dir, spec, variant))


def size(data_dir: Path, spec: ModelSpec, variant: Variant) -> int:
    """Return how many bytes the files that are there have."""
    folder = catalogue.files_folder(data_dir, spec, variant)
    return sum(path.stat().st_size for file in variant.files if (path := folder / file.path).is_file())


def pins(folder: Path) -> dict[str, Pin]:
    """Return what is pinned of a variant's files; nothing where there is no record or it is damaged."""
    try:
        rows = json.loads((folder / _PIN).read_text("utf-8"))["files"]
        return {path: Pin(**row) for path, row in rows.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def pin(folder: Path, file: str, sha256: str, source: str, tag: str = "") -> None:
    """Record what a file is, readable by the user alone."""
    time = datetime.now(UTC).isoformat(timespec="seconds")
    known = pins(folder) | {file: Pin(sha256, (folder / file).stat().st_size, source, time, tag)}
    rows = {path: entry._asdict() for path, entry in known.items()}
    temporary = folder / f"{_PIN}.tmp"
    with open(temporary, "w", encoding="utf-8", opener=private) as stream:
        json.dump({"files": rows}, stream, indent=2)
    temporary.replace(folder / _PIN)


def verify(data_dir: Path, spec: ModelSpec, variant: Variant, listener: Listener | None = None) -> Mapping[str, str]:
    """Compare a variant's files with what was pinned: what is wrong with each, empty where nothing is."""
    folder = catalogue.files_folder(data_dir, spec, variant)
    known = pins(folder)
    found = {}
    for file in variant.files:
        path, pinned = folder / file.path, known.get(file.path)
        if not path.is_file():
            found[file.path] = "missing"
        elif pinned is None:
            found[file.path] = "not pinned: nothing to compare it with"
        elif path.stat().st_size != pinned.size:
            found[file.path] = f"has {path.stat().st_size:,} bytes instead of {pinned.size:,}"
        else:
            changed = digest(path, "sha256", file.path, listener) != pinned.sha256
            found[file.path] = "not what was pinned: its sha256 differs" if changed else ""
    return found


def digest(path: Path, algorithm: str, name: str = "", listener: Listener | None = None, start: bytes = b"") -> str:
    """Return a file's hash; `start` is hashed before it."""
    hashed = hashlib.new(algorithm, start, usedforsecurity=algorithm == "sha256")
    total, done = path.stat().st_size, 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            hashed.update(block)
            done += len(block)
            if listener:
                listener(Transfer("checking", name, done, total))
    return hashed.hexdigest()


def remove(data_dir: Path, spec: ModelSpec, variant: Variant) -> int:
    """Delete a variant's files, also those of a download that was interrupted; return how many bytes that freed."""
    folder = catalogue.files_folder(data_dir, spec, variant)
    freed = sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())
    try:
        if folder.is_dir():
            shutil.rmtree(folder)
            if not any(folder.parent.iterdir()):
                folder.parent.rmdir()
    except OSError as error:
        raise ModelError(f"cannot remove `{folder}`: {error.strerror}", hint="close what uses the model") from error
    return freed


def adopt(
    source: Path, data_dir: Path, spec: ModelSpec, variant: Variant, *, link: bool, listener: Listener | None = None
) -> None:
    """Copy a variant's files in, or link to them; raises `ModelError` when they are not that model's.

    `source` is the file of weights; others, such as the tokenizer, lie beside it or one folder above.
    """
    main, *others = variant.files
    _check(source, spec, variant)
    folder = catalogue.files_folder(data_dir, spec, variant)
    for file, path in [(main, source), *((file, _beside(source, file)) for file in others)]:
        target = folder / file.path
        try:
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            temporary = target.with_name(f"{target.name}.tmp")
            temporary.unlink(missing_ok=True)
            if link:
                temporary.symlink_to(path.resolve())
                sha256 = digest(path, "sha256", path.name, listener)
            else:
                sha256 = _copy(path, temporary, listener)
            temporary.replace(target)
            pin(folder, file.path, sha256, path.resolve().as_uri())
        except OSError as error:
            raise ModelError(
                f"cannot take `{path}` in: {error.strerror or error}", hint="make room, or link"
            ) from error


def described(source: Path, name: str) -> ModelSpec:
    """Make the description of a GGUF file that no model of the catalogue is, from what it says of itself.

    Where a known model has its architecture and dimensions, the instructions for texts are that model's.
    """
    header = weights.read_header(source)
    if not header.architecture or not header.dimensions:
        raise ModelError(
            f"`{source}` does not say what model it holds", hint=f"describe it in `{catalogue.user_folder()}` first"
        )
    variant = Variant(
        name=header.quantisation or "GGUF",
        engine="gguf",
        files=(ModelFile(source.name, source.stat().st_size),),
        memory=round(source.stat().st_size * 1.2) + 200_000_000,
    )
    like = _alike(header)
    if like is not None:
        return like._replace(name=name, variants=(variant,), origin=None)
    if not header.pooling:
        raise ModelError(
            f"`{source}` is no embedding model: it does not say how its tokens become one vector",
            hint=f"if it is one, describe it in `{catalogue.user_folder()}`, with its `pooling`",
        )
    return ModelSpec(
        name=name,
        family=header.name or header.architecture,
        licence=header.licence or "unknown",
        dimensions=header.dimensions,
        variants=(variant,),
        languages="unknown",
        context=header.context or 512,
        pooling=header.pooling,  # type: ignore[arg-type] # one of its values
        architecture=header.architecture,
    )


def _alike(header: weights.Header) -> ModelSpec | None:
    """Return the one known model that a file may be another form of; BERT's shape is too common to tell."""
    alike = [
        spec
        for spec in catalogue.catalogue().values()
        if spec.architecture == header.architecture != "bert" and spec.dimensions == header.dimensions
    ]
    return alike[0] if len({(spec.query, spec.document, spec.pooling) for spec in alike}) == 1 else None


def _check(source: Path, spec: ModelSpec, variant: Variant) -> None:
    if variant.engine == "gguf":
        header = weights.read_header(source)
        ours = (spec.architecture or header.architecture, spec.dimensions or header.dimensions)
        if (header.architecture, header.dimensions) != ours:
            raise ModelError(
                f"`{source}` is a {header.architecture} model of {header.dimensions} dimensions, and `{spec.name}` "
                f"a {ours[0]} model of {ours[1]}",
                hint="import it `--as` another name",
            )
    else:
        weights.check(source, source.name)


def _beside(source: Path, file: ModelFile) -> Path:
    name = Path(file.path).name
    for folder in (source.parent, source.parent.parent):
        if (folder / name).is_file():
            return folder / name
    raise ModelError(f"`{name}` is not beside `{source}`", hint="put the model's other files into the same folder")


def _copy(source: Path, target: Path, listener: Listener | None) -> str:
    hashed, done, total = hashlib.sha256(), 0, source.stat().st_size
    with source.open("rb") as reading, open(target, "xb", opener=private) as file:
        while block := reading.read(_BLOCK):
            file.write(block)
            hashed.update(block)
            done += len(block)
            if listener:
                listener(Transfer("copying", source.name, done, total))
        file.flush()
        os.fsync(file.fileno())
    return hashed.hexdigest()
