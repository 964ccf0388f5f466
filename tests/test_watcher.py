"""The watcher: every way in which files change leads to one refresh, and what is ignored to none."""

from __future__ import annotations

import errno
import functools
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from watchdog.observers.polling import PollingObserver

from codeseek import watcher
from codeseek.cli import main
from codeseek.errors import BusyError, CodeseekError, ProjectError
from codeseek.records import ProgressListener, RefreshSummary, SearchRequest
from codeseek.settings import Settings
from codeseek.watcher import News, Polling, Watcher
from indexed import engine_of

TEXT = 'def parse_configuration(path):\n    """Read the settings file."""\n    return path.read_text()\n'


class Watched:
    """A real project with a real index, watched; what was told is kept."""

    def __init__(self, root: Path, data: Path) -> None:
        self.root = root
        self.engine = engine_of(root, data)
        self.news: list[News] = []
        self.refreshes = 0
        self.watcher = Watcher(root, Settings(data_dir=data).index_directory(root), self._refresh, self.news.append)

    def _refresh(self, listener: ProgressListener) -> RefreshSummary:
        self.refreshes += 1
        return self.engine.refresh(listener)

    def finds(self, question: str) -> list[str]:
        return [str(hit.chunk.path) for hit in self.engine.search(SearchRequest(question)).hits]

    def symbols(self, question: str) -> list[str]:
        return [hit.chunk.symbol for hit in self.engine.search(SearchRequest(question)).hits]

    def wait(self, happened: Callable[[], object]) -> None:
        until = time.monotonic() + 20
        while not happened():
            assert time.monotonic() < until, self.news
            time.sleep(0.02)

    def settle(self) -> None:
        """Wait until nothing has been refreshed for a while."""
        before = -1
        while before != self.refreshes or not self.news:
            before = self.refreshes
            time.sleep(0.6)


@pytest.fixture(params=["folders", "tree"])
def watched(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    if request.param == "tree":
        monkeypatch.setattr(watcher, "_Inotify", watcher._Recursive)
        monkeypatch.setattr("watchdog.observers.Observer", functools.partial(PollingObserver, timeout=0.1))
    elif sys.platform != "linux":
        pytest.skip("only Linux watches folders one by one")
    root = tmp_path / "project"
    (root / "src").mkdir(parents=True)
    (root / "node_modules" / "deep").mkdir(parents=True)
    (root / "logs").mkdir()
    (root / ".gitignore").write_text("logs/\n*.gen.py\n")
    (root / "src" / "settings.py").write_text(TEXT)
    made = Watched(root, tmp_path / "data")
    with made.watcher:
        made.settle()
        yield made
    made.engine.close()


def test_a_saved_file_is_found(watched: Watched) -> None:
    (watched.root / "src" / "cache.py").write_text("def expire_cache(entry):\n    return entry.age > 3\n")
    watched.wait(lambda: "src/cache.py" in watched.finds("expire cache"))


def test_an_atomic_save_is_found(watched: Watched) -> None:
    new = watched.root / "src" / ".settings.py.tmp~"
    new.write_text(TEXT.replace("parse_configuration", "load_preferences"))
    new.replace(watched.root / "src" / "settings.py")
    watched.wait(lambda: "load_preferences" in watched.symbols("load preferences"))


def test_a_file_in_a_new_folder_below_a_new_folder_is_found(watched: Watched) -> None:
    (watched.root / "lib" / "deep").mkdir(parents=True)
    (watched.root / "lib" / "deep" / "retry.py").write_text("def limit_retries(count):\n    return count < 3\n")
    watched.wait(lambda: "lib/deep/retry.py" in watched.finds("limit retries"))
    watched.settle()
    (watched.root / "lib" / "deep" / "later.py").write_text("def encode_token(token):\n    return token\n")
    watched.wait(lambda: "lib/deep/later.py" in watched.finds("encode token"))


def test_a_renamed_folder_goes_on_being_watched_by_its_new_name_and_by_its_old(watched: Watched) -> None:
    (watched.root / "src").rename(watched.root / "source")
    watched.wait(lambda: watched.finds("parse configuration")[:1] == ["source/settings.py"])
    watched.settle()
    (watched.root / "src").mkdir()
    (watched.root / "src" / "cache.py").write_text("def expire_cache(entry):\n    return entry.age > 3\n")
    (watched.root / "source" / "token.py").write_text("def encode_token(token):\n    return token\n")
    watched.wait(lambda: "src/cache.py" in watched.finds("expire cache"))
    watched.wait(lambda: "source/token.py" in watched.finds("encode token"))


def test_a_removed_file_is_found_no_more(watched: Watched) -> None:
    (watched.root / "src" / "settings.py").unlink()
    watched.wait(lambda: not watched.finds("parse configuration"))


def test_what_is_ignored_wakes_nobody(watched: Watched) -> None:
    (watched.root / "src" / "made.gen.py").write_text("a = 1\n")  # a new name: one look
    watched.settle()
    before = watched.refreshes
    for _ in range(3):
        (watched.root / "src" / "made.gen.py").write_text("a = 2\n")
        (watched.root / "node_modules" / "deep" / "index.py").write_text("a = 1\n")
        (watched.root / "logs" / "today.py").write_text("a = 1\n")
        (watched.root / "src" / ".settings.py.swp").write_bytes(b"x")
        (watched.root / "src" / "settings.py").read_text()
        time.sleep(0.3)
    assert watched.refreshes == before


def test_new_rules_of_what_is_ignored_are_followed(watched: Watched) -> None:
    (watched.root / ".gitignore").write_text("src/\n")
    watched.wait(lambda: not watched.finds("parse configuration"))


def test_a_burst_is_one_refresh(watched: Watched) -> None:
    before = watched.refreshes
    for number in range(300):
        (watched.root / "src" / f"part_{number}.py").write_text(f"def step_{number}():\n    return {number}\n")
        time.sleep(0.002)
    watched.wait(lambda: watched.engine.status().files >= 301)
    watched.settle()
    assert watched.refreshes <= before + 3, "one, were the machine never busy; never one for each file"


def test_a_root_that_is_deleted_and_made_again_is_followed(watched: Watched) -> None:
    shutil.rmtree(watched.root)
    watched.wait(lambda: any(isinstance(one, ProjectError) for one in watched.news))
    watched.root.mkdir()
    (watched.root / "anew.py").write_text("def begin_anew(task):\n    return task\n")
    watched.wait(lambda: "anew.py" in watched.finds("begin anew"))
    (watched.root / "more.py").write_text("def encode_token(token):\n    return token\n")
    watched.wait(lambda: "more.py" in watched.finds("encode token"))


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_checkout_is_followed(watched: Watched) -> None:
    def git(*words: str) -> None:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *identity, *words], cwd=watched.root, check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-qm", "one")
    git("checkout", "-qb", "other")
    (watched.root / "src" / "settings.py").write_text(TEXT.replace("parse_configuration", "load_preferences"))
    git("commit", "-qam", "two")
    watched.wait(lambda: "load_preferences" in watched.symbols("load preferences"))
    git("checkout", "-q", "main")
    watched.wait(lambda: "parse_configuration" in watched.symbols("parse"))


# ------------------------------------------------------------ without events


class Refusing:
    """Stands for a system that lets nobody watch."""

    number = errno.ENOSPC

    def __init__(self, root: Path, happened: Callable[[], None]) -> None:
        pass

    def is_alive(self) -> bool:
        return True

    def watch(self, folders: watcher.Folders) -> NoReturn:
        raise OSError(self.number, "inotify watch limit reached")

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("number", "reason"), [(errno.ENOSPC, "limit"), (errno.EMFILE, "limit"), (errno.EIO, "unsupported")]
)
def test_where_nothing_can_be_watched_it_polls_and_says_why(
    number: int, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_Inotify", "_Recursive"):
        monkeypatch.setattr(watcher, name, Refusing)
    monkeypatch.setattr(Refusing, "number", number)
    monkeypatch.setattr(watcher, "_SHORTEST_POLL_S", 0.1)
    root = tmp_path / "project"
    root.mkdir()
    polled = Watched(root, tmp_path / "data")
    with polled.watcher:
        polled.wait(lambda: Polling(reason) in polled.news)  # type: ignore[arg-type] # one of the reasons
        (root / "cache.py").write_text("def expire_cache(entry):\n    return entry.age > 3\n")
        polled.wait(lambda: any(isinstance(one, RefreshSummary) and one.added for one in polled.news))
    polled.engine.close()
    assert polled.news.count(Polling(reason)) == 1  # type: ignore[arg-type] # one of the reasons


def test_a_file_system_of_the_network_is_polled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "_is_remote", lambda _: True)
    root = tmp_path / "project"
    root.mkdir()
    polled = Watched(root, tmp_path / "data")
    with polled.watcher:
        polled.wait(lambda: polled.refreshes)
    assert polled.news[0] == Polling("remote")


# ------------------------------------------------------------ failing and ending


def test_a_busy_index_is_tried_again_and_complained_of_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "_BUSY_S", 0.05)
    news: list[News] = []
    answers: list[RefreshSummary | CodeseekError] = [BusyError("busy"), BusyError("busy"), RefreshSummary(added=1)]
    done = threading.Event()

    def refresh(_: ProgressListener) -> RefreshSummary:
        answer = answers.pop(0)
        if isinstance(answer, CodeseekError):
            raise answer
        done.set()
        return answer

    with Watcher(tmp_path, tmp_path / "index", refresh, news.append):
        assert done.wait(10)
    assert [type(one) for one in news] == [BusyError, RefreshSummary]


def test_closing_ends_a_refresh_that_goes_on_and_keeps_what_is_done(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    for number in range(400):
        (root / f"part_{number}.py").write_text(TEXT * 3)
    made = Watched(root, tmp_path / "data")
    with made.watcher:
        made.wait(lambda: made.refreshes)
    assert made.refreshes == 1
    made.engine.refresh()
    assert made.engine.status().files == 400
    made.engine.close()


def test_only_folders_in_the_index_are_watched(watched: Watched, tmp_path: Path) -> None:
    index = Settings(data_dir=tmp_path / "data").index_directory(watched.root)
    folders = watcher.indexed_folders(index, watched.root)
    assert set(folders) == {"", "src"}
    assert watcher.indexed_folders(tmp_path / "none", watched.root) == {"": frozenset()}


@pytest.fixture
def _interruptible() -> Iterator[None]:
    """Let children hear an interrupt, even where a shell runs the tests in the background, which makes them deaf to it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interruptible")
def test_the_command_says_each_refresh_and_ends_cleanly(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    (root / "settings.py").write_text(TEXT)
    environment = {**os.environ, "CODESEEK_DATA_DIR": str(tmp_path / "data")}
    command = [sys.executable, "-m", "codeseek", "watch", str(root)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        assert "watching" in running.stderr.readline()
        assert "indexed 1 file" in running.stderr.readline()
        time.sleep(0.5)
        (root / "cache.py").write_text("def expire_cache(entry):\n    return entry.age > 3\n")
        assert "1 new" in running.stderr.readline()
        running.send_signal(signal.SIGINT)
        assert running.wait(20) == 0
        assert running.stderr.read() == ""


def test_the_command_fails_where_there_is_nothing_to_watch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", str(tmp_path / "none")]) == 2
    assert "there is no folder" in capsys.readouterr().err
