"""HTTP: what OpenAI's client and a search need, on a real server; and what is refused, with words that help."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import numpy as np
import openai
import pytest

from codeseek.embedders import Choice, bundled
from codeseek.errors import ModelError, StoreError, UsageError
from codeseek.local import LocalEngine
from codeseek.records import Progress, ProgressListener, RefreshSummary, SearchRequest, SearchResult
from codeseek.serve import listening
from codeseek.serve.door import MOST_BYTES, Rules
from codeseek.serve.listening import TOKEN_VARIABLE, Address
from codeseek.serve.models import Models
from codeseek.serve.pool import Pool
from codeseek.settings import Settings
from fake_engine import HITS, README, STORE, FakeEngine
from fakes import HashEmbedder
from served import Served, served

TOKEN = "a-token-that-is-long-enough"  # noqa: S105 # of no other server
ROOT = Path("/project")
EVERYWHERE = Address("0.0.0.0", 1)  # noqa: S104 # that is the danger


def load(choice: Choice) -> HashEmbedder:
    if choice.name == "missing":
        raise ModelError("`missing` is not installed", hint="`codeseek models pull missing`")
    return HashEmbedder()


def models() -> Models:
    return Models({"hash": Choice("hash"), "missing": Choice("missing"), "bundled": Choice()}, load_any)


def load_any(choice: Choice) -> HashEmbedder:
    return bundled() if choice.name == "bundled" else load(choice)  # type: ignore[return-value] # both are embedders


def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", refresh=False)


_ENGINE = FakeEngine()


@pytest.fixture
def engine() -> FakeEngine:
    """Return the engine of `server`, as if it were new."""
    vars(_ENGINE).update(vars(FakeEngine()))
    return _ENGINE


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return one server for many tests: starting and ending one takes longer than a test."""
    with served({ROOT: (settings(tmp_path_factory.mktemp("data")), _ENGINE)}, models()) as running:
        yield running


@pytest.fixture(scope="module")
def client(server: Served) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0)


# ------------------------------------------------------------ as OpenAI does


def test_openais_client_lists_the_models(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["hash", "missing", "bundled"]
    assert client.models.retrieve("bundled").owned_by == "codeseek"


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_openais_client_gets_the_vectors_of_texts_in_their_order(client: openai.OpenAI, encoding: str) -> None:
    texts = ["parse a file", "解析文件", "parse a file"]
    given = client.embeddings.create(model="bundled", input=texts, encoding_format=encoding)  # type: ignore[arg-type]
    vectors: list[object] = [item.embedding for item in given.data]
    rows = [np.frombuffer(base64.b64decode(row), "<f4") if isinstance(row, str) else row for row in vectors]
    assert np.array(rows, np.float32) == pytest.approx(bundled().embed_texts(texts), abs=1e-6)
    assert [item.index for item in given.data] == [0, 1, 2]
    assert given.model == "bundled"
    assert given.usage.prompt_tokens == given.usage.total_tokens > 3


def test_one_text_is_a_list_of_one(client: openai.OpenAI) -> None:
    (item,) = client.embeddings.create(model="hash", input="alpha").data
    assert item.embedding == pytest.approx(HashEmbedder().embed_query("alpha"), abs=1e-6)


def test_vectors_are_cut_where_the_model_allows_it_and_are_of_unit_length_then(client: openai.OpenAI) -> None:
    (item,) = client.embeddings.create(model="bundled", input="parse a file", dimensions=64).data
    whole = bundled().embed_query("parse a file")[:64]
    assert item.embedding == pytest.approx(whole / np.linalg.norm(whole), abs=1e-6)
    assert len(client.embeddings.create(model="bundled", input="x y", dimensions=256).data[0].embedding) == 256


@pytest.mark.parametrize("dimensions", [1, 63, 257])
def test_dimensions_that_a_model_does_not_have_are_refused(client: openai.OpenAI, dimensions: int) -> None:
    with pytest.raises(openai.BadRequestError, match="from 64 to 256") as raised:
        client.embeddings.create(model="bundled", input="x", dimensions=dimensions)
    assert raised.value.param == "dimensions"


def test_an_unknown_model_is_not_found_and_those_there_are_are_named(client: openai.OpenAI) -> None:
    for ask in (
        lambda: client.embeddings.create(model="text-embedding-3-small", input="x"),
        lambda: client.models.retrieve("text-embedding-3-small"),
    ):
        with pytest.raises(openai.NotFoundError, match="there is `hash`, `missing`, `bundled`") as raised:
            ask()
        assert raised.value.code == "model_not_found"


def test_a_model_that_cannot_be_loaded_says_what_helps(client: openai.OpenAI) -> None:
    with pytest.raises(openai.InternalServerError, match="codeseek models pull"):
        client.embeddings.create(model="missing", input="x")


@pytest.mark.parametrize("tokens", [[1, 2, 3], [[1, 2], [3]]])
def test_token_numbers_are_refused_for_their_reason(client: openai.OpenAI, tokens: list[int]) -> None:
    with pytest.raises(openai.BadRequestError, match="check_embedding_ctx_length=False") as raised:
        client.embeddings.create(model="bundled", input=tokens)
    assert raised.value.code == "token_arrays_not_supported"


@pytest.mark.parametrize("nothing", ["", [], ["x", ""], ["x"] * 2049])
def test_nothing_and_too_much_are_refused(client: openai.OpenAI, nothing: list[str]) -> None:
    with pytest.raises(openai.BadRequestError, match="1 to 2048 texts") as raised:
        client.embeddings.create(model="bundled", input=nothing)
    assert raised.value.param == "input"


# ------------------------------------------------------------ search


def test_a_search_answers_as_the_json_format_does_and_each_hit_can_be_read(server: Served, engine: FakeEngine) -> None:
    answer = server.search("replace a file lang:py -path:tests", limit=2, kinds=["method"], explain=True)
    assert answer.status == 200
    assert answer.json["query"] == "replace a file lang:py -path:tests"
    assert answer.json["root"] == str(ROOT)
    assert [hit["id"] for hit in answer.json["hits"]] == ["src/store.py:12-21", "docs/说明.md:3-6"]
    assert answer.json["hits"][0]["text"] == STORE.text
    (asked,) = engine.requests
    assert (asked.query, asked.languages, asked.kinds, asked.exclude) == (  # type: ignore[union-attr]
        "replace a file",
        ("python",),
        ("method",),
        ("tests",),
    )
    for hit, found in zip(answer.json["hits"], HITS, strict=True):
        read = server.ask("GET", f"/v1/chunks/{quote(hit['id'])}")
        assert (read.status, read.json["text"]) == (200, found.chunk.text)


def test_passages_are_gathered_as_the_command_does(server: Served, engine: FakeEngine) -> None:
    answer = server.ask(
        "POST", "/v1/context", {"query": "replace 检索 lang:py", "max_tokens": 500, "exclude": ["tests"]}
    )
    assert answer.status == 200
    assert [passage["path"] for passage in answer.json["passages"]] == [str(hit.chunk.path) for hit in HITS]
    assert answer.json["tokens"] <= answer.json["max_tokens"] == 500
    asked = engine.requests[-1]
    assert isinstance(asked, SearchRequest)
    assert (asked.query, asked.languages, asked.exclude) == ("replace 检索", ("python",), ("tests",))
    refused = server.ask("POST", "/v1/context", {"query": "x", "max_tokens": 5})
    assert (refused.status, "max_tokens" in refused.message) == (400, True)


def test_a_chunk_is_read_by_a_line_too(server: Served) -> None:
    assert server.ask("GET", "/v1/chunks/src/store.py:15").json["id"] == "src/store.py:12-21"
    assert server.ask("GET", f"/v1/chunks/{ROOT}/src/store.py:15").json["id"] == "src/store.py:12-21"


@pytest.mark.parametrize(
    ("place", "status", "words"),
    [
        ("src/store.py:12-20", 404, "search again"),
        ("src/store.py:99", 404, "search again"),
        ("../data/secret:1", 400, "not in the project"),
        ("/etc/passwd:1", 400, "not in the project"),
        ("src/../../etc/passwd:1-2", 400, "not in the project"),
        ("src%00.py:1", 400, "not in the project"),
        ("src/store.py", 400, "names no lines"),
        ("src/store.py:0", 400, "names no lines"),
        ("src/store.py:9-3", 400, "ends before it begins"),
        ("src/store.py:" + "9" * 30, 400, "names no lines"),
    ],
)
def test_a_place_that_is_none_is_refused(server: Served, place: str, status: int, words: str) -> None:
    answer = server.ask("GET", f"/v1/chunks/{place}")
    assert (answer.status, words in answer.message) == (status, True)


def test_projects_are_asked_by_name_and_told_apart(tmp_path: Path) -> None:
    one, other = FakeEngine(), FakeEngine(hits=HITS[1:])
    roots = {Path("/a/app"): (settings(tmp_path), one), Path("/b/app"): (settings(tmp_path), other)}
    with served(roots, models()) as server:
        assert len(server.search("x").json["hits"]) == 2
        for name in ("b-app", "/b/app"):
            (hit,) = server.search("x", project=name).json["hits"]
            assert (hit["path"], hit["project"]) == (str(README.path), "b-app")
        read = server.ask("GET", f"/v1/chunks/{quote(str(README.path))}:3?project=b-app")
        assert read.json["symbol"] == README.symbol
        named = [project["name"] for project in server.ask("GET", "/v1/status").json["projects"]]
        assert named == ["a-app", "b-app"]
        refused = server.search("x", project="else")
        assert (refused.status, "there is a-app, b-app" in refused.message) == (400, True)
    assert one.calls[-1] == other.calls[-1] == "close"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "`query` is missing"),
        ([], "has to be an object"),
        ({"query": 1}, "`query` has to be text"),
        ({"query": ""}, "from 1 to 20000 characters"),
        ({"query": "!?"}, "no word in it"),
        ({"query": "x", "limt": 3}, "unknown parameter `limt`"),
        ({"query": "x", "limit": 0}, "from 1 to 100"),
        ({"query": "x", "limit": True}, "a whole number"),
        ({"query": "x", "kinds": ["verse"]}, "unknown kind `verse`"),
        ({"query": "x", "languages": ["klingon"]}, "unknown language"),
        ({"query": "x", "paths": [3]}, "`paths[0]` has to be text"),
        ({"query": "x lang:klingon"}, "unknown language"),
    ],
)
def test_a_request_that_cannot_be_meant_is_refused_with_the_reason(server: Served, body: object, words: str) -> None:
    answer = server.ask("POST", "/v1/search", body)
    assert (answer.status, words in answer.message) == (400, True), answer.message
    assert answer.json["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b'{"query": NaN}', b"[" * 200_000, b'"\\ud800'])
def test_a_body_that_is_no_json_is_refused(server: Served, raw: bytes) -> None:
    answer = server.ask("POST", "/v1/search", raw=raw)
    assert (answer.status, answer.json["error"]["code"]) == (400, "invalid_json")


def test_a_lone_surrogate_in_a_query_does_no_harm(server: Served) -> None:
    assert server.ask("POST", "/v1/search", raw=b'{"query": "\\ud800 cache"}').status == 200


def test_what_is_too_large_is_refused_whether_its_length_is_told_or_not(server: Served) -> None:
    assert server.ask("POST", "/v1/search", raw=b"x" * (MOST_BYTES + 1)).status == 413
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"POST /v1/search HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(9):
            connection.sendall(b"100000\r\n" + b"x" * 0x100000 + b"\r\n")
        connection.sendall(b"0\r\n\r\n")
        assert b" 413 " in connection.recv(100)
    assert server.search("x").status == 200


def test_an_error_of_the_index_is_one_to_wait_for(server: Served, engine: FakeEngine) -> None:
    engine.search_error = StoreError("the index is damaged", hint="make it again")
    answer = server.search("x")
    assert (answer.status, answer.message, answer.headers["retry-after"]) == (
        503,
        "the index is damaged (make it again)",
        "1",
    )


def test_a_bug_is_answered_and_reported_and_the_server_goes_on(server: Served, engine: FakeEngine) -> None:
    engine.search_error = ZeroDivisionError()
    answer = server.search("x")
    assert (answer.status, answer.json["error"]["type"]) == (500, "server_error")
    assert "ZeroDivisionError" in server.bugs.pop()
    engine.search_error = None
    assert server.search("x").status == 200


def test_a_client_that_hangs_up_leaves_the_server_as_it_was(server: Served) -> None:
    for part in (b"POST /v1/search HT", b"POST /v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{"):
        connection = socket.create_connection(("127.0.0.1", server.port))
        connection.sendall(part)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    body = json.dumps({"query": "x"}).encode()
    head = f"POST /v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", server.port)) as leaving:
            leaving.sendall(head + body)
    assert server.search("x").status == 200


def test_unknown_paths_and_methods_are_answered_in_the_same_shape(server: Served) -> None:
    assert server.ask("GET", "/v2/search").json["error"]["message"] == "there is nothing at `/v2/search`"
    answer = server.ask("DELETE", "/v1/search")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


def test_what_takes_too_long_is_given_up_and_no_more_than_so_many_wait(tmp_path: Path) -> None:
    blocked = threading.Event()

    class Slow(FakeEngine):
        def search(self, request: SearchRequest) -> SearchResult:
            blocked.wait()
            return super().search(request)

    with served({ROOT: (settings(tmp_path), Slow())}, models(), pool=Pool(1, most=1, patience_s=0.2)) as server:
        answers = [server.search("x") for _ in range(2)]
        blocked.set()
        assert [answer.status for answer in answers] == [504, 503]
        assert answers[1].json["error"]["code"] == "overloaded"
        while (answer := server.search("x")).status == 503:
            time.sleep(0.01)
        assert answer.status == 200


def test_requests_are_counted_and_timed_for_prometheus(tmp_path: Path) -> None:
    with served({ROOT: (settings(tmp_path), FakeEngine())}, models()) as server:
        server.search("x")
        server.search("")
        server.ask("GET", "/somewhere/else")
        text = server.ask("GET", "/metrics").body.decode()
    assert 'codeseek_requests_total{route="/v1/search",method="POST",status="200"} 1\n' in text
    assert 'codeseek_requests_total{route="/v1/search",method="POST",status="400"} 1\n' in text
    assert 'codeseek_requests_total{route="other",method="GET",status="404"} 1\n' in text
    assert 'codeseek_request_seconds_bucket{route="/v1/search",le="+Inf"} 2\n' in text
    assert "codeseek_requests_in_flight 1\n" in text
    assert all(re.fullmatch(r"# (HELP|TYPE) .*|\w+(\{[^}]*\})? [\d.e+-]+", line) for line in text.splitlines())


# ------------------------------------------------------------ while the index is made


def test_questions_are_answered_while_the_index_is_built_and_say_so(tmp_path: Path) -> None:
    going, go_on = threading.Event(), threading.Event()

    class Building(FakeEngine):
        def refresh(self, listener: ProgressListener | None = None, **options: object) -> RefreshSummary:
            assert listener is not None
            listener(Progress("index", 5, 80))
            going.set()
            go_on.wait()
            return RefreshSummary(added=80)

    engine = Building(search_error=StoreError("there is no index"))
    chosen = Settings(data_dir=tmp_path / "data")
    (tmp_path / "project").mkdir()
    with served({tmp_path / "project": (chosen, engine)}, models()) as server:
        going.wait()
        answer = server.search("x")
        assert answer.status == 503
        assert answer.message == "the index is being built: 5 of 80 files read (ask again in a moment)"
        assert server.ask("GET", "/healthz").status == 200
        engine.search_error = None
        assert server.search("x").json["degraded"] == ["the index is being built: 5 of 80 files read"]
        go_on.set()
        while server.search("x").json["degraded"]:
            time.sleep(0.01)


def test_a_file_that_is_saved_is_found_without_asking_for_a_refresh(project: Path, tmp_path: Path) -> None:
    chosen = Settings(data_dir=tmp_path / "data", workers=1)
    with served({project: (chosen, LocalEngine(project, chosen, HashEmbedder))}, models()) as server:
        (project / "src" / "new.py").write_text("def telescope():\n    return 'far'\n")
        until = time.monotonic() + 30
        hits: list[dict[str, object]] = []
        while not hits and time.monotonic() < until:
            answer = server.search("telescope")
            hits = answer.json.get("hits", [])
        assert hits[0]["id"] == "src/new.py:1-2"
        assert server.ask("GET", "/v1/chunks/src/new.py:1-2").json["text"].startswith("def telescope")


def test_a_method_found_in_a_small_class_is_read_by_its_id(project: Path, tmp_path: Path) -> None:
    near, far = (f"    def {name}(self):\n        return {name!r}" for name in ("near", "far"))
    (project / "src" / "new.py").write_text(f"class Telescope:\n{near}\n\n{far}\n")
    chosen = Settings(data_dir=tmp_path / "data", workers=1, refresh=False)
    engine = LocalEngine(project, chosen, HashEmbedder)
    engine.refresh()
    with served({project: (chosen, engine)}, models()) as server:
        (hit,) = server.search("far telescope", kinds=["method"], paths=["src/new.py"]).json["hits"]
        assert (hit["id"], hit["kind"], hit["symbol"]) == ("src/new.py:5-6", "method", "Telescope.far")
        read = server.ask("GET", f"/v1/chunks/{quote(hit['id'])}").json
        assert {name: hit[name] for name in read} == read
        assert read["text"] == far
        assert server.ask("GET", "/v1/chunks/src/new.py:3-4").status == 404


# ------------------------------------------------------------ who may come in


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:7878", "[::1]:7878", "LOCALHOST:1"])
def test_the_server_answers_to_the_names_of_this_machine(server: Served, host: str) -> None:
    assert server.ask("GET", "/v1/status", Host=host).status == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:7878", ""])
def test_a_name_that_somebody_else_gave_this_machine_is_refused(server: Served, host: str) -> None:
    answer = server.ask("GET", "/v1/status", Host=host)
    assert (answer.status, answer.json["error"]["code"]) == (421, "wrong_host")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:9", "https://localhost:7878.evil"])
def test_web_pages_of_others_are_refused(server: Served, origin: str) -> None:
    answer = server.ask("POST", "/v1/search", {"query": "x"}, Origin=origin)
    assert (answer.status, answer.json["error"]["code"]) == (403, "wrong_origin")
    assert "access-control-allow-origin" not in answer.headers


def test_web_pages_that_are_allowed_may_ask_even_before_they_have_the_token(tmp_path: Path) -> None:
    rules = Rules(origins=("http://ui.example",), token=TOKEN)
    with served({ROOT: (settings(tmp_path), FakeEngine())}, models(), rules) as server:
        preflight = server.ask(
            "OPTIONS",
            "/v1/search",
            Origin="http://ui.example",
            Access_Control_Request_Method="POST",
            Access_Control_Request_Headers="authorization,content-type",
        )
        assert (preflight.status, preflight.headers["access-control-allow-origin"]) == (200, "http://ui.example")
        answer = server.ask(
            "POST", "/v1/search", {"query": "x"}, Origin="http://ui.example", Authorization=f"Bearer {TOKEN}"
        )
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, "http://ui.example")
        assert server.ask("OPTIONS", "/v1/search", Origin="http://evil.example").status == 403


def test_with_a_token_only_its_bearer_gets_answers(tmp_path: Path) -> None:
    with served({ROOT: (settings(tmp_path), FakeEngine())}, models(), Rules(token=TOKEN)) as server:
        for given in ("", "Bearer wrong", f"Basic {TOKEN}"):
            for path in ("/v1/status", "/metrics", "/openapi.json", "/nowhere"):
                answer = server.ask("GET", path, Authorization=given)
                assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert server.ask("GET", "/healthz").status == 200
        assert server.ask("GET", "/v1/status", Authorization=f"bearer {TOKEN}").status == 200
        client = openai.OpenAI(base_url=f"{server.url}/v1", api_key=TOKEN, max_retries=0)
        assert client.embeddings.create(model="hash", input="x").data
        with pytest.raises(openai.AuthenticationError, match="the token is wrong"):
            openai.OpenAI(base_url=f"{server.url}/v1", api_key="x" * 20, max_retries=0).models.list()


def test_without_a_token_only_this_machine_is_served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert listening.rules(Address("127.0.0.1", 1), None, []).token == ""
    with pytest.raises(UsageError, match="a token is needed"):
        listening.rules(EVERYWHERE, None, [])
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    assert listening.rules(EVERYWHERE, None, []) == Rules(None, (), TOKEN)
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}2\n")
    assert listening.rules(Address("::1", 1), str(file), []).token == f"{TOKEN}2"


@pytest.mark.parametrize("content", [b"", b"short", b"two words that are long enough", b"\xff" * 20, "密码" * 20])
def test_a_token_that_is_no_good_is_refused(content: bytes | str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UsageError, match="token") as raised:
        listening.rules(Address("127.0.0.1", 1), str(file), [])
    assert raised.value.hint
    with pytest.raises(UsageError, match="No such file"):
        listening.rules(Address("127.0.0.1", 1), str(tmp_path / "none"), [])


# ------------------------------------------------------------ where it listens


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("8080", "127.0.0.1", 8080),
        (":8080", "127.0.0.1", 8080),
        ("localhost:0", "localhost", 0),
        ("[::1]:80", "::1", 80),
        ("192.0.2.1:65535", "192.0.2.1", 65535),
    ],
)
def test_an_address_is_a_host_and_a_port(text: str, host: str, port: int) -> None:
    assert listening.address(text) == Address(host, port)


@pytest.mark.parametrize("text", ["", "localhost", "localhost:", "localhost:x", "::1:80", "127.0.0.1:65536", "a:１"])
def test_what_is_no_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="no address") as raised:
        listening.address(text)
    assert "127.0.0.1:7878" in raised.value.hint


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid", "a" * 80])
def test_an_address_of_another_machine_cannot_be_listened_at(host: str) -> None:
    with pytest.raises(UsageError, match="cannot listen"):
        listening.bind(Address(host, 0))


def start(*arguments: str, root: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "codeseek", *arguments],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_command_serves_until_it_is_told_to_end_and_a_second_one_hears_that_the_port_is_taken(
    project: Path,
) -> None:
    process = start("serve", "--http", "127.0.0.1:0", root=project)
    assert process.stderr is not None
    line = process.stderr.readline()
    port = int(re.findall(r"http://127\.0\.0\.1:(\d+);", line)[0])
    server = Served(port, [])
    until = time.monotonic() + 30
    while not server.search("多语言代码检索").json.get("hits") and time.monotonic() < until:
        time.sleep(0.05)
    assert server.search("多语言代码检索").json["hits"][0]["path"] == "docs/说明.md"
    second = start("serve", "--http", f"127.0.0.1:{port}", root=project)
    out, err = second.communicate(timeout=30)
    assert (second.returncode, out) == (2, "")
    assert f"cannot listen at `127.0.0.1:{port}`: Address already in use" in err
    assert f"--http 127.0.0.1:{port + 1}" in err
    process.send_signal(signal.SIGTERM if os.name == "posix" else signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "")
    assert "indexed 2 files" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--http", "nowhere"), "is no address"),
        (("--http", "0.0.0.0:0"), "a token is needed"),
        (("--token-file", "none"), "cannot read the token"),
        (("--allow-origin", "*"), "is no origin"),
        (("nowhere",), "there is no folder `nowhere`"),
    ],
)
def test_what_cannot_be_served_is_said_before_anything_is_read(
    arguments: tuple[str, ...], words: str, project: Path
) -> None:
    process = start("serve", *arguments, root=project)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, words in err) == (2, "", True), err
    assert "hint: " in err
