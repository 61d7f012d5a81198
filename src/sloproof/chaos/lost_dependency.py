"""A dependency whose process was ended: how it comes back, and how its loss is seen."""

from pathlib import Path
from typing import Literal

from sloproof.chaos.dependency_protocol import accepts
from sloproof.chaos.effect import Observation, Showing
from sloproof.chaos.kept_program import gone_with_supervisord
from sloproof.chaos.patience import comes_true
from sloproof.chaos.restart_delay import write_delay
from sloproof.chaos.undoing import Undoing
from sloproof.errors import PartFailed
from sloproof.supervisor import Supervisor

START_TIMEOUT = 30.0
"""Seconds that a dependency may take until it accepts work again."""


class DependencyAnswers(Undoing):
    """Let a dependency run and answer, with the restart delay it had before.

    Args:
        supervisor_socket: unix socket of the supervisord that keeps it.
        name: its program there.
        url: where it answers, in its own protocol.
        restart_delay_file: seconds that it sleeps at its next start.
        previous: what that file held before the fault; None when it did not exist.
        allowed: targets beyond loopback that the workspace listed.
        leaving: the process that was asked to end; None where none was, or the fault waited for its end.
    """

    kind: Literal["dependency_answers"] = "dependency_answers"
    supervisor_socket: Path
    name: str
    url: str
    restart_delay_file: Path
    previous: str | None
    allowed: tuple[str, ...] = ()
    leaving: int | None = None

    @property
    def place(self) -> str:
        """The supervisord."""
        return str(self.supervisor_socket)

    def perform(self, patience: float) -> str:
        """Start it and wait until it accepts work; when it does not, restart it."""
        supervisor = Supervisor(self.supervisor_socket)
        write_delay(self.restart_delay_file, self.previous)
        if self.leaving is not None:  # it may still accept work, and is gone a moment later
            comes_true(lambda: supervisor.pid(self.name) != self.leaving, START_TIMEOUT)
        supervisor.start(self.name)
        if not comes_true(self.is_over, max(patience, START_TIMEOUT)):
            supervisor.restart(self.name)
            if not comes_true(self.is_over, START_TIMEOUT):
                state = supervisor.program(self.name)
                raise PartFailed(f"`{self.name}` does not accept work (supervisord: {state.state})")
        return f"process {supervisor.pid(self.name)} of `{self.name}` accepts work"

    def ended(self) -> str | None:
        """No supervisord, no dependency."""
        return gone_with_supervisord(self.supervisor_socket, "the fault")

    def is_over(self) -> bool:
        """It accepts work at this moment."""
        return accepts(self.url, allowed=self.allowed)


class DependencyLost(Showing):
    """The process of a dependency is gone and nothing answers in its place.

    Args:
        supervisor_socket: unix socket of the supervisord that keeps it.
        name: its program there.
        pid: the process that was ended.
        url: where it answered.
        allowed: targets beyond loopback that the workspace listed.
    """

    kind: Literal["dependency_lost"] = "dependency_lost"
    supervisor_socket: Path
    name: str
    pid: int
    url: str
    allowed: tuple[str, ...] = ()

    def observe(self) -> Observation:
        """Ask supervisord for the process, and whatever is there for work."""
        try:
            gone = Supervisor(self.supervisor_socket).pid(self.name) != self.pid
        except PartFailed as error:
            return Observation(False, False, error.message)
        works = accepts(self.url, allowed=self.allowed)
        live = gone and not works
        process = f"process {self.pid} is {'gone' if gone else 'still there'}"
        return Observation(live, live, f"{process}; `{self.name}` {'accepts' if works else 'does not accept'} work")
