"""Putting things back: idempotent, verified, and safe to repeat after a crash at any step."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sloproof.chaos import journal
from sloproof.chaos.ledger import TURN_TIMEOUT, Entry, Ledger
from sloproof.chaos.target import current_target
from sloproof.errors import PartFailed, SloproofError, UndoFailed

PATIENCE = 6.0
"""Seconds in which an instance may come back by itself, once its delay is taken away, before it is restarted."""


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
            evidence = gone_with_its_lab(entry) or entry.undo.perform(patience)
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
    return entry.undo.ended()


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
