"""A chosen model reads the chunks in durable steps, and answers beside the bundled one as far as it has come."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from codeseek import archive as archives
from codeseek import tier
from codeseek.archive import Archive
from codeseek.embedders import Vectors
from codeseek.errors import BusyError, ModelError
from codeseek.local import LocalEngine
from codeseek.lock import WriteLock
from codeseek.records import ESTIMATE, Chunk, Progress, SearchRequest, SimilarRequest
from codeseek.settings import Settings
from fakes import HashEmbedder


@dataclass(frozen=True)
class Oracle(HashEmbedder):
    """Knows one thing that no other model does: which chunk answers the riddle."""

    name: str = "oracle"
    dimensions: int = 48
    read: list[str] = field(default_factory=list, compare=False)
    riddle: str = "riddle"
    answer: str = "def plain"

    @property
    def prefix(self) -> int:
        return 16

    def embed(self, chunks: Sequence[Chunk]) -> Vectors:
        self.read.extend(str(chunk.path) for chunk in chunks)
        rows = [
            self._sum("answer") if self.answer in chunk.text else self._sum(f"{chunk.path} {chunk.text}")
            for chunk in chunks
        ]
        return np.array(rows, np.float32).reshape(len(chunks), self.dimensions)

    def embed_query(self, query: str) -> NDArray[np.float32]:
        return self._sum("answer" if self.riddle in query else query)


def fill(root: Path, count: int = 20) -> None:
    root.mkdir(exist_ok=True)
    for number in range(count):
        text = f"def alpha_{number}(value):\n    # beta\n    return value * {number}\n" * 3
        (root / f"file{number}.py").write_text(text)
    (root / "hidden.py").write_text("def plain(thing):\n    return thing\n")


class Bench:
    """A project with an engine whose chosen model is the oracle."""

    def __init__(self, folder: Path) -> None:
        self.root, self.data = folder / "project", folder / "data"
        fill(self.root)
        self.oracle = Oracle()
        self.engine = self.open()

    def open(self, load: Callable[[], Oracle] | None = None, model: str = "oracle") -> LocalEngine:
        chosen = Settings(data_dir=self.data, workers=1, model=model)
        return LocalEngine(self.root, chosen, HashEmbedder, load or (lambda: self.oracle))

    @property
    def directory(self) -> Path:
        return Settings(data_dir=self.data).index_directory(self.root)

    @property
    def archive(self) -> Archive:
        return Archive.open(archives.folder_of(self.directory, self.oracle.fingerprint))

    def covered(self) -> tuple[int, int]:
        (model,) = self.engine.status().models
        return model.covered, model.chunks


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    bench.engine.refresh()
    return bench


def test_the_first_answer_does_not_wait_for_the_chosen_model(bench: Bench) -> None:
    def never() -> Oracle:
        raise AssertionError

    result = bench.open(never).search(SearchRequest("alpha value"))
    assert result.hits
    assert result.tier == "hash"
    assert result.degraded == ("`oracle` has read nothing here yet: `codeseek index` lets it",)


def test_what_it_has_read_it_answers_with(bench: Bench) -> None:
    before = bench.engine.search(SearchRequest("riddle"))
    assert "hidden.py" not in {str(hit.chunk.path) for hit in before.hits}
    summary = bench.engine.embed()
    assert summary.embedded == summary.covered == summary.chunks > 20
    after = bench.engine.search(SearchRequest("riddle"))
    assert str(after.hits[0].chunk.path) == "hidden.py"
    assert (after.tier, after.coverage, after.degraded) == ("hash+oracle", 1.0, ())


def test_comments_that_lie_over_code_are_not_read_twice(bench: Bench) -> None:
    comment = "# Whoever reads this knows why it is done in this way and in no other.\n" * 4
    (bench.root / "more.py").write_text(f"import os\n\n\n{comment}def more():\n    return os.name\n")
    bench.engine.refresh()
    kinds = bench.engine.status().kinds
    summary = bench.engine.embed()
    assert kinds["comment"]
    assert summary.chunks == sum(kinds.values()) - kinds["comment"]


def test_an_edit_embeds_what_changed_alone(bench: Bench) -> None:
    bench.engine.embed()
    bench.oracle.read.clear()
    (bench.root / "file1.py").write_text("def gamma():\n    return 1\n")
    (bench.root / "file2.py").unlink()
    bench.engine.refresh()
    covered, chunks = bench.covered()
    assert covered < chunks
    result = bench.engine.search(SearchRequest("riddle"))
    assert result.coverage == pytest.approx(covered / chunks, abs=1e-4)
    assert bench.engine.embed().embedded == 1
    assert bench.oracle.read == ["file1.py"]
    assert bench.covered()[0] == bench.covered()[1]


def test_going_back_to_what_was_embeds_nothing(bench: Bench) -> None:
    bench.engine.embed()
    text = (bench.root / "file1.py").read_text()
    for content in ("def gamma():\n    return 1\n", text):
        (bench.root / "file1.py").write_text(content)
        bench.engine.refresh()
        bench.oracle.read.clear()
        bench.engine.embed()
    assert bench.oracle.read == []


def test_an_index_made_anew_keeps_what_was_dear(bench: Bench) -> None:
    bench.engine.embed()
    bench.engine.close()
    (bench.directory / "index.db").write_bytes(b"nonsense" * 1000)
    bench.engine = bench.open()
    bench.engine.refresh()
    bench.oracle.read.clear()
    assert bench.engine.embed().embedded == 0
    assert bench.engine.search(SearchRequest("riddle alpha")).tier == "hash+oracle"


def test_an_interruption_keeps_what_is_done_and_the_next_call_goes_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codeseek.embedding._FIRST_STEP", 2)
    monkeypatch.setattr("codeseek.embedding._LARGEST_STEP", 2)
    monkeypatch.setattr("codeseek.progress._PROGRESS_S", 0.0)

    def interrupt(progress: Progress) -> None:
        if progress.phase == "embed" and progress.done >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.engine.embed(interrupt)
    covered, chunks = bench.covered()
    assert 2 <= covered < chunks
    result = bench.engine.search(SearchRequest("riddle"))
    assert result.tier == "hash+oracle"
    assert f"has read {covered / chunks:.0%} of the chunks" in result.degraded[0]
    assert bench.engine.embed().embedded == chunks - covered


def test_progress_is_told_in_chunks(bench: Bench) -> None:
    heard: list[Progress] = []
    summary = bench.engine.embed(heard.append)
    told = [progress for progress in heard if progress.phase == "embed"]
    assert told[0][:3] == ("embed", 0, summary.chunks)
    assert told[-1].done == summary.chunks


def test_two_processes_do_not_embed_at_once(bench: Bench) -> None:
    bench.engine.embed()
    with WriteLock(bench.archive.folder / archives.LOCK), pytest.raises(BusyError):
        bench.open().embed()


def test_a_refresh_does_not_wait_for_the_chosen_model(bench: Bench) -> None:
    started, go_on = threading.Event(), threading.Event()

    @dataclass(frozen=True)
    class Slow(Oracle):
        def embed(self, chunks: Sequence[Chunk]) -> Vectors:
            started.set()
            assert go_on.wait(20)
            return super().embed(chunks)

    engine = bench.open(Slow)
    thread = threading.Thread(target=engine.embed)
    thread.start()
    try:
        assert started.wait(20)
        (bench.root / "fresh.py").write_text("def newcomer():\n    return 1\n")
        assert bench.engine.refresh().added == 1
        found = bench.engine.search(SearchRequest("newcomer", quick=True)).hits
    finally:
        go_on.set()
        thread.join(20)
    assert str(found[0].chunk.path) == "fresh.py"
    assert bench.covered()[0] == bench.covered()[1], "what came meanwhile is read too"


def test_a_model_that_fails_is_told_and_the_bundled_one_answers(bench: Bench) -> None:
    bench.engine.embed()

    def missing() -> Oracle:
        raise ModelError("it is not installed", hint="`codeseek models pull oracle`")

    engine = bench.open(missing)
    result = engine.search(SearchRequest("riddle alpha"))
    assert result.hits
    assert result.tier == "hash"
    assert result.degraded == ("answered without `oracle`: it is not installed (`codeseek models pull oracle`)",)
    with pytest.raises(ModelError):
        engine.embed()


def test_tokens_are_counted_by_the_chosen_model_and_estimated_without_it(bench: Bench) -> None:
    assert bench.engine.count_tokens(["one two", "three"]) == ("oracle", (2, 1))
    without = LocalEngine(bench.root, Settings(data_dir=bench.data), HashEmbedder)
    assert without.count_tokens(["three"]).tokenizer == ESTIMATE

    def missing() -> Oracle:
        raise ModelError("it is not installed", hint="`codeseek models pull oracle`")

    assert bench.open(missing).count_tokens(["three"]) == without.count_tokens(["three"])


def test_vectors_of_another_form_of_the_model_are_not_compared(bench: Bench) -> None:
    bench.engine.embed()
    engine = bench.open(lambda: Oracle(version=2))
    result = engine.search(SearchRequest("riddle alpha"))
    assert result.tier == "hash"
    assert "another form" in result.degraded[0]
    assert engine.embed().embedded > 0
    assert engine.search(SearchRequest("riddle alpha")).tier == "hash+oracle"


def test_what_a_model_said_while_it_read_is_not_said_again_with_every_answer(bench: Bench) -> None:
    said: list[str] = ["the graphics card is small"]

    @dataclass(frozen=True)
    class Chatty(Oracle):
        @property
        def notes(self) -> Sequence[str]:
            return said

        def embed_query(self, query: str) -> NDArray[np.float32]:
            if "long" in query and len(said) == 1:
                said.append("the question was cut")
            return super().embed_query(query)

    engine = bench.open(Chatty)
    assert engine.embed().notes == ("the graphics card is small",)
    assert engine.search(SearchRequest("riddle")).notes == ()
    assert engine.search(SearchRequest("long riddle")).notes == ("the question was cut",)
    assert engine.search(SearchRequest("long riddle again")).notes == ()


def test_a_quick_question_takes_no_model_that_has_to_read_it_first(bench: Bench) -> None:
    bench.engine.embed()
    quick = SearchRequest("riddle alpha", quick=True)
    first = bench.engine.search(quick)
    assert (first.tier, first.degraded) == ("hash", ())
    whole = bench.engine.search(quick._replace(quick=False))
    assert whole.tier == "hash+oracle"
    assert bench.engine.search(quick).tier == "hash+oracle", "it remembers the question"


def test_similar_code_is_found_by_the_chosen_model_without_loading_it(bench: Bench) -> None:
    bench.engine.embed()

    def never() -> Oracle:
        raise AssertionError

    result = bench.open(never).similar(SimilarRequest(PurePosixPath("file1.py"), 1))
    assert result.tier == "oracle"
    assert result.hits[0].score > 0.5


def test_rows_that_were_damaged_are_read_again(bench: Bench) -> None:
    bench.engine.embed()
    path = next(bench.archive.folder.glob("*.vectors"))
    data = bytearray(path.read_bytes())
    data[5] ^= 255
    path.write_bytes(data)
    bench.oracle.read.clear()
    assert bench.engine.embed().embedded == 1
    assert bench.archive.sound().all()


def test_damaged_prefixes_and_graphs_are_done_without(bench: Bench) -> None:
    bench.engine.embed()
    expected = bench.engine.search(SearchRequest("riddle alpha")).hits
    path = next(bench.archive.folder.glob("*.prefix"))
    path.write_bytes(b"nonsense")
    assert bench.open().search(SearchRequest("riddle alpha")).hits == expected


def test_forgetting_a_model_leaves_the_index(bench: Bench) -> None:
    from codeseek import store

    bench.engine.embed()
    assert store.remove_model(bench.directory, "nobody") == 0
    assert store.remove_model(bench.directory, "oracle") == 1
    assert bench.engine.status().models == ()
    assert bench.engine.search(SearchRequest("alpha")).hits


def test_forgetting_the_index_forgets_its_models(bench: Bench) -> None:
    from codeseek import store

    bench.engine.embed()
    bench.engine.close()
    store.remove(bench.directory)
    assert not bench.directory.exists()


def test_many_rows_get_a_graph_and_rows_added_later_are_found_too(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("hnswlib")
    monkeypatch.setattr(tier, "HNSW_ROWS", 10)
    bench.engine.embed()
    graph = next(bench.archive.folder.glob("*.hnsw"))
    (bench.root / "late.py").write_text("def plain(last):\n    return 'the riddle again'\n")
    (bench.root / "hidden.py").unlink()
    bench.engine.refresh()
    monkeypatch.setattr(tier, "_PREFIX_STEP", 10_000)
    bench.engine.embed()
    for _ in range(2):  # the graph is read at the second question
        assert str(bench.engine.search(SearchRequest("riddle zeta")).hits[0].chunk.path) == "late.py"
    assert not graph.exists(), "an explicit call builds it anew"
    assert len([*bench.archive.folder.glob("*.hnsw")]) == 1


def test_unused_vectors_are_dropped_when_they_are_too_many(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codeseek.embedding._SPARE", 0)
    for round_ in range(4):
        for number in range(20):
            (bench.root / f"file{number}.py").write_text(f"def version_{round_}_{number}():\n    return {round_}\n")
        bench.engine.refresh()
        bench.engine.embed()
    assert len(bench.archive) <= 2 * 21 + 20
    assert bench.covered() == (21, 21)


edits = st.lists(
    st.tuples(st.sampled_from(["write", "delete", "refresh", "embed"]), st.integers(0, 4), st.integers(0, 3)),
    max_size=12,
)


@given(edits)
@hypothesis_settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_sequence_of_edits_then_embedding_equals_a_fresh_index(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]]
) -> None:
    bench = Bench(tmp_path_factory.mktemp("edits"))
    for step, number, version in [*steps, ("refresh", 0, 0), ("embed", 0, 0)]:
        path = bench.root / f"file{number}.py"
        if step == "write":
            path.write_text(f"def edited_{version}(value):\n    return value + {number}\n")
        elif step == "delete":
            path.unlink(missing_ok=True)
        elif step == "refresh":
            bench.engine.refresh()
        elif bench.directory.is_dir():
            bench.engine.embed()
    fresh = LocalEngine(
        bench.root, Settings(data_dir=bench.data / "fresh", workers=1, model="oracle"), HashEmbedder, Oracle
    )
    fresh.refresh()
    fresh.embed()
    for query in ("riddle", "edited value", "alpha"):
        one, other = (engine.search(SearchRequest(query, explain=True)) for engine in (bench.engine, fresh))
        assert {(str(hit.chunk.path), hit.chunk.first_line) for hit in one.hits} == {
            (str(hit.chunk.path), hit.chunk.first_line) for hit in other.hits
        }
        assert (one.tier, one.coverage) == (other.tier, other.coverage)
    for engine in (bench.engine, fresh):
        engine.close()
