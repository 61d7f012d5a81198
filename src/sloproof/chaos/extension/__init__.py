"""The Chaos Toolkit extension: actions, probes and a control, for `chaos run` and `chaos discover`.

Imported in a Chaos Toolkit process only.
"""

from importlib.metadata import version
from typing import Any

from chaoslib.discovery.discover import discover_actions, discover_probes, initialize_discovery_result

__all__ = ["discover"]

_ACTIONS = ("actions", "dependency_actions", "instance_actions", "outside_actions", "pressure_actions")


def discover(discover_system: bool = True) -> dict[str, Any]:
    """What this extension offers, as the Chaos Toolkit wants to hear it.

    Args:
        discover_system: ignored; there is no system to look at before a lab is up.

    Returns:
        The discovery document with every action and probe.
    """
    discovery: dict[str, Any] = initialize_discovery_result("sloproof", version("sloproof"), "sloproof")
    for module in _ACTIONS:
        discovery["activities"].extend(discover_actions(f"{__name__}.{module}"))
    discovery["activities"].extend(discover_probes(f"{__name__}.probes"))
    return discovery
