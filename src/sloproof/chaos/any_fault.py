"""The union of all faults, which an experiment holds and JSON is read into."""

from typing import Annotated

from pydantic import Field

from sloproof.chaos.faults import AbortRequests, DelayRequests, KillInstance
from sloproof.chaos.instance_faults import FailHealthCheck, PauseInstance, RestartLoop, StopInstance
from sloproof.chaos.monitoring_faults import LoseExporter, RestartPrometheus
from sloproof.chaos.outside_faults import CallEndpoint, KillProcess, PauseProcess
from sloproof.chaos.pressure_faults import FillDisk, PressCPU, PressMemory

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
    | CallEndpoint,
    Field(discriminator="kind"),
]
"""Every fault there is."""
