"""Faults of dependencies and of the way to them, on a live lab under load, through the real Chaos Toolkit."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from sloproof.chaos.any_fault import AnyFault
from sloproof.chaos.dependency_faults import FlushCache, LoseDependency, RestartDependency
from sloproof.chaos.dependency_protocol import accepts
from sloproof.chaos.experiment import Balanced, Experiment
from sloproof.chaos.faults import Fault
from sloproof.chaos.injection import Place, inject
from sloproof.chaos.journal import read_events
from sloproof.chaos.ledger import Ledger
from sloproof.chaos.link_control import LinkControl
from sloproof.chaos.network_faults import Blackhole, LimitBandwidth, Partition, ResetConnections, SlowDependency
from sloproof.chaos.outcome import ChaosOutcome
from sloproof.chaos.strain_faults import ContendLocks, ExhaustPool
from sloproof.chaos.toolkit_json import experiment_json
from sloproof.chaos.toolkit_process import ChaosProcess
from sloproof.chaos.undo import undo_all
from sloproof.errors import PartFailed
from sloproof.lab.state import STATE_FILE, LabState
from sloproof.loadtests.profile import LoadProfile
from sloproof.supervisor import Supervisor
from tests.integration.chaos_system import wait_for
from tests.integration.lab_calls import call, log_in

pytestmark = pytest.mark.integration

LOAD = LoadProfile(name="steady", system="tasks", locustfile="users/tasks.py", users=1, duration="30s")
WHEN: dict[str, Any] = {"at": "500ms", "lasts": "3s"}
"""Long enough for a busy machine to let some request feel it."""
EVERY_FAULT: list[AnyFault] = [
    SlowDependency("postgres", delay="200ms", **WHEN),
    LimitBandwidth("postgres", bytes_per_second=2000, **WHEN),
    ResetConnections("postgres", **WHEN),
    ResetConnections("postgres", instance="a2", percent="90", at="500ms", lasts="6s"),
    Blackhole("postgres", **WHEN),
    Partition("a1", dependency="postgres", **WHEN),
    LoseDependency("postgres", **WHEN),
    RestartDependency("postgres", at="500ms", back_after="2s"),
    ExhaustPool(leave=0, at="500ms", lasts="10s"),
    ExhaustPool(leave=3, at="500ms", lasts="10s"),
    ContendLocks("tarefas", at="500ms", lasts="5s"),
    ContendLocks("tarefas", mode="exclusive", at="500ms", lasts="5s"),
    SlowDependency("redis", delay="200ms", **WHEN),
    Blackhole("redis", **WHEN),
    LoseDependency("redis", **WHEN),
    RestartDependency("redis", at="500ms", back_after="2s"),
    FlushCache("redis", at="500ms", lasts="3s"),
]
LATEST = 1.5
"""Seconds after the start of a run until which a fault that begins at 0.5 s is on time."""
STRAINS = ("strain-connections", "strain-locks")
PATIENCE = 60.0
"""Seconds in which whatever put a fault back leaves the lab whole: a busy machine starts a database slowly."""
TRIES = 4
"""How many runs may begin late, each of them with more time to begin in than the one before."""


class Broken:
    """One workspace with one experiment on the lab.

    Attributes:
        time_to_begin: seconds that the Chaos Toolkit takes to be there at most, as far as is known of this machine.
    """

    time_to_begin: ClassVar[float] = 3.0

    def __init__(self, folder: Path, lab: LabState, *faults: AnyFault) -> None:
        broken = faults or EVERY_FAULT[:1]
        experiment = Experiment(name="one", system="tasks", load=LOAD, faults=broken, expect=[Balanced()])
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
        """The outcome; that of a run that began on time, where one of the first did."""
        parent = self.folder
        for turn in range(TRIES):
            self.folder, planned = parent / str(turn), time.time() + Broken.time_to_begin
            made = self.start(Broken.time_to_begin).wait(150)
            injected = [fault.injected_at for fault in made.faults]
            if all(at is not None and at < planned + LATEST for at in injected):
                break
            Broken.time_to_begin = min(40.0, 2.5 * Broken.time_to_begin)
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


@pytest.fixture(scope="module")
def loaded(lab: LabState) -> Iterator[LabState]:
    """The lab with a few dozen requests a second: somebody reads and writes, somebody else only reads."""
    token, reader, end = log_in(lab, 1), log_in(lab, 2), threading.Event()

    def ask() -> None:
        while not end.wait(0.1):
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


@pytest.fixture
def system(loaded: LabState) -> LabState:
    assert left_after(loaded) == [], "the test before left a fault"
    return loaded


@pytest.mark.parametrize("fault", EVERY_FAULT, ids=lambda fault: fault.describe())
def test_a_fault_is_injected_seen_undone_and_seen_to_be_undone(
    system: LabState, tmp_path: Path, fault: AnyFault
) -> None:
    made = Broken(tmp_path, system, fault).run()
    assert made.clean, made.model_dump_json(indent=1)
    assert left_after(system) == []


@pytest.mark.parametrize("fault", EVERY_FAULT, ids=lambda fault: fault.describe())
def test_an_undo_is_safe_to_repeat(system: LabState, tmp_path: Path, fault: AnyFault) -> None:
    broken = Broken(tmp_path, system, fault)
    inject(fault, "1-one", broken.place())
    assert isinstance(fault, FlushCache) or what_is_left(system), "a flushed cache is whole, and cold"
    assert len(undo_all(broken.ledger, print)) == 1
    assert left_after(system) == []
    assert undo_all(broken.ledger, print) == []


@pytest.mark.parametrize("fault", EVERY_FAULT, ids=lambda fault: fault.describe())
def test_a_killed_run_leaves_nothing(system: LabState, tmp_path: Path, fault: AnyFault) -> None:
    length = "back_after" if isinstance(fault, RestartDependency) else "lasts"
    broken = Broken(tmp_path, system, fault.model_copy(update={length: timedelta(minutes=5)}))
    child = broken.start()  # its fault lasts for minutes: it may be late
    assert broken.await_event("injected")
    os.kill(child.pid, signal.SIGKILL)
    assert wait_for(lambda: not Ledger(broken.ledger).open_entries(), PATIENCE)
    assert left_after(system) == []
    assert child.wait(20).status == "crashed"


def test_plain_chaos_run_needs_nothing_but_the_lab_file(system: LabState, tmp_path: Path) -> None:
    broken = Broken(tmp_path, system, SlowDependency("postgres", delay="200ms", at="500ms", lasts="12s"))
    command = ["chaos", "--no-version-check", "run", "--rollback-strategy=always", str(broken.experiment)]
    environment = {**os.environ, "SLOPROOF_LAB": str(broken.lab_file), "SLOPROOF_LEDGER": str(broken.ledger)}
    program = str(Path(sys.executable).with_name("chaos"))
    done = subprocess.run(
        [program, *command[1:]], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    ran = json.loads((tmp_path / "journal.json").read_text())
    assert [activity["status"] for activity in ran["run"]] == ["succeeded"] * 4
    assert what_is_left(system) == []


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (SlowDependency("mongo", delay="1s", **WHEN), "has no dependency `mongo`"),
        (Partition("a9", dependency="postgres", **WHEN), "has no instance `a9`"),
        (LoseDependency("mongo", **WHEN), "has no dependency `mongo`"),
        (FlushCache("postgres", at="0s"), "`postgres` is no cache"),
    ],
    ids=lambda part: part.describe() if isinstance(part, Fault) else "",
)
def test_what_a_fault_needs_is_checked_before_anything_is_touched(
    system: LabState, tmp_path: Path, fault: AnyFault, message: str
) -> None:
    broken = Broken(tmp_path, system, fault)
    with pytest.raises(PartFailed, match=message):
        inject(fault, "1-one", broken.place())
    assert not Ledger(broken.ledger).read().entries
    assert what_is_left(system) == []


def test_a_database_that_is_down_is_not_lost_once_more(system: LabState, tmp_path: Path) -> None:
    broken = Broken(tmp_path, system)
    fault = LoseDependency("postgres", at="0s", lasts="1m")
    inject(fault, "1-lose", broken.place())
    with pytest.raises(PartFailed, match="is not well before the fault"):
        inject(fault, "2-lose", broken.place())
    assert len(undo_all(broken.ledger, print)) == 1
    assert left_after(system) == []


def test_the_service_is_back_after_an_outage_longer_than_its_pool_retries(system: LabState, tmp_path: Path) -> None:
    def hurry() -> None:
        while not end.wait(0.05):
            with contextlib.suppress(OSError, ValueError):
                call(system.balancer, "GET", "/usuarios", token=token)

    token, end = log_in(system, 5), threading.Event()
    threads = [threading.Thread(target=hurry, daemon=True) for _ in range(60)]
    for thread in threads:
        thread.start()
    try:
        assert Broken(tmp_path, system, LoseDependency("postgres", at="500ms", lasts="12s")).run().clean
        assert left_after(system, 30) == [], "its queue was full of requests that had given up"
    finally:
        end.set()
        for thread in threads:
            thread.join(timeout=20)
