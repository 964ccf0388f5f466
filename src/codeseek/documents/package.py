"""Open the packages that office documents and books are: ZIP archives of XML, neither of which may blow up."""

from __future__ import annotations

import io
import posixpath
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import unquote
from xml.parsers import expat

from codeseek.documents.record import Unfit

_LARGEST, _LARGEST_ALL = 64_000_000, 200_000_000
"""Bytes that one entry, and all that are read, may have unpacked."""
_MOST_ENTRIES = 50_000
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # what Office wraps around an encrypted document

Attributes = Mapping[str, str]


class Package:
    """An archive whose entries are read one by one; raises `Unfit` for whatever is wrong with it."""

    def __init__(self, data: bytes) -> None:
        if data.startswith(_COMPOUND):
            raise Unfit("encrypted, or of an old format")
        with _told():
            self._archive = zipfile.ZipFile(io.BytesIO(data))
        self._names = set(self._archive.namelist())
        self._left = _LARGEST_ALL
        if len(self._names) > _MOST_ENTRIES:
            raise Unfit("too many entries")

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def read(self, name: str) -> bytes:
        """Return an entry's bytes."""
        if name not in self._names:
            raise Unfit("damaged")
        with _told():
            if self._archive.getinfo(name).flag_bits & 1:
                raise Unfit("encrypted")
            with self._archive.open(name) as stream:
                data = stream.read(min(_LARGEST, self._left) + 1)
        self._left -= len(data)
        if len(data) > _LARGEST or self._left < 0:
            raise Unfit("too large when unpacked")
        return data

    def related(self, name: str) -> dict[str, str]:
        """Return the entries that one refers to, by the ids that it uses for them."""
        folder, _, own = name.rpartition("/")
        path = posixpath.join(folder, "_rels", f"{own}.rels")
        found: dict[str, str] = {}
        if path in self:

            def start(tag: str, attributes: Attributes) -> None:
                if tag == "Relationship" and attributes.get("TargetMode") != "External":
                    found[attributes.get("Id", "")] = resolved(name, attributes.get("Target", ""))

            parse(self.read(path), start)
        return found


def resolved(base: str, target: str) -> str:
    """Return the name of the entry that another one points at."""
    target = unquote(target.partition("#")[0])
    if target.startswith("/"):
        return target.lstrip("/")
    return posixpath.normpath(posixpath.join(posixpath.dirname(base), target))


def parse(
    data: bytes,
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    """Go through XML by tags and text, names without namespaces; what declares entities is refused.

    References to other parts of a package are attributes called `r:id`.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True

    def started(tag: str, attributes: Attributes) -> None:
        start(tag.rpartition(" ")[2], {_local(name): value for name, value in attributes.items()})

    def refused(*_: object) -> int:
        raise Unfit("declares entities")

    parser.StartElementHandler = started
    if end is not None:
        ended = end
        parser.EndElementHandler = lambda tag: ended(tag.rpartition(" ")[2])
    if text is not None:
        parser.CharacterDataHandler = text
    parser.EntityDeclHandler = refused
    parser.ExternalEntityRefHandler = refused
    try:
        parser.Parse(data, True)  # noqa: FBT003  that is its signature
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise Unfit("damaged") from error


def _local(name: str) -> str:
    """Return an attribute's name without its namespace, but for `r:id`, which stands beside another `id`."""
    space, _, local = name.rpartition(" ")
    return f"r:{local}" if space.endswith("/relationships") else local


def title_in(package: Package, name: str = "docProps/core.xml") -> str:
    """Return the title that a package gives itself."""
    if name not in package:
        return ""
    found: list[str] = []
    inside = False

    def start(tag: str, _: Attributes) -> None:
        nonlocal inside
        inside = tag == "title" and not found

    def text(data: str) -> None:
        if inside:
            found.append(data)

    def end(_: str) -> None:
        nonlocal inside
        inside = False

    parse(package.read(name), start, end, text)
    return " ".join("".join(found).split())


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, struct.error, ValueError, KeyError, OSError) as error:
        raise Unfit("damaged") from error
    except (NotImplementedError, RuntimeError) as error:
        raise Unfit("packed in a way that is not known") from error
