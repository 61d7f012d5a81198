"""What runs leave behind without a ledger is found on a real Envoy and real processes, and put back."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from sloproof.chaos import watchdog
from sloproof.chaos.doctor import examine, mend
from sloproof.chaos.envoy_admin import EnvoyAdmin
from sloproof.chaos.faults import DelayRequests, KillInstance
from sloproof.chaos.injection import Place, inject
from sloproof.chaos.ledger import Ledger
from sloproof.chaos.run_lock import hold, holder
from sloproof.supervisor import Supervisor
from tests.integration.chaos_system import KEYS, SmallSystem, small_system, wait_for
from tests.integration.small_workspace import sloproof, workspace_of

pytestmark = pytest.mark.integration

INJECT_AND_DIE = """
import os, signal, sys, time
from pathlib import Path
from sloproof.chaos.faults import DelayRequests
from sloproof.chaos.injection import Place, inject
from sloproof.chaos.ledger import Ledger

lab_file, run, ledger = map(Path, sys.argv[1:])
place = Place(lab_file=lab_file, run_folder=run, ledger=Ledger(ledger), started_at=time.time())
inject(DelayRequests("100ms", percent=50, at="0s", lasts="60s"), "1-left", place)
os.kill(os.getpid(), signal.SIGKILL)
"""
ABANDON = """
import subprocess, sys
words = [sys.executable, "-c", "import time; time.sleep(120)", *sys.argv[1:]]
print(subprocess.Popen(words, start_new_session=True, stdout=-3, stderr=-3).pid)
"""


@pytest.fixture(scope="module")
def running() -> Iterator[SmallSystem]:
    with small_system(requests=False) as started:
        yield started


@pytest.fixture
def system(running: SmallSystem) -> Iterator[SmallSystem]:
    assert wait_for(running.is_whole, 15), "the test before left a fault"
    yield running
    running.envoy.send_signal(signal.SIGCONT)
    EnvoyAdmin(running.admin).override(dict.fromkeys(KEYS, ""))


@pytest.fixture
def state(system: SmallSystem, tmp_path: Path) -> Path:
    workspace = workspace_of(tmp_path)
    system.lab_file(workspace)
    return workspace / ".sloproof"


def found(state: Path) -> list[str]:
    return [orphan.what for orphan in examine(state).orphans]


def mended(state: Path) -> list[str]:
    return [orphan.what for orphan in mend(examine(state).orphans, print)]


def test_a_whole_system_has_no_orphans(state: Path) -> None:
    examination = examine(state)
    assert not (examination.orphans or examination.going_on or examination.passed_over)
    done = sloproof(state.parent, "chaos", "doctor")
    assert (done.returncode, done.stdout) == (0, "")
    assert "nothing was left broken" in done.stderr


def test_fault_keys_that_no_ledger_names_are_found_and_taken_away(system: SmallSystem, state: Path) -> None:
    admin = EnvoyAdmin(system.admin)
    admin.override({KEYS[2]: "30", "overload.something_else": "7"})
    (what,) = found(state)
    assert what == f"the balancer of `tasks` spoils requests: `{KEYS[2]}=30`"
    told = sloproof(state.parent, "chaos", "doctor")
    assert told.returncode == 1
    assert f"runtime_modify?{KEYS[2]}=" in told.stdout, "it says how a person mends it"
    assert not system.is_whole(), "without --fix nothing is changed"
    done = sloproof(state.parent, "chaos", "doctor", "--fix")
    assert done.returncode == 0, done.stderr
    assert system.is_whole()
    assert admin.overrides(["overload.something_else"]) == {"overload.something_else": "7"}, "no fault key, not ours"
    admin.override({"overload.something_else": ""})


def test_stopped_processes_of_the_lab_go_on(system: SmallSystem, state: Path) -> None:
    pid = Supervisor(system.socket).pid("a2")
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    assert wait_for(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED, 5)
    (what,) = found(state)
    assert what.startswith(f"process {pid} of `tasks` is stopped")
    assert mended(state) == []
    assert wait_for(system.is_whole, 10)


def test_files_that_hold_an_instance_back_or_call_it_unhealthy_are_removed(system: SmallSystem, state: Path) -> None:
    delay, unhealthy = system.delays / "a1", state / "lab" / "tasks" / "unhealthy" / "a2"
    unhealthy.parent.mkdir()
    for file in (delay, unhealthy):
        file.write_text("60")
    held, failing = found(state)
    assert "`a1` of `tasks` is held back" in held
    assert "`a2` of `tasks` is told to fail its health check" in failing
    assert mended(state) == []
    assert not delay.exists()
    assert not unhealthy.exists()


def test_a_fault_whose_run_was_killed_is_found_in_the_ledger(system: SmallSystem, state: Path) -> None:
    words = [str(state / "lab" / "tasks" / "lab.json"), str(state / "runs" / "one"), str(state / "ledger.jsonl")]
    subprocess.run([sys.executable, "-c", INJECT_AND_DIE, *words], timeout=60, check=False)
    (what,) = found(state)
    assert what.startswith("the ledger holds open: delay 50 % of requests by 100ms")
    assert mended(state) == []
    assert system.await_whole(state / "ledger.jsonl", 5)


def test_what_a_run_that_goes_on_has_broken_is_its_own(system: SmallSystem, state: Path) -> None:
    with hold(state, "tasks"):
        EnvoyAdmin(system.admin).override({KEYS[2]: "30"})
        (going_on,) = examine(state).going_on
        assert going_on == ("tasks", os.getpid())
        assert found(state) == []
    assert len(found(state)) == 1, "the lock is gone with its holder, whatever the file says"


def test_a_lock_that_a_killed_run_left_is_free(state: Path) -> None:
    code = "import sys, time; from pathlib import Path; from sloproof.chaos.run_lock import hold\n"
    code += "lock = hold(Path(sys.argv[1]), 'tasks'); print('held', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code, str(state)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert holder(state, "tasks") == other.pid
        other.kill()
    assert (state / "chaos-tasks.lock").read_text() == f"{other.pid}\n"
    assert holder(state, "tasks") is None
    hold(state, "tasks").close()


def test_a_torn_ledger_is_told_and_set_aside_once_nothing_is_open(system: SmallSystem, state: Path) -> None:
    ledger = state / "ledger.jsonl"
    ledger.write_text('{"line":"opened","id":"1-torn","undo":{"kind":"envoy_run')
    (what,) = found(state)
    assert "has 1 line that cannot be read" in what
    assert mended(state) == []
    assert not ledger.exists()
    (kept,) = state.glob("ledger-*.jsonl")
    assert "1-torn" in kept.read_text()


def test_a_torn_ledger_stays_as_long_as_something_in_it_is_open(system: SmallSystem, state: Path) -> None:
    ledger = state / "ledger.jsonl"
    lab_file = state / "lab" / "tasks" / "lab.json"
    place = Place(lab_file=lab_file, run_folder=state / "one", ledger=Ledger(ledger), started_at=time.time())
    inject(DelayRequests("100ms", percent="50", at="0s", lasts="60s"), "1-mine", place)
    with ledger.open("a") as file:
        file.write('{"line":"und')
    (left,) = mended(state)
    assert "cannot be read" in left, "this process still owns its fault"
    assert ledger.exists()


def test_children_without_an_owner_are_ended(state: Path) -> None:
    (state / "runs" / "one").mkdir(parents=True)
    words = ["sloproof.loadtests.locust_child", str(state / "runs" / "one")]
    told = subprocess.run([sys.executable, "-c", ABANDON, *words], capture_output=True, timeout=30, check=True)
    pid = int(told.stdout)
    owned = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)", *words])
    try:
        assert found(state) == [f"load child {pid} goes on without its owner"]
        assert mended(state) == []
        assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        assert owned.poll() is None
    finally:
        owned.kill()
        owned.wait(timeout=10)


def test_a_watchdog_that_cannot_put_its_fault_back_is_found(tmp_path: Path) -> None:
    with small_system(requests=False) as own:
        lab_file = own.lab_file(tmp_path)
        state = tmp_path / ".sloproof"
        ledger, run = state / "ledger.jsonl", state / "runs" / "one"
        owner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
        guard = watchdog.start(ledger, run, owner.pid)
        place = Place(lab_file=lab_file, run_folder=run, ledger=Ledger(ledger), started_at=time.time())
        inject(DelayRequests("100ms", percent="50", at="0s", lasts="60s"), "1-stuck", place)
        assert not [what for what in found(state) if "watchdog" in what], "its owner lives"
        own.envoy.send_signal(signal.SIGSTOP)
        owner.kill()
        owner.wait(timeout=10)
        (lost,) = [one for one in examine(state).orphans if one.what.startswith("watchdog")]
        assert lost.what.startswith(f"watchdog {guard.pid} has outlived its run `one`")
        assert "still tries to put back 1 fault" in lost.what
        assert lost.mend.index("sloproof chaos undo") < lost.mend.index(f"kill {guard.pid}")
        assert lost in mend([lost], print), "nobody else would try"
        assert guard.poll() is None
        own.envoy.send_signal(signal.SIGCONT)
        assert own.await_whole(ledger, 30), "it has gone on trying"
        assert guard.wait(timeout=20) == 0


@pytest.mark.parametrize("workspace", ["plain", "with a space"])
def test_a_watchdog_without_an_open_fault_is_ended(tmp_path: Path, workspace: str) -> None:
    state = tmp_path / workspace / ".sloproof"
    ledger, run = state / "ledger.jsonl", state / "runs" / "one"
    owner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
    guard = watchdog.start(ledger, run, owner.pid)
    guard.send_signal(signal.SIGSTOP)  # it would end by itself
    owner.kill()
    owner.wait(timeout=10)
    try:
        (lost,) = examine(state).orphans
        assert (lost.what, lost.mend) == (f"watchdog {guard.pid} has outlived its run `one`", f"kill {guard.pid}")
        guard.send_signal(signal.SIGCONT)
        assert mend([lost], print) == []
    finally:
        guard.kill()
        guard.wait(timeout=10)


def test_what_cannot_be_put_back_ends_with_7_and_is_named(system: SmallSystem, state: Path) -> None:
    system.envoy.send_signal(signal.SIGSTOP)
    done = sloproof(state.parent, "chaos", "doctor", "--fix")
    assert done.returncode == 7, done.stdout + done.stderr
    assert "STILL BROKEN" in done.stderr
    assert "sloproof lab down" in done.stderr


def test_an_undo_that_fails_is_loud_and_ends_with_7(system: SmallSystem, state: Path) -> None:
    lab_file = state / "lab" / "tasks" / "lab.json"
    ledger = Ledger(state / "ledger.jsonl")
    place = Place(lab_file=lab_file, run_folder=state / "one", ledger=ledger, started_at=time.time())
    inject(KillInstance("a1", at="0s", back_after="1s"), "1-killed", place)
    inject(DelayRequests("100ms", percent="50", at="0s", lasts="60s"), "2-stuck", place)
    system.envoy.send_signal(signal.SIGSTOP)
    done = sloproof(state.parent, "chaos", "undo")
    assert done.returncode == 7, done.stdout + done.stderr
    assert "could not undo: delay 50 % of requests by 100ms" in done.stderr
    assert "undone: kill `a1`" in done.stderr, "one failure keeps nothing else from being undone"
    system.envoy.send_signal(signal.SIGCONT)
    assert sloproof(state.parent, "chaos", "undo").returncode == 0
    assert system.await_whole(ledger.path, 15)
