"""Read documents in a process of its own, which may take only so much time and memory, and may crash."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import sys
import time
from typing import Self

from codeseek import processes
from codeseek.documents import read
from codeseek.documents.record import Document, Unfit
from codeseek.processes import Child

TIME_S = 120.0
"""The longest that one document may take; 2,000 pages take some 15 s."""
MEMORY_BYTES = 1_500_000_000

CRASHED, SLOW, LARGE = "parser crashed", "takes too long to read", "takes too much memory to read"


class Extractor:
    """Reads documents one by one. Its process starts with the first of them, and again after each that ends it."""

    def __init__(self, time_s: float = TIME_S, memory_bytes: int = MEMORY_BYTES) -> None:
        self._time_s = time_s
        self._memory_bytes = memory_bytes
        self._child: Child | None = None

    def read(self, language: str, data: bytes) -> Document:
        """Return the text of a document; raises `Unfit`."""
        if self._child is None:
            self._child = Child(__name__, {})
            self._child.send((self._time_s, self._memory_bytes))
        started = time.monotonic()
        try:
            self._child.send((language, data))
            answer = self._child.receive()
        except (EOFError, BrokenPipeError, ConnectionResetError):
            self.close()
            raise Unfit(SLOW if time.monotonic() - started >= self._time_s else CRASHED) from None
        except BaseException:  # an interrupt in the middle of a message
            self.close()
            raise
        if isinstance(answer, Document):
            return answer
        if answer == LARGE:
            self.close()  # what a library left behind when memory ran out, no other document shall meet
        raise Unfit(str(answer))

    @property
    def pid(self) -> int:
        """The number of the process, 0 while there is none."""
        return self._child.pid if self._child is not None else 0

    def close(self) -> None:
        """End the process."""
        if self._child is not None:
            self._child.kill()
            self._child.end()
            self._child = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def main() -> None:
    """Be the process: read documents from standard input until it ends."""
    source, target = processes.own_pipes()
    with contextlib.suppress(EOFError, BrokenPipeError, KeyboardInterrupt):
        time_s, memory_bytes = processes.receive(source)
        _limit(memory_bytes)
        with open(os.devnull, "w", encoding="ascii") as nowhere:
            while True:
                language, data = processes.receive(source)
                faulthandler.dump_traceback_later(time_s, exit=True, file=nowhere)  # ends it whatever it is doing
                answer = _answer(language, data)
                faulthandler.cancel_dump_traceback_later()
                processes.send(target, answer)


def _answer(language: str, data: bytes) -> Document | str:
    try:
        return read(language, data)
    except Unfit as error:
        return str(error)
    except (MemoryError, RecursionError):
        return LARGE
    except Exception as error:  # noqa: BLE001  whatever a damaged document leads to, it is one file
        return f"damaged: {type(error).__name__}"


def _limit(memory_bytes: int) -> None:
    """Let the process take no more memory than this, where the system can hold it to that."""
    if sys.platform != "win32":
        import resource

        with contextlib.suppress(ValueError, OSError):
            hard = resource.getrlimit(resource.RLIMIT_AS)[1]
            resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, hard))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
