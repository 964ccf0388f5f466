"""Ranking's features: names, priors of paths, and whether a question asks for documentation."""

from __future__ import annotations

import pytest

from codeseek import questions, ranking


def question(text: str) -> questions.Question:
    return questions.understand(text, lambda term: True)


def names(text: str, path: str) -> ranking.Names:
    asked = question(text)
    return ranking.NameMatcher(asked.terms, ranking.title_runs(asked)).match([path])


def test_a_title_spelled_by_neighbouring_words_is_a_run() -> None:
    assert names("the flat hash map", "src/flat_hash_map.rs").title_run == 1
    assert names("哈希表", "src/hashtable.c").title_run > 0
    assert names("the flat map of hashes", "src/flat_hash_map.rs").title_run == 0


def test_a_package_file_is_known_by_its_folder() -> None:
    assert names("dependency resolver", "src/resolver/index.ts").title_run == 1
    assert names("dependency resolver", "src/resolver/__init__.py").title > 0


def test_more_of_the_question_in_a_title_fits_better() -> None:
    assert names("websocket client", "websocket_client.py").title > names("websocket client", "client.py").title > 0
    assert names("websocket client", "server.py").title == 0


def test_folders_count() -> None:
    assert names("routing middleware", "src/middleware/base.py").folder > 0
    assert names("routing middleware", "src/models/base.py").folder == 0


@pytest.mark.parametrize(
    ("path", "prior"),
    [
        ("tests/test_cache.py", "test"),
        ("src/cache.spec.ts", "test"),
        ("core/src/test/java/CacheTest.java", "test"),
        ("pkg/cache_test.go", "test"),
        ("integration_test/cases/all.exs", "test"),
        ("lib/legacy/cache.js", "old"),
        ("third_party/zlib/inflate.c", "old"),
        ("examples/hello.py", "example"),
        ("docs_src/tutorial.py", "example"),
    ],
)
def test_a_path_speaks_against_itself(path: str, prior: str) -> None:
    found = ranking.path_priors([path], ranking.Intent.of("cache"), is_code=True)
    assert [name for name, value in found.items() if value] == [prior]


@pytest.mark.parametrize(
    "path", ["src/latest.py", "src/contest.py", "lib/attestation.rs", "src/inspect.py", "testing.md"]
)
def test_an_innocent_path_has_nothing_against_it(path: str) -> None:
    assert not any(ranking.path_priors([path], ranking.Intent.of("cache"), is_code=True).values())


def test_what_is_asked_for_is_not_held_against_an_answer() -> None:
    for text in ("how are fixtures tested", "单测怎么写"):
        assert not ranking.path_priors(["tests/test_a.py"], ranking.Intent.of(text), is_code=True)["test"]
    assert not ranking.path_priors(["examples/a.py"], ranking.Intent.of("示例"), is_code=True)["example"]
    assert not ranking.path_priors(["CHANGELOG.md"], ranking.Intent.of("which version changed it"), is_code=False)[
        "changelog"
    ]


@pytest.mark.parametrize("path", ["LICENSE", "COPYING.LESSER", "docs/LICENCE-MIT.md", "licenses/zlib.txt", "NOTICE"])
def test_a_licence_comes_last_unless_it_is_asked_for(path: str) -> None:
    def held_against(path: str, text: str) -> float:
        return float(ranking.path_priors([path], ranking.Intent.of(text), is_code=False)["licence"][0])

    assert held_against(path, "how are brute force attacks prevented")
    assert not held_against("docs/licensing.md", "how are brute force attacks prevented")
    for text in ("which license is it under", "商用许可"):
        assert not held_against(path, text)


@pytest.mark.parametrize(
    ("platform", "foreign"),
    [
        ("linux", {"src/win/pipe.c", "src/unix/aix.c", "src/fs_darwin.go"}),
        ("darwin", {"src/win/pipe.c", "src/unix/aix.c"}),
        ("win32", {"src/unix/pipe.c", "src/unix/aix.c", "src/fs_darwin.go"}),
    ],
)
def test_code_for_another_platform_comes_after_what_is_for_this_one(platform: str, foreign: set[str]) -> None:
    paths = ["src/unix/pipe.c", "src/win/pipe.c", "src/unix/aix.c", "src/fs_darwin.go", "src/loop.c", "lib/winner.c"]

    def held_against(paths: list[str], text: str) -> set[str]:
        priors = ranking.path_priors(paths, ranking.Intent.of(text), is_code=True, platform=platform)
        return {path for path, value in zip(paths, priors["platform"], strict=True) if value}

    assert held_against(paths, "pipes between processes") == foreign
    for text in ("pipes on Windows and macOS", "how windows are laid out", "各平台的管道"):
        assert not held_against(paths, text)
    neither = ["src/plan9/pipe.c", "src/loop.c"]
    assert not held_against(neither, "pipes between processes")


def test_code_is_asked_for_by_the_first_words_and_documentation_by_all() -> None:
    weights = ranking.emphasised(question("response streaming with compression"), ())
    code, sections, comments = zip(*weights.values(), strict=True)
    assert code == comments == tuple(sorted(code, reverse=True))
    assert code[0] == 1 > code[-1] > 0
    assert set(sections) == {1}
    assert set(ranking.emphasised(question("streaming"), ()).values()) == {(1, 1, 1)}


def test_a_projects_own_name_weighs_less_than_other_words() -> None:
    weights = ranking.emphasised(question("shop checkout"), {"shop"})
    assert weights["shop"][0] < weights["checkout"][0]


def test_pages_for_documentation_are_no_examples_but_code_there_is() -> None:
    intent = ranking.Intent.of("cache")
    assert not ranking.path_priors(["docs/cache.md"], intent, is_code=False)["example"]
    assert ranking.path_priors(["docs/cache.py"], intent, is_code=True)["example"]


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("docs/zh/guide.md", "zh"),
        ("docs/pt-br/guide.md", "pt"),
        ("docs/en/guide.md", "en"),
        ("README.zh-CN.md", "zh"),
        ("README_ja.md", "ja"),
        ("README.md", ""),
        ("src/is/core.md", ""),
    ],
)
def test_translations_are_known_by_their_path(path: str, language: str) -> None:
    folders = ranking.language_folders(["docs/zh/a.md", "docs/pt-br/a.md", "docs/en/a.md", "src/is/core.md"])
    assert ranking.translation_of(path, folders) == language


def likelihood(text: str) -> float:
    neutral = {"cosine gap": 0.0, "coverage": 0.7, "title run": 0.0, "symbol": 0.2, "section top": 3.7}
    return ranking.asks_documentation({**ranking.documentation_features(question(text)), **neutral})


@pytest.mark.parametrize(
    "text",
    [
        "how do I install it on windows",
        "my requests fail behind a proxy",
        "upgrade from v1 to v2",
        "怎么安装到 windows 上",
        "升级之后不生效怎么办",
    ],
)
def test_trouble_and_use_ask_for_documentation(text: str) -> None:
    assert likelihood(text) > 0.6


@pytest.mark.parametrize(
    "text",
    [
        "session handling",
        "how the parser tokenizes input",
        "HTTPSession",
        "缓存失效的实现",
        "请求解析",
        "会话如何续期",
        "retry logic implementation",
    ],
)
def test_mechanisms_ask_for_code(text: str) -> None:
    assert likelihood(text) < 0.4


def test_what_something_does_is_no_question_of_how_to_do_it() -> None:
    assert likelihood("连接如何复用") < likelihood("如何复用连接")


def test_joining_keeps_each_lists_order_and_everything() -> None:
    joined = ranking.join(4, 3, 0.7)
    assert [rank for is_section, rank in joined if is_section] == [0, 1, 2]
    assert [rank for is_section, rank in joined if not is_section] == [0, 1, 2, 3]
    assert joined[0] == (True, 0)
    assert ranking.join(2, 2, 0.1)[0] == (False, 0)
