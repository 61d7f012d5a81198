"""The command line as its users run it: a process in a workspace of its own, and what it leaves behind."""

import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

import sloproof.lab
from sloproof.chaos.envoy_admin import EnvoyAdmin
from sloproof.chaos.ledger import Ledger
from sloproof.lab.parts import PARTS_VARIABLE
from sloproof.lab.processes import lab_processes
from sloproof.lab.state import LabState, load_state
from tests.integration.chaos_system import KEYS

SLOPROOF = Path(sys.executable).with_name("sloproof")
MARK = "CLI_TEST_MARK"
LOADS = """\
from sloproof import LoadProfile

steady = LoadProfile(
    name="steady", system="tasks", locustfile="users/tasks.py", users=20, rate=40, duration="{steady}", warm_up="1s"
)
endless = steady.model_copy(update={{"name": "endless", "duration": timedelta(minutes=2)}})
"""
FAULTS = """\
from loadtests.tasks import steady
from slo import tasks
from sloproof import DelayRequests, Experiment, Holds, KillInstance

lose_one_instance = Experiment(
    name="lose-one-instance",
    system="tasks",
    load=steady,
    faults=[KillInstance("a1", at="7s", back_after="{away}")],
    expect=[Holds(tasks.latency)],
    tail="{tail}",
)
slow_backend = Experiment(
    name="slow-backend",
    system="tasks",
    load=steady,
    faults=[DelayRequests("800ms", percent=30, at="7s", lasts="{slow}")],
    expect=[Holds(tasks.availability)],
    tail="{tail}",
)
"""


class Workspace:
    """A workspace made by `sloproof init`, whose loads and faults are short.

    Args:
        root: a folder that does not exist.
        steady: how long the steady load lasts.
        away: how long the killed instance stays away.
        slow: how long the slow answers last.
        tail: how long an experiment watches after its fault.
    """

    def __init__(self, root: Path, *, steady: str = "4s", away: str = "1s", slow: str = "1s", tail: str = "1s") -> None:
        self.root = root
        self.mark = uuid.uuid4().hex
        done = subprocess.run(
            [SLOPROOF, "init", str(root)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=self.environment(),
        )
        assert done.returncode == 0, done.stderr
        (root / "loadtests" / "tasks.py").write_text("from datetime import timedelta\n\n" + LOADS.format(steady=steady))
        (root / "chaos" / "tasks.py").write_text(FAULTS.format(away=away, slow=slow, tail=tail))

    @property
    def lab(self) -> Path:
        return self.root / ".sloproof" / "lab" / "tasks"

    @property
    def state(self) -> LabState | None:
        return load_state(self.lab)

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.root / ".sloproof" / "ledger.jsonl")

    def runs(self) -> list[Path]:
        return sorted((self.root / ".sloproof" / "runs").glob("*"))

    def environment(self, **more: str) -> dict[str, str]:
        return {**os.environ, "NO_COLOR": "1", "COLUMNS": "120", "PYTHONUNBUFFERED": "1", MARK: self.mark, **more}

    def run(self, *words: str, **more: str) -> "subprocess.CompletedProcess[str]":
        """A command to its end."""
        return subprocess.run(
            [SLOPROOF, *words],
            cwd=self.root,
            env=self.environment(**more),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    @contextmanager
    def started(self, *words: str, **more: str) -> Iterator["Started"]:
        """A command that runs; killed if the test leaves it running, and the lab that it started taken down."""
        started = Started(self, words, more)
        try:
            yield started
        finally:
            started.finish()
            if words[0] in ("demo", "lab"):
                sloproof.lab.down(self.lab)

    def marked(self) -> list[psutil.Process]:
        """What the commands of this workspace started and still runs."""
        return [process for process in psutil.process_iter() if process.pid != os.getpid() and self._is_mine(process)]

    def _is_mine(self, process: psutil.Process) -> bool:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            return process.environ().get(MARK) == self.mark or any(str(self.root) in word for word in process.cmdline())
        except (psutil.Error, OSError):
            return False

    def whole(self) -> bool:
        """No fault is in place, by the ledger and by the balancer."""
        state = self.state
        keys = EnvoyAdmin(state.envoy_admin).overrides(KEYS) if state else {}
        return not self.ledger.open_entries() and not any(keys.values())


class Started:
    """A command that runs, in a process group of its own."""

    def __init__(self, workspace: Workspace, words: Sequence[str], more: dict[str, str]) -> None:
        self.workspace = workspace
        self.runtimes: set[Path] = set()
        self.output = workspace.root.with_name(f"{workspace.root.name}-{uuid.uuid4().hex[:6]}.out")
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [SLOPROOF, *words],
                cwd=workspace.root,
                env=workspace.environment(**more),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def wait_until(self, what: Callable[[], Any], within: float = 60) -> None:
        """Wait for something to be true while the command runs."""
        until = time.monotonic() + within
        while not what():
            self._note_lab()
            assert self.process.poll() is None, f"it ended with {self.process.returncode}:\n{self.said}"
            assert time.monotonic() < until, f"not within {within} s:\n{self.said}"
            time.sleep(0.05)
        self._note_lab()

    def wait_until_said(self, pattern: str, within: float = 60) -> None:
        self.wait_until(lambda: re.search(pattern, self.said), within)

    def send(self, number: signal.Signals, *, group: bool) -> None:
        """A signal to the command alone, or to its whole process group, as a terminal sends it."""
        if group:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)

    def ended(self, within: float = 60) -> int:
        until = time.monotonic() + within
        while (code := self.process.poll()) is None:
            self._note_lab()
            assert time.monotonic() < until, f"still running after {within} s:\n{self.said}"
            time.sleep(0.05)
        return code

    def left(self) -> list[psutil.Process]:
        """What still runs of it and of the labs it started."""
        return [*self.workspace.marked(), *(process for runtime in self.runtimes for process in lab_processes(runtime))]

    def finish(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    def _note_lab(self) -> None:
        state = self.workspace.state
        if state is not None:
            self.runtimes.add(state.runtime)


def eventually(what: Callable[[], Any], within: float) -> bool:
    """Whether something becomes true in time."""
    until = time.monotonic() + within
    while not what():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def without_parts(empty: Path) -> dict[str, str]:
    """A machine on which no monitoring was installed."""
    empty.mkdir(exist_ok=True)
    return {PARTS_VARIABLE: str(empty), "PATH": str(empty)}
