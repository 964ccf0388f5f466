"""MCP: the SDK's own client speaks to the command, and to the tools; answers keep to their budget."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp_types import CallToolResult, TextContent

from codeseek import budget
from codeseek.errors import StoreError
from codeseek.local import LocalEngine
from codeseek.records import Chunk, Hit, Progress, ProgressListener, RefreshSummary
from codeseek.serve import listening, mcp
from codeseek.serve.door import Door, Rules, furnish
from codeseek.serve.metrics import Metrics
from codeseek.serve.pool import Pool
from codeseek.serve.projects import Project
from codeseek.settings import Settings
from fake_engine import HITS, RESULT, FakeEngine
from fakes import HashEmbedder
from served import running

TOKEN = "a-token-long-enough"  # noqa: S105 # of no other server
TOOLS = ["search", "context", "similar", "read_chunk", "status"]


def text_of(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


def command(root: Path) -> StdioServerParameters:
    return StdioServerParameters(command=sys.executable, args=["-m", "codeseek", "mcp"], cwd=root, env=dict(os.environ))


def with_command(root: Path, ask: Callable[[Client], Awaitable[None]]) -> None:
    async def run() -> None:
        async with Client(command(root)) as client:
            await ask(client)

    asyncio.run(run())


@asynccontextmanager
async def tools(engine: FakeEngine | LocalEngine, root: Path, *, refresh: bool = False) -> AsyncIterator[Client]:
    """Serve a project to a client in this process; a bug in a tool fails the test."""
    bugs: list[str] = []
    project = Project(root, Settings(data_dir=root.parent / "data", refresh=refresh), engine)
    pool = Pool()
    async with Client(mcp.server(project, pool, bugs.append)) as client:
        yield client
    pool.close()
    project.close()
    assert not bugs, bugs[0]


def called(name: str, engine: FakeEngine | None = None, **given: Any) -> CallToolResult:
    async def run() -> CallToolResult:
        async with tools(engine or FakeEngine(), Path("/project")) as client:
            return await client.call_tool(name, given)

    return asyncio.run(run())


# ------------------------------------------------------------ the command


def test_an_agent_searches_reads_and_finds_the_like_over_standard_input_and_output(project: Path) -> None:
    (project / "src" / "new.py").write_text("def telescope(far):\n    return far * 2\n\n\n" + "x = 1\n" * 50)

    async def ask(client: Client) -> None:
        assert client.server_info is not None
        assert client.server_info.name == "codeseek"
        assert str(project) in (client.instructions or "")
        assert [tool.name for tool in (await client.list_tools()).tools] == TOOLS
        found: dict[str, Any] = {}
        while not found.get("hits"):
            result = await client.call_tool("search", {"query": "telescope", "limit": 3})
            assert not result.is_error
            found = result.structured_content
        hit = found["hits"][0]
        assert hit["path"] == "src/new.py"
        assert hit["id"] in text_of(result)
        assert "def telescope(far)" in text_of(result)
        read = await client.call_tool("read_chunk", {"place": hit["id"], "context": 3})
        assert "def telescope(far)" in read.structured_content["text"]
        assert not (await client.call_tool("similar", {"place": "src/new.py:1"})).is_error
        status = (await client.call_tool("status", {})).structured_content
        assert (status["root"], status["files"], status["problem"]) == (str(project), 3, "")

    with_command(project, ask)


def test_a_tool_answers_before_the_index_is_there(project: Path) -> None:
    for number in range(150):
        (project / "src" / f"m{number}.py").write_text(
            "".join(f"def f{at}(v):\n    return v + {at}\n" for at in range(60))
        )

    async def ask(client: Client) -> None:
        result = await client.call_tool("search", {"query": "f12"})
        assert not result.is_error
        assert "the index is being built" in text_of(result)
        assert "the index is being built" in result.structured_content["degraded"][0]

    with_command(project, ask)


def test_nothing_but_json_rpc_reaches_standard_output(project: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "codeseek", "mcp"],
        cwd=project,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
    }
    listed = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{json.dumps(hello)}\nnot json\n{json.dumps(listed)}\n")
    process.stdin.flush()
    answers = [json.loads(process.stdout.readline()) for _ in range(2)]
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    answers += [json.loads(line) for line in out.splitlines()]
    assert all(answer["jsonrpc"] == "2.0" for answer in answers)
    by_id = {answer.get("id"): answer for answer in answers}
    assert by_id[1]["result"]["serverInfo"]["name"] == "codeseek"
    assert len(by_id[2]["result"]["tools"]) == len(TOOLS)
    assert "Traceback" not in err


@pytest.mark.skipif(os.name == "nt", reason="there are no signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_though_its_input_stays_open(number: signal.Signals, project: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "codeseek", "mcp"],
        cwd=project,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write('{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n')
    process.stdin.flush()
    assert process.stdout.readline()
    process.send_signal(number)
    assert process.wait(10) == -number
    process.communicate()


# ------------------------------------------------------------ over HTTP


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """Serve the tools over HTTP to whoever has the token."""
    project = Project(Path("/project"), Settings(data_dir=tmp_path, refresh=False), FakeEngine())
    pool, bugs = Pool(), list[str]()
    app = mcp.application(mcp.server(project, pool, bugs.append))
    furnish(app, bugs.append)
    with listening.bind(listening.address("127.0.0.1:0")) as bound:
        where = listening.bound_to(bound)
        with running(Door(app, Rules(token=TOKEN), Metrics(), bugs.append), bound):
            yield f"http://{where}/mcp"
    pool.close()
    assert not bugs, bugs[0]


def test_agents_may_ask_over_http_with_the_token(url: str) -> None:
    import httpx2
    from mcp.client.streamable_http import streamable_http_client

    async def run() -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with (
            httpx2.AsyncClient(headers=headers) as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            result = await client.call_tool("search", {"query": "replace"})
            assert [hit["path"] for hit in result.structured_content["hits"]] == [str(h.chunk.path) for h in HITS]

    asyncio.run(run())
    assert httpx2.post(url, json={}).status_code == 401
    evil = {"Authorization": f"Bearer {TOKEN}", "Host": "evil.example"}
    assert httpx2.post(url, json={}, headers=evil).status_code == 421


# ------------------------------------------------------------ the tools


def test_every_tool_says_what_it_takes_and_changes_nothing() -> None:
    async def run() -> None:
        async with tools(FakeEngine(), Path("/project")) as client:
            for tool in (await client.list_tools()).tools:
                assert tool.annotations is not None
                assert tool.annotations.read_only_hint
                assert len(tool.description or "") > 60
                for name, part in tool.input_schema["properties"].items():
                    assert part["description"], name
                assert tool.output_schema is not None

    asyncio.run(run())


def test_a_question_reaches_the_engine_with_its_filters() -> None:
    engine = FakeEngine()
    called("search", engine, query="replace lang:py", limit=2, kinds=["method"], exclude=["tests"])
    (asked,) = engine.requests
    assert (asked.limit, asked.languages, asked.kinds, asked.exclude) == (2, ("python",), ("method",), ("tests",))


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("search", {}, "`query` is missing"),
        ("search", {"query": "x", "max_tokens": 1}, "from 200 to 50000"),
        ("search", {"query": "!"}, "no word in it"),
        ("search", {"query": "x", "root": "/"}, "unknown parameter `root`"),
        ("similar", {"place": "src/store.py"}, "names no lines"),
        ("read_chunk", {"place": "../secret.txt:1"}, "not in the project"),
        ("read_chunk", {"place": "/etc/passwd:1-3"}, "not in the project"),
        ("read_chunk", {"place": "src/other.py:3"}, "nothing is indexed"),
        ("read_chunk", {"place": "src/store.py:9999"}, "nothing is indexed"),
        ("write", {}, "there are search, context, similar, read_chunk, status"),
    ],
)
def test_a_call_that_cannot_be_meant_is_an_error_that_helps_the_model(
    name: str, given: dict[str, Any], words: str
) -> None:
    result = called(name, **given)
    assert (result.is_error, words in text_of(result)) == (True, True), text_of(result)


def test_context_is_one_text_within_the_budget() -> None:
    result = called("context", query="replace", max_tokens=400)
    assert text_of(result).startswith("Passages that answer `replace`")
    assert "src/store.py:12-21" in text_of(result)
    assert [one["path"] for one in result.structured_content["passages"]] == [str(hit.chunk.path) for hit in HITS]
    assert called("context", FakeEngine(hits=()), query="x").structured_content["passages"] == []
    assert called("context", query="x", limit=3).is_error


def test_a_file_outside_the_index_cannot_be_read_by_any_name(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    (tmp_path / "secret.py").write_text("password = 'swordfish'\n")
    (root / "link.py").symlink_to(tmp_path / "secret.py")
    (root / "folder").symlink_to(tmp_path, target_is_directory=True)
    (root / ".env").write_text("password = 'swordfish'\n")
    (root / ".gitignore").write_text("ignored.py\n")
    (root / "ignored.py").write_text("password = 'swordfish'\n")
    (root / "app.py").write_text("def login():\n    return True\n")
    engine = LocalEngine(root, Settings(data_dir=tmp_path / "data", workers=1), HashEmbedder)
    engine.refresh()
    names = ["link.py", "folder/secret.py", ".env", "ignored.py", "../secret.py", str(tmp_path / "secret.py")]

    async def run() -> None:
        async with tools(engine, root) as client:
            assert "login" in text_of(await client.call_tool("read_chunk", {"place": f"{root}/app.py:1"}))
            for name in names:
                for place in (f"{name}:1", f"{name}:1-1"):
                    result = await client.call_tool("read_chunk", {"place": place})
                    assert result.is_error, place
                    assert "swordfish" not in text_of(result)
            assert "swordfish" not in text_of(await client.call_tool("search", {"query": "password swordfish"}))

    asyncio.run(run())


def test_a_bug_in_a_tool_is_told_apart_from_the_answer() -> None:
    async def run() -> None:
        bugs: list[str] = []
        project = Project(Path("/p"), Settings(Path("/d"), refresh=False), FakeEngine(search_error=ZeroDivisionError()))
        async with Client(mcp.server(project, Pool(), bugs.append)) as client:
            result = await client.call_tool("search", {"query": "x"})
        assert result.is_error
        assert "bug in codeseek" in text_of(result)
        assert "ZeroDivisionError" in bugs[0]

    asyncio.run(run())


def test_while_the_index_is_built_the_answer_is_no_error_but_says_so(tmp_path: Path) -> None:
    going, go_on = threading.Event(), threading.Event()

    class Building(FakeEngine):
        def refresh(self, listener: ProgressListener | None = None, **options: object) -> RefreshSummary:
            assert listener is not None
            listener(Progress("index", 5, 80))
            going.set()
            go_on.wait()
            return RefreshSummary(added=80)

    (tmp_path / "project").mkdir()

    async def run() -> None:
        engine = Building(search_error=StoreError("there is no index"))
        async with tools(engine, tmp_path / "project", refresh=True) as client:
            going.wait()
            result = await client.call_tool("search", {"query": "x"})
            assert not result.is_error
            assert "5 of 80 files read. Ask again" in text_of(result)
            assert "5 of 80" in (await client.call_tool("status", {})).structured_content["degraded"][0]
            go_on.set()

    asyncio.run(run())


def test_lines_are_read_with_those_around_them_and_a_long_text_says_how_to_read_on(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    source = "".join(f"def function_{at}():\n    return {at}\n\n\n" for at in range(400)).rstrip() + "\n"
    (root / "long.py").write_text(source)
    lines = source.splitlines(keepends=True)
    engine = LocalEngine(root, Settings(data_dir=tmp_path / "data", workers=1), HashEmbedder)
    engine.refresh()

    async def run() -> None:
        async with tools(engine, root) as client:

            async def read(place: str, **given: int) -> dict[str, Any]:
                record: dict[str, Any] = (
                    await client.call_tool("read_chunk", {"place": place, **given})
                ).structured_content
                return record

            assert (await read("long.py:10-12"))["text"] == "".join(lines[9:12])
            around = await read("long.py:10-12", context=5)
            assert (around["first_line"], around["last_line"], around["text"]) == (5, 17, "".join(lines[4:17]))
            place, whole = "long.py:1-99999", ""
            while place:
                result = await client.call_tool("read_chunk", {"place": place, "max_tokens": 1000})
                assert budget.tokens(text_of(result)) <= 1000
                whole += result.structured_content["text"]
                more = re.search(r"read on with place `long.py:(\d+)", text_of(result))
                place = f"long.py:{more[1]}-99999" if more else ""
            assert whole == source

    asyncio.run(run())


# ------------------------------------------------------------ the budget

LINES = st.text(st.sampled_from("ab {}()`é缓存\t"), max_size=40)
HIT = st.builds(
    lambda lines, name: Hit(
        Chunk(PurePosixPath(f"src/{name}.py"), 1, max(1, len(lines)), "python", "function", name, "\n".join(lines)), 0.5
    ),
    st.lists(LINES, max_size=60),
    st.text(st.sampled_from("abc"), min_size=1, max_size=30),
)


@hypothesis_settings(max_examples=200, deadline=None)
@given(st.lists(HIT, max_size=30), st.integers(200, 5000))
def test_an_answer_never_takes_more_tokens_than_it_may(hits: list[Hit], most: int) -> None:
    answer = mcp._shown(RESULT._replace(hits=tuple(hits)), most)
    assert budget.tokens(answer.text) <= most
    shown = answer.record["hits"]
    assert len(shown) + answer.record["left_off"] == len(hits)
    assert bool(shown) == bool(hits)
    for hit, record in zip(hits, shown, strict=False):
        assert hit.chunk.text.startswith(record["text"])
        assert record["cut"] == (record["text"] != hit.chunk.text)


def test_short_texts_are_shown_whole_and_long_ones_share_what_is_left() -> None:
    short = HITS[0]._replace(chunk=HITS[0].chunk._replace(text="a = 1\n"))
    long = HITS[0]._replace(chunk=HITS[0].chunk._replace(text="value = compute(value)\n" * 500))
    shown = mcp._shown(RESULT._replace(hits=(long, short, long)), 2000).record["hits"]
    assert [hit["cut"] for hit in shown] == [True, False, True]
    assert len(shown[0]["text"]) == len(shown[2]["text"]) > 2000
    assert budget.tokens(mcp._shown(RESULT._replace(hits=(long, short, long)), 2000).text) > 1800


@pytest.mark.parametrize(
    ("text", "count"), [("", 0), ("abc", 1), ("缓存", 3), ("缓存 ab", 4), ("a" * 300, 50), ("tokenOf(x)", 5)]
)
def test_tokens_are_estimated_from_the_letters_and_the_script(text: str, count: int) -> None:
    assert budget.tokens(text) == count


@given(st.text(st.sampled_from("a\r\n\f\x85"), max_size=30))
def test_lines_are_those_of_an_editor(text: str) -> None:
    lines = budget.lines(text)
    assert "".join(lines) == text
    assert len(lines) == len(re.findall(r"\r\n|\r|\n", text)) + (bool(text) and text[-1] not in "\r\n")
