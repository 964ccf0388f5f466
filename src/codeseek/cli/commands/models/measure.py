"""`codeseek models bench`: how fast models embed on this machine, side by side."""

from __future__ import annotations

import click

from codeseek import bench, catalogue, installed
from codeseek.bench import Figures
from codeseek.cli import diagnostics, output, tables
from codeseek.cli.commands import options
from codeseek.cli.commands.models import arguments
from codeseek.cli.terminal import WhenColour
from codeseek.embedders import Choice
from codeseek.errors import ExitCode, ModelError


@click.command("bench", short_help="Measure how fast models embed on this machine.")
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=arguments.complete)
@click.option("--seconds", metavar="S", type=click.FloatRange(0.01, 600), default=5, help="Embed so long, twice.")
@click.option("--json", "as_json", is_flag=True, help="Show it as JSON.")
@options.offline
@options.colour
def bench_command(
    names: tuple[str, ...], seconds: float, as_json: bool, offline: bool | None, color: WhenColour
) -> int:
    """Load each model in a process of its own, and embed code for some seconds one by one, then in batches.

    Without names, all that are installed. What is measured replaces the estimates of `codeseek models recommend`.
    Tokens are counted as 3.4 characters each, for every model alike.
    """
    chosen = arguments.load(offline)
    specs = [catalogue.find(name) for name in names] or [
        spec for spec in catalogue.catalogue().values() if not spec.url and installed.variants(chosen.data_dir, spec)
    ]
    figures: list[Figures] = []
    failures: list[tuple[str, ModelError]] = []
    for spec in specs:
        variant = arguments.variant(spec, None, chosen)
        diagnostics.progress(f"measuring {spec.name} {variant.name}")
        choice = Choice(
            spec.name,
            variant.name,
            gpu_layers=chosen.gpu_layers,
            threads=chosen.threads,
            offline=chosen.offline,
            data_dir=chosen.data_dir,
        )
        try:
            figures.append(bench.measure_apart(choice, seconds))
        except ModelError as error:
            if len(specs) == 1:
                raise
            failures.append((spec.name, error))
        finally:
            diagnostics.progress("")
    for name, failure in failures:
        diagnostics.error(f"{name}: {failure.message}", failure.hint)
    bench.record(chosen.data_dir, figures)
    if as_json:
        from codeseek.schema import dumped

        output.write([dumped([row._asdict() for row in figures], indent=2) + "\n"])
    elif figures:
        head = ("model", "form", "dims", "load", "one by one", "batched", "tokens", "memory")
        rows = [_row(row) for row in figures]
        output.write(tables.table(head, rows, output.screen(color), right=range(2, 7)))
    return ExitCode.FAILED if failures else ExitCode.FOUND


def _row(row: Figures) -> tuple[str, ...]:
    return (
        row.model,
        row.variant,
        str(row.dimensions),
        tables.duration(row.load_s),
        f"{_rate(row.single_texts_per_s)}/s",
        f"{_rate(row.batched_texts_per_s)}/s",
        f"{_rate(row.tokens_per_s)}/s",
        tables.size(row.memory) if row.memory else "?",
    )


def _rate(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"
