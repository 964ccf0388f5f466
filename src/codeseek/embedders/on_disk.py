"""Models that are files on this machine: known by what the files hold, tried once, run in a process of their own."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from codeseek import catalogue
from codeseek.catalogue import ModelSpec, Variant
from codeseek.embedders import selftest
from codeseek.embedders.process import ModelProcess, Source
from codeseek.errors import ModelError

_HASHES = "hashes.json"


class Installed(Source, Protocol):
    """What loads such a model."""

    @property
    def rules(self) -> str:
        """Identifies what vectors depend on beside the files."""
        ...


def path(spec: ModelSpec, variant: Variant, data_dir: Path) -> Path:
    """Return where a variant's first file is; raises `ModelError` unless all of them are there."""
    folder = catalogue.files_folder(data_dir, spec, variant)
    for file in variant.files:
        if not (folder / file.path).is_file():
            raise ModelError(
                f"`{spec.name}` is not on this machine: `{file.path}` of its variant {variant.name} is missing",
                hint=f"fetch it with `codeseek models pull {spec.name}`",
            )
    return folder / variant.files[0].path


def load(
    spec: ModelSpec, variant: Variant, data_dir: Path, source: Installed, environment: Mapping[str, str]
) -> ModelProcess:
    """Return a model, which starts when it is wanted; a new one is tried first. Raises `ModelError`."""
    folder = catalogue.files_folder(data_dir, spec, variant)
    identity = f"{hash_of(folder, [file.path for file in variant.files])}-{source.rules}"
    model = ModelProcess(spec.name, source, identity, spec.dimensions, environment)
    try:
        selftest.check_once(model, spec, folder)
    except BaseException:
        model.close()
        raise
    return model


def hash_of(folder: Path, names: list[str]) -> str:
    """Return a hash of files, 16 hexadecimal digits. Each is read once and known again by its size and time.

    Raises `ModelError` when one cannot be read.
    """
    try:
        known = json.loads((folder / _HASHES).read_text("utf-8"))
    except (OSError, ValueError):
        known = {}
    whole = hashlib.sha256()
    fresh = {}
    for name in names:
        try:
            status = (folder / name).stat()
            stamp = [status.st_size, status.st_mtime_ns]
            entry = known.get(name) if isinstance(known, dict) else None
            if not (isinstance(entry, list) and entry[:2] == stamp and len(entry) == 3):
                with (folder / name).open("rb") as file:
                    entry = [*stamp, hashlib.file_digest(file, "sha256").hexdigest()]
        except OSError as error:
            raise ModelError(f"`{folder / name}` cannot be read: {error.strerror}", hint="fetch it again") from error
        fresh[name] = entry
        whole.update(f"{entry[2]}\n".encode())
    if fresh != known:
        scratch = folder / f".{_HASHES}.{os.getpid()}"
        with suppress(OSError):  # then they are read again next time
            scratch.write_text(json.dumps(fresh), "utf-8")
            scratch.replace(folder / _HASHES)
    return whole.hexdigest()[:16]
