"""SLOs you can prove: the public names that a definition needs.

Names load when they are first used, so that importing sloproof stays cheap and never pulls in
Locust (which patches sockets), the Chaos Toolkit or grafanalib.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from sloproof.alerts import BurnPolicy, BurnTier, Routing, Webhook
    from sloproof.chaos.experiment import Balanced, Experiment, Fires, Holds, Resolves
    from sloproof.chaos.extension import discover
    from sloproof.chaos.faults import AbortRequests, DelayRequests, KillInstance
    from sloproof.dashboards import CustomPanels, Panel
    from sloproof.loadtests.profile import LoadProfile
    from sloproof.slo import SLO, ErrorRatio, LatencyBelow, Service

_HOMES = {
    "sloproof.alerts": ("BurnPolicy", "BurnTier", "Routing", "Webhook"),
    "sloproof.chaos.experiment": ("Balanced", "Experiment", "Fires", "Holds", "Resolves"),
    "sloproof.chaos.faults": ("AbortRequests", "DelayRequests", "KillInstance"),
    "sloproof.chaos.extension": ("discover",),  # asked for by `chaos discover sloproof`
    "sloproof.dashboards": ("CustomPanels", "Panel"),
    "sloproof.loadtests.profile": ("LoadProfile",),
    "sloproof.slo": ("SLO", "ErrorRatio", "LatencyBelow", "Service"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "SLO",
    "AbortRequests",
    "Balanced",
    "BurnPolicy",
    "BurnTier",
    "CustomPanels",
    "DelayRequests",
    "ErrorRatio",
    "Experiment",
    "Fires",
    "Holds",
    "KillInstance",
    "LatencyBelow",
    "LoadProfile",
    "Panel",
    "Resolves",
    "Routing",
    "Service",
    "Webhook",
    "__version__",
    "discover",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module `sloproof` has no attribute `{name}`")
    return getattr(import_module(_HOME_OF[name]), name)
