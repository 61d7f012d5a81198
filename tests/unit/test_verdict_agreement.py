"""Two sources of one run."""

import pytest

from sloproof.verdict import LOAD_GENERATOR, PROMETHEUS, Counts, Judgement, Tolerance, Verdict, compare, confirm


def load(total: float, bad: float = 0, censored: int = 0) -> Counts:
    return Counts(source=LOAD_GENERATOR, total=total, bad=bad, censored=censored)


def server(total: float, bad: float = 0) -> Counts:
    return Counts(source=PROMETHEUS, total=total, bad=bad)


@pytest.mark.parametrize(("total", "agrees"), [(1200, True), (1224, True), (1225, False), (1176, True), (1175, False)])
def test_totals_may_differ_by_two_per_cent(total: float, agrees: bool) -> None:
    assert compare(load(1200), server(total)).agrees is agrees


@pytest.mark.parametrize(("total", "agrees"), [(25, True), (26, False), (15, True)])
def test_small_totals_may_differ_by_five_events(total: float, agrees: bool) -> None:
    assert compare(load(20), server(total)).agrees is agrees


def test_errors_that_one_source_did_not_see_are_a_disagreement() -> None:
    agreement = compare(load(10_000, 100), server(10_000, 60))
    assert not agreement.agrees
    assert agreement.bad_difference == -40
    assert agreement.bad_relative == pytest.approx(-0.4)
    assert "100 bad requests" in agreement.reason
    assert "60" in agreement.reason


def test_differences_are_told_even_where_the_sources_agree() -> None:
    agreement = compare(load(1200, 3), server(1210, 5))
    assert agreement.agrees
    assert agreement.total_difference == 10
    assert agreement.total_relative == pytest.approx(10 / 1210)
    assert agreement.bad_difference == 2


def test_open_requests_may_or_may_not_be_counted_by_the_server() -> None:
    assert compare(load(200, censored=20), server(180)).agrees
    assert not compare(load(200), server(180)).agrees


@pytest.mark.parametrize(
    ("first", "second"),
    [(load(0), server(0)), (load(0), server(3)), (load(3), server(0)), (load(float("nan")), server(5))],
)
def test_a_silent_source_agrees_with_nobody(first: Counts, second: Counts) -> None:
    agreement = compare(first, second)
    assert not agreement.agrees
    assert agreement.total_difference is None
    assert agreement.reason


def test_the_tolerance_can_be_tightened() -> None:
    assert not compare(load(1200), server(1201), Tolerance(total=0, bad=0, events=0)).agrees


def test_a_disagreement_takes_the_verdict_away() -> None:
    passed = Judgement(
        slo="tasks/availability", verdict=Verdict.PASS, counts=load(5000), confidence=0.95, reason="it held"
    )
    assert confirm(passed, compare(load(5000), server(5001))) is passed
    doubted = confirm(passed, compare(load(5000), server(2000)))
    assert doubted.verdict is Verdict.UNDECIDED
    assert "disagree" in doubted.reason
