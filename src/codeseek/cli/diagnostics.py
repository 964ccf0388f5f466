"""Standard error: messages, progress and the line below the hits."""

from __future__ import annotations

import contextlib
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Self

from codeseek import screen
from codeseek.cli import terminal
from codeseek.records import ESTIMATE, DuplicatesResult, EmbedSummary, Progress, RefreshSummary, SearchResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    import click

    from codeseek.context import Context
    from codeseek.installed import Transfer

_SHOW_AFTER_S = 0.2
"""Work that is over sooner shows no bar: a bar that flashes is worse than none."""
_REDRAW_AFTER_S = 0.1
_TELL_LEFT_AFTER = 0.2
"""Large files come first, so that early on the time that is left would be told much too long."""
_BAR = 10


def error(message: str, hint: str = "") -> None:
    """Say what went wrong and how to mend it."""
    stderr = terminal.of(sys.stderr)
    text = f"{stderr.styled('codeseek:', terminal.BOLD, terminal.RED)} {screen.safe(message)}\n"
    if hint:
        text += f"  {stderr.styled('hint:', terminal.CYAN)} {screen.safe(hint)}\n"
    _say(text)


def bug(trace: str = "") -> None:
    """Show a traceback, that of the exception that is being handled if none is given."""
    import traceback

    _say(trace or traceback.format_exc())
    error("this is a bug in codeseek", "please report it with the lines above")


def note(message: str) -> None:
    """Say something in passing."""
    stderr = terminal.of(sys.stderr)
    _say(f"{stderr.styled('codeseek:', terminal.YELLOW)} {screen.safe(message)}\n")


def usage(wrong: click.ClickException) -> tuple[str, str]:
    """Put click's complaint in our words: message and hint."""
    from click import UsageError

    text = wrong.format_message().strip().rstrip(".").replace("'", "`")
    path = wrong.ctx.command_path if isinstance(wrong, UsageError) and wrong.ctx else "codeseek"
    hint = f"`{path} --help` shows how it is used"
    if text.startswith("Got unexpected extra argument"):
        hint = "to search for these words, begin with `codeseek search`"
    return text[:1].lower() + text[1:], hint


def footer(result: SearchResult, now: float, projects: int = 0) -> None:
    """Say how many hits there are, from how many `projects` where those are several, and how far they can be trusted."""
    stderr = terminal.of(sys.stderr)
    age = f" ({ago(now - result.indexed_at)})" if result.indexed_at is not None else ""
    parts = (
        f"{counted(len(result.hits), 'hit')} in {f'{projects} projects, ' if projects else ''}{result.elapsed_ms:.0f} ms",
        f"index {result.freshness}{age}",
        result.tier + (f" ({result.coverage:.0%} read)" if result.coverage < 1 else ""),
    )
    _say(f"{stderr.styled(stderr.sign(' · ', ' - ').join(screen.safe(part) for part in parts), terminal.DIM)}\n")
    trust(result)


def duplicates(result: DuplicatesResult, now: float) -> None:
    """Say how many clusters there are, among how much, and how far they can be trusted."""
    stderr = terminal.of(sys.stderr)
    age = f" ({ago(now - result.indexed_at)})" if result.indexed_at is not None else ""
    some = f"{len(result.clusters):,} of " if result.left_off else ""
    parts = (
        f"{some}{counted(len(result.clusters) + result.left_off, 'cluster')}",
        f"{counted(result.compared, 'passage')} compared in {result.elapsed_ms / 1000:.1f} s",
        f"index {result.freshness}{age}",
    )
    _say(f"{stderr.styled(stderr.sign(' · ', ' - ').join(parts), terminal.DIM)}\n")


def packed(context: Context) -> None:
    """Say how much was gathered, and how it was counted."""
    stderr = terminal.of(sys.stderr)
    by = "estimated" if context.tokenizer == ESTIMATE else f"counted by {context.tokenizer}"
    left_off = f", {counted(context.left_off, 'hit')} left off" if context.left_off else ""
    text = f"{counted(len(context.passages), 'passage')}, {context.tokens:,} of {context.max_tokens:,} tokens, {by}"
    _say(f"{stderr.styled(screen.safe(text + left_off), terminal.DIM)}\n")


def trust(result: SearchResult) -> None:
    """Say what is weaker than it should be, if anything is."""
    if result.freshness == "stale":
        note("files have changed since the index was made")
    for weakness in (*result.degraded, *result.notes):
        note(weakness)


def refreshed(summary: RefreshSummary, prefix: str = "") -> None:
    """Say what a refresh did, after a `prefix` that says where."""
    read = summary.added + summary.changed
    if read or summary.removed:
        done = f"indexed {counted(read, 'file')}, {counted(summary.chunks, 'chunk')}"
    else:
        done = f"up to date, {counted(summary.unchanged, 'file')}"
    numbers = {
        "new": summary.added if summary.changed or summary.unchanged else 0,
        "changed": summary.changed,
        "removed": summary.removed,
        "unchanged": summary.unchanged if read or summary.removed else 0,
        "skipped": summary.skipped,
    }
    detail = ", ".join(f"{number:,} {word}" for word, number in numbers.items() if number)
    note(f"{prefix}{done} in {summary.elapsed_s:.1f} s{f' ({detail})' if detail else ''}")
    for name in summary.rebuilt:
        note(f"{prefix}rebuilt {name}")


def embedded(summary: EmbedSummary, prefix: str = "") -> None:
    """Say what the chosen model has read, after a `prefix` that says where."""
    rate = f", {summary.embedded / summary.elapsed_s:,.1f}/s" if summary.embedded and summary.elapsed_s else ""
    whole = "all" if summary.covered == summary.chunks else f"{summary.covered:,} of"
    done = (
        f"{counted(summary.embedded, 'chunk')} in {summary.elapsed_s:.1f} s{rate}"
        if summary.embedded
        else "nothing new"
    )
    note(f"{prefix}{summary.model} has read {done}; it knows {whole} {counted(summary.chunks, 'chunk')}")
    for text in summary.notes:
        note(text)


def counted(number: int, word: str) -> str:
    """Return a number of things, with their word in the plural where it is not one."""
    return f"{number:,} {word}{'s' * (number != 1)}"


def ago(seconds: float) -> str:
    """Return an age in words."""
    if seconds < 1:
        return "just now"
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        if seconds >= length * (2 if unit != "s" else 1):
            return f"{seconds / length:.0f} {unit} ago"
    return "just now"


class ProgressBar:
    """A listener that draws one line while work goes on, on a terminal only."""

    _words: ClassVar = {
        "scan": "looking at files",
        "index": "indexing",
        "merge": "tidying the index",
        "embed": "embedding",
        "mine": "making questions",
        "ask": "asking",
        "compare": "comparing",
    }
    _units: ClassVar = {"merge": "chunks", "embed": "chunks", "ask": "questions"}

    def __init__(self) -> None:
        self._terminal = terminal.of(sys.stderr)
        self._phase = ""
        self._phase_began = self._began = time.monotonic()
        self._drawn = 0.0

    def __enter__(self) -> Self:
        """Begin; nothing is drawn yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the line away."""
        if self._drawn:
            _say("\r\x1b[2K")

    def __call__(self, progress: Progress) -> None:
        """Draw how far the work has come, a few times a second."""
        now = time.monotonic()
        if progress.phase != self._phase:
            self._phase, self._phase_began = progress.phase, now
        if not self._terminal.redraws or now - self._began < _SHOW_AFTER_S or now - self._drawn < _REDRAW_AFTER_S:
            return
        self._drawn = now
        _say(f"\r\x1b[2K{self.line(progress, now - self._phase_began)}")

    def line(self, progress: Progress, elapsed_s: float) -> str:
        """Return the line, without the parts that do not fit."""
        rate = progress.done / elapsed_s if elapsed_s > 0 else 0.0
        parts = [self._words[progress.phase]]
        if progress.total:
            share = progress.done / progress.total
            parts[0] += f" {self._terminal.bar(share, _BAR)} {share:4.0%}"
            unit = self._units.get(progress.phase, "files")
            parts.append(f"{progress.done:,}/{progress.total:,} {unit}")
            if share >= _TELL_LEFT_AFTER and rate:
                parts.append(f"{_duration((progress.total - progress.done) / rate)} left")
        elif progress.done:
            parts.append(f"{progress.done:,} files")
        if progress.chunks:
            parts.append(f"{progress.chunks:,} chunks")
        if progress.phase in ("index", "embed") and rate:
            parts.append(f"{rate:.1f}/s" if progress.phase == "embed" and rate < 10 else f"{rate:,.0f}/s")
        return _fitting(parts, self._terminal.width)


class TransferBar:
    """A listener that draws one line while a file comes, on a terminal only."""

    def __init__(self) -> None:
        self._terminal = terminal.of(sys.stderr)
        self._begun = ("", "")
        self._began_s = self._drawn_s = 0.0
        self._start = 0

    def __enter__(self) -> Self:
        """Begin; nothing is drawn yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the line away."""
        if self._drawn_s:
            progress("")

    def __call__(self, transfer: Transfer) -> None:
        """Draw how far the file has come, a few times a second."""
        now = time.monotonic()
        if (transfer.doing, transfer.file) != self._begun:
            self._begun, self._began_s, self._start = (transfer.doing, transfer.file), now, transfer.done
        if now - self._began_s < _SHOW_AFTER_S or now - self._drawn_s < _REDRAW_AFTER_S:
            return
        self._drawn_s = now
        progress(self.line(transfer, (transfer.done - self._start) / max(now - self._began_s, 1e-9)))

    def line(self, transfer: Transfer, rate: float) -> str:
        """Return the line, without the parts that do not fit; `rate` is in bytes a second."""
        parts = [transfer.doing]
        if transfer.total:
            share = transfer.done / transfer.total
            parts[0] += f" {self._terminal.bar(share, _BAR)} {share:4.0%}"
            parts.append(f"{transfer.done / 1e6:,.0f}/{transfer.total / 1e6:,.0f} MB")
        else:
            parts.append(f"{transfer.done / 1e6:,.0f} MB")
        if rate:
            parts.append(f"{rate / 1e6:.1f} MB/s")
            if transfer.total:
                parts.append(f"{_duration((transfer.total - transfer.done) / rate)} left")
        parts.append(screen.safe(transfer.file))
        return _fitting(parts, self._terminal.width)


def progress(line: str) -> None:
    """Show a line that stands for work going on, in place of the last one; an empty one takes it away."""
    if terminal.of(sys.stderr).redraws:
        _say(f"\r\x1b[2K{line}")


def _fitting(parts: Sequence[str], width: int) -> str:
    """Join as many parts as fit into a line."""
    line = ""
    for part in parts:
        longer = f"{line} · {part}" if line else part
        if terminal.columns(longer) >= width:
            break
        line = longer
    return line


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _say(text: str) -> None:
    """Write to standard error; a reader that has gone is no reason to fail."""
    with contextlib.suppress(BrokenPipeError):
        sys.stderr.write(text)
        sys.stderr.flush()
