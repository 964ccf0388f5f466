"""The commands: each is imported when it is called."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from codeseek import __version__

_COMMANDS = {
    "search": "search",
    "similar": "search",
    "context": "context",
    "duplicates": "duplicates",
    "tui": "tui",
    "index": "index",
    "watch": "watch",
    "serve": "serve",
    "mcp": "mcp",
    "status": "status",
    "list": "status",
    "forget": "status",
    "models": "models",
    "eval": "eval",
    "daemon": "daemon",
    "config": "config",
    "completions": "completions",
}
"""Each command's module."""

_GROUPS = ("daemon", "mcp", "models")
"""Those that have commands of their own."""

_ANYWHERE = {"-C": 1, "--project": 1, "--color": 1}
"""Options that may stand before a command's name, and how many words they take."""

_FILTERS = tuple(f"-{name}{colon}" for name in ("path", "lang", "kind", "changed") for colon in ":：")

_OVERVIEW = """\
codeseek finds code and documentation by meaning, in English, Chinese and the mix of both, offline.

  codeseek                          search full-screen, as you type
  codeseek how is auth done         search the project you are in; the first search indexes it
  codeseek "依赖注入 是怎么实现的"  ask in any language
  codeseek similar app.py:42        find code like the code there
  codeseek status                   see what is indexed and what was left out
  codeseek models                   see the models there are, pull one and choose it
  codeseek --help                   see everything else
"""


class LazyGroup(click.Group):
    """Imports a command when it is wanted: `modules` maps names to modules of `package`, which have `NAME_command`."""

    def __init__(self, *, package: str, modules: Mapping[str, str], **attributes: Any) -> None:
        super().__init__(**attributes)
        self._package = package
        self._modules = modules

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of their use."""
        return list(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in self._modules:
            return None
        module = import_module(f"{self._package}.{self._modules[cmd_name]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command


class _Commands(LazyGroup):
    """Takes words that name no command for a query."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command's name first: `search` where none is given."""
        return super().parse_args(ctx, _named(args))


def _named(args: list[str]) -> list[str]:
    if not args or args[0] in ("--version", "--help", "-h"):
        return args
    at = 0
    while at < len(args) and args[at].partition("=")[0] in _ANYWHERE:
        name, equals, _ = args[at].partition("=")
        at += 1 if equals else 1 + _ANYWHERE[name]
    if at < len(args) and args[at] in _COMMANDS:
        end = at + 1
        if args[at] in _GROUPS and end < len(args) and not args[end].startswith("-"):
            end += 1  # the name of one of its own commands
        args = [*args[at:end], *args[:at], *args[end:]]
    else:
        args = ["search", *args]
    if args[0] in ("search", "context"):  # a space keeps a filter from being taken for an option
        args = [f" {word}" if word.startswith(_FILTERS) else word for word in args]
    return args


@click.group(
    name="codeseek",
    cls=_Commands,
    package=__name__,
    modules=_COMMANDS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Words that name no command are searched for: `codeseek how is auth done`.",
)
@click.version_option(__version__, message="codeseek %(version)s", help="Show the version.")
@click.pass_context
def codeseek(ctx: click.Context) -> None:
    """Find code and documentation by meaning, in English, Chinese and the mix of both, offline."""
    if ctx.invoked_subcommand is None:
        from codeseek.cli import output

        if output.interactive():
            ctx.invoke(_tui(ctx))
        else:
            output.write([_OVERVIEW])


def _tui(ctx: click.Context) -> click.Command:
    from codeseek.cli.commands.tui import tui_command

    return tui_command
