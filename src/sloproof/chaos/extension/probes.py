"""Probes for Chaos Toolkit experiments: is the fault really there, and is it really over?"""

import time
from typing import Any

from sloproof.chaos import journal
from sloproof.chaos.effect import observe_until
from sloproof.chaos.extension.place import entry_of, place_of

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
    while not (over := entry.undo.is_over()) and time.time() < place.started_at + until:
        time.sleep(_STEP)
    if over and (instance := entry.undo.rejoins):
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
