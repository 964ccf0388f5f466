"""Models on a server: what is asked for, what is borne, and what is said when it goes wrong."""

from __future__ import annotations

import email.utils
import http.server
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codeseek import catalogue
from codeseek.catalogue import ModelSpec, Variant
from codeseek.embedders import Choice, endpoint, load_embedder, remote, selftest
from codeseek.embedders.remote import RemoteModel
from codeseek.errors import ModelError
from embeddings_server import Reply, Request, Server, expected, failure, serving

SPEC = ModelSpec(
    "served", "", "", 32, (Variant("api", "remote"),), remote_name="hash", context=8192, origin=Path("served.toml")
)
TEXTS = [f"text number {number} " + "word " * (number % 9) for number in range(200)]


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of the user's own, no proxies, and no waiting."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(endpoint, "_FIRST_DELAY_S", 0.001)
    monkeypatch.setattr(endpoint, "_LONGEST_DELAY_S", 0.002)


@contextmanager
def model_at(server: Server, spec: ModelSpec = SPEC, **options: Any) -> Iterator[RemoteModel]:
    with serving(server):
        model = RemoteModel(spec._replace(url=server.url), **options)
        try:
            yield model
        finally:
            model.close()


def error_of(server: Server, spec: ModelSpec = SPEC, **options: Any) -> str:
    """Return message and hint of the error that the first text ends in."""
    with model_at(server, spec, **options) as model, pytest.raises(ModelError) as raised:
        model.encode(["text"])
    assert raised.value.hint
    return f"{raised.value.message} / {raised.value.hint}"


def test_vectors_are_the_servers_own_in_unit_length_and_order() -> None:
    with model_at(Server()) as model:
        np.testing.assert_allclose(model.encode(TEXTS), expected(TEXTS), atol=1e-6)


def test_many_texts_are_asked_for_at_once_in_batches() -> None:
    with model_at(server := Server(cost_s=lambda texts: 0.02)) as model:
        model.encode(TEXTS * 4)
    sizes = [len(request["input"]) for request in server.requests]
    assert server.most_at_once > 4
    assert max(sizes) == 25
    assert server.connections <= 32, "connections are kept"


def test_a_description_bounds_the_texts_of_a_request_and_the_requests_at_once() -> None:
    spec = SPEC._replace(request_texts=10, connections=2)
    with model_at(server := Server(cost_s=lambda texts: 0.01), spec) as model:
        model.encode(TEXTS)
    assert max(len(request["input"]) for request in server.requests) == 10
    assert server.most_at_once == 2


def test_a_slow_server_is_asked_little_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "_SECONDS", 0.05)
    with model_at(server := Server(cost_s=lambda texts: sum(map(len, texts)) / 40_000)) as model:
        model.encode(["short text"] * 8 + ["a longer text " * 100] * 20)  # 16,000 tokens a second: 800 of them in time
    assert {len(request["input"]) for request in server.requests[1:]} == {1}


def test_answers_in_any_order_are_put_right() -> None:
    def shuffled(answer: dict[str, Any]) -> object:
        return {"data": sorted(answer["data"], key=lambda item: -item["index"] % 7)}

    with model_at(Server(after=shuffled)) as model:
        np.testing.assert_allclose(model.encode(TEXTS), expected(TEXTS), atol=1e-6)


def test_answers_without_numbers_are_taken_as_they_come() -> None:
    def bare(answer: dict[str, Any]) -> object:
        return {"data": [{"embedding": item["embedding"]} for item in answer["data"]]}

    with model_at(Server(after=bare)) as model:
        np.testing.assert_allclose(model.encode(TEXTS), expected(TEXTS), atol=1e-6)


def test_base64_is_left_where_the_server_does_not_know_it() -> None:
    with model_at(server := Server(knows_base64=False)) as model:
        np.testing.assert_allclose(model.encode(TEXTS), expected(TEXTS), atol=1e-6)
    asked = ["encoding_format" in request for request in server.requests]
    assert asked[0]
    assert not any(asked[1:])


def test_shorter_vectors_are_asked_for_where_the_model_has_them() -> None:
    with model_at(server := Server(), SPEC._replace(least_dimensions=8), dimensions=16) as model:
        rows = model.encode(TEXTS)
        assert model.dimensions == 16
    whole = expected(TEXTS)[:, :16]
    np.testing.assert_allclose(rows, whole / np.linalg.norm(whole, axis=1, keepdims=True), atol=1e-6)
    assert server.requests[-1]["dimensions"] == 16


def test_vectors_are_cut_here_where_the_server_refuses_to() -> None:
    def refuse(number: int, request: Request) -> None:
        if "dimensions" in request:
            raise failure(400, 'Model "hash" does not support matryoshka representation')

    with model_at(server := Server(before=refuse), SPEC._replace(least_dimensions=8), dimensions=16) as model:
        assert model.encode(TEXTS).shape == (200, 16)
    assert server.requests[-1]["encoding_format"] == "base64", "only what was refused is left out"


def test_dimensions_that_are_not_described_are_found_out() -> None:
    with model_at(Server(dimensions=48), SPEC._replace(dimensions=0)) as model:
        assert model.dimensions == 48
        assert model.encode(["text"]).shape == (1, 48)


def test_a_server_whose_vectors_change_their_length_is_refused() -> None:
    with model_at(server := Server(dimensions=48), SPEC._replace(dimensions=0)) as model:
        model.encode(["text"])
        server.dimensions = 24
        with pytest.raises(ModelError, match="answers with 24 dimensions"):
            model.encode(["text"])


def test_a_limit_of_texts_is_found_out_and_kept() -> None:
    with model_at(server := Server(most_texts=10)) as model:
        np.testing.assert_allclose(model.encode(TEXTS * 3), expected(TEXTS * 3), atol=1e-6)
        learned = len(server.requests)
        model.encode(TEXTS * 3)
    assert all(len(request["input"]) <= 10 for request in server.requests[learned:])


def test_texts_that_the_model_cannot_take_whole_are_embedded_in_parts_with_a_note() -> None:
    long = "line one\n" * 1000
    with model_at(server := Server(), SPEC._replace(context=100)) as model:
        rows = model.encode([*TEXTS[:50], long])
        np.testing.assert_allclose(rows[:50], expected(TEXTS[:50]), atol=1e-6)
        np.testing.assert_allclose(rows[50:], expected(["line one\n"]), atol=1e-6)
        assert [note for note in model.notes if "in parts" in note] == list(model.notes)
    assert max(len(text) for request in server.requests for text in request["input"]) <= 250


def test_texts_that_the_server_finds_too_long_are_halved() -> None:
    with model_at(Server(most_characters=300)) as model:
        rows = model.encode(["few words " * 200, *TEXTS])
        np.testing.assert_allclose(rows, expected(["few words", *TEXTS]), atol=1e-6)
        assert len(model.notes) == 1


def test_blank_texts_are_zeros_and_never_sent() -> None:
    with model_at(server := Server()) as model:
        assert not model.encode(["", " \n", "\t"]).any()
        assert model.encode([]).shape == (0, 32)
    assert not server.requests


def test_text_that_is_no_unicode_is_sent_all_the_same() -> None:
    with model_at(Server()) as model:
        np.testing.assert_allclose(model.encode(["a \udcff \0 b"]), expected(["a ? b"]), atol=1e-6)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_passes_is_waited_for(status: int) -> None:
    seen: Counter[str] = Counter()

    def twice(number: int, request: Request) -> None:
        seen[request["input"][0]] += 1
        if seen[request["input"][0]] < 3:
            raise failure(status, "come back later")

    with model_at(Server(before=twice)) as model:
        np.testing.assert_allclose(model.encode(TEXTS), expected(TEXTS), atol=1e-6)


@pytest.mark.parametrize("told", ["1", lambda: email.utils.formatdate(time.time() + 2, usegmt=True)])
def test_a_server_that_names_a_time_is_left_alone_until_then(told: str | Callable[[], str]) -> None:
    times: list[float] = []

    def busy_once(number: int, request: Request) -> None:
        times.append(time.monotonic())
        if number == 0:
            raise failure(429, "slow down", Retry_After=told if isinstance(told, str) else told())

    with model_at(Server(before=busy_once)) as model:
        model.encode(["text"])
    assert times[1] - times[0] >= 0.9


def test_a_server_that_asks_for_hours_is_an_error() -> None:
    def tired(number: int, request: Request) -> None:
        raise failure(429, "daily limit reached", Retry_After="36000")

    assert "asked too often: daily limit reached" in error_of(server := Server(before=tired))
    assert len(server.requests) == 1


def test_a_connection_that_the_server_closed_is_opened_again() -> None:
    def closing(answer: dict[str, Any]) -> object:
        raise Reply(200, answer, {"Connection": "close"})

    with model_at(server := Server(after=closing)) as model:
        for text in TEXTS[:5]:
            np.testing.assert_allclose(model.encode([text]), expected([text]), atol=1e-6)
    assert server.connections == 5


def refusing(status: int, body: object, **headers: str) -> Callable[[int, Request], None]:
    def refuse(number: int, request: Request) -> None:
        raise Reply(status, body, headers)

    return refuse


@pytest.mark.parametrize(
    ("server", "said"),
    [
        (Server(key="secret"), "wants a key: Incorrect API key"),
        (Server(before=refusing(403, {"message": "no"})), "forbids it: no"),
        (Server(before=refusing(402, {"detail": "no money"})), "wants to be paid: no money"),
        (Server(before=refusing(429, {"error": {"message": "insufficient_quota"}})), "wants to be paid"),
        (
            Server(model="other"),
            "has no model `hash`: The model `hash` does not exist. / set `remote_name`: there are `other`",
        ),
        (
            Server(before=refusing(404, b"404 page not found")),
            "has no `/embeddings`: 404 page not found / a server's URL",
        ),
        (Server(before=refusing(400, {"error": "strange"})), "answers 400: strange"),
        (Server(before=refusing(413, b"")), "finds even short texts too long (413)"),
        (Server(before=refusing(500, {"error": {"message": "out of memory"}})), "answers 500: out of memory"),
        (Server(before=refusing(200, {"error": {"message": "not ready"}})), "answers 200: not ready"),
        (
            Server(before=refusing(307, b"", Location="http://elsewhere.example/v1")),
            "has moved to `http://elsewhere.example",
        ),
        (Server(before=refusing(200, b"<!doctype html><p>Hello")), "answers with a web page"),
        (Server(before=refusing(502, b"<html>bad gateway")), "answers 502: a web page"),
        (Server(before=refusing(200, b'{"data": [')), "answers with broken JSON"),
        (Server(before=refusing(200, b"\xff\xfe")), "answers with broken JSON"),
        (Server(before=refusing(200, [])), "holds no vectors"),
        (Server(before=refusing(200, {"data": [{"embedding": None}]})), "something that is no vector"),
        (Server(before=refusing(200, {"data": [{"embedding": "%%%"}]})), "something that is no vector"),
        (Server(before=refusing(200, {"data": [{"embedding": [None] * 32}]})), "zero or not numbers"),
        (Server(before=refusing(200, {"data": [{"embedding": [float("nan")] * 32}]})), "zero or not numbers"),
        (Server(before=refusing(200, {"data": [{"embedding": [0] * 32}]})), "zero or not numbers"),
        (Server(before=refusing(200, {"data": [{"embedding": [[1.0] * 32] * 3}]})), "`--pooling`"),
        (Server(before=refusing(200, {"data": [{"embedding": [1] * 32}] * 2})), "answers 1 texts with 2 vectors"),
        (Server(before=refusing(200, {"data": [{"embedding": [1] * 32, "index": 7}]})), "numbers 1 vectors [7]"),
        (Server(dimensions=48), "48 dimensions where 32 are described / set `dimensions = 48` in `served.toml`"),
    ],
)
def test_every_way_to_fail_is_said_plainly(server: Server, said: str) -> None:
    assert said in error_of(server)


def test_a_server_that_is_not_there_is_said_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ModelError, match=f"nothing answers at `127.0.0.1:{port}`"):
        RemoteModel(SPEC._replace(url=f"http://127.0.0.1:{port}/v1")).encode(["text"])


def test_a_server_that_goes_away_in_the_middle_is_waited_for() -> None:
    gone = []

    def vanish(number: int, request: Request) -> None:
        if number == 3:
            gone.append(number)
            raise ConnectionError  # the connection ends without an answer

    with model_at(Server(before=vanish)) as model:
        np.testing.assert_allclose(model.encode(TEXTS), expected(TEXTS), atol=1e-6)
    assert gone


def test_an_answer_that_breaks_off_is_asked_for_again() -> None:
    def short(number: int, request: Request) -> None:
        if number == 2:
            raise Reply(200, b'{"data":', {"Content-Length": "9000", "Connection": "close"})

    with model_at(Server(before=short)) as model:
        np.testing.assert_allclose(model.encode(TEXTS), expected(TEXTS), atol=1e-6)


def test_what_takes_too_long_is_asked_for_in_smaller_parts() -> None:
    server = Server(cost_s=lambda texts: 0.5 if len(texts) > 8 else 0)
    with model_at(server, timeout_s=0.2) as model:
        np.testing.assert_allclose(model.encode(TEXTS), expected(TEXTS), atol=1e-6)


def test_a_server_that_never_answers_is_an_error() -> None:
    assert "takes too long: no answer in" in error_of(Server(cost_s=lambda texts: 1), timeout_s=0.1)


def test_one_failure_ends_the_other_requests() -> None:
    def fail_late(number: int, request: Request) -> None:
        if number == 4:
            raise failure(403, "enough")
        if number > 4:
            time.sleep(5)

    with model_at(server := Server(before=fail_late), SPEC._replace(request_texts=8, connections=4)) as model:
        with pytest.raises(ModelError, match="forbids it: enough"):
            model.encode(TEXTS)
        assert len(server.requests) < 12, "of 25"
        server.before = lambda number, request: None
        np.testing.assert_allclose(model.encode(TEXTS), expected(TEXTS), atol=1e-6)


@pytest.mark.skipif(os.name != "posix", reason="interrupts are sent by signal")
def test_an_interrupt_ends_what_is_under_way_and_the_model_goes_on() -> None:
    interrupted = threading.Event()

    def interrupt(number: int, request: Request) -> None:
        if number == 3:
            os.kill(os.getpid(), signal.SIGINT)
        if number >= 3 and not interrupted.is_set():
            interrupted.wait(10)

    with model_at(Server(before=interrupt), SPEC._replace(request_texts=8)) as model:
        with pytest.raises(KeyboardInterrupt):
            model.encode(TEXTS)
        interrupted.set()
        np.testing.assert_allclose(model.encode(TEXTS), expected(TEXTS), atol=1e-6)


def test_a_model_that_is_closed_ends_what_is_under_way() -> None:
    asked = threading.Event()

    def never(number: int, request: Request) -> None:
        if number:
            asked.set()
            time.sleep(5)

    with model_at(Server(before=never)) as model:

        def close() -> None:
            asked.wait()
            model.close()

        threading.Thread(target=close).start()
        with pytest.raises(ModelError, match="was closed while it was wanted"):
            model.encode(TEXTS)


def test_a_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVED_KEY", "secret\n")
    with model_at(Server(key="secret"), SPEC._replace(key_variable="SERVED_KEY")) as model:
        model.encode(["text"])


def test_a_wrong_key_is_said_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVED_KEY", "very-private")
    told = error_of(Server(key="secret"), SPEC._replace(key_variable="SERVED_KEY"))
    assert "wants another key" in told
    assert "`SERVED_KEY`" in told
    assert "very-private" not in told


@pytest.mark.skipif(os.name != "posix", reason="modes of files are checked where there are any")
def test_a_key_file_is_read_only_if_nobody_else_can(tmp_path: Path) -> None:
    spec = SPEC._replace(key_variable="SERVED_KEY")
    with pytest.raises(ModelError, match="there is no key in the variable `SERVED_KEY`"):
        RemoteModel(spec._replace(url="http://127.0.0.1:1/v1"))
    path = tmp_path / "config" / "codeseek" / "keys" / "SERVED_KEY"
    path.parent.mkdir(parents=True)
    path.write_text("secret\n")
    path.chmod(0o640)
    with pytest.raises(ModelError, match="others can read the key"):
        RemoteModel(spec._replace(url="http://127.0.0.1:1/v1"))
    path.chmod(0o600)
    with model_at(Server(key="secret"), spec) as model:
        model.encode(["text"])


@pytest.mark.parametrize("key", ["two\nlines", "schlüssel", "a\x00b"])
def test_a_key_that_cannot_be_one_is_refused(key: str, tmp_path: Path) -> None:
    path = tmp_path / "config" / "codeseek" / "keys" / "SERVED_KEY"
    path.parent.mkdir(parents=True)
    path.write_text(key, "utf-8")
    path.chmod(0o600)
    with pytest.raises(ModelError, match="characters that no key has"):
        RemoteModel(SPEC._replace(key_variable="SERVED_KEY", url="http://127.0.0.1:1/v1"))


@pytest.mark.parametrize("variable", ["../config", "A B", "schlüssel"])
def test_a_key_variable_is_no_path(variable: str) -> None:
    with pytest.raises(ModelError, match="cannot be a variable"):
        RemoteModel(SPEC._replace(key_variable=variable, url="http://127.0.0.1:1/v1"))


def test_a_redirect_is_not_followed_with_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVED_KEY", "secret")
    with serving(Server()) as other:
        moved = Server(key="secret", before=refusing(308, b"", Location=f"{other.url}/embeddings"))
        assert "has moved to" in error_of(moved, SPEC._replace(key_variable="SERVED_KEY"))
        assert not other.requests


@pytest.mark.parametrize(
    "url", ["", "localhost:11434", "ftp://a/b", "http://", "http://me:pass@host/v1", "http://a:b/"]
)
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ModelError, match="is not the URL of a server"):
        RemoteModel(SPEC._replace(url=url))


@pytest.mark.parametrize(
    ("host", "stays"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("gpu.example", False),
    ],
)
def test_offline_only_this_machine_is_asked(host: str, stays: bool) -> None:
    url = f"http://{f'[{host}]' if ':' in host else host}:1/v1"
    if stays:
        assert not RemoteModel(SPEC._replace(url=url), offline=True).notes
    else:
        with pytest.raises(ModelError, match="which `offline` forbids"):
            RemoteModel(SPEC._replace(url=url), offline=True)


def test_it_is_said_that_text_leaves_the_machine() -> None:
    assert "text is sent to `api.example`" in RemoteModel(SPEC._replace(url="https://api.example/v1")).notes[0]
    assert (
        "text is sent unencrypted to `gpu.example`" in RemoteModel(SPEC._replace(url="http://gpu.example/v1")).notes[0]
    )


def test_a_host_without_an_address_is_said() -> None:
    with pytest.raises(ModelError, match=r"no machine is called `nowhere\.invalid`"):
        RemoteModel(SPEC._replace(url="http://nowhere.invalid/v1")).encode(["text"])


def test_a_server_without_tls_is_said() -> None:
    with serving(Server()) as server, pytest.raises(ModelError, match="does not speak TLS"):
        RemoteModel(SPEC._replace(url=server.url.replace("http:", "https:"))).encode(["text"])


@contextmanager
def proxy() -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    """A proxy that answers everything itself, and what it was asked for."""
    seen: list[tuple[str, str | None]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def refuse(self) -> None:
            seen.append((f"{self.command} {self.path}", self.headers.get("Proxy-Authorization")))
            self.send_error(407 if self.command == "CONNECT" else 418)

        do_POST = do_CONNECT = refuse  # noqa: N815

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}", seen
        finally:
            server.shutdown()
            thread.join()


def test_a_proxy_of_the_environment_is_used_for_other_hosts_only(monkeypatch: pytest.MonkeyPatch) -> None:
    with proxy() as (place, seen):
        monkeypatch.setenv("http_proxy", f"http://me:p%40ss@{place}")
        monkeypatch.setenv("https_proxy", place)
        with pytest.raises(ModelError, match="answers 418"):
            RemoteModel(SPEC._replace(url="http://gpu.invalid/v1")).encode(["text"])
        with pytest.raises(ModelError, match=r"the proxy, fails: .*407"):
            RemoteModel(SPEC._replace(url="https://gpu.invalid/v1")).encode(["text"])
        assert seen == [
            ("POST http://gpu.invalid/v1/embeddings", "Basic bWU6cEBzcw=="),
            ("CONNECT gpu.invalid:443", None),
        ]
        with model_at(Server()) as model:
            model.encode(["text"])
        assert len(seen) == 2, "text for this machine goes through no proxy"


def test_a_host_without_proxy_is_asked_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", ".invalid")
    with pytest.raises(ModelError, match=r"no machine is called `gpu\.invalid`"):
        RemoteModel(SPEC._replace(url="http://gpu.invalid/v1")).encode(["text"])


def test_a_proxy_of_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:1080")
    with pytest.raises(ModelError, match=r"the proxy `socks5://127\.0\.0\.1` of the environment cannot be used"):
        RemoteModel(SPEC._replace(url="http://gpu.example/v1"))


def test_the_same_model_elsewhere_is_another_one() -> None:
    def identity(**changes: Any) -> str:
        return RemoteModel(SPEC._replace(**{"url": "http://localhost:1/v1", **changes})).identity

    assert identity() == identity(url="http://localhost:1/v1/") == identity(url="http://localhost:1/v1/embeddings")
    others = identity(url="http://localhost:2/v1"), identity(remote_name="b"), identity(dimensions=64)
    assert len({identity(), *others}) == 4


DESCRIPTION = """
name = "my-server"
family = "Own"
licence = "own"
dimensions = 256
languages = "English"
context = 8192
url = "{url}"
remote_name = "hash"
variants = [{{ name = "api", engine = "remote" }}]
"""


def test_a_description_in_the_users_folder_is_all_it_takes(tmp_path: Path) -> None:
    folder = catalogue.user_folder()
    folder.mkdir(parents=True)
    with serving(Server(dimensions=256)) as server:
        (folder / "my-server.toml").write_text(DESCRIPTION.format(url=server.url))
        with pytest.raises(ModelError, match="embeds nonsense"):  # hashes of words know no meaning
            load_embedder(Choice("my-server", data_dir=tmp_path))


@contextmanager
def llama_server(path: Path) -> Iterator[str]:
    """Run llama-cpp-python's own server until it is not needed any more; yields its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "llama_cpp.server",
        "--model",
        str(path),
        "--embedding",
        "true",
        "--port",
        str(port),
    ]
    command += [
        "--n_ctx",
        "512",
        "--n_batch",
        "512",
        "--n_threads",
        "1",
        "--n_threads_batch",
        "1",
        "--verbose",
        "false",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            while process.poll() is None:
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()


@pytest.mark.slow
def test_a_real_server_gives_what_the_model_gives(tmp_path: Path) -> None:
    if any(importlib.util.find_spec(name) is None for name in ("gguf", "llama_cpp", "starlette_context")):
        pytest.skip("without `llama-cpp-python[server]`")
    from minilm_reference import folder, minilm

    if (weights := folder()) is None:
        pytest.skip("the weights of all-MiniLM-L6-v2 are not here: python tests/minilm_gguf.py")
    import minilm_gguf

    minilm_gguf.write(weights, tmp_path / "minilm.gguf")
    texts = ["How do I sort a list?", "def sort(items):\n    return sorted(items)\n", *TEXTS[:20]]
    with llama_server(tmp_path / "minilm.gguf") as url:
        spec = SPEC._replace(url=url, dimensions=384, context=512, languages="English")
        model = RemoteModel(spec)
        rows = model.encode(texts)
        selftest.check(model, spec)
        model.close()
    assert (rows * minilm().encode(texts)).sum(axis=1).min() > 0.999
