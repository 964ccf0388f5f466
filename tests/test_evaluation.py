"""Evaluations: what is asked and hidden, that nothing is left behind or touched, and the figures made of the answers."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

import project
from codeseek import evaluation, mining, scoreboard
from codeseek.embedders import Choice, Embedder, Vectors, bundled
from codeseek.errors import ModelError, ProjectError, UsageError
from codeseek.evaluation import Contender, Evaluation, Plan
from codeseek.local import LocalEngine
from codeseek.mining.question import Question, Target
from codeseek.records import Chunk, Progress, SearchRequest
from codeseek.settings import Settings
from fakes import HashEmbedder

BUNDLED = Contender("bundled", Choice())
OTHER = Contender("other", Choice("all-minilm-l6-v2"), "F16", 512, 1000)
GIVEN = Question("where are connections reused", "file", "English", (Target("src/client.py"),))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return project.make(tmp_path / "project")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "data", workers=1)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return where temporary files go, and see that none is left there."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert not [*folder.iterdir()]


def load(choice: Choice) -> Embedder:
    return bundled() if choice.name == "bundled" else cast("Embedder", HashEmbedder(choice.name, 48))


def test_every_arm_of_every_model_answers_every_question(root: Path, settings: Settings, temporary: Path) -> None:
    plan = Plan((BUNDLED, OTHER), 50, 1, (GIVEN,))
    measured = evaluation.evaluate(root, settings, plan, load=load)
    assert [(run.model, run.arm) for run in measured.runs] == [
        ("bundled", "both"),
        ("bundled", "dense"),
        ("other", "tiers"),
        ("other", "dense"),
        ("", "lexical"),
    ]
    assert all(len(run.answers) == len(measured.questions) for run in measured.runs)
    assert measured.questions[0] == GIVEN
    assert {question.source for question in measured.questions} == {"file", "docstring", "documentation"}
    assert [figures.dimensions for figures in measured.models] == [256, 48]
    assert all(figures.texts_per_s > 0 and figures.vector_bytes > 0 for figures in measured.models)
    assert measured.indexed.files == 5
    assert len({run.answers for run in measured.runs}) == 5
    again = evaluation.evaluate(root, settings, plan, load=load)
    assert again.questions == measured.questions
    assert [[answer.ranks for answer in run.answers] for run in again.runs] == [
        [answer.ranks for answer in run.answers] for run in measured.runs
    ]


def test_what_a_question_is_made_of_is_nowhere_in_what_is_searched(
    root: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = {}
    refresh = LocalEngine.refresh

    def look(engine: LocalEngine, *arguments: object, **options: object) -> object:
        files = [path for path in engine.root.rglob("*") if path.is_file()]
        texts.update({str(path.relative_to(engine.root)): path.read_text() for path in files})
        return refresh(engine, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(LocalEngine, "refresh", look)
    measured = evaluation.evaluate(root, settings, Plan((BUNDLED,), 50))
    assert set(texts) == {
        ".gitignore", "CHANGELOG.md", "docs/guide.md", "src/cache.go", "src/client.py", "tests/test_client.py"
    }  # fmt: skip
    every = "\n".join(texts.values())
    assert len(measured.questions) == 8
    assert not [question.text for question in measured.questions if question.text in every]
    assert texts["tests/test_client.py"] == project.TEST
    for path, text in texts.items():
        assert len(text.splitlines()) == len((root / path).read_text().splitlines())


def test_what_is_said_in_two_places_is_not_asked(root: Path, settings: Settings) -> None:
    (root / "src" / "other.py").write_text(
        'def fetch():\n    """Download a document, trying again when the network fails. Returns bytes."""\n'
    )
    (root / "notes.txt").write_text("From the code:\n    Send requests to one host and reuse the sockets.\n")
    asked = {question.text for question in evaluation.evaluate(root, settings, Plan((BUNDLED,), 50)).questions}
    assert "Evict removes the entries that nobody has asked for in a long time" in asked
    assert not {text for text in asked if text.startswith(("Download", "Send"))}


def test_an_evaluation_touches_neither_the_project_nor_its_index(
    root: Path, settings: Settings, temporary: Path
) -> None:
    engine = LocalEngine(root, settings)
    engine.refresh()
    engine.close()

    def state() -> dict[Path, tuple[int, bytes]]:
        files = [path for folder in (root, settings.data_dir) for path in folder.rglob("*") if path.is_file()]
        return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files}

    before = state()
    evaluation.evaluate(root, settings, Plan((BUNDLED,), 50), load=load)
    assert state() == before


def test_vectors_that_a_model_has_made_before_are_used(root: Path, settings: Settings, temporary: Path) -> None:
    embedded: list[int] = []

    class Counting(HashEmbedder):
        def embed(self, chunks: Sequence[Chunk]) -> Vectors:
            embedded.append(len(chunks))
            return super().embed(chunks)

    def counted(choice: Choice) -> Embedder:
        return cast("Embedder", Counting(choice.name, 48))

    for number in range(60):
        (root / "src" / f"part_{number}.py").write_text(f"def part_{number}(x):\n    return x + {number}\n")
    plan = Plan((OTHER,), 50)
    measured = evaluation.evaluate(root, settings, plan, load=counted)
    first = sum(embedded)
    chosen = Settings(settings.data_dir, model=OTHER.choice.name, workers=1)
    engine = LocalEngine(root, chosen, load_chosen=lambda: counted(OTHER.choice))
    engine.refresh()
    assert engine.embed().embedded > 60
    engine.close()
    embedded.clear()
    again = evaluation.evaluate(root, settings, plan, load=counted)
    assert sum(embedded) < 50 < first
    assert [[answer.ranks for answer in run.answers] for run in again.runs] == [
        [answer.ranks for answer in run.answers] for run in measured.runs
    ]


@pytest.mark.parametrize("phase", ["scan", "mine", "index", "ask"])
def test_an_interruption_leaves_nothing_behind(phase: str, root: Path, settings: Settings, temporary: Path) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.phase == phase:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluation.evaluate(root, settings, Plan((BUNDLED,), 50), interrupt)
    assert not settings.data_dir.exists()


def test_only_a_folder_is_measured_if_one_is_named(root: Path, settings: Settings) -> None:
    measured = evaluation.evaluate(root, settings, Plan((BUNDLED,), 50), under=PurePosixPath("src"))
    assert {target.path for question in measured.questions for target in question.targets} <= {
        "src/client.py",
        "src/cache.go",
    }
    assert measured.indexed.files == 2


def test_a_model_that_does_not_load_costs_the_others_nothing(root: Path, settings: Settings) -> None:
    def broken(choice: Choice) -> Embedder:
        if choice.name != "bundled":
            raise ModelError("it is damaged", hint="fetch it again")
        return bundled()

    measured = evaluation.evaluate(root, settings, Plan((OTHER, BUNDLED), 50), load=broken)
    assert [figures.label for figures in measured.models] == ["bundled"]
    assert [run.arm for run in measured.runs] == ["both", "dense", "lexical"]
    assert [(label, error.message) for label, error in measured.failures] == [("other", "it is damaged")]
    with pytest.raises(ModelError, match="it is damaged"):
        evaluation.evaluate(root, settings, Plan((OTHER,), 50), load=broken)


def test_a_model_that_fails_on_the_way_leaves_no_half_of_its_answers(root: Path, settings: Settings) -> None:
    class Failing(HashEmbedder):
        def embed_query(self, query: str) -> NDArray[np.float32]:
            if query.startswith("Evict"):
                raise ModelError("it is gone")
            return super().embed_query(query)

        def embed(self, chunks: Sequence[Chunk]) -> Vectors:
            raise ModelError("it is gone")

    def failing(choice: Choice) -> Embedder:
        return cast("Embedder", Failing(choice.name, 48)) if choice.name != "bundled" else bundled()

    measured = evaluation.evaluate(root, settings, Plan((BUNDLED, OTHER), 50), load=failing)
    assert {run.model for run in measured.runs} == {"bundled", ""}
    assert [label for label, _ in measured.failures] == ["other"]


def test_what_models_have_to_say_is_told(root: Path, settings: Settings) -> None:
    class Talking(HashEmbedder):
        @property
        def notes(self) -> Sequence[str]:
            return ("text goes to another machine",)

    measured = evaluation.evaluate(root, settings, Plan((OTHER,), 50), load=lambda choice: Talking(choice.name, 48))
    assert measured.notes == ("other: text goes to another machine",)


def test_nothing_is_hidden_in_what_answers_given_questions(root: Path, settings: Settings) -> None:
    measured = evaluation.evaluate(root, settings, Plan((BUNDLED,), 50, 1, (GIVEN,)))
    mined = [question for question in measured.questions if question.source != "file"]
    assert mined
    assert not [question for question in mined if question.targets[0].path == "src/client.py"]


def test_where_nothing_can_be_asked_that_is_said(tmp_path: Path, settings: Settings) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ProjectError):
        evaluation.evaluate(empty, settings, Plan((BUNDLED,)))
    (empty / "a.py").write_text("x = 1\n")
    with pytest.raises(UsageError, match="says too little"):
        evaluation.evaluate(empty, settings, Plan((BUNDLED,)))


def test_given_answers_that_are_not_indexed_are_told(root: Path, settings: Settings) -> None:
    lost = GIVEN._replace(targets=(Target("src/none.py"),))
    measured = evaluation.evaluate(root, settings, Plan((BUNDLED,), 0, 1, (GIVEN, lost)))
    assert measured.questions == (GIVEN, lost)
    assert measured.notes == ("1 of the 2 files that answer given questions are not in the index",)


def test_models_are_checked_before_anything_is_done(settings: Settings) -> None:
    (first,) = evaluation.contenders(["bundled", " bundled", ""], settings)
    assert (first.label, first.choice.name, first.context) == ("bundled", "bundled", 512)
    for name, wrong in (
        ("nobody", "unknown model"),
        ("bge-m3", "is not installed"),
        ("bundled@64", "not cut"),
        ("bge-m3@x", "to how many"),
        ("", "no model"),
    ):
        with pytest.raises((ModelError, UsageError), match=wrong) as caught:
            evaluation.contenders([name], settings)
        assert caught.value.hint
    assert evaluation.usual(settings) == ["bundled"]
    assert evaluation.usual(Settings(settings.data_dir, model="bge-m3")) == ["bge-m3", "bundled"]


# ------------------------------------------------------------ arms


def test_an_arm_alone_is_asked_for_in_the_request(root: Path, settings: Settings) -> None:
    engine = LocalEngine(root, settings)
    engine.refresh()
    question = "evict entries nobody asked for"
    hits = {
        arm: engine.search(SearchRequest(question, arm=arm, explain=True)).hits for arm in ("both", "lexical", "dense")
    }
    assert all(hits[arm][0].chunk.path == PurePosixPath("src/cache.go") for arm in hits)
    assert all("meaning" not in hit.why for hit in hits["lexical"])
    assert any("meaning" in hit.why for hit in hits["both"])
    cosines = [hit.score for hit in hits["dense"]]
    assert cosines == sorted(cosines, reverse=True)
    code = [hit.chunk.path for hit in hits["dense"] if hit.chunk.kind != "section"]
    assert len(code) == len(set(code)) >= 2
    # without a word in common only meaning finds anything
    assert not engine.search(SearchRequest("zzyzx", arm="lexical")).hits
    only = engine.search(SearchRequest(question, arm="dense", languages=("python",))).hits
    assert {hit.chunk.language for hit in only} == {"python"}
    engine.close()


# ------------------------------------------------------------ figures


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    root = project.make(tmp_path_factory.mktemp("measured") / "project")
    given = tuple(GIVEN._replace(text=f"where are connections reused {number}") for number in range(30))
    settings = Settings(root.parent / "data", workers=1)
    return evaluation.evaluate(root, settings, Plan((BUNDLED, OTHER), 50, 1, given), load=load)


def rewritten(path: Path, change: Callable[[dict[str, list[dict[str, object]]]], None]) -> Path:
    table = json.loads(path.read_text("utf-8"))
    change(table)
    path.write_text(json.dumps(table), "utf-8")
    return path


@pytest.fixture
def baseline(measured: Evaluation, tmp_path: Path) -> Path:
    path = tmp_path / "baseline.json"
    path.write_text(json.dumps(scoreboard.record(scoreboard.board(measured))), "utf-8")
    return path


def test_the_figures_are_those_of_the_answers(measured: Evaluation) -> None:
    board = scoreboard.board(measured)
    first = board.rows[0]
    assert first.name == "bundled both"
    assert first.difference is None
    for row in board.rows:
        chief = row.scores["ndcg@10"]
        assert chief.low <= chief.mean <= chief.high
        assert chief.questions == len(measured.questions)
        for parts in (row.by_language, row.by_source):
            whole = sum(part.mean * part.questions for part in parts.values()) / chief.questions
            assert whole == pytest.approx(chief.mean)
        if row.difference is not None:
            assert row.difference.mean == pytest.approx(chief.mean - first.scores["ndcg@10"].mean)


def test_an_evaluation_does_not_differ_from_itself(measured: Evaluation, baseline: Path) -> None:
    board = scoreboard.compared(scoreboard.board(measured), baseline)
    assert board.change is not None
    assert board.change.paired == len(measured.questions)
    assert board.change.difference[:3] == (0, 0, 0)
    assert not scoreboard.judged(board, 1.0, share=True).failed


def test_what_is_surely_worse_fails_and_what_may_be_chance_does_not(measured: Evaluation, baseline: Path) -> None:
    def all_first(table: dict[str, list[dict[str, object]]]) -> None:
        for question in table["questions"]:
            question["ranks"] = [[1]] * len(table["arms"])

    better = scoreboard.compared(scoreboard.board(measured._replace(runs=tuple(
        run._replace(answers=tuple(answer._replace(ranks=answer.ranks._replace(exact=(5,))) for answer in run.answers))
        for run in measured.runs
    ))), rewritten(baseline, all_first))  # fmt: skip
    failed = scoreboard.judged(better, 0.9, share=True).failed
    assert failed.startswith("bundled both lost 0.613 of the baseline's 1.000")
    assert not scoreboard.judged(better, 0.1, share=True).failed
    assert scoreboard.judged(better, 0.5, share=False).failed.startswith("bundled both has ndcg@10 0.387")
    assert not scoreboard.judged(better, 0.3, share=False).failed

    def one_better(table: dict[str, list[dict[str, object]]]) -> None:
        question = next(question for question in table["questions"] if question["ranks"][0] != [1])  # type: ignore[index]
        question["ranks"] = [[1]] * len(table["arms"])

    baseline.write_text(json.dumps(scoreboard.record(scoreboard.board(measured))), "utf-8")
    board = scoreboard.compared(scoreboard.board(measured), rewritten(baseline, one_better))
    assert board.change is not None
    assert board.change.difference.mean < 0
    assert not scoreboard.judged(board, 1.0, share=True).failed


def test_other_questions_are_compared_by_their_means_and_less_surely(measured: Evaluation, baseline: Path) -> None:
    def others(table: dict[str, list[dict[str, object]]]) -> None:
        for question in table["questions"]:
            question["key"] = f"other {question['key']}"

    board = scoreboard.compared(scoreboard.board(measured), rewritten(baseline, others))
    assert board.change is not None
    assert board.change.paired == 0
    assert board.change.difference.mean == pytest.approx(0, abs=1e-3)
    chief = board.rows[0].scores["ndcg@10"]
    assert board.change.difference.high - board.change.difference.low > chief.high - chief.low


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"version": 2}', '{"version": 1, "arms": [], "questions": []}', "\xff",
     '{"version": 1, "arms": [{"model": "bundled", "arm": "both"}], "questions": []}',
     '{"version": 1, "arms": [{"model": "bundled", "arm": "both"}], "questions": [{"key": 1, "targets": [1], "ranks": [[0]]}]}',
     '{"version": 1, "arms": [{"model": "bundled", "arm": "both"}], "questions": [{"key": 1, "targets": [1], "ranks": []}]}',
     '{"version": 1, "arms": [{"model": "bundled", "arm": "both"}], "questions": [{"key": 1, "targets": [], "ranks": [[]]}]}',
     '{"version": 1, "arms": [{"model": "x", "arm": "dense"}], "questions": [{"key": 1, "targets": [1], "ranks": [[1]]}]}'],
)  # fmt: skip
def test_what_is_no_evaluation_is_no_baseline(text: str, measured: Evaluation, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(text, "latin-1")
    with pytest.raises(UsageError) as caught:
        scoreboard.compared(scoreboard.board(measured), path)
    assert caught.value.hint


def test_questions_keep_their_keys_when_their_lines_move(root: Path, settings: Settings) -> None:
    before = evaluation.evaluate(root, settings, Plan((BUNDLED,), 50)).questions
    for path in ("src/client.py", "src/cache.go"):
        (root / path).write_text("\n\n" + (root / path).read_text())
    after = evaluation.evaluate(root, settings, Plan((BUNDLED,), 50)).questions
    assert {question.key for question in before} == {question.key for question in after}


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_commits_are_asked_too(root: Path, settings: Settings) -> None:
    project.git(root, "init", "-q")
    project.commit(root, "Follow redirects to other hosts than the first", "CHANGELOG.md", "README")
    project.commit(root, "Follow redirects to any other host at once", "src/client.py", "tests/test_client.py")
    measured = evaluation.evaluate(root, settings, Plan((BUNDLED,), 50))
    assert [question.targets for question in measured.questions if question.source == "commit"] == [
        (Target("src/client.py"),)
    ]
    assert mining.SHARES.keys() == {question.source for question in measured.questions}
