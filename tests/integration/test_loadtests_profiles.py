"""Profiles against a real target: a recorded day."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sloproof.errors import UsageError
from sloproof.loadtests.arrivals import Arrivals
from sloproof.loadtests.locust_process import LoadProcess
from sloproof.loadtests.profile import LoadProfile
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


def start(folder: Path, target: str, share: str = "1", **fields: Any) -> LoadProcess:
    users = folder / "loadtests" / "users"
    users.mkdir(parents=True, exist_ok=True)
    (users / "visitors.py").write_text(VISITORS)
    profile = LoadProfile(**{"name": "test", "system": "test", "locustfile": "users/visitors.py", **fields})
    return LoadProcess.start(
        profile.shortened(Decimal(share)),
        workspace=folder,
        target=target,
        run_folder=folder / "run",
        thresholds=[Decimal("0.5")],
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
