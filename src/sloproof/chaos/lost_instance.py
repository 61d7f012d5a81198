"""An instance whose process was killed: how it comes back, and how its loss is seen."""

from pathlib import Path
from typing import Literal

from sloproof.chaos.balancer_view import why_taken_out
from sloproof.chaos.effect import Observation, Showing
from sloproof.chaos.http_exchange import healthy
from sloproof.chaos.kept_program import gone_with_supervisord
from sloproof.chaos.patience import comes_true
from sloproof.chaos.restart_delay import write_delay
from sloproof.chaos.undoing import Undoing
from sloproof.errors import PartFailed
from sloproof.supervisor import Supervisor

START_TIMEOUT = 20.0
"""Seconds that a restarted instance may take until it answers."""


class InstanceRunning(Undoing):
    """Let an instance run and answer, with the restart delay it had before.

    Args:
        supervisor_socket: unix socket of the supervisord that keeps it.
        name: the instance.
        health: its health URL.
        restart_delay_file: seconds that it sleeps at its next start.
        previous: what that file held before the fault; None when it did not exist.
        envoy_admin: base URL of the balancer's admin port.
        allowed: targets beyond loopback that the workspace listed.
    """

    kind: Literal["instance_running"] = "instance_running"
    supervisor_socket: Path
    name: str
    health: str
    restart_delay_file: Path
    previous: str | None
    envoy_admin: str
    allowed: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """The supervisord."""
        return str(self.supervisor_socket)

    @property
    def rejoins(self) -> str:
        """The instance."""
        return self.name

    def perform(self, patience: float) -> str:
        """Start it; when it does not answer within that patience, restart it."""
        supervisor = Supervisor(self.supervisor_socket)
        write_delay(self.restart_delay_file, self.previous)
        supervisor.start(self.name)
        if comes_true(self._answers, patience):
            return f"process {supervisor.pid(self.name)} of `{self.name}` answers its health URL"
        supervisor.restart(self.name)
        if not comes_true(self._answers, START_TIMEOUT):
            state = supervisor.program(self.name)
            raise PartFailed(f"the instance `{self.name}` does not answer (supervisord: {state.state})")
        return f"restarted; process {supervisor.pid(self.name)} of `{self.name}` answers its health URL"

    def ended(self) -> str | None:
        """No supervisord, no instance."""
        return gone_with_supervisord(self.supervisor_socket, f"`{self.name}`")

    def is_over(self) -> bool:
        """It answers, and the balancer sends requests to it."""
        return why_taken_out(self.envoy_admin, self.health, allowed=self.allowed) is None and self._answers()

    def _answers(self) -> bool:
        return healthy(self.health, allowed=self.allowed)


class InstanceLost(Showing):
    """The killed process is gone, its health URL does not answer and the balancer has taken it out.

    Args:
        supervisor_socket: unix socket of the supervisord that keeps it.
        name: the instance.
        pid: the process that was killed.
        health: its health URL.
        envoy_admin: base URL of the balancer's admin port.
        allowed: targets beyond loopback that the workspace listed.
    """

    kind: Literal["instance_lost"] = "instance_lost"
    supervisor_socket: Path
    name: str
    pid: int
    health: str
    envoy_admin: str
    allowed: tuple[str, ...] = ()

    def observe(self) -> Observation:
        """Ask supervisord for the process, the instance itself, and the balancer."""
        try:
            pid = Supervisor(self.supervisor_socket).pid(self.name)
        except PartFailed as error:
            return Observation(False, False, error.message)
        gone, answers = pid != self.pid, healthy(self.health, allowed=self.allowed)
        out = why_taken_out(self.envoy_admin, self.health, allowed=self.allowed)
        evidence = "; ".join(
            (
                f"process {self.pid} is {'gone' if gone else 'still there'}",
                f"the health URL {'answers' if answers else 'does not answer'}",
                f"the balancer has taken it out ({out})" if out else "the balancer has not taken it out",
            )
        )
        return Observation(gone and not answers, gone and not answers and bool(out), evidence)
