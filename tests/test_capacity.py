"""What fits a machine, how long it takes there, and how the machine is looked at."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from codeseek import capacity, catalogue
from codeseek.capacity import Card, Machine


@pytest.mark.parametrize(
    ("memory", "cards", "fit"),
    [
        (16e9, (), "yes"),
        (6e9, (), "tight"),
        (4e9, (), "no"),
        (4e9, (Card("X", 8_000_000_000),), "graphics"),
        (16e9, (Card("X", 2_000_000_000),), "yes"),
        (0, (), "yes"),
    ],
)
def test_what_fits_is_told_by_memory_and_graphics(memory: float, cards: tuple[Card, ...], fit: str) -> None:
    variant = catalogue.find("qwen3-embedding-4b").variants[0]
    assert capacity.fit(variant, Machine(2, int(memory), int(memory), cards)) == fit


def test_estimates_are_those_that_were_measured() -> None:
    machine = Machine(2, 0, 0)
    hours = {
        ("all-minilm-l6-v2", "F16"): 4 / 60,
        ("qwen3-embedding-0.6b", "Q8_0"): 3.4,
        ("qwen3-embedding-4b", "Q4_K_M"): 14,
        ("qwen3-embedding-4b", "Q8_0"): 18,
    }
    for (name, quant), measured in hours.items():
        spec = catalogue.find(name)
        time = capacity.indexing_time(spec, spec.variant(quant), 10_000, machine)
        assert time is not None
        assert 0.7 * measured < time.least_s / 3600 < 1.3 * measured
        assert time.most_s == 2 * time.least_s


def test_a_program_in_the_project_is_not_run_to_look_at_the_machine(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = project / "nvidia-smi"
    program.write_text("#!/bin/sh\n: > ran\necho X, 8192\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f".{os.pathsep}")
    assert capacity.look().cards == ()
    assert not (project / "ran").exists()
    monkeypatch.setenv("PATH", str(project))
    assert capacity.look().cards == (Card("X", 8 << 30),)


def test_this_machine_has_cores_and_memory() -> None:
    machine = capacity.look()
    assert machine.cores > 0
    assert machine.memory >= machine.free > 0
