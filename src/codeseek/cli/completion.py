"""Completion scripts for bash, zsh and fish, made from the commands.

Commands, options and fixed values stand in the script itself, so that Tab costs nothing. What depends on the project
or the user, such as the values of `--lang` and the names of models, the script asks the program for, in the protocol of
click.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import click

FILES = {"bash": "codeseek.bash", "zsh": "_codeseek", "fish": "codeseek.fish"}
"""The file in `completions/` of each shell."""

_FILES = {"PATH": "folders", "PATH:LINE": "files", "FILE": "files", "QUERY... [PATH": "folders"}
"""What an argument is, by its name without brackets."""

_ORIGIN = "Made by `codeseek completions`; `poe completions` writes it anew."


@dataclass(frozen=True, slots=True)
class _Option:
    names: tuple[str, ...]
    help: str
    value: str = ""  # the value's name; empty for a flag
    choices: tuple[str, ...] = ()
    folder: bool = False
    asked: bool = False  # the program knows the values
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class _Command:
    name: str
    help: str
    options: tuple[_Option, ...]
    choices: tuple[str, ...] = ()  # values of the argument
    files: str = ""  # "folders" or "files" where the argument is one
    asked: bool = False  # the program knows the argument's values
    inner: tuple[str, ...] = ()  # a group's own commands, each a command `GROUP NAME` of its own here

    @property
    def words(self) -> list[str]:
        return self.name.split()


def script(shell: str, group: click.Command) -> str:
    """Return the script of a shell; commands are read from click's declarations."""
    commands = [*_commands(group)]
    lines = {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](commands)
    return "".join(f"{line}\n" for line in lines)


def _commands(group: click.Command, ctx: click.Context | None = None) -> Iterator[_Command]:
    if not isinstance(group, click.Group):
        return
    outer = "" if ctx is None else f"{ctx.info_name} "
    ctx = ctx or click.Context(group, info_name="codeseek", **group.context_settings)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if command is None or command.hidden:
            continue
        own = click.Context(command, info_name=name, parent=ctx)
        params = command.get_params(own)
        arguments = [param for param in params if isinstance(param, click.Argument)]
        argument = arguments[0] if arguments else None
        inner = [*_commands(command, own)]
        yield _Command(
            outer + name,
            command.get_short_help_str(100),
            tuple(_option(param) for param in params if isinstance(param, click.Option)),
            choices=_choices(argument) if argument else (),
            files=_FILES.get((argument.metavar or argument.name or "").upper().strip("[].") if argument else "", ""),
            asked=argument is not None and _is_asked(argument),
            inner=tuple(each.words[-1] for each in inner),
        )
        yield from inner


def _option(param: click.Option) -> _Option:
    return _Option(
        names=tuple(param.opts),
        help=(param.help or "").rstrip("."),
        value="" if param.is_flag else (param.metavar or max(param.opts, key=len).lstrip("-")).lower(),
        choices=_choices(param),
        folder=isinstance(param.type, click.Path),
        asked=_is_asked(param),
        repeated=param.multiple,
    )


def _is_asked(param: click.Parameter) -> bool:
    return param._custom_shell_complete is not None  # noqa: SLF001 # click has no public word for it


def _choices(param: click.Parameter) -> tuple[str, ...]:
    return tuple(map(str, param.type.choices)) if isinstance(param.type, click.Choice) else ()


def _bash(commands: list[_Command]) -> Iterator[str]:
    first = [command for command in commands if len(command.words) == 1]
    names = " ".join(command.name for command in first)
    yield f"# bash completion for codeseek. {_ORIGIN}"
    yield r"""
# shellcheck disable=SC2207 # words are split on purpose: by IFS where they may hold spaces

_codeseek_ask() { # COMMAND...: the values that the program knows for the word that follows it
    local words="$*" IFS=$'\n'
    compopt -o nospace -o filenames
    COMPREPLY=($(
        _CODESEEK_COMPLETE=bash_complete COMP_WORDS="codeseek $words $word" COMP_CWORD=$(($# + 1)) \
            codeseek 2>/dev/null | cut -d, -f2-
    ))
}

_codeseek_folders() {
    local IFS=$'\n'
    compopt -o filenames
    COMPREPLY=($(compgen -d -- "$word"))
}

_codeseek_files() {
    local IFS=$'\n'
    compopt -o filenames
    COMPREPLY=($(compgen -f -- "$word"))
}

_codeseek() {
    local IFS=$' \t\n' word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command='' at
    if [[ $word == '=' ]]; then
        word=''
    elif [[ $before == '=' ]]; then
        before=${COMP_WORDS[COMP_CWORD-2]}
    fi
    for ((at = 1; at < COMP_CWORD; at++)); do
        case ${COMP_WORDS[at]} in
            -C | --project | --color) ((at++)) ;;"""
    yield f"            {' | '.join(command.name for command in first)})"
    yield r"""                command=${COMP_WORDS[at]}
                break
                ;;
            *)
                command=search
                break
                ;;
        esac
    done"""
    for group in (command for command in commands if command.inner):
        yield f"    if [[ $command == {group.name} ]]; then"
        yield "        for ((at++; at < COMP_CWORD; at++)); do"
        yield "            case ${COMP_WORDS[at]} in"
        yield f"                {' | '.join(group.inner)})"
        yield '                    command+=" ${COMP_WORDS[at]}"'
        yield "                    break"
        yield "                    ;;"
        yield "            esac"
        yield "        done"
        yield "    fi"
    yield "    COMPREPLY=()"
    yield "    case ${command:-search} in"
    for command in commands:
        yield f"        {_label(command)})"
        yield "            case $before in"
        for option in command.options:
            body = (
                f"COMPREPLY=($(compgen -W '{' '.join(option.choices)}' -- \"$word\"))"
                if option.choices
                else "; ((${#COMPREPLY[@]})) || ".join(
                    ["_codeseek_folders"] * option.folder
                    + [f"_codeseek_ask {command.name} {option.names[0]}"] * option.asked
                )
            )
            if body:
                yield f"                {' | '.join(option.names)}) {body}; return ;;"
        free = [name for option in command.options if option.value and not _known(option) for name in option.names]
        if free:
            yield f"                {' | '.join(free)}) return ;;"
        yield "            esac"
        flags = " ".join(name for option in command.options for name in option.names if name.startswith("--"))
        yield "            if [[ $word == -* ]]; then"
        yield f"                COMPREPLY=($(compgen -W '{flags}' -- \"$word\"))"
        if values := command.choices or command.inner:
            yield "            else"
            yield f"                COMPREPLY=($(compgen -W '{' '.join(values)}' -- \"$word\"))"
        elif command.asked:
            yield "            else"
            yield f"                _codeseek_ask {command.name}"
        elif command.files:
            yield "            else"
            yield f"                _codeseek_{command.files}"
        yield "            fi"
        yield "            ;;"
    yield "    esac"
    yield "    if [[ -z $command ]]; then"
    yield "        [[ $word == -* ]] && COMPREPLY+=($(compgen -W '--version' -- \"$word\"))"
    yield f"        [[ $word == -* ]] || COMPREPLY=($(compgen -W '{names}' -- \"$word\"))"
    yield "    fi"
    yield "}"
    yield ""
    yield "complete -F _codeseek codeseek"


def _zsh(commands: list[_Command]) -> Iterator[str]:
    first = [command for command in commands if len(command.words) == 1]
    yield "#compdef codeseek"
    yield f"# zsh completion for codeseek. {_ORIGIN}"
    yield r"""
_codeseek_ask() { # COMMAND...: the values that the program knows for the word that follows it
    local -a values
    values=(${(f)"$(_CODESEEK_COMPLETE=bash_complete COMP_WORDS="codeseek $* $PREFIX" COMP_CWORD=$(($# + 1)) \
        codeseek 2>/dev/null | cut -d, -f2-)"})
    compadd -S '' -- $values
}

_codeseek() {
    local -a commands
    local command='' word skip=0
    commands=("""
    for command in first:
        yield f"        {_quoted(f'{command.name}:{command.help}')}"
    yield "    )"
    yield r"""    for word in ${words[2,CURRENT-1]}; do
        if ((skip)); then
            skip=0
            continue
        fi
        case $word in
            -C|--project|--color) skip=1 ;;"""
    yield f"            {'|'.join(command.name for command in first)}) command=$word; break ;;"
    yield r"""            *) command=search; break ;;
        esac
    done"""
    for group in (command for command in commands if command.inner):
        yield f"    if [[ $command == {group.name} ]]; then"
        yield "        for word in ${words[2,CURRENT-1]}; do"
        yield "            case $word in"
        yield f'                {"|".join(group.inner)}) command="$command $word"; break ;;'
        yield "            esac"
        yield "        done"
        yield "    fi"
    yield r"""    if [[ -z $command && $words[CURRENT] != -* && $skip == 0 ]]; then
        _describe command commands
        return
    fi
    case ${command:-search} in"""
    for command in commands:
        yield f"        {_label(command)})"
        yield "            _arguments -s \\"
        for option in command.options:
            yield f"                {_zsh_option(command, option)} \\"
        if values := command.choices or command.inner:
            yield f"                {_quoted('*:value:(' + ' '.join(values) + ')')}"
        elif command.asked:
            yield f"                {_quoted(f'*:value: _codeseek_ask {command.name}')}"
        else:
            files = {"folders": "_files -/", "files": "_files"}.get(command.files, " ")
            yield f"                {_quoted('*:place:' + files)}"
        yield "            ;;"
    yield "    esac"
    yield "}"
    yield r"""
if [[ $funcstack[1] == _codeseek ]]; then # loaded from $fpath: this is the first completion
    _codeseek "$@"
else
    compdef _codeseek codeseek
fi"""


def _zsh_option(command: _Command, option: _Option) -> str:
    text = option.help.replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")
    action = ""
    if option.value:
        asked = f"_codeseek_ask {command.name} {option.names[0]}"
        values = (
            f"({' '.join(option.choices)})"
            if option.choices
            else f"{{_files -/ || {asked}}}"
            if option.folder and option.asked
            else "_files -/"
            if option.folder
            else f" {asked}"  # the space keeps options of compadd away
            if option.asked
            else " "
        )
        action = f":{option.value}:{values}"
    if len(option.names) == 1:
        return _quoted(f"{'*' if option.repeated else ''}{option.names[0]}[{text}]{action}")
    excluded = "*" if option.repeated else f"({' '.join(option.names)})"
    return f"'{excluded}'{{{','.join(option.names)}}}{_quoted(f'[{text}]{action}')}"


def _fish(commands: list[_Command]) -> Iterator[str]:
    yield f"# fish completion for codeseek. {_ORIGIN}"
    yield r"""
function __codeseek_ask # COMMAND...: the values that the program knows for the word that follows it
    set -l word (commandline -ct)
    set -l count (math (count $argv) + 1)
    _CODESEEK_COMPLETE=bash_complete COMP_WORDS="codeseek $argv $word" COMP_CWORD=$count \
        codeseek 2>/dev/null | string replace -r '^[^,]*,' ''
end
"""
    first = [command for command in commands if len(command.words) == 1]
    names = " ".join(command.name for command in first)
    others = " ".join(command.name for command in first if command.name != "search")
    yield "function __codeseek_without_command"
    yield f"    not __fish_seen_subcommand_from {names}"
    yield "end"
    yield ""
    yield "function __codeseek_search # a query needs no command"
    yield f"    not __fish_seen_subcommand_from {others}"
    yield "end"
    yield ""
    yield "complete -c codeseek -f"
    start = "complete -c codeseek -n __codeseek_without_command"
    for command in first:
        yield f"{start} -a {command.name} -d {_quoted(command.help)}"
    yield f"{start} -l version -d 'Show the version'"
    for command in commands:
        seen = "; and ".join(f"__fish_seen_subcommand_from {word}" for word in command.words)
        groups = " ".join(other.name for other in commands if command.name in other.inner)
        if command.inner or groups:  # such as `status`, which is the daemon's too
            seen += f"; and not __fish_seen_subcommand_from {groups or ' '.join(command.inner)}"
        start = f"complete -c codeseek -n {'__codeseek_search' if command.name == 'search' else _quoted(seen)}"
        for option in command.options:
            yield " ".join((start, *_fish_option(command, option)))
        for inner in (other for other in commands if command.inner and other.words[:-1] == command.words):
            yield f"{start} -a {inner.words[-1]} -d {_quoted(inner.help)}"
        if command.choices:
            yield f"{start} -a {_quoted(' '.join(command.choices))}"
        elif command.asked:
            yield f"{start} -a '(__codeseek_ask {command.name})'"
        elif command.files == "folders":
            yield f"{start} -a '(__fish_complete_directories)'"
        elif command.files:
            yield f"{start} -F"


def _fish_option(command: _Command, option: _Option) -> Iterator[str]:
    for name in option.names:
        yield f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}"
    yield f"-d {_quoted(option.help)}"
    if option.choices:
        yield f"-x -a {_quoted(' '.join(option.choices))}"
    elif option.folder or option.asked:
        sources = ["(__fish_complete_directories)"] * option.folder
        sources += [f"(__codeseek_ask {command.name} {option.names[0]})"] * option.asked
        yield f"-x -a '{' '.join(sources)}'"
    elif option.value:
        yield "-x"


def _label(command: _Command) -> str:
    """Return a command as a pattern of `case`."""
    return f"'{command.name}'" if " " in command.name else command.name


def _known(option: _Option) -> bool:
    """Tell whether there is anything to offer for an option's value."""
    return bool(option.choices) or option.folder or option.asked


def _quoted(text: str) -> str:
    """Quote a text for any of the three shells; their rules differ only where a quote is in the text."""
    return "'" + text.replace("'", "’") + "'"
