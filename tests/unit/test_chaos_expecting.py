from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sloproof.alerts import DEFAULT_POLICY, Timing
from sloproof.chaos.alert_watch import timelines, unwatched
from sloproof.chaos.expecting import Finding, findings, judge, unsteady
from sloproof.chaos.experiment import Balanced, Experiment, Fires, Holds, Quiet, RecoversWithin, Resolves
from sloproof.chaos.facts import AlertTimeline, RunFacts
from sloproof.chaos.faults import DelayRequests
from sloproof.chaos.outcome import ChaosOutcome, FaultOutcome
from sloproof.chaos.stage import Stage, verdict_of
from sloproof.loadtests.evaluation import judge_load
from sloproof.loadtests.profile import LoadProfile
from sloproof.loadtests.result import LoadResult, Second
from sloproof.slo import SLO, LatencyBelow, Service
from sloproof.verdict.evidence import PROMETHEUS, Counts
from sloproof.verdict.judge import Verdict

API = Service(name="api", owner="team", job="api")
LATENCY = SLO(service=API, name="latency", objective="95", sli=LatencyBelow("500ms", histogram="d"))
TIMING = Timing(scale=120, scrape=timedelta(milliseconds=500))
ALERT = "ApiLatencySlowBurn"
START, FAULT, UNDONE, END = 1000.0, 1060.0, 1140.0, 1200.0
LOAD = LoadProfile(name="steady", system="api", locustfile="users/api.py", users=10, rate=100, duration="200s")


def second(at: int) -> Second:
    slow = 30 if FAULT <= at < UNDONE else 0
    return Second(
        at=float(at),
        started=100,
        completed=100,
        slower={"0.5": slow},
        served_by={"a1": 50, "a2": 50},
        latency={-200: 100},
    )


def facts(
    timeline: AlertTimeline | None = None, *, fault: FaultOutcome | None = None, served: Mapping[str, int] | None = None
) -> RunFacts:
    seconds = [second(at) for at in range(int(START), int(END))]
    if served is not None:
        seconds = [one.model_copy(update={"served_by": dict(served)}) for one in seconds]
    load = LoadResult(
        profile="steady",
        system="api",
        target="http://127.0.0.1:1",
        locustfile="users/api.py",
        users=10,
        asked_rate=100.0,
        started_at=START,
        drained_from=END,
        ended_at=END,
        seconds=seconds,
    )
    injected = fault or FaultOutcome(
        fault="1-delay", injected_at=FAULT, verified=True, evidence="rose", undone_at=UNDONE, undo_verified=True
    )
    counted: dict[str, Counts | None] = {"api/latency": Counts(source=PROMETHEUS, total=20_000, bad=2_400)}
    return RunFacts(
        load=load,
        chaos=ChaosOutcome(status="completed", faults=(injected,)),
        objectives=judge_load(load, [LATENCY], counted),
        alerts={} if timeline is None else {ALERT: timeline},
        before={},
        policies={"api/latency": DEFAULT_POLICY},
        timing=TIMING,
        instances=("a1", "a2"),
    )


def fires(timeline: AlertTimeline, **others: Any) -> Finding:
    return judge(Fires(LATENCY, tier="slow", **others), facts(timeline))


# A minute of good events, then 30 % bad ones: 15 % of all are bad after another minute.
IN_TIME = AlertTimeline(
    ALERT, pending_at=1121.0, firing_at=1123.0, notified_at=1123.4, cleared_at=1162.0, resolution_at=1162.5
)


def test_an_alert_within_its_promise_passes() -> None:
    found = fires(IN_TIME)
    assert (found.verdict, found.observed) == (Verdict.PASS, "fired after 63.0 s")


@pytest.mark.parametrize(
    "timeline",
    [
        AlertTimeline(ALERT),
        AlertTimeline(ALERT, firing_at=1090.0, notified_at=1090.5),
        AlertTimeline(ALERT, firing_at=1139.0, notified_at=1139.5),
        AlertTimeline(ALERT, firing_at=1123.0),
    ],
    ids=["never", "too early", "too late", "nobody was told"],
)
def test_an_alert_that_breaks_its_promise_fails(timeline: AlertTimeline) -> None:
    assert fires(timeline).verdict is Verdict.FAIL


def test_an_alert_that_was_active_before_proves_nothing() -> None:
    assert (
        fires(AlertTimeline(ALERT, firing_at=1123.0, notified_at=1123.4, active_before=True)).verdict
        is Verdict.UNDECIDED
    )


def test_an_alert_that_fires_for_what_went_wrong_before_the_fault_is_no_fault_of_the_alert() -> None:
    run = facts(AlertTimeline(ALERT, firing_at=FAULT - 20, notified_at=FAULT - 19))
    seconds = [
        one.model_copy(update={"slower": {"0.5": 90}}) if FAULT - 50 < one.at < FAULT - 20 else one
        for one in run.load.seconds
    ]
    unwell = replace(run, load=run.load.model_copy(update={"seconds": seconds}))
    found = judge(Fires(LATENCY, tier="slow"), unwell)
    assert (found.verdict, found.observed) == (Verdict.UNDECIDED, "fired before anything was broken")
    assert judge(Fires(LATENCY, tier="slow"), run).verdict is Verdict.FAIL, "nothing was wrong, and it fired"


def test_events_that_never_cross_prove_nothing() -> None:
    run = facts()
    watched = RunFacts(**{**vars(run), "alerts": {"ApiLatencyMediumBurn": AlertTimeline("ApiLatencyMediumBurn")}})
    assert judge(Fires(LATENCY, tier="medium"), watched).verdict is Verdict.UNDECIDED


def test_a_tighter_limit_than_the_promise_counts() -> None:
    assert fires(IN_TIME, within="62s").verdict is Verdict.FAIL


def test_a_resolution_within_its_promise_passes_and_a_missing_one_fails() -> None:
    assert judge(Resolves(LATENCY, tier="slow"), facts(IN_TIME)).verdict is Verdict.PASS
    stuck = AlertTimeline(ALERT, firing_at=1123.0, notified_at=1123.4)
    assert judge(Resolves(LATENCY, tier="slow"), facts(stuck)).verdict is Verdict.FAIL


def test_a_limit_of_ones_own_is_all_that_a_resolution_must_keep() -> None:
    early = replace(IN_TIME, cleared_at=UNDONE + 0.5, resolution_at=UNDONE + 1)
    assert judge(Resolves(LATENCY, tier="slow"), facts(early)).verdict is Verdict.FAIL
    assert judge(Resolves(LATENCY, tier="slow", within="60s"), facts(early)).verdict is Verdict.PASS
    assert judge(Resolves(LATENCY, tier="slow", within="20s"), facts(IN_TIME)).verdict is Verdict.FAIL


def test_an_objective_that_was_missed_does_not_hold() -> None:
    # One long cluster of slow answers is little evidence of the ratio in the long run, and none that it holds.
    assert judge(Holds(LATENCY), facts()).verdict is not Verdict.PASS


def test_fair_shares_pass_and_a_silent_instance_fails() -> None:
    assert judge(Balanced(tolerance="10"), facts()).verdict is Verdict.PASS
    assert judge(Balanced(tolerance="10"), facts(served={"a1": 100})).verdict is Verdict.FAIL


def test_a_quiet_alert_is_quiet_and_one_that_fired_is_not() -> None:
    slow = Quiet(LATENCY, tier="slow")
    assert judge(slow, facts(AlertTimeline(ALERT, pending_at=1121.0))).verdict is Verdict.PASS
    assert judge(slow, facts(IN_TIME)).verdict is Verdict.FAIL
    assert judge(slow, facts(replace(IN_TIME, active_before=True))).verdict is Verdict.UNDECIDED
    assert judge(Quiet(alert=ALERT), facts(IN_TIME)).observed == f"`{ALERT}` fired 123.0 s after the start"


def test_an_alert_that_fired_before_anything_was_broken_says_nothing_of_the_fault() -> None:
    early = judge(Quiet(LATENCY, tier="slow"), facts(replace(IN_TIME, firing_at=FAULT - 10)))
    assert (early.verdict, early.observed) == (Verdict.UNDECIDED, f"`{ALERT}` fired before anything was broken")


def test_an_alert_that_nobody_watched_is_not_called_quiet() -> None:
    assert judge(Quiet(LATENCY, tier="slow"), facts()).verdict is Verdict.UNDECIDED
    every_tier = judge(Quiet(LATENCY), facts(AlertTimeline(ALERT)))
    assert every_tier.verdict is Verdict.UNDECIDED
    assert "ApiLatencyFastBurn" in every_tier.detail


def test_an_objective_without_alerts_is_not_called_quiet() -> None:
    unwatched = replace(facts(AlertTimeline(ALERT)), policies={})
    found = judge(Quiet(LATENCY), unwatched)
    assert (found.verdict, found.detail) == (Verdict.UNDECIDED, "no rule that runs has an alert of it")


def test_an_alert_resolves_after_the_last_undo_that_came_before_it() -> None:
    def resolves(timeline: AlertTimeline, *undone: float) -> Finding:
        faults = tuple(FaultOutcome(fault=f"{at}", injected_at=FAULT, verified=True, undone_at=at) for at in undone)
        chaos = ChaosOutcome(status="completed", faults=faults)
        return judge(Resolves(LATENCY, tier="slow", within="30s"), replace(facts(timeline), chaos=chaos))

    after_both = resolves(IN_TIME, UNDONE - 40, UNDONE)
    assert (after_both.verdict, after_both.observed) == (Verdict.PASS, "resolved after 22.0 s")
    assert resolves(IN_TIME, UNDONE, UNDONE + 50).verdict is Verdict.PASS
    stuck = replace(IN_TIME, cleared_at=None, resolution_at=None)
    assert resolves(stuck, UNDONE - 40, UNDONE).verdict is Verdict.FAIL
    assert resolves(IN_TIME, UNDONE - 40).verdict is Verdict.FAIL
    assert resolves(replace(IN_TIME, cleared_at=UNDONE - 10), UNDONE).verdict is Verdict.FAIL


def test_silence_while_no_rule_was_evaluated_is_not_called_quiet() -> None:
    away = replace(facts(AlertTimeline(ALERT)), unwatched=[(FAULT, FAULT + 40)])
    found = judge(Quiet(LATENCY, tier="slow"), away)
    assert (found.verdict, found.observed) == (Verdict.UNDECIDED, "stayed quiet while rules were evaluated")
    assert found.detail == "no rule was evaluated for 40 s, and the events of this run cross the threshold of `slow`"
    assert judge(Quiet(alert=ALERT), away).verdict is Verdict.UNDECIDED
    assert judge(Quiet(LATENCY, tier="slow"), replace(facts(IN_TIME), unwatched=away.unwatched)).verdict is Verdict.FAIL


def test_silence_is_quiet_where_what_happened_could_not_fire_it() -> None:
    run = facts(AlertTimeline(ALERT))
    well = [one.model_copy(update={"slower": {"0.5": 0}}) for one in run.load.seconds]
    calm = replace(run, load=run.load.model_copy(update={"seconds": well}), unwatched=[(FAULT, FAULT + 40)])
    assert judge(Quiet(LATENCY, tier="slow"), calm).verdict is Verdict.PASS


def test_a_gap_between_evaluations_is_unwatched_also_at_either_end() -> None:
    assert unwatched([12.0, 13.0, 30.0, 31.0, 3.0], start=10.0, end=40.0, longest=5.0) == [(13.0, 30.0), (31.0, 40.0)]
    assert unwatched([12.0, 16.0], start=10.0, end=20.0, longest=5.0) == []


def recovery(limit: str, *, slow_until: float) -> Finding:
    run = facts()
    seconds = [
        one.model_copy(update={"slower": {"0.5": 30}}) if UNDONE <= one.at < slow_until else one
        for one in run.load.seconds
    ]
    return judge(RecoversWithin(limit), replace(run, load=run.load.model_copy(update={"seconds": seconds})))


def test_a_recovery_is_timed_from_the_undo_to_the_first_second_of_the_good_stretch() -> None:
    # Eight seconds with 30 % bad events and forty good ones together just meet the 5 %: of twenty, twelve are too many.
    assert recovery("1s", slow_until=UNDONE).verdict is Verdict.PASS
    late = recovery("5s", slow_until=UNDONE + 20)
    assert (late.verdict, late.observed) == (Verdict.FAIL, "`api/latency` was met again after 12 s")
    assert recovery("15s", slow_until=UNDONE + 20).verdict is Verdict.PASS


def test_what_never_recovers_fails_once_its_time_is_over_and_is_undecided_before() -> None:
    assert recovery("30s", slow_until=END).verdict is Verdict.FAIL
    assert recovery("2m", slow_until=END).verdict is Verdict.UNDECIDED


def experiment() -> Experiment:
    return Experiment(
        name="slow",
        system="api",
        load=LOAD,
        faults=(DelayRequests("800ms", percent=30, at="60s", lasts="80s"),),
        expect=(Fires(LATENCY, tier="slow"),),
    )


def verdicts(fault: FaultOutcome) -> list[Verdict]:
    return [finding.verdict for finding in findings(experiment(), facts(IN_TIME, fault=fault))][:2]


def test_a_fault_without_effect_decides_nothing() -> None:
    silent = FaultOutcome(fault="1-delay", injected_at=FAULT, undone_at=UNDONE, undo_verified=True)
    assert verdicts(silent) == [Verdict.UNDECIDED, Verdict.PASS]


def test_a_fault_that_was_never_injected_is_undecided_and_one_that_stays_fails() -> None:
    assert verdicts(FaultOutcome(fault="1-delay")) == [Verdict.UNDECIDED, Verdict.UNDECIDED]
    assert verdicts(FaultOutcome(fault="1-delay", injected_at=FAULT, verified=True))[1] is Verdict.FAIL


def test_a_fault_that_never_took_hold_is_not_told_as_one_that_stayed() -> None:
    never, stays = FaultOutcome(fault="1-delay"), FaultOutcome(fault="1-delay", injected_at=FAULT, verified=True)
    told = [findings(experiment(), facts(IN_TIME, fault=fault))[1].observed for fault in (never, stays)]
    assert told == ["it never took hold", "not put back"]


def test_a_run_that_was_ended_early_never_passes() -> None:
    run = facts(IN_TIME)
    good = Finding("all is well", "it was", Verdict.PASS)
    assert verdict_of([Stage("slow", run, (good,))]) is Verdict.PASS
    partial = RunFacts(**{**vars(run), "load": run.load.model_copy(update={"partial": True})})
    assert verdict_of([Stage("slow", partial, (good,))]) is Verdict.UNDECIDED
    assert verdict_of([]) is Verdict.UNDECIDED


def told(at: float, status: str) -> dict[str, Any]:
    return {"received_at": at, "payload": {"alerts": [{"status": status, "labels": {"alertname": ALERT}}]}}


def states(*stretches: tuple[str, float, float]) -> list[tuple[dict[str, str], list[tuple[float, float]]]]:
    return [
        ({"alertname": ALERT, "alertstate": state}, [(float(at), 1.0) for at in range(int(start), int(end) + 1)])
        for state, start, end in stretches
    ]


def timeline(*stretches: tuple[str, float, float], end: float = 200.0) -> AlertTimeline:
    heard = [told(110.2, "firing"), told(131.3, "resolved")]
    return timelines({ALERT: 1.0}, states(*stretches), heard, start=0.0, end=end)[ALERT]


def test_an_alerts_life_is_read_from_its_samples_and_its_notifications() -> None:
    assert timeline(("pending", 108, 109), ("firing", 110, 130)) == AlertTimeline(
        ALERT, pending_at=108.0, firing_at=110.0, notified_at=110.2, cleared_at=131.0, resolution_at=131.3
    )


def test_an_alert_that_still_fires_at_the_end_has_not_cleared() -> None:
    found = timeline(("firing", 110, 130), end=131.0)
    assert (found.cleared_at, found.resolution_at) == (None, None)


def test_an_alert_that_comes_and_goes_has_cleared_when_it_is_gone_for_good() -> None:
    found = timeline(("firing", 101, 103), ("firing", 110, 130))
    assert (found.firing_at, found.paused_at, found.cleared_at, found.resolution_at) == (101.0, 104.0, 131.0, 131.3)


def test_an_earlier_pending_is_not_the_one_that_fired() -> None:
    assert timeline(("pending", 20, 25), ("pending", 108, 109), ("firing", 110, 130)).pending_at == 108.0


def test_an_alert_that_fires_from_the_start_was_active_before() -> None:
    assert timeline(("firing", 0, 50)).active_before
    assert not timeline(("firing", 110, 130)).active_before


def unsteady_findings(*, bad_before: int = 0, bad_after: int = 0, saturated: bool = False) -> list[Finding]:
    seen = facts()
    seconds = [
        one.model_copy(update={"slower": {"0.5": bad_before if one.at < FAULT else bad_after}})
        if not FAULT <= one.at < UNDONE
        else one
        for one in seen.load.seconds
    ]
    generator = seen.load.generator.model_copy(update={"saturated": saturated})
    load = seen.load.model_copy(update={"seconds": seconds, "generator": generator})
    return list(unsteady(replace(seen, load=load)))


def test_a_steady_state_that_holds_needs_no_line() -> None:
    assert unsteady_findings() == []


def test_a_system_that_was_unsteady_before_its_faults_leaves_the_run_undecided() -> None:
    (found,) = unsteady_findings(bad_before=20)
    assert found.expected == "steady state: `api/latency` holds before the faults"
    assert found.verdict is Verdict.UNDECIDED
    assert found.detail.endswith("; a run that begins unwell says nothing of its faults")


def test_a_system_that_stays_unsteady_after_its_faults_fails_the_run() -> None:
    (found,) = unsteady_findings(bad_after=20)
    assert found.expected == "steady state: `api/latency` holds after the faults"
    assert found.verdict is Verdict.FAIL


def test_a_saturated_generator_does_not_tell_whether_a_system_has_recovered() -> None:
    (found,) = unsteady_findings(bad_after=20, saturated=True)
    assert found.verdict is Verdict.UNDECIDED


def begun(seconds: int, *, warm_up: float = 0.0) -> list[Finding]:
    """What is told of the steady state where so many seconds lie before the fault."""
    seen = facts()
    start = FAULT - seconds
    kept = [one for one in seen.load.seconds if one.at >= start]
    load = seen.load.model_copy(update={"seconds": kept, "started_at": start, "warm_up": warm_up})
    return list(unsteady(replace(seen, load=load)))


def test_a_fault_that_comes_before_a_steady_state_can_be_told_leaves_the_run_undecided() -> None:
    (found,) = begun(4)
    assert (found.verdict, found.observed) == (Verdict.UNDECIDED, "4 s of load before the first fault")
    assert "begin at 5 s or later" in found.detail
    assert begun(5) == []


def test_the_warm_up_tells_nothing_of_a_steady_state() -> None:
    (found,) = begun(11, warm_up=7)
    assert (found.verdict, found.observed) == (Verdict.UNDECIDED, "4 s of load before the first fault")
    assert "begin at 12 s or later" in found.detail
    (none,) = begun(3, warm_up=7)
    assert none.observed == "0 s of load before the first fault"
    assert begun(12, warm_up=7) == []


def test_without_objectives_no_steady_state_is_asked_for() -> None:
    assert list(unsteady(replace(facts(), objectives=[], load=facts().load.between(FAULT - 1, END)))) == []


def test_the_fault_that_begins_first_counts_as_the_first_wherever_it_is_defined() -> None:
    late = FaultOutcome(fault="1-delay", injected_at=END - 20, verified=True, undone_at=END - 15, undo_verified=True)
    run = facts(IN_TIME)
    both = replace(run, chaos=ChaosOutcome(status="completed", faults=(late, *run.chaos.faults)))
    assert both.broken_from == FAULT
    assert judge(Fires(LATENCY, tier="slow"), both).verdict is Verdict.PASS
    assert not list(unsteady(both))
