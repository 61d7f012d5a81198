"""Programs under a supervisord that go down and come back: how that is put back, and how it is seen."""

from pathlib import Path
from typing import Literal

from sloproof.chaos.effect import Observation, Showing
from sloproof.chaos.http_exchange import healthy
from sloproof.chaos.kept_program import gone_with_supervisord
from sloproof.chaos.patience import comes_true
from sloproof.chaos.undoing import Undoing
from sloproof.chaos.worker_process import read_report
from sloproof.errors import PartFailed
from sloproof.supervisor import Supervisor

_START_TIMEOUT = 30.0


class ProgramRunning(Undoing):
    """Let a program run and be ready.

    Args:
        supervisor_socket: unix socket of the supervisord that keeps it.
        name: the program.
        ready: URL that answers 200 when it is.
        allowed: targets beyond loopback that the workspace listed.
    """

    kind: Literal["program_running"] = "program_running"
    supervisor_socket: Path
    name: str
    ready: str
    allowed: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """The supervisord."""
        return str(self.supervisor_socket)

    def perform(self, patience: float) -> str:
        """Start it; when it does not become ready, start it once more."""
        supervisor = Supervisor(self.supervisor_socket)
        supervisor.start(self.name)
        if not comes_true(self.is_over, _START_TIMEOUT):
            supervisor.restart(self.name)
            if not comes_true(self.is_over, _START_TIMEOUT):
                raise PartFailed(f"`{self.name}` does not get ready (supervisord: {supervisor.state(self.name)})")
        return f"process {supervisor.pid(self.name)} of `{self.name}` is ready"

    def ended(self) -> str | None:
        """No supervisord, no program."""
        return gone_with_supervisord(self.supervisor_socket, f"`{self.name}`")

    def is_over(self) -> bool:
        """It is ready."""
        return healthy(self.ready, allowed=self.allowed)


class ProgramDown(Showing):
    """The process of a program is gone, and its URL does not answer.

    Args:
        supervisor_socket: unix socket of the supervisord that keeps it.
        name: the program.
        pid: its process before the fault.
        ready: URL that answers 200 when it is ready.
        allowed: targets beyond loopback that the workspace listed.
    """

    kind: Literal["program_down"] = "program_down"
    supervisor_socket: Path
    name: str
    pid: int
    ready: str
    allowed: tuple[str, ...] = ()

    def observe(self) -> Observation:
        """Ask supervisord for the process, and the program itself."""
        try:
            gone = Supervisor(self.supervisor_socket).pid(self.name) != self.pid
        except PartFailed as error:
            return Observation(False, False, error.message)
        answers = healthy(self.ready, allowed=self.allowed)
        evidence = f"process {self.pid} is {'gone' if gone else 'still there'}; `{self.ready}` " + (
            "answers" if answers else "does not answer"
        )
        return Observation(gone and not answers, gone and not answers, evidence)


class InstanceRestarted(Showing):
    """A worker has killed an instance, and its process is another one, or none.

    Args:
        worker: file of the worker.
        supervisor_socket: unix socket of the supervisord that keeps the instance.
        name: the instance.
        pid: its process before the fault.
    """

    kind: Literal["instance_restarted"] = "instance_restarted"
    worker: Path
    supervisor_socket: Path
    name: str
    pid: int

    def observe(self) -> Observation:
        """Ask supervisord for the process, and the worker's file for its kills."""
        report = read_report(self.worker)
        try:
            pid = Supervisor(self.supervisor_socket).pid(self.name)
        except PartFailed as error:
            return Observation(False, False, error.message)
        kills = report.done if report is not None else 0
        live = kills > 0 and pid != self.pid
        told = f"the process of `{self.name}` is now {pid or 'none'}, it was {self.pid}"
        return Observation(live, live, f"killed {kills} {'time' if kills == 1 else 'times'}; {told}")
