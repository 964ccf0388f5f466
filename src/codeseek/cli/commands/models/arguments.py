"""What the commands on models share: names that are completed, settings, the model that a name means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
from click.shell_completion import CompletionItem

from codeseek import catalogue, installed, settings
from codeseek.catalogue import ModelSpec, Variant
from codeseek.settings import Settings

_Command = Callable[..., Any]


def name(**attributes: Any) -> Callable[[_Command], _Command]:
    """Add the argument NAME, completed with the names of models."""
    return click.argument("name", metavar=attributes.pop("metavar", "NAME"), shell_complete=complete, **attributes)


def quant(command: _Command) -> _Command:
    """Add `--quant`."""
    return click.option(
        "--quant", metavar="Q", shell_complete=_complete_quant, help="This of its forms, such as Q4_K_M or ONNX."
    )(command)


def load(offline: bool | None) -> Settings:
    """Return the user's settings; where they or `--offline` say so, the network is shut off."""
    chosen = settings.load(None, {"offline": offline})
    if chosen.offline:
        from codeseek import network

        network.go_offline()
    return chosen


def variant(spec: ModelSpec, wanted: str | None, chosen: Settings) -> Variant:
    """Return the variant that was asked for, else the one that is set, is installed or is recommended."""
    if wanted:
        return spec.variant(wanted)
    set_ = chosen.quant.lower() if chosen.model == spec.name else ""
    there = installed.variants(chosen.data_dir, spec)
    return next((variant for variant in spec.variants if variant.name.lower() == set_), (*there, *spec.variants)[0])


def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the names of models."""
    return [CompletionItem(name) for name in catalogue.catalogue() if name.startswith(incomplete)]


def _complete_quant(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the variants of the model that is named, of all where none is."""
    specs = catalogue.catalogue()
    named = specs.get(ctx.params.get("name") or "")
    names = dict.fromkeys(variant.name for spec in ([named] if named else specs.values()) for variant in spec.variants)
    return [CompletionItem(name) for name in names if name.lower().startswith(incomplete.lower())]
