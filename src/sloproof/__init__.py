"""SLOs you can prove: the public names that a definition needs.

Names load when they are first used, so that importing sloproof stays cheap and never pulls in
Locust (which patches sockets), the Chaos Toolkit or grafanalib.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from sloproof.alerts import (
        AbsenceAlerts,
        BudgetAlerts,
        BurnPolicy,
        BurnTier,
        CauseAlert,
        Email,
        OwnerRoute,
        Routing,
        Slack,
        TimeInterval,
        Webhook,
    )
    from sloproof.chaos.control_endpoint import Call, Sign
    from sloproof.chaos.dependency_faults import FlushCache, LoseDependency, RestartDependency
    from sloproof.chaos.experiment import Balanced, Experiment, Fires, Holds, Quiet, RecoversWithin, Resolves
    from sloproof.chaos.extension import discover
    from sloproof.chaos.faults import AbortRequests, DelayRequests, KillInstance
    from sloproof.chaos.instance_faults import FailHealthCheck, PauseInstance, RestartLoop, StopInstance
    from sloproof.chaos.kubernetes import KillPods
    from sloproof.chaos.monitoring_faults import LoseExporter, RestartPrometheus
    from sloproof.chaos.network_faults import Blackhole, LimitBandwidth, Partition, ResetConnections, SlowDependency
    from sloproof.chaos.outside_faults import CallEndpoint, KillProcess, PauseProcess
    from sloproof.chaos.pressure_faults import FillDisk, PressCPU, PressMemory
    from sloproof.chaos.schedule import Drill, Schedule
    from sloproof.chaos.strain_faults import ContendLocks, ExhaustPool
    from sloproof.dashboards import Breakdown, Capacity, CustomPanels, Panel, Step
    from sloproof.gate import AlertsProven, BudgetLeft, Gate, Load, NoOpenFaults, NotSlower, ObjectivesHold, Survives
    from sloproof.loadtests.arrivals import Arrivals, RateStage
    from sloproof.loadtests.baseline import Baseline
    from sloproof.loadtests.profile import LoadProfile
    from sloproof.loadtests.promises import Failures, Quantile
    from sloproof.loadtests.user_stages import UserStage
    from sloproof.slo import (
        SLO,
        AllOf,
        Composite,
        ErrorRatio,
        FreshWithin,
        GaugeAbove,
        GaugeBelow,
        GoodRatio,
        HistogramBelow,
        LatencyBelow,
        NativeLatencyBelow,
        ProbeUp,
        RawRatio,
        Service,
        ThroughputAtLeast,
    )

_HOMES = {
    "sloproof.alerts": (
        "AbsenceAlerts",
        "BudgetAlerts",
        "BurnPolicy",
        "BurnTier",
        "CauseAlert",
        "Email",
        "OwnerRoute",
        "Routing",
        "Slack",
        "TimeInterval",
        "Webhook",
    ),
    "sloproof.chaos.dependency_faults": ("FlushCache", "LoseDependency", "RestartDependency"),
    "sloproof.chaos.control_endpoint": ("Call", "Sign"),
    "sloproof.chaos.experiment": (
        "Balanced",
        "Experiment",
        "Fires",
        "Holds",
        "Quiet",
        "RecoversWithin",
        "Resolves",
    ),
    "sloproof.chaos.faults": ("AbortRequests", "DelayRequests", "KillInstance"),
    "sloproof.chaos.instance_faults": ("FailHealthCheck", "PauseInstance", "RestartLoop", "StopInstance"),
    "sloproof.chaos.kubernetes": ("KillPods",),
    "sloproof.chaos.monitoring_faults": ("LoseExporter", "RestartPrometheus"),
    "sloproof.chaos.outside_faults": ("CallEndpoint", "KillProcess", "PauseProcess"),
    "sloproof.chaos.pressure_faults": ("FillDisk", "PressCPU", "PressMemory"),
    "sloproof.chaos.network_faults": (
        "Blackhole",
        "LimitBandwidth",
        "Partition",
        "ResetConnections",
        "SlowDependency",
    ),
    "sloproof.chaos.strain_faults": ("ContendLocks", "ExhaustPool"),
    "sloproof.chaos.schedule": ("Drill", "Schedule"),
    "sloproof.chaos.extension": ("discover",),  # asked for by `chaos discover sloproof`
    "sloproof.dashboards": ("Breakdown", "Capacity", "CustomPanels", "Panel", "Step"),
    "sloproof.loadtests.arrivals": ("Arrivals", "RateStage"),
    "sloproof.gate": (
        "AlertsProven",
        "BudgetLeft",
        "Gate",
        "Load",
        "NoOpenFaults",
        "NotSlower",
        "ObjectivesHold",
        "Survives",
    ),
    "sloproof.loadtests.baseline": ("Baseline",),
    "sloproof.loadtests.profile": ("LoadProfile",),
    "sloproof.loadtests.promises": ("Failures", "Quantile"),
    "sloproof.loadtests.user_stages": ("UserStage",),
    "sloproof.slo": (
        "SLO",
        "AllOf",
        "Composite",
        "ErrorRatio",
        "FreshWithin",
        "GaugeAbove",
        "GaugeBelow",
        "GoodRatio",
        "HistogramBelow",
        "LatencyBelow",
        "NativeLatencyBelow",
        "ProbeUp",
        "RawRatio",
        "Service",
        "ThroughputAtLeast",
    ),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "SLO",
    "AbortRequests",
    "AbsenceAlerts",
    "AlertsProven",
    "AllOf",
    "Arrivals",
    "Balanced",
    "Baseline",
    "Blackhole",
    "Breakdown",
    "BudgetAlerts",
    "BudgetLeft",
    "BurnPolicy",
    "BurnTier",
    "Call",
    "CallEndpoint",
    "Capacity",
    "CauseAlert",
    "Composite",
    "ContendLocks",
    "CustomPanels",
    "DelayRequests",
    "Drill",
    "Email",
    "ErrorRatio",
    "ExhaustPool",
    "Experiment",
    "FailHealthCheck",
    "Failures",
    "FillDisk",
    "Fires",
    "FlushCache",
    "FreshWithin",
    "Gate",
    "GaugeAbove",
    "GaugeBelow",
    "GoodRatio",
    "HistogramBelow",
    "Holds",
    "KillInstance",
    "KillPods",
    "KillProcess",
    "LatencyBelow",
    "LimitBandwidth",
    "Load",
    "LoadProfile",
    "LoseDependency",
    "LoseExporter",
    "NativeLatencyBelow",
    "NoOpenFaults",
    "NotSlower",
    "ObjectivesHold",
    "OwnerRoute",
    "Panel",
    "Partition",
    "PauseInstance",
    "PauseProcess",
    "PressCPU",
    "PressMemory",
    "ProbeUp",
    "Quantile",
    "Quiet",
    "RateStage",
    "RawRatio",
    "RecoversWithin",
    "ResetConnections",
    "Resolves",
    "RestartDependency",
    "RestartLoop",
    "RestartPrometheus",
    "Routing",
    "Schedule",
    "Service",
    "Sign",
    "Slack",
    "SlowDependency",
    "Step",
    "StopInstance",
    "Survives",
    "ThroughputAtLeast",
    "TimeInterval",
    "UserStage",
    "Webhook",
    "__version__",
    "discover",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module `sloproof` has no attribute `{name}`")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    # `chaos discover` looks for `discover` among the names that a package lists.
    return sorted({*globals(), *__all__})
