"""Pulling models: from a hub of our own, whole, and with everything that goes wrong on the way."""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest

from codeseek import catalogue, downloads, installed
from codeseek.catalogue import ModelFile, ModelSpec, Variant
from codeseek.downloads import Patience
from codeseek.errors import BusyError, ModelError
from codeseek.installed import Transfer
from hub import Hub, serve

WEIGHTS = b"GGUF" + bytes(range(256)) * 4000
TOKENIZER = b'{"version": "1.0"}'
NAMES = ("onnx/weights.gguf", "tokenizer.json")
SPEC = ModelSpec(
    "mine",
    "Mine",
    "MIT",
    8,
    (
        Variant(
            "Q8_0",
            "gguf",
            files=tuple(map(ModelFile, NAMES)),
            sources={"huggingface": "me/mine-GGUF", "modelscope": "us/mine"},
        ),
        Variant("Q4_K_M", "gguf", files=(ModelFile("q4.gguf"),), sources={"huggingface": "me/mine-GGUF"}),
    ),
)
VARIANT = SPEC.variants[0]
BRISK = Patience(timeout_s=0.3, attempts=2, pause_s=0.01)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    files = {NAMES[0]: WEIGHTS, NAMES[1]: TOKENIZER}
    with serve(Hub({"me/mine-GGUF": {**files, "q4.gguf": WEIGHTS[:5000]}, "us/mine": files})) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", hub.url)
        yield hub


def pull(data: Path, mirror: str = "", listener: installed.Listener | None = None) -> None:
    downloads.pull(SPEC, VARIANT, data, mirror=mirror, listener=listener, patience=BRISK)


def failure(data: Path, mirror: str = "") -> ModelError:
    with pytest.raises(ModelError) as error:
        pull(data, mirror)
    return error.value


def folder(data: Path) -> Path:
    return catalogue.files_folder(data, SPEC, VARIANT)


def parts(data: Path) -> list[Path]:
    return list(folder(data).rglob("*.part"))


@pytest.mark.parametrize("mirror", ["", "modelscope"])
def test_a_model_is_pulled_checked_and_pinned(mirror: str, hub: Hub, tmp_path: Path) -> None:
    told: list[Transfer] = []
    assert not installed.is_installed(tmp_path, SPEC, VARIANT)
    pull(tmp_path, mirror, told.append)
    assert installed.is_installed(tmp_path, SPEC, VARIANT)
    assert (folder(tmp_path) / NAMES[0]).read_bytes() == WEIGHTS
    assert (folder(tmp_path) / NAMES[1]).read_bytes() == TOKENIZER
    pins = installed.pins(folder(tmp_path))
    assert set(pins) == set(NAMES)
    pin = pins[NAMES[0]]
    assert (pin.sha256, pin.size) == (hashlib.sha256(WEIGHTS).hexdigest(), len(WEIGHTS))
    assert pin.source.startswith(hub.url)
    assert installed.verify(tmp_path, SPEC, VARIANT) == dict.fromkeys(NAMES, "")
    assert told[-1] == Transfer("checking", NAMES[1], len(TOKENIZER), len(TOKENIZER))
    assert Transfer("pulling", NAMES[0], len(WEIGHTS), len(WEIGHTS)) in told
    assert parts(tmp_path) == []


def test_files_are_the_users_alone(hub: Hub, tmp_path: Path) -> None:
    pull(tmp_path)
    for path in folder(tmp_path).rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_what_is_there_is_not_pulled_again(hub: Hub, tmp_path: Path) -> None:
    pull(tmp_path)
    before = len(hub.transfers())
    pull(tmp_path)
    assert len(hub.transfers()) == before
    (folder(tmp_path) / NAMES[0]).write_bytes(b"GGUF shortened")
    pull(tmp_path)
    assert (folder(tmp_path) / NAMES[0]).read_bytes() == WEIGHTS
    hub.files["me/mine-GGUF"][NAMES[0]] = WEIGHTS[::-1].replace(b"\xff", b"GGUF", 1)
    pull(tmp_path)
    assert (folder(tmp_path) / NAMES[0]).read_bytes() == hub.files["me/mine-GGUF"][NAMES[0]]


def test_a_connection_that_breaks_is_taken_up_where_it_broke(hub: Hub, tmp_path: Path) -> None:
    hub.fault = "cut"
    pull(tmp_path)
    assert (folder(tmp_path) / NAMES[0]).read_bytes() == WEIGHTS
    assert hub.served[NAMES[0]] == len(WEIGHTS)
    assert len(hub.transfers()) > 10


@pytest.mark.parametrize(("fault", "reason"), [("truncated", "it ended early"), ("stall", "the server fell silent")])
def test_what_arrived_before_a_failure_is_kept_for_the_next_call(
    fault: str, reason: str, hub: Hub, tmp_path: Path
) -> None:
    hub.fault = fault  # type: ignore[assignment] # one of them
    error = failure(tmp_path)
    assert error.message.startswith(f"`{NAMES[0]}` stopped at ")
    assert error.message.endswith(f" of {len(WEIGHTS):,} bytes: {reason}")
    assert "goes on from there" in error.hint
    assert not installed.is_installed(tmp_path, SPEC, VARIANT)
    (part,) = parts(tmp_path)
    size = part.stat().st_size
    assert len(WEIGHTS) / 3 < size < len(WEIGHTS)
    hub.fault, hub.served = "", {}
    pull(tmp_path)
    assert hub.served[NAMES[0]] == len(WEIGHTS) - size
    assert (folder(tmp_path) / NAMES[0]).read_bytes() == WEIGHTS


def test_an_interrupt_keeps_what_arrived(hub: Hub, tmp_path: Path) -> None:
    def interrupt(transfer: Transfer) -> None:
        if transfer.done > len(WEIGHTS) // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(tmp_path, listener=interrupt)
    (part,) = parts(tmp_path)
    hub.served = {}
    size = part.stat().st_size
    pull(tmp_path)
    assert size > len(WEIGHTS) // 2
    assert (hub.transfers()[-1].range, (folder(tmp_path) / NAMES[0]).read_bytes()) == (f"bytes={size}-", WEIGHTS)


def test_a_server_without_ranges_sends_all_again(hub: Hub, tmp_path: Path) -> None:
    hub.fault = "truncated"
    failure(tmp_path)
    hub.fault = "no ranges"
    pull(tmp_path)
    assert (folder(tmp_path) / NAMES[0]).read_bytes() == WEIGHTS


def test_a_file_that_changed_on_the_server_is_never_mixed_with_the_old_one(hub: Hub, tmp_path: Path) -> None:
    hub.fault = "truncated"
    failure(tmp_path)
    hub.fault = ""
    hub.files["me/mine-GGUF"][NAMES[0]] = changed = b"GGUF" + WEIGHTS[4:][::-1]
    pull(tmp_path)
    assert (folder(tmp_path) / NAMES[0]).read_bytes() == changed
    assert parts(tmp_path) == []


@pytest.mark.parametrize("mirror", ["", "modelscope"])
def test_a_file_with_another_hash_is_thrown_away(mirror: str, hub: Hub, tmp_path: Path) -> None:
    hub.fault = "wrong"
    error = failure(tmp_path, mirror)
    assert "is not what localhost" in error.message or f"is not what 127.0.0.1:{hub.port} announced" in error.message
    assert not installed.is_installed(tmp_path, SPEC, VARIANT)
    assert parts(tmp_path) == []


def test_a_web_page_is_not_taken_for_a_model(hub: Hub, tmp_path: Path) -> None:
    hub.fault = "page"
    assert failure(tmp_path).message == f"`{NAMES[0]}` is a web page, not the model's file"
    hub.fault = "html"
    assert failure(tmp_path).message == f"`{hub.url}` does not answer as a model hub"
    assert failure(tmp_path, "modelscope").message == f"`{hub.url}` does not answer as a model hub"
    assert failure(tmp_path, f"{hub.url}/").message == f"`{hub.url}` does not answer as a model hub"
    assert parts(tmp_path) == []


def test_more_than_was_announced_is_refused(hub: Hub, tmp_path: Path) -> None:
    hub.fault = "longer"
    assert "sends more of" in failure(tmp_path).message


@pytest.mark.parametrize("mirror", ["", "modelscope"])
def test_a_file_or_repository_that_is_gone_is_named(mirror: str, hub: Hub, tmp_path: Path) -> None:
    repository = "us/mine" if mirror else "me/mine-GGUF"
    del hub.files[repository][NAMES[1]]
    error = failure(tmp_path, mirror)
    assert error.message == f"there is no `{NAMES[1]}` in `{repository}` at {hub.url}"
    assert "renamed" in error.hint
    del hub.files[repository]
    assert repository in failure(tmp_path, mirror).message


def test_a_gated_model_says_how_to_get_at_it(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.gated = True
    error = failure(tmp_path)
    assert error.message == f"`{hub.url}` does not give `me/mine-GGUF` to you (status 401)"
    assert f"accept its terms at {hub.url}/me/mine-GGUF, then `hf auth login` or set `HF_TOKEN`" in error.hint
    monkeypatch.setenv("HF_TOKEN", "secret")
    pull(tmp_path)


def test_a_token_goes_to_the_hub_alone(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    pull(tmp_path)
    assert {asked.token for asked in hub.asked if asked.host == "127.0.0.1"} == {"Bearer secret"}
    assert {asked.token for asked in hub.asked if asked.host == "localhost"} == {""}
    hub.asked.clear()
    pull(tmp_path / "other", hub.url)
    pull(tmp_path / "third", "modelscope")
    assert {asked.token for asked in hub.asked} == {""}


@pytest.mark.parametrize(("status", "part"), [(429, "status 429"), (500, "status 500"), (503, "status 503")])
def test_a_server_in_trouble_is_told_with_its_status(status: int, part: str, hub: Hub, tmp_path: Path) -> None:
    hub.status = status
    for mirror in ("", "modelscope"):
        assert part in failure(tmp_path, mirror).message


def test_a_server_that_is_not_there_is_named_with_the_ways_around(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    error = failure(tmp_path)
    assert error.message.startswith("cannot reach `http://127.0.0.1:1`: ")
    assert "--mirror hf-mirror" in error.hint
    assert "models import" in error.hint


def test_a_mirror_that_has_not_the_form_says_which_has(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(ModelError) as error:
        downloads.pull(SPEC, SPEC.variants[1], tmp_path, mirror="modelscope", patience=BRISK)
    assert error.value.hint == "it has Q8_0: add `--quant`"
    assert "unknown mirror `nowhere`" in failure(tmp_path, "nowhere").message


def test_room_is_looked_for_beforehand(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "free")  # noqa: PYI024 # what `shutil` returns
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(1000))
    error = failure(tmp_path)
    assert error.message.startswith(f"not enough room in `{folder(tmp_path)}`: ")
    assert hub.transfers() == []


def test_two_pulls_at_once_do_not_meet(hub: Hub, tmp_path: Path) -> None:
    begun, ended = threading.Event(), threading.Event()

    def wait(transfer: Transfer) -> None:
        begun.set()
        ended.wait(20)

    first = threading.Thread(target=pull, args=(tmp_path,), kwargs={"listener": wait})
    first.start()
    assert begun.wait(20)
    with pytest.raises(BusyError, match="is pulling `mine`"):
        pull(tmp_path)
    ended.set()
    first.join()
    assert installed.verify(tmp_path, SPEC, VARIANT) == dict.fromkeys(NAMES, "")


def test_a_file_that_is_being_read_stays_whole_when_a_new_one_comes(hub: Hub, tmp_path: Path) -> None:
    pull(tmp_path)
    path = folder(tmp_path) / NAMES[0]
    hub.files["me/mine-GGUF"][NAMES[0]] = b"GGUF" + WEIGHTS[4:][::-1]
    with path.open("rb") as reading:
        pull(tmp_path)
        assert reading.read() == WEIGHTS
    assert path.read_bytes() != WEIGHTS


def test_without_the_hubs_library_the_way_to_it_is_told(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    error = failure(tmp_path)
    assert error.hint == "`pip install 'codeseek[hub]'`, or add `--mirror modelscope`, which needs nothing"
    pull(tmp_path, "modelscope")


def test_a_folder_that_cannot_be_written_is_named(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("in the way")
    assert failure(tmp_path).message.startswith("cannot write to")
