"""Tables line up whatever is in them, and values are said in words."""

from __future__ import annotations

import pytest

from codeseek import screen
from codeseek.cli import tables, terminal
from codeseek.cli.terminal import Terminal

ROWS = (("模型", "9", "a rather long text at the end"), ("b", "1,234", "short"))


def test_columns_line_up_with_wide_and_styled_cells() -> None:
    styled = Terminal(width=80, colours=True)
    rows = [(styled.styled(name, "1"), *others) for name, *others in ROWS]
    lines = [terminal.plain(line) for line in tables.table(("name", "size", "text"), rows, styled, right=(1,))]
    assert lines == [
        "name   size  text\n",
        "模型      9  a rather long text at the end\n",
        "b     1,234  short\n",
    ]


def test_the_last_column_is_cut_on_a_screen_and_whole_in_a_pipe() -> None:
    live = Terminal(width=30, live=True)
    assert all(screen.columns(line.rstrip()) <= 30 for line in tables.table(("", "", ""), ROWS, live))
    assert "at the end" in "".join(tables.table(("", "", ""), ROWS, Terminal(width=30)))


def test_a_long_value_goes_on_below_itself() -> None:
    lines = list(tables.named("things", ", ".join(["a thing"] * 8), Terminal(width=40)))
    assert len(lines) == 3
    assert all(line.startswith(("things ", " " * 11)) and len(line) <= 41 for line in lines)


@pytest.mark.parametrize(
    ("count", "told"), [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (46_220_288, "46.2 MB"), (4e9, "4.0 GB")]
)
def test_sizes_are_said_in_decimal_units(count: int, told: str) -> None:
    assert tables.size(count) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.0512, "51 ms"),
        (1, "1 s"),
        (89, "89 s"),
        (90, "2 min"),
        (3600, "60 min"),
        (5400, "1.5 h"),
        (40_000, "11 h"),
        (200_000, "2.3 days"),
    ],
)
def test_times_are_said_to_two_digits(seconds: float, told: str) -> None:
    assert tables.duration(seconds) == told
