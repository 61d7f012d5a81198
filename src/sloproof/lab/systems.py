"""The reference systems that the lab can run, by name."""

from collections.abc import Mapping

from sloproof.errors import UsageError
from sloproof.lab.tasks import topology as tasks
from sloproof.lab.topology import System

SYSTEMS: Mapping[str, System] = {"tasks": tasks.SYSTEM}


def known_parts() -> dict[str, dict[str, tuple[str, ...]]]:
    """The names of each kind of part, by system, as the checks want them."""
    return {
        name: {"instance": system.instances, "route": system.routes, "dependency": system.dependencies}
        for name, system in SYSTEMS.items()
    }


def find_system(name: str) -> System:
    """The system of that name.

    Raises:
        UsageError: there is none; the hint lists those there are.
    """
    if name not in SYSTEMS:
        raise UsageError(f"`{name}` is no system of the lab", hint=f"one of: {', '.join(sorted(SYSTEMS))}")
    return SYSTEMS[name]
