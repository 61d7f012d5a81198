"""A capacity search against a real server whose capacity is known by its construction."""

import json
import socket
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
from tests.integration.small_workspace import USERS, sloproof, workspace_of

pytestmark = pytest.mark.integration

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


def test_the_command_reports_a_capacity_of_a_listed_target(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path)
    with CountedServer(slots=100, hold=0.01) as server:
        command = "load capacity steady --from 20 --to 30 --step-for 10s --json --target"
        done = sloproof(workspace, *command.split(), server.url)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["outcome"], found["holds"], found["gives_way"]) == ("at-least", "30", None)
    assert found["objectives"] == ["api/latency"]
    assert [step["verdict"] for step in found["steps"]] == ["PASS", "PASS"]
    assert "20/s: PASS" in done.stderr


def test_a_target_that_refuses_every_connection_has_no_capacity(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}"
    done = sloproof(workspace, *f"load capacity steady --from 20 --step-for 10s --target {url}".split())
    assert done.returncode == 1, done.stdout + done.stderr
    assert "20/s: FAIL  too many failed (api/latency)" in done.stderr
    assert "0.0/s answered" in done.stdout
    assert "no capacity: at 20/s" in done.stdout and "did not recover" in done.stdout


def test_a_rate_that_the_generator_cannot_make_is_no_capacity(tmp_path: Path) -> None:
    with CountedServer() as server:
        found = search(tmp_path, server, Limits(first=Decimal(9000)), step=timedelta(seconds=10))
    assert (found.outcome, found.verdict, found.holds) == ("undecided", Verdict.UNDECIDED, None)
    assert found.steps[-1].saturated
    assert "the load generator was saturated" in found.steps[-1].reason


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--from 0", "`0` is no rate"),
        ("--from nan", "`nan` is no rate"),
        ("--from 10 --to 5", "begins at `10`/s and ends at `5`/s"),
        ("--from 10 --precision 2", "`2` is no precision"),
        ("--from 10 --step-for 3s", "steps of `3s` show nothing"),
        ("", "asks for no rate to begin with"),
    ],
)
def test_searches_that_make_no_sense_are_refused_before_anything_is_sent(tmp_path: Path, words: str, said: str) -> None:
    with CountedServer() as server:
        done = sloproof(workspace_of(tmp_path), "load", "capacity", "steady", "--target", server.url, *words.split())
        assert server.books().asked == 0
    assert done.returncode == 2
    assert said in done.stderr and "hint:" in done.stderr
