"""What can go wrong for a user: each error carries a message, a hint and an exit code.

CodeseekError
├── UsageError      the request cannot be meant: no such folder, empty query, unknown language
├── ConfigError     a setting has a wrong name or value
├── ProjectError    the project cannot be read
├── StoreError      the index cannot be read or written
│   └── BusyError   another process is writing it
├── ModelError      a model is missing, damaged or unfit
└── DaemonError     the daemon cannot be started, or does not answer
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The process's exit status."""

    FOUND = 0
    NOTHING_FOUND = 1
    FAILED = 2
    DEGRADED = 3
    INTERRUPTED = 130


class CodeseekError(Exception):
    """A bad situation that a user can mend; `hint` says how."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(CodeseekError):
    """The request cannot be meant."""


class ConfigError(CodeseekError):
    """A setting has a wrong name or value."""


class ProjectError(CodeseekError):
    """The project cannot be read."""


class StoreError(CodeseekError):
    """The index cannot be read or written."""


class BusyError(StoreError):
    """Another process is writing the index."""


class DaemonError(CodeseekError):
    """The daemon cannot be started, or does not answer."""


class ModelError(CodeseekError):
    """A model is missing, damaged or unfit."""
