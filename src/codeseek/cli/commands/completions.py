"""`codeseek completions`."""

from __future__ import annotations

from pathlib import Path

import click

from codeseek.cli import completion, output
from codeseek.errors import ExitCode, ProjectError


@click.command("completions", short_help="Print a shell's completion script.")
@click.argument("shell", type=click.Choice(list(completion.FILES)), required=False)
@click.option("--write", metavar="DIR", type=click.Path(), help="Write the scripts of every shell into a folder.")
@click.pass_context
def completions_command(ctx: click.Context, /, shell: str | None, write: str | None) -> int:
    """Print the completion script of a shell: bash, zsh or fish.

    bash: `source <(codeseek completions bash)` in ~/.bashrc.
    zsh: `codeseek completions zsh > _codeseek` in a folder of $fpath.
    fish: `codeseek completions fish > ~/.config/fish/completions/codeseek.fish`.
    """
    group = ctx.find_root().command
    if write is not None:
        for name, file in completion.FILES.items():
            try:
                (Path(write) / file).write_text(completion.script(name, group), encoding="utf-8")
            except OSError as error:
                raise ProjectError(f"cannot write `{error.filename}`: {error.strerror}") from error
    elif shell is not None:
        output.write([completion.script(shell, group)])
    else:
        raise click.UsageError("name a shell: bash, zsh or fish", ctx)
    return ExitCode.FOUND
