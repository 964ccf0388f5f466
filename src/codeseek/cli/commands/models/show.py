"""`codeseek models` and `codeseek models info`: what there is, what is here, and what it is like."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from codeseek import capacity, catalogue, installed, screen
from codeseek.capacity import Machine
from codeseek.catalogue import ModelSpec, Variant
from codeseek.cli import diagnostics, output, tables
from codeseek.cli.commands import options
from codeseek.cli.commands.models import arguments
from codeseek.cli.terminal import BOLD, CYAN, DIM, GREEN, RED, YELLOW, Terminal, WhenColour
from codeseek.errors import ExitCode
from codeseek.settings import BUNDLED, Settings

_HUBS = {"huggingface": "Hugging Face", "modelscope": "ModelScope"}
_FITS = {"yes": ("yes", GREEN), "graphics": ("gpu", GREEN), "tight": ("tight", YELLOW), "no": ("no", RED)}


def all_models(*, as_json: bool, color: WhenColour) -> int:
    """Show every model in a line."""
    chosen, machine = arguments.load(None), capacity.look()
    specs = catalogue.catalogue()
    if as_json:
        output.write([_json([_record(spec, chosen, machine) for spec in specs.values()])])
        return ExitCode.FOUND
    terminal = output.screen(color)
    order = sorted(specs.values(), key=lambda spec: (spec.name != BUNDLED, spec.name))
    rows = [_line(spec, chosen, machine, terminal) for spec in order]
    head = (" ", "model", "size", "dims", "fits", "licence", "languages")
    output.write(tables.table(head, rows, terminal, right=(2, 3)))
    signs = ((terminal.sign("●", "*"), "chosen"), (terminal.sign("✓", "+"), "installed"))
    keys = ["  ".join(f"{sign} {word}" for sign, word in signs)]
    if any(not spec.commercial for spec in order):
        keys.append("! no commercial use")
    output.write([terminal.styled("\n" + "  ".join(keys) + "\n", DIM)])
    if chosen.model not in specs:
        diagnostics.note(f"the chosen model, {chosen.model}, is not among them: `codeseek models use` chooses another")
    return ExitCode.FOUND


@click.command("info", short_help="Show what is known of a model, and what of it is here.")
@arguments.name()
@click.option("--json", "as_json", is_flag=True, help="Show it as JSON.")
@options.colour
def info_command(name: str, as_json: bool, color: WhenColour) -> int:
    """Show a model's facts as its card gives them, its forms, where they come from and which of them are here."""
    chosen, machine = arguments.load(None), capacity.look()
    spec = catalogue.find(name)
    if as_json:
        output.write([_json(_record(spec, chosen, machine))])
    else:
        output.write(_lines(spec, chosen, machine, output.screen(color)))
    return ExitCode.FOUND


def _line(spec: ModelSpec, chosen: Settings, machine: Machine, terminal: Terminal) -> tuple[str, ...]:
    variant = arguments.variant(spec, None, chosen)
    there = installed.variants(chosen.data_dir, spec)
    if spec.name == chosen.model:
        sign = terminal.styled(terminal.sign("●", "*"), GREEN if there else RED)
    else:
        sign = terminal.styled(terminal.sign("✓", "+"), CYAN) if there else " "
    name = screen.safe(spec.name)
    return (
        sign,
        terminal.styled(name, BOLD) if there else name,
        _size(spec, variant, chosen),
        str(spec.dimensions or "?"),
        _fit(variant, machine, terminal),
        screen.safe(spec.licence) + ("" if spec.commercial else " !"),
        screen.safe(spec.languages),
    )


def _size(spec: ModelSpec, variant: Variant, chosen: Settings) -> str:
    if variant.engine == "static":
        folder = catalogue.model_directory(spec.name)
        return tables.size(sum(path.stat().st_size for path in folder.iterdir()))
    if variant.engine == "remote":
        return "-"
    there = installed.is_installed(chosen.data_dir, spec, variant)
    bytes_ = installed.size(chosen.data_dir, spec, variant) if there else variant.size
    return tables.size(bytes_) if bytes_ else "?"


def _fit(variant: Variant, machine: Machine, terminal: Terminal) -> str:
    word, colour = _FITS.get(capacity.fit(variant, machine), ("-", DIM))
    return terminal.styled(word, colour)


def _lines(spec: ModelSpec, chosen: Settings, machine: Machine, terminal: Terminal) -> Iterator[str]:
    least = f" ({spec.least_dimensions} at least, when they are cut)" if spec.least_dimensions else ""
    facts = [
        ("family", spec.family),
        ("licence", spec.licence + ("" if spec.commercial else ": no commercial use")),
        ("languages", spec.languages),
        ("score", f"{spec.score:.1f} on MTEB (Multilingual, v2)" if spec.score else ""),
        ("parameters", _count(spec.parameters)),
        ("dimensions", f"{spec.dimensions}{least}" if spec.dimensions else "as the server makes them"),
        ("context", f"{spec.context:,} tokens"),
        ("pooling", spec.pooling),
        ("tasks", ", ".join(spec.tasks)),
        ("question", _shown(spec.template(chosen.task if chosen.model == spec.name else ""))),
        ("document", _shown(spec.document)),
        ("server", spec.url),
        ("its model", spec.remote_name),
        ("key", f"${spec.key_variable}" if spec.key_variable else ""),
        ("described", str(spec.origin)),
    ]
    state = " (chosen)" if spec.name == chosen.model else ""
    yield tables.title(screen.safe(spec.name) + state, terminal)
    for name, value in facts:
        if value:
            yield from tables.named(name, screen.safe(value), terminal)
    for variant in spec.variants:
        yield "\n"
        yield from _variant_lines(spec, variant, chosen, machine, terminal)


def _variant_lines(
    spec: ModelSpec, variant: Variant, chosen: Settings, machine: Machine, terminal: Terminal
) -> Iterator[str]:
    yield tables.title(f"{screen.safe(variant.name)}  {variant.engine}", terminal)
    if variant.engine == "remote":
        return
    folder = catalogue.files_folder(chosen.data_dir, spec, variant)
    memory = f"{tables.size(variant.memory)}, fits: " if variant.memory else "fits: "
    yield from tables.named("size", _size(spec, variant, chosen), terminal)
    yield from tables.named("memory", memory + _fit(variant, machine, Terminal()), terminal)
    if not variant.files:
        return
    for hub, repository in variant.sources.items():
        yield from tables.named("source", screen.safe(f"{_HUBS.get(hub, hub)} {repository}"), terminal)
    if installed.is_installed(chosen.data_dir, spec, variant):
        yield from tables.named("here", screen.safe(str(folder)), terminal)
        for pin in installed.pins(folder).values():
            yield from tables.named("sha256", f"{pin.sha256}, pinned {pin.time[:10]}", terminal)
    elif variant.sources:
        quant = "" if variant is spec.variants[0] else f" --quant {variant.name}"
        yield from tables.named("here", f"no: `codeseek models pull {spec.name}{quant}`", terminal)


def _shown(template: str) -> str:
    return "" if template == "{text}" else template.replace("{text}", "…").replace("\n", "\\n")


def _count(parameters: int) -> str:
    if not parameters:
        return ""
    return f"{parameters / 1e9:.1f} billion" if parameters >= 1e9 else f"{parameters / 1e6:.3g} million"


def _record(spec: ModelSpec, chosen: Settings, machine: Machine) -> dict[str, object]:
    variants = [
        {
            "name": variant.name,
            "engine": variant.engine,
            "size_bytes": variant.size or None,
            "memory_bytes": variant.memory or None,
            "fits": capacity.fit(variant, machine),
            "installed": installed.is_installed(chosen.data_dir, spec, variant),
            "sources": dict(variant.sources),
            "files": [file.path for file in variant.files],
            "sha256": {path: pin.sha256 for path, pin in _pins(spec, variant, chosen).items()},
        }
        for variant in spec.variants
    ]
    return {
        "name": spec.name,
        "chosen": spec.name == chosen.model,
        "installed": bool(installed.variants(chosen.data_dir, spec)),
        "family": spec.family,
        "licence": spec.licence,
        "commercial": spec.commercial,
        "languages": spec.languages,
        "score": spec.score or None,
        "parameters": spec.parameters or None,
        "dimensions": spec.dimensions or None,
        "least_dimensions": spec.least_dimensions or None,
        "context": spec.context,
        "tasks": dict(spec.tasks),
        "url": spec.url or None,
        "described": str(spec.origin),
        "variants": variants,
    }


def _pins(spec: ModelSpec, variant: Variant, chosen: Settings) -> dict[str, installed.Pin]:
    folder: Path = catalogue.files_folder(chosen.data_dir, spec, variant)
    return installed.pins(folder)


def _json(record: object) -> str:
    from codeseek.schema import dumped

    return dumped(record, indent=2) + "\n"
