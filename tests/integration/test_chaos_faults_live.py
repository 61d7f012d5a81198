"""Faults of processes, balancer, monitoring and machine on a live lab: injected, seen, undone, seen to be undone."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sloproof.chaos.any_fault import AnyFault
from sloproof.chaos.envoy_admin import EnvoyAdmin
from sloproof.chaos.experiment import Balanced, Experiment
from sloproof.chaos.faults import AbortRequests, DelayRequests
from sloproof.chaos.http_exchange import exchange, healthy
from sloproof.chaos.injection import Place, inject
from sloproof.chaos.instance_faults import FailHealthCheck, PauseInstance, RestartLoop, StopInstance
from sloproof.chaos.journal import read_events
from sloproof.chaos.ledger import Ledger
from sloproof.chaos.monitoring_faults import LoseExporter, RestartPrometheus
from sloproof.chaos.outcome import FaultOutcome
from sloproof.chaos.pressure_faults import FillDisk, PressCPU, PressMemory
from sloproof.chaos.toolkit_json import experiment_json
from sloproof.chaos.toolkit_process import ChaosProcess
from sloproof.chaos.undo import undo_all, undo_entry
from sloproof.errors import PartFailed, Refused
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
    "jitter": (
        DelayRequests("60ms", jitter="50ms", percent="100", at="0s", lasts="3s"),
        "`delays_injected` rose by",
    ),
    "delay on a route": (
        DelayRequests("50ms", percent="50", route="tarefas", at="0s", lasts="3s"),
        "`delays_injected` rose by",
    ),
    "abort on a route": (
        AbortRequests(503, percent="12.5", route="tarefas", at="0s", lasts="3s"),
        "`aborts_injected` rose by",
    ),
}
"""Each fault, and what its evidence says."""


NONE: tuple[AnyFault, ...] = (PauseInstance("a1", at="0s", lasts="1s"),)
"""For tests that inject by themselves."""


class Run:
    """One workspace with one experiment on the lab."""

    def __init__(self, folder: Path, lab: LabState, *faults: AnyFault) -> None:
        experiment = Experiment(name="one", system="tasks", load=LOAD, faults=faults or NONE, expect=[Balanced()])
        self.experiment = folder / "one.json"
        self.experiment.write_text(experiment_json(experiment))
        self.lab_file = lab.folder / "lab.json"
        self.ledger = folder / ".sloproof" / "ledger.jsonl"
        self.folder = folder / "run"

    def start(self, begin_in: float = 0.0) -> ChaosProcess:
        return ChaosProcess.start(
            self.experiment,
            lab_file=self.lab_file,
            run_folder=self.folder,
            ledger=self.ledger,
            started_at=time.time() + begin_in,
        )

    def place(self) -> Place:
        return Place(lab_file=self.lab_file, run_folder=self.folder, ledger=Ledger(self.ledger), started_at=time.time())

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
    with trickle(f"{lab.balancer}/tarefas"):
        yield lab


def outcome_of(run: Run) -> FaultOutcome:
    # A busy machine takes seconds until the Chaos Toolkit is there; a fault that would be over by then is refused.
    made = run.start(begin_in=14).wait(90)
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


def test_an_abort_on_one_route_leaves_the_others_alone(system: LabState, tmp_path: Path) -> None:
    place = Run(tmp_path, system).place()
    entry = inject(AbortRequests(418, percent="100", route="tarefas", at="0s", lasts="60s"), "1-abort", place)
    statuses = {
        path: exchange("GET", system.balancer + path).status for path in ("/tarefas", "/tarefas/1", "/usuarios")
    }
    assert statuses == {"/tarefas": 418, "/tarefas/1": 418, "/usuarios": 401}
    undo_entry(place.ledger, entry)
    assert exchange("GET", f"{system.balancer}/tarefas").status == 401


def test_an_abort_on_all_routes_still_reaches_the_named_ones(system: LabState, tmp_path: Path) -> None:
    run = Run(tmp_path, system)
    inject(AbortRequests(418, percent="100", at="0s", lasts="60s"), "1-abort", run.place())
    assert {exchange("GET", system.balancer + path).status for path in ("/tarefas", "/healthz")} == {418}
    assert len(undo_all(run.ledger, print)) == 1


def test_a_jitter_moves_the_delay_within_its_bounds(system: LabState, tmp_path: Path) -> None:
    run, admin, key = Run(tmp_path, system), EnvoyAdmin(system.envoy_admin), "fault.http.delay.fixed_duration_ms"
    inject(DelayRequests("60ms", jitter="50ms", percent="100", at="0s", lasts="60s"), "1-delay", run.place())
    seen: set[int] = set()

    def moved() -> bool:
        seen.add(int(admin.overrides([key])[key]))
        return len(seen) > 3

    assert wait_for(moved, 20)
    assert min(seen) >= 10 and max(seen) <= 110
    assert len(undo_all(run.ledger, print)) == 1
    assert is_whole(system)


def test_a_route_that_is_not_there_is_refused_and_those_there_are_named(system: LabState, tmp_path: Path) -> None:
    run = Run(tmp_path, system)
    with pytest.raises(PartFailed, match="no faults on a route `orders`") as refusal:
        inject(AbortRequests(503, percent="10", route="orders", at="0s", lasts="60s"), "1-abort", run.place())
    assert refusal.value.hint == "it has the routes `login`, `tarefas`, `usuarios`"
    assert Ledger(run.ledger).read().entries == ()


@pytest.mark.parametrize(
    "fault",
    [PressMemory("a1", size="4096GiB", at="0s", lasts="9s"), FillDisk("a1", size="40960GiB", at="0s", lasts="9s")],
    ids=["memory", "disk"],
)
def test_more_than_a_quarter_of_what_is_free_is_refused(system: LabState, tmp_path: Path, fault: AnyFault) -> None:
    run = Run(tmp_path, system)
    with pytest.raises(Refused, match="more than a quarter"):
        inject(fault, "1-press", run.place())
    assert Ledger(run.ledger).read().entries == ()


def test_an_undo_that_comes_while_an_instance_still_ends_lets_it_start_again(system: LabState, tmp_path: Path) -> None:
    run = Run(tmp_path, system)
    before = Supervisor(system.supervisor_socket).pid("a1")
    entry = inject(StopInstance("a1", at="0s", back_after="30s"), "1-stopped", run.place())
    undone = undo_entry(Ledger(run.ledger), entry, patience=1)
    assert undone is not None
    assert Supervisor(system.supervisor_socket).pid("a1") not in (None, before), undone.evidence
