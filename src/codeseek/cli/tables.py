"""Facts in rows: tables whose columns line up, values with their names, sizes and times in words."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from codeseek import screen
from codeseek.cli import terminal as terminals
from codeseek.cli.terminal import BOLD, DIM, Terminal

_WIDEST = 100
_NAME = 11


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], terminal: Terminal, right: Collection[int] = ()
) -> Iterator[str]:
    """Yield a table's lines, `right` columns aligned to the right; on a terminal the last column is cut to its width.

    Cells are safe already, and may be styled.
    """
    widths = [max(terminals.columns(row[at]) for row in (head, *rows)) for at in range(len(head))]
    for number, row in enumerate((head, *rows)):
        line = ""
        for at, cell in enumerate(row):
            if at == len(row) - 1:
                left = terminal.width - terminals.columns(line)
                line += screen.cut(cell, left) if terminal.live and terminals.columns(cell) > left else cell
            else:
                pad = " " * (widths[at] - terminals.columns(cell))
                line += f"{pad}{cell}  " if at in right else f"{cell}{pad}  "
        line = line.rstrip()
        yield f"{terminal.styled(line, DIM) if number == 0 else line}\n"


def named(name: str, value: str, terminal: Terminal) -> Iterator[str]:
    """Yield a value after its name, continued below itself, at a comma, where it is too long."""
    head = f"{name:<{_NAME}}"
    line = ""
    for part in value.split(", "):
        longer = f"{line}, {part}" if line else part
        if line and len(head) + screen.columns(longer) + 1 > min(terminal.width, _WIDEST):
            yield f"{terminal.styled(head, DIM)}{line},\n"
            head, line = " " * _NAME, part
        else:
            line = longer
    yield f"{terminal.styled(head, DIM)}{line}\n"


def title(text: str, terminal: Terminal) -> str:
    """Return a line that heads what follows."""
    return f"{terminal.styled(text, BOLD)}\n"


def size(count: int) -> str:
    """Return a size in words."""
    for unit, length in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= length:
            return f"{count / length:.1f} {unit}"
    return f"{count} bytes"


def duration(seconds: float) -> str:
    """Return a time in words, to two digits."""
    for unit, length in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 1.5 * length:
            count = seconds / length
            return f"{count:.0f} {unit}" if count >= 10 or unit == "min" else f"{count:.1f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
