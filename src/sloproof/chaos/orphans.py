"""What a run may leave behind that no ledger names: one finder for each kind of trace."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sloproof.chaos.balancer_runtime import EnvoyRuntime
from sloproof.chaos.envoy_admin import EnvoyAdmin
from sloproof.chaos.http_exchange import Unreachable
from sloproof.chaos.ledger import Entry, Ledger
from sloproof.chaos.paused_process import ProcessContinued
from sloproof.chaos.process_identity import identify
from sloproof.chaos.process_survey import SeenProcess, descendants, without_owner
from sloproof.chaos.target import Target
from sloproof.chaos.undo import undo_entry
from sloproof.chaos.undo_step import UndoStep, WorkerThen
from sloproof.errors import PartFailed, SloproofError
from sloproof.supervisor import Supervisor

FAULT_KEYS = "fault."
"""Runtime keys of Envoy's fault filters begin so; nothing else of a lab sets them."""
UNHEALTHY, NO_METRICS = "unhealthy", "no-metrics"
"""Folders of a lab: a file in them makes the instance of that name fail its health check, or give no metrics."""
FILLING = "fill-*"
"""Files in a lab's folder that take up its disk."""

_WATCHDOG = "sloproof.chaos.watchdog"
_CHILDREN = {"sloproof.loadtests.locust_child": "load child", "-m chaostoolkit": "Chaos Toolkit"}
_TIME_TO_END = 15.0
_STEP = 0.1


@dataclass(frozen=True)
class Orphan:
    """Something that nobody puts back any more.

    Args:
        what: what it is and where, in one sentence.
        mend: what a person can do.
        undo: puts it back; None where it may be somebody else's, or nobody can know what it was.
    """

    what: str
    mend: str
    undo: Callable[[], object] | None = None


def left_entries(ledger: Ledger) -> Iterator[Orphan]:
    """Faults that the ledger holds open although the process that injected them is gone."""
    for entry in reversed(ledger.open_entries()):
        if not entry.owner.alive:
            yield Orphan(
                f"the ledger holds open: {entry.description} (run `{entry.run.name}`, whose process has ended)",
                "run `sloproof chaos undo`",
                _undoing(ledger, entry),
            )


def torn_ledger(ledger: Ledger) -> Iterator[Orphan]:
    """Lines of the ledger that were torn by a crash, a full disk or a stranger."""
    try:
        unreadable = ledger.read().unreadable
    except OSError as error:
        yield Orphan(f"the ledger `{ledger.path}` cannot be read: {error.strerror}", "mend its permissions or its disk")
        return
    if unreadable:
        lines = "1 line" if unreadable == 1 else f"{unreadable} lines"
        yield Orphan(
            f"the ledger `{ledger.path}` has {lines} that cannot be read",
            "once nothing else is found, move the file away; a fault that only such a line names ends with its lab",
            lambda: _set_aside(ledger),
        )


def live_keys(target: Target, known: Sequence[Entry], allowed: tuple[str, ...]) -> Iterator[Orphan]:
    """Fault keys that are set in the balancer's runtime and that no open fault of the ledger has set."""
    admin = EnvoyAdmin(target.envoy_admin, allowed=allowed)
    try:
        live = admin.overridden(FAULT_KEYS)
    except Unreachable as error:
        if not error.refused:  # a port that refuses has no Envoy, and so no fault in its memory
            yield Orphan(error.message, "see whether Envoy hangs; `sloproof lab down` ends it and every fault in it")
        return
    except PartFailed as error:
        yield Orphan(f"the balancer of `{target.system}` does not tell its runtime keys: {error.message}", error.hint)
        return
    ours = {key for step in steps_of(known) if isinstance(step, EnvoyRuntime) for key in step.values}
    left = {key: value for key, value in live.items() if key not in ours}
    if left:
        shown = ", ".join(f"`{key}={value}`" for key, value in sorted(left.items()))
        taken_away = "&".join(f"{key}=" for key in sorted(left))
        yield Orphan(
            f"the balancer of `{target.system}` spoils requests: {shown}",
            f"curl -X POST '{target.envoy_admin}/runtime_modify?{taken_away}'",
            lambda: admin.override(dict.fromkeys(left, "")),
        )


def left_files(target: Target, lab_file: Path, known: Sequence[Entry]) -> Iterator[Orphan]:
    """Files that hold a program back at its next start, make a page of an instance fail, or take up the disk."""
    ours = {
        getattr(step, field).resolve()
        for step in steps_of(known)
        for field in ("restart_delay_file", "file")
        if hasattr(step, field)
    }
    places = (
        (target.restart_delay_folder, "is held back at its next start"),
        (lab_file.parent / UNHEALTHY, "is told to fail its health check"),
        (lab_file.parent / NO_METRICS, "is told to give no metrics"),
    )
    for folder, does in places:
        for file in sorted(folder.glob("*")):
            if file.name in (*target.instances, *target.dependencies) and file.resolve() not in ours:
                yield Orphan(f"`{file.name}` of `{target.system}` {does}: `{file}`", f"rm '{file}'", _removing(file))
    for file in sorted(lab_file.parent.glob(FILLING)):
        if file.resolve() not in ours:
            yield Orphan(f"`{file}` takes up the disk of `{target.system}`", f"rm '{file}'", _removing(file))


def steps_of(known: Sequence[Entry]) -> Iterator[UndoStep]:
    """Every step of the undo of each entry, one by one."""
    for entry in known:
        yield entry.undo
        if isinstance(entry.undo, WorkerThen):
            yield entry.undo.then


def stopped_processes(target: Target, known: Sequence[Entry], processes: Sequence[SeenProcess]) -> Iterator[Orphan]:
    """Processes of the lab that a signal has stopped, and no open fault of the ledger."""
    ours = {step.process.pid for step in steps_of(known) if isinstance(step, ProcessContinued)}
    supervised = target.supervisor_pid
    with contextlib.suppress(PartFailed):
        supervised = Supervisor(target.supervisor_socket, timeout=3.0).own_pid()
    for one in descendants(supervised, processes) if supervised else ():
        if one.stopped and one.pid not in ours:
            yield Orphan(
                f"process {one.pid} of `{target.system}` is stopped: {_short(one.command)}",
                f"kill -CONT {one.pid}",
                _continuing(one.pid),
            )


def lost_processes(
    state: Path, ledger: Ledger, known: Sequence[Entry], processes: Sequence[SeenProcess]
) -> Iterator[Orphan]:
    """Watchdogs, load children and Chaos Toolkits of this workspace whose owner is gone."""
    for one in processes:
        # Cut at what is known of the command: `ps` joins its words by spaces, and a path may hold some too.
        run, _, owner = one.command.partition(f"{_WATCHDOG} {ledger.path} ")[2].rpartition(" ")
        if run and owner.isdecimal() and not identify(int(owner)).alive:
            yield _lost_watchdog(one.pid, ledger, Path(run), known)
        kind = next((name for mark, name in _CHILDREN.items() if mark in one.command), None)
        if kind and f"{state}/" in one.command and without_owner(one, processes):
            yield Orphan(f"{kind} {one.pid} goes on without its owner", f"kill {one.pid}", _ending(one.pid))


def _lost_watchdog(pid: int, ledger: Ledger, run: Path, known: Sequence[Entry]) -> Orphan:
    """A watchdog without an owner; while its run has open faults it is the one that still works on them."""
    outlived = f"watchdog {pid} has outlived its run `{run.name}`"
    tried = sum(entry.run.resolve() == run.resolve() for entry in known)
    if not tried:
        return Orphan(outlived, f"kill {pid}", _ending(pid))
    return Orphan(
        f"{outlived}, and still tries to put back {tried} fault{'s' if tried > 1 else ''}",
        f"run `sloproof chaos undo` first, and only then `kill {pid}`",
        _ending_when_idle(pid, ledger, run),
    )


def _ending_when_idle(pid: int, ledger: Ledger, run: Path) -> Callable[[], None]:
    end = _ending(pid)

    def end_when_idle() -> None:
        if ledger.open_entries(run):
            raise PartFailed("its run still has open faults, and nobody else would try to put them back")
        end()

    return end_when_idle


def _undoing(ledger: Ledger, entry: Entry) -> Callable[[], None]:
    def undo() -> None:
        undo_entry(ledger, entry)

    return undo


def _removing(file: Path) -> Callable[[], None]:
    return lambda: file.unlink(missing_ok=True)


def _continuing(pid: int) -> Callable[[], None]:
    seen = identify(pid)

    def go_on() -> None:
        if seen.alive:
            os.kill(pid, signal.SIGCONT)

    return go_on


def _ending(pid: int) -> Callable[[], None]:
    seen = identify(pid)

    def end() -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            if not seen.alive:
                return
            os.kill(pid, number)
            until = time.monotonic() + _TIME_TO_END
            while seen.alive and time.monotonic() < until:
                time.sleep(_STEP)
        if seen.alive:
            raise PartFailed(f"process {pid} does not end")

    return end


def _set_aside(ledger: Ledger) -> None:
    """Begin a new ledger once nothing is open; the old one is kept beside it."""
    with ledger.turn():
        if ledger.open_entries():
            raise SloproofError(f"`{ledger.path}` still holds open faults, so it stays")
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        ledger.path.rename(ledger.path.with_name(f"{ledger.path.stem}-{stamp}{ledger.path.suffix}"))


def _short(command: str, length: int = 80) -> str:
    return command if len(command) <= length else command[: length - 3] + "..."
