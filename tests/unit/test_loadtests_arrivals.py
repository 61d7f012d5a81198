"""Arrivals: their times follow from the definition alone."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sloproof import LoadProfile
from sloproof.loadtests.arrivals import Arrivals, RateStage, Schedule, rate_at
from sloproof.loadtests.plan import LoadPlan

TEN = timedelta(seconds=10)


def times(arrivals: Arrivals, duration: timedelta = TEN) -> list[float]:
    return list(Schedule.of(arrivals, duration).times())


def test_a_constant_rate_arrives_like_clockwork() -> None:
    found = times(Arrivals(rate=50))
    assert len(found) == 500
    assert found[:3] == pytest.approx([0.01, 0.03, 0.05])
    assert {round(later - earlier, 6) for earlier, later in pairwise(found)} == {0.02}


def test_a_ramp_arrives_as_often_as_the_area_under_its_rate_says() -> None:
    arrivals = Arrivals(rate=0, stages=(RateStage(rate=100, over="5s"), RateStage(rate=20, over="0s")))
    found = times(arrivals)
    assert len(found) == 250 + 100
    assert sum(time < 2.5 for time in found) == pytest.approx(62.5, abs=1)  # a quarter of the ramp's area
    assert sum(5 <= time < 6 for time in found) == pytest.approx(20, abs=1)


rates = st.integers(min_value=0, max_value=300)
stages = st.lists(st.tuples(rates, st.integers(min_value=0, max_value=3000)), max_size=5)


@given(first=rates, then=stages, spacing=st.sampled_from(["even", "poisson"]))
def test_arrivals_are_in_order_within_the_load_and_as_many_as_expected(
    first: int, then: list[tuple[int, int]], spacing: str
) -> None:
    if not any((first, *(rate for rate, _ in then))):
        return
    arrivals = Arrivals.model_validate(
        {
            "rate": first,
            "stages": [{"rate": r, "over": timedelta(milliseconds=ms)} for r, ms in then],
            "spacing": spacing,
        }
    )
    duration = timedelta(seconds=16)
    schedule, found = Schedule.of(arrivals, duration), times(arrivals, duration)
    assert all(0 <= time <= 16 for time in found)
    assert all(earlier <= later for earlier, later in pairwise(found))
    allowed = 0.51 if spacing == "even" else 6 * schedule.expected**0.5 + 5
    assert abs(len(found) - schedule.expected) <= allowed


def test_poisson_arrivals_depend_on_their_seed_alone() -> None:
    one, same, other = (times(Arrivals(rate=100, spacing="poisson", seed=seed)) for seed in (1, 1, 2))
    assert one == same != other
    gaps = [later - earlier for earlier, later in pairwise(one)]
    mean = sum(gaps) / len(gaps)
    variance = sum((gap - mean) ** 2 for gap in gaps) / len(gaps)
    assert mean == pytest.approx(0.01, rel=0.15)
    assert variance**0.5 == pytest.approx(mean, rel=0.2)  # exponential gaps vary as much as they last


def test_the_rate_can_be_asked_for_at_any_time() -> None:
    stretches = Schedule.of(Arrivals(rate=10, stages=(RateStage(rate=30, over="4s"),)), TEN).stretches
    assert [rate_at(stretches, second) for second in (-1, 0, 2, 4, 9.9, 10)] == [0, 10, 20, 30, 30, 0]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"rate": 0}, "nothing would be sent"),
        ({"rate": -1}, "greater than or equal to 0"),
        ({"rate": 0.5}, "a float is not exact"),
        ({"rate": 1, "spacing": "uniform"}, "'even' or 'poisson'"),
    ],
)
def test_arrivals_that_make_no_sense_are_refused(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Arrivals.model_validate(wrong)


def test_a_profile_has_one_model_and_room_for_its_stages() -> None:
    fields = {"name": "open", "system": "tasks", "locustfile": "users/tasks.py", "users": 10, "duration": "10s"}
    with pytest.raises(ValidationError, match="not both"):
        LoadProfile(**fields, rate=5, arrivals=Arrivals(rate=5))
    with pytest.raises(ValidationError, match="the stages last 11 s, the load 10 s"):
        LoadProfile(**fields, arrivals=Arrivals(rate=5, stages=(RateStage(rate=6, over="11s"),)))
    profile = LoadProfile(**fields, arrivals=Arrivals(rate=5, stages=(RateStage(rate=15, over="10s"),)))
    plan = LoadPlan.of(profile, target="http://127.0.0.1:1", thresholds=(), allowed=())
    assert plan.asked_rate == 10
    assert LoadPlan.model_validate_json(plan.model_dump_json()) == plan
