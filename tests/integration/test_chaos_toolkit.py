"""Real faults on a real Envoy and real instances, through the real Chaos Toolkit, with kills at every step."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sloproof.chaos import watchdog
from sloproof.chaos.any_fault import AnyFault
from sloproof.chaos.envoy_admin import EnvoyAdmin
from sloproof.chaos.experiment import Balanced, Experiment
from sloproof.chaos.faults import AbortRequests, DelayRequests, KillInstance
from sloproof.chaos.injection import Place, inject
from sloproof.chaos.journal import read_events
from sloproof.chaos.ledger import Ledger
from sloproof.chaos.toolkit_json import experiment_json
from sloproof.chaos.toolkit_process import ChaosProcess
from sloproof.chaos.undo import undo_all
from sloproof.errors import PartFailed, Refused, UndoFailed
from sloproof.loadtests.profile import LoadProfile
from sloproof.supervisor import Supervisor
from tests.integration.chaos_system import KEYS, SmallSystem, small_system, wait_for

pytestmark = pytest.mark.integration

LOAD = LoadProfile(name="steady", system="tasks", locustfile="users/tasks.py", users=1, duration="30s")
KILL = KillInstance("a1", at="500ms", back_after="2s")
DELAY = DelayRequests("100ms", percent="75", at="800ms", lasts="1700ms")
ABORT = AbortRequests(503, percent="62.5", at="1s", lasts="3s")
"""Long and common enough that some request is always hit, even where a busy machine lets few through."""
KILLS = 3
"""How many kills at random moments while three faults overlap; the matrix has the others."""


@pytest.fixture(scope="module")
def running() -> Iterator[SmallSystem]:
    with small_system() as started:
        yield started


@pytest.fixture
def system(running: SmallSystem) -> Iterator[SmallSystem]:
    assert wait_for(running.is_whole, 15), "the test before left a fault"
    yield running
    EnvoyAdmin(running.admin).override(dict.fromkeys(KEYS, ""))
    for file in running.delays.glob("[!.]*"):
        file.unlink()


class Run:
    """One workspace with one experiment on the small system."""

    def __init__(self, folder: Path, system: SmallSystem, *faults: AnyFault) -> None:
        experiment = Experiment(name="one", system="tasks", load=LOAD, faults=faults, expect=[Balanced()])
        self.experiment = folder / "one.json"
        self.experiment.write_text(experiment_json(experiment))
        self.lab_file = system.lab_file(folder)
        self.ledger = folder / ".sloproof" / "ledger.jsonl"
        self.folder = folder / "run"

    def start(self, **changes: Any) -> ChaosProcess:
        fields = {"lab_file": self.lab_file, "run_folder": self.folder, "ledger": self.ledger, **changes}
        return ChaosProcess.start(self.experiment, **fields)

    def place(self) -> Place:
        return Place(lab_file=self.lab_file, run_folder=self.folder, ledger=Ledger(self.ledger), started_at=time.time())

    def await_event(self, kind: str, timeout: float = 20) -> bool:
        return wait_for(lambda: any(event.kind == kind for event in read_events(self.folder)), timeout)


def nothing_watches(run: Run) -> bool:
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, timeout=10, check=True).stdout
    return not any("sloproof.chaos.watchdog" in line and str(run.folder) in line for line in listed.splitlines())


@pytest.mark.alone
def test_every_fault_is_injected_seen_undone_and_seen_to_be_undone(system: SmallSystem, tmp_path: Path) -> None:
    run = Run(tmp_path, system, KILL, DELAY, ABORT)
    before = Supervisor(system.socket).pid("a1")
    made = run.start().wait(40)
    assert made.clean, made.model_dump_json(indent=1)
    killed, delayed, aborted = made.faults
    assert f"process {before} is gone; the health URL does not answer" in killed.evidence
    assert "`delays_injected` rose by" in delayed.evidence
    assert "`aborts_injected` rose by" in aborted.evidence
    assert killed.injected_at is not None
    assert killed.undone_at is not None
    assert killed.rejoined_at is not None
    assert 2.0 <= killed.undone_at - killed.injected_at < 6.0
    assert "62.5" in aborted.description
    assert Supervisor(system.socket).pid("a1") != before
    assert system.is_whole()
    assert json.loads((run.folder / "chaos" / "journal.json").read_text())["status"] == "completed"
    assert wait_for(lambda: nothing_watches(run), 10)


@pytest.mark.alone
def test_a_fault_without_effect_is_told(system: SmallSystem, tmp_path: Path) -> None:
    run = Run(tmp_path, system, DelayRequests("1ms", percent="0.0001", at="200ms", lasts="600ms"))
    made = run.start().wait(40)
    assert made.status == "completed"
    assert not made.faults[0].verified
    assert "rose by 0" in made.faults[0].evidence
    assert not made.clean


@pytest.mark.alone
def test_values_that_were_there_before_come_back(system: SmallSystem, tmp_path: Path) -> None:
    admin, before = EnvoyAdmin(system.admin), {KEYS[0]: "7", KEYS[1]: "1"}
    admin.override(before)
    (system.delays / "a1").write_text("0.5")
    made = Run(tmp_path, system, KILL, DELAY).start().wait(40)
    assert made.clean, made.model_dump_json(indent=1)
    assert admin.overrides(list(before)) == before
    assert (system.delays / "a1").read_text() == "0.5"


@pytest.mark.alone
def test_the_schedule_counts_from_the_moment_that_is_given(system: SmallSystem, tmp_path: Path) -> None:
    begun = time.time() + 5
    (fault,) = Run(tmp_path, system, DELAY).start(started_at=begun).wait(40).faults
    assert fault.injected_at is not None
    assert fault.undone_at is not None
    assert begun + 0.8 <= fault.injected_at < begun + 2.3
    assert begun + 2.5 <= fault.undone_at < begun + 5


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_ends_the_run_injects_nothing_more_and_leaves_nothing(
    system: SmallSystem, tmp_path: Path, number: signal.Signals
) -> None:
    long = DelayRequests("100ms", percent="50", at="100ms", lasts="60s")
    run = Run(tmp_path, system, long, KillInstance("a1", at="3s", back_after="60s"))
    child = run.start()
    assert run.await_event("injected")
    os.kill(child.pid, number)
    made = child.wait(30)
    assert (made.status, made.reason) == ("interrupted", f"{number.name} received")
    assert made.faults[0].undo_verified
    assert made.faults[1].injected_at is None
    assert system.await_whole(run.ledger, 20)


def test_stopping_undoes_everything_and_can_be_repeated(system: SmallSystem, tmp_path: Path) -> None:
    run = Run(tmp_path, system, KillInstance("a1", at="100ms", back_after="60s"))
    child = run.start()
    assert run.await_event("verified")
    made = child.stop()
    assert made.status == "interrupted"
    assert made.faults[0].verified
    assert made.faults[0].undo_verified
    assert system.await_whole(run.ledger, 20)
    assert child.stop() == made == child.poll()


def test_a_run_that_is_stopped_before_it_begins_injects_nothing(system: SmallSystem, tmp_path: Path) -> None:
    run = Run(tmp_path, system, DELAY)
    made = run.start().stop()
    assert made.status in ("crashed", "interrupted")
    assert made.faults[0].injected_at is None
    assert system.is_whole()


@pytest.mark.alone
def test_the_watchdog_undoes_what_a_killed_run_leaves(system: SmallSystem, tmp_path: Path) -> None:
    run = Run(tmp_path, system, KillInstance("a1", at="100ms", back_after="60s"), DELAY)
    child = run.start()
    assert wait_for(lambda: len(Ledger(run.ledger).open_entries()) == 2, 20)
    os.kill(child.pid, signal.SIGKILL)
    assert system.await_whole(run.ledger, 20), "the child's parent has not lifted a finger"
    made = child.wait(10)
    assert (made.status, made.not_undone) == ("crashed", ())
    assert "SIGKILL" in made.reason
    assert all(fault.undo_verified for fault in made.faults)
    assert wait_for(lambda: nothing_watches(run), 10)


def test_the_death_of_the_tool_ends_the_run(system: SmallSystem, tmp_path: Path) -> None:
    run = Run(tmp_path, system, DelayRequests("100ms", percent="50", at="100ms", lasts="60s"))
    code = (
        "import sys, time; from pathlib import Path; from sloproof.chaos.toolkit_process import ChaosProcess\n"
        "experiment, lab, folder, ledger = map(Path, sys.argv[1:])\n"
        "print(ChaosProcess.start(experiment, lab_file=lab, run_folder=folder, ledger=ledger).pid, flush=True)\n"
        "time.sleep(60)"
    )
    arguments = [str(path) for path in (run.experiment, run.lab_file, run.folder, run.ledger)]
    tool = subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True)
    assert tool.stdout is not None
    child = int(tool.stdout.readline())
    assert run.await_event("injected")
    tool.kill()
    tool.wait(timeout=10)
    tool.stdout.close()
    assert system.await_whole(run.ledger, 20)
    assert wait_for(lambda: not Path(f"/proc/{child}").exists() or nothing_watches(run), 20)


@pytest.mark.parametrize("seed", range(KILLS))
def test_a_kill_at_any_moment_leaves_nothing(system: SmallSystem, tmp_path: Path, seed: int) -> None:
    run = Run(tmp_path, system, KILL, DELAY, ABORT)
    child = run.start()
    moment = random.Random(seed).uniform(0.0, 5.0)
    time.sleep(moment)
    os.kill(child.pid, signal.SIGKILL) if child.poll() is None else None
    assert system.await_whole(run.ledger, 30), f"killed after {moment:.3f} s"
    child.stop()
    assert wait_for(lambda: nothing_watches(run), 10)


CRASH = """
import os, signal, sys, time
from datetime import timedelta
from pathlib import Path
from sloproof.chaos import restart_delay, watchdog
from sloproof.chaos.envoy_admin import EnvoyAdmin
from sloproof.chaos.faults import DelayRequests, KillInstance
from sloproof.chaos.injection import Place, inject
from sloproof.chaos.ledger import Ledger
from sloproof.chaos.undo import undo_entry
from sloproof.supervisor import Supervisor

where, which, watched = sys.argv[1:4]
lab_file, run_folder, ledger = map(Path, sys.argv[4:])
place = Place(lab_file=lab_file, run_folder=run_folder, ledger=Ledger(ledger), started_at=time.time())

def die(*parts, **more):
    os.kill(os.getpid(), signal.SIGKILL)

def dying_after(owner, name):
    real = getattr(owner, name)
    def call(*parts, **more):
        real(*parts, **more)
        die()
    setattr(owner, name, call)

owner, name = (EnvoyAdmin, "override") if which == "delay" else (Supervisor, "signal")
if which == "delay":
    fault = DelayRequests("100ms", percent=50, at="0s", lasts="60s")
else:
    fault = KillInstance("a1", at="0s", back_after="60s")
if watched == "watched":
    watchdog.start(ledger, run_folder, os.getpid())
if where == "before-injection":
    setattr(owner, name, die)
if where == "after-injection":
    dying_after(owner, name)
entry = inject(fault, "1-fault", place)
if where == "in-undo-before":
    setattr(EnvoyAdmin, "override", die)
    setattr(Supervisor, "start", die)
if where == "in-undo-after":
    Ledger.note = die
undo_entry(place.ledger, entry)
"""


@pytest.mark.parametrize("watched", ["watched", "alone"])
@pytest.mark.parametrize("which", ["delay", "kill"])
@pytest.mark.parametrize("where", ["before-injection", "after-injection", "in-undo-before", "in-undo-after"])
def test_a_kill_at_each_step_leaves_a_ledger_that_clears(
    system: SmallSystem, tmp_path: Path, where: str, which: str, watched: str
) -> None:
    run = Run(tmp_path, system, DELAY)
    command = [sys.executable, "-c", CRASH, where, which, watched, str(run.lab_file), str(run.folder), str(run.ledger)]
    crashed = subprocess.run(command, timeout=40, check=False, capture_output=True, text=True)
    assert crashed.returncode == -signal.SIGKILL, crashed.stderr
    if watched == "alone":
        assert len(Ledger(run.ledger).open_entries()) == 1, "it was on disk before anything was sent"
        assert len(undo_all(run.ledger, print)) == 1
    assert system.await_whole(run.ledger, 30)
    assert undo_all(run.ledger, print) == []
    assert wait_for(lambda: nothing_watches(run), 10)


def test_the_watchdog_undoes_what_outlives_its_deadline(system: SmallSystem, tmp_path: Path) -> None:
    run = Run(tmp_path, system, DELAY)
    guard = watchdog.start(run.ledger, run.folder, os.getpid())
    place = run.place()
    entry = inject(DelayRequests("100ms", percent="50", at="0s", lasts="500ms"), "1-late", place)
    assert entry.deadline == pytest.approx(place.started_at + 10.5)
    time.sleep(1.5)
    assert Ledger(run.ledger).open_entries() == [entry], "it has ten seconds of grace"
    assert system.await_whole(run.ledger, 15)
    assert time.time() >= entry.deadline
    assert guard.wait(timeout=10) == 0
    with pytest.raises(Refused, match="closed"):
        inject(DelayRequests("100ms", percent="50", at="0s", lasts="60s"), "2-more", place)


def test_without_a_watchdog_nothing_is_injected(
    system: SmallSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(tmp_path, system, DELAY)
    (run.folder / "chaos" / "watchdog.log").mkdir(parents=True)
    made = run.start().wait(40)
    assert made.status == "failed"
    assert "watchdog.log" in made.reason
    assert made.faults[0].injected_at is None
    assert Ledger(run.ledger).read().entries == ()


def test_a_ledger_that_cannot_be_written_stops_the_injection(system: SmallSystem, tmp_path: Path) -> None:
    run = Run(tmp_path, system, DELAY)
    run.ledger.mkdir(parents=True)
    with pytest.raises((PartFailed, OSError)):
        inject(DELAY, "1-delay", run.place())
    assert system.is_whole()


def test_an_instance_that_is_not_there_is_named(system: SmallSystem, tmp_path: Path) -> None:
    made = Run(tmp_path, system, KillInstance("a9", at="0s", back_after="60s")).start().wait(40)
    assert made.status == "failed"
    assert "has no instance `a9`" in made.reason


@pytest.mark.alone
def test_a_target_off_the_list_gets_nothing(system: SmallSystem, tmp_path: Path) -> None:
    run = Run(tmp_path, system, DELAY)
    system.lab_file(tmp_path, envoy_admin="http://192.0.2.1:9901")
    made = run.start().wait(40)
    assert made.status == "failed"
    assert "`192.0.2.1:9901` is not a listed target" in made.reason
    assert Ledger(run.ledger).read().entries == ()


def test_a_second_run_on_one_system_is_refused(system: SmallSystem, tmp_path: Path) -> None:
    run = Run(tmp_path, system, DelayRequests("100ms", percent="50", at="0s", lasts="60s"))
    child = run.start()
    try:
        with pytest.raises(Refused, match="already going on"):
            run.start(run_folder=tmp_path / "second")
    finally:
        child.stop()
    third = Run(tmp_path, system, DELAY).start(run_folder=tmp_path / "third")
    assert third.wait(40).clean


def test_a_run_after_a_crash_is_refused_until_the_fault_is_undone(system: SmallSystem, tmp_path: Path) -> None:
    run = Run(tmp_path, system, DELAY)
    inject(DelayRequests("100ms", percent="50", at="0s", lasts="60s"), "1-left", run.place())
    with pytest.raises(Refused, match="still open") as refusal:
        run.start(run_folder=tmp_path / "second")
    assert "chaos undo" in refusal.value.hint
    assert [done.entry.fault for done in undo_all(run.ledger, print)] == ["1-left"]
    assert system.is_whole()


@pytest.mark.alone
def test_undoing_by_hand_during_a_run_keeps_the_run_from_injecting_more(system: SmallSystem, tmp_path: Path) -> None:
    long = DelayRequests("100ms", percent="50", at="0s", lasts="2s")
    run = Run(tmp_path, system, long, ABORT.model_copy(update={"at": KILL.back_after}))
    child = run.start()
    assert run.await_event("injected")
    assert len(undo_all(run.ledger, print)) == 1
    made = child.wait(40)
    assert made.status == "failed"
    assert "the run is closed" in made.reason
    assert system.is_whole()


def test_an_envoy_that_vanished_is_an_undo_that_failed_until_its_lab_is_gone_too(tmp_path: Path) -> None:
    with small_system() as own:
        run = Run(tmp_path, own, DELAY)
        inject(DelayRequests("100ms", percent="50", at="0s", lasts="60s"), "1-lost", run.place())
        own.envoy.kill()
        own.envoy.wait(timeout=10)
        with pytest.raises(UndoFailed, match="refused the connection"):
            undo_all(run.ledger, print)
        run.lab_file.unlink()
        assert "the lab is down" in undo_all(run.ledger, print)[0].evidence


@pytest.mark.alone
def test_plain_chaos_run_works_with_the_generated_file_alone(system: SmallSystem, tmp_path: Path) -> None:
    run = Run(tmp_path, system, DELAY)
    environment = {**os.environ, "SLOPROOF_LAB": str(run.lab_file)}
    command = [sys.executable, "-m", "chaostoolkit", "--no-version-check", "run", str(run.experiment)]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, timeout=60, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (folder,) = tmp_path.glob("sloproof-run-*")
    kinds = [event.kind for event in read_events(folder)]
    assert kinds == ["started", "injecting", "injected", "verified", "undone", "finished"]
    assert system.await_whole(run.ledger, 20)


def test_chaos_discover_finds_the_actions_and_probes() -> None:
    from sloproof.chaos.extension import discover

    found = {activity["name"]: activity for activity in discover()["activities"]}
    assert {"kill_instance", "delay_requests", "abort_requests", "end_fault", "undo_run"} <= set(found)
    assert {"fault_is_live", "fault_is_over", "nothing_is_open"} <= set(found)
    assert all(activity["doc"] and activity["return_type"] for activity in found.values())


def test_the_command_chaos_discover_finds_the_package_by_its_name(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "chaostoolkit", "--no-log-file", "--no-version-check", "discover"]
    done = subprocess.run(
        [*command, "--no-install", "sloproof"], cwd=tmp_path, timeout=60, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    activities = json.loads((tmp_path / "discovery.json").read_text())["activities"]
    found = {activity["name"]: activity for activity in activities}
    assert {"kill_instance", "pause_instance", "press_cpu", "call_endpoint", "fault_is_live"} <= set(found)
    assert all(activity["doc"] and activity["return_type"] for activity in activities)
