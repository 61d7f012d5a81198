"""What a run may leave behind in a lab's programs and links that no ledger names: one finder for each kind of trace."""

import os
import shlex
from collections.abc import Iterator, Sequence
from functools import partial

from sloproof.chaos.database_strain import StrainEnded
from sloproof.chaos.http_exchange import Unreachable
from sloproof.chaos.ledger import Entry
from sloproof.chaos.link_control import IDLE, LinkControl
from sloproof.chaos.link_settings import LinksRestored
from sloproof.chaos.orphans import Orphan, steps_of
from sloproof.chaos.pressure import confine, cpus_of
from sloproof.chaos.process_identity import identify
from sloproof.chaos.strain_faults import ContendLocks, ExhaustPool
from sloproof.chaos.target import Target
from sloproof.errors import PartFailed
from sloproof.supervisor import ProgramState, Supervisor

STRAINS = (ExhaustPool.program, ContendLocks.program)
"""Programs of a lab that run only while a fault wants them to."""

_STOPPED = "STOPPED"
_LOOK_TIMEOUT = 3.0


def spoilt_links(target: Target, known: Sequence[Entry], allowed: tuple[str, ...]) -> Iterator[Orphan]:
    """Links to dependencies that delay, limit or cut, and that no open fault of the ledger has set."""
    if not target.links:
        return
    control = LinkControl(target.links, allowed=allowed)
    try:
        found = control.settings(dict.fromkeys(control.names(), IDLE))
    except PartFailed as error:
        if not (isinstance(error, Unreachable) and error.refused):  # without links there is no fault in their memory
            yield Orphan(error.message, "see whether the links hang; `sloproof lab down` ends them and their faults")
        return
    set_by_faults = [step.settings for step in steps_of(known) if isinstance(step, LinksRestored)]
    ours = {(link, key) for settings in set_by_faults for link, values in settings.items() for key in values}
    for link, values in found.items():
        left = {key: value for key, value in values.items() if value != IDLE[key] and (link, key) not in ours}
        if left:
            shown = ", ".join(f"`{key}={value}`" for key, value in sorted(left.items()))
            idle = "&".join(f"{key}={IDLE[key]}" for key in sorted(left))
            yield Orphan(
                f"the link `{link}` of `{target.system}` spoils what passes it: {shown}",
                f"curl -X POST '{control.url}/links/{link}?{idle}'",
                partial(control.change, {link: {key: IDLE[key] for key in left}}),
            )


def misplaced_programs(target: Target, known: Sequence[Entry]) -> Iterator[Orphan]:
    """Programs of the lab that were stopped and stay away, and straining ones that go on."""
    supervisor = Supervisor(target.supervisor_socket, timeout=_LOOK_TIMEOUT)
    ours = _named(target, known)
    for program in _programs(supervisor):
        if program.name in ours:
            continue
        if program.name in STRAINS and program.pid is not None and target.strain_folder is not None:
            orders = target.strain_folder / f"{program.name}.json"
            step = StrainEnded(supervisor_socket=target.supervisor_socket, program=program.name, orders=orders)
            yield Orphan(
                f"`{program.name}` strains the database of `{target.system}`: process {program.pid}",
                _supervisorctl(target, "stop", program.name),
                partial(step.perform, 0),
            )
        elif program.name not in STRAINS and program.state == _STOPPED:
            yield Orphan(
                f"`{program.name}` of `{target.system}` was stopped, and nobody starts it again",
                _supervisorctl(target, "start", program.name),
                partial(Supervisor(target.supervisor_socket).start, program.name, wait=True),
            )


def confined_instances(target: Target, known: Sequence[Entry]) -> Iterator[Orphan]:
    """Instances that may use fewer CPUs than what keeps them; only where the system can tell."""
    if not hasattr(os, "sched_getaffinity"):
        return
    supervisor = Supervisor(target.supervisor_socket, timeout=_LOOK_TIMEOUT)
    ours = _named(target, known)
    for program in _programs(supervisor):
        if program.name not in target.instances or program.name in ours or program.pid is None:
            continue
        try:
            process, cpus = identify(program.pid), cpus_of(supervisor.own_pid())
            mine = cpus_of(program.pid)
        except OSError:  # it has ended meanwhile
            continue
        if mine != cpus:
            yield Orphan(
                f"`{program.name}` of `{target.system}` may use {len(mine)} of {len(cpus)} CPUs: process {program.pid}",
                f"taskset -acp {','.join(map(str, cpus))} {program.pid}",
                partial(confine, process, cpus),
            )


def _programs(supervisor: Supervisor) -> list[ProgramState]:
    try:
        return supervisor.programs()
    except PartFailed:  # no supervisord, no programs; one that is stopped is told by itself
        return []


def _named(target: Target, known: Sequence[Entry]) -> set[str]:
    """The programs of this lab that open faults of the ledger hold."""
    place = str(target.supervisor_socket)
    here = [step for step in steps_of(known) if step.place == place]
    return {str(name) for step in here for name in (getattr(step, "name", ""), getattr(step, "program", "")) if name}


def _supervisorctl(target: Target, verb: str, name: str) -> str:
    return f"supervisorctl -s {shlex.quote(f'unix://{target.supervisor_socket}')} {verb} {name}"
