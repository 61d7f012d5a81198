"""Comparisons with an earlier run: an effect with bounds, and never a silent pass."""

import random

import pytest

from sloproof.verdict.comparison import FEWEST_WINDOWS, compare
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
    assert "nothing is a multiple" in compare("errors", [0.0] * 30, windows(1, 2)).reason


def test_a_run_that_is_half_as_slow_again_fails_and_says_by_how_much() -> None:
    found = compare("p95", windows(0.2, 1), windows(0.3, 2))
    assert found.verdict is Verdict.FAIL
    assert found.lower is not None and found.upper is not None and found.change is not None
    assert 0.1 < found.lower < found.change < found.upper
    assert found.reason.startswith("p95 is higher by ")


def test_the_same_load_again_passes_when_it_lasted_long_enough() -> None:
    assert compare("p95", windows(0.2, 1, 600), windows(0.2, 2, 600)).verdict is Verdict.PASS


def test_a_faster_run_passes() -> None:
    found = compare("p95", windows(0.3, 1), windows(0.2, 2))
    assert found.verdict is Verdict.PASS
    assert "lower by" in found.reason


def test_the_bounds_hold_the_true_change_in_most_runs_of_windows_that_cling_together() -> None:
    """Each bound is meant to hold in 95 % of the runs; windows drawn one by one would hold it in 80 %."""
    held = {"lower": 0, "upper": 0}
    for seed in range(100):
        found = compare("p95", windows(1, seed, 120), windows(1.2, seed + 1000, 120), seed=seed)
        assert found.lower is not None and found.upper is not None
        held["lower"] += found.lower <= 0.2
        held["upper"] += found.upper >= 0.2
    assert min(held.values()) >= 86


def test_the_same_seed_gives_the_same_bounds() -> None:
    before, after = windows(1, 1), windows(1.1, 2)
    assert compare("p95", before, after, seed=7) == compare("p95", before, after, seed=7)
