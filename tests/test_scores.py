"""Ranks and what they are worth: against definitions written out, and the bootstrap against what it must do."""

from __future__ import annotations

import math
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeseek import scores
from codeseek.mining.question import Target
from codeseek.scores import Bootstrap, Place, Ranks

HITS = [Place("a", 1, 9), Place("b", 1, 9), Place("a", 20, 29), Place("c", 1, 9)]


@pytest.mark.parametrize(
    ("targets", "exact", "in_file"),
    [
        ([Target("a")], (1,), (1,)),
        ([Target("a", 20, 20)], (3,), (1,)),
        ([Target("a", 29, 90)], (3,), (1,)),
        ([Target("a", 10, 19)], (), (1,)),
        ([Target("c"), Target("b")], (2, 4), (2, 4)),
        ([Target("a", 1, 2), Target("a", 3, 4)], (1,), (1,)),
        ([Target("d")], (), ()),
    ],
)
def test_a_targets_rank_is_that_of_the_first_hit_over_it(
    targets: list[Target], exact: tuple[int, ...], in_file: tuple[int, ...]
) -> None:
    assert scores.ranks(HITS, targets) == Ranks(len(targets), exact, in_file)


def test_only_ten_hits_count() -> None:
    hits = [Place(str(number), 1, 1) for number in range(20)]
    assert scores.ranks(hits, [Target("9")]).exact == (10,)
    assert scores.ranks(hits, [Target("10")]).exact == ()


def test_each_measure_is_what_its_definition_says() -> None:
    found = Ranks(3, (2, 5), (1, 2, 5))
    assert scores.ndcg(found) == pytest.approx(
        (1 / math.log2(3) + 1 / math.log2(6)) / (1 + 1 / math.log2(3) + 1 / math.log2(4))
    )
    measures = {name: of(found) for name, of in scores.METRICS.items()}
    assert measures["mrr@10"] == 0.5
    assert measures["recall@1"] == 0
    assert measures["recall@5"] == measures["recall@10"] == pytest.approx(2 / 3)
    assert measures["file recall@10"] == 1
    assert {of(Ranks(1, (), ())) for of in scores.METRICS.values()} == {0}
    assert {of(Ranks(2, (1, 2), (1, 2))) for of in scores.METRICS.values()} == {1}


@given(st.integers(1, 30), st.sets(st.integers(1, 10)))
def test_every_measure_lies_between_nothing_and_one(wanted: int, found: set[int]) -> None:
    ranks = tuple(sorted(found))[:wanted]
    assert all(0 <= of(Ranks(wanted, ranks, ranks)) <= 1 + 1e-9 for of in scores.METRICS.values())


def test_an_interval_holds_the_true_mean_about_as_often_as_it_says() -> None:
    chance = random.Random(1)
    held = 0
    for seed in range(200):
        values = [chance.random() < 0.3 for _ in range(100)]
        estimate = Bootstrap(map(str, range(100)), seed).estimate([float(value) for value in values])
        held += estimate.low <= 0.3 <= estimate.high
    assert 0.89 <= held / 200 <= 0.99


def test_questions_of_one_file_do_not_feign_certainty() -> None:
    chance = random.Random(2)
    of_file = [float(chance.random() < 0.5) for _ in range(30)]
    values = [value for value in of_file for _ in range(10)]
    apart = Bootstrap(map(str, range(300)), 1).estimate(values)
    together = Bootstrap((str(number // 10) for number in range(300)), 1).estimate(values)
    assert together.mean == apart.mean == pytest.approx(statistics.fmean(of_file))
    assert together.high - together.low > 2 * (apart.high - apart.low)


def test_the_same_seed_gives_the_same_interval_and_a_part_its_own_mean() -> None:
    values = [float(number % 7 == 0) for number in range(90)]
    among = [number % 2 == 0 for number in range(90)]
    first, again, other = (Bootstrap(map(str, range(90)), seed).estimate(values, among) for seed in (1, 1, 2))
    assert first == again != other
    assert first.questions == 45
    assert first.mean == pytest.approx(statistics.fmean(values[::2]))


def test_a_paired_difference_is_surer_than_two_means() -> None:
    chance = random.Random(3)
    before = [chance.random() for _ in range(200)]
    bootstrap = Bootstrap(map(str, range(200)), 1)
    difference = bootstrap.estimate([0.02] * 200)
    assert (difference.low, difference.high) == pytest.approx((0.02, 0.02))
    alone = bootstrap.estimate(before)
    assert alone.high - alone.low > 0.05


def test_a_few_questions_are_sure_of_nothing() -> None:
    few = Bootstrap("abcd", 1)
    assert few.estimate([1.0, 1.0, 1.0, 1.0]) == (1.0, 0.0, 1.0, 4)
    assert few.estimate([-0.5] * 4, least=-1.0) == (-0.5, -1.0, 1.0, 4)
    enough = Bootstrap("abcdefgh", 1)
    assert enough.estimate([1.0] * 8, [True] * 3 + [False] * 5) == (1.0, 0.0, 1.0, 3)
    assert enough.estimate([1.0] * 8) == (1.0, 1.0, 1.0, 8)


def test_nothing_has_no_mean() -> None:
    assert Bootstrap([], 1).estimate([]).questions == 0
    assert Bootstrap(["a"], 1).estimate([1.0], [False]) == (0.0, 0.0, 0.0, 0)
