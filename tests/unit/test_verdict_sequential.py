"""The sequential test: it stops what is beyond doubt, and hardly ever what is healthy."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloproof.verdict.sequential import FEWEST_SECONDS, EarlyStop, evidence


def seconds(ratio: float, count: int, seed: int, rate: int = 100) -> list[tuple[int, int]]:
    dice = random.Random(seed)
    return [(sum(dice.random() < ratio for _ in range(rate)), rate) for _ in range(count)]


def stopped_after(told: list[tuple[int, int]], budget: float) -> int | None:
    test = EarlyStop(budget)
    for bad, total in told:
        test.add(bad, total)
    return test.stopped_after


def test_a_target_at_its_budget_is_hardly_ever_stopped() -> None:
    stopped = [stopped_after(seconds(0.05, 120, seed), 0.05) for seed in range(100)]
    assert sum(after is not None for after in stopped) <= 2


def test_a_doubled_budget_is_found_within_seconds() -> None:
    stopped = [stopped_after(seconds(0.1, 60, seed), 0.05) for seed in range(50)]
    found = sorted(after for after in stopped if after is not None)
    assert len(found) == 50
    assert found[25] <= FEWEST_SECONDS + 3


def test_a_single_stall_stops_nothing() -> None:
    told = seconds(0.0, 60, 1)
    told[20] = (100, 100)
    assert stopped_after(told, 0.01) is None


def test_once_stopped_it_stays_stopped() -> None:
    test = EarlyStop(0.01)
    answers = [test.add(bad, total) for bad, total in [*seconds(0.5, 20, 1), *seconds(0.0, 50, 2)]]
    assert answers.index(True) == FEWEST_SECONDS - 1
    assert all(answers[FEWEST_SECONDS - 1 :])


@pytest.mark.parametrize("budget", [0.00001, 0.5, 0.9995])
def test_budgets_at_the_edge_are_judged_too(budget: float) -> None:
    assert stopped_after(seconds(0.0, 30, 1), budget) is None


def test_no_seconds_tell_nothing() -> None:
    assert evidence([], 0.1) == 0
    assert evidence([(0, 0)] * 20, 0.1) == 0


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(30, 60)), min_size=1, max_size=40))
def test_the_more_goes_wrong_the_stronger_the_evidence_at_one_clustering(told: list[tuple[int, int]]) -> None:
    """With all seconds alike nothing clusters, and evidence grows with the share of bad events alone."""
    bad, total = max(told)
    few = evidence([(bad // 2, total)] * 20, 0.02)
    many = evidence([(bad, total)] * 20, 0.02)
    assert many >= few
