"""Actions for Chaos Toolkit experiments: inject a fault on schedule, and put it back."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from sloproof.chaos import journal
from sloproof.chaos.extension.injecting import action, inject_on_time
from sloproof.chaos.extension.place import entry_of, place_of, wait_until
from sloproof.chaos.faults import AbortRequests, DelayRequests, KillInstance
from sloproof.chaos.injection import Place
from sloproof.chaos.ledger import Entry
from sloproof.chaos.undo import PATIENCE, undo_entry
from sloproof.chaos.undo import undo_run as undo_open_entries

__all__ = ["abort_requests", "delay_requests", "end_fault", "kill_instance", "undo_run"]


@action
def kill_instance(
    instance: str,
    back_after: float,
    at: float = 0.0,
    fault: str = "kill-instance",
    configuration: dict[str, Any] | None = None,
) -> str:
    """Kill one instance with SIGKILL; its supervisor starts it again later.

    Args:
        instance: the instance's name in the lab.
        back_after: seconds that it stays away.
    """
    broken = KillInstance(instance, at=timedelta(seconds=at), back_after=timedelta(seconds=back_after))
    return inject_on_time(broken, fault, configuration)


@action
def delay_requests(
    milliseconds: int,
    percent: str,
    lasts: float,
    jitter: int = 0,
    route: str = "",
    envoy: str = "",
    at: float = 0.0,
    fault: str = "delay-requests",
    configuration: dict[str, Any] | None = None,
) -> str:
    """Let the balancer hold back a share of the requests.

    Args:
        milliseconds: how long each of them waits.
        percent: how many of all requests, per cent.
        lasts: seconds until `end_fault` is due; the watchdog counts from it.
        jitter: milliseconds by which that goes up and down.
        route: only requests of this route; empty for all.
        envoy: base URL of the admin port of an Envoy; empty for the lab's balancer.
    """
    broken = DelayRequests(
        timedelta(milliseconds=milliseconds),
        percent=Decimal(percent),
        at=timedelta(seconds=at),
        lasts=timedelta(seconds=lasts),
        jitter=timedelta(milliseconds=jitter) if jitter else None,
        route=route,
        envoy=envoy,
    )
    return inject_on_time(broken, fault, configuration)


@action
def abort_requests(
    status: int,
    percent: str,
    lasts: float,
    route: str = "",
    envoy: str = "",
    at: float = 0.0,
    fault: str = "abort-requests",
    configuration: dict[str, Any] | None = None,
) -> str:
    """Let the balancer answer a share of the requests itself, with an error.

    Args:
        status: the HTTP status of those answers.
        percent: how many of all requests, per cent.
        lasts: seconds until `end_fault` is due; the watchdog counts from it.
        route: only requests of this route; empty for all.
        envoy: base URL of the admin port of an Envoy; empty for the lab's balancer.
    """
    broken = AbortRequests(
        status,
        percent=Decimal(percent),
        at=timedelta(seconds=at),
        lasts=timedelta(seconds=lasts),
        route=route,
        envoy=envoy,
    )
    return inject_on_time(broken, fault, configuration)


def end_fault(
    fault: str, at: float = 0.0, patience: float = PATIENCE, configuration: dict[str, Any] | None = None
) -> str:
    """Put one fault of this run back, and make sure of it.

    Args:
        fault: what the journal calls it.
        at: seconds after the start of the run.
        patience: seconds to wait for what comes back by itself before it is forced.
        configuration: the experiment's configuration.

    Returns:
        How its end was verified.
    """
    place = place_of(configuration)
    wait_until(place.started_at + at)
    entry = entry_of(place, fault)
    if entry is None:
        return "it was never injected"
    _look_a_last_time(place, entry)
    undone = undo_entry(place.ledger, entry, patience=patience)
    return undone.evidence if undone else "it was already undone"


def undo_run(configuration: dict[str, Any] | None = None) -> list[str]:
    """Put back every fault of this run that is still open.

    Args:
        configuration: the experiment's configuration.

    Returns:
        How each end was verified.
    """
    place = place_of(configuration)
    return [undone.evidence for undone in undo_open_entries(place.ledger, place.run_folder)]


def _look_a_last_time(place: Place, entry: Entry) -> None:
    """An effect that came late is seen here, or never."""
    contents = place.ledger.read()
    if contents.has(entry, "verified") or entry not in contents.open_entries(place.run_folder):
        return
    seen = entry.effect.observe()
    if seen.live:
        place.ledger.note(entry, "verified", seen.evidence)
        journal.record(place.run_folder, "verified", fault=entry.fault, detail=seen.evidence)
