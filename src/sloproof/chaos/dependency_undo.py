"""How faults of dependencies are put back, and how it is seen that they are."""

import time

from sloproof.chaos.dependency_protocol import accepts
from sloproof.chaos.dependency_steps import DependencyAnswers, LinksRestored, StrainEnded
from sloproof.chaos.http_exchange import Unreachable
from sloproof.chaos.link_control import LinkControl
from sloproof.chaos.restart_delay import write_delay
from sloproof.errors import PartFailed
from sloproof.supervisor import Supervisor, SupervisorUnreachable

START_TIMEOUT = 30.0
"""Seconds that a dependency may take until it accepts work again."""

_STEP = 0.2
_ATTEMPTS = 3
_CLOCK_SLACK = 0.001
_RUNNING = ("STARTING", "RUNNING", "STOPPING")


def restore_links(step: LinksRestored, patience: float) -> str:
    """Put the settings of links back and read them back."""
    control = LinkControl(step.control, allowed=step.allowed)
    for attempt in range(_ATTEMPTS):
        try:
            control.change(step.settings)
            break
        except PartFailed:
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(_STEP)
    return "links read back: " + "; ".join(f"{name} {_plain(values)}" for name, values in step.settings.items())


def let_dependency_answer(step: DependencyAnswers, patience: float) -> str:
    """Start a dependency that does not run, and wait until it accepts work."""
    supervisor = Supervisor(step.supervisor_socket)
    write_delay(step.restart_delay_file, step.previous)
    supervisor.start(step.name)
    if not _accepts(step, max(patience, START_TIMEOUT)):
        supervisor.restart(step.name)
        if not _accepts(step, START_TIMEOUT):
            state = supervisor.program(step.name)
            raise PartFailed(f"`{step.name}` does not accept work (supervisord: {state.state})")
    return f"process {supervisor.pid(step.name)} of `{step.name}` accepts work"


def end_strain(step: StrainEnded, patience: float) -> str:
    """End a straining process; what it held ends with its connections."""
    supervisor = Supervisor(step.supervisor_socket)
    supervisor.stop(step.program)
    step.orders.unlink(missing_ok=True)
    state = supervisor.program(step.program)
    if state.state in _RUNNING:
        raise PartFailed(f"`{step.program}` still runs (supervisord: {state.state})")
    return f"`{step.program}` has ended, and what it held with it (supervisord: {state.state})"


def links_ended(step: LinksRestored) -> str | None:
    """The proof that spoilt links are gone with their lab; None when there is none."""
    try:
        if LinkControl(step.control, allowed=step.allowed).started_at() > step.started_at + _CLOCK_SLACK:
            return f"the lab is down: other links now answer at `{step.control}`"
    except Unreachable as error:
        if error.refused:
            return f"the lab is down: the links at `{step.control}` are gone, and the fault with them"
    except (PartFailed, KeyError, ValueError):
        pass
    return None


def supervised_ended(step: DependencyAnswers | StrainEnded) -> str | None:
    """The proof that a supervised program is gone with its lab; None when there is none."""
    try:
        Supervisor(step.supervisor_socket).own_pid()
    except SupervisorUnreachable:
        return f"the lab is down: no supervisord at `{step.supervisor_socket}`, so the fault is gone with it"
    return None


def links_are_whole(step: LinksRestored) -> bool:
    """Whether links have the settings that they had before."""
    try:
        return LinkControl(step.control, allowed=step.allowed).holds(step.settings)
    except PartFailed:
        return False


def dependency_accepts(step: DependencyAnswers) -> bool:
    """Whether a dependency accepts work at this moment."""
    return accepts(step.url, allowed=step.allowed)


def strain_is_over(step: StrainEnded) -> bool:
    """Whether the straining process has ended."""
    try:
        return Supervisor(step.supervisor_socket).program(step.program).state not in _RUNNING
    except PartFailed:
        return False


def _accepts(step: DependencyAnswers, patience: float) -> bool:
    end = time.monotonic() + patience
    while not dependency_accepts(step):
        if time.monotonic() >= end:
            return False
        time.sleep(_STEP)
    return True


def _plain(values: dict[str, str]) -> str:
    return ", ".join(f"{name}={value or 'none'}" for name, value in values.items())
