"""Git's ignore rules: which paths the patterns of ignore files leave out."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from codeseek import wildcards

IGNORE_FILE, OWN_IGNORE_FILE = ".gitignore", ".codeseekignore"

_LARGEST_FILE = 4_000_000  # bytes of an ignore or configuration file
_QUICK = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)  # a pipe in a file's place must not be waited for
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)

_SECTION = re.compile(r'\s*\[([^\]"]*?)(\s*"(?:[^"\\]|\\.)*")?\s*\]')
_SETTING = re.compile(r"\s*([A-Za-z][A-Za-z0-9-]*)[ \t]*(?:=(.*))?")
_CONTINUATION = re.compile(r"\\\r?\n")
_ESCAPES = {"n": "\n", "t": "\t", "b": "\b"}

_SPECIAL = re.compile(r"[*?\[\\]")
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


class Scope(NamedTuple):
    """The rules in effect in a folder, strongest first; `digest` is the same exactly while the rules are."""

    given: tuple[Rules, ...]
    own: tuple[Rules, ...]
    git: tuple[Rules, ...]
    digest: str
    ignore_case: bool = False

    def ignores(self, path: str, name: str, *, is_folder: bool) -> bool | None:
        """Tell whether a path is left out; False is said only where one of our own rules takes it in expressly."""
        for group in (self.given, self.own):
            for rules in group:
                if (verdict := rules.verdict(path, name, is_folder=is_folder)) is not None:
                    return verdict
        for rules in self.git:
            if (verdict := rules.verdict(path, name, is_folder=is_folder)) is not None:
                return verdict or None
        return None

    def inside(self, place: str, folder: str, names: Collection[str]) -> Scope:
        """Return the rules in a folder of this one, which lies at `place` and is called `folder` from the root.

        `names` are the entries of the folder, or those of them that `concerns` picks. A repository within ours starts
        anew with git's rules, but keeps our own.
        """
        given, own, git, digest, ignore_case = self
        if ".git" in names:
            git, ignore_case = _repository_rules(place, folder)
            digest = _digest(digest, folder, *(rules.data for rules in git), bytes([ignore_case]))
        for name in (IGNORE_FILE, OWN_IGNORE_FILE):
            if name in names and (data := contents(os.path.join(place, name), follow=False)):
                rules = Rules(data, folder, ignore_case=ignore_case)
                digest = _digest(digest, folder, name.encode(), data)
                if name == IGNORE_FILE:
                    git = (rules, *git)
                else:
                    own = (rules, *own)
        return Scope(given, own, git, digest, ignore_case)


def outermost(root: str, patterns: Sequence[str], salt: str = "") -> Scope:
    """Return the rules above a root: extra patterns, the user's own excludes, and what a repository around it says."""
    git, ignore_case = _rules_around(root)
    given = (Rules("\n".join(patterns).encode("utf-8", "surrogateescape")),) if patterns else ()
    digest = _digest(salt, str(len(given)), *(rules.data for rules in (*given, *git)), bytes([ignore_case]))
    return Scope(given, (), git, digest, ignore_case)


def concerns(names: Collection[str]) -> tuple[str, ...]:
    """Pick the entries of a folder that have a say in what is ignored there."""
    return tuple(name for name in (".git", IGNORE_FILE, OWN_IGNORE_FILE) if name in names)


def _digest(*parts: str | bytes) -> str:
    state = hashlib.blake2b(digest_size=12)
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode("utf-8", "surrogateescape")
        state.update(len(data).to_bytes(8, "little") + data)
    return state.hexdigest()


class Rules:
    """The patterns of one ignore file that lies in a folder, and what they say of paths below it.

    Paths are given relative to the walk's root. `folder` is where the file lies, with a slash at its end, empty for
    the root itself; for an ignore file above the root `prefix` leads from it to the root. As git does, we match bytes.
    """

    def __init__(self, data: bytes, folder: str = "", prefix: str = "", *, ignore_case: bool = False) -> None:
        self.data = data
        self._cut = len(_bytewise(folder))
        self._prefix = _bytewise(prefix)
        self._ignore_case = ignore_case

    @cached_property
    def _sides(self) -> tuple[_Side, _Side]:
        """The patterns that count for files, and all of them, which count for folders."""
        patterns = list(_parse(self.data))
        return (
            _Side([pattern for pattern in patterns if not pattern.folders_only], ignore_case=self._ignore_case),
            _Side(patterns, ignore_case=self._ignore_case),
        )

    def verdict(self, path: str, name: str, *, is_folder: bool) -> bool | None:
        """Tell whether a path, `name` being its last part, is left out (True), taken in again (False), or neither."""
        side = self._sides[is_folder]
        if not side.patterns:
            return None
        if not path.isascii():
            path, name = _bytewise(path), _bytewise(name)
        if self._ignore_case:
            path, name = path.translate(_LOWER), name.translate(_LOWER)
        return side.verdict(self._prefix + path[self._cut :] if self._cut or self._prefix else path, name)


class _Pattern:
    """One line of an ignore file; `text` holds one character for each byte."""

    __slots__ = ("by_name", "folders_only", "negated", "text")

    def __init__(self, text: str) -> None:
        self.negated = text.startswith("!")
        text = text[self.negated :]
        self.folders_only = text.endswith("/")
        if self.folders_only:
            text = text[:-1]
        self.by_name = "/" not in text
        self.text = text

    def literal(self) -> str | None:
        """Return the name or path that alone is meant, None for a pattern with wildcards."""
        return None if _SPECIAL.search(self.text) else self.text.removeprefix("/")

    def suffix(self) -> str | None:
        """Return `.x` for a pattern `*.x` about names."""
        text = self.text
        if self.by_name and text.startswith("*.") and "." not in text[2:] and not _SPECIAL.search(text, 1):
            return text[1:]
        return None

    def expression(self, *, ignore_case: bool) -> str | None:
        """Return the regular expression for the whole name or path, None if nothing can match."""
        if self.by_name:
            return wildcards.translate(self.text, ignore_case=ignore_case)
        text = self.text.removeprefix("/")
        match = _SPECIAL.search(text)
        start = match.start() if match else len(text)
        # as git does: `a**/b` is `a`, and then `**/b`
        rest = wildcards.translate(text[start:], within_folders=True, ignore_case=ignore_case)
        return None if rest is None else re.escape(text[:start]) + rest


class _Side:
    """Patterns made ready for quick look-ups: of those that match, the last one decides."""

    def __init__(self, patterns: Sequence[_Pattern], *, ignore_case: bool) -> None:
        self.patterns = patterns
        self._names: dict[str, int] = {}
        self._suffixes: dict[str, int] = {}
        self._paths: dict[str, int] = {}
        by_name: list[tuple[int, str]] = []
        by_path: list[tuple[int, str]] = []
        for number, pattern in enumerate(patterns):
            if ignore_case:
                pattern.text = pattern.text.translate(_LOWER)
            if (literal := pattern.literal()) is not None:
                (self._names if pattern.by_name else self._paths)[literal] = number
            elif (suffix := pattern.suffix()) is not None:
                self._suffixes[suffix] = number
            elif (expression := pattern.expression(ignore_case=ignore_case)) is not None:
                (by_name if pattern.by_name else by_path).append((number, expression))
        self._by_name = _alternatives(by_name)
        self._by_path = _alternatives(by_path)

    def verdict(self, path: str, name: str) -> bool | None:
        """Say what the last matching pattern says of a path (relative to the ignore file)."""
        last = self._names.get(name, -1)
        if self._suffixes and (dot := name.rfind(".")) >= 0:
            last = max(last, self._suffixes.get(name[dot:], -1))
        if self._paths:
            last = max(last, self._paths.get(path, -1))
        if self._by_name is not None:
            last = max(last, self._by_name(name))
        if self._by_path is not None:
            last = max(last, self._by_path(path))
        return None if last < 0 else not self.patterns[last].negated


def _alternatives(expressions: Sequence[tuple[int, str]]) -> Callable[[str], int] | None:
    """Return a function from a text to the largest number whose expression matches it, -1 for none."""
    if not expressions:
        return None
    numbers = [number for number, _ in reversed(expressions)]
    search = re.compile("|".join(f"({text})" for _, text in reversed(expressions)), re.DOTALL | re.ASCII).fullmatch

    def largest(text: str) -> int:
        match = search(text)
        return numbers[match.lastindex - 1] if match and match.lastindex else -1

    return largest


def _bytewise(text: str) -> str:
    """Return one character for each byte of a file name."""
    return text if text.isascii() else os.fsencode(text).decode("latin-1")


def _parse(data: bytes) -> Iterator[_Pattern]:
    for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        if line.startswith(b"#"):
            continue
        text = _without_trailing_spaces(line.removesuffix(b"\r").split(b"\0", 1)[0].decode("latin-1"))
        if text.removeprefix("!").strip("/"):
            yield _Pattern(text)


def _without_trailing_spaces(text: str) -> str:
    """Drop spaces at the end, but none behind a backslash."""
    bare = text.rstrip(" ")
    escapes = len(bare) - len(bare.rstrip("\\"))
    return text[: len(bare) + 1] if escapes % 2 else bare


# ---------------------------------------------------------------- what lies outside the tree


def contents(path: str, most: int = _LARGEST_FILE, *, follow: bool = True) -> bytes:
    """Return the first bytes of a regular file, none if it cannot be read."""
    try:
        return read_regular(path, most, follow=follow)
    except (OSError, ValueError):
        return b""


def read_regular(path: str, most: int = sys.maxsize, *, follow: bool = False) -> bytes:
    """Return at most so many bytes of a file, without waiting for a pipe or touching a device; raises OSError and ValueError."""
    descriptor = os.open(path, os.O_RDONLY | _QUICK | (0 if follow else _NO_LINK))
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        parts, left = [], most
        while left > 0 and (part := os.read(descriptor, min(left, status.st_size + 1))):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)
    finally:
        os.close(descriptor)


def _rules_around(root: str) -> tuple[tuple[Rules, ...], bool]:
    """Return git's rules from above a root, and whether they ignore case; none where they leave out the root itself."""
    if os.path.lexists(os.path.join(root, ".git")):
        return (), False  # its rules are read when the root is entered
    top = os.path.dirname(root)
    while not os.path.lexists(os.path.join(top, ".git")):
        if top == os.path.dirname(top):
            return _user_rules(_config([*_user_configs()])), False
        top = os.path.dirname(top)
    rules, ignore_case = _repository_rules(top, "")
    prefix = os.path.relpath(root, top).replace(os.sep, "/") + "/"
    rules = tuple(Rules(each.data, prefix=prefix, ignore_case=ignore_case) for each in rules)
    names = prefix.rstrip("/").split("/")
    for depth in range(len(names)):
        if data := contents(os.path.join(top, *names[:depth], IGNORE_FILE), follow=False):
            below = "/".join(names[depth:])
            rules = (Rules(data, prefix=f"{below}/", ignore_case=ignore_case), *rules)
            steps = [("/".join(names[depth : end + 1]), names[end]) for end in range(depth, len(names))]
            plain = Rules(data, ignore_case=ignore_case)
            if any(plain.verdict(path, name, is_folder=True) for path, name in steps):
                return (), ignore_case
    return rules, ignore_case


def _repository_rules(top: str, folder: str) -> tuple[tuple[Rules, ...], bool]:
    """Return the rules that a repository has beside its `.gitignore` files, and whether it ignores case."""
    common = _common_directory(os.path.join(top, ".git"))
    settings = _config([*_user_configs(), os.path.join(common, "config")])
    ignore_case = settings.get("core.ignorecase", "").lower() in ("true", "yes", "on", "1")
    excludes = contents(os.path.join(common, "info", "exclude"))
    rules = tuple(Rules(each.data, folder, ignore_case=ignore_case) for each in _user_rules(settings))
    return ((Rules(excludes, folder, ignore_case=ignore_case), *rules) if excludes else rules), ignore_case


def _common_directory(git: str) -> str:
    """Return where a repository's own files lie: a worktree and a submodule have only a file that leads there."""
    if not os.path.isdir(git):
        link = contents(git).decode("utf-8", "surrogateescape").strip()
        git = os.path.join(os.path.dirname(git), link.removeprefix("gitdir:").strip())
    common = contents(os.path.join(git, "commondir")).decode("utf-8", "surrogateescape").strip()
    return os.path.join(git, common) if common else git


def _user_rules(settings: Mapping[str, str]) -> tuple[Rules, ...]:
    """Return the rules of the user's excludes file."""
    path = settings.get("core.excludesfile", os.path.join(_config_home(), "git", "ignore"))
    data = contents(os.path.expanduser(path)) if path else b""
    return (Rules(data),) if data else ()


def _config_home() -> str:
    return os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")


def _user_configs() -> Iterator[str]:
    """Yield where git's settings lie that hold for all repositories, the strongest last."""
    if os.environ.get("GIT_CONFIG_NOSYSTEM", "").lower() not in ("true", "yes", "on", "1"):
        yield os.environ.get("GIT_CONFIG_SYSTEM", "/etc/gitconfig")
    if "GIT_CONFIG_GLOBAL" in os.environ:
        yield os.environ["GIT_CONFIG_GLOBAL"]
    else:
        yield os.path.join(_config_home(), "git", "config")
        yield os.path.join(os.path.expanduser("~"), ".gitconfig")


def _config(paths: Sequence[str], depth: int = 0) -> dict[str, str]:
    """Return the settings of git's section `core`, the last file being the strongest; plain includes are followed."""
    settings: dict[str, str] = {}
    for path in paths:
        section = ""
        text = contents(path).decode("utf-8", "surrogateescape").removeprefix("\ufeff")
        for line in _CONTINUATION.sub("", text).split("\n"):
            if header := _SECTION.match(line):
                section = "" if header[2] else header[1].strip().lower()
                line = line[header.end() :]
            if section in ("core", "include") and (setting := _SETTING.match(line)):
                name, value = setting[1].lower(), "true" if setting[2] is None else _value(setting[2])
                if section == "include" and name == "path" and depth < 5:
                    place = os.path.join(os.path.dirname(path), os.path.expanduser(value))
                    settings |= _config([place], depth + 1)
                settings[f"{section}.{name}"] = value
    return settings


def _value(text: str) -> str:
    """Return a setting's value without quotes, escapes and the comment behind it."""
    value, kept, quoted = "", 0, False
    signs = iter(text.strip())
    for sign in signs:
        if sign == '"':
            quoted = not quoted
        elif sign in "#;" and not quoted:
            break
        else:
            value += _ESCAPES.get(escaped := next(signs, ""), escaped) if sign == "\\" else sign
        if quoted or not sign.isspace():
            kept = len(value)
    return value[:kept]
