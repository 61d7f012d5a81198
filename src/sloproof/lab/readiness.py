"""Waits, never for ever, until a started lab does its work, and says which part does not."""

import re
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from sloproof.errors import PartFailed
from sloproof.lab import health
from sloproof.lab.state import LabState
from sloproof.lab.topology import Program, ScrapeJob
from sloproof.supervisor import Supervisor

PATIENCE = 45.0
"""Seconds until every part must answer."""
_STEP = 0.1
_LAST_LINES = 12
_PORT_TAKEN = re.compile(r"address already in use|cannot bind", re.IGNORECASE)


def wait_until_ready(
    state: LabState, programs: Sequence[Program], scrapes: Sequence[ScrapeJob], say: Callable[[str], None]
) -> None:
    """Return once every program answers, the balancer uses every instance, and Prometheus has scraped everything.

    Args:
        state: of the lab that was just started.
        programs: what runs in it.
        scrapes: what Prometheus must have scraped.
        say: told of each part that answers.

    Raises:
        PartFailed: a part died, or did not answer in time; with the last lines of its log.
    """
    until = time.monotonic() + PATIENCE
    supervisor = Supervisor(state.supervisor_socket)
    _wait_for_programs(state, supervisor, programs, until, say)
    while missing := set(state.instances) - health.balancer_sees(state):
        _give_up_after(until, state, f"the balancer does not use {_listed(missing)}", "balancer")
        _fail_on_death(state, supervisor, programs)
        time.sleep(_STEP)
    say(f"the balancer uses {_listed(state.instances)}")
    wanted = {(job.job, instance) for job in scrapes for instance in job.targets}
    while targets := wanted - health.scraped(state):
        _give_up_after(until, state, f"Prometheus has not scraped {_listed(map('/'.join, targets))}", "prometheus")
        _fail_on_death(state, supervisor, programs)
        time.sleep(_STEP)
    say("Prometheus has scraped every target")


def last_lines(log: Path) -> str:
    """The end of a log, or a word that there is none."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    return "\n".join(f"  {line}" for line in lines[-_LAST_LINES:]) or "  (its log is empty)"


def _wait_for_programs(
    state: LabState, supervisor: Supervisor, programs: Sequence[Program], until: float, say: Callable[[str], None]
) -> None:
    waiting = [program for program in programs if program.port]
    while waiting:
        _fail_on_death(state, supervisor, programs)
        for program in list(waiting):
            if health.answers(program.health, program.port):
                waiting.remove(program)
                say(f"{program.name} answers on {program.url}")
        if waiting:
            _give_up_after(until, state, f"{_listed(p.name for p in waiting)} did not answer", waiting[0].name)
            time.sleep(_STEP)


def _fail_on_death(state: LabState, supervisor: Supervisor, programs: Sequence[Program]) -> None:
    ports = {program.name: program.port for program in programs}
    for program in supervisor.programs():
        if program.stopped_at or program.spawn_error:
            raise _died(state, program.name, ports.get(program.name, 0), program.spawn_error)


def _died(state: LabState, name: str, port: int, spawn_error: str) -> PartFailed:
    end = last_lines(state.log(name))
    if port and _PORT_TAKEN.search(end):
        return PartFailed(
            f"`{name}` found its port {port} taken by another process\n{end}",
            hint="run the same command again; it picks other ports",
        )
    return PartFailed(f"`{name}` ended right after it was started{f': {spawn_error}' if spawn_error else ''}\n{end}")


def _give_up_after(until: float, state: LabState, what: str, name: str) -> None:
    if time.monotonic() > until:
        raise PartFailed(f"{what} within {PATIENCE:g} s\n{last_lines(state.log(name))}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))
