"""Bringing a Grafana's dashboards up to what the definitions imply: looked at as a whole first, then sent."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sloproof.dashboards.difference import difference, panels_told
from sloproof.errors import SloproofError
from sloproof.grafana import Grafana

GENERAL = "general"
"""Grafana's folder of what is in no folder; it is always there."""


@dataclass(frozen=True)
class Planned:
    """What a push does to one dashboard.

    Args:
        name: as `names` spells it.
        kind: whether Grafana lacks it, keeps another one, keeps it elsewhere, or keeps this one.
        told: what changes, in words.
        lines: what changes, as a diff; empty for a new one, which would show all of itself.
        document: what is sent.
        version: that Grafana must still have.
    """

    name: str
    kind: Literal["new", "changed", "moved", "same"]
    told: str
    lines: tuple[str, ...]
    document: Mapping[str, Any]
    version: int


@dataclass(frozen=True)
class Plan:
    """What a push does.

    Args:
        folder: uid of the folder; empty for the general one.
        makes_folder: whether it is made.
        dashboards: each of them, in order.
    """

    folder: str
    makes_folder: bool
    dashboards: tuple[Planned, ...]

    @property
    def changes(self) -> tuple[Planned, ...]:
        """The dashboards that are sent."""
        return tuple(one for one in self.dashboards if one.kind != "same")


def planned(grafana: Grafana, dashboards: Iterable[tuple[str, Mapping[str, Any]]], folder: str) -> Plan:
    """Look at what Grafana keeps; nothing is changed.

    Args:
        grafana: where.
        dashboards: each by its name.
        folder: uid of the folder that they belong in; `general` for none.

    Raises:
        PartFailed: Grafana cannot be reached, or refuses.
    """
    wanted = "" if folder == GENERAL else folder
    makes = bool(wanted) and not grafana.has_folder(wanted)
    return Plan(wanted, makes, tuple(_planned(grafana, name, document, wanted) for name, document in dashboards))


def _planned(grafana: Grafana, name: str, document: Mapping[str, Any], folder: str) -> Planned:
    stored = grafana.dashboard(str(document["uid"]))
    if stored is None:
        return Planned(name, "new", f"{len(document['panels'])} panels", (), document, 0)
    lines = tuple(difference(stored.document, document))
    if lines:
        return Planned(name, "changed", panels_told(stored.document, document), lines, document, stored.version)
    if stored.folder != folder:
        return Planned(name, "moved", f"from `{stored.folder or GENERAL}`", (), document, stored.version)
    return Planned(name, "same", "", (), document, stored.version)


def push(grafana: Grafana, plan: Plan, sent: Callable[[Planned], None]) -> None:
    """Send what a plan changes.

    Args:
        grafana: where.
        plan: made a moment ago; what somebody saves meanwhile is refused by Grafana, not overwritten.
        sent: told of each dashboard that Grafana has stored.

    Raises:
        PartFailed: Grafana cannot be reached or refuses; the message says how many were stored before.
    """
    if plan.makes_folder and plan.changes:
        grafana.create_folder(plan.folder, plan.folder)
    for number, one in enumerate(plan.changes):
        try:
            grafana.save(one.document, version=one.version, folder=plan.folder, message="sloproof dashboards push")
        except SloproofError as error:
            state = f"{number} of {len(plan.changes)} dashboards were stored before"
            raise type(error)(f"{error.message}; {state}", hint=error.hint) from None
        sent(one)
