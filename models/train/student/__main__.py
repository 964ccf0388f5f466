"""Make the larger model from DATA and measure it: `python models/train/student DATA WORK`; models/train/README.md says more."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

# The data's format lies above; GGUF and ONNX are written by what the tests of the engines write them with.
sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[3] / "tests"))

import torch

from corpus import SMOKE, Folder
from minilm_reference import folder
from student import pipeline


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python models/train/student", description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path, help="what is made on the way, and the model in `model`")
    parser.add_argument(
        "--teacher", type=Path, default=folder(), help="all-MiniLM-L6-v2: `python tests/minilm_gguf.py`"
    )
    parser.add_argument("--device", default="", help="cuda or cpu; cuda if there is one")
    parser.add_argument("--smoke", action="store_true", help="on a thousandth of the data, to see that all steps run")
    parser.add_argument("--steps", type=int, default=0, help="other than planned")
    arguments = parser.parse_args()
    if arguments.teacher is None:
        parser.error("the teacher is missing: `python tests/minilm_gguf.py` fetches it, or `--teacher FOLDER` names it")
    plan = pipeline.SMOKE_PLAN if arguments.smoke else pipeline.Plan()
    device = arguments.device or ("cuda" if torch.cuda.is_available() else "cpu")
    data = Folder(arguments.data, SMOKE if arguments.smoke else 1)
    if arguments.steps:
        plan = plan._replace(training=plan.training._replace(steps=arguments.steps))
    figures = pipeline.make(data, arguments.work, arguments.teacher, plan, device)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
