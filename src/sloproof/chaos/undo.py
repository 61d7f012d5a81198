"""Putting things back: idempotent, verified, and safe to repeat after a crash at any step."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import singledispatch
from pathlib import Path
from typing import Literal

from sloproof.chaos import journal
from sloproof.chaos.dependency_undo import (
    end_strain,
    let_dependency_answer,
    links_ended,
    restore_links,
    supervised_ended,
)
from sloproof.chaos.envoy_admin import EnvoyAdmin
from sloproof.chaos.http_exchange import Unreachable, healthy
from sloproof.chaos.ledger import TURN_TIMEOUT, Entry, Ledger
from sloproof.chaos.own_undo import Undoing
from sloproof.chaos.published_undo import play_rollbacks
from sloproof.chaos.restart_delay import write_delay
from sloproof.chaos.target import current_target
from sloproof.chaos.undo_step import EnvoyRuntime, InstanceRunning, ToolkitRollbacks, UndoStep, WorkerThen
from sloproof.errors import PartFailed, SloproofError, UndoFailed
from sloproof.supervisor import Supervisor, SupervisorUnreachable

START_TIMEOUT = 20.0
"""Seconds that a restarted instance may take until it answers."""

PATIENCE = 6.0
"""Seconds in which an instance may come back by itself, once its delay is taken away, before it is restarted."""

_STEP = 0.2
_ATTEMPTS = 3
_CLOCK_SLACK = 2.0  # Envoy tells its uptime in whole seconds


@dataclass(frozen=True)
class Undone:
    """A fault that is put back.

    Args:
        entry: the fault.
        evidence: how that was verified, in plain words.
    """

    entry: Entry
    evidence: str


def undo_all(ledger: Path, say: Callable[[str], None]) -> list[Undone]:
    """Put back every fault that the ledger holds open, and let no run inject more.

    Args:
        ledger: `.sloproof/ledger.jsonl` of the workspace; it need not exist.
        say: told a sentence for each fault.

    Returns:
        What was put back; empty when nothing was open.

    Raises:
        UndoFailed: something is left; the message names all of it.
    """
    book = Ledger(ledger)
    entries = book.open_entries()
    for run in dict.fromkeys(entry.run for entry in entries):
        with contextlib.suppress(PartFailed):
            book.close_run(run, "faults are undone by hand")
    return _undo_each(book, entries, PATIENCE, say)


def undo_run(
    ledger: Ledger, run: Path, *, patience: float = PATIENCE, say: Callable[[str], None] | None = None
) -> list[Undone]:
    """Put back every fault of one run that is still open.

    Args:
        ledger: the workspace's ledger.
        run: folder of the run.
        patience: seconds to wait for what comes back by itself before it is forced.
        say: told a sentence for each fault.

    Returns:
        What was put back; empty when nothing was open.

    Raises:
        UndoFailed: something is left; the message names all of it.
    """
    return _undo_each(ledger, ledger.open_entries(run), patience, say or (lambda sentence: None))


def undo_entry(ledger: Ledger, entry: Entry, *, patience: float = PATIENCE) -> Undone | None:
    """Put one fault back and write that down.

    Args:
        ledger: the workspace's ledger.
        entry: the fault.
        patience: seconds to wait for what comes back by itself before it is forced.

    Returns:
        The evidence, or None when somebody else had put it back before.

    Raises:
        UndoFailed: it could not be put back, or that could not be written down.
    """
    with _turn(ledger, entry):
        if all(entry.id != left.id for left in ledger.open_entries()):
            return None
        try:
            evidence = gone_with_its_lab(entry) or perform(entry.undo, patience)
        except (SloproofError, OSError) as error:
            _write_down(ledger, entry, "undo_failed", str(error))
            raise UndoFailed(f"could not undo: {entry.description}: {error}", hint=_HINT) from error
        if not _write_down(ledger, entry, "undone", evidence):
            raise UndoFailed(f"undone, but the ledger cannot be written: {entry.description}", hint=_HINT)
    return Undone(entry, evidence)


_HINT = (
    "run `sloproof chaos undo` again; `sloproof lab down` ends a lab and every fault in it, "
    "and what a published experiment broke its own rollbacks must put back: see `chaos/output.log` of its run"
)


@singledispatch
def perform(step: UndoStep | Undoing, patience: float) -> str:
    """Put something back and make sure that it is.

    Args:
        step: how.
        patience: seconds to wait for what comes back by itself before it is forced.

    Returns:
        How that was verified, in plain words.

    Raises:
        PartFailed: it is not back.
        Refused: the target is not allowed; nothing was sent.
    """
    raise TypeError(f"no way to undo {step!r}")


perform.register(restore_links)
perform.register(let_dependency_answer)
perform.register(end_strain)


@perform.register
def _(step: Undoing, patience: float) -> str:
    return step.perform(patience)


@perform.register
def _(step: WorkerThen, patience: float) -> str:
    return f"{step.worker.perform(patience)}; {perform(step.then, patience)}"


@perform.register
def _(step: EnvoyRuntime, patience: float) -> str:
    admin = EnvoyAdmin(step.admin, allowed=step.allowed)
    for attempt in range(_ATTEMPTS):
        try:
            admin.override(step.values)
            break
        except PartFailed:
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(_STEP)
    return "runtime keys read back: " + ", ".join(f"{key}={value or 'unset'}" for key, value in step.values.items())


@perform.register
def _(step: InstanceRunning, patience: float) -> str:
    supervisor = Supervisor(step.supervisor_socket)
    write_delay(step.restart_delay_file, step.previous)
    supervisor.start(step.name)
    if not _answers(step, patience):
        supervisor.restart(step.name)
        if not _answers(step, START_TIMEOUT):
            state = supervisor.program(step.name)
            raise PartFailed(f"the instance `{step.name}` does not answer (supervisord: {state.state})")
        return f"restarted; process {supervisor.pid(step.name)} of `{step.name}` answers its health URL"
    return f"process {supervisor.pid(step.name)} of `{step.name}` answers its health URL"


@perform.register
def _(step: ToolkitRollbacks, patience: float) -> str:
    return play_rollbacks(step.document, step.folder)


def gone_with_its_lab(entry: Entry) -> str | None:
    """The proof that a fault ended together with the lab it was in.

    Args:
        entry: the fault.

    Returns:
        The reason in plain words; None when the lab is still there, or nobody can tell.
    """
    target = current_target(entry.lab_file)
    if target and entry.undo.place in target.places:
        return None
    return _ended(entry.undo)


@singledispatch
def _ended(step: UndoStep | Undoing) -> str | None:
    raise TypeError(f"no way to look for {step!r}")


_ended.register(links_ended)
_ended.register(supervised_ended)


@_ended.register
def _(step: Undoing) -> str | None:
    return step.ended()


@_ended.register
def _(step: WorkerThen) -> str | None:
    gone = _ended(step.then)
    return f"{gone}; {step.worker.perform(0)}" if gone else None


@_ended.register
def _(step: EnvoyRuntime) -> str | None:
    gone = f"the lab is down: the Envoy at `{step.admin}` is gone, and the fault with it"
    try:
        later = EnvoyAdmin(step.admin, allowed=step.allowed).started_at() > step.envoy_started_at + _CLOCK_SLACK
        return f"the lab is down: another Envoy now answers at `{step.admin}`" if later else None
    except Unreachable as error:
        return gone if error.refused else None
    except (PartFailed, KeyError, ValueError):
        return None


@_ended.register
def _(step: InstanceRunning) -> str | None:
    try:
        Supervisor(step.supervisor_socket).own_pid()
    except SupervisorUnreachable:
        return f"the lab is down: no supervisord at `{step.supervisor_socket}`, so `{step.name}` is gone with it"
    return None


@_ended.register
def _(step: ToolkitRollbacks) -> str | None:
    return None


def _answers(step: InstanceRunning, patience: float) -> bool:
    end = time.monotonic() + patience
    while not healthy(step.health, allowed=step.allowed):
        if time.monotonic() >= end:
            return False
        time.sleep(_STEP)
    return True


@contextmanager
def _turn(ledger: Ledger, entry: Entry) -> Iterator[None]:
    """The turn, taken from an injector that is stuck in the middle of its own."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(ledger.turn(timeout=TURN_TIMEOUT))
        except PartFailed:
            if not entry.owner.alive or entry.owner.pid == os.getpid():
                raise
            os.kill(entry.owner.pid, signal.SIGKILL)
            stack.enter_context(ledger.turn(timeout=TURN_TIMEOUT))
        yield


def _undo_each(ledger: Ledger, entries: list[Entry], patience: float, say: Callable[[str], None]) -> list[Undone]:
    undone, failures = [], []
    for entry in reversed(entries):
        try:
            done = undo_entry(ledger, entry, patience=patience)
        except SloproofError as error:
            failures.append(error.message)
            say(error.message)
            continue
        if done:
            undone.append(done)
            say(f"undone: {entry.description} ({done.evidence})")
    if failures:
        raise UndoFailed("; ".join(failures), hint=_HINT)
    return undone


def _write_down(ledger: Ledger, entry: Entry, kind: Literal["undone", "undo_failed"], detail: str) -> bool:
    """An undo must not fail because a disk is full; only its being remembered does."""
    with contextlib.suppress(OSError):
        journal.record(entry.run, kind, fault=entry.fault, detail=detail)
    try:
        ledger.note(entry, kind, detail)
    except PartFailed:
        return False
    return True
