"""Injects one fault of an experiment at its time, with every protection standing."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from sloproof.chaos import journal
from sloproof.chaos.extension.guard import guard_of
from sloproof.chaos.extension.place import place_of, wait_until
from sloproof.chaos.faults import Fault
from sloproof.chaos.injection import inject
from sloproof.errors import SloproofError

_OF_EVERY_ACTION = """
    at: seconds after the start of the run.
    fault: what the journal calls it.
    configuration: the experiment's configuration.

Returns:
    The id of the ledger's entry.
"""
_Action = TypeVar("_Action", bound=Callable[..., str])


def action(told: _Action) -> _Action:
    """Say of an action, for `chaos discover`, what every one of them takes and gives.

    Args:
        told: an action whose docstring ends with the arguments that are its own.

    Returns:
        The same function.
    """
    if told.__doc__:  # none where Python was told to leave docstrings out
        told.__doc__ = inspect.cleandoc(told.__doc__) + _OF_EVERY_ACTION
    return told


def inject_on_time(broken: Fault, name: str, configuration: dict[str, Any] | None) -> str:
    """Wait until a fault is due and inject it; end the experiment when that cannot be done.

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
