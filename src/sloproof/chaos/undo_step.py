"""How a fault is undone and how its effect is seen, as values that a ledger can keep."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from sloproof.chaos.control_endpoint import EndpointCalled, EndpointShows
from sloproof.chaos.dependency_steps import (
    CacheEmptied,
    DependencyAnswers,
    DependencyLost,
    LinksRestored,
    LinksSpoilt,
    StrainEnded,
    StrainFelt,
)
from sloproof.chaos.disk_space import DiskFilled, FileGone
from sloproof.chaos.foreign_process import ProcessKilled, ProcessReplaced
from sloproof.chaos.instance_flag import AnswersApart, FlagBack
from sloproof.chaos.ledger_value import LedgerValue
from sloproof.chaos.paused_process import ProcessContinued, ProcessPaused
from sloproof.chaos.pressure import AffinityBack, CPUPressed, MemoryHeld
from sloproof.chaos.restarts import InstanceRestarted, ProgramDown, ProgramRunning
from sloproof.chaos.worker_process import WorkerEnded


class EnvoyRuntime(LedgerValue):
    """Put runtime keys of an Envoy back.

    Args:
        admin: base URL of its admin port.
        values: the value of each key before the fault; an empty string takes the override away.
        envoy_started_at: when that Envoy began, epoch seconds; a later one has lost the fault with its memory.
        allowed: targets beyond loopback that the workspace listed.
    """

    kind: Literal["envoy_runtime"] = "envoy_runtime"
    admin: str
    values: dict[str, str]
    envoy_started_at: float
    allowed: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """What a lab must still have for the fault to be in it."""
        return self.admin


class InstanceRunning(LedgerValue):
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
        """What a lab must still have for the fault to be in it."""
        return str(self.supervisor_socket)


class WorkerThen(LedgerValue):
    """End a worker, then put back what it worked on.

    Args:
        worker: how it is ended; before anything else, so that it cannot spoil that again.
        then: how the rest is put back.
    """

    kind: Literal["worker_then"] = "worker_then"
    worker: WorkerEnded
    then: Annotated[EnvoyRuntime | InstanceRunning | AffinityBack, Field(discriminator="kind")]

    @property
    def place(self) -> str:
        """What a lab must still have for the fault to be in it."""
        return self.then.place


class ToolkitRollbacks(LedgerValue):
    """Play the rollbacks of a published experiment; its author says that they may be played twice.

    Args:
        document: an experiment whose method they are.
        folder: where it runs.
    """

    kind: Literal["toolkit_rollbacks"] = "toolkit_rollbacks"
    document: Path
    folder: Path

    @property
    def place(self) -> str:
        """What a lab must still have for the fault to be in it; no lab is known."""
        return str(self.document)


UndoStep = Annotated[
    EnvoyRuntime
    | InstanceRunning
    | WorkerThen
    | WorkerEnded
    | ProcessContinued
    | FlagBack
    | ProgramRunning
    | AffinityBack
    | FileGone
    | ProcessReplaced
    | EndpointCalled
    | LinksRestored
    | DependencyAnswers
    | StrainEnded
    | ToolkitRollbacks,
    Field(discriminator="kind"),
]
"""Every way to undo a fault."""


class RequestsSpoilt(LedgerValue):
    """The fault filter's own counter rises while its keys are set.

    Args:
        admin: base URL of the Envoy's admin port.
        counter: `delays_injected` or `aborts_injected`.
        before: what it stood at before the fault.
        values: the runtime keys that the fault sets.
        allowed: targets beyond loopback that the workspace listed.
    """

    kind: Literal["requests_spoilt"] = "requests_spoilt"
    admin: str
    counter: str
    before: int
    values: dict[str, str]
    allowed: tuple[str, ...] = ()


class InstanceLost(LedgerValue):
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


class NotLookedFor(LedgerValue):
    """What a published experiment breaks is its author's business; its own probes look for it."""

    kind: Literal["not_looked_for"] = "not_looked_for"


Effect = Annotated[
    RequestsSpoilt
    | InstanceLost
    | ProcessPaused
    | AnswersApart
    | InstanceRestarted
    | ProgramDown
    | CPUPressed
    | MemoryHeld
    | DiskFilled
    | ProcessKilled
    | EndpointShows
    | LinksSpoilt
    | DependencyLost
    | CacheEmptied
    | StrainFelt
    | NotLookedFor,
    Field(discriminator="kind"),
]
"""Every effect that can be seen."""
