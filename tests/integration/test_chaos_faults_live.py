"""Every fault of processes, balancer, monitoring and machine on a live lab: injected, seen, undone, seen to be undone."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sloproof.chaos.any_fault import AnyFault
from sloproof.chaos.envoy_admin import EnvoyAdmin
from sloproof.chaos.experiment import Balanced, Experiment
from sloproof.chaos.http_exchange import healthy
from sloproof.chaos.instance_faults import FailHealthCheck, PauseInstance, RestartLoop, StopInstance
from sloproof.chaos.journal import read_events
from sloproof.chaos.ledger import Ledger
from sloproof.chaos.monitoring_faults import LoseExporter, RestartPrometheus
from sloproof.chaos.outcome import FaultOutcome
from sloproof.chaos.pressure_faults import FillDisk, PressCPU, PressMemory
from sloproof.chaos.toolkit_json import experiment_json
from sloproof.chaos.toolkit_process import ChaosProcess
from sloproof.lab.state import LabState
from sloproof.loadtests.profile import LoadProfile
from sloproof.supervisor import Supervisor
from tests.integration.chaos_system import trickle, wait_for

pytestmark = pytest.mark.integration

LOAD = LoadProfile(name="steady", system="tasks", locustfile="users/tasks.py", users=1, duration="30s")
FAULTS: dict[str, tuple[AnyFault, str]] = {
    "pause": (PauseInstance("a1", at="0s", lasts="4s"), "is stopped; the health URL does not answer"),
    "stop": (StopInstance("a1", at="0s", back_after="4s"), "is gone; the health URL does not answer"),
    "loop": (RestartLoop("a1", at="0s", every="2s", lasts="5s"), "killed"),
    "health": (FailHealthCheck("a1", at="0s", lasts="5s"), "/healthz` answers 503"),
    "exporter": (LoseExporter("a1", at="0s", lasts="4s"), "/metrics` answers 503"),
    "prometheus": (RestartPrometheus(at="0s", back_after="3s"), "/-/ready` does not answer"),
    "cpu": (PressCPU("a1", at="0s", processes=2, lasts="4s"), "the instance has only that one"),
    "memory": (PressMemory("a1", at="0s", size="64MiB", lasts="3s"), "of 64 MiB"),
    "disk": (FillDisk("a1", at="0s", size="64MiB", lasts="2s"), "64 MiB are taken"),
}
"""Each fault, and what its evidence says."""


class Run:
    """One workspace with one experiment on the lab."""

    def __init__(self, folder: Path, lab: LabState, *faults: AnyFault) -> None:
        experiment = Experiment(name="one", system="tasks", load=LOAD, faults=faults, expect=[Balanced()])
        self.experiment = folder / "one.json"
        self.experiment.write_text(experiment_json(experiment))
        self.lab_file = lab.folder / "lab.json"
        self.ledger = folder / ".sloproof" / "ledger.jsonl"
        self.folder = folder / "run"

    def start(self) -> ChaosProcess:
        return ChaosProcess.start(self.experiment, lab_file=self.lab_file, run_folder=self.folder, ledger=self.ledger)

    def await_event(self, kind: str) -> bool:
        return wait_for(lambda: any(event.kind == kind for event in read_events(self.folder)), 30)


def is_whole(lab: LabState) -> bool:
    """Nothing of any fault is left on the lab."""
    admin = EnvoyAdmin(lab.envoy_admin)
    ports = [int(url.rpartition(":")[2]) for url in lab.instances.values()]
    pids = [Supervisor(lab.supervisor_socket).pid(name) for name in lab.instances]
    return (
        all(healthy(url + page, timeout=1) for url in lab.instances.values() for page in ("/healthz", "/metrics"))
        and not any(admin.taken_out("127.0.0.1", port) for port in ports)
        and not any(admin.overrides(sorted(admin.keys())).values())
        and not [*lab.unhealthy_folder.iterdir(), *lab.no_metrics_folder.iterdir(), *lab.folder.glob("fill-*")]
        and all(pid is not None and os.sched_getaffinity(pid) == os.sched_getaffinity(0) for pid in pids)
        and healthy(f"{lab.prometheus}/-/ready")
        and not workers()
    )


def workers() -> list[str]:
    listed = subprocess.run(["ps", "-A", "-o", "args="], capture_output=True, text=True, timeout=10, check=True)
    return [line for line in listed.stdout.splitlines() if "sloproof.chaos.worker " in line]


@pytest.fixture
def system(lab: LabState) -> Iterator[LabState]:
    assert wait_for(lambda: is_whole(lab), 40), "the test before left a fault"
    with trickle(f"{lab.balancer}/healthz"):
        yield lab


def outcome_of(run: Run) -> FaultOutcome:
    made = run.start().wait(90)
    assert made.clean, made.model_dump_json(indent=1)
    (fault,) = made.faults
    return fault


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_is_injected_seen_undone_and_seen_to_be_undone(system: LabState, tmp_path: Path, name: str) -> None:
    fault, evidence = FAULTS[name]
    seen = outcome_of(Run(tmp_path, system, fault))
    assert evidence in seen.evidence
    assert wait_for(lambda: is_whole(system), 30)


@pytest.mark.parametrize("name", FAULTS)
def test_a_killed_tool_leaves_nothing_of_a_fault(system: LabState, tmp_path: Path, name: str) -> None:
    fault = FAULTS[name][0]
    field = "lasts" if hasattr(fault, "lasts") else "back_after"
    run = Run(tmp_path, system, fault.model_copy(update={field: 15 * fault.length}))
    child = run.start()
    assert run.await_event("verified")
    assert not is_whole(system)
    os.kill(child.pid, signal.SIGKILL)
    left = Ledger(run.ledger).open_entries
    assert wait_for(lambda: not left() and is_whole(system), 60)
    assert child.wait(10).status == "crashed"
