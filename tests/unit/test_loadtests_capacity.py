"""A capacity search finds what a made-up target can do, and claims nothing that was not proven."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloproof.cli.capacity import sentence
from sloproof.errors import UsageError
from sloproof.loadtests.capacity import MOST_STEPS, Ask, Capacity, GaveWay, Limits, Step, concluded, next_step
from sloproof.verdict.judge import Verdict

Target = Callable[[Ask], Step]
SLOW = GaveWay(kind="latency", objective="api/latency", reason="slow")
TEN = Limits(first=Decimal(4), precision=Decimal("0.05"))


def held(ask: Ask) -> Step:
    return Step(rate=ask.rate, verdict=Verdict.PASS)


def missed(ask: Ask) -> Step:
    return Step(rate=ask.rate, verdict=Verdict.FAIL, gave_way=[SLOW])


def undecided(ask: Ask, *, longer: float | None = None, saturated: bool = False) -> Step:
    return Step(rate=ask.rate, verdict=Verdict.UNDECIDED, longer=longer, saturated=saturated, reason="too little")


def holds_up_to(capacity: float) -> Target:
    return lambda ask: held(ask) if ask.rate <= capacity else missed(ask)


def searched(target: Target, limits: Limits = TEN) -> Capacity:
    steps: list[Step] = []
    while (ask := next_step(steps, limits)) is not None:
        steps.append(target(ask))
    return concluded(steps, limits)


@given(st.floats(4, 5000), st.sampled_from(["0.02", "0.05", "0.2"]))
def test_the_bounds_hold_the_capacity_and_are_as_close_as_asked(capacity: float, precision: str) -> None:
    found = searched(holds_up_to(capacity), Limits(first=Decimal(4), precision=Decimal(precision)))
    assert (found.outcome, found.verdict) == ("found", Verdict.PASS)
    assert found.holds is not None and found.gives_way is not None
    assert found.holds <= capacity < found.gives_way
    assert found.gives_way - found.holds <= Decimal(precision) * found.gives_way
    assert found.gave_way == [SLOW]
    assert len(found.steps) < MOST_STEPS


def test_no_step_is_far_above_the_capacity() -> None:
    assert max(step.rate for step in searched(holds_up_to(1000)).steps) <= 2000


def test_a_search_that_begins_too_high_goes_down() -> None:
    found = searched(holds_up_to(10), Limits(first=Decimal(100)))
    assert found.outcome == "found"
    assert found.holds is not None and found.gives_way is not None
    assert found.holds <= 10 < found.gives_way


def test_a_target_that_holds_nothing_fails() -> None:
    found = searched(missed)
    assert (found.outcome, found.verdict, found.holds) == ("none-holds", Verdict.FAIL, None)
    assert found.gives_way is not None and found.gives_way < 1


def test_a_search_does_not_go_down_to_rates_that_could_prove_nothing() -> None:
    limits = Limits(first=Decimal(6), least=Decimal("0.7"))
    found = searched(lambda ask: missed(ask) if ask.rate >= limits.least else undecided(ask), limits)
    assert [step.rate for step in found.steps] == [6, 3, Decimal("1.5"), Decimal("0.75")]
    assert (found.outcome, found.verdict.exit_code) == ("none-holds", 1)


@pytest.mark.parametrize(
    ("holds", "fails", "told"),
    [
        (None, "6", "undecided: 6/s do not hold; nothing was proven below"),
        ("4", None, "undecided: 4/s hold; nothing was proven above"),
        ("4", "6", "undecided: 4/s hold, 6/s do not; nothing was proven in between"),
        (None, None, "undecided: no rate was decided"),
    ],
)
def test_what_stays_open_is_told_in_a_sentence(holds: str | None, fails: str | None, told: str) -> None:
    bounds = {"holds": holds, "gives_way": fails}
    assert sentence(Capacity.model_validate({"outcome": "undecided", "gave_way": [], "steps": [], **bounds})) == told


def test_the_highest_rate_asked_for_is_a_lower_bound() -> None:
    found = searched(held, Limits(first=Decimal(4), most=Decimal(50)))
    assert found.outcome == "at-least" and found.holds == 50 and found.gives_way is None
    assert max(step.rate for step in found.steps) == 50


def test_a_generator_at_its_end_is_no_capacity() -> None:
    found = searched(lambda ask: held(ask) if ask.rate < 30 else undecided(ask, saturated=True))
    assert (found.outcome, found.verdict, found.gives_way) == ("undecided", Verdict.UNDECIDED, None)
    assert found.holds == 16
    assert [step.saturated for step in found.steps].count(True) == 1


def test_an_undecided_stretch_widens_the_bounds_and_is_no_capacity() -> None:
    found = searched(lambda ask: undecided(ask) if 8 < ask.rate < 12 else holds_up_to(8)(ask))
    assert found.outcome == "undecided"
    assert found.holds is not None and found.gives_way is not None
    assert found.holds <= 8 and found.gives_way >= 12
    assert float(found.holds) == pytest.approx(8, rel=0.06)
    assert float(found.gives_way) == pytest.approx(12, rel=0.06)


def test_a_step_that_a_longer_one_would_decide_is_repeated_once() -> None:
    def target(ask: Ask) -> Step:
        return holds_up_to(10)(ask) if ask.longer > 2 else undecided(ask, longer=2.5)

    found = searched(target)
    assert found.outcome == "found"
    assert [step.verdict for step in found.steps[:2]] == [Verdict.UNDECIDED, Verdict.PASS]
    assert found.steps[0].rate == found.steps[1].rate


def test_what_stays_undecided_is_not_repeated_for_ever() -> None:
    found = searched(lambda ask: undecided(ask, longer=2.0), Limits(first=Decimal(4), most=Decimal(20)))
    assert found.outcome == "undecided" and found.holds is None and found.gives_way is None
    assert len(found.steps) == 2 * 4  # 4, 8, 16 and 20


def test_low_rates_that_decide_nothing_do_not_hide_what_higher_ones_prove() -> None:
    """An objective of many nines needs more requests than a quiet step has."""
    found = searched(lambda ask: undecided(ask, longer=50) if ask.rate < 20 else holds_up_to(100)(ask))
    assert found.outcome == "found"


def test_a_higher_rate_that_happens_to_hold_does_not_outweigh_a_lower_one_that_does_not() -> None:
    steps = [held(Ask(Decimal(4))), held(Ask(Decimal(9))), missed(Ask(Decimal(6)))]
    found = concluded(steps, TEN)
    assert found.holds == 4 and found.gives_way == 6


def test_a_search_without_a_step_found_nothing() -> None:
    assert concluded([], TEN).outcome == "undecided"


@given(st.lists(st.sampled_from([held, missed, undecided]), min_size=MOST_STEPS, max_size=MOST_STEPS))
def test_every_search_ends_and_never_claims_a_rate_that_did_not_hold(answers: list[Target]) -> None:
    def target(ask: Ask) -> Step:
        return answers.pop()(ask)

    found = searched(target)
    assert len(found.steps) <= MOST_STEPS
    if found.outcome == "found":
        assert any(step.rate == found.holds and step.verdict is Verdict.PASS for step in found.steps)
        assert any(step.rate == found.gives_way and step.verdict is Verdict.FAIL for step in found.steps)


@pytest.mark.parametrize(
    "limits",
    [
        Limits(first=Decimal(0)),
        Limits(first=Decimal(10), most=Decimal(5)),
        Limits(first=Decimal(10), precision=Decimal(1)),
        Limits(first=Decimal(10), precision=Decimal("0.001")),
    ],
)
def test_limits_that_make_no_sense_are_refused(limits: Limits) -> None:
    with pytest.raises(UsageError) as refused:
        limits.checked()
    assert refused.value.hint
