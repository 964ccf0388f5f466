"""Documents that are no plain text: what their formats are called, and what reads each."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codeseek.documents.record import Document

FORMATS = {
    "pdf": ("pdf", "read"),
    "notebook": ("notebook", "read"),
    "docx": ("office", "word"),
    "pptx": ("office", "slides"),
    "epub": ("epub", "read"),
}
"""The module and the function that reads each format, by the name of its language."""

MISSING = "needs `pip install codeseek[docs]`"


def missing(language: str) -> str:
    """Return why files of a format cannot be read here, empty when they can: only PDF takes more than Python has."""
    return MISSING if language == "pdf" and find_spec("pypdfium2") is None else ""


def fragment(anchor: str) -> str:
    """Return what leads to an anchor at the end of a link, where viewers know such a thing: `#page=3`."""
    name, _, number = anchor.partition(" ")
    return f"#page={number}" if name == "page" else ""


def read(language: str, data: bytes) -> Document:
    """Return the text of a document; raises `Unfit`, and whatever else a damaged one leads to."""
    module, function = FORMATS[language]
    document: Document = getattr(import_module(f"{__name__}.{module}"), function)(data)
    return document
