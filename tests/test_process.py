"""A model in a process of its own: whatever becomes of the process, the program goes on and says what happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from codeseek.embedders.process import ModelProcess
from codeseek.errors import ModelError
from fakes import Acting


@pytest.fixture
def model(tmp_path: Path) -> Iterator[ModelProcess]:
    running = ModelProcess("acting", Acting(tmp_path), "acting-1", 2)
    yield running
    running.close()


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_vectors_come_in_the_order_of_the_texts(model: ModelProcess) -> None:
    texts = ["x" * (number * 7 % 50) for number in range(1_500)]
    assert model.encode(texts)[:, 0].tolist() == [len(text) for text in texts]
    assert model.encode([]).shape == (0, 2)
    assert model.notes == ("a note",)


def test_the_process_starts_with_the_first_text_and_is_kept(model: ModelProcess) -> None:
    assert model.pid is None
    model.encode(["a"])
    first = model.pid
    model.encode(["b"])
    assert model.pid == first


def test_a_text_that_kills_takes_no_other_with_it(model: ModelProcess) -> None:
    rows = model.encode(["one", "abort", "three", *(["four"] * 50)])
    assert rows[:3].tolist() == [[3, 1], [0, 0], [5, 1]]
    assert rows[3:].all()
    (note,) = [note for note in model.notes if "no vector" in note]
    assert "SIGABRT" in note
    model.encode(["abort"])
    assert len([note for note in model.notes if "no vector" in note]) == 1


def test_a_death_that_does_not_happen_again_costs_nothing(model: ModelProcess) -> None:
    assert model.encode(["one", "abort once", "three"])[:, 0].tolist() == [3, 10, 5]
    assert model.notes == ("a note",)


def test_a_model_that_dies_of_any_text_is_an_error(tmp_path: Path) -> None:
    model = ModelProcess("acting", Acting(tmp_path, "abort later"), "", 2)
    with pytest.raises(ModelError, match="whatever it embeds") as error:
        model.encode(["one"])
    assert error.value.hint


def test_a_death_while_loading_is_an_error_that_says_why(tmp_path: Path) -> None:
    model = ModelProcess("acting", Acting(tmp_path, "abort"), "", 2)
    with pytest.raises(ModelError, match=r"SIGABRT.*model.cpp:1: assertion failed") as error:
        model.encode(["one"])
    assert error.value.hint
    assert model.pid is None


def test_an_error_arrives_with_its_hint_and_the_process_goes_on(model: ModelProcess, tmp_path: Path) -> None:
    model.encode(["one"])
    first = model.pid
    with pytest.raises(ModelError, match="not this text") as error:
        model.encode(["refuse"])
    assert error.value.hint == "write another"
    assert model.encode(["one"]).tolist() == [[3, 1]]
    assert model.pid == first
    with pytest.raises(ModelError, match="it is no model") as error:
        ModelProcess("acting", Acting(tmp_path, "refuse"), "", 2).encode(["one"])
    assert error.value.hint == "get another"


def test_a_bug_in_the_process_shows_its_traceback(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        ModelProcess("acting", Acting(tmp_path, "stumble"), "", 2).encode(["one"])


def test_what_a_library_prints_reaches_neither_the_answers_nor_the_terminal(
    model: ModelProcess, capfd: pytest.CaptureFixture[str]
) -> None:
    assert model.encode(["print", "two"]).tolist() == [[5, 1], [3, 1]]
    assert capfd.readouterr() == ("", "")


def test_closing_gives_up_what_is_being_embedded_and_a_later_text_starts_anew(
    model: ModelProcess, tmp_path: Path
) -> None:
    problems: list[BaseException] = []

    def embed() -> None:
        try:
            model.encode(["one", "hang"])
        except ModelError as error:
            problems.append(error)

    thread = threading.Thread(target=embed)
    thread.start()
    wait_for(tmp_path / "hanging")
    model.close()
    thread.join()
    assert "closed" in str(problems[0])
    assert model.pid is None
    assert model.encode(["two"]).tolist() == [[3, 1]]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are told otherwise there")
def test_an_interrupt_ends_the_work_and_not_what_comes_later(model: ModelProcess, tmp_path: Path) -> None:
    def interrupt() -> None:
        wait_for(tmp_path / "hanging")
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        model.encode(["hang"])
    assert model.encode(["two"]).tolist() == [[3, 1]]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no groups of processes there")
def test_ctrl_c_in_the_terminal_is_not_for_the_process(model: ModelProcess) -> None:
    model.encode(["one"])
    assert model.pid is not None
    assert os.getpgid(model.pid) != os.getpgid(0)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")
def test_the_process_ends_with_the_program_even_in_the_middle_of_its_work(tmp_path: Path) -> None:
    script = f"""
import sys
sys.path[:] = {sys.path!r}
from pathlib import Path
from codeseek.embedders.process import ModelProcess
from fakes import Acting
model = ModelProcess("acting", Acting(Path({str(tmp_path)!r})), "", 2)
model.encode(["one"])
print(model.pid, flush=True)
model.encode(["hang"])
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        pid = int(program.stdout.readline())
        wait_for(tmp_path / "hanging")
        assert is_alive(pid)
        program.kill()
    while is_alive(pid):
        time.sleep(0.01)


def test_several_threads_may_embed_at_once(model: ModelProcess) -> None:
    wrong: list[int] = []

    def embed(length: int) -> None:
        wrong.extend(length for _ in range(30) if model.encode(["x" * length]).tolist() != [[length, 1]])

    threads = [threading.Thread(target=embed, args=(length,)) for length in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_tokens_are_counted_in_the_process(model: ModelProcess) -> None:
    assert model.count_tokens(["one two", "", "three"]) == [2, 0, 1]
    with pytest.raises(ModelError, match="ended while it counted"):
        model.count_tokens(["abort"])
    assert model.count_tokens(["one two"]) == [2]
