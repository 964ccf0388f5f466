from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from numpy.typing import NDArray

from codeseek import indexer, vectors, workers
from codeseek.errors import StoreError, UsageError
from codeseek.local import LocalEngine
from codeseek.lock import WriteLock
from codeseek.records import Progress, SearchRequest, SimilarRequest
from codeseek.settings import Settings
from codeseek.store import LOCK, Store
from fakes import HashEmbedder
from indexed import engine_of

SOURCE = '''\
def parse_configuration(path):
    """Read the settings file and return what it says, or the defaults."""
    return path.read_text()


def save_everything(store):
    """Write the whole store to the disk, slowly and with care."""
    return store.flush()
'''


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "src").mkdir(parents=True)
    (root / "src" / "settings.py").write_text(SOURCE)
    (root / "README.md").write_text("# Example\n\nHow to install it: run it.\n")
    return root


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def engine(root: Path, data: Path) -> Iterator[LocalEngine]:
    engine = engine_of(root, data)
    yield engine
    engine.close()


def paths(engine: LocalEngine, question: str) -> list[str]:
    return [str(hit.chunk.path) for hit in engine.search(SearchRequest(question)).hits]


def test_only_files_changed_since_are_found(engine: LocalEngine, root: Path) -> None:
    os.utime(root / "src" / "settings.py", (1_000, 1_000))
    engine.refresh()
    found = engine.search(SearchRequest("parse configuration install", changed_since=2_000.0)).hits
    assert [str(hit.chunk.path) for hit in found] == ["README.md"]
    assert engine.search(SearchRequest("parse configuration", changed_since=1_000.0)).hits
    assert not engine.search(SearchRequest("parse configuration", changed_since=time.time() + 99)).hits
    similar = engine.similar(SimilarRequest(PurePosixPath("src/settings.py"), 2, changed_since=2_000.0)).hits
    assert {str(hit.chunk.path) for hit in similar} == {"README.md"}


def test_what_is_indexed_is_found(engine: LocalEngine) -> None:
    engine.refresh()
    result = engine.search(SearchRequest("parse configuration"))
    assert str(result.hits[0].chunk.path) == "src/settings.py"
    assert result.freshness == "fresh"
    assert result.indexed_at is not None
    assert result.tier == "hash"


def test_an_index_that_another_process_made_anew_is_read_anew(engine: LocalEngine, root: Path, data: Path) -> None:
    engine.refresh()
    assert "src/settings.py" in paths(engine, "parse configuration")
    (root / "src" / "settings.py").unlink()
    other = engine_of(root, data)
    other._indexer.remake("for a test")
    other.close()
    assert "src/settings.py" not in paths(engine, "parse configuration")


def test_a_query_that_is_too_long_is_cut_and_that_is_said(engine: LocalEngine) -> None:
    engine.refresh()
    assert engine.search(SearchRequest("parse " * 600)).degraded == ()
    (weakness,) = engine.search(SearchRequest("parse " * 700)).degraded
    assert "the first 4,000 of the query's 4,200 characters" in weakness


def test_without_an_index_a_search_says_how_to_make_one(engine: LocalEngine) -> None:
    for ask in (lambda: engine.search(SearchRequest("parse")), engine.status):
        with pytest.raises(StoreError, match="no index") as raised:
            ask()
        assert "codeseek index" in raised.value.hint


def test_an_answer_from_an_index_that_nobody_compared_with_the_files_is_of_unknown_freshness(
    engine: LocalEngine, root: Path, data: Path
) -> None:
    engine.refresh()
    other = engine_of(root, data)
    assert other.search(SearchRequest("parse")).freshness == "unknown"
    other.close()


def test_a_removed_file_is_never_found(engine: LocalEngine, root: Path) -> None:
    engine.refresh()
    assert "src/settings.py" in paths(engine, "parse configuration")
    (root / "src" / "settings.py").unlink()
    engine.refresh()
    assert "src/settings.py" not in paths(engine, "parse configuration")


def test_what_another_process_indexes_is_found_by_an_open_engine(engine: LocalEngine, root: Path, data: Path) -> None:
    engine.refresh()
    assert paths(engine, "telescope") == []
    (root / "new.py").write_text("def telescope():\n    return 'far'\n")
    other = engine_of(root, data)
    other.refresh()
    other.close()
    assert paths(engine, "telescope")[0] == "new.py"


def test_chunks_like_the_one_at_a_place_are_found_without_itself(engine: LocalEngine, root: Path) -> None:
    (root / "src" / "copy.py").write_text(SOURCE.replace("path", "file"))
    engine.refresh()
    result = engine.similar(SimilarRequest(PurePosixPath("src/settings.py"), 2))
    assert str(result.hits[0].chunk.path) == "src/copy.py"


def test_the_chunks_of_a_files_lines_are_read_from_the_index(engine: LocalEngine, root: Path) -> None:
    engine.refresh()
    path = PurePosixPath("src/settings.py")
    chunks = engine.chunks(path, 1, 999)
    assert "".join(chunk.text for chunk in chunks if chunk.kind != "comment") == SOURCE.rstrip()
    assert all(chunk.first_line <= 5 <= chunk.last_line for chunk in engine.chunks(path, 5, 5))
    assert engine.chunks(path, 999, 1000) == engine.chunks(PurePosixPath("../data"), 1, 9) == ()


@pytest.mark.parametrize(("path", "line"), [("src/settings.py", 999), ("nowhere.py", 1)])
def test_a_place_where_nothing_is_indexed_is_a_usage_error(engine: LocalEngine, path: str, line: int) -> None:
    engine.refresh()
    with pytest.raises(UsageError) as raised:
        engine.similar(SimilarRequest(PurePosixPath(path), line))
    assert raised.value.hint


def test_the_status_says_what_the_index_holds_and_what_is_stale(engine: LocalEngine, root: Path, data: Path) -> None:
    engine.refresh()
    status = engine.status()
    assert (status.root, status.files, status.freshness, status.stale_files) == (root, 2, "fresh", 0)
    assert status.location == Settings(data_dir=data).index_directory(root)
    assert status.languages == {"markdown": 1, "python": 1}
    assert sum(status.kinds.values()) == status.chunks > 0
    assert (status.model, status.dimensions) == ("bundled", 32)
    assert status.size_bytes > 10_000
    assert status.degraded == ()
    (root / "README.md").unlink()
    (root / "src" / "settings.py").write_text("x = 1\n")
    status = engine.status()
    assert (status.freshness, status.stale_files) == ("stale", 2)


@pytest.mark.parametrize(("folder", "first"), [("shop", "cart.py"), ("shop/src", "cart.py"), ("other", "shop.py")])
def test_a_projects_own_name_is_seldom_what_is_asked_for(tmp_path: Path, data: Path, folder: str, first: str) -> None:
    root = tmp_path / folder
    root.mkdir(parents=True)
    for name in ("cart.py", "shop.py", "main.py"):
        (root / name).write_text("def work():\n    return cart(shop)\n")
    engine = engine_of(root, data)
    engine.refresh()
    assert paths(engine, "shop cart")[0] == first
    engine.close()


def test_neither_a_status_nor_a_refresh_with_nothing_to_do_loads_the_model(
    engine: LocalEngine, root: Path, data: Path
) -> None:
    engine.refresh()

    def never() -> HashEmbedder:
        raise AssertionError

    other = engine_of(root, data, load=never)
    other.status()
    other.refresh()
    other.close()


@dataclass(frozen=True)
class Updated(HashEmbedder):
    version: int = 2


def test_a_search_with_an_updated_model_makes_the_vectors_again(engine: LocalEngine, root: Path, data: Path) -> None:
    engine.refresh()
    engine.close()
    other = engine_of(root, data, load=Updated)
    assert str(other.search(SearchRequest("parse configuration")).hits[0].chunk.path) == "src/settings.py"
    other.close()
    directory = Settings(data_dir=data).index_directory(root)
    with Store.open(directory, root, read_only=True) as store:
        assert store.snapshot().fingerprint == Updated().fingerprint


def test_a_large_index_gets_a_graph_when_asked_for_and_does_without_a_damaged_one(
    engine: LocalEngine, root: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit in ("SCANNED_ROWS", "SKETCHED_ROWS", "HNSW_ROWS"):
        monkeypatch.setattr(vectors, limit, 60)
    for number in range(40):
        source = "".join(f"def f{number}_{at}(value):\n    return value * {number + at}\n\n\n" * 3 for at in range(12))
        (root / f"m{number}.py").write_text(source)
    engine.refresh()
    assert engine.status().vector_index == "sketch (`codeseek index` makes it quicker)"
    engine.refresh(thorough=True)
    assert engine.status().vector_index == "HNSW"
    before = [paths(engine, "parse configuration") for _ in range(3)]
    assert before[0][0] == before[2][0] == "src/settings.py"
    engine.close()
    (graph,) = Settings(data_dir=data).index_directory(root).glob("vectors/*/*.hnsw")
    graph.write_bytes(graph.read_bytes()[: graph.stat().st_size // 2])
    other = engine_of(root, data)
    assert [paths(other, "parse configuration")[0] for _ in range(3)] == ["src/settings.py"] * 3
    assert other.status().vector_index != "HNSW"
    other.refresh(thorough=True)
    assert other.status().vector_index == "HNSW"
    other.close()


def test_searches_go_on_while_another_thread_indexes_and_merges(engine: LocalEngine, root: Path, data: Path) -> None:
    engine.refresh()
    problems: list[BaseException] = []
    searches = 0
    stop = threading.Event()

    def search() -> None:
        nonlocal searches
        reader = engine_of(root, data)
        try:
            while not stop.is_set():
                assert "src/settings.py" in paths(reader, "parse configuration")
                searches += 1
        except BaseException as error:  # noqa: BLE001
            problems.append(error)
        finally:
            reader.close()

    thread = threading.Thread(target=search)
    thread.start()
    for number in range(25):
        (root / f"edit{number % 3}.py").write_text(f"def edit_{number}():\n    return {number}\n" * 5)
        engine.refresh(thorough=number % 5 == 0)
    stop.set()
    thread.join()
    assert not problems
    assert searches > 5


def test_an_answer_is_of_one_moment_though_a_file_goes_meanwhile(engine: LocalEngine, root: Path, data: Path) -> None:
    class DeletesMeanwhile(HashEmbedder):
        def embed_query(self, query: str) -> NDArray[np.float32]:
            (root / "src" / "settings.py").unlink(missing_ok=True)
            engine.refresh()
            return super().embed_query(query)

    engine.refresh()
    reader = engine_of(root, data, load=DeletesMeanwhile)
    assert "src/settings.py" in paths(reader, "parse configuration")
    assert "src/settings.py" not in paths(reader, "parse configuration")
    reader.close()


def test_an_index_that_was_interrupted_at_first_says_that_it_is_unfinished(
    engine: LocalEngine, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexer, "COMMIT_CHUNKS", 1)
    monkeypatch.setattr(workers, "_BATCH_FILES", 1)

    def interrupt(progress: Progress) -> None:
        if progress.chunks:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.refresh(interrupt)
    (note,) = engine.search(SearchRequest("install parse")).degraded
    assert "unfinished" in note
    engine.refresh()
    assert not engine.search(SearchRequest("install parse")).degraded


def test_one_engine_serves_several_threads(engine: LocalEngine, root: Path) -> None:
    engine.refresh()
    problems: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(5):
                if number == 0:
                    (root / "edit.py").write_text(f"def edit_{turn}():\n    return {turn}\n")
                    engine.refresh()
                assert paths(engine, "parse configuration")
        except BaseException as error:  # noqa: BLE001
            problems.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems


def test_a_search_is_answered_while_another_process_writes(engine: LocalEngine, root: Path, data: Path) -> None:
    engine.refresh()
    with WriteLock(Settings(data_dir=data).index_directory(root) / LOCK):
        assert paths(engine, "parse configuration")


def test_a_closed_engine_lets_go_of_its_files(engine: LocalEngine, root: Path, data: Path) -> None:
    engine.refresh()
    engine.search(SearchRequest("parse"))
    engine.close()
    directory = Settings(data_dir=data).index_directory(root)
    assert not (directory / "index.db-wal").exists()
    assert engine.status()._replace(size_bytes=0).files == 2
