"""Every load that the five systems' documents ask for is a profile, with its numbers.

The table is written by hand from those documents; `what` is the claim in a few words.
"""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest

from sloproof import LoadProfile
from sloproof.definition import format_duration
from sloproof.loadtests.plan import LoadPlan
from sloproof.loadtests.trace import parse_trace
from sloproof.loadtests.user_stages import users_at
from sloproof.workspace import load_workspace
from sloproof.workspace.loading import Workspace

ROOT = Path(__file__).parents[2]


class Load(NamedTuple):
    """One row: the profile, the claim, what it asks for at which second, and what it promises."""

    profile: str
    what: str
    unit: str  # `users` at once or `arrivals` per second
    asked: dict[float, float]  # second -> how many
    lasts: str
    promises: tuple[str, ...]


OF_PHASE_1 = ("p95 is below 500ms", "fewer than 0.5 % of requests fail")
OF_PHASE_2 = ("p95 is below 200ms", "fewer than 0.1 % of requests fail")
OF_PHASE_3 = ("p95 is below 100ms", "fewer than 0.01 % of requests fail")
OF_COMMISSION = ("p95 is below 500ms", "fewer than 0.1 % of requests fail")
OF_MONOLITH = ("p95 is below 200ms", "fewer than 1 % of requests fail")
OF_PLATFORM = ("p95 is below 100ms", "fewer than 0.001 % of requests fail")

LOADS = (
    Load("monolith-what-it-holds", "about 100-200 at once", "users", {0: 100, 600: 200}, "11m", OF_MONOLITH),
    Load("monolith-a-thousand-users", "asked for 1,000", "users", {0: 1000}, "5m", OF_MONOLITH),
    Load("monolith-claimed-throughput", "about 100 req/s", "arrivals", {0: 100}, "5m", OF_MONOLITH),
    Load("commission-crowd", "350-400 simultaneous users", "users", {0: 350, 299: 350, 400: 400}, "11m", OF_COMMISSION),
    Load("commission-sustained", "sustain 30-40 RPS", "arrivals", {0: 30, 599: 30, 1319: 40}, "22m", OF_COMMISSION),
    Load("commission-peak", "50 RPS for 5 min", "arrivals", {0: 40, 121: 50, 419: 50, 421: 40}, "9m", OF_COMMISSION),
    Load("keywords-load", "3 analyze : 2 search : 1 health, wait 1-3 s", "users", {0: 100}, "10m", OF_PHASE_2),
    Load(
        "keywords-stress",
        "1,000 simultaneous requests",
        "arrivals",
        {1: 0, 2.005: 100_000, 2.02: 0},
        "30s",
        ("fewer than 10 % of requests fail",),
    ),
    Load(
        "keywords-capacity",
        "5 m ramp to 100 users, 20 m at 100, 5 m down; p95 < 500 ms; failures < 10 %",
        "users",
        {0: 0, 150: 50, 300: 100, 1499: 100, 1650: 50},
        "30m",
        ("p95 is below 500ms", "fewer than 10 % of requests fail"),
    ),
    Load("keywords-phase-1", "1,000 RPS, < 500 ms, 99.5 %", "arrivals", {0: 1_000}, "5m", OF_PHASE_1),
    Load("keywords-phase-2", "10,000 RPS, < 200 ms, 99.9 %", "arrivals", {0: 10_000}, "5m", OF_PHASE_2),
    Load("keywords-phase-3", "50,000 RPS, < 100 ms, 99.99 %", "arrivals", {0: 50_000}, "5m", OF_PHASE_3),
    Load("keywords-doubling", "load doubled within 5 min", "arrivals", {60: 5_000, 421: 10_000}, "12m", OF_PHASE_2),
    Load("platform-throughput", "100,000+ req/s", "arrivals", {0: 100_000}, "5m", OF_PLATFORM),
    Load("platform-peak", "peak 1,000,000", "arrivals", {0: 1_000_000}, "2m", OF_PLATFORM),
    Load("platform-crowd", "1,000,000+ simultaneous users", "users", {0: 1_000_000}, "10m", OF_PLATFORM),
    Load("platform-one-server", "2-20 servers in 3 regions", "arrivals", {0: 1_667}, "5m", OF_PLATFORM),
)
LOADS_OF_OURS = {
    "steady": "the load that the demo and the experiments run under; the document of `tasks` asks for none",
    "calm": "the load under which dependencies are broken; a busy machine can send it",
    "morning": "a recorded hour, replayed",
}


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return load_workspace(ROOT)


def plan_of(profile: LoadProfile) -> LoadPlan:
    trace = profile.arrivals.trace if profile.arrivals else None
    minutes = parse_trace((ROOT / "loadtests" / trace).read_text(), trace) if trace else []
    return LoadPlan.of(profile, target="http://127.0.0.1:1", thresholds=(), allowed=(), minutes=minutes)


def asked(profile: LoadProfile, unit: str, second: float) -> float:
    from sloproof.loadtests.arrivals import rate_at

    plan = plan_of(profile)
    if unit == "arrivals":
        assert plan.schedule is not None
        return rate_at(plan.schedule.stretches, second)
    return users_at(plan.stages, second) if plan.stages else plan.users


@pytest.mark.parametrize("row", LOADS, ids=lambda row: row.profile)
def test_a_load_that_a_document_asks_for_is_defined(row: Load, workspace: Workspace) -> None:
    profile = workspace.named(LoadProfile, row.profile)
    assert profile.system == row.profile.partition("-")[0]
    assert (profile.arrivals is not None) == (row.unit == "arrivals")
    assert {second: asked(profile, row.unit, second) for second in row.asked} == pytest.approx(row.asked)
    assert format_duration(profile.duration) == format_duration(timedelta(seconds=_seconds(row.lasts)))
    assert tuple(promise.describe() for promise in profile.expect) == row.promises
    assert profile.description


def _seconds(text: str) -> float:
    return float(text[:-1]) * {"s": 1, "m": 60}[text[-1]]


def test_no_load_is_defined_that_no_table_knows(workspace: Workspace) -> None:
    defined = {profile.name for profile in workspace.all_of(LoadProfile)}
    assert defined == {*(row.profile for row in LOADS), *LOADS_OF_OURS}


def test_every_profile_can_be_planned_in_full_and_in_part(workspace: Workspace) -> None:
    for profile in workspace.all_of(LoadProfile):
        assert (ROOT / "loadtests" / profile.locustfile).is_file()
        for share in ("1", "0.01"):
            plan = plan_of(profile.shortened(Decimal(share)))
            assert plan.duration == pytest.approx(profile.duration.total_seconds() * float(share))


def test_only_what_no_machine_can_send_needs_more_than_one_process(workspace: Workspace) -> None:
    needed = {profile.name: plan_of(profile).processes_needed for profile in workspace.all_of(LoadProfile)}
    assert {name: count for name, count in needed.items() if count > 1} == {
        "platform-throughput": 5,
        "platform-peak": 20,
        "platform-crowd": 100,
    }


def test_a_thousand_simultaneous_requests_are_a_thousand_arrivals(workspace: Workspace) -> None:
    schedule = plan_of(workspace.named(LoadProfile, "keywords-stress")).schedule
    assert schedule is not None
    times = list(schedule.times())
    assert len(times) == 1000
    assert times[-1] - times[0] < 0.011
