"""A run's stages as a report: what nobody asked to hold, and alerts that outlive their stage."""

from dataclasses import replace

import pytest

from sloproof.chaos.expecting import judge
from sloproof.chaos.experiment import Balanced, Fires, Holds
from sloproof.chaos.facts import AlertTimeline
from sloproof.chaos.stage import Stage
from sloproof.loadtests.evaluation import judge_load
from sloproof.loadtests.histogram import bucket
from sloproof.loadtests.phases import PhaseTotals
from sloproof.report.from_run import run_report
from sloproof.report.model import RunReport
from sloproof.verdict.judge import Verdict
from tests.unit.test_chaos_expecting import ALERT, END, FAULT, IN_TIME, LATENCY, START, facts


def _report(timeline: AlertTimeline | None = None, *, asked: bool = True) -> RunReport:
    known = facts(timeline)
    expectation = Holds(LATENCY) if asked else Balanced(tolerance="10")
    stage = Stage("slow", known, (judge(expectation, known),))
    return _report_of(stage)


def test_the_counts_that_were_judged_stand_beside_those_of_the_whole_run() -> None:
    known = facts(None)
    load = known.load.model_copy(update={"warm_up": 60.0})
    warm = replace(known, load=load, objectives=judge_load(load, [LATENCY], {LATENCY.identity: None}))
    [row] = _report_of(Stage("slow", warm, (judge(Holds(LATENCY), warm),))).objectives
    assert row.judged is not None and row.by_generator is not None
    assert 0 < row.judged.total < row.by_generator.total
    assert row.lower is not None and row.upper is not None
    assert row.lower <= row.judged.bad / row.judged.total <= row.upper


def test_an_objective_that_no_expectation_names_is_marked() -> None:
    [asked], [unasked] = _report().objectives, _report(asked=False).objectives
    assert (asked.must_hold, unasked.must_hold) == (True, False)
    assert asked.verdict == unasked.verdict != "PASS"
    assert unasked.note == f"not expected to hold here: {asked.note}"


def test_a_bar_that_was_not_resolved_ends_with_its_stage() -> None:
    [bar] = [bar for bar in _report(replace(IN_TIME, cleared_at=None)).alerts if bar.alert == ALERT]
    assert (bar.resolved_at, bar.until) == (None, END)
    assert bar.promised_firing is not None
    assert bar.promised_firing.start <= 1123 <= bar.promised_firing.end


def test_the_table_of_alerts_agrees_with_what_was_expected_of_them() -> None:
    promise = facts(IN_TIME).firing_promise(LATENCY, "slow")
    assert promise is not None
    for at, in_time in ((promise.earliest - 0.9, True), (promise.latest + 0.9, True), (promise.latest + 1.1, False)):
        timeline = replace(IN_TIME, firing_at=at, notified_at=at + 0.1)
        [bar] = [bar for bar in _report(timeline).alerts if bar.alert == ALERT]
        assert bar.promised_firing is not None
        assert (bar.promised_firing.start <= at <= bar.promised_firing.end) is in_time
        expected = judge(Fires(LATENCY, tier="slow"), facts(timeline)).verdict
        assert expected is (Verdict.PASS if in_time else Verdict.FAIL)


def test_an_alert_from_before_the_fault_is_told_no_promise_of_it() -> None:
    early = AlertTimeline(ALERT, firing_at=START + 1, cleared_at=FAULT - 10)
    carried = replace(IN_TIME, active_before=True)
    for timeline in (early, carried):
        [bar] = [bar for bar in _report(timeline).alerts if bar.alert == ALERT]
        assert (bar.promised_firing, bar.promised_clearing, bar.fault) == (None, None, "")


def test_a_fault_is_named_with_its_figures_as_people_write_them() -> None:
    known = facts(IN_TIME)
    told = "answer 30% of the requests to `/1s200ms` 1s200ms late"
    faults = tuple(fault.model_copy(update={"description": told}) for fault in known.chaos.faults)
    chaos = known.chaos.model_copy(update={"faults": faults})
    report = _report_of(Stage("slow", replace(known, chaos=chaos), ()))
    assert [fault.label for fault in report.faults] == ["answer 30 % of the requests to `/1s200ms` 1.2 s late"]
    assert {alert.fault for alert in report.alerts} == {report.faults[0].label}


def test_the_phases_of_a_load_are_told_in_milliseconds() -> None:
    known = facts(None)
    totals = PhaseTotals(
        name="spike",
        start=10,
        end=30,
        completed=80,
        in_flight=20,
        errors={"5xx": 5, "4xx": 9},
        latency={bucket(0.5): 80},
    )
    empty = PhaseTotals(name="silence", start=30, end=30)
    known = replace(known, load=known.load.model_copy(update={"phases": [totals, empty]}))
    spike, silence = _report_of(Stage("slow", known, ())).load
    assert (spike.phase, spike.name, spike.seconds, spike.requests, spike.failed) == ("slow", "spike", 20, 100, 5)
    assert (spike.unanswered, spike.turned_away) == (20, 9)
    assert spike.p50 == pytest.approx(500, rel=0.01)
    assert spike.p95 is None  # it lies among those that were never answered
    assert (spike.rate, spike.failure_ratio) == (5, 0.05)
    assert (silence.rate, silence.failure_ratio, silence.p50) == (None, None, None)


def test_a_run_of_which_nothing_was_expected_says_so() -> None:
    report = _report_of(Stage("slow", facts(None), ()), Verdict.UNDECIDED)
    assert report.headline == "Nothing was expected of this run, so it decides nothing."


def _report_of(stage: Stage, verdict: Verdict = Verdict.PASS) -> RunReport:
    return run_report(
        [stage], verdict=verdict, charts=(), system="api", scale=120, title="t", command="c", environment={}
    )
