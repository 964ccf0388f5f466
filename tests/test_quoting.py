"""Quotations: an error message or a pasted passage is known where it stands word for word."""

from __future__ import annotations

import pytest

from codeseek.quoting import Quotation
from codeseek.records import Hit, SearchRequest
from searching import searcher

PASTED = """fn park(&mut self) {
    let lock = self.shared.lock();
    while !lock.woken { self.condvar.wait(lock); }
    lock.woken = false;
}"""


def stands(passage: str, text: str) -> float:
    return Quotation(passage).share(text)


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("no alive canal server for", 'throw new ClientException("no alive canal server for " + destination);'),
        ("Can't find start position for", 'logger.error("can\'t find start position for {}", destination)'),
        (
            "error: could not open `config.toml`",
            'f"error: could not open `{path}`" # error: could not open config.toml',
        ),
        ("获取用户 token 失败，请重新登录", 'return errors.New("获取用户token失败, 请重新登录")'),
        ("permission denied (os error 13)", "// Permission denied (os error 13)"),
    ],
)
def test_a_message_stands_where_all_its_words_are_in_a_row(message: str, line: str) -> None:
    assert stands(message, line) > 0
    assert stands(message, line.replace(" ", " then ").replace("失败", "没有成功")) == 0


def test_the_longer_a_passage_the_surer_it_is_meant() -> None:
    text = "the quick brown fox jumps over the lazy dog and on"
    values = [stands(" ".join(text.split()[:count]), text) for count in (4, 6, 8, 10)]
    assert values == [0.5, 0.75, 1.0, 1.0]


def test_pasted_code_stands_where_most_of_it_does() -> None:
    assert stands(PASTED, PASTED.replace("\n", "\r\n\t")) == 1.0
    assert 0.5 <= stands(PASTED, PASTED.replace("lock.woken = false;", "")) < 1
    assert stands(PASTED, PASTED.replace("lock", "guard")) == 0
    assert stands(PASTED, "") == 0


def test_few_words_are_no_passage() -> None:
    assert not Quotation("connection pool timeout").may_stand(lambda _: True)
    assert not Quotation("").may_stand(lambda _: True)
    assert Quotation("connection pool timeout exceeded").may_stand(lambda _: True)


def test_two_chinese_characters_count_as_a_word() -> None:
    assert not Quotation("多语言代码检索").may_stand(lambda _: True)
    assert Quotation("多语言的代码检索").may_stand(lambda _: True)
    assert stands("连接池已满无法分配", "// 连接池已满，无法分配") == 9 / 2 / 8


def test_chinese_of_which_two_neighbours_stand_nowhere_is_not_looked_for() -> None:
    known = {"缓存", "存已", "已经", "经过", "过期", "期了"}
    assert Quotation("缓存已经过期 retry later").may_stand(known.__contains__)
    assert not Quotation("缓存已经失效 retry later").may_stand(known.__contains__)
    assert Quotation("緩存已經過期 retry later").may_stand(known.__contains__)


POOL = {
    "src/pool/server.py": """class CanalServer:
    \"\"\"A canal server that is alive.\"\"\"

    def is_alive(self):
        \"\"\"Tell whether the canal server is alive.\"\"\"
        return self.server.alive
""",
    "src/pool/strategy.py": """def next_node(nodes, destination):
    chosen = [node for node in nodes if node.reachable]
    if not chosen:
        raise LookupError("no alive canal server for " + destination)
    return chosen[0]
""",
    "docs/server.md": """# Canal server

## How a server is found alive

A canal server is alive when it answers. To find an alive canal server, ask the canal for its servers.
""",
    "docs/code.md": """# Code

## Finding nodes

This is how nodes are found, and how destinations are found for the nodes that are chosen when nodes are reachable.
""",
}
POOLED = searcher(POOL)


def first(query: str) -> Hit:
    return POOLED.search(SearchRequest(query, explain=True)).hits[0]


def test_an_error_message_is_found_where_it_stands_word_for_word() -> None:
    assert str(first("alive canal server").chunk.path) == "src/pool/server.py"
    hit = first("no alive canal server for")
    assert str(hit.chunk.path) == "src/pool/strategy.py"
    assert float(str(hit.why["quoted"])) > 0


def test_who_wants_no_quotations_gets_none() -> None:
    hits = POOLED.search(SearchRequest("no alive canal server for", explain=True, verbatim=False)).hits
    assert str(hits[0].chunk.path) == "src/pool/server.py"
    assert all("quoted" not in hit.why for hit in hits)


def test_a_message_comes_from_the_code_rather_than_from_its_test() -> None:
    test = """def test_nothing_reachable():
    with raises(LookupError, match="no alive canal server for example"):
        strategy.next_node([], "example canal server")
"""
    tested = searcher({**POOL, "tests/test_server.py": test})
    hits = tested.search(SearchRequest("no alive canal server for", explain=True)).hits
    quoted = {str(hit.chunk.path): float(str(hit.why["quoted"])) for hit in hits if "quoted" in hit.why}
    assert [*quoted] == ["src/pool/strategy.py", "tests/test_server.py"]
    assert quoted["src/pool/strategy.py"] == 2 * quoted["tests/test_server.py"]


@pytest.mark.parametrize("path", POOL)
def test_a_pasted_passage_finds_itself_be_it_code_or_documentation(path: str) -> None:
    pasted = "\n".join(POOL[path].splitlines()[-4:])
    assert str(first(pasted).chunk.path) == path
