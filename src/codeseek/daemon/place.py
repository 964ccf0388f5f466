"""Where the daemon lies: a private folder with its socket, its lock and its log."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

from codeseek.errors import DaemonError

_LONGEST = 100
"""Bytes of a socket's path; systems take 104 or 108."""


def is_possible() -> bool:
    """Tell whether this system has what a daemon needs."""
    return hasattr(socket, "AF_UNIX") and hasattr(os, "getuid")


def folder() -> Path:
    """Return the private folder, made if there is none; raises `DaemonError` when none can be had that is safe."""
    problem: Exception | str = "its path is too long for a socket"
    for place in _places():
        if len(os.fsencode(place / "daemon.sock")) > _LONGEST:
            continue
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = place.lstat()
        except OSError as error:
            problem = error
            continue
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            problem = f"`{place}` is somebody else's"
            continue
        if stat.S_IMODE(found.st_mode) != 0o700:
            place.chmod(0o700)
        return place
    raise DaemonError(f"there is no private folder for the daemon: {problem}", hint="set `daemon = never`")


def _places() -> Iterator[Path]:
    """Yield where the folder may be, the best place first. Each installation has a daemon of its own."""
    import hashlib
    import tempfile
    import warnings

    from platformdirs import user_runtime_path

    with warnings.catch_warnings():  # without a session of the user there is no folder for such things; so it says
        warnings.simplefilter("ignore")
        base = user_runtime_path(appauthor=False)
    own = hashlib.blake2b(os.fsencode(os.path.dirname(__file__)), digest_size=4).hexdigest()
    yield base / f"codeseek-{own}"
    for parent in (tempfile.gettempdir(), "/tmp"):  # noqa: S108  what is found there is checked
        yield Path(parent, f"codeseek-{os.getuid()}-{own}")


def socket_path(place: Path) -> Path:
    """Return where the daemon listens."""
    return place / "daemon.sock"


def lock_path(place: Path) -> Path:
    """Return the lock that the daemon holds as long as it lives."""
    return place / "daemon.lock"


def start_lock_path(place: Path) -> Path:
    """Return the lock of whoever is starting the daemon."""
    return place / "start.lock"


def log_path(place: Path) -> Path:
    """Return where the daemon writes what nobody is there to hear."""
    return place / "daemon.log"
