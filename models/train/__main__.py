"""Make the bundled model, and measure models of its kind: `python models/train make DATA WORK`, `… measure MODEL`.

README.md in this folder says what DATA holds and how to get it. Every step keeps what it made in WORK, and is done anew
only when its inputs or its version changed.
"""

from __future__ import annotations

import argparse
import os
from functools import partial
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: its threads wait by spinning
os.environ.setdefault("OMP_NUM_THREADS", "1")

import measure
import pipeline
import teacher
from corpus import SMOKE, Folder

BUNDLED = Path(__file__).parent.parent / "bundled"


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python models/train", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("make", help="make the model from DATA, keeping what steps made in WORK")
    making.add_argument("data", type=Path)
    making.add_argument("work", type=Path)
    making.add_argument("--teacher", type=Path, help="all-MiniLM-L6-v2 as GGUF: `python tests/minilm_gguf.py FILE`")
    making.add_argument("--into", type=Path, default=BUNDLED)
    making.add_argument(
        "--smoke", action="store_true", help="train for a moment on little data, to see that all steps run"
    )
    making.add_argument("--every", type=int, help="read every so manieth line; 1, with --smoke 1000")
    measuring = commands.add_parser("measure", help="measure a model, side by side with another")
    measuring.add_argument("model", type=Path)
    measuring.add_argument("--beside", type=Path, help="another model of the same format")
    measuring.add_argument("--data", type=Path, help="the training data: its held-out pairs are asked")
    measuring.add_argument("--bench", type=Path, help="the benchmark's questions")
    measuring.add_argument("--trees", type=Path, help="the benchmark's repositories")
    measuring.add_argument("--repositories", type=Path, help="held-out repositories with Chinese comments")
    measuring.add_argument("--rows", type=Path, help="WORK/rows.npy: the table before it was made int8")
    measuring.add_argument("--json", type=Path, help="write the figures there too")
    arguments = parser.parse_args()
    if arguments.command == "make":
        if arguments.teacher is None:
            making.error(
                "the teacher is missing: `python tests/minilm_gguf.py FILE` writes it, `--teacher FILE` names it"
            )
        data = Folder(arguments.data, arguments.every or (SMOKE if arguments.smoke else 1))
        teach = partial(teacher.load, arguments.teacher, os.cpu_count() or 1)
        effort = pipeline.SMOKE if arguments.smoke else pipeline.FULL
        pipeline.make(data, arguments.work, teach, arguments.into, effort)
    else:
        measure.main(arguments)


if __name__ == "__main__":
    main()
