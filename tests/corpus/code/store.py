"""A store that keeps values by name.

It is used by the tests only.
"""

from __future__ import annotations

import os

LIMIT = 10
Names = dict[str, int]


# How long a value may lie here
# before it is thrown away.
@cached
@registered(
    name="store",
)
class Store(Base):
    """Keep values by name, the newest ones first, and forget the others."""

    size: int = 0
    LOCK = None

    def __init__(self, root: str) -> None:
        self.root = root

    @property
    def count(self) -> int:
        """How many."""
        return self.size  # not counted anew

    async def load(self, name: str) -> bytes:
        # Comments inside of functions are no overlays, whatever they say and however long they are.
        def inner() -> None:
            pass

        return b""


def main() -> int:
    return os.getpid()


if __name__ == "__main__":
    main()
