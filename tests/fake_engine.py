"""An engine with fixed answers, for tests of the front ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from codeseek.engine import Engine
from codeseek.errors import CodeseekError
from codeseek.records import (
    WHOLE,
    Chunk,
    Cluster,
    Definition,
    Duplicate,
    DuplicatesRequest,
    DuplicatesResult,
    EmbedSummary,
    Hit,
    Progress,
    ProgressListener,
    RefreshSummary,
    SearchRequest,
    SearchResult,
    SimilarRequest,
    Status,
    TokenCounts,
)
from codeseek.settings import Settings

STORE = Chunk(
    path=PurePosixPath("src/store.py"),
    first_line=12,
    last_line=21,
    language="python",
    kind="method",
    symbol="Store.replace",
    text=(
        "    def replace(self, file, chunks):\n"
        '        """Replace all that is known of a file."""\n'
        "        rows = [self._row(chunk) for chunk in chunks]\n"
        "        with self._transaction() as cursor:\n"
        "            cursor.execute(DELETE, (file.path,))\n"
        "            cursor.executemany(INSERT, rows)\n"
        "\n"
        "        self._generation += 1\n"
        "        for listener in self._listeners:\n"
        "            listener(file)\n"
    ),
    definitions=(Definition("replace", "method", 12),),
)
README = Chunk(
    path=PurePosixPath("docs/说明.md"),
    first_line=3,
    last_line=6,
    language="markdown",
    kind="section",
    symbol="多语言代码检索",
    text="## 多语言代码检索\n\n用中文或英文提问, 都能检索到代码与文档。\nAsk in Chinese or English: both find code.\n",
)
HITS = (
    Hit(STORE, 0.84, why={"words": 3, "meaning": 1, "matched": ("replace", "file")}, also=((40, 52), (70, 71))),
    Hit(README, 0.42),
)
STATUS = Status(
    root=Path("/project"),
    location=Path("/data/indexes/project-0123"),
    files=2,
    chunks=9,
    languages={"python": 1, "markdown": 1},
    kinds={"method": 5, "section": 4},
    model="bundled",
    dimensions=256,
    size_bytes=123_456,
    indexed_at=1_700_000_000.0,
    freshness="fresh",
    stale_files=0,
    skipped={"binary": 3, "too large": 1},
    vector_index="exact",
    unread={f"papers/{number}.pdf": "encrypted" for number in range(14)},
)
RESULT = SearchResult((), tier="bundled", indexed_at=1_700_000_000.0, terms=("replace",), elapsed_ms=12.3)
CLUSTER = Cluster(
    (
        Duplicate(STORE.path, 12, 21, "python", "method", "Store.replace"),
        Duplicate(PurePosixPath("src/cache.py"), 30, 39, "python", "method", "Cache.replace", similarity=1.0),
        Duplicate(
            PurePosixPath("src/索引.py"), 5, 15, "python", "method", "Index.replace", "", 0.9286,
            ("-def replace(self, file, chunks):", "+def replace(self, file, rows):"),
        ),
    ),
    20,
)  # fmt: skip
DUPLICATES = DuplicatesResult((CLUSTER,), 9, left_off=3, indexed_at=1_700_000_000.0, elapsed_ms=45.6)
EMBEDDED = EmbedSummary("my-model", 7, 9, 9, 3.0)
UNCHANGED = RefreshSummary(unchanged=2, chunks=9)


@dataclass
class FakeEngine:
    """Answers every question alike, and remembers what it was asked."""

    hits: Sequence[Hit] = HITS
    result: SearchResult = RESULT
    summary: RefreshSummary = UNCHANGED
    found: DuplicatesResult = DUPLICATES
    answer: Status = STATUS
    embedded: EmbedSummary = EMBEDDED
    progress: Sequence[Progress] = ()
    search_error: CodeseekError | BaseException | None = None
    refresh_error: CodeseekError | BaseException | None = None
    calls: list[str] = field(default_factory=list)
    requests: list[SearchRequest | SimilarRequest] = field(default_factory=list)
    wanted: list[DuplicatesRequest] = field(default_factory=list)
    opened: list[tuple[Path, Settings]] = field(default_factory=list)

    def open(self, root: Path, settings: Settings) -> Engine:
        """Stand in for `codeseek.cli.open_engine`."""
        self.opened.append((root, settings))
        return self

    def search(self, request: SearchRequest) -> SearchResult:
        return self._answered("search", request)

    def similar(self, request: SimilarRequest) -> SearchResult:
        return self._answered("similar", request)

    def chunks(self, path: PurePosixPath, first_line: int, last_line: int) -> tuple[Chunk, ...]:
        self.calls.append("chunks")
        if isinstance(self.search_error, CodeseekError):
            raise self.search_error
        chunks = (hit.chunk for hit in self.hits)
        return tuple(
            chunk
            for chunk in chunks
            if chunk.path == path and chunk.first_line <= last_line and chunk.last_line >= first_line
        )

    def count_tokens(self, texts: Sequence[str]) -> TokenCounts:
        self.calls.append("count_tokens")
        return TokenCounts("words", tuple(len(text.split()) for text in texts))

    def duplicates(self, request: DuplicatesRequest, listener: ProgressListener | None = None) -> DuplicatesResult:
        self.calls.append("duplicates")
        self.wanted.append(request)
        return self.found

    def refresh(
        self, listener: ProgressListener | None = None, *, under: PurePosixPath = WHOLE, thorough: bool = False
    ) -> RefreshSummary:
        self.calls.append(f"refresh {under}" if under != WHOLE else "refresh")
        if listener is not None:
            for progress in self.progress:
                listener(progress)
        if self.refresh_error is not None:
            raise self.refresh_error
        return self.summary

    def embed(self, listener: ProgressListener | None = None) -> EmbedSummary:
        self.calls.append("embed")
        return self.embedded

    def status(self) -> Status:
        self.calls.append("status")
        return self.answer

    def close(self) -> None:
        self.calls.append("close")

    def _answered(self, name: str, request: SearchRequest | SimilarRequest) -> SearchResult:
        self.calls.append(name)
        self.requests.append(request)
        if self.search_error is not None:
            raise self.search_error
        return self.result._replace(hits=tuple(self.hits[: request.limit]))
