"""Read HTML: the main text of a page with its headings, without menus, scripts and markup."""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from codeseek.documents.record import Document, Part, Title, cleaned

_LONGEST_TAG = 5_000
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)((?:[^>\"']++|\"[^\"]*+\"|'[^']*+')*+)>")
_NAME = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)")
_RAW = {
    name: re.compile(rf"</{name}\b", re.IGNORECASE) for name in "script style textarea title xmp noembed iframe".split()
}
"""Elements in which nothing is markup but their own end."""
_MAIN = ("main", "article")
_MAIN_ROLE = re.compile(r"\brole\s*=\s*[\"']?main\b", re.IGNORECASE)
_HIDDEN = re.compile(r"\bhidden\b(?!\s*=\s*[\"']?until)|aria-hidden\s*=\s*[\"']?true|display:\s*none", re.IGNORECASE)
_DROPPED = frozenset("nav footer aside form noscript svg template button select object canvas dialog head math".split())
_BLOCKS = frozenset(
    "p div section article main header li ul ol dl dt dd table thead tbody tr caption blockquote pre figure figcaption"
    " h1 h2 h3 h4 h5 h6 hr br details summary address fieldset body html title".split()
)
_VOID = frozenset("br hr img input meta link area base col embed source track wbr".split())
_HEADINGS = {f"h{depth}": depth for depth in range(1, 7)}
_LINE_END = re.compile(r"\r\n|\r|\n")
_TEMPLATE = re.compile(
    r"\{\{|\{%|<%|<\?php|\$\{|\*ng(?:If|For)|\bv-(?:if|for|bind|model)=|\bth:\w+=|\bx-data=|\[\(ngModel\)\]|<(?:ng|app)-[\w-]+"
)
_LEAST_TEXT, _LEAST_SHARE = 200, 0.1
"""A page has so many characters to read, and so large a share of it is text; else it is markup that programs use."""


@dataclass(slots=True)
class Block:
    """Text that stands by itself: its pieces with their places, a heading's depth, and how much of it is links."""

    depth: int = 0
    preformatted: bool = False
    main: bool = False
    linked: int = 0
    pieces: list[tuple[int, str]] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text in one line."""
        return cleaned(html.unescape("".join(piece for _, piece in self.pieces)))

    @property
    def verbatim(self) -> str:
        """The text with its lines, as code wants it."""
        return html.unescape("".join(piece for _, piece in self.pieces)).expandtabs(4)

    @property
    def size(self) -> int:
        """How many characters it has, spaces aside."""
        return sum(len(piece.strip()) for _, piece in self.pieces)


class _Token(NamedTuple):
    """A tag, or text where `name` is empty."""

    place: int
    name: str
    closes: bool
    text: str


def page(text: str) -> Document | None:
    """Return the main text of a page, each line where it stands in the file; None for a template or what is no page."""
    if _is_template(text):
        return None
    title, blocks = read(text)
    size = sum(block.size for block in blocks)
    if size < _LEAST_TEXT or size < _LEAST_SHARE * len(text):
        return None
    starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
    lines = [""] * len(starts)
    titles = []
    for block in blocks:
        own: dict[int, str] = {}
        for place, piece in block.pieces:
            first = bisect_right(starts, place) - 1
            for number, part in enumerate(_LINE_END.split(piece), first):
                own[number] = own.get(number, "") + part
        shown = {number: line for number, part in own.items() if (line := _shown(part, block))}
        for number, line in shown.items():
            lines[number] = f"{lines[number]} {line}" if lines[number] else line
        if block.depth and shown:
            titles.append(Title(min(shown), block.depth, block.text))
    return Document((Part("", tuple(lines), tuple(titles)),), title)


def _is_template(text: str) -> bool:
    """Tell whether markup is filled in by a program: it has signs of that outside of scripts and of code that is shown."""
    shown = 0
    for token in _tokens(text):
        if token.name in ("pre", "code"):
            shown = max(0, shown + (-1 if token.closes else 1))
        elif not shown and _TEMPLATE.search(token.text):
            return True
    return False


def _shown(line: str, block: Block) -> str:
    """Return a line's text, with its indentation where it is code."""
    text = html.unescape(line)
    bare = cleaned(text)
    if not bare or not block.preformatted:
        return bare
    text = text.expandtabs(4)
    return " " * min(40, len(text) - len(text.lstrip(" "))) + bare


def read(text: str) -> tuple[str, list[Block]]:
    """Return a page's title and its blocks; of a page that says where its main part is, only these."""
    title, blocks = "", [Block()]
    dropped, depth_of_dropped = "", 0
    open_main: list[str] = []
    heading = links = preformatted = 0
    for token in _tokens(text):
        name = token.name
        if dropped:
            if name == dropped:
                depth_of_dropped += -1 if token.closes else 1
                if not depth_of_dropped:
                    dropped = ""
            elif name == "title" and not token.closes and dropped == "head":
                title = title or cleaned(html.unescape(token.text))
            elif name == "body":  # a head that is never closed
                dropped = ""
            continue
        if not name:
            blocks[-1].pieces.append((token.place, token.text))
            blocks[-1].linked += len(token.text.strip()) if links else 0
            continue
        if name == "title":
            title = title or cleaned(html.unescape(token.text))
            continue
        if not token.closes and (name in _DROPPED or (name not in _VOID and _HIDDEN.search(token.text))):
            dropped, depth_of_dropped = name, 1
            continue
        if not token.closes and (name in _MAIN or _MAIN_ROLE.search(token.text)):
            open_main.append(name)
        elif open_main and token.closes and name == open_main[-1] and name in _MAIN:
            open_main.pop()
        if name == "a":
            links = 0 if token.closes else 1
        elif name == "pre":
            preformatted = 0 if token.closes else 1
        elif name in _HEADINGS:
            heading = 0 if token.closes else _HEADINGS[name]
        if name in _BLOCKS:
            if blocks[-1].pieces:
                blocks.append(Block())
            blocks[-1].depth, blocks[-1].preformatted = heading, bool(preformatted)
            blocks[-1].main = bool(open_main)
        elif name in ("td", "th"):
            blocks[-1].pieces.append((token.place, " "))
    found = [block for block in blocks if block.size]
    main = [block for block in found if block.main]
    if sum(block.size for block in main) * 3 >= sum(block.size for block in found):
        found = main
    return title, list(_without_menus(found))


def _without_menus(blocks: list[Block]) -> Iterator[Block]:
    """Leave out three and more blocks one after the other that are nothing but links."""
    run: list[Block] = []
    for block in [*blocks, None]:
        if block is not None and not block.depth and block.linked > 0.8 * block.size:
            run.append(block)
            continue
        if len(run) < 3:
            yield from run
        run = []
        if block is not None:
            yield block


def _tokens(text: str) -> Iterator[_Token]:
    """Yield tags and the text between them, in time that grows with the text and no faster."""
    at, end = 0, len(text)
    while at < end:
        start = text.find("<", at)
        if start < 0:
            start = end
        if start > at:
            yield _Token(at, "", closes=False, text=text[at:start])
        if start == end:
            return
        if text.startswith("<!--", start):
            at = _after(text, "-->", start + 4)
        elif text.startswith(("<!", "<?"), start):
            at = _after(text, ">", start)
        elif match := _NAME.match(text, start):
            whole = _TAG.match(text, start, min(end, start + _LONGEST_TAG))
            at = whole.end() if whole else _after(text, ">", start)
            name, closes = match[2].lower(), bool(match[1])
            inside = text[match.end() : at] if at else ""
            if at and not closes and name in _RAW and not inside.endswith("/>"):
                closing = _RAW[name].search(text, at)
                if name == "title":
                    yield _Token(start, name, closes=False, text=text[at : closing.start() if closing else at])
                at = _after(text, ">", closing.start()) if closing else 0
            elif at:
                yield _Token(start, name, closes, inside)
                if inside.endswith("/>") and name not in _VOID:
                    yield _Token(start, name, closes=True, text="")
        else:
            yield _Token(start, "", closes=False, text="<")
            at = start + 1
            continue
        if not at:  # something is never closed
            return


def _after(text: str, sign: str, start: int) -> int:
    """Return where a sign ends, 0 if it does not come any more."""
    at = text.find(sign, start)
    return at + len(sign) if at >= 0 else 0
