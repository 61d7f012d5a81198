"""Every undo and every effect of a fault that a ledger can keep; their `kind` tells them apart there."""

from typing import Annotated, Literal

from pydantic import Field

from sloproof.chaos.balancer_runtime import EnvoyRuntime, RequestsSpoilt
from sloproof.chaos.control_endpoint import EndpointCalled, EndpointShows
from sloproof.chaos.database_strain import StrainEnded, StrainFelt
from sloproof.chaos.disk_space import DiskFilled, FileGone
from sloproof.chaos.emptied_cache import CacheEmptied
from sloproof.chaos.foreign_process import ProcessKilled, ProcessReplaced
from sloproof.chaos.instance_flag import AnswersApart, FlagBack
from sloproof.chaos.link_settings import LinksRestored, LinksSpoilt
from sloproof.chaos.lost_dependency import DependencyAnswers, DependencyLost
from sloproof.chaos.lost_instance import InstanceLost, InstanceRunning
from sloproof.chaos.paused_process import ProcessContinued, ProcessPaused
from sloproof.chaos.pressure import AffinityBack, CPUPressed, MemoryHeld
from sloproof.chaos.published_undo import NotLookedFor, ToolkitRollbacks
from sloproof.chaos.restarts import InstanceRestarted, ProgramDown, ProgramRunning
from sloproof.chaos.undoing import Undoing
from sloproof.chaos.worker_process import WorkerEnded


class WorkerThen(Undoing):
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
        """Where the rest is."""
        return self.then.place

    @property
    def rejoins(self) -> str:
        """The instance that the rest brings back."""
        return self.then.rejoins

    def perform(self, patience: float) -> str:
        """First the worker, then the rest."""
        return f"{self.worker.perform(patience)}; {self.then.perform(patience)}"

    def ended(self) -> str | None:
        """The rest ended by itself; the worker is ended here."""
        gone = self.then.ended()
        return f"{gone}; {self.worker.perform(0)}" if gone else None

    def is_over(self) -> bool:
        """Both are."""
        return self.worker.is_over() and self.then.is_over()


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
