"""What this machine can run: its memory, cores and graphics cards, and how long a model would take on it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Literal, NamedTuple

from codeseek.catalogue import ModelSpec, Variant

TOKENS_PER_CHUNK = 200
BYTES_PER_CHUNK = 550
"""What a chunk comes to with its path and name, on average over seven repositories; a token is 3.4 characters."""

_WORK = {"Q4": 8e10, "": 5e10}
"""Parameters that one core multiplies with tokens in a second, by how the parameters are kept.

Measured with llama.cpp on AVX-512, for 200-token texts: MiniLM F16 4000 tokens a second, Jina v2 F16 515, Qwen3 0.6B
Q8_0 82 and Q4_K_M 153, 4B Q8_0 15 and Q4_K_M 19. It is about half of that on processors without AVX-512.
"""

Fit = Literal["yes", "graphics", "tight", "no", "server"]


class Card(NamedTuple):
    """A graphics card and its memory in bytes; Apple's share the machine's."""

    name: str
    memory: int


class Machine(NamedTuple):
    """What a machine has; memory is in bytes, what is free being what can be had without swapping."""

    cores: int
    memory: int
    free: int
    cards: tuple[Card, ...] = ()


class Span(NamedTuple):
    """An estimate in seconds: at best, and on an older or busy processor."""

    least_s: float
    most_s: float


def look() -> Machine:
    """Find out what this machine has; what cannot be found out is 0."""
    total, free = _memory()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Machine(cores, total, free, (*_nvidia(), *_amd(), *_apple(total)))


def fit(variant: Variant, machine: Machine) -> Fit:
    """Say how a variant fits a machine: into a graphics card, its memory, hardly, or not."""
    if variant.engine == "remote":
        return "server"
    if variant.engine == "gguf" and any(card.memory >= variant.memory for card in machine.cards):
        return "graphics"
    if not machine.memory or variant.memory <= machine.memory * 0.5:
        return "yes"
    return "tight" if variant.memory <= machine.memory * 0.8 else "no"


def indexing_time(spec: ModelSpec, variant: Variant, chunks: int, machine: Machine) -> Span | None:
    """Estimate how long a model takes to embed so many chunks on the processor, None where that cannot be told."""
    parameters = spec.active_parameters or spec.parameters
    if variant.engine not in ("gguf", "onnx") or not parameters:
        return None
    work = next(work for prefix, work in _WORK.items() if variant.name.upper().startswith(prefix))
    least = chunks * TOKENS_PER_CHUNK * parameters / work / machine.cores
    return Span(least, 2 * least)


def _memory() -> tuple[int, int]:
    """Return all memory that this process may use, and how much of it is free."""
    total = free = 0
    if sys.platform == "win32":
        return _windows_memory()
    with contextlib.suppress(ValueError, OSError, AttributeError):
        total = free = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with contextlib.suppress(OSError, StopIteration, ValueError):
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        free = next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")) * 1024
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):  # `max` is no limit
            total = min(total, int(Path(limit).read_text("ascii")))
    return total, min(free, total)


def _windows_memory() -> tuple[int, int]:
    import ctypes

    class Status(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            *((name, ctypes.c_ulonglong) for name in ("total", "free", "file", "file_free", "own", "own_free", "more")),
        )

    status = Status()
    status.length = ctypes.sizeof(Status)
    ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))  # type: ignore[attr-defined] # on Windows only
    return int(status.total), int(status.free)


def _nvidia() -> tuple[Card, ...]:
    """Ask the driver's own program."""
    program = shutil.which("nvidia-smi")
    if program is None or not os.path.isabs(program):  # what lies in the current folder is a project's: never run
        return ()
    try:
        done = subprocess.run(
            [program, "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            check=True,
            timeout=5,
        )
        rows = [line.rpartition(",") for line in done.stdout.splitlines() if line.strip()]
        return tuple(Card(name.strip(), int(mebibytes) << 20) for name, _, mebibytes in rows)
    except (OSError, ValueError, subprocess.SubprocessError):
        return ()


def _amd() -> tuple[Card, ...]:
    """Read what the Linux driver tells of cards with memory of their own."""
    cards = []
    for path in sorted(Path("/sys/class/drm").glob("card*/device/mem_info_vram_total")):
        with contextlib.suppress(OSError, ValueError):
            memory = int(path.read_text("ascii"))
            if memory > 1 << 30:  # less is set aside by a processor's own graphics
                cards.append(Card("AMD graphics", memory))
    return tuple(cards)


def _apple(total: int) -> tuple[Card, ...]:
    """Apple's processors lend their graphics two thirds of the memory."""
    import platform

    return (
        (Card("Apple graphics", total * 2 // 3),) if sys.platform == "darwin" and platform.machine() == "arm64" else ()
    )
