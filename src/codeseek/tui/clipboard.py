"""Copying: by the terminal (OSC 52), which works over SSH, and by the system's own clipboard where there is one."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess

_COMMANDS = (
    ("WAYLAND_DISPLAY", ("wl-copy",)),
    ("DISPLAY", ("xclip", "-selection", "clipboard")),
    ("DISPLAY", ("xsel", "--clipboard", "--input")),
    ("", ("pbcopy",)),
    ("", ("clip.exe",)),
)


def put(text: str) -> bool:
    """Give a text to the system's clipboard; False where there is none. May take a while: call it in a thread."""
    for variable, command in _COMMANDS:
        if (variable and not os.environ.get(variable)) or shutil.which(command[0]) is None:
            continue
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            subprocess.run(
                command,
                input=text.encode("utf-8", "surrogateescape"),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=5,
                check=True,
            )
            return True
    return False
