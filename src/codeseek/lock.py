"""One writer at a time: a lock file that names its holder's process and is let go when the process ends."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from codeseek.errors import BusyError

_EVERY_S = 0.05

if sys.platform == "win32":
    import msvcrt

    _FAR = 1 << 30  # the locked byte lies beyond the holder's number, which others may read

    def _try_lock(descriptor: int) -> None:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class WriteLock:
    """The right to write one thing; entering raises OSError, and `BusyError` when another process has it for so long."""

    def __init__(self, path: Path, doing: str = "writing this index", *, patience_s: float = 0.0) -> None:
        self.path = path
        self._doing = doing
        self._patience_s = patience_s
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._descriptor is not None

    def __enter__(self) -> Self:
        until = time.monotonic() + self._patience_s
        while True:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                try:
                    _try_lock(descriptor)
                except OSError as error:
                    if error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
                        raise  # such as a network disk that knows no locks
                    if time.monotonic() >= until:
                        raise BusyError(
                            f"another process{self._holder()} is {self._doing}", hint="wait until it ends, or stop it"
                        ) from None
                    time.sleep(_EVERY_S)
                else:
                    if self._is_current(descriptor):
                        os.ftruncate(descriptor, 0)
                        os.lseek(descriptor, 0, os.SEEK_SET)
                        with contextlib.suppress(OSError):  # the number is a courtesy: a full disk may still be read
                            os.write(descriptor, b"%d\n" % os.getpid())
                        self._descriptor = descriptor
                        return self
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor is not None:
            os.close(
                self._descriptor
            )  # closing lets the lock go; the file stays, or two processes could lock two files
            self._descriptor = None

    def _is_current(self, descriptor: int) -> bool:
        """Tell whether the locked file is still the one at the path (an index may be removed in between)."""
        try:
            return os.path.samestat(os.fstat(descriptor), os.stat(self.path))
        except FileNotFoundError:
            return False

    def _holder(self) -> str:
        try:
            number = self.path.read_text("ascii", "replace").strip()
        except OSError:
            return ""
        return f" ({number})" if number.isdecimal() else ""
