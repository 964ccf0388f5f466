"""What can happen to an index: killed writers, damaged files, full and read-only disks, several processes at once."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from codeseek.errors import BusyError, CodeseekError, StoreError
from codeseek.records import SearchRequest
from codeseek.rows import FORMAT
from codeseek.settings import Settings
from codeseek.store import DATABASE, LOCK, Store
from indexed import contents, engine_of, fresh_contents, indexer_of

TESTS = str(Path(__file__).parent)
LONG_AGO = 1_600_000_000


def write(root: Path, path: str, text: str, *, at: float = LONG_AGO) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)
    os.utime(root / path, (at, at))


def body(name: str, count: int = 4) -> str:
    return "".join(
        f"def {name}_{at}(value):\n    '''Explain {name} {at} at some length, 缓存 and all.'''\n    return value\n\n\n"
        for at in range(count)
    )


def make_project(root: Path, files: int = 24) -> Path:
    for number in range(files):
        write(root, f"pkg{number % 3}/module{number}.py", body(f"f{number}", 1 + number % 7))
    write(root, "README.md", "# Example\n\n## Install\n\nparse the configuration\n")
    return root


def edit_project(root: Path, turn: int, chance: random.Random) -> None:
    """Change, add and remove some files."""
    for number in chance.sample(range(24), 6):
        write(
            root,
            f"pkg{number % 3}/module{number}.py",
            body(f"g{turn}_{number}", chance.randrange(8)),
            at=LONG_AGO + turn,
        )
    write(root, f"new/added{turn}.py", body(f"added{turn}"), at=LONG_AGO + turn)
    victims = sorted(root.glob("pkg*/*.py"))
    chance.choice(victims).unlink()


def location(root: Path, data: Path) -> Path:
    return Settings(data_dir=data).index_directory(root)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def python(program: str) -> subprocess.Popen[str]:
    """Run a program that sees what this process sees."""
    start = f"import sys; sys.path[:] = {[*sys.path, TESTS]!r}\n"
    return subprocess.Popen(
        [sys.executable, "-c", start + program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finished(process: subprocess.Popen[str]) -> str:
    """Wait for a program that must succeed, and return what it wrote."""
    out, err = process.communicate()
    assert process.returncode == 0, err
    return out


# ------------------------------------------------------------ killed

_KILLED_AT_STEP = """
import os, signal, pathlib
from codeseek import indexer, workers
from codeseek.store import Store
from indexed import indexer_of

indexer.COMMIT_CHUNKS, workers._BATCH_FILES = 20, 4
steps, last = 0, {step}

def step():
    global steps
    steps += 1
    if steps == last:
        os.kill(os.getpid(), signal.SIGKILL)

for name in ("_all", "_many"):
    def stepping(store, *values, original=getattr(Store, name)):
        step()
        found = original(store, *values)
        step()
        return found
    setattr(Store, name, stepping)

def hear(event, values):
    if event in ("os.rename", "os.remove", "open") and {data!r} in str(values):
        step()

sys.addaudithook(hear)
indexer_of(pathlib.Path({root!r}), pathlib.Path({data!r})).refresh(thorough={thorough})
print(steps)
"""


def refresh_killed_at(step: int, root: Path, data: Path, *, thorough: bool = False) -> int | None:
    """Refresh in a process that dies at its nth step into the store; return all steps if it came to its end."""
    program = _KILLED_AT_STEP.format(step=step, root=str(root), data=str(data), thorough=thorough)
    process = python(program)
    out, err = process.communicate()
    assert process.returncode in (0, -signal.SIGKILL), err
    return int(out) if process.returncode == 0 else None


@pytest.mark.parametrize(
    ("rounds", "seed"), [(6, 1), pytest.param(60, 2, marks=[pytest.mark.slow, pytest.mark.timeout(600)])]
)
def test_an_index_survives_its_writer_being_killed_at_any_step(
    rounds: int, seed: int, root: Path, data: Path, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    indexer_of(root, data).refresh()
    edit_project(root, 0, chance)
    shutil.copytree(data, tmp_path / "counted")
    steps = refresh_killed_at(-1, root, tmp_path / "counted") or 0
    assert steps > 50
    for turn in range(1, rounds + 1):
        assert refresh_killed_at(chance.randint(1, steps), root, data, thorough=turn % 2 == 0) in (
            None,
            *range(100_000),
        )
        engine = engine_of(root, data)
        assert engine.search(SearchRequest("explain value")).hits
        engine.close()
        if turn % 3:
            engine_of(root, data).refresh()
            assert contents(root, data) == fresh_contents(root, tmp_path / f"fresh{turn}")
        edit_project(root, turn, chance)
    indexer_of(root, data).refresh()
    assert contents(root, data) == fresh_contents(root, tmp_path / "fresh")


@pytest.mark.parametrize(
    ("rounds", "seed"), [(4, 3), pytest.param(40, 4, marks=[pytest.mark.slow, pytest.mark.timeout(600)])]
)
def test_a_first_index_survives_being_killed_at_any_moment(rounds: int, seed: int, root: Path, tmp_path: Path) -> None:
    chance = random.Random(seed)
    for number in range(150):
        write(root, f"many/m{number}.py", body(f"m{number}", 3))
    expected = fresh_contents(root, tmp_path / "fresh")
    for turn in range(rounds):
        data = tmp_path / f"data{turn}"
        process = python(
            "import pathlib; from indexed import indexer_of; from codeseek import indexer, workers\n"
            "indexer.COMMIT_CHUNKS, workers._BATCH_FILES = 60, 10; print('go', flush=True)\n"
            f"indexer_of(pathlib.Path({str(root)!r}), pathlib.Path({str(data)!r}), workers=2).refresh()\n"
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(chance.uniform(0.01, 1.2))
        process.kill()
        process.communicate()
        engine = engine_of(root, data)
        with contextlib.suppress(StoreError):
            engine.search(SearchRequest("explain value"))
        engine.refresh()
        assert engine.search(SearchRequest("explain value")).hits
        engine.close()
        assert contents(root, data) == expected


# ------------------------------------------------------------ at once


def test_a_reader_stays_in_the_picture_though_others_come_and_go(root: Path, data: Path) -> None:
    directory = location(root, data)
    with Store.open(directory, root) as store, store.writing():
        store.set_meta(note="one")
    with Store.open(directory, root, read_only=True) as reader:
        assert reader.meta("note") == "one"
        Store.open(directory, root).close()
        finished(
            python(
                "import pathlib; from codeseek.store import Store\n"
                f"with Store.open(pathlib.Path({str(directory)!r}), pathlib.Path({str(root)!r}), read_only=True) as store:\n"
                "    store.meta('note')"
            )
        )
        with Store.open(directory, root) as store, store.writing():
            store.set_meta(note="two")
        assert reader.meta("note") == "two"


# ------------------------------------------------------------ damaged


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) * 2 // 3] ^= 0x40
    path.write_bytes(content)


def remove(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("what", ["words/*.words", "vectors/*/*.vec"])
@pytest.mark.parametrize("harm", [truncate, empty, flip, remove])
def test_a_damaged_derived_file_is_made_again_by_the_next_search(
    what: str, harm: Callable[[Path], None], root: Path, data: Path
) -> None:
    engine_of(root, data).refresh()
    before = contents(root, data)
    (path,) = location(root, data).glob(what)
    harm(path)
    engine = engine_of(root, data)
    assert path.name in engine.status().degraded[0]
    assert "damaged" in engine.search(SearchRequest("explain value")).degraded[0]
    assert engine.search(SearchRequest("explain value")).degraded == ()
    assert engine.status().degraded == ()
    engine.close()
    assert contents(root, data) == before


def test_damage_that_leaves_no_trace_in_a_files_time_is_found_by_a_thorough_refresh(root: Path, data: Path) -> None:
    engine = engine_of(root, data)
    engine.refresh()
    before = contents(root, data)
    (path,) = location(root, data).glob("vectors/*/*.vec")
    stat = path.stat()
    flip(path)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert engine.refresh().rebuilt == ()
    assert [Path(name).name for name in engine.refresh(thorough=True).rebuilt] == [path.name]
    assert engine.refresh(thorough=True).rebuilt == ()
    engine.close()
    assert contents(root, data) == before


def test_every_derived_file_at_once_may_be_missing(root: Path, data: Path) -> None:
    engine_of(root, data).refresh()
    before = contents(root, data)
    for folder in ("words", "vectors"):
        shutil.rmtree(location(root, data) / folder)
    engine = engine_of(root, data)
    assert engine.search(SearchRequest("explain value")).hits
    engine.close()
    assert contents(root, data) == before


def test_a_segment_with_edits_in_it_is_made_again(root: Path, data: Path) -> None:
    engine = engine_of(root, data)
    engine.refresh()
    edit_project(root, 1, random.Random(1))
    engine.refresh()
    before = contents(root, data)
    for path in location(root, data).glob("words/*"):
        truncate(path)
    engine.close()
    engine = engine_of(root, data)
    assert engine.search(SearchRequest("explain value")).hits
    engine.close()
    assert contents(root, data) == before


@pytest.mark.parametrize("harm", [truncate, empty, flip])
def test_a_damaged_database_is_put_aside_and_made_again(harm: Callable[[Path], None], root: Path, data: Path) -> None:
    engine = engine_of(root, data)
    engine.refresh()
    engine.close()
    before = contents(root, data)
    database = location(root, data) / DATABASE
    if harm is flip:
        content = bytearray(database.read_bytes())
        content[100:16384] = bytes(16284)  # the first page's tree
        database.write_bytes(content)
    else:
        harm(database)
    engine = engine_of(root, data)
    summary = engine.refresh()
    assert summary.rebuilt == (() if harm is empty else (DATABASE,))
    assert bool(engine.status().degraded) == (harm is not empty)
    engine.close()
    assert contents(root, data) == before
    engine = engine_of(root, data)
    engine.refresh(thorough=True)
    assert engine.status().degraded == ()
    engine.close()


@pytest.mark.parametrize("seed", range(8))
def test_wherever_a_database_is_damaged_there_is_an_answer_or_a_clear_error(seed: int, root: Path, data: Path) -> None:
    engine_of(root, data).refresh()
    before = contents(root, data)
    database = location(root, data) / DATABASE
    chance = random.Random(seed)
    content = bytearray(database.read_bytes())
    page = chance.randrange(len(content) // 16384) * 16384
    content[page : page + 16384] = chance.randbytes(16384)
    database.write_bytes(content)
    engine = engine_of(root, data)
    try:
        engine.search(SearchRequest("explain value"))
        engine.refresh()
        engine.status()
    except CodeseekError as error:
        assert error.hint  # noqa: PT017
    engine.close()
    engine = engine_of(root, data)
    engine.refresh(thorough=True)
    assert engine.search(SearchRequest("explain value")).hits
    engine.close()
    assert contents(root, data) == before


def test_an_index_of_an_older_format_is_made_again(root: Path, data: Path) -> None:
    engine_of(root, data).refresh()
    before = contents(root, data)
    connection = sqlite3.connect(location(root, data) / DATABASE)
    connection.execute(f"PRAGMA user_version = {FORMAT - 1 or 10**6 * 0 - 1}")
    connection.close()
    engine = engine_of(root, data)
    assert engine.search(SearchRequest("explain value")).hits
    engine.close()
    assert contents(root, data) == before


def test_an_index_of_a_newer_format_is_never_written(root: Path, data: Path) -> None:
    engine = engine_of(root, data)
    engine.refresh()
    engine.close()
    database = location(root, data) / DATABASE
    connection = sqlite3.connect(database)
    connection.execute(f"PRAGMA user_version = {FORMAT + 1}")
    connection.close()
    before = database.read_bytes()
    engine = engine_of(root, data)
    for act in (
        lambda: engine.search(SearchRequest("explain")),
        engine.refresh,
        lambda: engine.refresh(thorough=True),
        engine.status,
    ):
        with pytest.raises(StoreError, match="newer") as raised:
            act()
        assert raised.value.hint
    assert database.read_bytes() == before


# ------------------------------------------------------------ full


@contextlib.contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """Mount a file system of that size, where this process may."""
    with tempfile.TemporaryDirectory() as folder:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder], capture_output=True, check=False
        )
        if mounted.returncode:
            pytest.skip("mounting is not allowed here")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs to mount a small file system")
@pytest.mark.parametrize("spare_kb", [0, 40, 150, 300, 600])
def test_a_full_disk_is_a_clear_error_and_the_old_index_still_answers(
    root: Path, tmp_path: Path, spare_kb: int
) -> None:
    with small_disk(4) as data:
        engine = engine_of(root, data)
        engine.refresh()
        engine.close()
        before = contents(root, data)
        free = os.statvfs(data).f_bavail * os.statvfs(data).f_frsize
        (data / "ballast").write_bytes(bytes(max(0, free - spare_kb * 1024)))
        for number in range(300):
            write(root, f"more/m{number}.py", body(f"m{number}", 6))
        engine = engine_of(root, data)
        with pytest.raises(StoreError, match="disk") as raised:
            engine.refresh()
        assert raised.value.hint
        assert engine.search(SearchRequest("explain value")).hits
        engine.close()
        assert contents(root, data) == before
        (data / "ballast").unlink()
        shutil.rmtree(root / "more")
        engine_of(root, data).refresh()
        assert contents(root, data) == fresh_contents(root, tmp_path / "fresh")


def test_a_limit_on_file_sizes_is_a_clear_error_too(root: Path, data: Path) -> None:
    program = (
        "import pathlib, resource, signal\n"
        "from indexed import indexer_of; from codeseek.errors import StoreError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "try:\n"
        f"    indexer_of(pathlib.Path({str(root)!r}), pathlib.Path({str(data)!r})).refresh()\n"
        "except StoreError as error:\n"
        "    print(error.message, '|', error.hint)\n"
    )
    message, _, hint = finished(python(program)).partition("|")
    assert "disk" in message
    assert hint.strip()
    indexer_of(root, data).refresh()
    assert contents(root, data).files


# ------------------------------------------------------------ read-only


@pytest.fixture
def open_path() -> Iterator[Path]:
    """Return a folder that every user may reach."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
        for path in Path(folder).rglob("*"):
            if path.is_dir():
                path.chmod(0o755)


def read_only(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)


_AS_NOBODY = """
import os, pathlib, tempfile
from codeseek.errors import StoreError
from codeseek.records import SearchRequest
from indexed import engine_of
if os.geteuid() == 0:  # whom no permission stops
    with tempfile.TemporaryDirectory() as folder:  # whatever is imported late is imported here
        pathlib.Path(folder, "a.py").write_text("def a(): pass")
        engine = engine_of(pathlib.Path(folder), pathlib.Path(folder, "data"))
        engine.refresh()
        engine.search(SearchRequest("a"))
        engine.status()
        engine.close()
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
"""

_READ_ONLY = """
engine = engine_of(pathlib.Path({root!r}), pathlib.Path({data!r}))
print(engine.refresh().unchanged > 0 if not {changed} else "")
print(len(engine.search(SearchRequest("explain value")).hits) > 0, engine.status().files > 0)
if {changed}:
    try:
        engine.refresh()
    except StoreError as error:
        print(error.message, "|", error.hint)
"""


@pytest.mark.parametrize("changed", [False, True])
def test_a_read_only_index_answers_and_says_that_it_cannot_be_refreshed(open_path: Path, changed: bool) -> None:
    root, data = make_project(open_path / "project"), open_path / "data"
    engine = engine_of(root, data)
    engine.refresh()
    engine.close()
    if changed:
        write(root, "pkg0/module0.py", body("changed"), at=LONG_AGO + 1)
    read_only(data)
    program = _AS_NOBODY + _READ_ONLY.format(root=str(root), data=str(data), changed=changed)
    lines = finished(python(program)).splitlines()
    assert lines[1] == "True True"
    if changed:
        message, _, hint = lines[2].partition("|")
        assert "index" in message
        assert hint.strip()
    else:
        assert lines[0] == "True"


def test_a_read_only_index_with_a_log_that_a_killed_writer_left_answers_or_says_why_not(open_path: Path) -> None:
    root, data = make_project(open_path / "project"), open_path / "data"
    program = (
        "import os, signal; from pathlib import Path\n"
        "from indexed import indexer_of; from codeseek.store import Store\n"
        f"root = Path({str(root)!r}); indexer = indexer_of(root, Path({str(data)!r})); indexer.refresh()\n"
        "store = Store.open(indexer.directory, root)\n"
        "with store.writing(): store.set_meta(note='x')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    python(program).communicate()
    assert (location(root, data) / f"{DATABASE}-wal").stat().st_size > 0
    (location(root, data) / f"{DATABASE}-shm").unlink()
    read_only(data)
    process = python(
        _AS_NOBODY + f"engine = engine_of(pathlib.Path({str(root)!r}), pathlib.Path({str(data)!r}))\n"
        "try:\n    print(len(engine.search(SearchRequest('explain value')).hits) > 0)\n"
        "except StoreError as error: print(bool(error.hint))\n"
    )
    assert finished(process).strip() == "True"


@pytest.mark.parametrize("in_the_way", ["", "indexes"])
def test_a_data_folder_that_is_a_file_is_a_clear_error(root: Path, data: Path, in_the_way: str) -> None:
    (data / in_the_way).parent.mkdir(exist_ok=True)
    (data / in_the_way).write_text("in the way")
    engine = engine_of(root, data)
    for act in (engine.refresh, lambda: engine.search(SearchRequest("explain"))):
        with pytest.raises(StoreError) as raised:
            act()
        assert raised.value.hint


# ------------------------------------------------------------ several at once


def test_of_two_processes_that_index_at_once_one_does_it_and_the_other_is_told(
    root: Path, data: Path, tmp_path: Path
) -> None:
    for number in range(200):
        write(root, f"many/m{number}.py", body(f"m{number}", 5))
    program = (
        "import pathlib; from indexed import indexer_of; from codeseek.errors import BusyError\n"
        "try:\n"
        f"    indexer_of(pathlib.Path({str(root)!r}), pathlib.Path({str(data)!r})).refresh()\n"
        "    print('done')\n"
        "except BusyError as error: print('busy', error.message)\n"
    )
    outcomes = sorted(finished(process).split()[0] for process in [python(program) for _ in range(3)])
    assert "done" in outcomes
    assert set(outcomes) <= {"done", "busy"}
    assert contents(root, data) == fresh_contents(root, tmp_path / "fresh")


def test_a_writer_that_was_killed_holds_no_lock(root: Path, data: Path) -> None:
    indexer_of(root, data).refresh()
    process = python(
        "import pathlib, time; from codeseek.lock import WriteLock\n"
        f"with WriteLock(pathlib.Path({str(location(root, data) / LOCK)!r})):\n"
        "    print('held', flush=True); time.sleep(60)\n"
    )
    assert process.stdout is not None
    process.stdout.readline()
    write(root, "pkg0/module0.py", body("changed"), at=LONG_AGO + 1)
    with pytest.raises(BusyError, match=str(process.pid)):
        indexer_of(root, data).refresh()
    process.kill()
    process.communicate()
    assert indexer_of(root, data).refresh().changed == 1


def test_an_index_that_is_removed_while_it_is_open_is_simply_gone(root: Path, data: Path) -> None:
    from codeseek import store

    engine = engine_of(root, data)
    engine.refresh()
    engine.search(SearchRequest("explain value"))
    store.remove(location(root, data))
    engine.refresh()
    assert engine.search(SearchRequest("explain value")).hits
    engine.close()
    assert contents(root, data).files


def test_a_project_that_is_gone_does_not_empty_its_index(root: Path, data: Path) -> None:
    indexer_of(root, data).refresh()
    with Store.open(location(root, data), root, read_only=True) as store:
        files = store.size()[0]
    root.rename(root.with_name("elsewhere"))
    with pytest.raises(CodeseekError) as raised:
        indexer_of(root, data).refresh()
    assert raised.value.hint
    with Store.open(location(root, data), root, read_only=True) as store:
        assert store.size()[0] == files
