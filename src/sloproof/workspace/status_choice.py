"""A part of a workspace's objectives, by the names of services and objectives."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from difflib import get_close_matches

from sloproof.errors import UsageError
from sloproof.slo import SLO
from sloproof.workspace.loading import Workspace

_NEAREST = 3


def chosen(workspace: Workspace, wanted: Sequence[str]) -> Workspace:
    """The workspace without the objectives that nobody asked for.

    Args:
        workspace: every objective.
        wanted: services (`tasks`) and objectives (`tasks/availability`); nothing for all.

    Raises:
        UsageError: there is no such service or objective; the hint tells the nearest.
    """
    if not wanted:
        return workspace
    known = {*(service.name for service in workspace.services), *(slo.identity for slo in workspace.slos)}
    for name in wanted:
        if name not in known:
            raise _unknown(name, known)
    names = set(wanted)
    kept = (
        one
        for one in workspace.definitions
        if not isinstance(one.definition, SLO) or {one.definition.identity, one.definition.service.name} & names
    )
    return replace(workspace, definitions=tuple(kept))


def _unknown(name: str, known: Iterable[str]) -> UsageError:
    kind = "objective" if "/" in name else "service"
    places = sorted(known)
    same_name = [place for place in places if place.endswith(f"/{name}")]
    near = same_name or get_close_matches(name, places, _NEAREST)
    told = ", ".join(f"`{place}`" for place in near[:_NEAREST])
    if told:
        return UsageError(f"there is no {kind} `{name}`", hint=f"did you mean {told}?")
    service = name.partition("/")[0]
    if of_it := [place for place in places if place.startswith(f"{service}/")]:
        told = ", ".join(f"`{place}`" for place in of_it)
        return UsageError(f"there is no {kind} `{name}`", hint=f"`{service}` has {told}")
    services = ", ".join(f"`{place}`" for place in places if "/" not in place)
    return UsageError(f"there is no {kind} `{name}`", hint=f"the services are: {services or 'none'}")
