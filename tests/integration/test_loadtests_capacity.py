"""A capacity search against a real server whose capacity is known by its construction."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sloproof.loadtests.capacity import Capacity, Limits
from sloproof.loadtests.capacity_search import CapacitySearch, Site
from sloproof.loadtests.profile import LoadProfile
from sloproof.slo import SLO, ErrorRatio, LatencyBelow, Service
from sloproof.verdict.judge import Verdict
from tests.integration.counted_server import CountedServer

pytestmark = pytest.mark.integration

USERS = """
from locust import FastHttpUser, task

class Visitor(FastHttpUser):
    @task
    def visit(self):
        self.client.get("/visit")
"""
API = Service(name="api", owner="team", job="api")
LATENCY = SLO(service=API, name="latency", objective="95", sli=LatencyBelow("1500ms", histogram="d"))
AVAILABILITY = SLO(service=API, name="availability", objective="95", sli=ErrorRatio(errors='r{code="503"}', total="r"))


def search(folder: Path, server: CountedServer | str, limits: Limits, **changes: Any) -> Capacity:
    users = folder / "loadtests" / "users"
    users.mkdir(parents=True)
    (users / "visitors.py").write_text(USERS)
    profile = LoadProfile(
        name="steady", system="api", locustfile="users/visitors.py", users=1, duration="1m", request_timeout="20s"
    )
    url = server if isinstance(server, str) else server.url
    site = Site(workspace=folder, target=url, run_folder=folder / "run")
    fields = {"slos": [LATENCY, AVAILABILITY], "step": timedelta(seconds=12), **changes}
    return CapacitySearch(profile, limits, site=site, tell=print, **fields).run()


def test_ten_slots_of_one_second_each_are_a_capacity_of_ten_a_second(tmp_path: Path) -> None:
    with CountedServer(slots=10, hold=1.0) as server:
        found = search(tmp_path, server, Limits(first=Decimal(6), precision=Decimal("0.1")))
    assert found.outcome == "found", found
    assert float(found.holds or 0) == pytest.approx(10, rel=0.1)
    assert float(found.gives_way or 0) == pytest.approx(10.5, rel=0.1)
    assert {way.kind for way in found.gave_way} <= {"latency", "throughput"} and found.gave_way
    assert Capacity.model_validate_json((tmp_path / "run" / "capacity.json").read_text()) == found
    failed = next(step for step in found.steps if step.verdict is Verdict.FAIL)
    assert failed.achieved == pytest.approx(10, rel=0.1)
