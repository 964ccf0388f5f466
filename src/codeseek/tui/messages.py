"""What workers tell the screen."""

from __future__ import annotations

from textual.message import Message

from codeseek.errors import CodeseekError
from codeseek.records import Progress, RefreshSummary, SearchResult, Status
from codeseek.tui.asking import Question
from codeseek.tui.facets import Counts
from codeseek.tui.source import Source, Spans


class Answered(Message):
    """A question has its answer, and the file of the first hit comes with it."""

    def __init__(self, question: Question, result: SearchResult, source: Source | None = None) -> None:
        super().__init__()
        self.question = question
        self.result = result
        self.source = source


class Refused(Message):
    """A question has no answer, and why."""

    def __init__(self, question: Question, error: CodeseekError) -> None:
        super().__init__()
        self.question = question
        self.error = error


class Counted(Message):
    """The best hits of a question have been counted."""

    def __init__(self, question: Question, counts: Counts) -> None:
        super().__init__()
        self.question = question
        self.counts = counts


class Loaded(Message):
    """A file to be shown has been read."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self.source = source


class Coloured(Message):
    """Some lines of a file have their colours, from `first` (counted from 0)."""

    def __init__(self, source: Source, first: int, spans: list[Spans]) -> None:
        super().__init__()
        self.source = source
        self.first = first
        self.spans = spans


class Advanced(Message):
    """Indexing has come so far."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self.progress = progress


class Refreshed(Message):
    """The index is up to date with the files. `asked` says whether the user wanted it."""

    def __init__(self, summary: RefreshSummary, *, asked: bool) -> None:
        super().__init__()
        self.summary = summary
        self.asked = asked


class RefreshFailed(Message):
    """The index could not be brought up to date."""

    def __init__(self, error: CodeseekError, *, asked: bool) -> None:
        super().__init__()
        self.error = error
        self.asked = asked


class Embedded(Message):
    """The chosen model knows all that it can."""


class Polls(Message):
    """Changed files are looked for every few seconds, for want of events; why."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class Told(Message):
    """The index has told what it holds."""

    def __init__(self, status: Status) -> None:
        super().__init__()
        self.status = status
