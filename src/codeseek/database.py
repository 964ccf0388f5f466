"""The SQLite file: opened for one writer or for readers wherever it lies, its errors said in our words."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

from codeseek.errors import BusyError, StoreError

_MAKE_ROOM = "make room, or put indexes elsewhere with the setting `data_dir`"
_BE_ALLOWED = "allow it, or put indexes elsewhere with the setting `data_dir`"
_ELSEWHERE = "put indexes elsewhere with the setting `data_dir`"
_MAKE_AGAIN = "make it again with `codeseek index`"


class Unusable(StoreError):
    """The index is damaged or of an older format: it has to be made again from the files."""


class Missing(StoreError):
    """There is no index yet."""


class _Translator:
    """Raises what an error means to a user. No generator: making one takes as long as a small statement."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, sqlite3.Error) and (told := _from_sqlite(error)) is not error:
            raise told from error
        if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
            raise _from_system(error) from error


_TRANSLATOR = _Translator()


def translated() -> AbstractContextManager[None]:
    """Turn errors of SQLite and of the file system into `StoreError`, each with what helps."""
    return _TRANSLATOR


def _from_system(error: OSError) -> StoreError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return StoreError("the disk is full; the index keeps what it had", hint=_MAKE_ROOM)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StoreError(f"cannot write the index: {error}", hint=_BE_ALLOWED)
    return StoreError(f"cannot use the index's folder: {error}", hint=_ELSEWHERE)


def _from_sqlite(error: sqlite3.Error) -> Exception:
    code = getattr(error, "sqlite_errorcode", None) or 0
    match code & 0xFF:
        case sqlite3.SQLITE_FULL:
            return StoreError("the disk is full; the index keeps what it had", hint=_MAKE_ROOM)
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return StoreError(f"cannot open or write the index: {error}", hint=_BE_ALLOWED)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return BusyError("another process is writing this index", hint="wait until it ends, or stop it")
        case sqlite3.SQLITE_IOERR if code not in (sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS):
            return StoreError(f"the disk did not take or give the index: {error}", hint=_MAKE_ROOM)
        case sqlite3.SQLITE_NOMEM | sqlite3.SQLITE_MISUSE | sqlite3.SQLITE_INTERRUPT | sqlite3.SQLITE_TOOBIG:
            return error
        case 0 if not isinstance(error, sqlite3.OperationalError):  # our own misuse, not the file's fault
            return error
        case _:
            return Unusable(f"the index is damaged: {error}", hint=_MAKE_AGAIN)


def connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """Open a database; for reading even where nothing can be written. Raises sqlite3.Error and OSError."""
    if not read_only:
        with contextlib.suppress(
            FileExistsError
        ):  # closing one that exists would let go of all locks of this process on it
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))  # SQLite's other files get the same mode
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
        connection.execute("PRAGMA page_size = 16384")  # of a new database: a third less time than with 4096
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA journal_size_limit = 16000000")  # while a reader stays, the log is not deleted
        return connection
    modes = ["mode=rw"] if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK) else ["mode=ro"]
    if not _size_of(path.with_name(f"{path.name}-wal")):
        modes.append("immutable=1")  # without the files beside it that SQLite would want to make
    for mode in modes:
        uri = f"{path.absolute().as_uri()}?{mode}"
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=5)
        try:
            connection.execute("PRAGMA query_only = ON")
            connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as error:
            connection.close()
            if mode == modes[-1] or error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                raise
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    raise AssertionError


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # whoever closes a database last deletes its log
        return 0


def make_private(directory: Path) -> None:
    """Make an index's folder and those in it, for nobody else to read; raises OSError."""
    for folder in (directory.parent.parent, directory.parent, directory, directory / "words", directory / "vectors"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
