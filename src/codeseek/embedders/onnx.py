"""ONNX models on ONNX Runtime: BERT and its family, Jina v2; for a process of its own, whose log no terminal sees."""

from __future__ import annotations

import contextlib
import importlib.util
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeseek.catalogue import ModelSpec, Pooling, Variant, files_folder
from codeseek.embedders import Choice, Vectors, on_disk
from codeseek.embedders.process import ModelProcess
from codeseek.errors import ModelError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, SessionOptions
    from tokenizers import Tokenizer

INSTALL: Final = "pip install 'codeseek[onnx]'"
"""What brings ONNX Runtime and the tokenizers."""

ENVIRONMENT: Final = {"TOKENIZERS_PARALLELISM": "false"}
"""For the process: texts are tokenised by one thread, which takes a hundredth of the time of the model."""

_TOKENS = 2048  # of a batch with its padding
_LONGEST = 2048  # tokens of a text; attention takes memory by their square: 12 heads of 2048 are 200 MB a layer
_POOLED = ("sentence_embedding", "dense_vecs")
_STATES = ("last_hidden_state", "token_embeddings")
_CARDS = {"CUDAExecutionProvider": "CUDA", "CoreMLExecutionProvider": "CoreML"}
_PROCESSOR = "CPUExecutionProvider"
_SILENT = 4  # of ONNX Runtime's levels: only what ends the process anyway

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class OnnxSource:
    """A graph and its tokenizer, what the model's card says of it, and how to run it. `load` runs in the process."""

    graph: Path
    tokenizer: Path
    pooling: Pooling
    dimensions: int = 0
    context: int = 512
    gpu: bool = True
    threads: int = 0

    @property
    def rules(self) -> str:
        """Identifies, beside the files, what vectors depend on: pooling, and how long texts are cut."""
        return f"{self.pooling}-{min(self.context, _LONGEST)}-1"

    def load(self) -> OnnxModel:
        """Load the model; raises `ModelError`."""
        return OnnxModel(self)


class _Part(NamedTuple):
    """Tokens that fit the context with those at their ends, and which text they are of."""

    text: int
    ids: list[int]


class OnnxModel:
    """A model in this process, for one thread. A `TextModel` but for its identity, which takes the files' hash."""

    def __init__(self, source: OnnxSource) -> None:
        """Load graph and tokenizer; raises `ModelError` that says why it cannot be."""
        check_installed()
        self._source = source
        self._notes: dict[str, None] = {}
        self._tokenizer = _tokenizer(source.tokenizer)
        self._frame()
        self._session = self._loaded()
        self._inputs = self._read_inputs()
        self._output, self._is_pooled = self._read_outputs()
        ends = [*self._prefix, *self._suffix] or [self._pad]
        self.dimensions: int = self._run([ends]).shape[1]
        if source.dimensions not in (0, self.dimensions):
            raise ModelError(
                f"`{source.graph.name}` makes vectors of {self.dimensions} numbers, not {source.dimensions}",
                hint="it is another model's file: fetch it again",
            )

    @property
    def notes(self) -> tuple[str, ...]:
        """What is not as one would wish."""
        return tuple(self._notes)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, [n, dimensions]; zeros for a text without a single token."""
        parts = [part for number, text in enumerate(texts) for part in self._parts(number, text)]
        parts.sort(key=lambda part: len(part.ids))
        rows = np.zeros((len(texts), self.dimensions), np.float32)
        for batch in _batches(parts):
            for part, vector in zip(batch, self._run([part.ids for part in batch]), strict=True):
                length = float(np.linalg.norm(vector))
                if not math.isfinite(length) or length == 0:
                    raise ModelError(
                        f"`{self._source.graph.name}` makes vectors that are none",
                        hint="the file is damaged: fetch it again",
                    )
                rows[part.text] += vector * (len(part.ids) / length)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        rows /= np.where(lengths > 0, lengths, 1)
        return rows

    # ------------------------------------------------------------ tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count the tokens of texts, without those at the ends."""
        return [len(self._ids(text)) for text in texts]

    def _ids(self, text: str) -> list[int]:
        text = text.encode("utf-8", "replace").decode()
        return self._tokenizer.encode(text, add_special_tokens=False).ids if text.strip() else []

    def _frame(self) -> None:
        """Find out what the tokenizer puts at the ends of a text."""
        bare, framed = (self._tokenizer.encode("a", add_special_tokens=special).ids for special in (False, True))
        starts = [at for at in range(len(framed) - len(bare) + 1) if framed[at : at + len(bare)] == bare]
        if not bare or not starts:
            raise ModelError(
                f"`{self._source.tokenizer}` is not this model's tokenizer", hint="fetch it again with the model"
            )
        self._prefix, self._suffix = framed[: starts[0]], framed[starts[0] + len(bare) :]
        self._longest = min(self._source.context, _LONGEST)
        known = map(self._tokenizer.token_to_id, ("[PAD]", "<pad>"))
        self._pad = next((number for number in known if number is not None), 0)

    def _parts(self, number: int, text: str) -> Iterator[_Part]:
        """Yield a text's tokens, in parts of like length where they are more than the model takes."""
        ids = self._ids(text)
        if not ids:
            return
        room = max(self._longest - len(self._prefix) - len(self._suffix), 1)
        count = -(-len(ids) // room)
        if count > 1:
            self._notes[f"texts of more than {self._longest:,} tokens are embedded in parts"] = None
        for at in range(count):
            part = ids[at * len(ids) // count : (at + 1) * len(ids) // count]
            yield _Part(number, [*self._prefix, *part, *self._suffix])

    # ------------------------------------------------------------ the graph

    def _loaded(self) -> InferenceSession:
        """Load the graph where it is quickest; a card that cannot have it is said, and done without."""
        import onnxruntime

        onnxruntime.set_default_logger_severity(_SILENT)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = _SILENT
        options.intra_op_num_threads = self._source.threads
        options.enable_mem_pattern = False  # every batch has another shape
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # as others use the machine too
        cards = [name for name in _CARDS if name in onnxruntime.get_available_providers() and self._source.gpu]
        session = None
        if cards:
            try:
                session = self._session_on([*cards, _PROCESSOR], options)
                missed = set(cards) - set(session.get_providers())
                self._notes.update(
                    (f"{_CARDS[name]} cannot be used: the model runs on the processor", None) for name in missed
                )
            except ModelError as error:
                self._notes[f"{_CARDS[cards[0]]} cannot be used, the model runs on the processor: {error.message}"] = (
                    None
                )
        return session or self._session_on([_PROCESSOR], options)

    def _session_on(self, providers: list[str], options: SessionOptions) -> InferenceSession:
        from onnxruntime import InferenceSession

        with _translated(self._source.graph):  # without its own fall-back, which prints to standard output
            return InferenceSession(self._source.graph, options, providers=providers, enable_fallback=0)

    def _read_inputs(self) -> dict[str, str]:
        """Return what the graph takes, and in which type."""
        inputs = {}
        for entry in self._session.get_inputs():
            if entry.name not in ("input_ids", "attention_mask", "token_type_ids", "position_ids"):
                raise ModelError(
                    f"`{self._source.graph.name}` wants `{entry.name}`, which is no text",
                    hint="export the model for feature extraction",
                )
            inputs[entry.name] = "int32" if entry.type == "tensor(int32)" else "int64"
        return inputs

    def _read_outputs(self) -> tuple[str, bool]:
        """Choose what to read: a vector for each text if the graph makes one, else one for each token."""
        ranks = {entry.name: len(entry.shape or ()) for entry in self._session.get_outputs()}
        for names, rank in ((_POOLED, 2), (_STATES, 3), (tuple(ranks), 3)):
            for name in names:
                if ranks.get(name) == rank:
                    return name, rank == 2
        raise ModelError(
            f"`{self._source.graph.name}` gives {', '.join(ranks)}: no vectors of tokens",
            hint="export the model for feature extraction",
        )

    def _run(self, batch: Sequence[Sequence[int]]) -> Vectors:
        """Return vectors, [n, dimensions], of any length; shorter texts are padded and masked."""
        lengths = np.array([len(ids) for ids in batch])
        ids = np.full((len(batch), int(lengths.max())), self._pad, np.int64)
        for row, numbers in enumerate(batch):
            ids[row, : len(numbers)] = numbers
        mask = (np.arange(ids.shape[1]) < lengths[:, None]).astype(np.int64)
        values = {
            "input_ids": ids,
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(ids),
            "position_ids": np.broadcast_to(np.arange(ids.shape[1]), ids.shape),
        }
        with _translated(self._source.graph):
            (output,) = self._session.run(
                [self._output], {name: values[name].astype(kind) for name, kind in self._inputs.items()}
            )
        states = np.asarray(output, np.float32)
        if self._is_pooled:
            return states
        match self._source.pooling:
            case "mean":
                rows: Vectors = (states * mask[:, :, None]).sum(axis=1) / lengths[:, None]
            case "cls":
                rows = states[:, 0]
            case "last":
                rows = states[np.arange(len(batch)), lengths - 1]
        return rows.astype(np.float32)


def load(spec: ModelSpec, variant: Variant, choice: Choice) -> ModelProcess:
    """Return a model, which starts when it is wanted; a new one is tried first. Raises `ModelError`."""
    check_installed()
    on_disk.path(spec, variant, choice.data_dir)
    folder = files_folder(choice.data_dir, spec, variant)
    graphs = [folder / file.path for file in variant.files if file.path.endswith(".onnx")]
    tokenizers = [folder / file.path for file in variant.files if file.path.endswith("tokenizer.json")]
    if not graphs or not tokenizers:
        raise ModelError(
            f"`{spec.name}` does not say where its graph and its tokenizer are",
            hint=f"list a `.onnx` and a `tokenizer.json` among the files of its variant {variant.name}",
        )
    source = OnnxSource(
        graphs[0], tokenizers[0], spec.pooling, spec.dimensions, spec.context, choice.gpu_layers != 0, choice.threads
    )
    return on_disk.load(spec, variant, choice.data_dir, source, ENVIRONMENT)


def check_installed() -> None:
    """Raise `ModelError` that says how to install what is missing."""
    missing = [name for name in ("onnxruntime", "tokenizers") if importlib.util.find_spec(name) is None]
    if missing:
        raise ModelError(f"ONNX models need the package `{missing[0]}`", hint=f"`{INSTALL}`")


def _tokenizer(path: Path) -> Tokenizer:
    """Load a tokenizer that neither pads nor cuts, and to which special tokens in a text are text."""
    from tokenizers import Tokenizer

    with _translated(path):
        tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.encode_special_tokens = True
    return tokenizer


def _batches(parts: Sequence[_Part]) -> Iterator[list[_Part]]:
    """Group texts of like length, sorted by it; a batch takes as much work as its longest text times their number."""
    batch: list[_Part] = []
    for part in parts:
        if batch and (len(batch) + 1) * len(part.ids) > _TOKENS:
            yield batch
            batch = []
        batch.append(part)
    if batch:
        yield batch


@contextlib.contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Turn what the libraries raise, which has no class in common, into `ModelError`."""
    try:
        yield
    except (ModelError, MemoryError):
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise ModelError(
            f"`{path.name}` does not work: {reason}", hint="fetch it again, or update onnxruntime and tokenizers"
        ) from error
