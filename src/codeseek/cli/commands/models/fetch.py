"""`codeseek models pull`, `import`, `verify` and `remove`: the files of models."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import click

from codeseek import catalogue, downloads, installed
from codeseek.catalogue import ModelSpec, Variant
from codeseek.cli import diagnostics, output, tables
from codeseek.cli.commands import options
from codeseek.cli.commands.models import arguments
from codeseek.errors import ExitCode, ModelError, UsageError
from codeseek.settings import BUNDLED, Settings


@click.command("pull", short_help="Fetch a model from a hub or its mirror.")
@arguments.name()
@arguments.quant
@click.option(
    "--mirror",
    metavar="M",
    help=f"Fetch from {' or '.join(downloads.MIRRORS)}, or from an address that serves Hugging Face's repositories.",
)
@options.offline
def pull_command(name: str, quant: str | None, mirror: str | None, offline: bool | None) -> int:
    """Fetch a model's files, check them against the hub's own record, and pin what they are.

    What was cut off goes on where it stopped, with the same command. `HF_ENDPOINT` and `HF_TOKEN` are obeyed; a token
    is never sent to a `--mirror`.
    """
    chosen = arguments.load(offline)
    spec = catalogue.find(name)
    variant = spec.variant(quant or (chosen.quant if chosen.model == name else ""))
    if variant.size and not installed.is_installed(chosen.data_dir, spec, variant):
        diagnostics.note(f"pulling {name} {variant.name}, {tables.size(variant.size)}")
    began = time.monotonic()
    with diagnostics.TransferBar() as bar:
        fetched = downloads.pull(spec, variant, chosen.data_dir, mirror=mirror or "", listener=bar)
    size = tables.size(installed.size(chosen.data_dir, spec, variant))
    state = (
        f"{size}, checked and pinned in {tables.duration(time.monotonic() - began)}" if fetched else "as the hub has it"
    )
    diagnostics.note(f"{name} {variant.name} is here, {state}")
    _say_next(spec, variant)
    return ExitCode.FOUND


@click.command("import", short_help="Take a model in from a file, without any network.")
@click.argument("file", metavar="FILE", type=click.Path())
@click.option(
    "--as", "name", metavar="NAME", required=True, shell_complete=arguments.complete, help="What it is called."
)
@arguments.quant
@click.option("--link", is_flag=True, help="Link to the file instead of copying it.")
def import_command(file: str, name: str, quant: str | None, link: bool) -> int:
    """Take a GGUF or ONNX file in as the model NAME.

    The file has to be of that model. A NAME that is not known yet becomes a model of your own, described by what the
    file says of itself. An ONNX model's tokenizer.json lies beside it or one folder above.
    """
    chosen = arguments.load(None)
    source = Path(file)
    if not source.is_file():
        raise UsageError(f"there is no file `{file}`", "check how it is spelt")
    known = catalogue.catalogue().get(name)
    spec = known or _described(source, name)
    variant = _variant(spec, source, quant)
    with diagnostics.TransferBar() as bar:
        installed.adopt(source, chosen.data_dir, spec, variant, link=link, listener=bar)
    if known is None:
        path = catalogue.write(spec)
        diagnostics.note(f"described {name} in {path}: complete it from the model's card")
    diagnostics.note(f"{name} {variant.name} is here, {'linked' if link else 'copied'} and pinned")
    _say_next(spec, variant)
    return ExitCode.FOUND


@click.command("verify", short_help="Compare the files of models with what was pinned.")
@arguments.name(required=False, metavar="[NAME]")
@options.colour
def verify_command(name: str | None, color: str) -> int:
    """Read the files of a model, or of all that are here, and compare their hashes with what was pinned of them."""
    chosen = arguments.load(None)
    specs = [catalogue.find(name)] if name else [*catalogue.catalogue().values()]
    there = [(spec, variant) for spec in specs for variant in _with_files(spec, chosen)]
    if not there:
        if name:
            raise _missing(specs[0], specs[0].variant())
        diagnostics.note("no model but the bundled one is here: `codeseek models pull` fetches one")
        return ExitCode.NOTHING_FOUND
    sound = True
    for spec, variant in there:
        with diagnostics.TransferBar() as bar:
            found = installed.verify(chosen.data_dir, spec, variant, bar)
        for path, problem in found.items():
            sound = sound and not problem
            output.write([f"{spec.name} {variant.name}: {path}: {problem or 'as pinned'}\n"])
    if sound:
        return ExitCode.FOUND
    raise ModelError("some files are not what was pinned", hint="`codeseek models remove`, then `models pull` again")


@click.command("remove", short_help="Delete a model's files from this machine.")
@arguments.name()
@arguments.quant
def remove_command(name: str, quant: str | None) -> int:
    """Delete a model's files, or those of one of its forms; for a model of your own, its description too."""
    chosen = arguments.load(None)
    spec = catalogue.find(name)
    if name == BUNDLED:
        raise UsageError("the bundled model stays", "it is a part of the program")
    if name == chosen.model:
        raise UsageError(f"`{name}` is chosen", f"choose another first: `codeseek models use {BUNDLED}`")
    variants = [spec.variant(quant)] if quant else spec.variants
    freed = sum(installed.remove(chosen.data_dir, spec, variant) for variant in variants)
    origin = spec.origin
    own = origin is not None and origin.parent == catalogue.user_folder() and not quant
    if own and origin is not None:
        origin.unlink()
        diagnostics.note(f"removed {name} and its description, {tables.size(freed)} are free")
    elif freed:
        diagnostics.note(f"removed {name}, {tables.size(freed)} are free")
    else:
        raise _missing(spec, spec.variant(quant or ""))
    return ExitCode.FOUND


def _described(source: Path, name: str) -> ModelSpec:
    try:
        catalogue.check_name(name)
    except ValueError as error:
        raise UsageError(str(error), "give it another with `--as`") from error
    if source.suffix.lower() == ".onnx":
        raise ModelError(
            f"an ONNX file does not say what `{name}` is", hint=f"describe it in `{catalogue.user_folder()}` first"
        )
    return installed.described(source, name)


def _variant(spec: ModelSpec, source: Path, quant: str | None) -> Variant:
    """Return the variant that a file is: as was said, by what it says of itself, or by its kind."""
    if quant:
        return spec.variant(quant)
    engine = "onnx" if source.suffix.lower() == ".onnx" else "gguf"
    of_kind = [variant for variant in spec.variants if variant.engine == engine and variant.files]
    if not of_kind:
        raise ModelError(f"`{spec.name}` has no {engine.upper()} form", hint="import it `--as` another name")
    if engine == "gguf":
        from codeseek import weights

        header = weights.read_header(source)
        same = [variant for variant in of_kind if variant.name.upper() == header.quantisation]
        if header.quantisation and not same:
            raise ModelError(
                f"`{source}` is {header.quantisation}, and `{spec.name}` comes as "
                + ", ".join(variant.name for variant in of_kind),
                hint="import it `--as` another name, or say `--quant` which of these it stands for",
            )
        of_kind = same or of_kind
    named = [variant for variant in of_kind if Path(variant.files[0].path).name == source.name]
    return (named or of_kind)[0]


def _with_files(spec: ModelSpec, chosen: Settings) -> Sequence[Variant]:
    return [variant for variant in installed.variants(chosen.data_dir, spec) if variant.files]


def _missing(spec: ModelSpec, variant: Variant) -> ModelError:
    if not variant.files:
        return ModelError(f"`{spec.name}` has no files here", hint="nothing of it is downloaded")
    return ModelError(f"`{spec.name}` is not here", hint=f"`codeseek models pull {spec.name}` fetches it")


def _say_next(spec: ModelSpec, variant: Variant) -> None:
    if not spec.commercial:
        diagnostics.note(f"its licence, {spec.licence}, forbids commercial use")
    quant = "" if variant is spec.variants[0] else f" --quant {variant.name}"
    diagnostics.note(f"`codeseek models use {spec.name}{quant}` chooses it")
