"""Standard error: progress that fits its line, ages and messages in words."""

from __future__ import annotations

import io
from contextlib import redirect_stderr

import pytest

from codeseek import screen
from codeseek.cli import diagnostics, terminal
from codeseek.cli.diagnostics import ProgressBar, TransferBar
from codeseek.installed import Transfer
from codeseek.records import Progress, RefreshSummary


class Screen(io.StringIO):
    """A terminal that remembers what was written."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.fixture
def stderr(monkeypatch: pytest.MonkeyPatch) -> Screen:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    return Screen()


def test_progress_tells_files_chunks_rate_and_what_is_left(stderr: Screen) -> None:
    line = terminal.plain(ProgressBar().line(Progress("index", 1204, 2985, 9120), elapsed_s=2.0))
    assert line == "indexing ▰▰▰▰▱▱▱▱▱▱  40% · 1,204/2,985 files · 3 s left · 9,120 chunks · 602/s"
    line = terminal.plain(ProgressBar().line(Progress("index", 1, 2985, 9120), elapsed_s=2.0))
    assert line == "indexing ▱▱▱▱▱▱▱▱▱▱   0% · 1/2,985 files · 9,120 chunks · 0/s"


def test_progress_of_unknown_length_counts(stderr: Screen) -> None:
    assert ProgressBar().line(Progress("scan", 1204), elapsed_s=0.5) == "looking at files · 1,204 files"
    assert ProgressBar().line(Progress("merge", 0, None, 9120), elapsed_s=0.5) == "tidying the index · 9,120 chunks"


@pytest.mark.parametrize("columns", [20, 40, 79, 120])
def test_progress_never_breaks_its_line(columns: int, stderr: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    line = ProgressBar().line(Progress("index", 999_999, 1_000_000, 99_999_999), elapsed_s=1e5)
    assert screen.columns(terminal.plain(line)) < columns or columns == 20


def test_a_transfer_tells_bytes_rate_and_what_is_left(stderr: Screen) -> None:
    with redirect_stderr(stderr):
        bar = TransferBar()
    line = bar.line(Transfer("pulling", "a.gguf", 400_000_000, 1_600_000_000), rate=12_000_000)
    told = "pulling ▰▰▱▱▱▱▱▱▱▱  25% · 400/1,600 MB · 12.0 MB/s · 2 min left · a.gguf"
    assert terminal.plain(line).replace("100 s left", "2 min left") == told
    assert bar.line(Transfer("pulling", "a.gguf", 4_000_000, 0), rate=0) == "pulling · 4 MB · a.gguf"


def test_a_transfer_draws_a_line_and_takes_it_away(stderr: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnostics, "_SHOW_AFTER_S", 0.0)
    monkeypatch.setattr(diagnostics, "_REDRAW_AFTER_S", 0.0)
    with redirect_stderr(stderr), TransferBar() as bar:
        for done in range(3):
            bar(Transfer("copying", "a\x1b.gguf", done, 3))
    drawn = stderr.getvalue()
    assert drawn.count("copying") == 3
    assert "a\\x1b.gguf" in drawn
    assert drawn.endswith("\r\x1b[2K")
    pipe = io.StringIO()
    with redirect_stderr(pipe), TransferBar() as bar:
        bar(Transfer("copying", "a.gguf", 1, 3))
    assert pipe.getvalue() == ""


def test_quick_work_draws_nothing(stderr: Screen) -> None:
    with redirect_stderr(stderr), ProgressBar() as bar:
        for done in range(100):
            bar(Progress("index", done, 100))
    assert stderr.getvalue() == ""


def test_long_work_draws_a_line_and_takes_it_away(stderr: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnostics, "_SHOW_AFTER_S", 0.0)
    monkeypatch.setattr(diagnostics, "_REDRAW_AFTER_S", 0.0)
    with redirect_stderr(stderr), ProgressBar() as bar:
        bar(Progress("index", 1, 2))
    assert stderr.getvalue().startswith("\r\x1b[2Kindexing ")
    assert stderr.getvalue().endswith("\r\x1b[2K")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "just now"),
        (0.4, "just now"),
        (1, "1 s ago"),
        (119, "119 s ago"),
        (120, "2 min ago"),
        (7_300, "2 h ago"),
        (200_000, "2 d ago"),
    ],
)
def test_an_age_is_told_in_the_unit_that_fits(seconds: float, words: str) -> None:
    assert diagnostics.ago(seconds) == words


@pytest.mark.parametrize(
    ("summary", "told"),
    [
        (
            RefreshSummary(added=2, skipped=1, chunks=9, elapsed_s=0.31),
            "indexed 2 files, 9 chunks in 0.3 s (1 skipped)",
        ),
        (RefreshSummary(unchanged=84, elapsed_s=0.16), "up to date, 84 files in 0.2 s"),
        (
            RefreshSummary(changed=1, unchanged=5000, chunks=1),
            "indexed 1 file, 1 chunk in 0.0 s (1 changed, 5,000 unchanged)",
        ),
        (RefreshSummary(removed=3, unchanged=4), "indexed 0 files, 0 chunks in 0.0 s (3 removed, 4 unchanged)"),
        (
            RefreshSummary(1, 2, 3, 4000, 5, 90, 1.26, ("words/1.words",)),
            (
                "indexed 3 files, 90 chunks in 1.3 s (1 new, 2 changed, 3 removed, 4,000 unchanged, 5 skipped)\n"
                "codeseek: rebuilt words/1.words"
            ),
        ),
    ],
)
def test_a_refresh_is_told_in_a_line(summary: RefreshSummary, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    diagnostics.refreshed(summary)
    assert capsys.readouterr().err == f"codeseek: {told}\n"


def test_a_reader_of_messages_that_has_gone_is_no_failure() -> None:
    class Gone(io.StringIO):
        def write(self, text: str, /) -> int:
            raise BrokenPipeError

    with redirect_stderr(Gone()):
        diagnostics.note("hello")
