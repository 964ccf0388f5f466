"""`codeseek config`."""

from __future__ import annotations

import click

from codeseek import screen, settings
from codeseek.cli import output
from codeseek.cli.commands import options
from codeseek.cli.place import locate
from codeseek.cli.terminal import BOLD, DIM, WhenColour
from codeseek.errors import ExitCode


@click.command("config", short_help="Show every setting and where its value came from.")
@click.option("--json", "as_json", is_flag=True, help="Show it as JSON.")
@options.project
@options.colour
def config_command(as_json: bool, project: str | None, color: WhenColour) -> int:
    """Show every setting, its value, and the file, variable or default that it came from."""
    root = locate(None, project).root
    chosen = settings.load(root)
    values = {name: getattr(chosen, name) for name in settings.MEANINGS}
    if as_json:
        from codeseek.schema import dumped

        record = {
            name: {"value": list(value) if isinstance(value, tuple) else _plain(value), "origin": chosen.origin(name)}
            for name, value in values.items()
        }
        output.write([dumped(record, indent=2) + "\n"])
        return ExitCode.FOUND
    terminal = output.screen(color)
    lines = [
        f"{terminal.styled(f'{name} = {screen.safe(_toml(value))}', BOLD)}\n"
        f"{terminal.styled(f'  {settings.MEANINGS[name]}; from {screen.safe(chosen.origin(name))}', DIM)}\n"
        for name, value in values.items()
    ]
    lines.append(
        "\n"
        f"your own file     {screen.safe(str(settings.user_file()))}\n"
        f"the project's     {screen.safe(str(root / settings.PROJECT_FILE))}\n"
        f"the environment   {settings.ENVIRONMENT_PREFIX}LIMIT and so on\n"
    )
    output.write(lines)
    return ExitCode.FOUND


def _plain(value: object) -> object:
    return value if isinstance(value, bool | int | str) else str(value)


def _toml(value: object) -> str:
    """Return a value as it is written in a file of settings."""
    from codeseek.schema import dumped

    return dumped(list(value) if isinstance(value, tuple) else _plain(value))
