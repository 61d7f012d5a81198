"""One real demo, with smaller sizes than a user's: everything expected is seen, and nothing is left."""

import json
from pathlib import Path

import pytest

from tests.integration.cli_runs import Workspace, eventually

pytestmark = [pytest.mark.integration, pytest.mark.alone]
LOADS = """\
from sloproof import LoadProfile

# Few people in a hurry: two hundred who log in at once keep a small machine busy for seconds.
# Both loads are equally dense: a window over two phases then weighs them by their time.
steady = LoadProfile(
    name="steady", system="tasks", locustfile="users/tasks.py",
    users=40, rate=100, spawn_rate=10, duration="22s", warm_up="5s",
)
gentle = LoadProfile(
    name="gentle", system="tasks", locustfile="users/tasks.py",
    users=100, rate=100, spawn_rate=25, duration="10s", warm_up="3s",
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
    faults=[KillInstance("a1", at="10s", back_after="6s")],
    expect=[Holds(tasks.availability), Balanced(tolerance="15")],
    tail="10s",
)
# 95 % slow answers spend the budget of 20 % 4.75 times too fast. The pair fires above 1.8 times, so after 23 s of the
# long window's minute, and clears 9 s after the end, when the 15 s of the short window hold few enough of them.
slow_backend = Experiment(
    name="slow-backend",
    system="tasks",
    load=gentle,
    faults=[DelayRequests("800ms", percent=95, at="8s", lasts="34s")],
    expect=[Fires(tasks.latency, tier="brisk"), Resolves(tasks.latency, tier="brisk")],
    tail="18s",
)
"""
BRISK = """\

from decimal import Decimal

from slo import tasks
from sloproof import BurnPolicy, BurnTier

brisk = BurnPolicy(
    tiers=(BurnTier(name="brisk", budget_share=Decimal("0.005"), long="2h", short="30m", severity="page"),),
    applies_to=(tasks.latency,),
)
"""


def shortened(root: Path) -> Workspace:
    """A new workspace whose availability needs hundreds of requests to be proven, and whose alert is quick."""
    workspace = Workspace(root)
    (root / "loadtests" / "tasks.py").write_text(LOADS)
    (root / "chaos" / "tasks.py").write_text(FAULTS)
    alerts, objectives = root / "alerts" / "tasks.py", root / "slo" / "tasks.py"
    alerts.write_text(alerts.read_text() + BRISK)
    easier = objectives.read_text().replace('objective="99.9"', 'objective="99.5"')
    objectives.write_text(easier.replace('objective="95"', 'objective="80"'))
    assert workspace.run("generate").returncode == 0
    assert workspace.run("check").returncode == 0
    return workspace


def test_a_demo_sees_everything_it_expects_and_leaves_nothing(parts: Path, tmp_path: Path) -> None:
    workspace = shortened(tmp_path / "slos")
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
