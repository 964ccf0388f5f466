"""Models on a server that speaks OpenAI's `/embeddings`: vLLM, llama-server, Ollama, TEI, LM Studio, a paid service."""

from __future__ import annotations

import base64
import binascii
import os
import re
import stat
import threading
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeseek import settings
from codeseek.catalogue import ModelSpec, Variant, files_folder
from codeseek.embedders import Choice, Vectors, selftest
from codeseek.embedders.endpoint import Cancelled, Endpoint, Rejected
from codeseek.errors import ModelError

_TEXTS = 64  # a request; servers that take fewer say so, and are believed
_FEW_TEXTS = 8  # what a request is worth making for
_CONNECTIONS = 32  # more than a server answers at once, so that none of its answers waits for us to look at it
_MOST_TOKENS = 32_768  # a request
_SECONDS = 5.0  # that a request may take, so that a slow server that answers one by one does so in time
_BYTES_A_TOKEN = 2.5  # rather too few: what is cut needlessly is found all the same, what a server cuts off is not
_LEAST_TEXT = 64  # characters; what a server finds too long then is not a text's fault
_OPTION = {
    "encoding_format": re.compile("encoding|base64", re.IGNORECASE),
    "dimensions": re.compile("dimension|matryoshka", re.IGNORECASE),
}
_UNKNOWN_MODEL = re.compile(
    r"model.*(not (be )?found|not exist|unknown|no such|not loaded)|unknown model", re.IGNORECASE
)


class RemoteModel:
    """A model that a server runs. Its weights cannot be looked at, so it is known by where it is and what it is called."""

    def __init__(
        self, spec: ModelSpec, *, dimensions: int = 0, offline: bool = False, timeout_s: float = 300.0
    ) -> None:
        """`dimensions` asks for shorter vectors where the model has them. Raises `ModelError`; sends nothing yet."""
        where = f"correct `url` in `{spec.origin}`" if spec.origin else "correct `url`"
        self._spec = spec
        self._name = spec.remote_name or spec.name
        url = re.sub(r"/embeddings/?$", "", spec.url)
        self._endpoint = Endpoint(url, key=_key(spec.key_variable), timeout_s=timeout_s, hint=where)
        self.notes: list[str] = []
        if not self._endpoint.is_private:
            if offline:
                raise ModelError(
                    f"`{spec.name}` runs at `{self._endpoint.host}`, which `offline` forbids",
                    hint="`codeseek models use bundled`, or a server on this machine",
                )
            unencrypted = "" if self._endpoint.is_encrypted else " unencrypted"
            self.notes.append(f"text is sent{unencrypted} to `{self._endpoint.host}`, which is not this machine")
        cut = 0 < spec.least_dimensions <= dimensions < spec.dimensions
        self._wanted = dimensions if cut else spec.dimensions
        self._options: dict[str, object] = {"encoding_format": "base64"}
        if spec.least_dimensions and self._wanted:
            self._options["dimensions"] = self._wanted
        self._connections = spec.connections or _CONNECTIONS
        self._texts = spec.request_texts or _TEXTS
        self._tokens = 0  # a request; 0 until the first answer shows how quick the server is
        self._first = threading.Lock()

    @property
    def identity(self) -> str:
        """The server's place, the model's name there, and the length of its vectors."""
        return f"remote {self._endpoint.place} {self._name} {self.dimensions}"

    @property
    def dimensions(self) -> int:
        """The length of a vector; asks the server if the description does not say."""
        if not self._wanted:
            self._wanted = self._embed(["dimensions"]).rows.shape[1]
        return self._wanted

    def count_tokens(self, texts: Sequence[str]) -> None:  # noqa: ARG002
        """Return None: the tokenizer is the server's."""
        return

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, [n, dimensions]; zeros for blank texts. Raises `ModelError`."""
        sums = np.zeros((len(texts), self.dimensions), np.float32)
        pieces = [
            _Piece(number, piece)
            for number, text in enumerate(texts)
            if text.strip()
            for piece in self._fitting(text.encode("utf-8", "replace").decode())
        ]
        pieces.sort(key=lambda piece: len(piece.text))
        try:
            if pieces and not self._tokens:
                with self._first:  # what the server takes is found out by one thread, on the shortest texts
                    if not self._tokens:
                        few, pieces = pieces[:_FEW_TEXTS], pieces[_FEW_TEXTS:]
                        _add(sums, few, self._embed([piece.text for piece in few]).rows)
            self._add_all(sums, pieces)
        except Cancelled as cancelled:
            raise ModelError(f"`{self._spec.name}` was closed while it was wanted") from cancelled
        return _unit(sums)

    def close(self) -> None:
        """End what is under way, from any thread, and close the connections."""
        self._endpoint.abort()
        if (pool := self.__dict__.pop("_pool", None)) is not None:
            pool.shutdown()
        self._endpoint.close()
        self._endpoint.resume()

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._connections, "remote")

    def _fitting(self, text: str) -> list[str]:
        """Return a text in pieces that the model should take; a server may cut off the rest without a word."""
        if _tokens(text) <= max(self._spec.context, _LEAST_TEXT):
            return [text]
        self._note_long()
        return [piece for half in _halves(text) for piece in self._fitting(half)]

    def _note_long(self) -> None:
        note = f"some texts are longer than `{self._spec.name}` takes: they are embedded in parts"
        if note not in self.notes:
            self.notes.append(note)

    def _add_all(self, sums: Vectors, pieces: list[_Piece]) -> None:
        """Empty a list, embedding several batches at once; a failure or an interrupt ends the others."""
        most = max(_FEW_TEXTS, -(-len(pieces) // self._connections))  # so that every connection has work
        workers = min(self._connections, -(-len(pieces) // min(most, self._texts)))
        lock = threading.Lock()

        def work() -> None:
            while True:
                with lock:
                    batch = self._batch(pieces, most)
                if not batch:
                    return
                rows = self._embed([piece.text for piece in batch]).rows
                with lock:
                    _add(sums, batch, rows)

        if workers < 2:
            work()
            return
        futures: list[Future[None]] = []
        try:
            futures.extend(self._pool.submit(work) for _ in range(workers))  # an interrupt may come here too
            for future in wait(futures, return_when=FIRST_EXCEPTION).done:
                future.result()
        except BaseException:
            self._endpoint.abort()
            wait(futures)
            self._endpoint.resume()
            raise

    def _batch(self, pieces: list[_Piece], most: int) -> list[_Piece]:
        """Take the longest texts, so that all threads end together, as many as the server is known to bear."""
        batch: list[_Piece] = []
        tokens = 0.0
        while pieces and len(batch) < min(most, self._texts):
            tokens += _tokens(pieces[-1].text)
            if batch and tokens > self._tokens:
                break
            batch.append(pieces.pop())
        return batch

    def _embed(self, texts: Sequence[str]) -> _Embedded:
        """Embed a few texts; what is too large for the server is halved, and how much it takes is remembered."""
        try:
            return _Embedded(self._asked(texts), whole=True)
        except Rejected as rejected:
            divisible = len(texts) > 1 or (rejected.status and len(texts[0]) >= _LEAST_TEXT)
            if not (rejected.is_too_large and divisible):
                raise self._refusal(rejected) from rejected
        if len(texts) == 1:
            self._note_long()
            halves = _halves(texts[0])
            parts = [len(half) * self._embed([half]).rows for half in halves]
            return _Embedded(_unit(np.sum(parts, axis=0)), whole=False)
        middle = (len(texts) + 1) // 2
        first, second = self._embed(texts[:middle]), self._embed(texts[middle:])
        if first.whole and second.whole:  # then it was their number, not one that is too long
            self._texts = min(self._texts, middle)
        return _Embedded(np.concatenate([first.rows, second.rows]), whole=False)

    def _asked(self, texts: Sequence[str]) -> Vectors:
        """Ask for texts' vectors, leaving out options that the server turns out not to know."""
        while True:
            began = time.monotonic()
            try:
                answer = self._endpoint.ask("/embeddings", {"model": self._name, "input": list(texts), **self._options})
            except Rejected as rejected:
                named = [name for name in self._options if _OPTION[name].search(rejected.words)]
                doubtful = named or ([] if rejected.is_too_large else list(self._options))
                if self._tokens or not doubtful or rejected.status not in (400, 415, 422, 500, 501):
                    raise
                if _UNKNOWN_MODEL.search(rejected.words):
                    raise
                del self._options[doubtful[0]]
                continue
            rows = self._rows(answer, texts)
            in_time = sum(map(_tokens, texts)) / max(time.monotonic() - began, 1e-3) * _SECONDS
            self._tokens = int(min(_MOST_TOKENS, max(in_time, self._tokens, 1)))
            return rows

    def _rows(self, answer: Any, texts: Sequence[str]) -> Vectors:
        """Check an answer and return its vectors in the order of the texts."""
        count = len(texts)
        data = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(data, list) or not all(isinstance(item, dict) and "embedding" in item for item in data):
            raise self._wrong("answers with JSON that holds no vectors", "does its URL end in `/v1`?")
        if len(data) != count:
            raise self._wrong(f"answers {count} texts with {len(data)} vectors")
        places = [item.get("index", number) for number, item in enumerate(data)]
        if sorted(place for place in places if isinstance(place, int)) != list(range(count)):
            raise self._wrong(f"numbers {count} vectors {str(places)[:60]}")
        vectors = [self._vector(item["embedding"]) for item in data]
        length = len(vectors[0])
        if any(len(vector) != length for vector in vectors):
            raise self._wrong("answers with vectors of different lengths")
        if self._wanted and length not in (self._wanted, self._spec.dimensions):
            raise self._wrong(
                f"answers with {length} dimensions where {self._wanted} are described",
                f"set `dimensions = {length}` in `{self._spec.origin}`",
            )
        rows = np.zeros((count, length), np.float32)
        rows[places] = vectors
        blank = [text for text, row in zip(texts, rows, strict=True) if not row.any()]
        if not np.isfinite(rows).all() or any(map(str.isalnum, "".join(blank))):
            raise self._wrong("answers with vectors that are zero or not numbers", "look at the log of the server")
        return _unit(rows[:, : self._wanted or length])

    def _vector(self, told: object) -> NDArray[np.float32]:
        try:
            if isinstance(told, str):
                return np.frombuffer(base64.b64decode(told, validate=True), "<f4")
            vector = np.array(told, np.float64)
            if vector.ndim == 2:
                raise self._wrong("answers with a vector for each token", "it pools if started with `--pooling`")
            if vector.ndim != 1 or not vector.size:
                raise ValueError
            return vector.astype(np.float32)
        except (ValueError, TypeError, binascii.Error) as error:
            raise self._wrong("answers with something that is no vector", "look at the log of the server") from error

    def _wrong(self, what: str, hint: str = "it does not speak `/embeddings` as OpenAI describes it") -> ModelError:
        return ModelError(f"`{self._endpoint.place}` {what}", hint=hint)

    def _refusal(self, rejected: Rejected) -> ModelError:
        """Say why the server refuses, and what helps."""
        words, spec = rejected.words, self._spec
        says = f": {words}" if words else ""
        key = f"`{spec.key_variable}`" if spec.key_variable else "the key: name its variable as `key_variable`"
        if rejected.target:
            return self._wrong(
                f"has moved to `{rejected.target[:200]}`", f"if that is right, set `url` in `{spec.origin}`"
            )
        if rejected.is_exhausted:
            return self._wrong(f"wants to be paid{says}", "see the account that the key belongs to")
        match rejected.status:
            case 0:
                return self._wrong(f"takes too long: {words}", "is the server busy, or the model too large for it?")
            case 401:
                return self._wrong(
                    f"wants another key{says}" if spec.key_variable else f"wants a key{says}", f"see {key}"
                )
            case 403 | 407:
                return self._wrong(f"forbids it{says}", f"see {key}, and what it is for")
            case 404 | 400 | 422 | 500 if _UNKNOWN_MODEL.search(words):
                return self._wrong(f"has no model `{self._name}`{says}", f"set `remote_name`: {self._offered()}")
            case 404 | 405:
                hint = f"a server's URL often ends in `/v1`: set `url` in `{spec.origin}`"
                return self._wrong(f"has no `/embeddings`{says}", hint)
            case 429:
                return self._wrong(
                    f"is asked too often{says}", "try later, or set `connections = 1` in its description"
                )
            case status if rejected.is_too_large:
                return self._wrong(f"finds even short texts too long ({status}){says}", "look at the log of the server")
            case status:
                return self._wrong(f"answers {status}{says}", "look at the log of the server")

    def _offered(self) -> str:
        """Say which models the server has."""
        try:
            models = self._endpoint.ask("/models", patient=False)["data"]
            names = [str(model["id"]) for model in models]
        except (Rejected, ModelError, Cancelled, TypeError, KeyError):
            return "the server does not say which there are"
        return "there are " + ", ".join(f"`{name}`" for name in sorted(names)[:10]) if names else "there are none"


class _Piece(NamedTuple):
    """A text or a part of one, and the number of the text that it is of."""

    owner: int
    text: str


class _Embedded(NamedTuple):
    """Vectors, and whether the server took the texts as they were."""

    rows: Vectors
    whole: bool


def load(spec: ModelSpec, variant: Variant, choice: Choice) -> RemoteModel:
    """Return a model on a server; a new one is tried first. Raises `ModelError`."""
    model = RemoteModel(spec, dimensions=choice.dimensions, offline=choice.offline)
    try:
        selftest.check_once(model, spec, files_folder(choice.data_dir, spec, variant))
    except BaseException:
        model.close()
        raise
    return model


def _key(variable: str) -> str:
    """Return the key that a variable holds, or else the user's own file of that name; raises `ModelError`."""
    if not variable:
        return ""
    if not re.fullmatch(r"[A-Za-z_]\w{0,99}", variable, re.ASCII):
        raise ModelError(f"`{variable}` cannot be a variable", hint="`key_variable` is a name like `OPENAI_API_KEY`")
    path = settings.user_file().parent / "keys" / variable
    key = (os.environ.get(variable) or _private_text(path)).strip()
    if not key:
        raise ModelError(
            f"there is no key in the variable `{variable}`", hint=f"set it, or write the key to `{path}` for you alone"
        )
    if not (key.isascii() and key.isprintable()):
        raise ModelError(f"the key in `{variable}` has characters that no key has", hint="copy it again")
    return key


def _private_text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            found = os.fstat(file.fileno())
            if os.name == "posix" and (found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077):
                raise ModelError(
                    f"others can read the key in `{path}`", hint=f"`chmod 600 {path}`, with you as its owner"
                )
            return file.read(10_000)
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"the key in `{path}` cannot be read: {error}", hint="it is one line of text") from error


def _tokens(text: str) -> float:
    """Estimate the number of tokens: three bytes of UTF-8 are a Chinese character, or most of an English syllable."""
    return (len(text) if text.isascii() else len(text.encode())) / _BYTES_A_TOKEN


def _halves(text: str) -> list[str]:
    """Cut a text near its middle, between lines or words if it can be; what is blank is left out."""
    low, middle, high = len(text) // 4, len(text) // 2, len(text) * 3 // 4
    for mark in ("\n", " "):
        at = text.rfind(mark, low, middle)
        at = at if at >= 0 else text.find(mark, middle, high)
        if at >= 0:
            middle = at + 1
            break
    return [half for half in (text[:middle], text[middle:]) if half.strip()]


def _add(sums: Vectors, batch: Sequence[_Piece], rows: Vectors) -> None:
    """Add pieces' vectors to those of their texts, as much as they are of them."""
    weights = np.array([[len(piece.text)] for piece in batch], np.float32)
    owners = [piece.owner for piece in batch]
    if len({*owners}) == len(owners):
        sums[owners] += weights * rows
    else:
        np.add.at(sums, owners, weights * rows)


def _unit(rows: Vectors) -> Vectors:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Vectors = (rows / np.where(norms > 0, norms, 1)).astype(np.float32)
    return unit
