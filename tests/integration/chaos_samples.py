"""A short example of every kind of fault, for tests that go through all of them.

A new kind belongs here: `test_every_kind_of_fault_has_an_example` fails without it. What an example takes hold of
must be part of a `WholeSystem`, and `WholeSystem.is_whole` must see whether it is back.
"""

from typing import Any, get_args

from sloproof.chaos.any_fault import AnyFault
from sloproof.chaos.control_endpoint import Call, Sign
from sloproof.chaos.dependency_faults import FlushCache, LoseDependency, RestartDependency
from sloproof.chaos.faults import AbortRequests, DelayRequests, Fault, KillInstance
from sloproof.chaos.instance_faults import FailHealthCheck, PauseInstance, RestartLoop, StopInstance
from sloproof.chaos.monitoring_faults import LoseExporter, RestartPrometheus
from sloproof.chaos.network_faults import Blackhole, LimitBandwidth, Partition, ResetConnections, SlowDependency
from sloproof.chaos.outside_faults import CallEndpoint, KillProcess, PauseProcess
from sloproof.chaos.pressure_faults import FillDisk, PressCPU, PressMemory
from sloproof.chaos.strain_faults import ContendLocks, ExhaustPool

LASTS: dict[str, Any] = {"at": "200ms", "lasts": "1500ms"}
AWAY: dict[str, Any] = {"at": "200ms", "back_after": "1500ms"}
ANY_MARK, ANY_URL = "a mark of the system", "http://127.0.0.1:9/consumer"
"""Stand for what each system has of its own; `WholeSystem.own` puts that in."""

EXAMPLES: tuple[AnyFault, ...] = (
    KillInstance("a1", **AWAY),
    DelayRequests("100ms", jitter="20ms", percent="50", **LASTS),
    AbortRequests(503, percent="50", **LASTS),
    PauseInstance("a1", **LASTS),
    StopInstance("a1", **AWAY),
    RestartLoop("a1", every="2s", **LASTS),
    FailHealthCheck("a1", **LASTS),
    LoseExporter("a1", **LASTS),
    RestartPrometheus(**AWAY),
    PressCPU("a1", **LASTS),
    PressMemory("a1", size="16MiB", **LASTS),
    FillDisk("a1", size="16MiB", **LASTS),
    PauseProcess(pattern=ANY_MARK, **LASTS),
    KillProcess(pattern=ANY_MARK, **AWAY),
    CallEndpoint(
        name="turn the consumer off",
        inject=Call(method="PUT", url=ANY_URL, body='{"on": false}'),
        undo=Call(method="PUT", url=ANY_URL, body='{"on": true}'),
        sign=Sign(url=ANY_URL, status=503),
        **LASTS,
    ),
    SlowDependency("postgres", delay="200ms", **LASTS),
    LimitBandwidth("postgres", bytes_per_second=2000, **LASTS),
    ResetConnections("postgres", percent="50", **LASTS),
    Blackhole("redis", **LASTS),
    Partition("a1", dependency="postgres", **LASTS),
    LoseDependency("redis", **LASTS),
    RestartDependency("postgres", **AWAY),
    FlushCache("redis", **LASTS),
    ExhaustPool(leave=3, **LASTS),
    ContendLocks("tarefas", **LASTS),
)
"""Each begins at 0.2 s and lasts 1.5 s, so that a kill at a random moment hits every step of it."""


def kinds_of_fault() -> set[str]:
    """Every kind that a definition may use, from the union itself."""
    union = get_args(AnyFault)[0]
    classes: tuple[type[Fault], ...] = get_args(union)
    return {str(each.model_fields["kind"].default) for each in classes}
