"""What a definition is called: names, cleaned of what isn't part of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

Name = tuple[str, int, str]
"""A name, its parts joined by dots, the byte where it stands, and a kind where it is another than the capture says.

The empty name: no definition.
"""

Reader = Callable[["Node", bytes], Name]

NAMELESS: Name = ("", 0, "")

_ARGUMENTS = re.compile(r"<[^<>]*>|\[[^\[\]]*\]|\{[^{}]*\}")
PATH = re.compile(r"[\w$#.?!]+")
_KEYWORDS = frozenset("if for while switch return catch else".split())
_QUOTES = str.maketrans("", "", '"`[]')
LONGEST = 120


def text_of(node: Node | None, data: bytes) -> str:
    """Return a node's text."""
    return "" if node is None else data[node.start_byte : node.end_byte].decode("utf-8", "replace")


def plain(name: str) -> str:
    """Return a name without type arguments and quotes, its parts joined by dots."""
    if name[:1] == "[":
        return name  # an operator
    if "<" in name or "[" in name or "{" in name:
        previous = ""
        while previous != name:
            previous, name = name, _ARGUMENTS.sub("", name)
    if "::" in name:
        name = name.replace("::", ".").strip(".")
    name = "".join(name.split())
    return "" if name in _KEYWORDS else name[:LONGEST]


def unquoted(name: str) -> str:
    """Return an SQL name without the quotes of any dialect."""
    return "".join(name.translate(_QUOTES).split())


def named(node: Node | None, data: bytes) -> Name:
    """Return a node's text as a name."""
    if node is None:
        return NAMELESS
    name = data[node.start_byte : node.end_byte].decode("utf-8", "replace")
    return (name if name.isidentifier() and name not in _KEYWORDS else plain(name.strip("'\"`@"))), node.start_byte, ""


def child(node: Node | None, *kinds: str) -> Node | None:
    """Return a node's first named child of one of the types."""
    if node is not None:
        for found in node.named_children:
            if found.type in kinds:
                return found
    return None
