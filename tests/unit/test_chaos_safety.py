"""Limits of runs, and what a run will probably spend."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from sloproof.alerts import Timing
from sloproof.chaos.any_fault import AnyFault
from sloproof.chaos.experiment import Balanced, Experiment
from sloproof.chaos.faults import AbortRequests, DelayRequests, KillInstance
from sloproof.chaos.monitoring_faults import LoseExporter, RestartPrometheus
from sloproof.chaos.prediction import predict
from sloproof.chaos.safety import Safety
from sloproof.chaos.spend_guard import Limit, Orders
from sloproof.loadtests.profile import LoadProfile
from sloproof.slo import SLO, ErrorRatio, LatencyBelow, Service

LOAD = LoadProfile(name="steady", system="tasks", locustfile="users/tasks.py", users=1, duration="30s")
SERVICE = Service(name="tasks", owner="us", job="tasks")
AVAILABILITY = SLO(service=SERVICE, name="availability", objective="99.9", sli=ErrorRatio(errors="e", total="t"))
LATENCY = SLO(service=SERVICE, name="latency", objective="95", sli=LatencyBelow("500ms", histogram="h"))
TIMING = Timing(scale=60, scrape=timedelta(seconds=1))
MINUTE = timedelta(minutes=1)


def experiment(*faults: AnyFault) -> Experiment:
    return Experiment(name="one", system="tasks", load=LOAD, faults=faults, expect=[Balanced()])


def shares(*faults: AnyFault, instances: int = 2) -> list[Decimal | None]:
    return [spend.share for spend in predict(experiment(*faults), [AVAILABILITY, LATENCY], instances, TIMING)]


def test_aborted_requests_spend_the_budget_of_errors_alone() -> None:
    # 0.3 x 72 s over 43,200 s (30 days divided by 60) x 0.001.
    assert shares(AbortRequests(503, percent=30, at="0s", lasts="72s")) == [Decimal("0.5"), 0]


def test_delayed_requests_spend_the_budget_of_slowness_where_the_delay_reaches_the_threshold() -> None:
    assert shares(DelayRequests("500ms", percent=30, at="0s", lasts="72s")) == [0, Decimal("0.01")]
    assert shares(DelayRequests("499ms", percent=30, at="0s", lasts="72s")) == [0, 0]


@pytest.mark.parametrize(
    ("delay", "jitter", "late"),
    [("400ms", "200ms", "0.25"), ("600ms", "200ms", "0.75"), ("300ms", "200ms", "0"), ("800ms", "300ms", "1")],
)
def test_a_jitter_makes_a_share_of_the_delayed_requests_slow(delay: str, jitter: str, late: str) -> None:
    fault = DelayRequests(delay, jitter=jitter, percent=30, at="0s", lasts="72s")
    assert shares(fault) == [0, Decimal("0.01") * Decimal(late)]


def test_nobody_knows_what_aborting_one_route_spends() -> None:
    assert shares(AbortRequests(503, percent=100, route="login", at="0s", lasts="72s")) == [None, 0]
    assert shares(AbortRequests(404, percent=100, route="login", at="0s", lasts="72s")) == [0, 0]


def test_a_loss_of_sight_spends_nothing() -> None:
    assert shares(LoseExporter("a1", at="0s", lasts="72s")) == [0, 0]
    assert shares(RestartPrometheus(at="0s", back_after="72s")) == [0, 0]


def test_an_answer_that_is_no_server_error_spends_nothing() -> None:
    assert shares(AbortRequests(429, percent=30, at="0s", lasts="72s")) == [0, 0]


def test_a_lost_instance_spends_its_fair_share_at_most() -> None:
    assert shares(KillInstance("a1", at="0s", back_after="4320ms")) == [Decimal("0.05"), Decimal("0.001")]
    assert shares(KillInstance("a1", at="0s", back_after="10s"), instances=0) == [None, None]


def test_faults_add_up() -> None:
    twice = [AbortRequests(503, percent=30, at=at, lasts="72s") for at in ("0s", "80s")]
    assert shares(*twice) == [Decimal(1), 0]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "allowed"),
    [
        ("2026-07-01T07:59", False),  # a Wednesday; Lisbon is an hour ahead of UTC in summer
        ("2026-07-01T08:00", True),
        ("2026-07-01T15:58", True),
        ("2026-07-01T15:59:30", False),
        ("2026-07-04T10:00", False),
        ("2026-01-07T08:59", False),  # and not in winter
        ("2026-01-07T09:00", True),
    ],
)
def test_runs_begin_and_end_within_their_hours_in_their_time_zone(now: str, allowed: bool) -> None:
    days = ("mon", "tue", "wed", "thu", "fri")
    safety = Safety(days=days, hours="09:00-17:00", time_zone="Europe/Lisbon")
    assert (safety.why_not_now(at(now), MINUTE) == "") is allowed


def test_a_night_belongs_to_the_day_on_which_it_began() -> None:
    safety = Safety(days=("fri",), hours="22:00-06:00", time_zone="UTC")
    assert safety.why_not_now(at("2026-07-03T23:00"), MINUTE) == ""
    assert safety.why_not_now(at("2026-07-04T05:00"), MINUTE) == ""
    assert "begin on `fri`" in safety.why_not_now(at("2026-07-03T05:00"), MINUTE)
    assert "06:00" in safety.why_not_now(at("2026-07-04T05:59:30"), MINUTE)


def test_without_hours_a_run_may_begin_at_any_time() -> None:
    assert Safety().why_not_now(at("2026-07-04T03:00"), MINUTE) == ""


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"hours": "09:00-17:00"}, "give `time-zone"),
        ({"hours": "9 to 5", "time_zone": "UTC"}, "no stretch of hours"),
        ({"hours": "09:00-09:00", "time_zone": "UTC"}, "no stretch of hours"),
        ({"days": ("sunday",), "time_zone": "UTC"}, "'mon', 'tue'"),
        ({"time_zone": "Mars/Olympus"}, "`Mars/Olympus` is no time zone"),
        ({"most_percent": 101}, "less than or equal to 100"),
        ({"most_instances": 0}, "greater than or equal to 1"),
    ],
)
def test_limits_that_make_no_sense_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message.replace("(", r"\(")):
        Safety(**fields)


def test_a_blast_radius_beyond_the_limits_is_named() -> None:
    safety = Safety(most_instances=1, most_percent=50, longest_fault=MINUTE)
    wide = experiment(
        KillInstance("a1", at="0s", back_after="10s"),
        KillInstance("a2", at="5s", back_after="61s"),
        AbortRequests(503, percent="50.5", at="0s", lasts="10s"),
    )
    long, percent, both = safety.breaches(wide)
    assert "kill `a2`" in long and "longer than 1m" in long
    assert "more than 50 %" in percent
    assert both == "`a1`, `a2` are broken at once, and at most 1 may be"


def test_one_instance_after_the_other_keeps_the_limit() -> None:
    apart = [KillInstance("a1", at="0s", back_after="5s"), KillInstance("a2", at="5s", back_after="5s")]
    assert list(Safety(most_instances=1).breaches(experiment(*apart))) == []


def limit(**fields: Any) -> Limit:
    return Limit(**{"slo": AVAILABILITY, "spend": None, "burn": None, "window": 43_200.0} | fields)


def test_the_guard_stops_what_has_spent_more_than_it_may() -> None:
    # 10 % bad for 43.2 s: burns 100 times too fast, and spends 10 % of the budget.
    assert limit(spend=0.11).why_over(100, 1000, 43.2) == ""
    assert "has spent 10.00 % of its budget" in limit(spend=0.09).why_over(100, 1000, 43.2)
    assert "burns 100.0 times too fast" in limit(burn=99).why_over(100, 1000, 43.2)
    assert limit(burn=99).why_over(2, 2, 43.2) == "", "two bad events say nothing"
    assert limit(spend=0.0).why_over(0, 0, 43.2) == ""


def test_orders_survive_their_file() -> None:
    from pathlib import Path

    orders = Orders(
        prometheus="http://127.0.0.1:1", allowed=(), limits=(limit(), limit(slo=LATENCY)), started_at=1.5,
        run=Path("/r"), ledger=Path("/l"),
    )  # fmt: skip
    assert Orders.model_validate_json(orders.model_dump_json()) == orders
