"""`sloproof gate` against a real lab: a healthy system passes, a slow build and an open fault do not."""

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sloproof.chaos.balancer_runtime import EnvoyRuntime, RequestsSpoilt
from sloproof.chaos.ledger import Entry
from sloproof.chaos.process_identity import this_process
from sloproof.lab.state import LabState
from tests.integration import lab_calls
from tests.integration.cli_runs import Workspace

pytestmark = [pytest.mark.integration, pytest.mark.alone]

TRIES = 4
"""A machine that does other things at the same time can disturb a load; a gate then says so, and does not pass."""
LOADS = """\
from sloproof import LoadProfile

steady = LoadProfile(
    name="steady", system="tasks", locustfile="users/tasks.py", users=30, rate=60, duration="12s", warm_up="2s"
)
"""
FAULTS = """\
from loadtests.tasks import steady
from slo import tasks
from sloproof import Experiment, Holds, KillInstance

lose_one_instance = Experiment(
    name="lose-one-instance",
    system="tasks",
    load=steady,
    faults=[KillInstance("a1", at="8s", back_after="2s")],
    expect=[Holds(tasks.latency)],
    tail="3s",
)
"""
GATES = """\
from chaos.tasks import lose_one_instance
from loadtests.tasks import steady
from sloproof import AlertsProven, BudgetLeft, Gate, Load, NoOpenFaults, ObjectivesHold, Survives

release = Gate(
    name="release",
    system="tasks",
    requires=[NoOpenFaults(), AlertsProven(), Load(steady), ObjectivesHold(), Survives(lose_one_instance)],
)
loaded = Gate(name="loaded", system="tasks", requires=[NoOpenFaults(), Load(steady)])
survived = Gate(name="survived", system="tasks", requires=[Survives(lose_one_instance)])
young = Gate(name="young", system="tasks", requires=[BudgetLeft("20%")])
"""
SLOW = {
    "fault.http.delay.fixed_delay_percent": "100",
    "fault.http.delay.fixed_duration_ms": "900",
}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, parts: Path) -> Iterator[Workspace]:
    made = Workspace(tmp_path_factory.mktemp("gate") / "work")
    (made.root / "loadtests" / "tasks.py").write_text(LOADS)
    (made.root / "loadtests" / "gates.py").write_text(GATES)
    (made.root / "chaos" / "tasks.py").write_text(FAULTS)
    objectives = made.root / "slo" / "tasks.py"
    objectives.write_text(objectives.read_text().replace('objective="99.9"', 'objective="97"'))
    up = made.run("lab", "up", "tasks", "--for", "15m")
    assert up.returncode == 0, up.stderr
    yield made
    down = made.run("lab", "down", "tasks")
    assert down.returncode == 0, down.stderr


@pytest.fixture
def lab(workspace: Workspace) -> LabState:
    assert workspace.state is not None
    return workspace.state


def decide(workspace: Workspace, gate: str, *options: str) -> tuple[int, dict[str, Any], str]:
    named = () if "--release" in options else ("--release", "1.4.2")
    done = workspace.run("gate", gate, "--report", f"json={gate}.json", *named, *options)
    document = json.loads((workspace.root / f"{gate}.json").read_text())
    assert document["exit_code"] == done.returncode, done.stderr
    return done.returncode, document, done.stdout


def runs(workspace: Workspace) -> list[Path]:
    """The runs that gates were decided by; each gate has a folder of its own beside them."""
    return [folder for folder in workspace.runs() if "-gate-" not in folder.name]


def observed(document: dict[str, Any]) -> dict[str, str]:
    return {one["requirement"]: one["observed"] for one in document["findings"]}


@contextmanager
def slow_build(lab: LabState) -> Iterator[None]:
    """Every answer comes 900 ms late, as from a build that is slow."""
    lab_calls.set_runtime(lab, **SLOW)
    try:
        yield
    finally:
        lab_calls.set_runtime(lab, **dict.fromkeys(SLOW, ""))


def test_a_healthy_system_passes_and_its_runs_can_be_taken(workspace: Workspace) -> None:
    for _ in range(TRIES):
        code, document, said = decide(workspace, "release")
        if code == 0:
            break
    assert (code, document["verdict"]) == (0, "PASS"), document["findings"]
    assert {one["requirement"] for one in document["findings"]} == {
        "no open faults", "alerts proven", "load steady", "objectives hold", "survives lose-one-instance"
    }  # fmt: skip
    assert said.splitlines()[-1].strip().endswith("findings passed.")
    assert workspace.whole()
    before = runs(workspace)
    code, taken, _ = decide(workspace, "loaded", "--take", "1h")
    assert code == 0, taken["findings"]
    assert runs(workspace) == before
    assert any("taken from the history of release `1.4.2`" in one["evidence"] for one in taken["findings"])


def test_a_slow_build_fails_and_nothing_is_broken_after_that(workspace: Workspace, lab: LabState) -> None:
    with slow_build(lab):
        code, document, _ = decide(workspace, "release")
    assert (code, document["verdict"]) == (1, "FAIL"), document["findings"]
    missed = [one for one in document["findings"] if one["verdict"] == "FAIL"]
    assert "`tasks/latency`" in missed[0]["expected"]
    assert observed(document)["survives lose-one-instance"] == "not run"


def test_a_failed_run_cannot_be_hidden_by_taking_an_older_one(workspace: Workspace, lab: LabState) -> None:
    with slow_build(lab):
        assert decide(workspace, "loaded")[0] == 1
    code, document, _ = decide(workspace, "loaded", "--take", "1h")
    assert (code, document["verdict"]) == (1, "FAIL")


def test_an_open_fault_fails_and_nothing_is_run(workspace: Workspace, lab: LabState) -> None:
    ledger, before = workspace.ledger, runs(workspace)
    ledger.open(
        Entry(
            id="left",
            run=workspace.root / "run",
            system="tasks",
            lab_file=workspace.lab / "lab.json",
            fault="1-delay-requests",
            description="800ms into 30 % of the requests",
            undo=EnvoyRuntime(admin=lab.envoy_admin, values=dict.fromkeys(SLOW, ""), envoy_started_at=time.time()),
            effect=RequestsSpoilt(admin=lab.envoy_admin, counter="delays_injected", before=0, values=SLOW),
            deadline=time.time() + 3600,
            owner=this_process(),
        )
    )
    code, document, _ = decide(workspace, "release")
    assert (code, document["verdict"]) == (1, "FAIL")
    assert "800ms into 30 %" in document["findings"][0]["evidence"]
    assert observed(document)["load steady"] == "not run"
    assert runs(workspace) == before
    assert workspace.run("chaos", "undo").returncode == 0
    assert observed(decide(workspace, "young")[1])  # a gate can be asked again


def test_an_experiment_beyond_a_limit_is_refused_and_nothing_is_run(workspace: Workspace) -> None:
    settings, before = workspace.root / "pyproject.toml", runs(workspace)
    kept = settings.read_text()
    settings.write_text(f'{kept}\n[tool.sloproof.safety]\nlongest-fault = "1s"\n')
    try:
        code, document, _ = decide(workspace, "survived")
    finally:
        settings.write_text(kept)
    assert (code, document["verdict"]) == (5, "UNDECIDED"), document["findings"]
    assert "lasts longer than 1s; nothing was sent" in observed(document)["survives lose-one-instance"]
    assert runs(workspace) == before
    assert workspace.whole()


def test_a_young_system_has_no_budget_to_pass_on(workspace: Workspace) -> None:
    code, document, _ = decide(workspace, "young")
    assert code in (1, 3), document["findings"]
    assert document["verdict"] != "PASS"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_gate_that_is_stopped_passes_nothing_and_leaves_nothing(workspace: Workspace, number: signal.Signals) -> None:
    report, release = workspace.root / "stopped.json", f"stopped-{number.name}"
    with workspace.started("gate", "loaded", "--release", release, "--report", f"json={report}") as gate:
        gate.wait_until_said(r"steady  00:0\d/")
        gate.send(number, group=True)
        assert gate.ended() == 128 + number
    assert not report.exists()
    assert "PASS load steady" not in gate.said
    code, document, _ = decide(workspace, "loaded", "--take", "1h", "--release", release)
    assert (code, document["verdict"]) == (3, "UNDECIDED"), document["findings"]
    assert workspace.whole()
