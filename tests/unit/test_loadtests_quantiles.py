"""Quantiles are told with bounds that say what the run does not tell."""

import random
from decimal import Decimal

import pytest

from sloproof.loadtests import histogram
from sloproof.loadtests.histogram import Buckets
from sloproof.loadtests.quantiles import LatencyWindows, quantiles
from sloproof.verdict import Counts, Evidence, Verdict, judge_objective


def windows(seconds: int = 60, rate: int = 100, mean: float = 0.1, seed: int = 1) -> list[Buckets]:
    """Independent exponential latencies, second by second."""
    dice, found = random.Random(seed), []
    for _ in range(seconds):
        found.append(histogram.merged([{histogram.bucket(dice.expovariate(1 / mean)): 1} for _ in range(rate)]))
    return found


@pytest.mark.parametrize(("q", "true"), [(0.5, 0.0693), (0.95, 0.2996), (0.99, 0.4605)])
def test_the_bounds_enclose_the_true_quantile_closely(q: float, true: float) -> None:
    found = LatencyWindows(windows()).quantile(q)
    assert found.value == pytest.approx(true, rel=0.1)
    assert found.lower is not None
    assert found.upper is not None
    assert true * 0.8 < found.lower < true < found.upper < true * 1.25


def test_a_bound_is_where_an_objective_with_that_threshold_is_decided() -> None:
    seen = windows()
    found = LatencyWindows(seen).quantile(0.95)
    assert found.upper is not None

    def verdict(threshold: float) -> Verdict:
        edge = histogram.bucket(threshold * 0.9999)
        over = tuple((sum(n for number, n in window.items() if number > edge), sum(window.values())) for window in seen)
        counts = Counts(source="load generator", total=sum(n for _, n in over), bad=sum(bad for bad, _ in over))
        evidence = Evidence(slo="x", objective=Decimal(95), counts=counts, batches=over, looser=looser(seen, edge))
        return judge_objective(Decimal("0.05"), evidence).verdict

    assert verdict(found.upper) is Verdict.PASS
    assert verdict(found.upper / 1.021) is not Verdict.PASS


def looser(seen: list[Buckets], edge: int) -> tuple[tuple[int, int], ...]:
    half = histogram.bucket(histogram.longest(edge) / 2)
    return tuple((sum(n for number, n in window.items() if number > half), sum(window.values())) for window in seen)


def test_requests_that_were_never_answered_are_slower_than_anything() -> None:
    whole = LatencyWindows(windows(), never_answered=0).quantile(0.99)
    open_end = LatencyWindows(windows(), never_answered=100).quantile(0.99)
    assert open_end.value is None
    assert open_end.upper is None
    assert open_end.lower is not None
    assert whole.lower is not None
    assert open_end.lower <= whole.lower
    some = LatencyWindows(windows(), never_answered=30).quantile(0.95)
    bounded = LatencyWindows(windows()).quantile(0.95)
    assert some.upper is not None
    assert bounded.upper is not None
    assert some.upper > bounded.upper


def test_waves_of_slow_answers_widen_the_bounds() -> None:
    even = [{-100: 95, 0: 5} for _ in range(60)]
    waves = [{-100: 100} if at % 10 else {-100: 50, 0: 50} for at in range(60)]
    scattered, clustered = (LatencyWindows(one).quantile(0.93) for one in (even, waves))
    assert scattered.upper == pytest.approx(histogram.longest(-100))
    assert clustered.upper == pytest.approx(histogram.longest(0))


def test_waves_of_slowish_answers_widen_the_bound_where_slow_ones_are_too_rare_to_show_them() -> None:
    even = [{-100: 90, -20: 9, 0: 1} for _ in range(60)]
    waves = [{-100: 99, 0: 1} if at % 10 else {-100: 9, -20: 90, 0: 1} for at in range(60)]
    scattered, clustered = (LatencyWindows(one).quantile(0.98) for one in (even, waves))
    assert scattered.upper == pytest.approx(histogram.longest(-20))
    assert clustered.upper is None


@pytest.mark.parametrize("seen", [[], [{}], [{}] * 60])
def test_without_requests_nothing_is_known(seen: list[Buckets]) -> None:
    assert all((one.value, one.lower, one.upper) == (None, None, None) for one in quantiles(seen, 0))


def test_a_few_seconds_give_a_value_and_no_bounds() -> None:
    found = LatencyWindows(windows(seconds=5)).quantile(0.5)
    assert found.value is not None
    assert (found.lower, found.upper) == (None, None)
