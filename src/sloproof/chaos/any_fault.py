"""The union of all faults, which an experiment holds and JSON is read into."""

from typing import Annotated

from pydantic import Field

from sloproof.chaos.dependency_faults import FlushCache, LoseDependency, RestartDependency
from sloproof.chaos.faults import AbortRequests, DelayRequests, KillInstance
from sloproof.chaos.instance_faults import FailHealthCheck, PauseInstance, RestartLoop, StopInstance
from sloproof.chaos.monitoring_faults import LoseExporter, RestartPrometheus
from sloproof.chaos.network_faults import Blackhole, LimitBandwidth, Partition, ResetConnections, SlowDependency
from sloproof.chaos.outside_faults import CallEndpoint, KillProcess, PauseProcess
from sloproof.chaos.pressure_faults import FillDisk, PressCPU, PressMemory
from sloproof.chaos.strain_faults import ContendLocks, ExhaustPool

AnyFault = Annotated[
    KillInstance
    | DelayRequests
    | AbortRequests
    | PauseInstance
    | StopInstance
    | RestartLoop
    | FailHealthCheck
    | LoseExporter
    | RestartPrometheus
    | PressCPU
    | PressMemory
    | FillDisk
    | PauseProcess
    | KillProcess
    | CallEndpoint
    | SlowDependency
    | LimitBandwidth
    | ResetConnections
    | Blackhole
    | Partition
    | LoseDependency
    | RestartDependency
    | FlushCache
    | ExhaustPool
    | ContendLocks,
    Field(discriminator="kind"),
]
"""Every fault there is."""
