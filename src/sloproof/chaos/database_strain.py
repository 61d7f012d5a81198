"""A process that strains a database: how it is ended, and how the strain is seen."""

import json
from pathlib import Path
from typing import Literal

from sloproof.chaos.effect import Observation, Showing
from sloproof.chaos.kept_program import gone_with_supervisord
from sloproof.chaos.undoing import Undoing
from sloproof.errors import PartFailed
from sloproof.supervisor import Supervisor

_RUNNING = ("STARTING", "RUNNING", "STOPPING")


class StrainEnded(Undoing):
    """End the process that strains a dependency, and with it everything that it held.

    Args:
        supervisor_socket: unix socket of the supervisord that keeps it.
        program: its program there.
        orders: the file that told it what to do.
    """

    kind: Literal["strain_ended"] = "strain_ended"
    supervisor_socket: Path
    program: str
    orders: Path

    @property
    def place(self) -> str:
        """The supervisord."""
        return str(self.supervisor_socket)

    def perform(self, patience: float) -> str:
        """Stop it; what it held ends with its connections."""
        supervisor = Supervisor(self.supervisor_socket)
        supervisor.stop(self.program)
        self.orders.unlink(missing_ok=True)
        state = supervisor.program(self.program)
        if state.state in _RUNNING:
            raise PartFailed(f"`{self.program}` still runs (supervisord: {state.state})")
        return f"`{self.program}` has ended, and what it held with it (supervisord: {state.state})"

    def ended(self) -> str | None:
        """No supervisord, no strain."""
        return gone_with_supervisord(self.supervisor_socket, "the fault")

    def is_over(self) -> bool:
        """It has ended."""
        try:
            return Supervisor(self.supervisor_socket).program(self.program).state not in _RUNNING
        except PartFailed:
            return False


class StrainFelt(Showing):
    """The straining process holds what it was told to, and somebody had to wait or was refused.

    Args:
        supervisor_socket: unix socket of the supervisord that keeps it.
        program: its program there.
        report: the file in which it says what it holds.
    """

    kind: Literal["strain_felt"] = "strain_felt"
    supervisor_socket: Path
    program: str
    report: Path

    def observe(self) -> Observation:
        """Ask supervisord for the process, and read what it says of itself."""
        try:
            pid = Supervisor(self.supervisor_socket).pid(self.program)
            said = json.loads(self.report.read_text(encoding="utf-8"))
        except PartFailed as error:
            return Observation(False, False, error.message)
        except (OSError, ValueError):
            return Observation(False, False, f"`{self.program}` has not said what it holds")
        running = pid is not None and pid == said["pid"]
        live = running and said["holds"] > 0 and said["felt"] > 0
        process = f"process {said['pid']} {'runs' if running else 'has ended'}"
        return Observation(live, live, f"{process}; {said['evidence']}")
