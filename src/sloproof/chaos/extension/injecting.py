"""How an action injects: under its guard, at its moment, and out through the rollbacks when it cannot."""

from typing import Any

from sloproof.chaos import journal
from sloproof.chaos.extension.guard import guard_of
from sloproof.chaos.extension.place import place_of, wait_until
from sloproof.chaos.faults import Fault
from sloproof.chaos.injection import inject
from sloproof.errors import SloproofError


def inject_now(broken: Fault, name: str, configuration: dict[str, Any] | None) -> str:
    """Wait for the moment of a fault, and inject it.

    Args:
        broken: the fault.
        name: what the journal calls it.
        configuration: the experiment's configuration.

    Returns:
        The id of the ledger's entry.
    """
    place = place_of(configuration)
    guard = guard_of(place)
    try:
        guard.stand()
        wait_until(place.started_at + broken.at.total_seconds())
        guard.stand()
        return inject(broken, name, place).id
    except (SloproofError, OSError) as error:
        journal.record(place.run_folder, "injection_failed", fault=name, detail=str(error))
        guard.end(f"could not inject `{name}`: {error}")
