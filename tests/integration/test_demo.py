"""One real demo, with smaller sizes than a user's: everything expected is seen, and nothing is left."""

import json
from pathlib import Path

import pytest

from tests.integration.cli_runs import Workspace, eventually

pytestmark = pytest.mark.integration
LOADS = """\
from sloproof import LoadProfile

# 0 errors in 3,000 requests prove 99.9 %: 200 a second for 18 seconds are 3,600.
steady = LoadProfile(
    name="steady", system="tasks", locustfile="users/tasks.py",
    users=200, rate=200, spawn_rate=80, duration="22s", warm_up="4s",
)
gentle = LoadProfile(
    name="gentle", system="tasks", locustfile="users/tasks.py",
    users=60, rate=60, spawn_rate=60, duration="10s", warm_up="2s",
)
"""
FAULTS = """\
from loadtests.tasks import gentle, steady
from slo import tasks
from sloproof import Balanced, DelayRequests, Experiment, Fires, Holds, KillInstance, Resolves

lose_one_instance = Experiment(
    name="lose-one-instance",
    system="tasks",
    load=steady,
    faults=[KillInstance("a1", at="8s", back_after="6s")],
    expect=[Holds(tasks.availability), Balanced(tolerance="15")],
    tail="10s",
)
slow_backend = Experiment(
    name="slow-backend",
    system="tasks",
    load=gentle,
    # 95 % slow answers spend the budget of 5 % 19 times too fast: enough for the quickest alert, after 23 of its 30 s.
    faults=[DelayRequests("800ms", percent=95, at="4s", lasts="34s")],
    expect=[Fires(tasks.latency, tier="fast"), Resolves(tasks.latency, tier="fast")],
    tail="14s",
)
"""


def test_a_demo_sees_everything_it_expects_and_leaves_nothing(parts: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "slos")
    (workspace.root / "loadtests" / "tasks.py").write_text(LOADS)
    (workspace.root / "chaos" / "tasks.py").write_text(FAULTS)
    report = tmp_path / "report.html"
    with workspace.started("demo", "--no-open", "--report", str(report)) as command:
        code = command.ended(400)
        assert code == 0, command.said
        assert eventually(lambda: not command.left(), 5), command.left()
        assert not any(runtime.exists() for runtime in command.runtimes)
    (folder,) = workspace.runs()
    told = json.loads((folder / "report.json").read_text())
    assert told["verdict"] == "PASS"
    assert [one for one in told["expectations"] if one["verdict"] != "PASS"] == []
    assert {one["expected"].split("`")[1] for one in told["expectations"] if "holds" in one["expected"]} == {
        "tasks/availability",
        "tasks/latency",
    }
    assert sum("fires" in one["expected"] or "resolves" in one["expected"] for one in told["expectations"]) == 2
    page = report.read_text()
    assert "PASS" in page
    assert "<svg" in page
    assert workspace.state is None
    assert not workspace.ledger.open_entries()
