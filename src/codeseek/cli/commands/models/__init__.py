"""`codeseek models`: the models there are, and the commands that pull, choose and measure them."""

from __future__ import annotations

import click

from codeseek.cli.commands import LazyGroup, options
from codeseek.cli.terminal import WhenColour

_COMMANDS = {
    "recommend": "recommend",
    "info": "show",
    "pull": "fetch",
    "import": "fetch",
    "verify": "fetch",
    "remove": "fetch",
    "use": "choose",
    "add": "choose",
    "bench": "measure",
}
"""Each command's module."""


@click.group(
    "models",
    cls=LazyGroup,
    package=__name__,
    modules=_COMMANDS,
    invoke_without_command=True,
    short_help="List the models there are; pull, choose and measure them.",
)
@click.option("--json", "as_json", is_flag=True, help="Show them as JSON.")
@options.colour
@click.pass_context
def models_command(ctx: click.Context, /, as_json: bool, color: WhenColour) -> int:
    """List the models that place text by meaning, those of the package and your own.

    The bundled one is always there and answers first. A bigger one is pulled, then chosen: `codeseek models recommend`
    says which would suit this machine and this project. Your own are described in TOML files in the folder `models`
    beside your settings.
    """
    if ctx.invoked_subcommand is not None:
        return 0
    from codeseek.cli.commands.models import show

    return show.all_models(as_json=as_json, color=color)
