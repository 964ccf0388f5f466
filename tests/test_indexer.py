from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codeseek import derived, indexer, workers
from codeseek.embedders import Vectors
from codeseek.errors import BusyError
from codeseek.indexer import Indexer
from codeseek.lock import WriteLock
from codeseek.records import Chunk, Progress, SourceFile
from codeseek.rows import Task
from codeseek.store import LOCK, Store
from codeseek.workers import plan
from fakes import Deadly, HashEmbedder, broken_load
from indexed import contents, engine_of, fresh_contents, indexer_of

LONG_AGO = 1_600_000_000


def write(root: Path, path: str, text: str, *, at: float = LONG_AGO) -> None:
    """Write a file that was last changed long ago, so that its time can be believed."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    os.utime(file, (at, at))


def function(name: str) -> str:
    comment = f"Return what {name} makes of the value, with care and at length."
    return f"def {name}(value):\n    '''{comment}'''\n    return value + 1\n\n\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    write(root, "a.py", function("alpha") + function("beta"))
    write(root, "pkg/b.py", function("parse_configuration"))
    write(root, "README.md", "# Example\n\n## Install\n\nRun it. 缓存 in Chinese.\n")
    return root


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@dataclass(frozen=True)
class Counting(HashEmbedder):
    """Writes down, in a file that processes share, how many chunks were really embedded."""

    log: str = ""

    def embed(self, chunks: Sequence[Chunk]) -> Vectors:
        with Path(self.log).open("a") as file:
            file.write("".join(f"{chunk.path}\n" for chunk in chunks))
        return super().embed(chunks)


def test_everything_is_indexed_once_and_then_left_alone(root: Path, data: Path) -> None:
    first = indexer_of(root, data).refresh()
    assert (first.added, first.changed, first.removed, first.unchanged) == (3, 0, 0, 0)
    assert first.chunks > 0
    second = indexer_of(root, data).refresh()
    assert (second.added, second.changed, second.removed, second.unchanged, second.chunks) == (0, 0, 0, 3, 0)


def test_a_changed_a_new_and_a_removed_file_are_seen(root: Path, data: Path) -> None:
    indexer_of(root, data).refresh()
    write(root, "a.py", function("gamma"))
    write(root, "c.py", function("delta"))
    (root / "pkg" / "b.py").unlink()
    summary = indexer_of(root, data).refresh()
    assert (summary.added, summary.changed, summary.removed, summary.unchanged) == (1, 1, 1, 1)
    assert contents(root, data) == fresh_contents(root, data / "fresh")


def test_a_file_that_was_only_touched_keeps_its_chunks(root: Path, data: Path) -> None:
    indexer_of(root, data).refresh()
    with Store.open(indexer_of(root, data).directory, root, read_only=True) as store:
        before = store.snapshot().segments
    os.utime(root / "a.py", (LONG_AGO + 5, LONG_AGO + 5))
    summary = indexer_of(root, data).refresh()
    assert (summary.changed, summary.unchanged) == (0, 3)
    with Store.open(indexer_of(root, data).directory, root, read_only=True) as store:
        assert store.snapshot().segments == before
    assert indexer_of(root, data).refresh().chunks == 0


def test_a_file_changed_again_within_the_clocks_grain_is_read_again(root: Path, data: Path) -> None:
    now = time.time()
    write(root, "a.py", function("before"), at=now)
    indexer_of(root, data).refresh()
    write(root, "a.py", function("behind"), at=now)  # same size, same time
    assert indexer_of(root, data).refresh().changed == 1
    assert contents(root, data) == fresh_contents(root, data / "fresh")


def test_a_file_from_the_future_is_not_read_over_and_over(root: Path, data: Path) -> None:
    write(root, "a.py", function("later"), at=time.time() + 3600)
    indexer_of(root, data).refresh()
    with Store.open(indexer_of(root, data).directory, root, read_only=True) as store:
        assert not indexer_of(root, data).changes(store).tasks


def test_going_back_to_another_branch_embeds_nothing_again(root: Path, data: Path, tmp_path: Path) -> None:
    log = tmp_path / "embedded"
    embedder = Counting(log=str(log))

    def refresh() -> int:
        log.write_text("")
        Indexer(root, indexer_of(root, data).directory, lambda: embedder).refresh()
        return len(log.read_text().splitlines())

    assert refresh() > 0
    original = (root / "a.py").read_text()
    write(root, "a.py", function("other_branch"), at=LONG_AGO + 1)
    assert refresh() > 0
    write(root, "a.py", original, at=LONG_AGO + 2)
    assert refresh() == 0


def test_another_model_gives_every_chunk_a_new_vector_and_the_way_back_is_free(
    root: Path, data: Path, tmp_path: Path
) -> None:
    log = tmp_path / "embedded"
    log.write_text("")
    directory = indexer_of(root, data).directory
    old, new = Counting(log=str(log)), Counting(log=str(log), version=2, dimensions=16)
    Indexer(root, directory, lambda: old, "old").refresh()
    count = len(log.read_text().splitlines())
    Indexer(root, directory, lambda: new, "new").refresh()
    assert len(log.read_text().splitlines()) == 2 * count
    with Store.open(directory, root, read_only=True) as store:
        assert store.snapshot().fingerprint == new.fingerprint
        assert store.meta("model") == "new"
        for name, rows in store.segments().items():
            assert derived.load_matrix(store.vectors_path(name, new.fingerprint), rows, 16).any()
    Indexer(root, directory, lambda: old, "old").refresh()
    assert len(log.read_text().splitlines()) == 2 * count
    assert [path.name for path in directory.glob("vectors/*")] == [old.fingerprint]


def test_only_the_named_folder_is_refreshed(root: Path, data: Path) -> None:
    indexer_of(root, data).refresh()
    write(root, "a.py", function("gamma"))
    write(root, "pkg/b.py", function("epsilon"))
    (root / "README.md").unlink()
    summary = indexer_of(root, data).refresh(under=PurePosixPath("pkg"))
    assert (summary.changed, summary.removed) == (1, 0)
    texts = {path: "".join(chunk.text for chunk, _ in chunks) for path, chunks in contents(root, data).files.items()}
    assert set(texts) == {"README.md", "a.py", "pkg/b.py"}
    assert "alpha" in texts["a.py"]
    assert "epsilon" in texts["pkg/b.py"]


def test_a_file_that_cannot_be_read_is_recorded_and_not_tried_again(root: Path, data: Path) -> None:
    (root / "odd.py").write_bytes(b"x = 1\n" + b"\0\1\2" * 500)
    os.utime(root / "odd.py", (LONG_AGO, LONG_AGO))
    first = indexer_of(root, data).refresh()
    assert first.skipped == 1
    second = indexer_of(root, data).refresh()
    assert (second.skipped, second.unchanged) == (1, 3)
    write(root, "odd.py", function("even"), at=LONG_AGO + 1)
    third = indexer_of(root, data).refresh()
    assert (third.added, third.skipped) == (1, 0)
    assert contents(root, data) == fresh_contents(root, data / "fresh")


def test_empty_files_and_an_empty_project_are_no_trouble(tmp_path: Path, data: Path) -> None:
    root = tmp_path / "empty"
    root.mkdir()
    assert indexer_of(root, data).refresh().added == 0
    assert engine_of(root, data).status().files == 0
    write(root, "a.py", "")
    assert indexer_of(root, data).refresh().added == 1
    assert contents(root, data).files == {"a.py": []}


def test_many_small_edits_leave_few_segments(root: Path, data: Path) -> None:
    for number in range(20):
        write(root, f"m{number}.py", "".join(function(f"f{number}_{at}") for at in range(20)))
    indexer_of(root, data).refresh()
    for number in range(20):
        write(root, "a.py", function(f"edit_{number}"), at=LONG_AGO + number + 1)
        indexer_of(root, data).refresh()
    with Store.open(indexer_of(root, data).directory, root, read_only=True) as store:
        assert len(store.segments()) <= 3
        names = {*store.segments()}
    assert {path.stem for path in indexer_of(root, data).directory.glob("words/*")} == names
    assert contents(root, data) == fresh_contents(root, data / "fresh")


def test_worker_processes_make_the_same_index(root: Path, data: Path) -> None:
    for number in range(120):
        write(root, f"m{number % 7}/f{number}.py", "".join(function(f"f{number}_{at}") for at in range(number % 9)))
    heard: list[Progress] = []
    summary = indexer_of(root, data, workers=2).refresh(heard.append)
    assert summary.added == 123
    assert contents(root, data) == fresh_contents(root, data / "fresh")
    assert [progress.done for progress in heard if progress.phase == "index"][-1] == 123


def test_a_parser_that_crashes_takes_no_other_file_with_it(root: Path, data: Path, tmp_path: Path) -> None:
    for number in range(100):
        write(root, f"f{number}.py", function(f"f{number}"))
    deadly = Deadly(str(root / "f41.py"), str(root / "f77.py"))
    summary = Indexer(root, indexer_of(root, data).directory, deadly.load, workers=2).refresh()
    assert summary.added == 101
    with Store.open(indexer_of(root, data).directory, root, read_only=True) as store:
        assert store.counts().skipped == {"parser crashed": 2}
        assert store.known_files()["f41.py"].reason == "parser crashed"
    assert indexer_of(root, data).refresh().unchanged == 101


def test_a_parser_that_crashed_the_process_itself_is_run_apart_the_next_time(root: Path, data: Path) -> None:
    directory = indexer_of(root, data).directory
    program = (
        f"import sys; sys.path[:] = {[*sys.path, str(Path(__file__).parent)]!r}\n"
        "from pathlib import Path; from codeseek.indexer import Indexer; import fakes\n"
        f"load = fakes.Deadly({str(root / 'a.py')!r}).load\n"
        f"Indexer(Path({str(root)!r}), Path({str(directory)!r}), load, workers=1).refresh()\n"
    )
    first = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert first.returncode < 0
    subprocess.run([sys.executable, "-c", program], check=True)
    with Store.open(indexer_of(root, data).directory, root, read_only=True) as store:
        assert store.counts().skipped == {"parser crashed": 1}
        assert store.counts().files == 2


def test_a_bug_in_a_worker_is_shown_and_not_hidden(root: Path, data: Path) -> None:
    for number in range(100):
        write(root, f"f{number}.py", function(f"f{number}"))
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        Indexer(root, indexer_of(root, data).directory, broken_load, workers=2).refresh()


def test_an_interruption_keeps_what_is_done_and_the_next_refresh_goes_on(root: Path, data: Path) -> None:
    for number in range(30):
        write(root, f"f{number}.py", "".join(function(f"f{number}_{at}") for at in range(60)))
    done = 0

    def interrupt(progress: Progress) -> None:
        nonlocal done
        done = max(done, progress.chunks)
        if progress.chunks > 500:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        indexer_of(root, data, workers=2).refresh(interrupt)
    with Store.open(indexer_of(root, data).directory, root, read_only=True) as store:
        assert store.size()[1] >= done > 500
    again = indexer_of(root, data).refresh()
    assert again.added < 33
    assert contents(root, data) == fresh_contents(root, data / "fresh")


def test_an_interruption_in_the_middle_of_a_batch_drops_that_batch_alone(
    root: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_BATCH_FILES", 1)
    original, calls = Store.touch_files, []

    def interrupt(store: Store, files: object) -> None:
        calls.append(files)
        if len(calls) == 2:
            raise KeyboardInterrupt
        original(store, [])

    monkeypatch.setattr(Store, "touch_files", interrupt)
    with pytest.raises(KeyboardInterrupt):
        indexer_of(root, data).refresh()
    monkeypatch.undo()
    assert len(contents(root, data).files) == 1
    indexer_of(root, data).refresh()
    assert contents(root, data) == fresh_contents(root, data / "fresh")


def test_large_work_is_committed_in_parts(root: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexer, "COMMIT_CHUNKS", 40)
    monkeypatch.setattr(workers, "_BATCH_FILES", 2)
    monkeypatch.setattr("codeseek.progress._PROGRESS_S", 0)
    for number in range(30):
        write(root, f"f{number}.py", "".join(function(f"f{number}_{at}") for at in range(12)))
    generations: set[int] = set()
    directory = indexer_of(root, data).directory

    def look(progress: Progress) -> None:
        if progress.chunks:
            with Store.open(directory, root, read_only=True) as store:
                generations.add(store.snapshot().generation)

    indexer_of(root, data).refresh(look)
    assert len(generations) > 3
    assert contents(root, data) == fresh_contents(root, data / "fresh")


def test_the_second_writer_is_told_who_writes(root: Path, data: Path) -> None:
    indexer_of(root, data).refresh()
    with WriteLock(indexer_of(root, data).directory / LOCK):
        assert indexer_of(root, data).refresh().unchanged == 3  # nothing to write, so nothing to wait for
        write(root, "a.py", function("gamma"))
        with pytest.raises(BusyError, match=str(os.getpid())):
            indexer_of(root, data).refresh()


def test_progress_is_told_and_never_goes_back(root: Path, data: Path) -> None:
    for number in range(200):
        write(root, f"f{number}.py", function(f"f{number}"))
    heard: list[Progress] = []
    indexer_of(root, data).refresh(heard.append)
    phases = [progress.phase for progress in heard]
    assert phases == sorted(phases, key=["scan", "index", "merge"].index)
    for phase in ("scan", "index"):
        done = [progress.done for progress in heard if progress.phase == phase]
        assert done == sorted(done)
    last = [progress for progress in heard if progress.phase == "index"][-1]
    assert (last.done, last.total) == (203, 203)


def test_progress_is_told_all_the_time(root: Path, data: Path) -> None:
    for number in range(60):
        write(root, f"f{number}.py", "".join(function(f"f{number}_{at}") for at in range(80)))
    heard: list[float] = []
    indexer_of(root, data, workers=2).refresh(lambda _: heard.append(time.monotonic()))
    gaps = np.diff(heard)
    assert np.median(gaps) < 0.1
    assert len(gaps) > 5


def test_a_refresh_with_nothing_to_do_loads_neither_numpy_nor_a_model(root: Path, data: Path) -> None:
    indexer_of(root, data).refresh()
    program = (
        "import sys; from pathlib import Path; from codeseek.indexer import Indexer\n"
        f"Indexer(Path({str(root)!r}), Path({str(indexer_of(root, data).directory)!r}), None).refresh()\n"
        "print([name for name in ('numpy', 'tree_sitter', 'hnswlib', 'multiprocessing') if name in sys.modules])\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert found.stdout == "[]\n"


def test_the_plan_has_every_file_once_the_large_ones_first_and_neighbours_together() -> None:
    sizes = [5, 2_000_000, 100, 300_000, 700_000, *[3000] * 900]
    tasks = [Task(SourceFile(PurePosixPath(f"{at:04}.py"), size, 0, "python")) for at, size in enumerate(sizes)]
    shares = plan(tasks, 2)
    batches = [batch for share in shares for batch in share]
    assert sorted(str(task.file.path) for batch in batches for task in batch) == sorted(
        f"{at:04}.py" for at in range(len(sizes))
    )
    one, other = ([task.file for batch in share for task in batch] for share in shares)
    assert [file.size for file in one][:3] == [2_000_000, 300_000, 5]
    assert [file.size for file in other][:2] == [700_000, 3000]
    assert max(file.path for file in one[2:]) < min(file.path for file in other[1:])
    assert sum(file.size for file in one) == pytest.approx(sum(file.size for file in other), rel=0.1)
    assert all(len(share[-1]) < len(share[-3]) for share in shares)
    assert all(len(batch) == 1 or sum(task.file.size for task in batch) < 1_100_000 for batch in batches)


@pytest.mark.parametrize(
    ("live", "dead", "thorough", "chosen"),
    [
        ([], [], False, None),
        ([1000], [0], False, None),
        ([1000, 10], [0, 0], False, None),
        ([1000, 10, 5], [0, 0, 0], False, slice(1, 3)),
        ([1000, 300], [0, 0], False, slice(0, 2)),
        ([6000, 6000, 6000], [0, 0, 0], False, None),
        ([6000, 6000, 6000], [0, 0, 0], True, None),
        ([6000, 1500, 400], [0, 0, 0], False, slice(1, 3)),
        ([6000, 6000, 6000, 6000, 6000], [0, 0, 0, 0, 0], False, None),
        ([30_000] * 5, [0] * 5, True, None),
        ([30_000] * 6, [0] * 6, True, slice(0, 3)),
        ([40_000, 6000], [0, 0], True, None),
        ([90_000, 40_000, 6000, 20_000], [0, 0, 0, 0], True, slice(1, 4)),
        ([60_000, 30_000, 30_000, 40_000], [0, 0, 0, 0], True, slice(0, 2)),
        ([90_000, 30_000], [0, 0], True, None),
        ([6000, 6000, *[5500] * 11], [0] * 13, False, slice(2, 4)),
        ([1000], [1001], False, slice(0, 1)),
        ([9000, 10], [9500, 0], False, None),
        ([9000, 10], [9500, 0], True, slice(0, 1)),
        ([100, 0], [0, 5], False, slice(1, 2)),
    ],
)
def test_merges_are_chosen_so_that_segments_stay_few_and_work_small(
    live: list[int], dead: list[int], thorough: bool, chosen: slice | None
) -> None:
    assert derived.choose_merge(live, dead, thorough=thorough) == chosen


@given(st.lists(st.integers(1, 8000), min_size=1, max_size=300), st.booleans())
@settings(max_examples=50, deadline=None)
def test_however_edits_come_segments_stay_few_and_work_small(edits: list[int], thorough: bool) -> None:
    live: list[int] = []
    work = 0
    for edit in edits:
        live.append(edit)
        while (chosen := derived.choose_merge(live, [0] * len(live), thorough=thorough)) is not None:
            work += sum(live[chosen])
            live[chosen] = [sum(live[chosen])]
        assert len(live) <= derived.MOST_SEGMENTS
    assert sum(live) == sum(edits)
    assert work <= 14 * sum(edits)


# ------------------------------------------------------------ any sequence of edits

NAMES = ("a.py", "b.py", "pkg/a.py", "pkg/sub/c.go", "docs/x.md", "d.txt")
TEXTS = (
    "",
    function("alpha"),
    function("alpha") + function("beta"),
    "# Title\n\nparse the configuration\n\n## 缓存\n\ncache text\n",
    "package main\n\n// save writes it all to the disk, slowly and with care.\nfunc save() int {\n\treturn 1\n}\n",
    "plain words: README install\n" * 3,
)
EDITS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.sampled_from(NAMES), st.sampled_from(TEXTS)),
        st.tuples(st.just("remove"), st.sampled_from(NAMES), st.just("")),
        st.tuples(st.just("rename"), st.sampled_from(NAMES), st.sampled_from(NAMES)),
        st.tuples(st.just("touch"), st.sampled_from(NAMES), st.just("")),
        st.tuples(st.just("refresh"), st.just(""), st.just("")),
        st.tuples(st.just("part"), st.sampled_from(["pkg", "docs"]), st.just("")),
    ),
    min_size=1,
    max_size=14,
)


@given(EDITS, st.booleans())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_sequence_of_edits_then_refresh_equals_a_fresh_index(
    edits: list[tuple[str, str, str]], small_commits: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        if small_commits:
            patch.setattr(indexer, "COMMIT_CHUNKS", 2)
            patch.setattr(workers, "_BATCH_FILES", 1)
        root, data = Path(folder, "project"), Path(folder, "data")
        root.mkdir()
        for clock, (what, name, more) in enumerate(edits):
            file = root / name
            if what == "write":
                write(root, name, more, at=LONG_AGO + clock)
            elif what == "remove":
                file.unlink(missing_ok=True)
            elif what == "rename" and file.is_file():
                (root / more).parent.mkdir(parents=True, exist_ok=True)
                file.replace(root / more)
            elif what == "touch" and file.is_file():
                os.utime(file, (LONG_AGO + clock, LONG_AGO + clock))
            elif what == "refresh":
                indexer_of(root, data).refresh()
            elif what == "part":
                indexer_of(root, data).refresh(under=PurePosixPath(name))
        indexer_of(root, data).refresh()
        assert contents(root, data) == fresh_contents(root, Path(folder, "fresh"))
