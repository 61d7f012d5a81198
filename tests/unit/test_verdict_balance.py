"""Who served how much, and when that is called unfair."""

from decimal import Decimal

import pytest

from sloproof.verdict import Verdict, judge_balance

MARGIN = Decimal(10)


def test_two_instances_that_share_evenly_are_balanced() -> None:
    balance = judge_balance({"a1": 600, "a2": 610}, MARGIN)
    assert balance.verdict is Verdict.PASS
    assert balance.fair == 0.5
    assert balance.worst == "a2"
    assert balance.excess == pytest.approx(0.413, abs=0.001)
    assert balance.excess_lower < balance.excess < balance.excess_upper


def test_one_instance_that_takes_three_quarters_is_not_balanced() -> None:
    balance = judge_balance({"a1": 900, "a2": 310}, MARGIN)
    assert balance.verdict is Verdict.FAIL
    assert "`a1` served 74.4 % of 1,210 requests" in balance.reason


def test_a_handful_of_requests_is_not_called_unfair() -> None:
    assert judge_balance({"a1": 9, "a2": 5}, MARGIN).verdict is Verdict.UNDECIDED
    assert judge_balance({"a1": 900, "a2": 500}, MARGIN).verdict is Verdict.FAIL


def test_an_idle_instance_fails_whatever_the_margin() -> None:
    balance = judge_balance({"a1": 900, "a2": 0}, Decimal(60))
    assert balance.verdict is Verdict.FAIL
    assert balance.idle == ("a2",)
    assert "`a2` served none" in balance.reason


def test_an_idle_instance_among_many_is_seen_though_nobody_exceeds_the_share() -> None:
    counts = {f"a{number}": 100.0 for number in range(9)} | {"a9": 0.0}
    assert judge_balance(counts, MARGIN).idle == ("a9",)


def test_an_instance_that_had_no_chance_yet_is_not_idle() -> None:
    balance = judge_balance({"a1": 2, "a2": 0}, MARGIN)
    assert balance.verdict is Verdict.UNDECIDED
    assert balance.idle == ()


@pytest.mark.parametrize("counts", [{}, {"a1": 500.0}, {"a1": 0.0, "a2": 0.0}, {"a1": float("nan"), "a2": 3.0}])
def test_nothing_to_share_is_undecided(counts: dict[str, float]) -> None:
    balance = judge_balance(counts, MARGIN)
    assert balance.verdict is Verdict.UNDECIDED
    assert balance.reason
