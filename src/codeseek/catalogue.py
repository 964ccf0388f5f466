"""The models we know: where their files lie."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from codeseek.errors import ModelError


@cache
def model_directory(name: str = "bundled") -> Path:
    """Return the folder of a model that comes in the package; raises `ModelError` when it is not there."""
    package = Path(__file__).parent
    for folder in (package / "models" / name, package.parents[1] / "models" / name):
        if folder.is_dir():
            return folder
    raise ModelError(f"the model `{name}` is missing from the installation", hint="install codeseek again")
