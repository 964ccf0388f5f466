"""Read EPUB books: the text of their parts in the order of reading."""

from __future__ import annotations

from codeseek import decoding
from codeseek.documents import html
from codeseek.documents.package import Attributes, Package, parse, resolved, title_in
from codeseek.documents.record import MOST_CHARACTERS, Document, Part, Title, Unfit, title_of, wrapped


def read(data: bytes) -> Document:
    """Return a book's text, a part for each of its files; raises `Unfit`."""
    package = Package(data)
    contents = _contents(package)
    spine = _spine(package, contents)
    if any(name in _encrypted(package) for name in spine):
        raise Unfit("encrypted")
    parts, size = [], 0
    for number, name in enumerate(spine, 1):
        if name not in package:
            continue
        part = _part(f"part {number}", package.read(name))
        size += sum(map(len, part.lines))
        if size > MOST_CHARACTERS:
            raise Unfit("too much text")
        if part.lines:
            parts.append(part)
    if not parts:
        raise Unfit("no text")
    return Document(tuple(parts), title_of(title_in(package, contents)))


def _part(anchor: str, data: bytes) -> Part:
    lines: list[str] = []
    titles: list[Title] = []
    for block in html.read(decoding.decode(data) or "")[1]:
        text = block.text
        if block.preformatted:
            wanted = [line.rstrip() for line in block.verbatim.split("\n") if line.strip()]
        else:
            wanted = [text] if block.depth else wrapped(text)
        if wanted and lines:
            lines.append("")
        if block.depth and text:
            titles.append(Title(len(lines), block.depth, text))
        lines += wanted
    return Part(anchor, tuple(lines), tuple(titles))


def _contents(package: Package) -> str:
    """Return the name of the file that lists a book's parts."""
    found: list[str] = []

    def start(tag: str, attributes: Attributes) -> None:
        if tag == "rootfile":
            found.append(attributes.get("full-path", ""))

    parse(package.read("META-INF/container.xml"), start)
    return found[0] if found else ""


def _spine(package: Package, contents: str) -> list[str]:
    """Return the names of a book's parts in order."""
    names: dict[str, str] = {}
    order: list[str] = []

    def start(tag: str, attributes: Attributes) -> None:
        if tag == "item":
            names[attributes.get("id", "")] = resolved(contents, attributes.get("href", ""))
        elif tag == "itemref":
            order.append(attributes.get("idref", ""))

    parse(package.read(contents), start)
    return [names[identity] for identity in order if identity in names]


def _encrypted(package: Package) -> frozenset[str]:
    """Return the names of what is encrypted; often only fonts are."""
    name = "META-INF/encryption.xml"
    found: list[str] = []

    def start(tag: str, attributes: Attributes) -> None:
        if tag == "CipherReference":
            found.append(resolved("", attributes.get("URI", "")))

    if name in package:
        parse(package.read(name), start)
    return frozenset(found)
