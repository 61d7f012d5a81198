"""Comparisons with an earlier run: an effect with bounds, and never a silent pass."""

import random
import re
from decimal import Decimal

import pytest

from sloproof.verdict.comparison import FEWEST_WINDOWS, compare, compare_failures
from sloproof.verdict.evidence import Counts, Evidence
from sloproof.verdict.judge import Verdict


def windows(mean: float, seed: int, count: int = 60, correlation: float = 0.5) -> list[float]:
    """Windows that resemble their neighbours, 20 % apart from their mean."""
    dice, state, found = random.Random(seed), 0.0, []
    for _ in range(count):
        state = correlation * state + (1 - correlation**2) ** 0.5 * dice.gauss(0, 1)
        found.append(mean * (1 + 0.2 * state))
    return found


def test_without_an_earlier_run_nothing_passes() -> None:
    found = compare("p95", None, windows(1, 1))
    assert found.verdict is Verdict.UNDECIDED
    assert "no earlier run" in found.reason


@pytest.mark.parametrize("count", [0, FEWEST_WINDOWS - 1])
def test_too_few_windows_decide_nothing(count: int) -> None:
    assert compare("p95", windows(1, 1, count), windows(1, 2)).verdict is Verdict.UNDECIDED
    assert compare("p95", windows(1, 1), windows(1, 2, count)).verdict is Verdict.UNDECIDED


def test_an_earlier_run_of_zeros_decides_nothing() -> None:
    assert "nothing is a multiple" in compare("p95", [0.0] * 30, windows(1, 2)).reason


def test_a_run_that_is_half_as_slow_again_fails_and_says_by_how_much() -> None:
    found = compare("p95", windows(0.2, 3, 300), windows(0.3, 4, 300))
    assert found.verdict is Verdict.FAIL
    assert found.lower is not None and found.upper is not None and found.change is not None
    assert 0.1 < found.lower < found.change < found.upper
    assert re.fullmatch(
        r"p95 is slower by [45]\d\.?\d* % \([34]\d\.?\d* % to [56]\d\.?\d* %\); at most 10 % slower is accepted",
        found.reason,
    )


def test_the_same_load_again_passes_when_it_lasted_long_enough() -> None:
    assert compare("p95", windows(0.2, 1, 600), windows(0.2, 2, 600)).verdict is Verdict.PASS


def test_the_same_load_again_is_no_change() -> None:
    found = compare("p95", windows(0.2, 1, 600), windows(0.2, 2, 600), tolerance=None)
    assert found.reason.startswith("no change of p95 seen: between ")
    assert not found.decides


def test_a_short_run_of_the_same_load_decides_nothing() -> None:
    assert compare("p95", windows(0.2, 1, 12), windows(0.2, 5, 12)).verdict is Verdict.UNDECIDED


def test_a_faster_run_passes() -> None:
    found = compare("p95", windows(0.3, 3, 300), windows(0.2, 4, 300))
    assert found.verdict is Verdict.PASS
    assert re.match(r"p95 is faster by [23]\d", found.reason)


def test_windows_that_are_all_alike_have_a_sure_change() -> None:
    found = compare("p95", [0.2] * 20, [0.25] * 20)
    assert found.lower == found.upper == pytest.approx(0.25)


def test_the_bounds_hold_the_true_change_in_most_runs_of_windows_that_cling_together() -> None:
    """Each bound is meant to hold in 95 % of the runs; windows taken as independent would hold it in 80 %."""
    held = {"lower": 0, "upper": 0}
    for seed in range(200):
        found = compare("p95", windows(1, seed, 120), windows(1.2, seed + 1000, 120))
        assert found.lower is not None and found.upper is not None
        held["lower"] += found.lower <= 0.2
        held["upper"] += found.upper >= 0.2
    assert min(held.values()) >= 182


def failing(bad: int, total: int = 6000, seconds: int = 60) -> Evidence:
    batches = tuple(((at + 1) * bad // seconds - at * bad // seconds, total // seconds) for at in range(seconds))
    counts = Counts(source="load generator", total=total, bad=bad)
    return Evidence(slo="failures", objective=Decimal(0), counts=counts, batches=batches)


def test_failures_that_doubled_are_told_as_a_factor_with_bounds() -> None:
    found = compare_failures(failing(100), failing(200))
    assert found.change == pytest.approx(1.0)
    assert re.fullmatch(r"failures: 1\.67 % then, 3\.33 % now: 2x as many \(1\.[67]x to 2\.[45]x\)", found.reason)


def test_failures_where_there_were_none_are_told_as_points() -> None:
    found = compare_failures(failing(0), failing(60))
    assert found.change is None
    assert re.fullmatch(r"failures: none then, 1 % now: 0\.7\d* points to 1\.2\d* points more", found.reason)


@pytest.mark.parametrize(
    ("then", "now", "verdict"),
    [(0, 0, Verdict.PASS), (10, 10, Verdict.UNDECIDED), (60, 20, Verdict.PASS), (10, 60, Verdict.FAIL)],
)
def test_failures_are_held_to_their_points(then: int, now: int, verdict: Verdict) -> None:
    assert compare_failures(failing(then), failing(now), tolerance=0.001).verdict is verdict


def test_failures_of_a_few_seconds_decide_nothing() -> None:
    found = compare_failures(failing(0), failing(0, seconds=5), tolerance=0.5)
    assert found.verdict is Verdict.UNDECIDED
    assert found.decides
