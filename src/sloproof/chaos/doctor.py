"""Finds what runs have left broken, with or without a ledger, and puts back what is surely ours."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sloproof.chaos import lab_orphans, orphans
from sloproof.chaos.ledger import Entry, Ledger
from sloproof.chaos.orphans import Orphan
from sloproof.chaos.process_survey import SeenProcess, running_processes
from sloproof.chaos.run_lock import holder
from sloproof.chaos.target import current_target
from sloproof.errors import PartFailed, SloproofError

LEDGER = "ledger.jsonl"


@dataclass(frozen=True)
class Examination:
    """What was found.

    Args:
        orphans: what nobody puts back any more, in the order in which it should be mended.
        going_on: systems that a run is breaking at this moment, and its process; what is broken there is that run's.
        passed_over: what could not be looked at, in words.
    """

    orphans: tuple[Orphan, ...]
    going_on: tuple[tuple[str, int], ...] = ()
    passed_over: tuple[str, ...] = ()


def examine(state: Path, allowed: Sequence[str] = ()) -> Examination:
    """Look at every lab of a workspace, at its ledger and at the processes of this machine; nothing is changed.

    Args:
        state: `.sloproof` of the workspace.
        allowed: targets beyond loopback that the workspace lists.

    Raises:
        PartFailed: `ps` is missing.
    """
    ledger, processes = Ledger(state / LEDGER), running_processes()
    found: list[Orphan] = []
    going_on, passed_over = [], []
    try:
        found += orphans.left_entries(ledger)
        known = ledger.open_entries()
    except OSError:
        known = []  # the torn ledger is told below
    for lab_file in sorted((state / "lab").glob("*/lab.json")):
        system = lab_file.parent.name
        if (pid := holder(state, system)) is not None:
            going_on.append((system, pid))
        elif (lab := _lab(lab_file, known, processes, tuple(allowed))) is None:
            passed_over.append(f"`{lab_file}` is not the state of a lab, so its parts were not looked at")
        else:
            found += lab
    found += orphans.lost_processes(state, ledger, known, processes)
    if not going_on:
        found += orphans.torn_ledger(ledger)
    return Examination(tuple(found), tuple(going_on), tuple(passed_over))


def mend(found: Sequence[Orphan], say: Callable[[str], None]) -> list[Orphan]:
    """Put back what is surely ours.

    Args:
        found: what was found.
        say: told a sentence for each.

    Returns:
        What is left.
    """
    left = []
    for orphan in found:
        if orphan.undo is None:
            left.append(orphan)
            continue
        try:
            orphan.undo()
        except (SloproofError, OSError) as error:
            say(f"not put back: {orphan.what}: {error}")
            left.append(orphan)
        else:
            say(f"put back: {orphan.what}")
    return left


def _lab(
    lab_file: Path, known: Sequence[Entry], processes: Sequence[SeenProcess], allowed: tuple[str, ...]
) -> list[Orphan] | None:
    target = current_target(lab_file)
    if target is None:
        return None

    def look() -> Iterator[Orphan]:
        # A stopped balancer does not answer, so processes go on first.
        yield from orphans.stopped_processes(target, known, processes)
        try:
            yield from orphans.live_keys(target, known, allowed)
        except PartFailed as error:
            yield Orphan(error.message, error.hint)
        yield from orphans.left_files(target, lab_file, known)
        yield from lab_orphans.misplaced_programs(target, known)
        yield from lab_orphans.confined_instances(target, known)
        yield from lab_orphans.spoilt_links(target, known, allowed)

    return list(look())
