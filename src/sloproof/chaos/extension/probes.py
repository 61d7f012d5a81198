"""Probes for Chaos Toolkit experiments: is the fault really there, and is it really over?"""

import time
from functools import singledispatch
from typing import Any

from sloproof.chaos import journal
from sloproof.chaos.balancer_view import why_taken_out
from sloproof.chaos.dependency_undo import dependency_accepts, links_are_whole, strain_is_over
from sloproof.chaos.effect import observe_until
from sloproof.chaos.envoy_admin import EnvoyAdmin
from sloproof.chaos.extension.place import entry_of, place_of
from sloproof.chaos.http_exchange import healthy
from sloproof.chaos.own_undo import Undoing
from sloproof.chaos.undo_step import EnvoyRuntime, InstanceRunning, UndoStep, WorkerThen
from sloproof.errors import PartFailed

__all__ = ["fault_is_live", "fault_is_over", "nothing_is_open"]

_STEP = 0.2


def fault_is_live(fault: str, until: float = 0.0, configuration: dict[str, Any] | None = None) -> bool:
    """Whether a fault of this run has the effect that it should have.

    Args:
        fault: what the journal calls it.
        until: seconds after the start of the run; so long its effect is looked for, at least once.
        configuration: the experiment's configuration.

    Returns:
        True when the effect was seen; the evidence is in the journal.
    """
    place = place_of(configuration)
    entry = entry_of(place, fault)
    if entry is None or entry not in place.ledger.open_entries(place.run_folder):
        return False
    seen = observe_until(entry.effect, place.started_at + until)
    if seen.live:
        place.ledger.note(entry, "verified", seen.evidence)
    kind: journal.EventKind = "verified" if seen.live else "not_verified"
    journal.record(place.run_folder, kind, fault=fault, detail=seen.evidence)
    return seen.live


def fault_is_over(fault: str, until: float = 0.0, configuration: dict[str, Any] | None = None) -> bool:
    """Whether nothing of a fault of this run is left, and a lost instance gets traffic again.

    Args:
        fault: what the journal calls it.
        until: seconds after the start of the run; so long its end is looked for, at least once.
        configuration: the experiment's configuration.

    Returns:
        True when its end was seen; also when it was never injected.
    """
    place = place_of(configuration)
    entry = entry_of(place, fault)
    if entry is None:
        return True
    while not (over := _is_over(entry.undo)) and time.time() < place.started_at + until:
        time.sleep(_STEP)
    if over and (instance := _rejoining(entry.undo)):
        detail = f"the balancer sends requests to `{instance}` again"
        journal.record(place.run_folder, "rejoined", fault=fault, detail=detail)
    return over


def nothing_is_open(configuration: dict[str, Any] | None = None) -> bool:
    """Whether the ledger holds no open fault of this run.

    Args:
        configuration: the experiment's configuration.
    """
    place = place_of(configuration)
    return not place.ledger.open_entries(place.run_folder)


def _rejoining(step: UndoStep) -> str:
    """The instance that gets traffic again once a step is done; empty when none was lost."""
    if isinstance(step, WorkerThen):
        return _rejoining(step.then)
    if isinstance(step, InstanceRunning):
        return step.name
    return step.rejoins if isinstance(step, Undoing) else ""


@singledispatch
def _is_over(step: UndoStep | Undoing) -> bool:
    raise TypeError(f"no way to look for {step!r}")


_is_over.register(links_are_whole)
_is_over.register(dependency_accepts)
_is_over.register(strain_is_over)


@_is_over.register
def _(step: Undoing) -> bool:
    return step.is_over()


@_is_over.register
def _(step: WorkerThen) -> bool:
    return step.worker.is_over() and _is_over(step.then)


@_is_over.register
def _(step: EnvoyRuntime) -> bool:
    try:
        return EnvoyAdmin(step.admin, allowed=step.allowed).overrides(list(step.values)) == step.values
    except PartFailed:
        return False


@_is_over.register
def _(step: InstanceRunning) -> bool:
    out = why_taken_out(step.envoy_admin, step.health, allowed=step.allowed)
    return out is None and healthy(step.health, allowed=step.allowed)
