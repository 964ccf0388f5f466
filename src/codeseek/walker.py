"""Find the files of a project that are worth indexing, and read them."""

from __future__ import annotations

import operator
import os
import stat
import time
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from codeseek import decoding, documents, ignore, unfit
from codeseek.languages import language_of_name
from codeseek.records import Skipped, SourceFile

MARKER = ".codeseek.toml"
"""A file that makes its folder a project's root, as `.git` does."""

IGNORED, LINK = "ignored", "link"

_ROOT = PurePosixPath()
_RULES = "2"  # grows whenever other files are left out, or are of another language
_RACY_NS = 2_000_000_000  # a folder changed so shortly before it was listed may have changed again in the same moment
_SNIFFED = 256  # bytes of a file without a telling name that are looked at for its interpreter
_NAME = operator.attrgetter("name")


class Unreadable(Exception):
    """A file turned out unfit when it was opened; the text is the reason."""


@dataclass(frozen=True, slots=True)
class WalkOptions:
    """What is wanted of a walk. `ignore` are patterns as in `.gitignore`, stronger than all that lie in files."""

    max_file_bytes: int = 1_000_000
    max_document_bytes: int = 50_000_000
    ignore: tuple[str, ...] = ()


class KnownDirectory(NamedTuple):
    """A folder as it was listed at `listed_ns`: right as long as its stat and the `rules` in effect are the same.

    All fields but `path` can be stored as JSON; only the walker has to understand them. `reason` says why a whole
    folder is left out. `concerns` are the entries with a say in what is ignored. `files` are names with their language,
    `sniffed` names with size, mtime_ns and the language found inside (or ""), `skipped` names with a reason.
    """

    path: PurePosixPath
    mtime_ns: int
    ctime_ns: int
    inode: int
    listed_ns: int
    rules: str
    reason: str = ""
    concerns: Sequence[str] = ()
    folders: Sequence[str] = ()
    files: Sequence[Sequence[str]] = ()
    sniffed: Sequence[tuple[str, int, int, str]] = ()
    skipped: Sequence[Sequence[str]] = ()


def walk(
    root: Path,
    options: WalkOptions = WalkOptions(),
    known: Mapping[str, KnownDirectory] | None = None,
    under: PurePosixPath = _ROOT,
    is_current: Callable[[str, int, int, str], bool] = lambda *_: False,
) -> Iterator[SourceFile | Skipped | KnownDirectory | str]:
    """Yield, folder by folder in a fixed order, the folder, its files worth indexing, and what is left out and why.

    With `known`, the folders that an earlier walk yielded (by their path as text, the root's being "."), only folders
    that changed are listed again; of the others every file's stat is taken anew. A folder that is as it was known is
    yielded as the very same object, and a file that `is_current` (path, size, mtime_ns, language) as its path alone:
    nearly all are, and text is made sooner. No file is opened but ignore files and those whose name does not tell what they
    are; nothing is followed out of the root. With `under` only that folder is walked. A `Skipped` has size and mtime_ns
    where its size is the reason.
    """
    return _Walk(root, options, known or {}, is_current).run(under)


def read_bytes(root: Path, file: SourceFile) -> bytes:
    """Return what a file holds; raises `Unreadable`."""
    try:
        most = 2 * file.size + 65_536  # it may have grown in the meantime, but not beyond measure
        return ignore.read_regular(os.path.join(root, file.path), most)
    except (OSError, ValueError) as error:
        raise Unreadable(_told(error)) from error


def read_text(root: Path, file: SourceFile) -> str:
    """Return a file's text, line ends as they are; raises `Unreadable` for what turns out to be no source text."""
    text = decoding.decode(read_bytes(root, file))
    if text is None:
        raise Unreadable(unfit.BINARY)
    if reason := unfit.text_by_content(file.language, text):
        raise Unreadable(reason)
    return text


def find_root(start: Path) -> Path:
    """Return the root of the project around a folder: the nearest with `.git` or `.codeseek.toml`, or else itself.

    Neither the home folder nor the root of the file system is found by going up.
    """
    start = Path(os.path.abspath(start))
    home = os.path.abspath(os.path.expanduser("~"))
    for folder in (start, *start.parents):
        if folder != start and (folder == folder.parent or str(folder) == home):
            break
        if is_root(folder):
            return folder
    return start


def is_root(folder: Path) -> bool:
    """Tell whether a folder is marked as a project's root."""
    return os.path.lexists(folder / ".git") or (folder / MARKER).is_file()


class _Walk:
    """One walk: its root, what is wanted, and what was known before."""

    def __init__(
        self,
        root: Path,
        options: WalkOptions,
        known: Mapping[str, KnownDirectory],
        is_current: Callable[[str, int, int, str], bool],
    ) -> None:
        self._root = os.path.join(os.path.abspath(root), "")
        self._options = options
        self._known = known
        self._is_current = is_current

    def run(self, under: PurePosixPath) -> Iterator[SourceFile | Skipped | KnownDirectory | str]:
        """Walk a folder and all below it."""
        scope = ignore.outermost(self._root, self._options.ignore, _RULES)
        folder = ""
        for name in under.parts:  # the folders above the one that is wanted have their say too
            names = _names(self._root + folder)
            if reason := _inner_reason(folder, names, scope):
                yield Skipped(PurePosixPath(folder), reason)
                return
            scope = scope.inside(self._root + folder, folder, names)
            folder += f"{name}/"
            reason = LINK if os.path.islink(self._root + folder[:-1]) else None
            if reason or (reason := _folder_reason(folder[:-1], name, names, scope)):
                yield Skipped(PurePosixPath(folder), reason)
                return
        waiting = [(folder, scope)]
        while waiting:
            folder, around = waiting.pop()
            folders, scope = yield from self._folder(folder, around)
            waiting += [(f"{folder}{name}/", scope) for name in reversed(folders)]

    def _folder(
        self, folder: str, scope: ignore.Scope
    ) -> Generator[SourceFile | Skipped | KnownDirectory | str, None, tuple[Sequence[str], ignore.Scope]]:
        """Yield what is in a folder (its path ends in a slash, or is empty), and return the folders to go on with."""
        try:
            record, scope = self._record(folder, scope)
        except (FileNotFoundError, NotADirectoryError):
            return (), scope  # it vanished while we walked
        except (OSError, ValueError) as error:
            yield Skipped(PurePosixPath(folder), _told(error))
            return (), scope
        if record.sniffed:
            record = self._sniffed_again(folder, record)
        yield record
        if record.reason:
            yield Skipped(record.path, record.reason)
        place = self._root + folder
        limits = (self._options.max_file_bytes, self._options.max_document_bytes)
        for name, language in (
            *record.files,
            *((name, language) for name, _, _, language in record.sniffed if language),
        ):
            try:
                status = os.lstat(place + name)
            except FileNotFoundError:
                continue
            except OSError as error:
                yield Skipped(PurePosixPath(folder + name), _told(error))
                continue
            size, mtime_ns = status.st_size, status.st_mtime_ns
            is_document = language in documents.FORMATS
            missing = documents.missing(language) if is_document else ""
            if reason := missing or unfit.file_by_size(language, size, limits[is_document]):
                yield Skipped(PurePosixPath(folder + name), reason, size, mtime_ns)
            elif self._is_current(folder + name, size, mtime_ns, language):
                yield folder + name
            else:
                yield SourceFile(PurePosixPath(folder + name), size, mtime_ns, language)
        for name, reason in record.skipped:
            yield Skipped(PurePosixPath(folder + name), reason)
        for name, _, _, language in record.sniffed:
            if not language:
                yield Skipped(PurePosixPath(folder + name), unfit.UNKNOWN)
        return record.folders, scope

    def _record(self, folder: str, around: ignore.Scope) -> tuple[KnownDirectory, ignore.Scope]:
        """Return what is in a folder, from memory if that is right, and the rules in effect in it; raises OSError."""
        place = self._root + folder
        known = self._known.get(folder[:-1] or ".")
        listed_ns = time.time_ns()
        status = os.lstat(place[:-1] if folder else place)
        if not stat.S_ISDIR(status.st_mode):
            raise NotADirectoryError
        stamp = (status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        if known is not None and stamp == known[1:4] and known.mtime_ns + _RACY_NS < known.listed_ns:
            scope = around.inside(place, folder, known.concerns) if known.concerns else around
            if scope.digest == known.rules:
                return known, scope
        entries = _entries(place)
        names = frozenset(entry.name for entry in entries)
        concerns = ignore.concerns(names)
        scope = around.inside(place, folder, concerns)
        path = PurePosixPath(folder)
        if reason := _inner_reason(folder, names, around):
            return KnownDirectory(path, *stamp, listed_ns, scope.digest, reason, concerns), scope
        folders, files, sniffed, skipped = self._sorted_out(folder, entries, names, scope)
        record = KnownDirectory(path, *stamp, listed_ns, scope.digest, "", concerns, folders, files, sniffed, skipped)
        return record, scope

    def _sorted_out(
        self, folder: str, entries: Sequence[os.DirEntry[str]], names: Collection[str], scope: ignore.Scope
    ) -> tuple[list[str], list[tuple[str, str]], list[tuple[str, int, int, str]], list[tuple[str, str]]]:
        """Return folders, files, sniffed and skipped, as `KnownDirectory` has them."""
        folders: list[str] = []
        files: list[tuple[str, str]] = []
        sniffed: list[tuple[str, int, int, str]] = []
        skipped: list[tuple[str, str]] = []
        for entry in entries:
            name = entry.name
            is_folder = entry.is_dir(follow_symlinks=False) and not _is_junction(entry)
            if name in unfit.VERSION_CONTROL and (is_folder or name == ".git"):
                continue
            if not _is_text(name):
                skipped.append((name, "name is not UTF-8"))
            elif is_folder:
                if reason := _folder_reason(folder + name, name, names, scope):
                    skipped.append((name, reason))
                else:
                    folders.append(name)
            elif reason := _file_reason(entry, folder + name, scope):
                skipped.append((name, reason))
            elif language := language_of_name(name):
                files.append((name, language))
            elif "." in name:
                skipped.append((name, unfit.UNKNOWN))
            else:
                sniffed.append((name, -1, 0, ""))
        return folders, files, sniffed, skipped

    def _sniffed_again(self, folder: str, record: KnownDirectory) -> KnownDirectory:
        """Return a folder's record after another look into changed files whose name does not tell what they are."""
        sniffed = []
        for name, size, mtime_ns, language in record.sniffed:
            place = self._root + folder + name
            try:
                status = os.lstat(place)
                if (status.st_size, status.st_mtime_ns) != (size, mtime_ns) or mtime_ns + _RACY_NS > record.listed_ns:
                    size, mtime_ns = status.st_size, status.st_mtime_ns
                    language = language_of_name(name, ignore.contents(place, _SNIFFED, follow=False)) or ""
            except OSError:
                size, language = -1, ""
            sniffed.append((name, size, mtime_ns, language))
        same = all(tuple(new) == tuple(old) for new, old in zip(sniffed, record.sniffed, strict=True))
        return record if same else record._replace(sniffed=tuple(sniffed))


def _folder_reason(path: str, name: str, siblings: Collection[str], scope: ignore.Scope) -> str | None:
    """Return why a folder is left out, None if nothing outside of it says so."""
    ignored = scope.ignores(path, name, is_folder=True)
    if ignored:
        return IGNORED
    reason = unfit.folder_by_name(name, siblings)
    return reason if ignored is None or reason == unfit.SECRET else None


def _inner_reason(folder: str, names: Collection[str], around: ignore.Scope) -> str | None:
    """Return why a folder is left out, None if nothing in it says so or it is expressly wanted."""
    name = folder[:-1].rpartition("/")[2]
    reason = unfit.folder_by_entries(name, names) if folder else None
    if reason and around.ignores(folder[:-1], name, is_folder=True) is None:
        return reason
    return None


def _file_reason(entry: os.DirEntry[str], path: str, scope: ignore.Scope) -> str | None:
    """Return why a file is left out, None if its name and kind do not say so."""
    ignored = scope.ignores(path, entry.name, is_folder=False)
    if ignored:
        return IGNORED
    if entry.is_symlink() or _is_junction(entry):
        return LINK
    if not entry.is_file(follow_symlinks=False):
        return "special file"
    reason = unfit.file_by_name(entry.name)
    return reason if ignored is None or reason == unfit.SECRET else None


def _entries(place: str) -> list[os.DirEntry[str]]:
    with os.scandir(place) as entries:
        return sorted(entries, key=_NAME)


def _names(place: str) -> frozenset[str]:
    try:
        return frozenset(os.listdir(place))
    except OSError:
        return frozenset()


def _is_junction(entry: os.DirEntry[str]) -> bool:
    """Tell whether an entry is Windows' other kind of link."""
    is_junction = getattr(entry, "is_junction", None)  # from Python 3.12 on
    return is_junction is not None and bool(is_junction())


def _is_text(name: str) -> bool:
    try:
        return name.isascii() or bool(name.encode())
    except UnicodeEncodeError:
        return False


def _told(error: OSError | ValueError) -> str:
    return f"unreadable: {getattr(error, 'strerror', None) or error}".lower()
