"""The daemon: the same answers as without it, from a process that whoever is killed leaves whole."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pickle
import re
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from codeseek import settings
from codeseek import store as stores
from codeseek.cli import main
from codeseek.daemon import client, place, server, wire
from codeseek.daemon.client import RemoteEngine
from codeseek.daemon.kept import KeptEngine
from codeseek.daemon.server import Server
from codeseek.daemon.shelf import Shelf
from codeseek.embedders import Choice
from codeseek.errors import BusyError, CodeseekError, DaemonError, StoreError, UsageError
from codeseek.local import LocalEngine
from codeseek.lock import WriteLock
from codeseek.records import Progress, RefreshSummary, SearchRequest, SearchResult, SimilarRequest
from codeseek.settings import Settings
from fakes import HashEmbedder

pytestmark = pytest.mark.skipif(not place.is_possible(), reason="no Unix sockets here")


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a short folder where daemons of this test lie; no daemon outlives the test."""
    with tempfile.TemporaryDirectory(prefix="cs") as name:
        monkeypatch.setenv("XDG_RUNTIME_DIR", name)
        yield Path(name)
        with contextlib.suppress(CodeseekError):
            client.stop()


@pytest.fixture
def served(runtime: Path) -> Iterator[Server]:
    """Return a daemon in a thread of this process."""
    where = place.folder()
    with WriteLock(place.lock_path(where)):
        running = Server(where, Shelf(lambda choice: HashEmbedder(choice.name, 64, 2)))
        thread = threading.Thread(target=running.serve)
        thread.start()
        wait_for(lambda: listens(place.socket_path(where)))  # the socket's file is there a moment before
        yield running
        running.end()
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture
def chosen(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", workers=1)


def listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(os.fspath(path)) == 0


def wait_for(true: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


def report() -> wire.Report:
    with client.connected(start=False) as connection:
        told = client.ask(connection, wire.Call("report"))
        assert isinstance(told, wire.Report)
        return told


# ------------------------------------------------------------ the same answers


COMMANDS = [
    ["检索"],
    ["-n", "3", "--why", "line 12"],
    ["--format", "json", "检索"],
    ["--format", "vimgrep", "line"],
    ["--format", "markdown", "检索", "lang:markdown"],
    ["-l", "line 40"],
    ["similar", "src/store.py:12"],
    ["similar", "src/store.py:4000"],
    ["--no-refresh", "检索"],
    ["search", "???"],
    ["zzzzzz qqqqqq", "lang:python", "path:nowhere/**"],
    ["context", "检索", "--tokens", "300"],
    ["duplicates", "--kind", "module", "--min-similarity", "0.5", "--format", "vimgrep"],
    ["status"],
    ["status", "--json"],
    ["index"],
    ["index", "src"],
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_the_command_line_says_the_same_with_and_without_it(
    arguments: list[str],
    served: Server,
    project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    said = []
    for mode in ("never", "always"):
        monkeypatch.setenv("CODESEEK_DAEMON", mode)
        monkeypatch.setenv("CODESEEK_DATA_DIR", str(tmp_path / mode))
        main(["index"])
        capfd.readouterr()
        code = main(arguments)
        out, err = capfd.readouterr()
        text = re.sub(r"\d+(\.\d+)? m?s\b|\"elapsed_ms\": [\d.]+|just now|\d+ s ago", "TIME", out + "\0" + err)
        text = re.sub(r"\"indexed_at\": \"[^\"]+\"|\(\d+\.\d kB\)|\"size_bytes\": \d+", "SOME", text)
        said.append((code, text.replace(str(tmp_path / mode), "DATA")))
    assert said[0] == said[1]
    assert report().calls > 0


def test_an_engine_in_the_daemon_keeps_the_contract_of_one_here(
    served: Server, project: Path, chosen: Settings
) -> None:
    remote = RemoteEngine.open(project, chosen)
    heard: list[Progress] = []
    summary = remote.refresh(heard.append, thorough=True)
    assert summary.added == 2
    assert {progress.phase for progress in heard} >= {"scan", "index"}
    local = LocalEngine(project, chosen)
    local.refresh()
    for request in (SearchRequest("检索"), SearchRequest("line 7", explain=True, per_file=3)):
        one, other = remote.search(request), local.search(request)
        assert one._replace(elapsed_ms=0) == other._replace(elapsed_ms=0)
    similar = SimilarRequest(PurePosixPath("src/store.py"), 12)
    assert remote.similar(similar).hits == local.similar(similar).hits
    assert remote.chunks(similar.path, 1, 20) == local.chunks(similar.path, 1, 20) != ()
    assert remote.status() == local.status()
    with pytest.raises(UsageError) as raised:
        remote.similar(similar._replace(line=4000))
    assert raised.value.hint == "name a line of an indexed file"
    local.close()
    remote.close()


def test_an_answer_is_fresh_only_to_who_has_looked(served: Server, project: Path, chosen: Settings) -> None:
    first = RemoteEngine(project, chosen)
    first.refresh()
    assert first.search(SearchRequest("检索")).freshness == "fresh"
    assert RemoteEngine(project, chosen).search(SearchRequest("检索")).freshness == "unknown"


def test_a_chosen_model_is_loaded_once_for_all_projects(served: Server, project: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.py").write_text("def alpha():\n    return 1\n")
    chosen = Settings(data_dir=tmp_path / "data", workers=1, model="hash-2")
    for root in (project, other):
        engine = RemoteEngine(root, chosen)
        engine.refresh()
        assert engine.embed().covered > 0
        assert engine.search(SearchRequest("alpha line")).tier == "bundled+hash-2"
    assert report().models == ("hash-2",)
    assert len(report().projects) == 2


def test_limits_of_a_question_do_not_make_another_engine(served: Server, project: Path, chosen: Settings) -> None:
    RemoteEngine(project, chosen).refresh()
    for limit in (1, 2, 3):
        RemoteEngine(project, Settings(chosen.data_dir, limit=limit, workers=limit)).search(SearchRequest("检索"))
    assert len(report().projects) == 1


def test_the_projects_kept_open_are_few(
    served: Server, chosen: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_MOST_PROJECTS", 2)
    for name in "abc":
        root = tmp_path / name
        root.mkdir()
        (root / "x.py").write_text("x = 1\n")
        RemoteEngine(root, chosen).refresh()
    assert [Path(root).name for root in report().projects] == ["b", "c"]


# ------------------------------------------------------------ a project that is watched


def names(engine: RemoteEngine | KeptEngine, query: str) -> list[str]:
    return [str(hit.chunk.path) for hit in engine.search(SearchRequest(query)).hits]


@pytest.fixture
def kept(project: Path, chosen: Settings) -> Iterator[KeptEngine]:
    engine = KeptEngine(project, dataclasses.replace(chosen, model="hash-2"), Shelf(lambda _: HashEmbedder("hash-2")))
    engine.refresh()
    yield engine
    engine.close()


def settled(engine: KeptEngine) -> Callable[[], object]:
    return lambda: engine._watcher is not None and engine._watcher.is_current


def test_what_is_saved_is_found_without_being_looked_for(kept: KeptEngine, project: Path) -> None:
    wait_for(settled(kept))
    (project / "fresh.py").write_text("def newcomer():\n    return 1\n")
    wait_for(lambda: "fresh.py" in names(kept, "newcomer"))


def counted(kept: KeptEngine, monkeypatch: pytest.MonkeyPatch, lasting: float = 0.0) -> list[str]:
    """Return a list that grows with every look at the files; each takes so many seconds more."""
    looks: list[str] = []
    real = kept._engine.refresh

    def look(*arguments: Any, **options: Any) -> RefreshSummary:
        looks.append("look")
        time.sleep(lasting)
        return real(*arguments, **options)

    monkeypatch.setattr(kept._engine, "refresh", look)
    return looks


def test_a_refresh_looks_at_files_only_when_something_has_happened(
    kept: KeptEngine, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_for(settled(kept))
    looks = counted(kept, monkeypatch)
    assert kept.refresh().unchanged == 2
    assert looks == []
    kept.refresh(thorough=True)
    assert looks == ["look"]
    (project / "fresh.py").write_text("def newcomer():\n    return 1\n")
    wait_for(lambda: len(looks) > 1)
    wait_for(settled(kept))
    assert kept.refresh().unchanged == 3


def test_many_who_ask_for_a_refresh_at_once_share_one(
    kept: KeptEngine, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_for(settled(kept))
    looks = counted(kept, monkeypatch, lasting=0.2)
    (project / "fresh.py").write_text("def newcomer():\n    return 1\n")
    wait_for(lambda: not kept._watcher or not kept._watcher.is_current)
    found: list[bool] = []

    def ask() -> None:
        kept.refresh()
        found.append("fresh.py" in names(kept, "newcomer"))

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == [True] * 20
    assert len(looks) < 10


def test_a_change_is_read_by_the_chosen_model_once_it_has_read_the_rest(kept: KeptEngine, project: Path) -> None:
    kept.embed()
    wait_for(settled(kept))
    (project / "fresh.py").write_text("def newcomer():\n    return 1\n")
    wait_for(lambda: "fresh.py" in names(kept, "newcomer"))
    wait_for(lambda: kept.status().models[0].covered == kept.status().models[0].chunks)
    assert kept.search(SearchRequest("newcomer")).coverage == 1


def test_closing_ends_what_the_chosen_model_is_at(
    kept: KeptEngine, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codeseek.embedding._FIRST_STEP", 1)
    monkeypatch.setattr("codeseek.embedding._LARGEST_STEP", 1)
    monkeypatch.setattr("codeseek.progress._PROGRESS_S", 0.0)
    begun, ended = threading.Event(), threading.Event()

    def listen(_: Progress) -> None:
        begun.set()
        time.sleep(0.05)

    def embed() -> None:
        with contextlib.suppress(KeyboardInterrupt):
            kept.embed(listen)
        ended.set()

    (project / "more.py").write_text("".join(f"def function_{n}():\n" + "    x = 1\n" * 30 for n in range(200)))
    kept.refresh()
    threading.Thread(target=embed).start()
    assert begun.wait(20)
    kept.close()
    assert ended.wait(20)
    covered, chunks = kept.status().models[0][2:4]
    assert covered < chunks


def test_an_index_that_is_forgotten_is_made_again(kept: KeptEngine) -> None:
    wait_for(settled(kept))
    assert names(kept, "检索")
    stores.remove(kept._index)
    kept.refresh()
    assert names(kept, "检索")


# ------------------------------------------------------------ models on the shelf


def test_a_model_that_nobody_uses_is_put_away_and_loaded_again() -> None:
    loads: list[str] = []

    def load(choice: Choice) -> HashEmbedder:
        loads.append(choice.name)
        return HashEmbedder(choice.name)

    shelf = Shelf(load)
    lent = shelf.lend(Choice("a"))
    assert shelf.loaded() == []
    lent.embed_query("x")
    shelf.put_away(60)
    assert shelf.loaded() == ["a"]
    shelf.put_away(0)
    assert shelf.loaded() == []
    lent.embed_query("x")
    lent.close()
    assert shelf.lend(Choice("a")).fingerprint == HashEmbedder().fingerprint
    assert loads == ["a", "a"]


def test_a_question_to_several_engines_is_embedded_once() -> None:
    asked: list[str] = []

    class Counting(HashEmbedder):
        def embed_query(self, query: str) -> NDArray[np.float32]:
            asked.append(query)
            return super().embed_query(query)

    shelf = Shelf(lambda choice: Counting(choice.name))
    for query in ("x", "x", "y"):
        for _ in range(3):
            lent = shelf.lend(Choice("a"))
            assert lent.embed_query(query).tolist() == HashEmbedder().embed_query(query).tolist()
    assert asked == ["x", "y"]


@pytest.mark.parametrize("ask", ["search", "similar"])
def test_a_question_waits_for_the_refresh_that_keeps_it_from_mending(
    ask: str, kept: KeptEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_for(settled(kept))
    real = getattr(kept._engine, ask)
    tried: list[bool] = []  # for each try, whether the other refresh was still at it

    def answer(request: object) -> SearchResult:
        tried.append(kept._refreshing.locked())
        if len(tried) == 1:
            threading.Timer(0.2, kept._refreshing.release).start()
            raise BusyError("another process is writing this index", "wait")
        found: SearchResult = real(request)
        return found

    monkeypatch.setattr(kept._engine, ask, answer)
    kept._refreshing.acquire()
    asked = {"search": SearchRequest("store"), "similar": SimilarRequest(PurePosixPath("src/store.py"), 1)}
    getattr(kept, ask)(asked[ask])
    assert len(tried) == 2


# ------------------------------------------------------------ processes that come and go


def start() -> int:
    with client.connected():
        return report().pid


def test_it_is_started_when_it_is_wanted_and_stopped_when_asked(runtime: Path) -> None:
    with pytest.raises(DaemonError, match="no daemon"), client.connected(start=False):
        pass
    pid = start()
    assert start() == pid
    where = place.folder()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in where.iterdir()}
    assert modes == {"daemon.sock": 0o600, "daemon.lock": 0o600, "start.lock": 0o600, "daemon.log": 0o600}
    assert stat.S_IMODE(where.stat().st_mode) == 0o700
    assert client.stop()
    assert not client.stop()
    assert not place.socket_path(where).exists()


def test_many_who_start_it_at_once_get_the_same_one(runtime: Path) -> None:
    pids: list[int] = []
    threads = [threading.Thread(target=lambda: pids.append(start())) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(pids) == 5
    assert len(set(pids)) == 1


def test_killed_it_is_started_again_and_nothing_is_lost(runtime: Path, project: Path, chosen: Settings) -> None:
    engine = RemoteEngine.open(project, chosen)
    engine.refresh()
    first = report().pid
    os.kill(first, signal.SIGKILL)
    assert engine.search(SearchRequest("检索")).hits
    assert report().pid != first


def test_a_socket_that_nobody_listens_on_is_taken_over(runtime: Path) -> None:
    path = place.socket_path(place.folder())
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(os.fspath(path))
    assert path.exists()
    assert start()


def test_a_client_that_is_killed_leaves_it_whole(served: Server, project: Path, chosen: Settings) -> None:
    for number in range(200):
        (project / f"more{number}.py").write_text(f"def function_{number}():\n    return {number}\n" * 20)
    with client.connected() as connection:
        wire.send(connection, wire.Call("refresh", (project, chosen)))
        wire.receive(connection)  # it has begun
    wait_for(lambda: report().clients == 1)  # who asks is one itself
    engine = RemoteEngine(project, chosen)
    engine.refresh()
    assert engine.status().files == 202


def test_one_of_another_version_is_replaced(runtime: Path) -> None:
    program = (
        "import sys\nfrom codeseek.daemon import place, wire\nfrom codeseek.daemon.server import Server\n"
        "from codeseek.lock import WriteLock\nwire._GREETING = b'codeseek 99.0 7\\n'\nwhere = place.folder()\n"
        "with WriteLock(place.lock_path(where)):\n    Server(where).serve()\n"
    )
    with subprocess.Popen([sys.executable, "-c", program]) as other:
        wait_for(lambda: place.socket_path(place.folder()).exists())
        pid = start()
        assert other.wait(20) == 0
        assert pid != other.pid


def test_it_ends_when_nobody_asks(runtime: Path) -> None:
    where = place.folder()
    with WriteLock(place.lock_path(where)):
        running = Server(where, idle_s=0)
        thread = threading.Thread(target=running.serve)
        thread.start()
        thread.join(20)
        assert not thread.is_alive()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(number: signal.Signals, runtime: Path) -> None:
    pid = start()
    os.kill(pid, number)
    wait_for(lambda: "ends" in place.log_path(place.folder()).read_text())
    assert not place.socket_path(place.folder()).exists()


# ------------------------------------------------------------ what may not be said


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch /nonexistent/evil",)


@pytest.mark.parametrize("message", [Evil(), subprocess.Popen, os.system, {"a": [Evil()]}], ids=repr)
def test_nothing_but_our_records_is_made_of_a_message(message: object) -> None:
    one, other = socket.socketpair()
    with one, other:
        one.sendall(wire._LENGTH.pack(len(data := pickle.dumps(message))) + data)
        with pytest.raises(wire.Refused):
            wire.receive(other)


def test_a_message_that_is_too_long_is_not_read() -> None:
    one, other = socket.socketpair()
    with one, other:
        one.sendall(wire._LENGTH.pack(1 << 60))
        with pytest.raises(wire.Refused, match="bytes"):
            wire.receive(other)


@pytest.mark.parametrize(
    "call",
    [
        wire.Call("close"),
        wire.Call("__class__", (Path("/"), Settings(Path("/")))),
        wire.Call("search", (Path("/nowhere"), Settings(Path("/nowhere"))), ("no request",)),
        "search",
    ],
    ids=repr,
)
def test_a_call_that_makes_no_sense_is_refused_and_the_next_is_answered(call: object, served: Server) -> None:
    with client.connected() as connection:
        wire.send(connection, call)
        assert isinstance(wire.receive(connection), wire.Failed)
    assert report().calls


def test_rubbish_on_the_socket_harms_nobody(served: Server) -> None:
    for rubbish in (b"", b"\n", b"GET / HTTP/1.1\r\n\r\n", b"x" * 5000, b"st"):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(os.fspath(place.socket_path(place.folder())))
            connection.sendall(rubbish)
    assert report()


def test_errors_of_the_store_arrive_as_they_are(served: Server, project: Path, chosen: Settings) -> None:
    with pytest.raises(StoreError, match="no index") as raised:
        RemoteEngine(project, chosen).search(SearchRequest("检索"))
    assert raised.value.hint == "make one with `codeseek index`"


# ------------------------------------------------------------ its folder


def test_a_folder_that_is_somebody_elses_is_not_used(runtime: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can give a folder away")
    own = place.folder()
    os.chown(own, 12345, 12345)
    assert not place.folder().is_relative_to(runtime)


def test_a_folder_that_others_could_enter_is_closed(runtime: Path) -> None:
    place.folder().chmod(0o777)
    assert stat.S_IMODE(place.folder().stat().st_mode) == 0o700


def test_a_path_that_is_too_long_for_a_socket_is_not_used(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = runtime / ("x" * 120)
    long.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    assert not place.folder().is_relative_to(long)


# ------------------------------------------------------------ the command line


def test_its_state_is_shown(
    runtime: Path, project: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["daemon", "status"]) == 1
    assert "there is no daemon" in capfd.readouterr().err
    assert main(["daemon", "logs"]) == 1
    assert main(["daemon", "start"]) == 0
    monkeypatch.setenv("CODESEEK_DAEMON", "always")
    assert main(["检索"]) == 0
    capfd.readouterr()
    assert main(["daemon", "status"]) == 0
    assert str(project) in capfd.readouterr().out
    assert main(["daemon", "status", "--json"]) == 0
    record = json.loads(capfd.readouterr().out)
    assert (record["projects"], record["models"]) == ([str(project)], [])
    assert main(["daemon", "restart"]) == 0
    assert main(["daemon", "logs"]) == 0
    assert f"daemon {record['pid']} " in capfd.readouterr().out
    assert main(["daemon", "stop"]) == 0
    assert main(["daemon", "stop"]) == 1


def test_without_a_folder_for_it_the_question_is_answered_here(
    runtime: Path, project: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere() -> Path:
        raise DaemonError("there is no private folder for the daemon")

    monkeypatch.setattr(place, "folder", nowhere)
    monkeypatch.setenv("CODESEEK_DAEMON", "always")
    assert main(["检索"]) == 0
    told = capfd.readouterr()
    assert "说明.md" in told.out
    assert "answered without the daemon" in told.err


@pytest.mark.parametrize(
    ("mode", "model", "wanted"),
    [
        ("auto", "bundled", False),
        ("always", "bundled", True),
        ("never", "qwen3", False),
        ("auto", "all-minilm-l6-v2", True),
        ("auto", "no-such-model", False),
    ],
)
def test_it_is_wanted_for_models_that_take_long_to_load(
    mode: str, model: str, wanted: bool, runtime: Path, project: Path
) -> None:
    chosen = settings.load(project, {"daemon": mode, "model": model})
    assert client.is_wanted(chosen) == wanted


def test_a_search_through_it_loads_neither_numpy_nor_models(
    served: Server, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODESEEK_DAEMON", "always")
    program = (
        "import sys\nfrom codeseek.cli import main\nassert main(['检索']) == 0\n"
        "heavy = {'numpy', 'sqlite3', 'tree_sitter', 'codeseek.embedders', 'codeseek.local', 'codeseek.store'}\n"
        "assert not heavy & {*sys.modules}, heavy & {*sys.modules}\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=50)
    assert done.returncode == 0, done.stderr
    assert "说明.md" in done.stdout
