"""Models that all engines of a process share: loaded when first used, let go of when nobody has used them for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from codeseek.embedders import Choice, Embedder, Vectors, load_embedder
from codeseek.records import Chunk


class Shelf:
    """Lends models by what was chosen; the same choice is the same model."""

    def __init__(self, load: Callable[[Choice], Embedder] = load_embedder) -> None:
        self._load = load
        self._guard = threading.Lock()
        self._lent: dict[Choice, Lent] = {}

    def lend(self, choice: Choice) -> Lent:
        """Return a model that is loaded when it is used."""
        with self._guard:
            if choice not in self._lent:
                self._lent[choice] = Lent(lambda: self._load(choice))
            return self._lent[choice]

    def put_away(self, idle_s: float) -> None:
        """Let go of models that nobody has used for so long."""
        for lent in [*self._lent.values()]:
            lent.put_away(idle_s)

    def loaded(self) -> list[str]:
        """Name the models that are in memory."""
        return [choice.name for choice, lent in self._lent.items() if lent.is_loaded]


class Lent:
    """An embedder that many use: `close` is nobody's business but the shelf's."""

    def __init__(self, load: Callable[[], Embedder]) -> None:
        self._load = load
        self._turn = threading.RLock()  # one text after the other, and none while it is put away
        self._embedder: Embedder | None = None
        self._used = 0.0
        self._asked: tuple[str, Vectors] | None = None  # the last question, which several engines may be asked

    @property
    def name(self) -> str:
        """The model's name in the catalogue."""
        return self._now().name

    @property
    def dimensions(self) -> int:
        """The length of a vector."""
        return self._now().dimensions

    @property
    def fingerprint(self) -> str:
        """Identifies weights, composition and dimensions."""
        return self._now().fingerprint

    @property
    def prefix(self) -> int:
        """How many of a vector's first numbers are searched."""
        return self._now().prefix

    @property
    def notes(self) -> Sequence[str]:
        """What the user should hear of."""
        return self._embedder.notes if self._embedder is not None else ()

    @property
    def is_loaded(self) -> bool:
        """Whether it is in memory."""
        return self._embedder is not None

    def embed(self, chunks: Sequence[Chunk]) -> Vectors:
        """Return the chunks' vectors, [n, dimensions], unit rows."""
        with self._turn:
            return self._now().embed(chunks)

    def embed_query(self, query: str) -> Vectors:
        """Return the question's vector, [dimensions]."""
        with self._turn:
            if self._asked is None or self._asked[0] != query:
                self._asked = (query, self._now().embed_query(query))
            return self._asked[1]

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of texts as they are, [n, dimensions], unit rows."""
        with self._turn:
            return self._now().embed_texts(texts)

    def count_tokens(self, texts: Sequence[str]) -> list[int] | None:
        """Count the tokens of texts; None without a tokenizer."""
        with self._turn:
            return self._now().count_tokens(texts)

    def close(self) -> None:
        """Give it back; it stays on the shelf."""

    def put_away(self, idle_s: float) -> None:
        """Let go of it if nobody has used it for so long."""
        if self._embedder is not None and time.monotonic() - self._used > idle_s and self._turn.acquire(blocking=False):
            try:
                self._embedder.close()
                self._embedder = None
            finally:
                self._turn.release()

    def _now(self) -> Embedder:
        with self._turn:
            self._used = time.monotonic()
            if self._embedder is None:
                self._embedder = self._load()
            return self._embedder
