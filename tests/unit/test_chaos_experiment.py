"""What an experiment may say, and the Chaos Toolkit JSON it becomes."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from sloproof.chaos.envoy_admin import percentage
from sloproof.chaos.experiment import Balanced, Experiment, Fires, Holds, Quiet, RecoversWithin, Resolves
from sloproof.chaos.faults import AbortRequests, DelayRequests, KillInstance
from sloproof.chaos.toolkit_json import experiment_document, experiment_json, planned_faults
from sloproof.loadtests.profile import LoadProfile
from sloproof.slo import SLO, ErrorRatio, Service

STEADY = LoadProfile(name="steady", system="tasks", locustfile="users/tasks.py", users=2, duration="30s")
AVAILABILITY = SLO(
    service=Service(name="tasks", owner="team", job="api"),
    name="availability",
    objective="99.90",
    sli=ErrorRatio(errors='requests_total{code="500"}', total="requests_total"),
)
KILL = KillInstance("a1", at="8s", back_after="15s")
DELAY = DelayRequests("800ms", percent=30, at="10s", lasts="60s")


def experiment(**changes: Any) -> Experiment:
    return Experiment(
        **{"name": "one", "system": "tasks", "load": STEADY, "faults": [KILL], "expect": [Balanced()], **changes}
    )


def method(made: Experiment) -> list[str]:
    return [activity["name"] for activity in experiment_document(made)["method"]]


def arguments(made: Experiment, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        activity["provider"]["arguments"]
        for activity in experiment_document(made)["method"]
        if activity["name"] == name
    )
    return found


def test_each_fault_says_what_happens_in_a_sentence() -> None:
    assert KILL.describe() == "kill `a1` with SIGKILL and let it come back after 15s"
    assert DELAY.describe() == "delay 30 % of requests by 800ms for 1m"
    abort = AbortRequests(503, percent="1.440", at="0s", lasts="5s")
    assert abort.describe() == "answer 1.44 % of requests with 503 for 5s"


def test_a_fault_predicts_the_share_of_requests_that_it_spoils() -> None:
    assert DELAY.bad_ratio == Decimal("0.3")
    assert AbortRequests(503, percent="1.44", at="0s", lasts="5s").bad_ratio == Decimal("0.0144")
    assert AbortRequests(429, percent="10", at="0s", lasts="5s").bad_ratio is None, "429 is no server error"
    assert KILL.bad_ratio is None


@pytest.mark.parametrize("percent", ["0", "100.1", "-1", "0.00001", 0.5])
def test_a_percentage_that_cannot_be_is_refused(percent: object) -> None:
    with pytest.raises(ValidationError):
        DelayRequests("1s", percent=percent, at="0s", lasts="5s")


@pytest.mark.parametrize(("percent", "value"), [("30", "30"), ("100", "100"), ("1.44", None), ("0.0001", None)])
def test_a_percentage_is_exact_for_envoy(percent: str, value: str | None) -> None:
    text = percentage(Decimal(percent))
    if value:
        assert text == value
    else:
        fraction = json.loads(text)
        assert fraction["denominator"] == "MILLION"
        assert Decimal(fraction["numerator"]) / 10_000 == Decimal(percent)


def test_an_experiment_that_expects_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="expect"):
        experiment(expect=[])


def test_an_experiment_that_breaks_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="faults"):
        experiment(faults=[])


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(ValidationError):
        experiment(faults=[{"kind": "flood", "at": "1s"}])


def test_two_faults_in_one_place_at_once_are_refused() -> None:
    with pytest.raises(ValidationError, match="two faults hold the instance a1 at once, from 20s"):
        experiment(faults=[KILL, KillInstance("a1", at="20s", back_after="5s")])


def test_two_faults_may_follow_each_other_in_one_place_and_meet_in_another() -> None:
    later = KillInstance("a1", at="23s", back_after="5s")
    made = experiment(faults=[KILL, later, DELAY])
    assert made.length == timedelta(seconds=80)
    names = method(made)
    assert names.index("end 1-kill-instance") < names.index("inject 2-kill-instance")


def test_a_load_for_another_system_is_refused() -> None:
    with pytest.raises(ValidationError, match="is for the system `tasks`"):
        experiment(system="commission")


def test_an_alert_that_is_not_expected_to_fire_cannot_be_expected_to_resolve() -> None:
    with pytest.raises(ValidationError, match="expect `Fires` too"):
        experiment(expect=[Resolves(AVAILABILITY, tier="slow")])
    assert experiment(expect=[Fires(AVAILABILITY, tier="slow"), Resolves(AVAILABILITY, tier="slow")])


def test_what_stays_quiet_is_an_objective_or_an_alert() -> None:
    with pytest.raises(ValidationError, match="say what stays quiet"):
        Quiet()
    with pytest.raises(ValidationError, match="and not both"):
        Quiet(AVAILABILITY, alert="TasksNoSpareInstance")
    with pytest.raises(ValidationError, match="give the objective too"):
        Quiet(alert="TasksNoSpareInstance", tier="fast")


def test_an_alert_cannot_be_expected_to_fire_and_to_stay_quiet() -> None:
    with pytest.raises(ValidationError, match="cannot both fire and stay quiet"):
        experiment(expect=[Fires(AVAILABILITY, tier="slow"), Quiet(AVAILABILITY)])
    assert experiment(expect=[Fires(AVAILABILITY, tier="slow"), Quiet(AVAILABILITY, tier="fast")])


def test_quiet_and_recovery_read_as_sentences() -> None:
    said = [e.describe() for e in (Quiet(AVAILABILITY), Quiet(alert="X"), RecoversWithin("30s", slo=AVAILABILITY))]
    assert said == [
        "every burn alert of `tasks/availability` stays quiet",
        "the alert `X` stays quiet",
        "`tasks/availability` is met again within 30s of the undo",
    ]


def test_expectations_read_as_sentences() -> None:
    said = [e.describe() for e in (Holds(AVAILABILITY), Fires(AVAILABILITY, tier="slow", within="90s"), Balanced())]
    assert said == [
        "`tasks/availability` holds its 99.9 %",
        "the `slow` alert of `tasks/availability` fires within 1m30s",
        "no instance serves more than its fair share by over 10 percentage points",
    ]


def test_the_json_is_the_same_bytes_for_the_same_definition_and_holds_no_address() -> None:
    text = experiment_json(experiment(faults=[KILL, DELAY]))
    assert text == experiment_json(experiment(faults=[KILL, DELAY]))
    assert "127.0.0.1" not in text
    assert "/" not in json.loads(text)["configuration"]["lab_file"]["key"]
    assert planned_faults(json.loads(text)) == ["1-kill-instance", "2-delay-requests"]


def test_every_fault_is_injected_seen_ended_and_seen_to_be_over_in_the_order_of_time() -> None:
    assert method(experiment(faults=[DELAY, KILL])) == [
        "inject 2-kill-instance",
        "see 2-kill-instance",
        "inject 1-delay-requests",
        "see 1-delay-requests",
        "end 2-kill-instance",
        "see the end of 2-kill-instance",
        "end 1-delay-requests",
        "see the end of 1-delay-requests",
    ]


def test_looking_at_one_fault_never_makes_the_next_one_late() -> None:
    made = experiment(faults=[KILL, DELAY])
    assert arguments(made, "see 1-kill-instance")["until"] == 10.0, "the delay begins then"
    assert arguments(made, "see 2-delay-requests")["until"] == 20.0, "ten seconds are enough"
    assert arguments(made, "end 1-kill-instance")["patience"] == 10.0


def test_an_instance_is_not_waited_for_while_another_fault_is_due() -> None:
    made = experiment(faults=[KILL, AbortRequests(503, percent="10", at="20s", lasts="8s")])
    assert arguments(made, "end 1-kill-instance") == {"fault": "1-kill-instance", "at": 23.0, "patience": 5.0}


def test_faults_that_end_together_end_in_the_order_of_haste() -> None:
    made = experiment(faults=[KILL, AbortRequests(503, percent="10", at="20s", lasts="3s")])
    names = method(made)
    assert names.index("end 2-abort-requests") < names.index("end 1-kill-instance")


def test_the_chaos_toolkit_itself_finds_the_experiment_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    chaoslib = pytest.importorskip("chaoslib.experiment")
    monkeypatch.setenv("SLOPROOF_LAB", "lab.json")
    chaoslib.ensure_experiment_is_valid(experiment_document(experiment(faults=[KILL, DELAY])))
