"""The phases of a load tile it, and each request belongs to one of them."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sloproof import Arrivals, LoadProfile, RateStage, UserStage
from sloproof.loadtests.outcome import Kind
from sloproof.loadtests.phases import PhaseCounter, Span, merged, spans
from sloproof.loadtests.plan import LoadPlan
from sloproof.loadtests.recorder import Recorder


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def test_a_stage_without_a_phase_belongs_to_the_one_before() -> None:
    profile = LoadProfile(
        name="spike",
        system="shop",
        locustfile="users/shop.py",
        duration="6m",
        users=20,
        warm_up="30s",
        stages=(
            UserStage(users=20, over="2m", phase="calm"),
            UserStage(users=200, over="0s"),
            UserStage(users=200, over="1m", phase="spike"),
            UserStage(users=20, over="0s"),
            UserStage(users=20, over="1m", phase="calm"),
        ),
    )
    expected = [("warm-up", 0, 30), ("calm", 30, 120), ("spike", 120, 180), ("calm", 180, 360)]
    assert profile.phases == expected
    plan = LoadPlan.of(profile, target="http://127.0.0.1:1", thresholds=(), allowed=())
    assert LoadPlan.model_validate_json(plan.model_dump_json()).phases == expected
    tenth = profile.shortened(Decimal("0.1")).phases
    assert [(span.name, round(span.start, 6), round(span.end, 6)) for span in tenth] == [
        (name, start / 10, end / 10) for name, start, end in expected
    ]


def test_a_load_of_one_kind_is_one_phase_beside_its_warm_up() -> None:
    assert spans([], seconds(10), seconds(0)) == [("load", 0, 10)]
    assert spans([], seconds(10), seconds(4)) == [("warm-up", 0, 4), ("load", 4, 10)]
    arrivals = Arrivals(rate=1, stages=(RateStage(rate=5, over="5s"), RateStage(rate=5, over="2s", phase="top")))
    profile = LoadProfile(name="a", system="b", locustfile="c.py", users=1, duration="10s", arrivals=arrivals)
    assert profile.phases == [("load", 0, 5), ("top", 5, 10)]


lengths = st.integers(min_value=0, max_value=40)


@given(st.lists(st.tuples(lengths, st.sampled_from([None, "a", "b"])), max_size=6), lengths)
def test_phases_tile_the_load(stages: list[tuple[int, str | None]], warm_up: int) -> None:
    length = sum(over for over, _ in stages) + 41
    found = spans([(seconds(over), phase) for over, phase in stages], seconds(length), seconds(warm_up))
    assert found[0].start == 0 and found[-1].end == length
    assert all(earlier.end == later.start for earlier, later in pairwise(found))
    assert all(span.end > span.start for span in found)
    assert all(earlier.name != later.name for earlier, later in pairwise(found))


def counted(begun: float = 1000.0) -> PhaseCounter:
    spans = [Span("warm-up", 0, 10), Span("calm", 10, 20), Span("spike", 20, 30)]
    counter = PhaseCounter(spans, [Decimal("0.5")], begun)
    recorder = Recorder([Decimal("0.5")], begun - 5, phases=counter)

    def complete(due: float, seconds: float, kind: Kind | None) -> None:
        recorder.complete("GET /", seconds, kind, None, begun + due + seconds)

    complete(-3, 0.1, None)  # a login before the first task
    complete(9.999, 4.0, None)  # due in the warm-up, over in the next phase
    complete(10.001, 0.5, "4xx")
    complete(25, 0.6, "5xx")
    complete(29, 0.1, "timeout")
    complete(33, 0.1, None)  # late, of the last phase
    list(recorder.close_until(begun + 60, begun + 60, 1, 0.0))
    return counter


def test_each_request_counts_in_the_phase_it_was_due_in() -> None:
    warm_up, calm, spike = counted().over([1019.0, 1021.0, 1022.0], 1030.0)
    assert (warm_up.completed, warm_up.in_flight, warm_up.slower) == (2, 0, {"0.5": 1})
    assert (calm.completed, calm.in_flight, calm.slower, calm.failed) == (1, 1, {"0.5": 0}, 0)
    assert (spike.completed, spike.in_flight, spike.slower, spike.failed) == (3, 2, {"0.5": 2}, 2)
    assert spike.errors == {"5xx": 1, "timeout": 1}
    assert (calm.rate, spike.rate) == (0.2, 0.5)


def test_a_load_that_ended_early_has_shorter_phases() -> None:
    ends = [(phase.start, phase.end) for phase in counted().over([], 1015.0)]
    assert ends == [(0, 10), (10, 15), (20, 20)]


def test_a_load_that_went_on_longer_stays_in_its_last_phase() -> None:
    assert counted().over([], 1050.0)[-1].end == 50


def test_the_phases_of_several_processes_are_summed() -> None:
    parts = [counted().over([1021.0], 1030.0), [], counted(2000.0).over([], 2030.0)]
    assert [phase.completed for phase in merged(parts)] == [4, 2, 6]
    assert [phase.in_flight for phase in merged(parts)] == [0, 0, 1]
    assert merged(parts)[2].errors == {"5xx": 2, "timeout": 2}
    assert merged(parts)[0].slower == {"0.5": 2}
    assert sum(merged(parts)[0].latency.values()) == 4
    assert merged([]) == []
