"""The arithmetic of the verdict against scipy, and against streams whose clustering is known."""

import random
from collections.abc import Iterator

import pytest
from scipy import special, stats

from sloproof.verdict.statistics import (
    Clustering,
    _merged_in_pairs,
    beta_quantile,
    clopper_pearson,
    clusterings,
    effective_size,
    incomplete_beta,
    inflation,
    student_quantile,
    surely_above,
    surely_at_most,
)

SHAPES = [(0.5, 0.5), (1, 1), (1, 2995), (3, 1200), (60.5, 1139.25), (2900, 2_997_100), (5e5, 5e5), (1e4, 1e8)]


@pytest.mark.parametrize(("a", "b"), SHAPES)
@pytest.mark.parametrize("probability", [0.001, 0.05, 0.5, 0.95, 0.999])
def test_beta_quantiles_are_those_of_scipy(a: float, b: float, probability: float) -> None:
    assert beta_quantile(a, b, probability) == pytest.approx(stats.beta.ppf(probability, a, b), rel=1e-7)


@pytest.mark.parametrize(("a", "b"), SHAPES)
@pytest.mark.parametrize("share", [0.5, 0.99, 1, 1.01, 1.5])
def test_incomplete_beta_is_that_of_scipy(a: float, b: float, share: float) -> None:
    x = min(share * a / (a + b), 1)
    assert incomplete_beta(a, b, x) == pytest.approx(special.betainc(a, b, x), rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("degrees", [1, 1.5, 2, 9, 29.5, 1000])
@pytest.mark.parametrize("probability", [0.9, 0.95, 0.999])
def test_student_quantiles_are_those_of_scipy(degrees: float, probability: float) -> None:
    assert student_quantile(degrees, probability) == pytest.approx(stats.t.ppf(probability, degrees), rel=1e-6)


@pytest.mark.parametrize(("bad", "total"), [(0, 1200), (1, 1200), (60, 1200), (1199, 1200), (1200, 1200), (3, 3)])
def test_bounds_are_the_exact_ones_of_scipy(bad: int, total: int) -> None:
    lower, upper = clopper_pearson(bad, total, 0.95)
    oracle = stats.binomtest(bad, total)
    assert lower == pytest.approx(oracle.proportion_ci(0.90, "exact").low, rel=1e-7)
    assert upper == pytest.approx(oracle.proportion_ci(0.90, "exact").high, rel=1e-7)


def test_no_events_bound_nothing() -> None:
    assert clopper_pearson(0, 0, 0.95) == (0, 1)


@pytest.mark.parametrize(("bad", "total"), [(0, 2994.0), (0, 2995.0), (2.5, 9000.5), (900, 3e6), (50, 60), (60, 60)])
@pytest.mark.parametrize("limit", [0.001, 0.0003, 0.9])
def test_the_short_cuts_decide_as_the_bounds_do(bad: float, total: float, limit: float) -> None:
    lower, upper = clopper_pearson(bad, total, 0.95)
    assert surely_at_most(limit, bad, total, 0.95) == (upper <= limit)
    assert surely_above(limit, bad, total, 0.95) == (lower > limit)


def independent(seconds: int, rate: int, ratio: float, seed: int) -> list[tuple[int, int]]:
    chance = random.Random(seed)
    return [(sum(chance.random() < ratio for _ in range(rate)), rate) for _ in range(seconds)]


def outages(seconds: int, rate: int, length: int, every: int) -> Iterator[tuple[int, int]]:
    for second in range(seconds):
        yield (rate if second % every < length else 0), rate


def test_independent_events_are_worth_themselves() -> None:
    sizes = [effective_size(independent(300, 40, 0.05, seed)) for seed in range(20)]
    assert sum(sizes) / len(sizes) > 0.75 * 12_000
    assert max(sizes) <= 12_000


def test_a_second_that_fails_as_a_whole_is_one_event() -> None:
    slices = list(outages(seconds=300, rate=40, length=1, every=30))
    assert effective_size(slices) == pytest.approx(300, rel=0.1)


def test_batches_grow_until_they_hold_a_whole_outage() -> None:
    slices = list(outages(seconds=640, rate=40, length=8, every=64))
    found = clusterings(slices)
    assert len(found) > 2
    assert inflation(found) > 6 * inflation(found[:1]) / 3
    assert effective_size(slices) < 25_600 / (8 * 40) * 1.5


@pytest.mark.parametrize("slices", [[], [(0, 40)], [(0, 40)] * 30, [(40, 40)] * 30, [(0, 0)] * 30])
def test_where_only_one_outcome_occurs_nothing_shows_that_it_clusters(slices: list[tuple[int, int]]) -> None:
    assert clusterings(slices) == ()
    assert effective_size(slices) == sum(total for _, total in slices)


def test_empty_seconds_do_no_harm() -> None:
    assert effective_size([(0, 0), (1, 40), (0, 0), (0, 40)] * 10) > 0


def test_an_odd_batch_is_not_lost_when_batches_merge() -> None:
    assert _merged_in_pairs([(1, 10), (2, 10), (3, 10), (4, 10), (5, 10)]) == [(3, 20), (12, 30)]


def test_few_clusters_get_a_wide_allowance_and_many_nearly_none() -> None:
    few, many = Clustering(inflation=10, carriers=2), Clustering(inflation=10, carriers=200)
    assert few.allowance(0.95) > 25
    assert many.allowance(0.95) == pytest.approx(10, rel=0.02)
    assert few.allowance(0.95, growth=100) == pytest.approx(many.allowance(0.95))


def test_the_allowance_of_independent_events_stays_one() -> None:
    assert Clustering(inflation=1, carriers=1).allowance(0.95) == 1
