"""One step of a capacity search: what held, what gave way, and when it tells nothing."""

import heapq
import random
from decimal import Decimal

import pytest

from sloproof.loadtests import histogram
from sloproof.loadtests.arrivals import Arrivals
from sloproof.loadtests.capacity import Step
from sloproof.loadtests.capacity_step import judge_step, least_rate, most_at_once
from sloproof.loadtests.early_stop import Watched
from sloproof.loadtests.plan import LoadPlan
from sloproof.loadtests.profile import LoadProfile
from sloproof.loadtests.result import LoadResult, RunTotals
from sloproof.loadtests.second import Second
from sloproof.slo import SLO, ErrorRatio, GaugeBelow, LatencyBelow, Service
from sloproof.verdict.judge import Verdict

API = Service(name="api", owner="team", job="api")
AVAILABILITY = SLO(service=API, name="availability", objective="95", sli=ErrorRatio(errors='r{code="500"}', total="r"))
LATENCY = SLO(service=API, name="latency", objective="95", sli=LatencyBelow("1500ms", histogram="d"))
BOTH = (AVAILABILITY, LATENCY)
LENGTH = 30


def step_of(seconds: list[Second], rate: float, *, slos: tuple[SLO, ...] = BOTH, users: int = 1000) -> Step:
    return judge_step(Decimal(str(rate)), run_of(seconds, rate, users=users), [Watched.of(slo) for slo in slos])


def run_of(seconds: list[Second], rate: float, *, users: int) -> LoadResult:
    profile = LoadProfile(
        name="open",
        system="api",
        locustfile="users/api.py",
        users=users,
        arrivals=Arrivals(rate=Decimal(str(rate))),
        duration=f"{LENGTH}s",
    )
    plan = LoadPlan.of(profile, target="http://127.0.0.1:1", thresholds=[Decimal("1.5")], allowed=[])
    return plan.finished(seconds, RunTotals(), started_at=0.0, drained_from=float(LENGTH), ended_at=seconds[-1].at + 1)


def queue(rate: float, slots: int, seed: int | None = None, failing: float = 0.0) -> list[Second]:
    """A target of so many slots of one second each (exponential with a seed, as are the arrivals)."""
    dice, free, now = random.Random(seed), [0.0] * slots, 0.0
    found = {at: Second(at=float(at), asked=rate, users=1000, slower={"1.5": 0}) for at in range(LENGTH)}
    open_ones: list[tuple[float, float]] = []
    while (now := now + (1 / rate if seed is None else dice.expovariate(rate))) < LENGTH:
        begun = max(now, heapq.heappop(free))
        ended = begun + (1.0 if seed is None else dice.expovariate(1.0))
        heapq.heappush(free, ended)
        open_ones.append((now, ended))
    for arrived, ended in open_ones:
        found[int(arrived)].started += 1
        second = found.setdefault(int(ended), Second(at=float(int(ended)), asked=0.0, slower={"1.5": 0}))
        bucket = histogram.bucket(ended - arrived)
        second.completed += 1
        second.slower["1.5"] += ended - arrived > 1.5
        second.latency[bucket] = second.latency.get(bucket, 0) + 1
        if dice.random() < failing:
            second.errors["5xx"] = second.errors.get("5xx", 0) + 1
    for at, second in found.items():
        second.in_flight = sum(arrived < at + 1 <= ended for arrived, ended in open_ones)
    return [found[at] for at in sorted(found)]


def test_a_rate_that_the_target_works_off_holds() -> None:
    step = step_of(queue(9, slots=10), 9)
    assert step.verdict is Verdict.PASS and step.gave_way == []
    assert step.achieved == pytest.approx(9, rel=0.05)


def test_a_rate_above_the_capacity_gives_way_in_latency_and_throughput() -> None:
    step = step_of(queue(12, slots=10), 12)
    assert step.verdict is Verdict.FAIL
    assert [way.kind for way in step.gave_way] == ["latency", "throughput"]
    assert step.gave_way[0].objective == "api/latency"
    assert "/s were answered of 12/s asked" in step.gave_way[1].reason


def test_a_queue_that_grows_fails_before_its_answers_are_slow() -> None:
    """At 5 % over the capacity, half a minute is too short for the objective to be missed, but not to see it coming."""
    step = step_of(queue(10.5, slots=10), 10.5, slos=(AVAILABILITY,))
    assert step.verdict is Verdict.FAIL
    assert [way.kind for way in step.gave_way] == ["throughput"]


def test_failed_answers_are_named_as_such() -> None:
    step = step_of(queue(9, slots=10, failing=0.3), 9)
    assert step.verdict is Verdict.FAIL
    assert [(way.kind, way.objective) for way in step.gave_way] == [("errors", "api/availability")]


def test_refused_connections_are_errors_and_no_answers() -> None:
    refused = [
        second.model_copy(update={"errors": {"connection": second.completed}, "slower": {"1.5": second.completed}})
        for second in queue(9, slots=10)
    ]
    step = step_of(refused, 9, slos=(LATENCY,))
    assert step.verdict is Verdict.FAIL and step.achieved == 0
    assert [way.kind for way in step.gave_way] == ["errors"]


def test_a_busy_queue_that_is_worked_off_is_hardly_ever_taken_for_one_that_grows() -> None:
    steps = [step_of(queue(14, slots=20, seed=seed), 14, slos=(AVAILABILITY,)) for seed in range(100)]
    assert sum(step.verdict is Verdict.FAIL for step in steps) <= 2


def test_a_stall_late_in_a_step_is_no_queue_that_grows() -> None:
    seconds = queue(9, slots=10)
    for at in (26, 27, 28):
        seconds[at].in_flight = 40
    assert step_of(seconds, 9).verdict is Verdict.PASS


def test_a_generator_that_did_not_make_the_rate_decides_nothing() -> None:
    seconds = queue(9, slots=10)
    late = [second.model_copy(update={"late": 0.5, "lag": 0.6}) for second in seconds]
    step = step_of(late, 9)
    assert (step.verdict, step.saturated) == (Verdict.UNDECIDED, True)
    assert "late" in step.reason


def test_users_that_all_wait_for_a_slow_target_are_no_fault_of_the_generator() -> None:
    users = most_at_once(Decimal(20), [Watched.of(slo) for slo in BOTH])
    seconds = [
        second.model_copy(update={"in_flight": users, "waiting": 5 * index, "users": users})
        for index, second in enumerate(queue(20, slots=10))
    ]
    assert step_of(seconds, 20, users=users).verdict is Verdict.FAIL


def test_users_that_are_simply_too_few_decide_nothing() -> None:
    """Five users of a target that takes a second make five a second: nine were never sent."""
    seconds = [
        second.model_copy(update={"in_flight": 5, "waiting": 10 + 4 * index, "users": 5})
        for index, second in enumerate(queue(9, slots=10))
    ]
    step = step_of(seconds, 9, users=5)
    assert (step.verdict, step.saturated) == (Verdict.UNDECIDED, True)


def test_too_few_requests_are_undecided_and_foretell_how_long_a_step_would_decide() -> None:
    strict = AVAILABILITY.model_copy(update={"objective": Decimal("99")})
    step = step_of(queue(9, slots=10), 9, slos=(strict,))
    assert step.verdict is Verdict.UNDECIDED
    assert step.longer == pytest.approx(1.2 * 299 / 270, rel=0.05)
    assert "api/availability: " in step.reason


def test_only_what_a_client_can_see_is_searched_for() -> None:
    memory = SLO(service=API, name="memory", objective="99", sli=GaugeBelow(70, gauge="m"))
    assert [slo.sli.seen_by_clients for slo in (AVAILABILITY, LATENCY, memory)] == [True, True, False]


def test_a_lower_rate_could_not_even_prove_that_a_flawless_target_holds() -> None:
    watched = [Watched.of(slo) for slo in BOTH]
    assert float(least_rate(watched, 10)) == pytest.approx(59 / 40, rel=0.02)  # 0.95 ** 59 is the first below 0.05
    strict = Watched("strict", Decimal("0.001"), None)
    assert float(least_rate([*watched, strict], 10)) == pytest.approx(2995 / 40, rel=0.001)


def test_a_target_that_turns_requests_away_does_not_hold_the_rate() -> None:
    seconds = queue(40, 50)
    for second in seconds:
        second.errors = {"429": second.completed // 4}
    step = step_of(seconds, 40)
    assert step.verdict is Verdict.FAIL
    (way,) = step.gave_way
    assert way.kind == "throughput" and "of the answers were 429" in way.reason
    assert step.achieved is not None and step.achieved < 32


def test_a_single_answer_of_429_is_no_limit() -> None:
    seconds = queue(40, 50)
    seconds[10].errors = {"429": 1}
    assert step_of(seconds, 40).verdict is Verdict.PASS
