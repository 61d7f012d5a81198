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
    from sloproof.chaos.experiment import Balanced, Experiment, Fires, Holds, Resolves
    from sloproof.chaos.extension import discover
    from sloproof.chaos.faults import AbortRequests, DelayRequests, KillInstance
    from sloproof.dashboards import CustomPanels, Panel
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
    "sloproof.chaos.experiment": ("Balanced", "Experiment", "Fires", "Holds", "Resolves"),
    "sloproof.chaos.faults": ("AbortRequests", "DelayRequests", "KillInstance"),
    "sloproof.chaos.extension": ("discover",),  # asked for by `chaos discover sloproof`
    "sloproof.dashboards": ("CustomPanels", "Panel"),
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
    "BudgetAlerts",
    "BudgetLeft",
    "BurnPolicy",
    "BurnTier",
    "CauseAlert",
    "Composite",
    "CustomPanels",
    "DelayRequests",
    "Email",
    "ErrorRatio",
    "Experiment",
    "Failures",
    "Fires",
    "FreshWithin",
    "Gate",
    "GaugeAbove",
    "GaugeBelow",
    "GoodRatio",
    "HistogramBelow",
    "Holds",
    "KillInstance",
    "LatencyBelow",
    "Load",
    "LoadProfile",
    "NativeLatencyBelow",
    "NoOpenFaults",
    "NotSlower",
    "ObjectivesHold",
    "OwnerRoute",
    "Panel",
    "ProbeUp",
    "Quantile",
    "RateStage",
    "RawRatio",
    "Resolves",
    "Routing",
    "Service",
    "Slack",
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
