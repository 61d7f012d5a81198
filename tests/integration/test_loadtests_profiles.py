"""Profiles against a real target: a recorded day, and the figures of each phase."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sloproof.errors import UsageError
from sloproof.loadtests.arrivals import Arrivals, RateStage
from sloproof.loadtests.distribution import Distribution
from sloproof.loadtests.histogram import merged
from sloproof.loadtests.locust_process import LoadProcess
from sloproof.loadtests.profile import LoadProfile
from sloproof.loadtests.user_stages import UserStage
from tests.integration.locust_target import LocustTarget

pytestmark = pytest.mark.integration

VISITORS = """
from locust import FastHttpUser, constant, task

class Visitor(FastHttpUser):
    wait_time = constant(0.1)

    @task
    def visit(self):
        self.client.get("/pages")
"""


@pytest.fixture
def target() -> Iterator[LocustTarget]:
    server = LocustTarget()
    yield server
    server.end()


def start(
    folder: Path,
    target: str,
    share: str = "1",
    distribution: Distribution | None = None,
    locustfile_text: str = VISITORS,
    **fields: Any,
) -> LoadProcess:
    users = folder / "loadtests" / "users"
    users.mkdir(parents=True, exist_ok=True)
    (users / "visitors.py").write_text(locustfile_text)
    profile = LoadProfile(**{"name": "test", "system": "test", "locustfile": "users/visitors.py", **fields})
    return LoadProcess.start(
        profile.shortened(Decimal(share)),
        workspace=folder,
        target=target,
        run_folder=folder / "run",
        thresholds=[Decimal("0.5")],
        distribution=distribution,
    )


def write_day(folder: Path, text: str) -> Arrivals:
    (folder / "loadtests" / "traces").mkdir(parents=True)
    (folder / "loadtests" / "traces" / "day.csv").write_text(text)
    return Arrivals(trace="traces/day.csv", scale="2")


def test_a_recorded_day_is_replayed_in_a_part_of_its_length(tmp_path: Path, target: LocustTarget) -> None:
    """Minutes of 300, 900 and 0 requests, twice as many of each, each minute in three seconds."""
    day = write_day(tmp_path, "minute,requests\n08:00,300\n08:01,900\n08:02,0\n08:03,300\n")
    with start(tmp_path, target.url, "0.05", users=40, duration="4m", arrivals=day) as load:
        result = load.wait(120)
    assert result.completed == target.asked["GET /pages"] == pytest.approx(3 * (10 + 30 + 0 + 10), abs=2)
    assert {round(second.asked or 0) for second in result.seconds} >= {10, 30, 0}
    assert result.asked_rate == pytest.approx(12.5)


@pytest.mark.parametrize(
    ("text", "what"),
    [("60\n-5\n", "line 2: `-5` requests"), ("60\n60\n", "lasts 120 s, the load 240 s"), (None, "cannot be read")],
)
def test_a_trace_that_cannot_be_replayed_stops_before_anything_starts(
    tmp_path: Path, text: str | None, what: str
) -> None:
    day = Arrivals(trace="traces/day.csv") if text is None else write_day(tmp_path, text)
    with pytest.raises(UsageError, match=what):
        start(tmp_path, "http://127.0.0.1:9", users=5, duration="4m", arrivals=day)
    assert not (tmp_path / "run").exists()


SPIKE: dict[str, Any] = {
    "users": 4,
    "stages": (
        UserStage(users=4, over="4s", phase="calm"),
        UserStage(users=24, over="0s"),
        UserStage(users=24, over="4s", phase="spike"),
        UserStage(users=2, over="0s"),
        UserStage(users=2, over="4s", phase="afterwards"),
    ),
    "duration": "12s",
    "warm_up": "2s",
}


@pytest.mark.parametrize("processes", [1, 2])
def test_each_phase_of_a_load_has_its_own_exact_figures(tmp_path: Path, target: LocustTarget, processes: int) -> None:
    with start(tmp_path, target.url, distribution=Distribution.here(processes), **SPIKE) as load:
        result = load.wait(120)
    warm_up, calm, spike, afterwards = result.phases
    assert [phase.name for phase in result.phases] == ["warm-up", "calm", "spike", "afterwards"]
    assert sum(phase.completed for phase in result.phases) == result.completed == target.asked["GET /pages"]
    assert sum(phase.slower["0.5"] for phase in result.phases) == result.slower_than(Decimal("0.5"))
    assert merged(phase.latency for phase in result.phases) == result.latency
    assert spike.rate > 2.5 * calm.rate > calm.rate > afterwards.rate > 0
    assert all((phase.quantile(0.95) or 0) > 0 for phase in (warm_up, calm, spike, afterwards))


def test_a_failure_belongs_to_the_phase_in_which_it_happened(tmp_path: Path, target: LocustTarget) -> None:
    arrivals = Arrivals(
        rate=20,
        stages=(
            RateStage(rate=20, over="3s"),
            RateStage(rate=60, over="0s"),
            RateStage(rate=60, over="3s", phase="peak"),
        ),
    )
    broken = VISITORS.replace('"/pages"', '"/broken" if time.time() > begun + 3 else "/pages"')
    broken = "import time\nfrom locust import events\nbegun = 0.0\n" + broken
    broken += """
@events.spawning_complete.add_listener
def on_spawning_complete(**_):
    global begun
    begun = time.time()
"""
    with start(tmp_path, target.url, locustfile_text=broken, users=30, duration="6s", arrivals=arrivals) as load:
        result = load.wait(120)
    calm, peak = result.phases
    assert (calm.name, peak.name) == ("load", "peak")
    assert calm.completed == pytest.approx(60, abs=1)
    assert peak.completed == pytest.approx(180, abs=1)
    assert calm.failed <= 3 and peak.failed >= 177
    assert calm.failed + peak.failed == target.asked["GET /broken"]
