"""GGUF models on llama.cpp, many texts a decode; for a process of its own, since llama.cpp aborts where others raise.

What it is known to abort on never reaches it: a decode of no or too many tokens, positions that a model has no place
for, attention to both sides cut in two. Beside that, four things are not as one would think:

- A model that attends to what stands before keeps keys and values, so its long texts go through in several decodes. It
  also has a head that turns every token into scores over the vocabulary, 0.6 MB a token for Qwen3, which nobody asked
  for. Where only the last token counts, only that is marked as output, and its state is taken before the head.
- An encoder needs a text, and a batch, in one piece; room for scores over the vocabulary is kept here too.
- Texts in one decode are hidden from each other by a mask, and masked work is work: small decodes of like lengths.
- Special tokens are added here, not by llama.cpp, so that a part of a text has them too; in a text they are plain text.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeseek.catalogue import Pooling
from codeseek.embedders import Vectors
from codeseek.errors import ModelError
from codeseek.processes import count_cores

INSTALL: Final = "pip install 'codeseek[gguf]'"
"""What brings llama.cpp; compiles it, unless told of an index that has wheels."""

ENVIRONMENT: Final = {"GGML_NO_BACKTRACE": "1", "GOMP_SPINCOUNT": "1000"}
"""For the process: no debugger when it aborts, and threads that wait for each other do not burn a busy machine."""

_POOLING: Final[dict[Pooling, int]] = {"mean": 1, "cls": 2, "last": 3}
_UNPOOLED, _RANK = 0, 4
_TOKENS, _GPU_TOKENS = 256, 2048  # of a decode
_SEQUENCES = 64  # of a decode
_KEPT_TOKENS = 4096  # a context for longer texts is let go of after them
_SCORE_BYTES = 2 << 30  # room for scores over the vocabulary, of an encoder's longest text
_ALL_LAYERS = 10_000
_SLICE = 100_000  # characters tokenised at once: llama.cpp's tokenisers recurse
_HEADED = ("qwen2", "qwen3")  # what is called `result_norm` in their graphs is the state before the head
_STATE = b"result_norm"
_ENDING = b"<|endoftext|>"
_ERROR, _CONTINUED = 4, 5  # levels of ggml's log

Tokens = NDArray[np.int32]


@dataclass(frozen=True)
class GgufSource:
    """A file, what the model's card says of it (0 and empty: nothing), and how to run it. `load` runs in the process."""

    path: Path
    pooling: Pooling
    dimensions: int = 0
    context: int = 0
    architecture: str = ""
    gpu_layers: int = -1
    threads: int = 0

    @property
    def rules(self) -> str:
        """Identifies, beside the file, what vectors depend on: pooling, the token at the end, how long texts are cut."""
        return f"{self.pooling}-{'end' if self.pooling == 'last' else 'as-is'}-1"

    def load(self) -> GgufModel:
        """Load the model; raises `ModelError`."""
        return GgufModel(self)


class _Part(NamedTuple):
    """Tokens that fit the context, and which text they are of."""

    text: int
    ids: Tokens


class GgufModel:
    """A model in this process, for one thread. A `TextModel` but for its identity, which takes the file's hash."""

    def __init__(self, source: GgufSource) -> None:
        """Load the file and make room; raises `ModelError` that says why it cannot be."""
        self._library = _import()
        self._log = _Log(self._library)
        self._source = source
        self._notes: dict[str, None] = {}
        self._threads = source.threads or count_cores()
        self._model: Any = None
        self._context: Any = None
        self._room = 0  # tokens that the context holds
        self._states: _States | None = None
        self._budget = _TOKENS
        try:
            self._load()
        except BaseException:
            self.close()
            raise

    @property
    def dimensions(self) -> int:
        """The length of a vector."""
        return self._dimensions

    @property
    def notes(self) -> tuple[str, ...]:
        """What is not as one would wish."""
        return tuple(self._notes)

    @property
    def longest(self) -> int:
        """The most tokens that are embedded as one, with those that the model wants at the ends."""
        return self._longest

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, [n, dimensions]; zeros for a text without a single token."""
        parts = [part for number, text in enumerate(texts) for part in self._parts(number, self.tokens(text))]
        rows = np.zeros((len(texts), self._dimensions), np.float32)
        for group in self._pack(parts):
            for part, vector in zip(group, self._embed([part.ids for part in group]), strict=True):
                length = np.linalg.norm(vector)
                if not np.isfinite(length) or length == 0:
                    raise ModelError(
                        f"`{self._source.path.name}` makes vectors that are no numbers, or nothing but zeros",
                        hint="the file is damaged: fetch it again",
                    )
                rows[part.text] += vector * (len(part.ids) / length)
        if self._room > _KEPT_TOKENS:
            self._close_context()
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        rows /= np.where(lengths > 0, lengths, 1)
        return rows

    def tokens(self, text: str) -> Tokens:
        """Return a text's tokens without those that the model wants at the ends."""
        pieces = [self._tokenise(text[at : at + _SLICE]) for at in range(0, len(text), _SLICE)]
        return np.concatenate(pieces) if pieces else np.empty(0, np.int32)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count the tokens of texts, without those at the ends."""
        return [len(self.tokens(text)) for text in texts]

    def framed(self, ids: Tokens) -> Tokens:
        """Return tokens with those that the model wants at the ends."""
        return np.concatenate((self._prefix, ids, self._suffix))

    def close(self) -> None:
        """Let go of the model; it cannot be used any more."""
        self._close_context()
        if self._model:
            self._library.llama_model_free(self._model)
        self._model = None

    # ------------------------------------------------------------ loading

    def _load(self) -> None:
        library, source = self._library, self._source
        if not source.path.is_file():
            raise ModelError(f"there is no file `{source.path}`", hint="fetch the model with `codeseek models pull`")
        for layers in self._offload():
            if self._try(layers):
                break
        else:
            raise ModelError(
                f"llama.cpp cannot load `{source.path.name}`: {self._log.reason()}",
                hint="fetch the file again, or update llama-cpp-python when the model is a new one",
            )
        self._check()
        library = self._library
        self._vocabulary = library.llama_model_get_vocab(self._model)
        self._causal = self._meta("{arch}.attention.causal") != "false"
        self._streamed = self._causal and source.pooling == "last"  # a text may go through in several decodes
        trained = int(library.llama_model_n_ctx_train(self._model))
        self._longest: int = min(source.context or trained, trained)
        if not self._streamed:
            vocabulary = int(library.llama_vocab_n_tokens(self._vocabulary))
            self._longest = min(self._longest, max(_TOKENS, _SCORE_BYTES // (4 * vocabulary)))
        self._headed = self._streamed and self._meta("general.architecture") in _HEADED
        self._frame()
        self._open(self._budget)

    def _offload(self) -> Iterator[int]:
        """Yield how many layers to give to the graphics card: all, or as many as were asked for; fewer if that fails."""
        wanted = self._source.gpu_layers
        if not self._library.llama_supports_gpu_offload():
            if wanted > 0:
                self._note("there is no graphics card that this llama.cpp can use: all layers are on the processor")
            yield 0
            return
        yield _ALL_LAYERS if wanted < 0 else wanted
        if wanted >= 0:
            return
        layers = self._count_layers()
        for quarters in (3, 2, 1, 0) if layers else ():
            some = layers * quarters // 4
            self._notes.clear()
            self._note(f"the graphics card has room for {some} of {layers} layers only")
            yield some

    def _count_layers(self) -> int:
        """Return how many layers a file's model has, 0 when it cannot be read at all."""
        parameters = self._library.llama_model_default_params()
        parameters.vocab_only = True
        model = self._library.llama_model_load_from_file(str(self._source.path).encode(), parameters)
        if not model:
            return 0
        layers: int = self._library.llama_model_n_layer(model)
        self._library.llama_model_free(model)
        return layers

    def _try(self, layers: int) -> bool:
        """Load with so many layers on the graphics card; False when that fails."""
        self._log.clear()
        self._budget = _GPU_TOKENS if layers else _TOKENS
        parameters = self._library.llama_model_default_params()
        parameters.n_gpu_layers = layers
        self._model = self._library.llama_model_load_from_file(str(self._source.path).encode(), parameters)
        if not self._model:
            return False
        if layers and not self._fits():
            self._library.llama_model_free(self._model)
            self._model = None
            return False
        return True

    def _fits(self) -> bool:
        """Tell whether there is room for a context of a common size beside the model."""
        parameters = self._library.llama_context_default_params()
        parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = self._budget
        parameters.embeddings = True
        context = self._library.llama_init_from_model(self._model, parameters)
        if context:
            self._library.llama_free(context)
        return bool(context)

    def _check(self) -> None:
        """Refuse what cannot be the model that its card speaks of."""
        source, name = self._source, self._source.path.name
        architecture = self._meta("general.architecture")
        if source.architecture and architecture != source.architecture:
            raise ModelError(
                f"`{name}` holds a model of the kind `{architecture}`, not `{source.architecture}`",
                hint="it is another model's file",
            )
        count = getattr(self._library, "llama_model_n_embd_out", self._library.llama_model_n_embd)
        self._dimensions: int = int(count(self._model))
        if source.dimensions and self._dimensions != source.dimensions:
            raise ModelError(
                f"`{name}` makes vectors of {self._dimensions} dimensions, not {source.dimensions}",
                hint="it is another model's file",
            )
        pooling = self._meta("{arch}.pooling_type")
        if pooling == str(_RANK):
            raise ModelError(
                f"`{name}` is a reranker, which compares texts and makes no vectors", hint="get an embedding model"
            )
        if pooling not in ("", str(_UNPOOLED), str(_POOLING[source.pooling])):
            given = next((way for way, number in _POOLING.items() if pooling == str(number)), pooling)
            raise ModelError(
                f"`{name}` says that its vectors are made by `{given}` pooling, the model's card says `{source.pooling}`",
                hint="the file was converted wrongly, or it is another model's",
            )

    def _meta(self, key: str) -> str:
        """Return what the file says under a key, an empty string if nothing; `{arch}` stands for its architecture."""
        if "{arch}" in key:
            key = key.replace("{arch}", self._meta("general.architecture"))
        buffer = ctypes.create_string_buffer(256)
        self._library.llama_model_meta_val_str(self._model, key.encode(), buffer, len(buffer))
        return buffer.value.decode("utf-8", "replace")

    def _frame(self) -> None:
        """Find out what belongs before and after a text's tokens."""
        plain, framed = self._tokenise("a"), self._tokenise("a", special=True)
        at = next(
            (at for at in range(len(framed) - len(plain) + 1) if np.array_equal(framed[at : at + len(plain)], plain)), 0
        )
        self._prefix, self._suffix = framed[:at], framed[at + len(plain) :]
        if self._source.pooling == "last" and not len(self._suffix):
            ending = self._tokenise(_ENDING.decode(), parse=True)
            if len(ending) != 1:
                ending = np.array([self._library.llama_vocab_eos(self._vocabulary)], np.int32)
            if ending[0] < 0:
                raise ModelError(
                    f"`{self._source.path.name}` has no token that ends a text", hint="the file was converted wrongly"
                )
            self._suffix = ending

    # ------------------------------------------------------------ tokens

    def _tokenise(self, text: str, *, special: bool = False, parse: bool = False) -> Tokens:
        """Return tokens: with those at the ends if `special`; what reads like a special token is one only if `parse`."""
        data = text.encode("utf-8", "replace")
        ids = np.empty(len(data) + 8, np.int32)
        place = ids.ctypes.data_as(ctypes.POINTER(ctypes.c_int32))
        count = self._library.llama_tokenize(self._vocabulary, data, len(data), place, len(ids), special, parse)
        if count < 0:
            raise ModelError("llama.cpp cannot tokenise a text", hint="update llama-cpp-python")
        return ids[:count].copy()

    def _parts(self, number: int, ids: Tokens) -> Iterator[_Part]:
        """Cut a text's tokens into as many parts as the context asks for, of about the same length."""
        if not len(ids):
            return
        room = self._longest - len(self._prefix) - len(self._suffix)
        count = -(-len(ids) // room)
        if count > 1:
            self._note(f"texts of more than {self._longest:,} tokens are embedded in parts")
        for piece in np.array_split(ids, count):
            yield _Part(number, self.framed(piece))

    def _pack(self, parts: list[_Part]) -> Iterator[list[_Part]]:
        """Put parts together that fill a decode, the longest first; one that is longer goes alone."""
        group: list[_Part] = []
        tokens = 0
        for part in sorted(parts, key=lambda part: -len(part.ids)):
            if group and (tokens + len(part.ids) > self._budget or len(group) == _SEQUENCES):
                yield group
                group, tokens = [], 0
            group.append(part)
            tokens += len(part.ids)
        if group:
            yield group

    # ------------------------------------------------------------ computing

    def _embed(self, texts: Sequence[Tokens]) -> list[NDArray[np.float32]]:
        """Return the vectors of texts that fill a decode, or of one text that fills several."""
        tokens = sum(map(len, texts))
        self._open(tokens)
        library, batch = self._library, self._batch
        if memory := library.llama_get_memory(self._context):
            library.llama_memory_clear(memory, False)  # noqa: FBT003  a function of C
        if tokens <= batch.capacity:
            self._decode(batch.fill(texts))
        else:
            for start in range(0, tokens, batch.capacity):
                self._decode(batch.fill([texts[0][start : start + batch.capacity]], start, ends=tokens))
        if self._states is not None:
            return list(self._states.take(len(texts)))
        vectors = []
        for number in range(len(texts)):
            found = library.llama_get_embeddings_seq(self._context, number)
            if not found:
                raise ModelError(f"llama.cpp makes no vectors with `{self._source.path.name}`: {self._log.reason()}")
            vectors.append(np.ctypeslib.as_array(found, (self._dimensions,)).copy())
        return vectors

    def _decode(self, batch: Any) -> None:
        status = self._library.llama_decode(self._context, batch)
        if status:
            raise ModelError(
                f"llama.cpp cannot compute with `{self._source.path.name}`: {self._log.reason() or status}",
                hint="memory may be short: choose a smaller model or variant",
            )

    def _open(self, tokens: int) -> None:
        """Make a context that holds so many tokens, unless there is one."""
        if self._context and tokens <= self._room:
            return
        self._close_context()
        room = max(self._budget, 1 << (tokens - 1).bit_length())
        parameters = self._library.llama_context_default_params()
        parameters.n_ctx = room
        parameters.n_batch = parameters.n_ubatch = self._budget if self._streamed else room
        parameters.n_seq_max = _SEQUENCES
        parameters.n_threads = parameters.n_threads_batch = self._threads
        parameters.pooling_type = _POOLING[self._source.pooling]
        parameters.embeddings = True
        parameters.kv_unified = True
        states = _States.of(self._library, self._dimensions) if self._headed else None
        if states is not None:
            parameters.embeddings = False
            parameters.n_outputs_max = _SEQUENCES
            parameters.cb_eval = states.callback
        self._log.clear()
        context = self._library.llama_init_from_model(self._model, parameters)
        if not context:
            raise ModelError(
                f"llama.cpp has no room for {room:,} tokens: {self._log.reason()}",
                hint="memory is short: choose a smaller model or variant, or set `gpu_layers` to less",
            )
        self._context, self._room, self._states = context, room, states
        self._batch = _Batch(self._library, parameters.n_batch, every=states is None)

    def _close_context(self) -> None:
        if self._context:
            self._library.llama_free(self._context)
        self._context, self._room = None, 0

    def _note(self, text: str) -> None:
        self._notes[text] = None


class _Batch:
    """The tokens of one decode, in arrays that llama.cpp reads."""

    def __init__(self, library: Any, capacity: int, *, every: bool) -> None:
        """`every` token is an output, else only each text's last."""
        self.capacity = capacity
        self._every = every
        self._token, self._position, self._sequence = np.zeros((3, capacity), np.int32)
        self._counts = np.ones(capacity, np.int32)
        self._outputs = np.ones(capacity, np.int8)
        places = np.arange(capacity, dtype=np.uintp) * self._sequence.itemsize
        self._places = places + np.uintp(self._sequence.ctypes.data)

        def pointer(array: NDArray[Any], kind: Any) -> Any:
            return ctypes.cast(array.ctypes.data, ctypes.POINTER(kind))

        self._batch = library.llama_batch(
            n_tokens=0,
            token=pointer(self._token, ctypes.c_int32),
            pos=pointer(self._position, ctypes.c_int32),
            n_seq_id=pointer(self._counts, ctypes.c_int32),
            seq_id=pointer(self._places, ctypes.POINTER(ctypes.c_int32)),
            logits=pointer(self._outputs, ctypes.c_int8),
        )

    def fill(self, texts: Sequence[Tokens], start: int = 0, ends: int = 0) -> Any:
        """Return a batch of texts; one that begins at `start` goes on until `ends`, perhaps in another batch."""
        at = 0
        for number, ids in enumerate(texts):
            stop = at + len(ids)
            self._token[at:stop] = ids
            self._position[at:stop] = np.arange(start, start + len(ids))
            self._sequence[at:stop] = number
            self._outputs[at:stop] = self._every
            self._outputs[stop - 1] |= start + len(ids) >= ends
            at = stop
        self._batch.n_tokens = at
        return self._batch


class _States:
    """Takes the last tokens' states out of a graph that is being computed."""

    def __init__(self, ggml: Any, callback_type: Any, dimensions: int) -> None:
        self._taken: NDArray[np.float32] = np.empty((0, dimensions), np.float32)

        def watch(tensor: int, ask: bool, _: Any) -> bool:  # noqa: FBT001  called by C
            if ask:
                return bool(ggml.ggml_get_name(tensor) == _STATE)
            size = ggml.ggml_nbytes(tensor)
            self._taken = np.empty((size // (4 * dimensions), dimensions), np.float32)
            if size:
                ggml.ggml_backend_tensor_get(tensor, self._taken.ctypes.data, 0, size)
            return True

        self.callback = callback_type(watch)

    @classmethod
    def of(cls, library: Any, dimensions: int) -> _States | None:
        """Return such a thing, None where ggml's own functions cannot be reached."""
        try:
            from llama_cpp import _ctypes_extensions, _ggml

            ggml = _ctypes_extensions.load_shared_library("ggml-base", _ggml.libggml_base_path)
            ggml.ggml_get_name.argtypes, ggml.ggml_get_name.restype = [ctypes.c_void_p], ctypes.c_char_p
            ggml.ggml_nbytes.argtypes, ggml.ggml_nbytes.restype = [ctypes.c_void_p], ctypes.c_size_t
            ggml.ggml_backend_tensor_get.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t]
            ggml.ggml_backend_tensor_get.restype = None
            return cls(ggml, library.ggml_backend_sched_eval_callback, dimensions)
        except (ImportError, AttributeError, OSError):
            return None

    def take(self, count: int) -> NDArray[np.float32]:
        """Return the states of so many texts, in their order."""
        taken, self._taken = self._taken, self._taken[:0]
        if len(taken) != count:
            raise ModelError("llama.cpp computes otherwise than was thought", hint="update codeseek")
        return taken


class _Log:
    """Keeps what llama.cpp says instead of letting it reach the terminal."""

    def __init__(self, library: Any) -> None:
        self._lines: list[str] = []
        self._level = 0

        def hear(level: int, text: bytes, _: Any) -> None:
            self._level = self._level if level == _CONTINUED else level
            if self._level >= _ERROR:
                self._lines.append(text.decode("utf-8", "replace"))

        self._callback = library.llama_log_callback(hear)  # llama.cpp keeps no reference
        library.llama_log_set(self._callback, None)

    def clear(self) -> None:
        """Forget what was said."""
        self._lines.clear()

    def reason(self) -> str:
        """Return what went wrong, in llama.cpp's words: the first complaint, without the names of functions."""
        lines = "".join(self._lines).splitlines()
        reasons = [re.sub(r"^(\w+: )?(error loading model: )?(\w+_\w+: )?", "", line).strip() for line in lines]
        return next(filter(None, reasons), "no reason given")


def check_installed() -> None:
    """Raise `ModelError` if llama_cpp is not installed; imports nothing."""
    if importlib.util.find_spec("llama_cpp") is None:
        raise ModelError("this model runs on llama.cpp, which is not installed", hint=f"install it with `{INSTALL}`")


def _import() -> Any:
    """Import llama_cpp; raises `ModelError` when it is missing or broken."""
    check_installed()
    try:
        library = importlib.import_module("llama_cpp")
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        raise ModelError(
            f"llama.cpp cannot be used: {error}",
            hint="install it again with `pip install --force-reinstall --no-cache-dir llama-cpp-python`",
        ) from error
    library.llama_backend_init()
    return library
