"""Breaking things: each kind of fault prepares its undo and its evidence first, and only then takes hold."""

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypedDict

from sloproof.chaos import (
    dependency_injection,
    journal,
    prepare_balancer,
    prepare_instance,
    prepare_outside,
    prepare_pressure,
)
from sloproof.chaos.faults import Fault, KillInstance
from sloproof.chaos.http_exchange import healthy
from sloproof.chaos.ledger import Entry, Ledger
from sloproof.chaos.lost_instance import InstanceLost, InstanceRunning
from sloproof.chaos.preparation import HEALTH_PATH, prepare
from sloproof.chaos.prepared import Prepared
from sloproof.chaos.process_identity import this_process
from sloproof.chaos.restart_delay import read_delay, write_delay
from sloproof.chaos.target import Target, read_target
from sloproof.errors import PartFailed, Refused
from sloproof.supervisor import Supervisor

TEACHERS = dependency_injection, prepare_balancer, prepare_instance, prepare_outside, prepare_pressure
"""Modules that teach `prepare` about faults when they are imported."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a run breaks things and where it writes that down.

    Args:
        lab_file: state file of the lab.
        run_folder: folder of the run.
        ledger: the workspace's ledger.
        started_at: when the run began, epoch seconds.
        allowed: targets beyond loopback that the workspace lists.
    """

    lab_file: Path
    run_folder: Path
    ledger: Ledger
    started_at: float
    allowed: tuple[str, ...] = ()


def inject(fault: Fault, name: str, place: Place) -> Entry:
    """Break something, after its undo is on disk.

    Args:
        fault: what to break.
        name: what the journal calls it.
        place: where, and where to write it down.

    Returns:
        The ledger's entry.

    Raises:
        Refused: the run is closed, too late, the target is not allowed, or another fault is still open.
        PartFailed: a part does not answer or is not well before the fault.
    """
    with place.ledger.turn():
        _check_may_inject(fault, place)
        target = read_target(place.lab_file)
        target.require(fault.required)
        prepared = prepare(fault, target, place.allowed)
        entry = _entry(fault, name, place, target, prepared)
        journal.record(place.run_folder, "injecting", fault=name, detail=fault.describe())
        place.ledger.open(entry)
        detail = prepared.apply()
        place.ledger.note(entry, "injected", detail)
    journal.record(place.run_folder, "injected", fault=name, detail=detail)
    return entry


class _Instance(TypedDict):
    supervisor_socket: Path
    name: str
    health: str
    envoy_admin: str
    allowed: tuple[str, ...]


@prepare.register
def _(fault: KillInstance, target: Target, allowed: tuple[str, ...]) -> Prepared:
    health = target.instance(fault.instance) + HEALTH_PATH
    supervisor = Supervisor(target.supervisor_socket)
    pid = supervisor.pid(fault.instance)
    if pid is None or not healthy(health, allowed=allowed):
        raise PartFailed(f"the instance `{fault.instance}` is not well before the fault; nothing was injected")
    delay_file = target.restart_delay_folder / fault.instance

    def apply() -> str:
        write_delay(delay_file, f"{fault.back_after / timedelta(seconds=1):g}")
        if not supervisor.signal(fault.instance, "KILL"):
            raise PartFailed(f"the instance `{fault.instance}` ended before it could be killed")
        return f"SIGKILL sent to process {pid} of `{fault.instance}`"

    instance = _Instance(
        supervisor_socket=target.supervisor_socket,
        name=fault.instance,
        health=health,
        envoy_admin=target.envoy_admin,
        allowed=allowed,
    )
    undo = InstanceRunning(**instance, restart_delay_file=delay_file, previous=read_delay(delay_file))
    return Prepared(undo, InstanceLost(**instance, pid=pid), apply)


def check_ready(faults: Sequence[Fault], lab_file: Path, allowed: Sequence[str] = ()) -> None:
    """Look at what each fault takes hold of, before anything is started; change nothing.

    Args:
        faults: what is to be broken.
        lab_file: state file of the system.
        allowed: targets beyond loopback that the workspace lists.

    Raises:
        Refused: a target is not allowed; nothing was sent to it.
        PartFailed: a part is missing, does not answer or is not well; the message names the fault.
    """
    target = read_target(lab_file)
    for fault in faults:
        try:
            target.require(fault.required)
            prepare(fault, target, tuple(allowed))
        except (Refused, PartFailed) as error:
            kind = Refused if isinstance(error, Refused) else PartFailed
            raise kind(f"cannot {fault.describe()}: {error.message}; nothing was started", hint=error.hint) from error


def _check_may_inject(fault: Fault, place: Place) -> None:
    contents = place.ledger.read()
    if place.run_folder in contents.closed:
        raise Refused("the run is closed: nothing more is injected")
    if time.time() >= place.started_at + fault.end.total_seconds():
        raise Refused(f"too late to {fault.describe()}: it would be over by now")
    strangers = [e for e in contents.open_entries() if e.lab_file == place.lab_file and e.run != place.run_folder]
    if strangers:
        raise Refused(
            f"a fault of another run is still open: {strangers[0].description}", hint="run `sloproof chaos undo`"
        )


def _entry(fault: Fault, name: str, place: Place, target: Target, prepared: Prepared) -> Entry:
    return Entry(
        id=f"{name}-{uuid.uuid4().hex[:12]}",
        run=place.run_folder,
        system=target.system,
        lab_file=place.lab_file,
        fault=name,
        description=fault.describe(),
        undo=prepared.undo,
        effect=prepared.effect,
        deadline=place.started_at + (fault.end + fault.grace).total_seconds(),
        owner=this_process(),
    )
