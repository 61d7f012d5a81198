"""The levels of a drill, and what is made of what it shows."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from sloproof.alerts import DEFAULT_POLICY, Timing
from sloproof.alerts.promise import Events, firing_promise
from sloproof.chaos.drill import AlertSight, TierDrill, judge_drill, seen_sentence
from sloproof.chaos.drill_plan import DrillOrder, DrillPlan, Level, experiment_of, level_faults, plan_drill
from sloproof.chaos.facts import AlertTimeline, RunFacts
from sloproof.chaos.faults import AbortRequests, DelayRequests
from sloproof.chaos.outcome import ChaosOutcome, FaultOutcome
from sloproof.errors import UsageError
from sloproof.loadtests.profile import LoadProfile
from sloproof.loadtests.result import LoadResult, Second
from sloproof.slo import SLO, ErrorRatio, GaugeBelow, LatencyBelow, Service
from sloproof.verdict.judge import Verdict

API = Service(name="api", owner="team", job="api")
AVAILABILITY = SLO(
    service=API, name="availability", objective="99.9", sli=ErrorRatio(errors='r{code="500"}', total="r")
)
LATENCY = SLO(service=API, name="latency", objective="95", sli=LatencyBelow("500ms", histogram="d"))
TIMING = Timing(scale=60, scrape=timedelta(seconds=1))
LOAD = LoadProfile(name="steady", system="api", locustfile="users/api.py", users=10, rate=100, duration="30s")


def plan(slo: SLO = AVAILABILITY, **order: Any) -> DrillPlan:
    return plan_drill(slo, DEFAULT_POLICY, TIMING, DrillOrder(**order))


def ratios(made: DrillPlan) -> list[Decimal]:
    return [level.ratio * 100 for level in made.levels]


def test_what_fires_one_tier_is_the_control_of_the_next() -> None:
    assert ratios(plan()) == [Decimal(each) for each in ("0", "0.08", "0.24", "0.48", "1.152", "4.32")]
    assert [level.fires for level in plan().levels] == ["", "", "trickle", "slow", "medium", "fast"]
    assert ratios(plan(LATENCY))[-1] == 100, "three times 72 % is more than there is"


def test_one_tier_is_tried_under_its_threshold_and_after_a_quiet_time_above_it() -> None:
    made = plan(tiers=("fast",))
    assert ratios(made) == [0, Decimal("1.152"), 0, Decimal("4.32")]
    assert [level.controls for level in made.levels] == ["", "fast", "", ""]
    assert made.levels[2].lasts == timedelta(minutes=1), "the long window is clean again"
    assert ratios(plan(tiers=("fast",), control=False)) == [0, Decimal("4.32")]


def test_a_tier_is_never_fired_by_what_fires_a_faster_one() -> None:
    assert ratios(plan(tiers=("medium",)))[-1] < DEFAULT_POLICY.tier("fast").threshold(AVAILABILITY) * 100


def test_each_level_is_long_enough_for_its_tier_to_fire() -> None:
    made = plan()
    at, events = 0.0, []
    for level in made.levels:
        for _ in range(round(level.lasts.total_seconds())):
            at += 1
            events.append(Events(at=at, bad=float(level.ratio) * 100, total=100.0))
        if level.fires:
            tier = DEFAULT_POLICY.tier(level.fires)
            promise = firing_promise(tier, AVAILABILITY, TIMING, events)
            assert promise is not None
            assert at - level.lasts.total_seconds() < promise.earliest
            assert promise.latest <= at


def test_an_objective_is_broken_in_the_way_that_it_counts() -> None:
    assert isinstance(level_faults(plan())[0][1], AbortRequests)
    fault = level_faults(plan(LATENCY))[0][1]
    assert isinstance(fault, DelayRequests)
    assert fault.delay == timedelta(milliseconds=800)


def test_objectives_that_are_broken_in_different_places_are_drilled_together() -> None:
    made = experiment_of("drill-api", [plan(), plan(LATENCY)], LOAD)
    assert len(made.faults) == 10
    assert made.length >= max(plan().length, plan(LATENCY).length) + timedelta(minutes=6), "the trickle clears"


@pytest.mark.parametrize(
    ("slo", "order", "why"),
    [
        (AVAILABILITY, {"tiers": ("quick",)}, "has no tier `quick`"),
        (AVAILABILITY, {"tiers": ("fast",), "ratio": Decimal("0.015")}, "is not 1.2 times as much"),
        (AVAILABILITY, {"tiers": ("fast",), "ratio": Decimal("1.5")}, "is not 1.2 times as much"),
        (AVAILABILITY.model_copy(update={"by": ("route",)}), {}, "is split by labels"),
        (
            AVAILABILITY.model_copy(update={"sli": GaugeBelow("0.7", gauge="cpu")}),
            {},
            "no fault spoils a known share",
        ),
        (AVAILABILITY.model_copy(update={"objective": Decimal(90)}), {"tiers": ("fast",)}, "is not 1.2 times as much"),
    ],
)
def test_what_cannot_be_drilled_is_refused(slo: SLO, order: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        plan(slo, **order)


START, CONTROL, FAULT, UNDONE, END = 1000.0, 1015.0, 1120.0, 1150.0, 1170.0
ALERT, SLOWER = "ApiAvailabilityFastBurn", "ApiAvailabilityMediumBurn"
# 4 % bad events after a clean minute: the minute before holds more than 1.44 % after 22 s.
IN_TIME = AlertTimeline(ALERT, firing_at=1142.0, notified_at=1143.0, cleared_at=1155.0, resolution_at=1156.0)


def facts(fast: AlertTimeline = IN_TIME, *, control: int = 10) -> RunFacts:
    def bad(at: float) -> int:
        return 40 if FAULT <= at < UNDONE else control if CONTROL <= at < CONTROL + 45 else 0

    seconds = [
        Second(at=at, started=1000, completed=1000, errors={"5xx": bad(at)}, latency={-200: 1000})
        for at in (float(second) for second in range(int(START), int(END)))
    ]
    load = LoadResult(
        profile="steady",
        system="api",
        target="http://127.0.0.1:1",
        locustfile="users/api.py",
        users=10,
        asked_rate=1000.0,
        started_at=START,
        drained_from=END,
        ended_at=END,
        seconds=seconds,
    )
    faults = (
        FaultOutcome(fault="1", injected_at=CONTROL, verified=True, undone_at=CONTROL + 45, undo_verified=True),
        FaultOutcome(fault="2", injected_at=FAULT, verified=True, undone_at=UNDONE, undo_verified=True),
    )
    slower = AlertTimeline(SLOWER, firing_at=1130.0, notified_at=1131.0, cleared_at=1180.0)
    others = {name: AlertTimeline(name) for name in ("ApiAvailabilitySlowBurn", "ApiAvailabilityTrickleBurn")}
    return RunFacts(
        load=load,
        chaos=ChaosOutcome(status="completed", faults=faults),
        objectives=(),
        alerts={ALERT: fast, SLOWER: slower, **others},
        before={},
        policies={"api/availability": DEFAULT_POLICY},
        timing=TIMING,
    )


PLAN = DrillPlan(
    AVAILABILITY,
    (DEFAULT_POLICY.tier("fast"),),
    (
        Level(Decimal(0), timedelta(seconds=15)),
        Level(Decimal("0.01152"), timedelta(seconds=45), controls="fast"),
        Level(Decimal(0), timedelta(seconds=60)),
        Level(Decimal("0.04"), timedelta(seconds=30), fires="fast"),
    ),
    timedelta(seconds=20),
)


def judged(run: RunFacts, held: str = "suppressed", notifications: tuple[dict[str, Any], ...] = ()) -> TierDrill:
    sights = [AlertSight(at, {ALERT: "active", SLOWER: held}) for at in (1146.0, 1148.0, 1150.0)]
    return judge_drill([PLAN], run, sights, notifications)[0]


def verdicts(drilled: TierDrill) -> dict[str, Verdict]:
    return {one.expected.partition(": ")[2]: one.verdict for one in drilled.findings}


def test_a_tier_that_keeps_all_promises_passes() -> None:
    found = judged(facts())
    assert found.verdict is Verdict.PASS, found.findings
    assert found.fired == 22.0
    assert found.cleared == 5.0
    assert found.control is not None
    assert 0.4 < found.control < 0.7
    assert found.seen == pytest.approx(0.04)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"firing_at": 1160.0, "notified_at": 1161.0}, "fires within its promise"),
        ({"firing_at": 1122.0, "notified_at": 1123.0}, "fires within its promise"),
        ({"firing_at": None}, "fires within its promise"),
        ({"notified_at": None}, "fires within its promise"),
        ({"firing_at": 1040.0, "notified_at": 1041.0}, "stays quiet under its threshold"),
        ({"cleared_at": 1168.0}, "resolves within its promise"),
        ({"cleared_at": None}, "resolves within its promise"),
        ({"resolution_at": None}, "resolves within its promise"),
    ],
)
def test_a_broken_promise_fails(changes: dict[str, Any], what: str) -> None:
    found = judged(facts(replace(IN_TIME, **changes)))
    assert verdicts(found)[what] is Verdict.FAIL, found.findings
    assert found.verdict is Verdict.FAIL


def test_a_slower_tier_that_is_told_of_meanwhile_fails() -> None:
    assert verdicts(judged(facts(), held="active"))["keeps `medium` quiet"] is Verdict.FAIL
    told = {
        "received_at": 1147.0,
        "payload": {"alerts": [{"status": "firing", "labels": {"alertname": SLOWER}}]},
    }
    assert verdicts(judged(facts(), notifications=(told,)))["keeps `medium` quiet"] is Verdict.FAIL


def test_a_control_that_crosses_the_threshold_by_chance_decides_nothing() -> None:
    loud = replace(IN_TIME, firing_at=1017.0, notified_at=1018.0)
    drilled = judged(facts(loud, control=80))
    assert (drilled.verdict, drilled.fired) == (Verdict.UNDECIDED, None), "no alert is blamed for it"
    found = verdicts(drilled)
    assert found["stays quiet under its threshold"] is Verdict.UNDECIDED
    assert found["fires within its promise"] is Verdict.UNDECIDED


def test_a_fault_that_never_took_hold_decides_nothing() -> None:
    run = facts()
    none = replace(
        run, chaos=ChaosOutcome(status="completed", faults=(FaultOutcome(fault="1"), FaultOutcome(fault="2")))
    )
    assert judged(none).verdict is Verdict.UNDECIDED


def test_a_runbook_is_told_what_was_seen_in_a_sentence() -> None:
    assert seen_sentence(judged(facts()), "2026-11-22", 60) == (
        "seen on 2026-11-22: fired after 22 s, promised 21-24 s; cleared 5 s after the undo, promised 3-6 s "
        "(4 % bad events, windows divided by 60)"
    )
