"""`codeseek models recommend`: which model suits this machine and this project, and how long it would take."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click

from codeseek import bench, capacity, catalogue, installed, screen, settings
from codeseek.capacity import Fit, Machine, Span
from codeseek.catalogue import ModelSpec, Variant
from codeseek.cli import output, tables
from codeseek.cli.commands import options
from codeseek.cli.place import locate
from codeseek.cli.terminal import BOLD, DIM, Terminal, WhenColour
from codeseek.errors import CodeseekError, ExitCode
from codeseek.settings import BUNDLED

_PATIENCE_S = 3600
"""What of a first index is still a pause: longer than that, a model is not recommended."""


class _Offer(NamedTuple):
    spec: ModelSpec
    variant: Variant
    fit: Fit
    time: Span | None
    measured: bool


@click.command("recommend", short_help="Say which model suits this machine and this project.")
@click.option("--json", "as_json", is_flag=True, help="Show it as JSON.")
@options.project
@options.colour
def recommend_command(as_json: bool, project: str | None, color: WhenColour) -> int:
    """Say which models this machine can run, and how long each would take to index this project for the first time.

    Times are estimates from a model's size, on the processor, unless `codeseek models bench` has measured it here.
    The bundled model always answers first, whatever else is chosen.
    """
    root = locate(None, project).root
    chosen, machine = settings.load(root), capacity.look()
    chunks, counted = _chunks(root, chosen)
    measured = bench.recorded(chosen.data_dir)
    offers = [
        _offer(spec, variant, machine, chunks, measured)
        for spec in catalogue.catalogue().values()
        for variant in spec.variants
        if variant.engine in ("gguf", "onnx") and (variant is spec.variants[0] or _is_here(spec, variant, chosen))
    ]
    offers.sort(key=lambda offer: (offer.time.least_s if offer.time else 0, offer.spec.name))
    best = _best(offers)
    if as_json:
        from codeseek.schema import dumped

        record = _record(root, machine, chunks, offers, best)
        output.write([dumped(record | {"chunks_counted": counted}, indent=2) + "\n"])
        return ExitCode.FOUND
    terminal = output.screen(color)
    output.write(_head(root, machine, chunks, terminal, counted=counted))
    output.write(["\n", *_table(offers, best, terminal), "\n", *_advice(best, machine, terminal)])
    return ExitCode.FOUND


def span(time: Span) -> str:
    """Return an estimate in words."""
    if time.most_s < 60:
        return "under a minute"
    least, most = tables.duration(max(time.least_s, 1)), tables.duration(time.most_s)
    number, _, unit = least.partition(" ")
    return f"{number if most.endswith(unit) else least} to {most}"


def _chunks(root: Path, chosen: settings.Settings) -> tuple[int, bool]:
    """Return how many chunks the project has: as its index says, else by the size of its files."""
    from codeseek.records import SourceFile
    from codeseek.store import Store
    from codeseek.walker import WalkOptions, walk

    try:
        with Store.open(chosen.index_directory(root), root, read_only=True) as store:
            counted = store.counts().chunks
        if counted:
            return counted, True
    except CodeseekError:
        pass
    sizes = [
        found.size
        for found in walk(root, WalkOptions(chosen.max_file_bytes, chosen.max_document_bytes, chosen.ignore))
        if isinstance(found, SourceFile)
    ]
    return sum(sizes) // capacity.BYTES_PER_CHUNK + len(sizes), False


def _offer(
    spec: ModelSpec,
    variant: Variant,
    machine: Machine,
    chunks: int,
    measured: dict[tuple[str, str], bench.Figures],
) -> _Offer:
    figures = measured.get((spec.name, variant.name))
    fit = capacity.fit(variant, machine)
    if figures:
        seconds = chunks * capacity.TOKENS_PER_CHUNK / figures.tokens_per_s
        return _Offer(spec, variant, fit, Span(seconds, seconds), measured=True)
    return _Offer(spec, variant, fit, capacity.indexing_time(spec, variant, chunks, machine), measured=False)


def _is_here(spec: ModelSpec, variant: Variant, chosen: settings.Settings) -> bool:
    return installed.is_installed(chosen.data_dir, spec, variant)


def _best(offers: list[_Offer]) -> _Offer | None:
    """Return the best by its score that fits, may be used, reads Chinese and English, and is done within the hour.

    A graphics card's speed is not estimated: a model that fits into one is taken to be quick enough.
    """

    def suits(offer: _Offer) -> bool:
        speaks = not offer.spec.languages.startswith("English")
        on_card = offer.fit == "graphics"
        quick = offer.time is not None and offer.time.most_s <= _PATIENCE_S
        return offer.spec.commercial and speaks and (on_card or (offer.fit == "yes" and quick))

    suitable = [offer for offer in offers if suits(offer)]
    return max(suitable, key=lambda offer: (offer.spec.score, offer.spec.parameters), default=None)


def _head(root: Path, machine: Machine, chunks: int, terminal: Terminal, *, counted: bool) -> list[str]:
    cards = ", ".join(f"{card.name} with {tables.size(card.memory)}" for card in machine.cards)
    memory = f"{tables.size(machine.memory)} of memory" if machine.memory else "memory unknown"
    tokens = f"about {chunks * capacity.TOKENS_PER_CHUNK:,} tokens"
    facts = {
        "machine": f"{machine.cores} cores, {memory}, {cards or 'no graphics card'}",
        "project": str(root),
        "its size": f"{'' if counted else 'about '}{chunks:,} chunks, {tokens}",
    }
    return [line for name, fact in facts.items() for line in tables.named(name, screen.safe(fact), terminal)]


def _table(offers: list[_Offer], best: _Offer | None, terminal: Terminal) -> Iterator[str]:
    sign = terminal.sign("▸", "*")
    rows = [(" " if best else sign, BUNDLED, "int8", "yes", "seconds", "")]
    for offer in offers:
        row = (
            sign if offer is best else " ",
            screen.safe(offer.spec.name) + ("" if offer.spec.commercial else " !"),
            screen.safe(offer.variant.name),
            {"graphics": "gpu"}.get(offer.fit, offer.fit),
            _told(offer),
            f"{offer.spec.score:.1f}" if offer.spec.score else "",
        )
        rows.append(row)
    styled = [tuple(terminal.styled(cell, BOLD) for cell in row) if row[0] == sign else row for row in rows]
    return tables.table((" ", "model", "form", "fits", "first index", "MTEB"), styled, terminal)


def _told(offer: _Offer) -> str:
    if offer.time is None:
        return "?"
    if offer.measured:
        return f"{tables.duration(max(offer.time.least_s, 1))}, measured"
    return span(offer.time)


def _advice(best: _Offer | None, machine: Machine, terminal: Terminal) -> list[str]:
    lines = [
        "times are estimates for the processor; `codeseek models bench` measures here",
        "MTEB is the mean over tasks of its multilingual benchmark; ! no commercial use",
    ]
    if machine.cards:
        lines.append("on the graphics card it is quicker, by how much is not estimated")
    styled = [terminal.styled(f"{line}\n", DIM) for line in lines]
    if best is None:
        return [*styled, "none of them is done within an hour here: the bundled model is recommended\n"]
    name = f"{best.spec.name}{'' if best.variant is best.spec.variants[0] else f' --quant {best.variant.name}'}"
    commands = [f"  codeseek models {command} {name}\n" for command in ("pull", "use")]
    return [*styled, f"recommended: {best.spec.name}\n", *commands]


def _record(root: Path, machine: Machine, chunks: int, offers: list[_Offer], best: _Offer | None) -> dict[str, object]:
    return {
        "root": str(root),
        "machine": {
            "cores": machine.cores,
            "memory_bytes": machine.memory,
            "free_bytes": machine.free,
            "cards": [card._asdict() for card in machine.cards],
        },
        "chunks": chunks,
        "recommended": {"name": best.spec.name, "variant": best.variant.name} if best else {"name": BUNDLED},
        "models": [
            {
                "name": offer.spec.name,
                "variant": offer.variant.name,
                "fits": offer.fit,
                "commercial": offer.spec.commercial,
                "score": offer.spec.score or None,
                "first_index_s": list(offer.time) if offer.time else None,
                "measured": offer.measured,
            }
            for offer in offers
        ],
    }
