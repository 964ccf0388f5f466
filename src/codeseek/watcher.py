"""File events to refreshes: watch the folders that are indexed, gather bursts, and poll where there are no events."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, Self

from codeseek.errors import BusyError, CodeseekError
from codeseek.records import Progress, ProgressListener, RefreshSummary

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent
    from watchdog.observers.inotify_c import InotifyEvent

_QUIET_S = 0.12
"""A burst is over when nothing has happened for so long."""
_BURST_S = 10.0
"""A burst that does not end is answered after so long."""
_BUSY_S = 1.0
"""After so long it is tried again, when another process was writing the index."""
_ROOT_S = 2.0
"""So often it is looked whether the root is still the folder that is watched: moving a folder above it tells nobody."""
_SHORTEST_POLL_S, _LONGEST_POLL_S = 3.0, 30.0
_SHARE = 50
"""Polling rests so many times as long as a look takes: at most 2 % of a core."""
_IN_VAIN = 3
"""From so many refreshes that found nothing on, there is a rest before the next: something writes files of no concern."""
_LONGEST_REST_S = 5.0

_REMOTE = {*"9p afpfs afs ceph cifs coda davfs glusterfs lustre ncpfs nfs nfs4 prl_fs smb3 smbfs vboxsf vmhgfs".split()}
"""File systems on which others' changes raise no event here."""

Folders = Mapping[str, frozenset[str]]
"""The folders in an index by their path from the root ("" is the root), with the names in each that are ignored."""


class Polling(NamedTuple):
    """There are no events, so files are looked at every few seconds; why."""

    reason: Literal["limit", "remote", "unsupported"]


Refresh = Callable[[ProgressListener], RefreshSummary]
News = RefreshSummary | CodeseekError | Polling
"""What a watcher tells: a refresh was done, or failed, or it polls from now on."""


class _Closed(KeyboardInterrupt):
    """Ends a refresh in the middle; what is done is kept, as after an interrupt."""


class _Source(Protocol):
    """Where events come from."""

    def watch(self, folders: Folders) -> bool:
        """Watch these folders, and no others; tell whether any was not watched before. Raises OSError."""
        ...

    def is_alive(self) -> bool:
        """Tell whether events are still heard."""
        ...

    def close(self) -> None:
        """Watch nothing."""
        ...


class Watcher:
    """Calls `refresh` in a thread of its own, first at once, then whenever files of a project may have changed.

    `index` is the folder of the project's index: it says which folders are worth watching. What comes of it is given
    to `tell`, in that thread; `progress` hears of long refreshes.
    """

    def __init__(
        self,
        root: Path,
        index: Path,
        refresh: Refresh,
        tell: Callable[[News], None],
        progress: ProgressListener | None = None,
    ) -> None:
        self._root = root
        self._index = index
        self._refresh = refresh
        self._tell = tell
        self._progress = progress
        self._source: _Source | None = None
        self._watched: tuple[int, int] | None = None  # the root's device and number
        self._happened = threading.Event()
        self._current = threading.Event()
        self._ended = threading.Event()
        self._complaint = ""
        self._thread = threading.Thread(target=self._run, name=f"watch {root.name}", daemon=True)

    @property
    def is_current(self) -> bool:
        """Whether nothing has happened since the last refresh, as far as events tell; never where there are none."""
        return self._current.is_set()

    def __enter__(self) -> Self:
        """Begin to watch."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End a refresh that goes on, and watch nothing any more."""
        self.close()

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def close(self) -> None:
        """End a refresh that goes on, and watch nothing any more."""
        self._ended.set()
        self._happened.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    # ------------------------------------------------------------ the thread

    def _run(self) -> None:
        try:
            self._open()
            in_vain, anew = 0, self._sync()
            while not self._ended.is_set():
                began = time.monotonic()
                found = self._refreshed()
                took = time.monotonic() - began
                in_vain = 0 if found or anew else in_vain + 1
                anew = self._sync()  # what lies in folders that were not watched may have changed in the meantime
                if anew:
                    continue
                if self._source is None:
                    self._ended.wait(min(_LONGEST_POLL_S, max(_SHORTEST_POLL_S, took * _SHARE)))
                else:
                    if in_vain >= _IN_VAIN:
                        self._ended.wait(min(_LONGEST_REST_S, took * _SHARE))
                    if not self._complaint:
                        self._current.set()
                        if self._happened.is_set():  # an event came before this could be said
                            self._current.clear()
                    self._wait()
                    self._current.clear()
        except KeyboardInterrupt:  # `_Closed`, or what a listener raises to end a refresh
            pass
        finally:
            if self._source is not None:
                self._source.close()

    def _open(self) -> None:
        """Choose where events come from."""
        if _is_remote(self._root):
            self._poll("remote")
            return
        kind = _Inotify if sys.platform == "linux" else _Recursive
        try:
            self._source = kind(self._root, self._hear)
        except OSError as error:
            self._poll(_reason(error))
        except Exception:  # noqa: BLE001 # whatever the platform lacks, polling does without
            self._poll("unsupported")

    def _hear(self) -> None:
        """Take an event."""
        self._current.clear()
        self._happened.set()

    def _poll(self, reason: Literal["limit", "remote", "unsupported"]) -> None:
        if self._source is not None:
            self._source.close()
            self._source = None
        self._tell(Polling(reason))

    def _refreshed(self) -> bool:
        """Bring the index up to date; tell whether anything had changed."""

        def listen(progress: Progress) -> None:
            if self._ended.is_set():
                raise _Closed
            if self._progress is not None:
                self._progress(progress)

        while True:
            self._happened.clear()
            if self._ended.is_set():  # looked at after clearing: closing sets both, this one first
                raise _Closed
            try:
                summary = self._refresh(listen)
            except CodeseekError as error:
                if error.message != self._complaint:
                    self._complaint = error.message
                    self._tell(error)
                if not isinstance(error, BusyError):
                    return False
                self._ended.wait(_BUSY_S)
                continue
            self._complaint = ""
            self._tell(summary)
            return bool(summary.added or summary.changed or summary.removed or summary.rebuilt)

    def _sync(self) -> bool:
        """Watch the folders that are in the index now; tell whether there are new ones."""
        if self._source is None:
            return False
        self._watched = _identity(self._root)
        if not self._source.is_alive():
            self._poll("unsupported")
            return False
        try:
            return self._source.watch(indexed_folders(self._index, self._root))
        except OSError as error:
            self._poll(_reason(error))
            return False

    def _wait(self) -> None:
        """Return when something has happened, and then nothing for a moment."""
        while not self._happened.wait(_ROOT_S):
            if self._source is None or not self._source.is_alive():
                break
            if (now := _identity(self._root)) != self._watched:
                self._watched = now
                if now is not None:
                    break
        until = time.monotonic() + _BURST_S
        while not self._ended.is_set() and time.monotonic() < until:
            self._happened.clear()
            if not self._happened.wait(_QUIET_S) and not self._git_is_writing():
                break

    def _git_is_writing(self) -> bool:
        """Tell whether git is in the middle of a checkout or the like, in which files come in bursts."""
        return os.path.lexists(self._root / ".git" / "index.lock")


def indexed_folders(index: Path, root: Path) -> Folders:
    """Return the folders that an index knows; of an index that cannot be read, only the root."""
    from codeseek.store import Store
    from codeseek.walker import IGNORED, KnownDirectory

    folders: dict[str, frozenset[str]] = {"": frozenset()}
    with contextlib.suppress(CodeseekError), Store.open(index, root, read_only=True) as store:
        for path, details in store.directories().items():
            record = KnownDirectory(PurePosixPath(path), *details)
            ignored = frozenset(name for name, reason in record.skipped if reason == IGNORED)
            folders["" if path == "." else path] = ignored
    return folders


def _concerns(name: str, ignored: frozenset[str]) -> bool:
    """Tell whether a file called so may be in the index, or decide what is: not an editor's swap file, not a log."""
    from codeseek.ignore import concerns
    from codeseek.languages import language_of_name

    if name in ignored:
        return False
    return "." not in name or language_of_name(name) is not None or bool(concerns((name,)))


class _Inotify:
    """Linux: one watch for each folder, so that what is ignored costs nothing."""

    def __init__(self, root: Path, happened: Callable[[], None]) -> None:
        from watchdog.observers.inotify_c import CallbackId, InotifyConstants, InotifyFD, Mask

        self._root = root
        self._happened = happened
        self._mask = Mask(
            InotifyConstants.IN_CLOSE_WRITE
            | InotifyConstants.IN_MOVE
            | InotifyConstants.IN_CREATE
            | InotifyConstants.IN_DELETE
            | InotifyConstants.IN_DELETE_SELF
            | InotifyConstants.IN_MOVE_SELF
            | InotifyConstants.IN_ONLYDIR
            | InotifyConstants.IN_DONT_FOLLOW
        )
        self._id = CallbackId
        self._round = 0
        self._paths: dict[int, str] = {}
        self._folders: Folders = {}
        self._inotify = InotifyFD()
        self._inotify.start()

    def watch(self, folders: Folders) -> bool:
        """Watch these folders: a watch follows a folder that is moved, so all are asked for anew, which takes little."""
        self._folders = folders
        before, self._round = self._paths, self._round + 1
        paths: dict[int, str] = {}
        for folder in folders:
            try:
                number = self._inotify.add_callback(
                    os.fsencode(self._root / folder), self._mask, self, self._id(self._round)
                )
            except OSError as error:
                if error.errno in (errno.ENOSPC, errno.EMFILE, errno.ENOMEM):
                    raise
                continue  # it is gone, or may not be read: whatever comes in its place is told by the folder around it
            paths[number] = folder
        self._paths = paths.copy()
        self._inotify.remove_callbacks([(number, self._id(self._round - 1)) for number in before])  # type: ignore[misc]
        return any(before.get(number) != folder for number, folder in paths.items())

    def is_alive(self) -> bool:
        """Tell whether events are still heard."""
        return self._inotify.is_alive()

    def close(self) -> None:
        """Watch nothing."""
        self._inotify.stop()
        self._inotify.join()

    def on_event(self, event: InotifyEvent) -> None:
        """Hear of an event in one of the folders."""
        folder = self._paths.get(event.wd)
        if folder is None:
            return
        if event.is_directory or _concerns(os.fsdecode(event.name), self._folders.get(folder, frozenset())):
            self._happened()

    def on_watch_deleted(self, wd: int) -> None:
        """Hear that a folder is gone."""
        if self._paths.pop(wd, None) is not None:
            self._happened()

    def on_queue_overflow(self) -> None:
        """Hear that there were more events than could be told."""
        self._happened()


class _Recursive:
    """Other systems: they watch a tree as a whole, and what is ignored is passed over."""

    def __init__(self, root: Path, happened: Callable[[], None]) -> None:
        from watchdog.observers import Observer

        self._root = root
        self._happened = happened
        self._folders: Folders = {}
        self._known: set[str] = set()
        self._identity: tuple[int, int] | None = None
        self._observer = Observer()
        self._observer.start()

    def watch(self, folders: Folders) -> bool:
        """Watch the whole tree, once; again when it is another one."""
        new = not folders.keys() <= self._known
        self._folders, self._known = folders, set(folders)
        if (now := _identity(self._root)) != self._identity:
            self._observer.unschedule_all()
            self._identity = now
            if now is not None:
                self._observer.schedule(self, str(self._root), recursive=True)  # type: ignore[arg-type] # dispatch is all
            return True
        return new

    def is_alive(self) -> bool:
        """Tell whether events are still heard."""
        return self._observer.is_alive() and all(emitter.is_alive() for emitter in self._observer.emitters)

    def close(self) -> None:
        """Watch nothing."""
        self._observer.stop()
        self._observer.join()

    def dispatch(self, event: FileSystemEvent) -> None:
        """Hear of an event anywhere in the tree."""
        if event.event_type in ("opened", "closed_no_write") or (event.is_directory and event.event_type == "modified"):
            return
        for path in (event.src_path, event.dest_path):
            if not path:
                continue
            folder, _, name = os.path.relpath(os.fsdecode(path), self._root).replace(os.sep, "/").rpartition("/")
            ignored = self._folders.get(folder)
            if ignored is None or name in ignored:
                continue
            if event.is_directory or _concerns(name, ignored):
                self._happened()


def _identity(root: Path) -> tuple[int, int] | None:
    """Return what a folder is known by even if another takes its name; None without one."""
    try:
        status = os.stat(root)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _reason(error: OSError) -> Literal["limit", "unsupported"]:
    return "limit" if error.errno in (errno.ENOSPC, errno.EMFILE, errno.ENOMEM) else "unsupported"


def _is_remote(root: Path) -> bool:
    """Tell whether a folder lies on a file system on which others may write, where the system tells that."""
    place, kind = "", ""
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                mounted, _, source = line.partition(" - ")
                folder = mounted.split(" ")[4].replace("\\040", " ")
                if len(folder) >= len(place) and root.is_relative_to(folder):
                    place, kind = folder, source.split(" ", 1)[0]
    except (OSError, IndexError):
        return False
    return kind in _REMOTE or kind.startswith("fuse.")
