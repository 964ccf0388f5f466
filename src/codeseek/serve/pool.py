"""Engines and models are synchronous: their calls wait for one of a few threads, not too many and not too long."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from codeseek.serve.answers import Refusal

_P = ParamSpec("_P")
_R = TypeVar("_R")


class Pool:
    """A few threads and a line before them. What takes too long goes on, and keeps its thread, but nobody waits for it."""

    def __init__(self, threads: int = 0, most: int = 512, patience_s: float = 60.0) -> None:
        """Let at most `most` calls wait or run, in `threads` (0: one for each core, two at least)."""
        self._most = most
        self._patience_s = patience_s
        self._guard = threading.Lock()
        self._count = 0
        self._executor = ThreadPoolExecutor(threads or max(2, os.cpu_count() or 1), thread_name_prefix="engine")

    async def run(self, call: Callable[_P, _R], *arguments: _P.args, **named: _P.kwargs) -> _R:
        """Call in a thread; raises `Refusal` when too many wait or it takes too long."""
        with self._guard:
            if self._count >= self._most:
                raise Refusal(503, "too many requests at once", code="overloaded", headers={"Retry-After": "1"})
            self._count += 1
        future = self._executor.submit(call, *arguments, **named)
        future.add_done_callback(lambda _: self._ended())
        try:
            async with asyncio.timeout(self._patience_s):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            raise Refusal(504, f"it took longer than {self._patience_s:.0f} s", code="timeout") from None

    def close(self) -> None:
        """Start nothing any more, drop what waits, and wait for what runs."""
        self._executor.shutdown(cancel_futures=True)

    def _ended(self) -> None:
        with self._guard:
            self._count -= 1
