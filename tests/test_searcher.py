"""Search over a small project: words, meaning, names and kinds of files each play their part."""

from __future__ import annotations

from pathlib import PurePosixPath

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from codeseek import meaning
from codeseek.errors import UsageError
from codeseek.meaning import MeaningIndex
from codeseek.records import Arm, Chunk, Hit, SearchRequest, SimilarRequest
from codeseek.searcher import Searcher
from codeseek.segments import CODE
from codeseek.vectors import ExactIndex, Matrix, Rows
from codeseek.wildcards import glob_filter
from codeseek.words import Index
from searching import MODEL, searcher

PROJECT = {
    "src/shop/cache.py": '''"""Keeps answers for a while."""

class TimedCache:
    """A cache whose entries expire."""

    def get(self, key):
        """Return the entry, or None when it has expired."""
        entry = self.entries.get(key)
        return entry.value if entry and not entry.expired else None

    def evict(self):
        """Drop what has expired."""
        self.entries = {key: entry for key, entry in self.entries.items() if not entry.expired}
''',
    "src/shop/session.py": '''class HTTPSession:
    """Keeps connections to a host open."""

    def request(self, method, url, timeout=30):
        """Send a request over a pooled connection and wait for its response."""
        connection = self.pool.acquire(url.host)
        return connection.send(method, url, timeout)
''',
    "src/shop/parser.py": '''def parse_config(text):
    """Read settings from a configuration file in TOML."""
    return toml.loads(text)
''',
    "src/shop/orders.py": """# 订单状态流转: 未支付的订单超时后自动取消
def cancel_unpaid_orders(now):
    for order in find_unpaid(now):
        order.cancel()
""",
    "tests/test_cache.py": """def test_timed_cache_expires():
    cache = TimedCache()
    assert cache.get("key") is None
""",
    "README.md": """# Shop

## Install

Run `pip install shop`, then set `SHOP_HOME` to a folder of your own.

## Troubleshooting

If requests time out behind a proxy, set `HTTPS_PROXY` before you start the server.
""",
    "docs/zh/guide.md": """# 指南

## 安装

运行 pip install shop 即可安装。
""",
}


class Unfiltered:
    """A graph over all rows that is not to be asked for a part of them: it would have to compare every row."""

    def __init__(self, matrix: Matrix) -> None:
        self.matrix = matrix

    def nearest(
        self, query: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None = None
    ) -> tuple[Rows, Matrix]:
        assert allowed is None
        return ExactIndex(self.matrix).nearest(query, k)


SHOP = searcher(PROJECT)


def hits(query: str, **narrowing: object) -> tuple[Hit, ...]:
    return SHOP.search(SearchRequest(query, **narrowing)).hits  # type: ignore[arg-type] # any field


def paths(query: str, **narrowing: object) -> list[str]:
    return [str(hit.chunk.path) for hit in hits(query, **narrowing)]


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("where do cache entries expire", "src/shop/cache.py"),
        ("缓存过期", "src/shop/cache.py"),
        ("cache 过期是怎么实现的", "src/shop/cache.py"),
        ("HTTP 会话连接池", "src/shop/session.py"),
        ("parse_config", "src/shop/parser.py"),
        ("parseConfig", "src/shop/parser.py"),
        ("读取配置文件", "src/shop/parser.py"),
        ("订单超时取消", "src/shop/orders.py"),
        ("訂單逾時取消", "src/shop/orders.py"),
        ("how do I install it", "README.md"),
        ("怎么安装", "docs/zh/guide.md"),
        ("requests time out behind my proxy", "README.md"),
    ],
)
def test_a_question_finds_its_file_first(query: str, path: str) -> None:
    assert paths(query)[0] == path


def test_a_test_comes_after_what_it_tests_unless_tests_are_asked_for() -> None:
    found = paths("timed cache")
    assert found.index("src/shop/cache.py") < found.index("tests/test_cache.py")
    assert paths("test of the timed cache")[0] == "tests/test_cache.py"


def test_each_file_is_shown_once_and_its_other_chunks_are_named() -> None:
    found = paths("cache entry expired")
    code = [path for path in found if path.endswith(".py")]
    assert len(code) == len(set(code))


def test_scores_lie_between_0_and_1_and_never_rise() -> None:
    scores = [hit.score for hit in hits("cache request timeout install")]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


def test_filters_let_through_what_they_name() -> None:
    assert set(paths("install shop cache", kinds=("section",))) <= {"README.md", "docs/zh/guide.md"}
    assert all(hit.chunk.language == "python" for hit in hits("install cache", languages=("python",)))
    assert paths("cache", paths=("tests/**",)) == ["tests/test_cache.py"]
    assert "tests/test_cache.py" not in paths("cache", exclude=("tests",))
    methods = hits("cache expired", kinds=("method",))
    assert methods
    assert all("method" in {definition.kind for definition in hit.chunk.definitions} for hit in methods)
    assert len(hits("cache", limit=1)) == 1


SMALL = {
    "manager.go": """package queue

type Manager struct{ jobs []string }

// Drain waits until no job is left.
func (m *Manager) Drain() { m.wait() }

func (m *Manager) Close() { m.jobs = nil }
""",
    "switch.py": '''class Switch:
    """Goes from one server to another."""

    def watch(self):
        return self.server

    # 主备切换
    def fail_over(self):
        self.server = self.standby
''',
    "actions.js": """const actions = {
  toggle({ commit }) {
    commit('TOGGLE')
  },
}
export default actions
""",
    "plain.py": "SERVERS = ['standby']\n# no job is left for a standby server\n",
}
"""Files whose methods are no chunks of their own."""


@pytest.mark.parametrize(
    ("query", "path", "symbol", "lines"),
    [
        ("主备切换 standby", "switch.py", "Switch.fail_over", (7, 9)),
        ("watch a server", "switch.py", "Switch.watch", (4, 5)),
        ("drain jobs", "manager.go", "Manager.Drain", (5, 6)),
        ("close the manager", "manager.go", "Manager.Close", (8, 8)),
        ("commit a toggle", "actions.js", "actions.toggle", (2, 4)),
    ],
)
def test_what_a_filter_by_kind_lets_through_for_a_definition_inside_is_shown_as_that_definition(
    query: str, path: str, symbol: str, lines: tuple[int, int]
) -> None:
    found = [hit.chunk for hit in searcher(SMALL).search(SearchRequest(query, kinds=("method",))).hits]
    assert {chunk.kind for chunk in found} == {"method"}
    (chunk,) = (chunk for chunk in found if str(chunk.path) == path)
    assert (chunk.symbol, (chunk.first_line, chunk.last_line)) == (symbol, lines)
    assert chunk.text.split("\n") == SMALL[path].split("\n")[lines[0] - 1 : lines[1]]
    assert chunk.definitions[0].name == symbol.split(".")[1]
    assert [chunk.text[a:b] for a, b in chunk.comments] == [
        line for line in map(str.strip, chunk.text.split("\n")) if line.startswith(("#", "//"))
    ]


@pytest.mark.parametrize("arm", ["both", "lexical", "dense"])
def test_of_definitions_that_fit_alike_the_first_is_shown(arm: Arm) -> None:
    found = searcher(SMALL).search(SearchRequest("queue", kinds=("method",), arm=arm)).hits
    assert [hit.chunk.symbol for hit in found if hit.chunk.path.suffix == ".go"] == ["Manager.Drain"]
    assert {hit.chunk.kind for hit in found} == {"method"}


@pytest.mark.parametrize("kinds", [(), ("class",), ("class", "method")])
def test_a_chunk_of_a_kind_that_is_asked_for_is_shown_whole(kinds: tuple[str, ...]) -> None:
    found = searcher(SMALL).search(SearchRequest("manager of jobs", kinds=kinds)).hits
    (chunk,) = (hit.chunk for hit in found if hit.chunk.path.suffix == ".go")
    assert (chunk.kind, chunk.symbol, chunk.text.strip()) == ("class", "Manager", SMALL["manager.go"].strip())


def test_what_is_like_a_place_is_of_the_kinds_that_are_asked_for() -> None:
    found = searcher(SMALL).similar(SimilarRequest(PurePosixPath("manager.go"), 1, kinds=("method",)), 1).hits
    assert {hit.chunk.symbol for hit in found} == {"Switch.watch", "actions.toggle"}


def test_a_filter_that_leaves_nothing_finds_nothing() -> None:
    assert hits("cache", languages=("haskell",)) == ()


def test_an_explanation_adds_up_and_names_what_matched() -> None:
    (first, *_) = hits("缓存过期", explain=True)
    assert any("缓存" in str(term) for term in first.why["terms"])  # type: ignore[union-attr] # a tuple of terms
    assert first.why["rank by words"] in {1, 2}
    assert float(str(first.why["chunk words"])) > 0


def test_nothing_in_common_in_words_can_still_be_found_by_meaning() -> None:
    assert "src/shop/session.py" in paths("socket keep-alive")


def test_a_query_without_words_is_an_error_with_a_hint() -> None:
    for query in ("", "   ", "?!,。", "\x1b[0m"[:1]):
        with pytest.raises(UsageError) as error:
            hits(query)
        assert error.value.hint


@pytest.mark.parametrize(
    "query", ["the of and", "🎉 cache", "cache " * 20_000, "\x1b[31mcache\x07", "a" * 100_000, "的了吗"]
)
def test_any_other_query_is_answered(query: str) -> None:
    assert isinstance(hits(query), tuple)


def test_a_question_of_common_words_alone_is_said_to_be_one() -> None:
    for query in ("的", "什么", "how does it"):
        assert "only common words" in " ".join(SHOP.search(SearchRequest(query)).degraded)
    for query in ("缓存", "how does the cache work"):
        assert SHOP.search(SearchRequest(query)).degraded == ()


def test_a_question_of_which_the_index_has_no_word_is_said_to_be_one() -> None:
    for query in ("拼团", "xyzzy"):
        result = SHOP.search(SearchRequest(query, explain=True))
        assert bool(result.hits) == ("no word of the query" in " ".join(result.degraded))
        assert not any("rank by words" in hit.why for hit in result.hits)
    assert SHOP.search(SearchRequest("xyzzy", arm="lexical")).degraded == ()


def test_an_empty_index_answers_with_nothing() -> None:
    empty = Searcher(Index([]), [], MODEL, lambda ids: {})
    assert empty.search(SearchRequest("cache")).hits == ()


def test_later_questions_to_many_rows_are_answered_as_the_first_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meaning, "SCANNED_ROWS", 0)
    shop = searcher(PROJECT)
    for query in ("cache entries expire", "订单超时取消", "parse_config", "how do I install it"):
        first = searcher(PROJECT).search(SearchRequest(query, explain=True)).hits
        later = [shop.search(SearchRequest(query, explain=True)).hits for _ in range(2)][-1]
        assert [(hit.chunk.path, hit.chunk.first_line) for hit in later] == [
            (hit.chunk.path, hit.chunk.first_line) for hit in first
        ]
        assert [hit.score for hit in later] == pytest.approx([hit.score for hit in first], abs=2e-3)
        assert [hit.why["cosine"] for hit in later] == pytest.approx([hit.why["cosine"] for hit in first], abs=2e-4)


def test_a_few_sections_among_much_code_are_found_without_a_look_at_every_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meaning, "SCANNED_ROWS", 0)
    code = {f"src/part{number}.py": PROJECT["src/shop/session.py"] for number in range(60)}
    shop, exact = searcher(PROJECT | code, Unfiltered), searcher(PROJECT | code)
    for query in ("how do I install it", "requests time out behind my proxy", "怎么安装"):
        first, *_ = exact.search(SearchRequest(query)).hits
        found = [shop.search(SearchRequest(query)).hits[0] for _ in range(2)]
        assert {hit.chunk.path for hit in found} == {first.chunk.path}


def test_later_questions_find_by_meaning_alone_what_the_first_one_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meaning, "SCANNED_ROWS", 0)
    index = searcher({f"{number}.py": f"value_{number} = {number}\n" for number in range(2000)})._index
    scale = (1 + np.arange(256) / 40) ** -1.0
    rows = (np.random.default_rng(1).normal(size=(2020, 256)) * scale).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    queries, vectors = rows[:20], [ExactIndex(rows[20:])]
    later = MeaningIndex(index, vectors)
    later.ask(queries[0])
    for query in queries:
        found, expected = (
            set(meanings.ask(query)[0].standing_out(index.alive, np.zeros(0, np.int64), CODE, 10, 2.0).tolist())
            for meanings in (later, MeaningIndex(index, vectors))
        )
        assert len(found) == len(expected) == 10
        assert len(found & expected) >= 8


def test_later_questions_find_nothing_where_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meaning, "SCANNED_ROWS", 0)
    code = searcher({path: text for path, text in PROJECT.items() if path.endswith(".py")})
    for _ in range(2):
        assert code.search(SearchRequest("cache entries expire")).hits
        assert not code.search(SearchRequest("cache entries expire", kinds=("section",))).hits
        assert not code.search(SearchRequest("cache entries expire", arm="dense", paths=("nowhere/**",))).hits


def test_what_the_comments_of_a_file_say_counts_for_its_code() -> None:
    code = "def run(value):\n    return value\n"
    told = "# Orders that nobody pays are cancelled after a while.\n# Their goods go back on the shelf.\n\n" + code
    (first, *others) = (
        searcher({"one.py": told, "two.py": code}).search(SearchRequest("run unpaid orders", explain=True)).hits
    )
    assert str(first.chunk.path) == "one.py"
    assert float(str(first.why["comment meaning"])) > 0
    assert all("comment meaning" not in hit.why for hit in others)


def test_similar_finds_the_like_but_not_itself() -> None:
    twins = searcher({**PROJECT, "src/shop/other_cache.py": PROJECT["src/shop/cache.py"].replace("Timed", "Other")})
    number = next(
        int(number)
        for number, kind in zip(twins._index.chunk_ids, twins._index.chunk_kind, strict=True)
        if twins._index.paths[0] == "src/shop/cache.py" and kind < 5
    )
    found = twins.similar(SimilarRequest(PurePosixPath("src/shop/cache.py"), 1), number).hits
    assert str(found[0].chunk.path) in {"src/shop/other_cache.py", "src/shop/cache.py"}
    assert number not in [
        1 for hit in found if hit.chunk.first_line == 1 and str(hit.chunk.path) == "src/shop/cache.py"
    ]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80))
def test_no_query_crashes_the_search(query: str) -> None:
    try:
        found = hits(query)
    except UsageError:
        return
    assert all(isinstance(hit.chunk, Chunk) for hit in found)


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("src/**", "src/a/b.py", True),
        ("src", "src/a/b.py", True),
        ("src", "lib/src/b.py", True),
        ("src/a", "lib/src/a/b.py", False),
        ("*.py", "a/b.py", True),
        ("*.py", "a/b.pyc", False),
        ("a/*/c.py", "a/b/c.py", True),
        ("a/*/c.py", "a/b/b/c.py", False),
        ("**/c.py", "c.py", True),
        ("a/**/c.py", "a/x/y/c.py", True),
        ("./src/", "src/a.py", True),
        ("a[bc].py", "x/ab.py", True),
    ],
)
def test_path_patterns_are_read_as_a_shell_user_means_them(pattern: str, path: str, fits: bool) -> None:
    assert glob_filter((pattern,), ())(path) is fits
    assert glob_filter((), (pattern,))(path) is not fits


def test_what_shares_no_word_with_a_question_comes_after_what_has_its_rare_one() -> None:
    votes = "".join(f"    total_{number} = count(votes, rules.quorum_{number})\n" for number in range(12))
    project = {
        "approve.py": f"# 会签\ndef decide(votes, rules):\n{votes}    return all(votes)\n",
        "signature.py": 'def sign(text):\n    """Make the signature 签名 of a text, sign it."""\n    return signature(text)\n',
        **{f"other_{number}.py": f"def other_{number}(x):\n    return x + {number}\n" for number in range(150)},
    }
    first, second, *_ = searcher(project).search(SearchRequest("会签", explain=True)).hits
    assert (str(first.chunk.path), str(second.chunk.path)) == ("approve.py", "signature.py")
    assert float(str(second.why["cosine"])) > float(str(first.why["cosine"]))


def test_a_title_that_has_all_but_a_word_without_english_is_but_a_part_of_a_question() -> None:
    project = {
        "product.py": "class Product:\n    def name(self):\n        return self.title\n",
        "catalogue.py": "# 商品上架, 下架\ndef publish(item):\n    item.visible = True\n",
        **{f"page_{number}.py": f"def show_{number}(product):\n    return product\n" for number in range(30)},
    }
    found = {
        question: searcher(project).search(SearchRequest(question, explain=True)).hits
        for question in ("商品", "商品上架")
    }
    shares = [
        next(float(str(hit.why["title"])) for hit in hits if str(hit.chunk.path) == "product.py")
        for hits in found.values()
    ]
    assert shares[1] < shares[0] / 1.5
    assert str(found["商品上架"][0].chunk.path) == "catalogue.py"


def test_of_two_things_in_a_question_the_first_is_meant() -> None:
    both = 'def work() -> None:\n    """Keep sessions and the cache."""\n'
    shop = searcher(
        {"src/cache.py": both, "src/sessions.py": both, "src/other.py": "def other() -> int:\n    return 1\n"}
    )
    for query, path in (
        ("cache for sessions", "src/cache.py"),
        ("sessions in the cache", "src/sessions.py"),
        ("cache 里的 sessions", "src/cache.py"),
        ("sessions 和 cache", "src/sessions.py"),
    ):
        assert str(shop.search(SearchRequest(query)).hits[0].chunk.path) == path


def test_of_two_names_the_first_is_meant() -> None:
    shop = searcher({f"src/{name}.py": f"class {name}:\n    pass\n" for name in ("KeyReader", "KeyWriter", "Other")})
    for query, path in (
        ("KeyReader and KeyWriter", "src/KeyReader.py"),
        ("KeyWriter and KeyReader", "src/KeyWriter.py"),
    ):
        assert str(shop.search(SearchRequest(query)).hits[0].chunk.path) == path
