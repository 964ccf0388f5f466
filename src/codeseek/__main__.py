"""`python -m codeseek` is the `codeseek` command."""

from __future__ import annotations

import sys

from codeseek.cli import main

if __name__ == "__main__":
    sys.exit(main())
