"""Work beside the screen: a thread for each kind of work, and only the latest task counts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from textual.app import App

Task = TypeVar("Task")
Superseded = Callable[[], bool]


class Desk(Generic[Task]):
    """Does one task at a time, off the event loop; a task that waits is replaced by a newer one.

    `work` is given the task and a question, whether something newer is wanted; it posts messages to the app, and
    touches no widget.
    """

    def __init__(self, app: App[None], name: str, work: Callable[[Task, Superseded], None]) -> None:
        self._app = app
        self._name = name
        self._work = work
        self._guard = threading.Lock()
        self._wanted: list[Task] = []
        self._busy = False
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether there is work going on."""
        return self._busy

    def ask(self, task: Task) -> None:
        """Want a task done, instead of any that waits."""
        with self._guard:
            self._wanted = [task]
            if self._busy or self._closed:
                return
            self._busy = True
        self._app.run_worker(self._drain, name=self._name, group=self._name, thread=True)

    def drop(self) -> None:
        """Want nothing any more; what goes on is told that it is superseded at `close` only."""
        with self._guard:
            self._wanted = []

    def close(self) -> None:
        """Want nothing, now or later."""
        with self._guard:
            self._wanted = []
            self._closed = True

    def superseded(self) -> bool:
        """Whether what goes on is no longer wanted."""
        return self._closed or bool(self._wanted)

    def _drain(self) -> None:
        try:
            while True:
                with self._guard:
                    if not self._wanted or self._closed:
                        self._busy = False
                        return
                    task = self._wanted.pop()
                self._work(task, self.superseded)
        except BaseException:
            self._busy = False
            if not self._closed:  # an engine that was closed in the middle of an answer may fail in any way
                raise
