"""What to look at: Grafana dashboards, generated from the objectives.

Names load when they are first used: a workspace's `dashboards/` needs only the definitions, and
must not pay for grafanalib.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sloproof.dashboards.custom import CustomPanels, Panel
    from sloproof.dashboards.finish import to_json
    from sloproof.dashboards.overview import overview_dashboard
    from sloproof.dashboards.service import service_dashboard

_HOME_OF = {
    "CustomPanels": "custom",
    "Panel": "custom",
    "overview_dashboard": "overview",
    "service_dashboard": "service",
    "to_json": "finish",
}

__all__ = ["CustomPanels", "Panel", "overview_dashboard", "service_dashboard", "to_json"]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module `sloproof.dashboards` has no attribute `{name}`")
    return getattr(import_module(f"sloproof.dashboards.{_HOME_OF[name]}"), name)
