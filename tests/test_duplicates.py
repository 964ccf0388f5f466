"""Near-duplicates: every pair that there is, in clusters that a person would want to see."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeseek import likeness
from codeseek.cli import main
from codeseek.everywhere import Everywhere
from codeseek.records import DuplicatesRequest, DuplicatesResult
from fake_engine import CLUSTER, DUPLICATES, FakeEngine
from indexed import engine_of

FUNCTION = """\
def {name}(rows, {argument}):
    \"\"\"Add up what the rows hold for every key, and say how many of them there were.\"\"\"
    total, seen = {{}}, 0
    for row in rows:
        if row.key in {argument} and row.value is not None:
            total[row.key] = total.get(row.key, 0) + row.value
            seen += 1
    return total, seen
"""
PROSE = "".join(
    f"Line {number} tells of something that no other line tells of, number {number}.\n" for number in range(12)
)


def found_pairs(texts: list[list[str]], least: float) -> dict[tuple[int, int], float]:
    bags = likeness.Bags()
    for words in texts:
        bags.add(words)
    pairs = {}
    for one in bags.pairs(least):
        for other, alike in zip(one.others.tolist(), one.alike.tolist(), strict=True):
            pair = min(one.text, other), max(one.text, other)
            assert pair not in pairs
            pairs[pair] = alike
    return pairs


def all_pairs(texts: list[list[str]], least: float) -> dict[tuple[int, int], float]:
    counts = [Counter(words) for words in texts]
    alike = {
        (one, other): likeness.likeness(counts[one], counts[other])
        for other in range(len(texts))
        for one in range(other)
    }
    return {pair: value for pair, value in alike.items() if value >= least - 1e-9}


def files(root: Path, **contents: str) -> None:
    for name, text in contents.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def found(root: Path, tmp_path: Path, request: DuplicatesRequest = DuplicatesRequest()) -> DuplicatesResult:  # noqa: B008
    engine = engine_of(root, tmp_path / "data")
    engine.refresh()
    result = engine.duplicates(request)
    engine.close()
    return result


def members(result: DuplicatesResult) -> list[list[str]]:
    return [
        [f"{one.path}:{one.symbol}" if one.symbol else str(one.path) for one in cluster.members]
        for cluster in result.clusters
    ]


# ------------------------------------------------------------ pairs and clusters


@given(
    st.lists(st.lists(st.sampled_from("abcdefghij"), min_size=1, max_size=12), max_size=24),
    st.sampled_from([0.5, 0.6, 0.75, 0.9, 1.0]),
)
def test_the_pairs_are_those_that_comparing_all_finds(texts: list[list[str]], least: float) -> None:
    assert found_pairs(texts, least) == pytest.approx(all_pairs(texts, least))


@pytest.mark.parametrize("least", [0.5, 0.8, 0.9])
def test_no_pair_is_missed_among_a_thousand_texts(least: float) -> None:
    chance = random.Random(5)
    words = [f"word{number}" for number in range(3_000)]
    texts: list[list[str]] = []
    for _ in range(1_000):
        if texts and chance.random() < 0.6:
            copied = chance.choice(texts)[:]
            for _ in range(chance.randrange(1 + len(copied) // 5)):
                copied[chance.randrange(len(copied))] = chance.choice(words)
            texts.append(copied)
        else:
            texts.append(chance.choices(words[: chance.choice([30, 300, 3_000])], k=chance.randint(5, 80)))
    wanted = all_pairs(texts, least)
    assert len(wanted) > 100
    assert found_pairs(texts, least) == pytest.approx(wanted)


@given(st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=8), max_size=30))
def test_every_member_of_a_cluster_is_alike_to_the_first_and_in_no_other_cluster(texts: list[list[str]]) -> None:
    bags = likeness.Bags()
    for words in texts:
        bags.add(words)
    clusters = likeness.clusters(bags.pairs(0.7))
    alike = all_pairs(texts, 0.7)
    for first, *others in clusters:
        assert others
        assert all((min(first, other), max(first, other)) in alike for other in others)
    everyone = [number for cluster in clusters for number in cluster]
    assert len(everyone) == len(set(everyone))
    left = set(range(len(texts))) - set(everyone)
    assert not [pair for pair in alike if set(pair) <= left]


def test_nothing_is_like_nothing() -> None:
    assert list(likeness.Bags().pairs(0.9)) == []
    assert likeness.clusters([]) == []


def test_chinese_is_compared_by_its_characters() -> None:
    assert likeness.words("缓存cache失效2") == ["缓", "存", "cache", "失", "效", "2"]


# ------------------------------------------------------------ what is found in a project


def test_a_line_that_differs_is_shown_whatever_it_begins_with(project: Path, tmp_path: Path) -> None:
    files(project, one_dot_txt=f"-- of the old ones\n{PROSE}", two_dot_txt=f"++ of the new ones\n{PROSE}")
    (cluster,) = found(project, tmp_path, DuplicatesRequest(kinds=("file",))).clusters
    assert cluster.members[1].diff == ("--- of the old ones", "+++ of the new ones")


def test_copies_of_a_function_are_one_cluster_with_what_differs(project: Path, tmp_path: Path) -> None:
    files(
        project,
        src__one_dot_py=FUNCTION.format(name="add_up", argument="keys") + "\n\nONE = 1\n",
        src__two_dot_py="import one\n\n\n" + FUNCTION.format(name="add_up", argument="wanted"),
        lib__three_dot_py=FUNCTION.format(name="add_up", argument="keys").replace("+ row", "- row") + "\n\nONE = 1\n",
    )
    result = found(project, tmp_path, DuplicatesRequest(0.8, kinds=("function",)))
    assert sorted(members(result)[0]) == ["lib/three.py:add_up", "src/one.py:add_up", "src/two.py:add_up"]
    (cluster,) = result.clusters
    assert cluster.lines >= 16
    by_path = {str(member.path): member for member in cluster.members}
    assert by_path["src/two.py"].similarity < 1
    assert "+def add_up(rows, wanted):" in by_path["src/two.py"].diff
    signs_only = [by_path["lib/three.py"], by_path["src/one.py"]]
    assert [member.similarity for member in signs_only] == [1, 1]  # signs are no words …
    assert sorted(map(len, (member.diff for member in signs_only))) == [0, 2]  # … and yet are shown


def test_a_copied_file_is_told_once_and_not_again_function_by_function(project: Path, tmp_path: Path) -> None:
    text = "".join(
        FUNCTION.format(name=f"add_{name}", argument=name).replace("total", f"total_{name}")
        for name in ("apples", "pears", "nuts")
    )
    files(project, src__a_dot_py=text, old__b_dot_py=f"{text}\n\nEND = True\n")
    assert members(found(project, tmp_path)) == [["old/b.py", "src/a.py"]]
    functions = found(project, tmp_path, DuplicatesRequest(kinds=("function",)))
    assert len(functions.clusters) == 3


def test_the_parts_of_one_long_function_are_compared_as_one(project: Path, tmp_path: Path) -> None:
    body = "".join(f"    value_{number} = compute_{number}(value_{number - 1}, {number})\n" for number in range(1, 400))
    for name in ("one", "two"):
        files(project, **{f"src__{name}_dot_py": f"import {name}\n\nNAME = {name!r}\n\n\ndef long(value_0):\n{body}"})
    ((one, two),) = (
        cluster.members for cluster in found(project, tmp_path, DuplicatesRequest(kinds=("function",))).clusters
    )
    assert (one.symbol, two.symbol) == ("long", "long")
    assert one.last_line - one.first_line >= 399


def test_licences_and_what_is_short_vendored_or_filtered_out_is_not_compared(project: Path, tmp_path: Path) -> None:
    licence = "".join(
        f"# Copyright {year} whoever wrote it, all rights of the year {year} reserved\n" for year in range(9)
    )
    getter = "def name(self):\n\n\n\n    return self._name\n"
    copy = FUNCTION.format(name="add_up", argument="keys")
    files(
        project,
        LICENSE=PROSE,
        lib__LICENSE_dot_md=PROSE,
        src__a_dot_py=licence + "\n\nA = 1\n" + getter,
        src__b_dot_py=licence + "\n\nB = 2\n" + getter,
        src__c_dot_py=copy,
        third_party__c_dot_py=copy,
    )
    assert members(found(project, tmp_path)) == []
    assert len(found(project, tmp_path, DuplicatesRequest(vendored=True)).clusters) == 1
    narrowed = DuplicatesRequest(vendored=True, exclude=("third_party/**",))
    assert members(found(project, tmp_path, narrowed)) == []
    assert members(found(project, tmp_path, DuplicatesRequest(vendored=True, languages=("go",)))) == []
    assert members(found(project, tmp_path, DuplicatesRequest(vendored=True, min_lines=9))) == []


def test_documents_are_compared_whole(project: Path, tmp_path: Path) -> None:
    sections = "".join(f"# Part {number}\n\n{PROSE.replace('Line', f'Sentence{number}')}\n" for number in range(5))
    files(project, docs__a_dot_md=sections, docs__b_dot_md=sections.replace("something", "anything", 3))
    assert members(found(project, tmp_path)) == [["docs/a.md", "docs/b.md"]]


def test_those_that_save_most_lines_come_first_and_no_more_than_wanted(project: Path, tmp_path: Path) -> None:
    for name, count in (("few", 2), ("many", 4)):
        text = FUNCTION.format(name=name, argument=name).replace("row", f"row_{name}").replace("total", f"sum_{name}")
        for number in range(count):
            files(project, **{f"src__{name}{number}_dot_py": f"{text}\n\nNUMBER = {number}\n"})
    result = found(project, tmp_path, DuplicatesRequest(kinds=("function",), limit=1))
    assert [len(cluster.members) for cluster in result.clusters] == [4]
    assert result.left_off == 1
    lines = [cluster.lines for cluster in found(project, tmp_path).clusters]
    assert lines == sorted(lines, reverse=True)


def test_several_projects_are_each_searched_for_their_own(tmp_path: Path) -> None:
    several = Everywhere({name: tmp_path / name for name in ("one", "two")}, lambda _: FakeEngine())
    result = several.duplicates(DuplicatesRequest(limit=1))
    assert [member.path.parts[0] for member in result.clusters[0].members] == ["one"] * 3
    assert result.left_off == 2 * DUPLICATES.left_off + 1


# ------------------------------------------------------------ the command


@pytest.fixture
def run(project: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(engine: FakeEngine, *arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        status = main(["duplicates", *arguments], engine.open)
        return status, *capfd.readouterr()

    return run


@pytest.mark.parametrize("name", ["text", "json", "jsonl", "vimgrep"])
def test_each_format_is_as_it_was(
    name: str, run: Callable[..., tuple[int, str, str]], project: Path, golden: Callable[[str, str], None]
) -> None:
    status, out, err = run(FakeEngine(), "--format", name)
    assert status == 0
    golden(f"duplicates-{name}.txt", out.replace(str(project), "/project"))
    assert ("1 of 4 clusters · 9 passages compared in 0.0 s" in err) is (name != "json")


def test_options_are_passed_on(run: Callable[..., tuple[int, str, str]]) -> None:
    engine = FakeEngine(found=DUPLICATES._replace(clusters=()))
    status, _, _ = run(
        engine,
        *("src", "--kind", "file,function", "--min-similarity", "0.8", "--min-lines", "3", "--vendored", "-n", "5"),
        *("--lang", "py", "--exclude", "tests"),
    )
    assert status == 1
    assert engine.wanted == [
        DuplicatesRequest(
            0.8, 3, ("file", "function"), ("python",), ("src/**",), ("src/**/tests",), vendored=True, limit=5
        )
    ]
    assert engine.calls == ["refresh", "duplicates", "close"]
    run(engine, "--no-refresh")
    assert engine.calls[-2:] == ["duplicates", "close"]


@pytest.mark.parametrize("wrong", [("--min-similarity", "0.3"), ("--kind", "paragraph"), ("nowhere",)])
def test_what_cannot_be_meant_is_refused(wrong: tuple[str, ...], run: Callable[..., tuple[int, str, str]]) -> None:
    status, out, err = run(FakeEngine(), *wrong)
    assert (status, out) == (2, "")
    assert "hint:" in err


def test_no_name_or_line_of_a_repository_steers_the_terminal(run: Callable[..., tuple[int, str, str]]) -> None:
    evil = "x\x1b[2J\u202e"
    first, *others = CLUSTER.members
    bad = [one._replace(path=PurePosixPath(evil), symbol=evil, diff=(f"-{evil}",)) for one in others]
    engine = FakeEngine(found=DUPLICATES._replace(clusters=(CLUSTER._replace(members=(first, *bad)),)))
    for name in ("text", "json", "jsonl"):
        _, out, _ = run(engine, "--format", name)
        assert not set(out) & set("\x1b\u202e")
    assert json.loads(out)["members"][1]["path"] == evil
