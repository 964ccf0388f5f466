"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial, wraps
from typing import Any, Literal, NamedTuple

import click
from click.shell_completion import CompletionItem

from codeseek import query
from codeseek.cli.formats import FORMATS
from codeseek.cli.terminal import WhenColour
from codeseek.errors import UsageError
from codeseek.records import KINDS

_Command = Callable[..., Any]
_Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def project(command: _Command) -> _Command:
    """Add `-C/--project`."""
    return click.option(
        "-C",
        "--project",
        metavar="DIR|NAME",
        type=click.Path(),
        shell_complete=_complete_project,
        help="Work in the project that holds this folder, or is called so, instead of the current one.",
    )(command)


class Projects(NamedTuple):
    """What `--project` and `--all` say: which projects, by a folder in each or by their names; none is the current one."""

    named: tuple[str, ...]
    everything: bool

    @property
    def one(self) -> str | None:
        """The only one that was named, None for the current one."""
        return self.named[0] if self.named else None

    @property
    def are_several(self) -> bool:
        """Whether hits of several have to be told apart."""
        return self.everything or len(self.named) > 1


def projects(command: _Command) -> _Command:
    """Add `-C/--project`, several times, and `--all`; the command takes them as `projects`."""

    @wraps(command)
    def gathered(*arguments: object, project: tuple[str, ...], everything: bool, **others: object) -> object:
        if project and everything:
            raise UsageError("`--all` and `--project` exclude each other", "leave one of them out")
        return command(*arguments, projects=Projects(project, everything), **others)

    return _with(
        gathered,
        click.option(
            "-C",
            "--project",
            metavar="DIR|NAME",
            multiple=True,
            type=click.Path(),
            shell_complete=_complete_project,
            help="Ask the project that holds this folder, or is called so; several times: ask them all.",
        ),
        click.option("--all", "everything", is_flag=True, help="Ask every project that is indexed."),
    )


def colour(command: _Command) -> _Command:
    """Add `--color`."""
    return click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        help="When to use colours.",
    )(command)


def offline(command: _Command) -> _Command:
    """Add `--offline`; the command takes None where it is not given."""
    return click.option(
        "--offline", is_flag=True, default=None, help="Forbid every connection that leaves this machine."
    )(command)


def listening(command: _Command) -> _Command:
    """Add `--http` and `--token-file`."""
    return _with(
        command,
        click.option("--http", metavar="HOST:PORT", help="Listen there; 127.0.0.1:7878 is the usual place."),
        click.option("--token-file", metavar="FILE", type=click.Path(), help="Let in only who sends this token."),
    )


@contextmanager
def needing(extra: str, *modules: str) -> Iterator[None]:
    """Say of modules that are not installed with which extra of the package they come; raises `UsageError`."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in modules:
            raise
        raise UsageError(f"`{error.name}` is not installed", f"`pip install 'codeseek[{extra}]'` brings it") from error


class Narrowing(NamedTuple):
    """What `--lang`, `--kind`, `--path`, `--exclude` and `--changed` say; `!GLOB` is among the excluded already."""

    languages: tuple[str, ...]
    kinds: tuple[str, ...]
    paths: tuple[str, ...]
    exclude: tuple[str, ...]
    changed_since: float | None


def narrowing(command: _Command, kinds: tuple[str, ...] = KINDS) -> _Command:
    """Add what narrows a search; the command takes it as `narrowing`."""

    @wraps(command)
    def gathered(
        *arguments: object,
        lang: Sequence[str],
        kind: Sequence[str],
        path: Sequence[str],
        exclude: Sequence[str],
        changed: str | None,
        **others: object,
    ) -> object:
        chosen = Narrowing(
            query.languages(_parts(lang)),
            query.kinds(_parts(kind), kinds),
            tuple(pattern for pattern in path if not pattern.startswith("!")),
            (*(pattern[1:] for pattern in path if pattern.startswith("!")), *exclude),
            query.since([changed] if changed else []),
        )
        return command(*arguments, narrowing=chosen, **others)

    return _with(
        gathered,
        _many("--lang", "LANG", "Only this language.", _complete_language),
        _many("--kind", "KIND", f"Only this kind: {', '.join(kinds)}.", partial(_complete_kind, kinds)),
        _many("--path", "GLOB", "Only paths that match; `!GLOB` leaves out.", _complete_path),
        _many("--exclude", "GLOB", "Leave out paths that match.", _complete_path),
        click.option("--changed", metavar="WHEN", help="Only files changed since: `2h`, `3d`, `2026-01-31`."),
    )


class Showing(NamedTuple):
    """How hits are shown, and how much the index is trusted."""

    limit: int | None
    format_name: str
    files: bool
    null: bool
    no_refresh: bool
    strict: bool
    offline: bool | None
    color: WhenColour


def showing(command: _Command) -> _Command:
    """Add how hits are shown; the command takes it as `showing`."""

    @wraps(command)
    def gathered(*arguments: object, **values: Any) -> object:
        chosen = Showing(**{name: values.pop(name) for name in Showing._fields})
        return command(*arguments, showing=chosen, **values)

    return _with(
        gathered,
        click.option("-n", "--limit", metavar="N", type=click.IntRange(1), help="Show at most so many hits."),
        click.option(
            "--format", "format_name", type=click.Choice([*FORMATS]), default="text", help="How to show hits."
        ),
        click.option("-l", "--files", is_flag=True, help="Show only the files, as `--format paths`."),
        click.option("-0", "--null", is_flag=True, help="Show only the files, each ended by NUL, for `xargs -0`."),
        click.option("--no-refresh", is_flag=True, help="Answer from the index as it is."),
        click.option(
            "--strict", is_flag=True, help="Exit with 3 when hits may be stale or weaker than they should be."
        ),
        offline,
        colour,
    )


def _with(command: _Command, *options: Callable[[_Command], _Command]) -> _Command:
    """Add options in the order in which the help shows them."""
    for option in reversed(options):
        command = option(command)
    return command


def _many(name: str, metavar: str, text: str, complete: _Complete) -> Callable[[_Command], _Command]:
    return click.option(name, metavar=metavar, multiple=True, help=text, shell_complete=complete)


def _parts(values: Sequence[str]) -> list[str]:
    """Take lists with commas apart."""
    return [part.strip() for value in values for part in value.split(",") if part.strip()]


def _project(ctx: click.Context) -> str | None:
    """Return the project that was named, the first of several."""
    named = ctx.params.get("project")
    return (named[0] if named else None) if isinstance(named, tuple) else named


def _complete_project(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the projects that are indexed by their names; shells offer folders by themselves."""
    from codeseek.cli.place import indexed
    from codeseek.errors import CodeseekError

    try:
        return [CompletionItem(name) for name in indexed() if name.startswith(incomplete)]
    except CodeseekError:
        return []


def _complete_language(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the languages in the project's index; without an index, all."""
    from codeseek.languages import LANGUAGES

    return _starting(incomplete, _indexed(ctx, "languages") or sorted(LANGUAGES))


def _complete_kind(
    kinds: tuple[str, ...], ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offer those kinds that are in the project's index, and those that no index counts; without an index, all."""
    there = _indexed(ctx, "kinds") or KINDS
    return _starting(incomplete, [*there, *(kind for kind in kinds if kind not in KINDS)])


def _starting(incomplete: str, values: Sequence[str]) -> list[CompletionItem]:
    """Offer values for the last part of a list with commas."""
    done, comma, start = incomplete.rpartition(",")
    return [CompletionItem(f"{done}{comma}{value}") for value in values if value.startswith(start)]


def _indexed(ctx: click.Context, what: Literal["languages", "kinds"]) -> Sequence[str]:
    """Return what is in the project's index, the commonest first."""
    from codeseek import settings
    from codeseek.cli.place import root_of
    from codeseek.errors import CodeseekError
    from codeseek.store import Store

    try:
        root = root_of(_project(ctx))
        with Store.open(settings.load(root).index_directory(root), root, read_only=True) as store:
            counts = store.counts()
    except CodeseekError:
        return ()
    return list(counts.languages if what == "languages" else counts.kinds)


def _complete_path(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the project's files and folders, whatever folder the shell is in."""
    from codeseek.cli.place import root_of

    root = root_of(_project(ctx))
    sign = "!" if incomplete.startswith("!") else ""
    folder, slash, start = incomplete.removeprefix("!").rpartition("/")
    try:
        entries = sorted((root / folder).iterdir())
    except OSError:
        return []
    return [
        CompletionItem(f"{sign}{folder}{slash}{entry.name}{'/' if entry.is_dir() else ''}")
        for entry in entries
        if entry.name.startswith(start) and (start.startswith(".") or not entry.name.startswith("."))
    ]
