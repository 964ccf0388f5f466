"""The records that cross module boundaries: plain, frozen, standard library only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple

CODE_KINDS = ("function", "method", "class", "module", "config")
KINDS = (*CODE_KINDS, "section", "comment")
"""What a chunk can be; `section` is documentation, `comment` lies over the chunks that tile a file."""

WHOLE = PurePosixPath()
"""The project's root, relative to itself: no part of it in particular."""

Freshness = Literal["fresh", "stale", "unknown"]


class SourceFile(NamedTuple):
    """A file worth indexing. `path` is relative to the project's root."""

    path: PurePosixPath
    size: int
    mtime_ns: int
    language: str


class Skipped(NamedTuple):
    """A file or folder that is left out, and why: a bad file is data, not an error."""

    path: PurePosixPath
    reason: str
    size: int = 0
    mtime_ns: int = 0


class Definition(NamedTuple):
    """A name that a chunk defines: its kind is fine-grained (struct, trait, enum, const …), `line` is where it stands.

    `first_line` to `last_line` is all that belongs to it, comments and body too, even beyond the chunk; if they are left
    out, `line` alone. `breadcrumb` names what encloses it, outermost first.
    """

    name: str
    kind: str
    line: int
    first_line: int = 0
    last_line: int = 0
    breadcrumb: tuple[str, ...] = ()


class Chunk(NamedTuple):
    """A piece of a file, `first_line` to `last_line` (1-based, inclusive), `text` being exactly these lines.

    Of a PDF file, a notebook, an office document or a book these are lines of the text read out of it, and `anchor` says
    where they stand in it (`page 3`, `cell 12`); of an HTML page `text` is what a reader sees of them. `symbol` is
    qualified (`Store.replace`; for a section its heading), `breadcrumb` names what encloses the chunk, outermost first.
    `definitions` are the names whose definition starts in the chunk; `comments` are the character ranges [start, end) of
    `text` that are comments or documentation strings.
    """

    path: PurePosixPath
    first_line: int
    last_line: int
    language: str
    kind: str
    symbol: str
    text: str
    breadcrumb: tuple[str, ...] = ()
    definitions: tuple[Definition, ...] = ()
    comments: tuple[tuple[int, int], ...] = ()
    anchor: str = ""


Arm = Literal["both", "lexical", "dense"]
"""What finds: words and meaning together as usual, or one of them alone, which is for comparing them."""


class SearchRequest(NamedTuple):
    """A question and what narrows it. Empty tuples do not narrow; `paths` and `exclude` are glob patterns.

    `quick` asks for an answer at once: a chosen model that would have to read the question first is left out.
    `changed_since` is a Unix time: only files changed then or later. `verbatim` puts foremost what holds the question word for
    word.
    """

    query: str
    limit: int = 10
    languages: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    per_file: int = 1
    explain: bool = False
    quick: bool = False
    changed_since: float | None = None
    arm: Arm = "both"
    verbatim: bool = True


class SimilarRequest(NamedTuple):
    """A place in a file whose like is wanted; narrowed as a search is."""

    path: PurePosixPath
    line: int
    limit: int = 10
    languages: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    changed_since: float | None = None


class Hit(NamedTuple):
    """A chunk that answers, its score (comparable within one result only) and why it is here.

    `why` maps a signal's name to its share of the score, or to ranks and matched terms; empty unless asked for.
    `also` lists other good line ranges of the same file.
    """

    chunk: Chunk
    score: float
    why: Mapping[str, float | int | str | tuple[str, ...]] = {}
    also: tuple[tuple[int, int], ...] = ()


class Origin(NamedTuple):
    """Where a hit lies: its project's name and root, and the path in it."""

    project: str
    root: Path
    path: PurePosixPath


class SearchResult(NamedTuple):
    """The hits of one request, best first, and how far they can be trusted.

    `tier` names the models that answered, the bundled one and perhaps the chosen one: `bundled+qwen3-embedding-4b`;
    `coverage` is the share of chunks that the last of them knows. `degraded` says in words what is weaker than it should
    be, `notes` what else there is to know; `terms` are the words of the question as looked up, with the English words
    that Chinese ones stand for.
    """

    hits: tuple[Hit, ...]
    tier: str
    freshness: Freshness = "fresh"
    indexed_at: float | None = None
    degraded: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    elapsed_ms: float = 0.0
    coverage: float = 1.0
    notes: tuple[str, ...] = ()


UNFINISHED = "the first index is unfinished: some files are not in it yet"
"""Weakens an answer from an index that was interrupted at first, or is being made."""

ESTIMATE = "estimate"
"""Instead of a tokenizer's name: tokens were not counted."""


class TokenCounts(NamedTuple):
    """How many tokens texts have, and by which tokenizer: the chosen model's name, or `ESTIMATE`."""

    tokenizer: str
    counts: tuple[int, ...]


FILE = "file"
"""Beside the kinds of chunks: a whole file, as far as duplicates go."""


class DuplicatesRequest(NamedTuple):
    """Which texts are to be compared, narrowed as a search is, and how alike those are that are wanted.

    `kinds` are those of chunks, and `file`. `min_similarity` is the share of words that two have in common, each counted
    as often as it stands there. `vendored` takes in folders that by their names hold other people's code, or generated code.
    `limit` is the most clusters wanted.
    """

    min_similarity: float = 0.9
    min_lines: int = 5
    kinds: tuple[str, ...] = ("file", "function", "method", "class", "section", "comment")
    languages: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    changed_since: float | None = None
    vendored: bool = False
    limit: int = 20


class Duplicate(NamedTuple):
    """A member of a cluster: how alike it is to the first one, and what differs, as lines of a diff from that one."""

    path: PurePosixPath
    first_line: int
    last_line: int
    language: str
    kind: str
    symbol: str
    anchor: str = ""
    similarity: float = 1.0
    diff: tuple[str, ...] = ()


class Cluster(NamedTuple):
    """Texts that are nearly the same: each is alike enough to the first. `lines` would be saved if only one stayed."""

    members: tuple[Duplicate, ...]
    lines: int


class DuplicatesResult(NamedTuple):
    """Clusters, most lines first; `left_off` more were found, among so many texts that were `compared`."""

    clusters: tuple[Cluster, ...]
    compared: int
    left_off: int = 0
    freshness: Freshness = "fresh"
    indexed_at: float | None = None
    elapsed_ms: float = 0.0


Phase = Literal["scan", "index", "merge", "embed", "mine", "ask", "compare"]


class Progress(NamedTuple):
    """How far long work has come, in files; in the phases `merge` and `embed` in chunks, in `ask` in questions.

    `total` is None while unknown.
    """

    phase: Phase
    done: int
    total: int | None = None
    chunks: int = 0
    path: str = ""


ProgressListener = Callable[[Progress], None]


class RefreshSummary(NamedTuple):
    """What a refresh did, in files, and how long it took."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    skipped: int = 0
    chunks: int = 0
    elapsed_s: float = 0.0
    rebuilt: tuple[str, ...] = ()


class EmbedSummary(NamedTuple):
    """What embedding with the chosen model did, in chunks, and how long it took; `notes` are for the user."""

    model: str
    embedded: int = 0
    covered: int = 0
    chunks: int = 0
    elapsed_s: float = 0.0
    notes: tuple[str, ...] = ()


class ModelStatus(NamedTuple):
    """A model beside the bundled one whose vectors an index holds, for `covered` of the chunks that can have one."""

    name: str
    dimensions: int
    covered: int
    chunks: int
    size_bytes: int
    chosen: bool


class Status(NamedTuple):
    """What an index holds and how it is. `skipped` counts files by reason.

    `unread` are documents among them, the first hundred, by path with the reason: what a reader would look for in vain.
    """

    root: Path
    location: Path
    files: int
    chunks: int
    languages: Mapping[str, int]
    kinds: Mapping[str, int]
    model: str
    dimensions: int
    size_bytes: int
    indexed_at: float | None
    freshness: Freshness
    stale_files: int
    skipped: Mapping[str, int]
    vector_index: str
    degraded: tuple[str, ...] = ()
    models: tuple[ModelStatus, ...] = ()
    unread: Mapping[str, str] = {}
