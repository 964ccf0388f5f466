"""Measure the search on a project's own questions: each is put to every arm of every model, in a copy that hides the answers.

The copy and its index are temporary: what is indexed already is neither used for answers nor touched. Vectors that a model
has made of the same chunks before are taken from there, since they may have taken hours.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from codeseek import archive as archives
from codeseek import catalogue, decoding, ignore, installed, mining, walker
from codeseek.arrays import Damaged
from codeseek.database import translated
from codeseek.embedders import Choice, Embedder, Vectors, load_embedder
from codeseek.errors import ModelError, ProjectError, UsageError
from codeseek.local import LocalEngine
from codeseek.mining.question import Hidden, Question
from codeseek.progress import Reporter
from codeseek.records import WHOLE, Arm, Chunk, ProgressListener, SearchRequest, SourceFile
from codeseek.scores import CUTOFF, Place, Ranks, ranks
from codeseek.settings import BUNDLED, Settings

_SHOWN = 3  # hits that are kept beside a question
_MEASURED = 256  # chunks by which a model's speed is known, where it has not just read more
_FEW = 32


class Contender(NamedTuple):
    """A model to be compared: how it is called here, how it is loaded, and what is known of it."""

    label: str
    choice: Choice
    form: str = ""
    context: int = 0
    file_bytes: int = 0


class Plan(NamedTuple):
    """What to measure: models, how many questions to mine, in which random order, and questions given beside."""

    contenders: tuple[Contender, ...]
    questions: int = 300
    seed: int = 1
    given: tuple[Question, ...] = ()


class Answer(NamedTuple):
    """What became of one question: where its targets were found, how long it took, and the first hits."""

    ranks: Ranks
    elapsed_ms: float
    top: tuple[Place, ...]


class Run(NamedTuple):
    """The answers of one arm of one model, in the order of the questions.

    `arm` is `lexical`, `dense` (the model alone), `both` (words and the bundled model) or `tiers` (these and this model).
    """

    model: str
    arm: str
    answers: tuple[Answer, ...]


class ModelFigures(NamedTuple):
    """What a model takes: of its file, of vectors for this project, and of time."""

    label: str
    form: str
    dimensions: int
    context: int
    file_bytes: int
    vector_bytes: int
    texts_per_s: float
    load_s: float


class IndexFigures(NamedTuple):
    """The index of the copy: its size without the vectors of other models, and how long it took."""

    files: int
    chunks: int
    functions: int
    elapsed_s: float
    size_bytes: int


class Evaluation(NamedTuple):
    """All that was measured; the first run's model and arm are what the others are compared with."""

    root: Path
    seed: int
    questions: tuple[Question, ...]
    runs: tuple[Run, ...]
    models: tuple[ModelFigures, ...]
    indexed: IndexFigures
    elapsed_s: float
    failures: tuple[tuple[str, ModelError], ...] = ()
    notes: tuple[str, ...] = ()


def usual(settings: Settings) -> list[str]:
    """Return the models that are compared where none is named: the bundled one, and the chosen one first."""
    return list(dict.fromkeys((settings.model, BUNDLED)))


def contenders(names: Sequence[str], settings: Settings) -> tuple[Contender, ...]:
    """Return the models of these names, `NAME@256` standing for its vectors cut to so many numbers.

    Raises `ModelError` for one that is not known or not installed, before any work is done.
    """
    found = {}
    for name in dict.fromkeys(name.strip() for name in names if name.strip()):
        plain, at, dimensions = name.partition("@")
        spec = catalogue.find(plain)
        if at and not dimensions.isdecimal():
            raise UsageError(f"`{name}` does not say to how many numbers", f"`{plain}@256`, for example")
        there = installed.variants(settings.data_dir, spec)
        if not there:
            raise ModelError(f"`{plain}` is not installed", f"`codeseek models pull {plain}` fetches it")
        is_set = settings.model == spec.name
        variant = spec.variant(settings.quant) if is_set and settings.quant else there[0]
        if at:
            if plain == BUNDLED:
                raise UsageError("the bundled model's vectors are not cut", f"leave `@{dimensions}` out")
            spec.check_dimensions(int(dimensions))
        choice = Choice.of(settings if is_set else replace(settings, dimensions=0, task=""))
        choice = choice._replace(
            name=spec.name, variant=variant.name, dimensions=int(dimensions) if at else choice.dimensions
        )
        file_bytes = installed.size(settings.data_dir, spec, variant) or variant.size
        found[name] = Contender(name, choice, variant.name, spec.context, file_bytes)
    if not found:
        raise UsageError("no model is named", f"`--models {BUNDLED}`, for example")
    return tuple(found.values())


def evaluate(
    root: Path,
    settings: Settings,
    plan: Plan,
    listener: ProgressListener | None = None,
    *,
    under: PurePosixPath = WHOLE,
    load: Callable[[Choice], Embedder] = load_embedder,
) -> Evaluation:
    """Mine questions, hide what they are asked by in a copy, index that, and ask; only `under` a folder if one is given.

    Raises `ProjectError` where there is nothing to search, `UsageError` where there is nothing to ask, `ModelError` where
    no model could be loaded, and `StoreError`.
    """
    started = time.perf_counter()
    reporter = Reporter(listener)
    with tempfile.TemporaryDirectory(prefix="codeseek-eval-", ignore_cleanup_errors=True) as temporary:
        copy = Path(temporary, "project", root.name or "root")
        own = replace(settings, data_dir=Path(temporary, "data"), model=BUNDLED)
        questions, paths = _prepare(root, copy, settings, plan, reporter, under)
        bench = _Bench(copy, own, settings.index_directory(root), questions, reporter, listener)
        with closing(LocalEngine(copy, own)) as engine:
            summary = engine.refresh(listener, thorough=True)
            status = engine.status()
        functions = sum(status.kinds.get(kind, 0) for kind in ("function", "method"))
        figures = IndexFigures(status.files, status.chunks, functions, summary.elapsed_s, status.size_bytes)
        for contender in plan.contenders:
            bench.measure(contender, load, status.chunks)
    if not bench.figures:
        raise bench.failures[0][1]
    named = _answering(plan.given)
    if lost := len(named.difference(paths)):
        bench.notes.append(f"{lost} of the {len(named)} files that answer given questions are not in the index")
    labels = [*(model.label for model in bench.figures), ""]  # what users get comes first, words alone last
    return Evaluation(
        root,
        plan.seed,
        questions,
        tuple(sorted(bench.runs, key=lambda run: labels.index(run.model))),
        tuple(bench.figures),
        figures,
        time.perf_counter() - started,
        tuple(bench.failures),
        tuple(bench.notes),
    )


def _answering(given: Sequence[Question]) -> set[str]:
    return {target.path for question in given for target in question.targets}


def _prepare(
    root: Path, copy: Path, settings: Settings, plan: Plan, reporter: Reporter, under: PurePosixPath
) -> tuple[tuple[Question, ...], Collection[str]]:
    """Return the questions and the files' paths, and make the copy in which what the questions are asked by is hidden."""
    reporter.start("scan")
    files: list[SourceFile] = []
    extra: list[PurePosixPath] = []
    options = walker.WalkOptions(settings.max_file_bytes, settings.max_document_bytes, settings.ignore)
    for item in walker.walk(root, options, under=under):
        if isinstance(item, SourceFile):
            files.append(item)
            reporter.advance(1, str(item.path))
        elif isinstance(item, walker.KnownDirectory):
            extra += [item.path / name for name in item.concerns if name != ".git"]
    if not files:
        raise ProjectError(f"no file worth indexing in `{root / under}`", "`codeseek status` says what was skipped")
    spared = _answering(plan.given)  # nothing is hidden in what answers the user's own questions
    mined = [file for file in files if str(file.path) not in spared] if plan.questions else []
    reporter.start("mine", len(mined))
    pool = mining.mine(root, mined, plan.questions, plan.seed, reporter.advance) if mined else []
    by_path = {str(file.path): file for file in files}
    hidden_in = {hidden.path for question in pool for hidden in question.hidden}
    texts = {path: mining.text_of(root, by_path[path]) for path in hidden_in}
    telling = {question.key: mining.telling_lines(question, texts) for question in pool}
    paths = [*extra, *(file.path for file in files)]
    with translated():
        told = _copy(root, copy, paths, {line for lines in telling.values() for line in lines})
    pool = [question for question in pool if all(told[line] == 1 for line in telling[question.key])]
    chosen = mining.choose(pool, plan.questions)
    hidden: dict[str, list[Hidden]] = defaultdict(list)
    for question in chosen:
        for part in question.hidden:
            hidden[part.path].append(part)
    with translated():
        for path, parts in hidden.items():
            (copy / path).parent.mkdir(parents=True, exist_ok=True)
            (copy / path).write_bytes(mining.blanked(texts[path], parts).encode())
    if not chosen and not plan.given:
        raise UsageError(
            f"`{root / under}` says too little of itself to ask about",
            'give questions of your own with `--queries FILE`: lines such as `{"query": "…", "targets": [{"file": "…"}]}`',
        )
    return (*plan.given, *chosen), by_path.keys()


def _copy(root: Path, copy: Path, paths: Sequence[PurePosixPath], lines: Collection[str]) -> Counter[str]:
    """Copy files, and count how often these lines stand in them."""
    told: Counter[str] = Counter()
    for path in paths:
        try:
            data = ignore.read_regular(os.path.join(root, path))
        except (OSError, ValueError):
            continue  # it went away
        target = copy / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        if lines:
            text = decoding.decode(data) or ""
            told.update(bare for line in text.splitlines() if (bare := mining.bare_line(line)) in lines)
    return told


class _Bench:
    """Puts the questions to one model after the other; only one is in memory at a time."""

    def __init__(
        self,
        copy: Path,
        settings: Settings,
        known: Path,
        questions: Sequence[Question],
        reporter: Reporter,
        listener: ProgressListener | None,
    ) -> None:
        """Prepare; `settings` are for the copy, `known` is the folder of the project's own index."""
        self.runs: list[Run] = []
        self.figures: list[ModelFigures] = []
        self.failures: list[tuple[str, ModelError]] = []
        self.notes: list[str] = []
        self._copy = copy
        self._settings = settings
        self._known = known
        self._questions = questions
        self._reporter = reporter
        self._listener = listener
        self._met: dict[Place, Chunk] = {}

    def measure(self, contender: Contender, load: Callable[[Choice], Embedder], chunks: int) -> None:
        """Load a model, let it read the copy, and ask its arms; before the first, words alone."""
        began = time.perf_counter()
        try:
            embedder = load(contender.choice)
            with closing(_Watched(embedder)) as watched:
                embedder.embed_query("where is a file opened")  # some load no sooner than they are asked
                load_s = time.perf_counter() - began
                runs = self._runs(contender, watched)
                self.notes += [f"{contender.label}: {note}" for note in watched.notes]
        except ModelError as error:
            self.failures.append((contender.label, error))
            return
        self.runs += runs
        self.figures.append(
            ModelFigures(
                contender.label,
                contender.form,
                watched.dimensions,
                contender.context,
                contender.file_bytes,
                2 * watched.dimensions * chunks,
                watched.texts / watched.seconds,
                load_s,
            )
        )

    def _runs(self, contender: Contender, watched: _Watched) -> list[Run]:
        """Ask the arms that a model answers."""
        settings = replace(self._settings, model=contender.choice.name)
        is_bundled = contender.choice.name == BUNDLED
        engine = (
            LocalEngine(self._copy, settings, lambda: watched)
            if is_bundled
            else LocalEngine(self._copy, settings, load_chosen=lambda: watched)
        )
        with closing(engine):
            if not is_bundled:
                self._bring_vectors(watched)
                engine.embed(self._listener)
            self._reporter.start("ask", len(self._questions) * (2 if self.runs else 3))
            runs = [] if self.runs else [self._asked(engine, "", "lexical", "lexical", watched)]
            runs.append(self._asked(engine, contender.label, "both" if is_bundled else "tiers", "both", watched))
            runs.append(self._asked(engine, contender.label, "dense", "dense", watched))
            if watched.texts < _FEW:
                watched.embed(list(self._met.values())[: _MEASURED if is_bundled else _FEW])
        return runs

    def _asked(self, engine: LocalEngine, label: str, name: str, arm: Arm, watched: _Watched) -> Run:
        """Put every question to one arm."""
        engine.search(SearchRequest("warm up", arm=arm))
        answers = []
        for question in self._questions:
            asked = watched.asked
            began = time.perf_counter()
            verbatim = not question.hidden  # what is hidden stood there word for word: copies of it answer nothing
            hits = engine.search(SearchRequest(question.text, limit=CUTOFF, arm=arm, verbatim=verbatim)).hits
            elapsed_s = time.perf_counter() - began
            if arm != "lexical" and watched.asked == asked:  # the question's vector was remembered
                elapsed_s += watched.question_s.get(question.text, 0.0)
            places = [Place(str(hit.chunk.path), hit.chunk.first_line, hit.chunk.last_line) for hit in hits]
            if len(self._met) < _MEASURED:
                self._met.update(zip(places, (hit.chunk for hit in hits), strict=True))
            answers.append(Answer(ranks(places, question.targets), elapsed_s * 1000, tuple(places[:_SHOWN])))
            self._reporter.advance(1)
        return Run(label, name, tuple(answers))

    def _bring_vectors(self, embedder: Embedder) -> None:
        """Copy what the model has made for the project's own index: most chunks of the copy are the same."""
        source = archives.folder_of(self._known, embedder.fingerprint)
        target = archives.folder_of(self._settings.index_directory(self._copy), embedder.fingerprint)
        with suppress(OSError, Damaged):
            header = archives.read_header(source)
            target.mkdir(parents=True)
            for suffix in (".keys", ".vectors"):  # in this order: another process may be adding rows
                shutil.copyfile(source / f"{header.birth}{suffix}", target / f"{header.birth}{suffix}")
            shutil.copyfile(source / archives.HEADER, target / archives.HEADER)


class _Watched:
    """A model that is timed while it works."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.texts = self.asked = 0
        self.seconds = 0.0
        self.question_s: dict[str, float] = {}
        self.name = embedder.name
        self.dimensions = embedder.dimensions
        self.fingerprint = embedder.fingerprint
        self.prefix = embedder.prefix

    @property
    def notes(self) -> Sequence[str]:
        """What the user should hear of."""
        return self._embedder.notes

    def embed(self, chunks: Sequence[Chunk]) -> Vectors:
        """Embed chunks."""
        began = time.perf_counter()
        vectors = self._embedder.embed(chunks)
        self.seconds += time.perf_counter() - began
        self.texts += len(chunks)
        return vectors

    def embed_query(self, query: str) -> Vectors:
        """Embed a question."""
        began = time.perf_counter()
        vector = self._embedder.embed_query(query)
        self.question_s[query] = time.perf_counter() - began
        self.asked += 1
        return vector

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Embed texts as they are."""
        return self._embedder.embed_texts(texts)

    def count_tokens(self, texts: Sequence[str]) -> list[int] | None:
        """Count the tokens of texts."""
        return self._embedder.count_tokens(texts)

    def close(self) -> None:
        """Let go of the model."""
        self._embedder.close()
