"""Every fault of dependencies and of the way to them, and a live lab to break, under load."""

import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sloproof.chaos.any_fault import AnyFault
from sloproof.chaos.dependency_faults import FlushCache, LoseDependency, RestartDependency
from sloproof.chaos.dependency_protocol import accepts
from sloproof.chaos.experiment import Balanced, Experiment
from sloproof.chaos.injection import Place
from sloproof.chaos.journal import read_events
from sloproof.chaos.ledger import Ledger
from sloproof.chaos.link_control import LinkControl
from sloproof.chaos.network_faults import Blackhole, LimitBandwidth, Partition, ResetConnections, SlowDependency
from sloproof.chaos.outcome import ChaosOutcome
from sloproof.chaos.strain_faults import ContendLocks, ExhaustPool
from sloproof.chaos.toolkit_json import experiment_json
from sloproof.chaos.toolkit_process import ChaosProcess
from sloproof.lab.state import STATE_FILE, LabState
from sloproof.loadtests.profile import LoadProfile
from sloproof.supervisor import Supervisor
from tests.integration.chaos_system import wait_for
from tests.integration.lab_calls import call, log_in

LOAD = LoadProfile(name="steady", system="tasks", locustfile="users/tasks.py", users=1, duration="10s")
WHEN: dict[str, Any] = {"at": "500ms", "lasts": "6s"}
"""Long enough for some request to feel it, also where a busy machine begins it three seconds late."""
EVERY_FAULT: list[AnyFault] = [
    SlowDependency("postgres", delay="200ms", **WHEN),
    LimitBandwidth("postgres", bytes_per_second=2000, **WHEN),
    ResetConnections("postgres", **WHEN),
    ResetConnections("postgres", instance="a2", percent="90", **WHEN),
    Blackhole("postgres", **WHEN),
    Partition("a1", dependency="postgres", **WHEN),
    LoseDependency("postgres", **WHEN),
    RestartDependency("postgres", at="500ms", back_after="6s"),
    ExhaustPool(leave=0, at="500ms", lasts="20s"),
    ExhaustPool(leave=3, at="500ms", lasts="20s"),
    ContendLocks("tarefas", at="500ms", lasts="8s"),
    ContendLocks("tarefas", mode="exclusive", at="500ms", lasts="8s"),
    SlowDependency("redis", delay="200ms", **WHEN),
    Blackhole("redis", **WHEN),
    LoseDependency("redis", **WHEN),
    RestartDependency("redis", at="500ms", back_after="6s"),
    FlushCache("redis", **WHEN),
]
LATEST = 3.5
"""Seconds after the start of a run until which a fault that begins at 0.5 s is soon enough to be felt."""
STRAINS = ("strain-connections", "strain-locks")
PATIENCE = 60.0
"""Seconds in which whatever put a fault back leaves the lab whole: a busy machine starts a database slowly."""
TIMES_TO_BEGIN = (4.0, 10.0, 25.0)
"""Seconds that the Chaos Toolkit may take to be there, more at each try: a busy machine takes many."""


class Broken:
    """One workspace with one experiment on the lab."""

    def __init__(self, folder: Path, lab: LabState, *faults: AnyFault) -> None:
        broken = faults or EVERY_FAULT[:1]
        experiment = Experiment(name="one", system="tasks", load=LOAD, faults=broken, expect=[Balanced()], tail="2s")
        self.experiment = folder / "one.json"
        self.experiment.write_text(experiment_json(experiment))
        self.lab_file = lab.folder / STATE_FILE
        self.ledger = folder / "ledger.jsonl"
        self.folder = folder / "run"

    def start(self, begin_in: float = 0) -> ChaosProcess:
        return ChaosProcess.start(
            self.experiment,
            lab_file=self.lab_file,
            run_folder=self.folder,
            ledger=self.ledger,
            started_at=time.time() + begin_in,
        )

    def run(self) -> ChaosOutcome:
        """The outcome; that of a run that began soon enough, where one of three did."""
        parent = self.folder
        for turn, begin_in in enumerate(TIMES_TO_BEGIN):
            self.folder, planned = parent / str(turn), time.time() + begin_in
            made = self.start(begin_in).wait(150)
            injected = [fault.injected_at for fault in made.faults]
            if all(at is not None and at < planned + LATEST for at in injected):
                break
        return made

    def place(self) -> Place:
        return Place(lab_file=self.lab_file, run_folder=self.folder, ledger=Ledger(self.ledger), started_at=time.time())

    def await_event(self, kind: str) -> bool:
        return wait_for(lambda: any(event.kind == kind for event in read_events(self.folder)), 40)


def what_is_left(lab: LabState) -> list[str]:
    """What is not as it was before any fault, asked of every part; empty when the lab is whole."""
    idle = {"delay_ms": "0", "bytes_per_second": "0", "cut": "", "percent": "100"}
    control, supervisor = LinkControl(lab.links), Supervisor(lab.supervisor_socket)
    spoilt = [f"link `{name}` is spoilt" for name in control.names() if not control.holds({name: idle})]
    down = [f"`{name}` accepts nothing" for name, url in lab.dependencies.items() if not accepts(url)]
    strains = [f"`{name}` goes on" for name in STRAINS if supervisor.pid(name)]
    held = [f"`{file.name}` is held back" for file in lab.restart_delay_folder.glob("[!.]*")]
    ready = {name: call(url, "GET", "/readyz") for name, url in lab.instances.items()}
    unready = [f"`{name}`: {answer.body.decode()}" for name, answer in ready.items() if answer.status != 200]
    return spoilt + down + strains + held + unready


def left_after(lab: LabState, seconds: float = PATIENCE) -> list[str]:
    """What is left once the lab is whole, or once it has had so many seconds for that."""
    end = time.monotonic() + seconds
    while (left := what_is_left(lab)) and time.monotonic() < end:
        time.sleep(0.1)
    return left


@contextmanager
def under_load(lab: LabState) -> Iterator[LabState]:
    """The lab with a few dozen requests a second: somebody reads and writes, somebody else only reads."""
    token, reader, end = log_in(lab, 1), log_in(lab, 2), threading.Event()

    def ask() -> None:
        while not end.wait(0.2):
            with contextlib.suppress(OSError, ValueError):
                call(lab.balancer, "GET", "/tarefas", token=reader)
                call(lab.balancer, "GET", "/tarefas", token=token)
                made = call(lab.balancer, "POST", "/tarefas", {"titulo": "x"}, token)
                if made.status == 201:
                    call(lab.balancer, "DELETE", made.headers["location"], token=token)

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(6)]
    for thread in threads:
        thread.start()
    yield lab
    end.set()
    for thread in threads:
        thread.join(timeout=20)
