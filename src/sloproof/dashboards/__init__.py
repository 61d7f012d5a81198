"""What to look at: Grafana dashboards, generated from the objectives.

Names load when they are first used: a workspace's `dashboards/` needs only the definitions, and
must not pay for grafanalib.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sloproof.dashboards.breakdown import breakdown_dashboard
    from sloproof.dashboards.breakdown_definition import Breakdown, Capacity
    from sloproof.dashboards.custom import CustomPanels, Panel, Step
    from sloproof.dashboards.finish import to_json
    from sloproof.dashboards.home import home_dashboard
    from sloproof.dashboards.objective import slo_dashboard
    from sloproof.dashboards.objective_alerts import OtherAlert
    from sloproof.dashboards.overview import overview_dashboard
    from sloproof.dashboards.service import service_dashboard
    from sloproof.dashboards.trend import trend_dashboard
    from sloproof.dashboards.views import AskedLoad, PlannedFaults, chaos_dashboard, load_dashboard

_HOME_OF = {
    "AskedLoad": "views",
    "Breakdown": "breakdown_definition",
    "Capacity": "breakdown_definition",
    "CustomPanels": "custom",
    "OtherAlert": "objective_alerts",
    "Panel": "custom",
    "PlannedFaults": "views",
    "Step": "custom",
    "breakdown_dashboard": "breakdown",
    "chaos_dashboard": "views",
    "home_dashboard": "home",
    "load_dashboard": "views",
    "overview_dashboard": "overview",
    "service_dashboard": "service",
    "slo_dashboard": "objective",
    "to_json": "finish",
    "trend_dashboard": "trend",
}

__all__ = [
    "AskedLoad",
    "Breakdown",
    "Capacity",
    "CustomPanels",
    "OtherAlert",
    "Panel",
    "PlannedFaults",
    "Step",
    "breakdown_dashboard",
    "chaos_dashboard",
    "home_dashboard",
    "load_dashboard",
    "overview_dashboard",
    "service_dashboard",
    "slo_dashboard",
    "to_json",
    "trend_dashboard",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module `sloproof.dashboards` has no attribute `{name}`")
    return getattr(import_module(f"sloproof.dashboards.{_HOME_OF[name]}"), name)
