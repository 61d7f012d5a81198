"""How faults of dependencies are prepared; importing this teaches `prepare` about them."""

import json
import time

from sloproof.chaos.database_strain import StrainEnded, StrainFelt
from sloproof.chaos.dependency_faults import DependencyFault, FlushCache, LoseDependency, RestartDependency
from sloproof.chaos.dependency_protocol import accepts, flushes, redis_command
from sloproof.chaos.emptied_cache import CacheEmptied
from sloproof.chaos.link_control import LinkControl
from sloproof.chaos.link_settings import LinksRestored, LinksSpoilt
from sloproof.chaos.lost_dependency import DependencyAnswers, DependencyLost
from sloproof.chaos.network_faults import LinkFault
from sloproof.chaos.preparation import prepare
from sloproof.chaos.prepared import Prepared
from sloproof.chaos.restart_delay import read_delay, write_delay
from sloproof.chaos.strain_faults import StrainFault
from sloproof.chaos.target import Target
from sloproof.errors import PartFailed
from sloproof.supervisor import Supervisor

STOP_SIGNAL = "INT"
"""Asks PostgreSQL for a fast shutdown in good order, and ends Redis as SIGTERM does."""


@prepare.register
def prepare_link_fault(fault: LinkFault, target: Target, allowed: tuple[str, ...]) -> Prepared:
    """Look at the links that a fault spoils."""
    target.dependency(fault.dependency)
    names = target.links_between(fault.dependency, fault.instance)
    control = LinkControl(target.links, allowed=allowed)
    wanted = {name: fault.settings() for name in names}
    before = control.settings(wanted)

    def apply() -> str:
        control.change(wanted)
        return "links set: " + "; ".join(f"{name} {json.dumps(settings)}" for name, settings in wanted.items())

    undo = LinksRestored(control=control.url, settings=before, started_at=control.started_at(), allowed=allowed)
    effect = LinksSpoilt(
        control=control.url,
        settings=wanted,
        counter=fault.effect_counter,
        before=control.counts(fault.effect_counter, names),
        allowed=allowed,
    )
    return Prepared(undo, effect, apply)


@prepare.register
def prepare_outage(fault: LoseDependency, target: Target, allowed: tuple[str, ...]) -> Prepared:
    """Look at a dependency that is going to be stopped."""
    supervisor, pid = Supervisor(target.supervisor_socket), _working(fault, target, allowed)

    def apply() -> str:
        supervisor.stop(fault.dependency)
        return f"process {pid} of `{fault.dependency}` was stopped"

    return Prepared(_answers(fault, target, allowed), _lost(fault, target, allowed, pid), apply)


@prepare.register
def prepare_restart(fault: RestartDependency, target: Target, allowed: tuple[str, ...]) -> Prepared:
    """Look at a dependency that is going to be restarted."""
    supervisor, pid = Supervisor(target.supervisor_socket), _working(fault, target, allowed)
    undo = _answers(fault, target, allowed).model_copy(update={"leaving": pid})

    def apply() -> str:
        write_delay(undo.restart_delay_file, f"{fault.back_after.total_seconds():g}")
        if not supervisor.signal(fault.dependency, STOP_SIGNAL):
            raise PartFailed(f"`{fault.dependency}` ended before it could be asked to")
        return f"SIG{STOP_SIGNAL} sent to process {pid} of `{fault.dependency}`"

    return Prepared(undo, _lost(fault, target, allowed, pid), apply)


@prepare.register
def prepare_flush(fault: FlushCache, target: Target, allowed: tuple[str, ...]) -> Prepared:
    """Look at a cache that is going to be emptied."""
    url = target.dependency(fault.dependency)
    if not url.startswith("redis:"):
        raise PartFailed(f"`{fault.dependency}` is no cache; nothing was injected", hint="name a Redis")
    _working(fault, target, allowed)

    def apply() -> str:
        redis_command(url, "FLUSHALL", allowed=allowed)
        return f"`{fault.dependency}` was emptied"

    keys = int(redis_command(url, "DBSIZE", allowed=allowed))
    effect = CacheEmptied(
        name=fault.dependency, url=url, flushes=flushes(url, allowed=allowed), keys=keys, allowed=allowed
    )
    return Prepared(_answers(fault, target, allowed), effect, apply)


@prepare.register
def prepare_strain(fault: StrainFault, target: Target, allowed: tuple[str, ...]) -> Prepared:
    """Look at the program that is going to strain the database."""
    if target.strain_folder is None:
        raise PartFailed(f"the system `{target.system}` has no program for {fault.place}; nothing was injected")
    supervisor = Supervisor(target.supervisor_socket)
    if supervisor.pid(fault.program) is not None:
        raise PartFailed(f"`{fault.program}` runs already; nothing was injected", hint="run `sloproof chaos undo`")
    orders = target.strain_folder / f"{fault.program}.json"
    report = target.strain_folder / f"{fault.program}.report.json"

    def apply() -> str:
        report.unlink(missing_ok=True)
        until = time.time() + (fault.length + fault.grace).total_seconds()
        orders.write_text(json.dumps({**fault.orders(), "until": until}), encoding="utf-8")
        supervisor.start(fault.program)
        return f"`{fault.program}` was started as process {supervisor.pid(fault.program)}"

    socket = target.supervisor_socket
    undo = StrainEnded(supervisor_socket=socket, program=fault.program, orders=orders)
    return Prepared(undo, StrainFelt(supervisor_socket=socket, program=fault.program, report=report), apply)


def _working(fault: DependencyFault, target: Target, allowed: tuple[str, ...]) -> int:
    """The process of a dependency that works."""
    url = target.dependency(fault.dependency)
    pid = Supervisor(target.supervisor_socket).pid(fault.dependency)
    if pid is None or not accepts(url, allowed=allowed):
        raise PartFailed(f"`{fault.dependency}` is not well before the fault; nothing was injected")
    return pid


def _answers(fault: DependencyFault, target: Target, allowed: tuple[str, ...]) -> DependencyAnswers:
    delay_file = target.restart_delay_folder / fault.dependency
    return DependencyAnswers(
        supervisor_socket=target.supervisor_socket,
        name=fault.dependency,
        url=target.dependency(fault.dependency),
        restart_delay_file=delay_file,
        previous=read_delay(delay_file),
        allowed=allowed,
    )


def _lost(fault: DependencyFault, target: Target, allowed: tuple[str, ...], pid: int) -> DependencyLost:
    return DependencyLost(
        supervisor_socket=target.supervisor_socket,
        name=fault.dependency,
        pid=pid,
        url=target.dependency(fault.dependency),
        allowed=allowed,
    )
