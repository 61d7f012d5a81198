"""A running load ends when an objective is missed beyond doubt, and for no other reason."""

import random
from decimal import Decimal

from sloproof.loadtests.arrivals import Arrivals
from sloproof.loadtests.early_stop import StopWatch, Watched
from sloproof.loadtests.evaluation import judge_load, judge_promises
from sloproof.loadtests.plan import LoadPlan
from sloproof.loadtests.profile import LoadProfile
from sloproof.loadtests.promises import Failures, Quantile
from sloproof.loadtests.result import EarlyMiss, LoadResult, RunTotals
from sloproof.loadtests.second import Second
from sloproof.slo import SLO, ErrorRatio, LatencyBelow, Service
from sloproof.verdict.evidence import PROMETHEUS, Counts
from sloproof.verdict.judge import Verdict
from sloproof.verdict.sequential import FEWEST_SECONDS

API = Service(name="api", owner="team", job="api")
AVAILABILITY = SLO(service=API, name="availability", objective="99", sli=ErrorRatio(errors='r{code="500"}', total="r"))
LATENCY = SLO(service=API, name="latency", objective="95", sli=LatencyBelow("500ms", histogram="d"))
BOTH = (AVAILABILITY, LATENCY)
RATE = 100


def plan(**changes: object) -> LoadPlan:
    profile = LoadProfile(
        name="open", system="api", locustfile="users/api.py", users=50, arrivals=Arrivals(rate=RATE), duration="2m"
    )
    return LoadPlan.of(profile, target="http://127.0.0.1:1", thresholds=[Decimal("0.50")], allowed=[]).model_copy(
        update=changes
    )


def seconds(failing: float, count: int, *, seed: int = 1, started: int = RATE, first: int = 1000) -> list[Second]:
    dice = random.Random(seed)
    return [
        Second(
            at=float(first + index),
            asked=float(RATE),
            started=started,
            completed=started,
            errors={"5xx": sum(dice.random() < failing for _ in range(started)), "429": 50},
            slower={"0.50": 1},
            latency={-200: started},
            users=50,
        )
        for index in range(count)
    ]


def stopped_at(told: list[Second], running: LoadPlan) -> tuple[int, list[EarlyMiss]] | None:
    watch = StopWatch([Watched.of(slo) for slo in BOTH])
    found = ((index, watch.missed(told[:index], running)) for index in range(1, len(told) + 1))
    return next(((index, misses) for index, misses in found if misses), None)


def stopped(told: list[Second]) -> LoadResult:
    run = plan().finished(told, RunTotals(), started_at=1000.3, drained_from=1000.0 + len(told), ended_at=1e4)
    after, misses = stopped_at(told, plan()) or (0, [])
    return run.stopped_because_missed(misses) if after else run


def counted(run: LoadResult) -> dict[str, Counts | None]:
    return {
        AVAILABILITY.identity: Counts(source=PROMETHEUS, total=run.completed, bad=run.failed),
        LATENCY.identity: Counts(source=PROMETHEUS, total=run.completed, bad=len(run.seconds)),
    }


def test_a_failing_target_is_stopped_within_seconds_and_the_objective_named() -> None:
    after, misses = stopped_at(seconds(0.05, 60), plan()) or (0, [])
    assert after == FEWEST_SECONDS
    assert [miss.objective for miss in misses] == [AVAILABILITY.identity]


def test_a_target_within_its_budget_runs_to_the_end() -> None:
    assert stopped_at(seconds(0.008, 120), plan()) is None


def test_what_happens_in_the_warm_up_stops_nothing() -> None:
    told = seconds(0.5, 20) + seconds(0.0, 60, first=1020)
    assert stopped_at(told, plan(warm_up=20.0)) is None
    assert stopped_at(told, plan(warm_up=0.0)) is not None


def test_a_generator_that_does_not_keep_its_rate_stops_nothing() -> None:
    assert stopped_at(seconds(0.05, 60, started=RATE // 2), plan()) is None


def test_the_stopped_run_fails_by_the_sequential_evidence_and_leaves_the_rest_open() -> None:
    run = stopped(seconds(0.05, 12))
    availability, latency = (result.judgement for result in judge_load(run, BOTH, counted(run)))
    assert (availability.verdict, latency.verdict) == (Verdict.FAIL, Verdict.UNDECIDED)
    assert availability.reason.startswith("stopped early: ") and "after 10 s" in availability.reason
    assert "0.25 % of targets that keep the budget of 1 %" in availability.reason
    assert "`api/availability` is missed" in latency.reason
    assert run.notes[0] == "stopped early: objective `api/availability` is missed"


def test_what_a_profile_promises_is_watched_and_judged_alike() -> None:
    promises = (Failures(below="1%"), Quantile("p95", below="500ms"))
    watch = StopWatch([Watched.of(promise) for promise in promises])
    told = seconds(0.05, 12)
    run = stopped(told).model_copy(update={"missed_early": watch.missed(told, plan())})
    assert [judge_promises(run, [promise])[0].verdict for promise in promises] == [Verdict.FAIL, Verdict.UNDECIDED]


def test_a_threshold_is_found_however_it_is_written() -> None:
    assert Watched.of(LATENCY).counts(seconds(0.0, 1)[0]) == (1, RATE)


def test_a_queue_at_its_budget_is_stopped_in_less_than_one_run_of_a_hundred() -> None:
    """Answers of a single server at 70 % utilisation come late together; the budget is just what such a queue needs."""
    stops = sum(_queue_is_stopped(seed) for seed in range(300))
    assert stops <= 3


def _queue_is_stopped(seed: int) -> bool:
    """M/M/1 at 20 requests a second: slower than the threshold that 5 % of answers exceed in the long run."""
    dice, rate, utilisation = random.Random(seed), 20.0, 0.7
    threshold = 3.0 / (rate / utilisation - rate)  # P(T > t) = exp(-(mu - lambda) t), 5 % at t = 3 / (mu - lambda)
    clock, free_at = 0.0, 0.0
    told: dict[int, list[bool]] = {}
    while clock < 60:
        clock += dice.expovariate(rate)
        free_at = max(free_at, clock) + dice.expovariate(rate / utilisation)
        told.setdefault(int(free_at), []).append(free_at - clock > threshold)
    watch, running = StopWatch([Watched.of(LATENCY)]), plan(asked_rate=None, users=1)
    run = [
        Second(at=float(at), completed=len(slow), slower={"0.5": sum(slow)}, users=1)
        for at, slow in sorted(told.items())
    ]
    return any(watch.missed(run[: index + 1], running) for index in range(len(run)))
