"""A published experiment as a child process, from its start to its verdict."""

import contextlib
import json
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

from sloproof.chaos import journal, toolkit_json
from sloproof.chaos.child_environment import child_environment
from sloproof.chaos.ledger import Ledger
from sloproof.chaos.published import SYSTEM, Published, judge_journal
from sloproof.chaos.published_child import DEADLINE
from sloproof.chaos.run_lock import hold
from sloproof.chaos.undo import undo_run
from sloproof.errors import PartFailed, Refused, UndoFailed
from sloproof.verdict.judge import Verdict

STOP_TIMEOUT = 45.0
_POLL = 0.1
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_ERROR = re.compile(r"^\[[^]]* (?:ERROR|CRITICAL)\] (.+)")
_NO_MODULE = re.compile(r"could not find Python module '([^']+)'")


@dataclass(frozen=True)
class PublishedOutcome:
    """What became of a published experiment.

    Args:
        verdict: from its journal.
        reason: why.
        not_undone: faults that are still in place.
    """

    verdict: Verdict
    reason: str
    not_undone: tuple[str, ...] = ()


def run_published(experiment: Published, *, run_folder: Path, ledger: Path, longest: timedelta) -> PublishedOutcome:
    """Run an experiment to its end, and stop it at its deadline.

    Args:
        experiment: what to run, from the working directory.
        run_folder: a new folder for its records.
        ledger: `.sloproof/ledger.jsonl` of the workspace.
        longest: after this it is stopped and put back.

    Returns:
        What became of it. Its rollbacks were played, or `not_undone` names it.

    Raises:
        Refused: another published experiment runs, or the rollbacks of an earlier one are still to be played.
    """
    book, run_folder = Ledger(ledger.resolve()), run_folder.resolve()
    with hold(book.path.parent, SYSTEM) as lock:
        left = [entry for entry in book.open_entries() if entry.system == SYSTEM]
        if left:
            raise Refused(f"an earlier run is not put back: {left[0].description}", hint="run `sloproof chaos undo`")
        process = _spawn(experiment, run_folder, book, lock, time.time() + longest.total_seconds())
        try:
            end = time.monotonic() + longest.total_seconds()
            while process.poll() is None and time.monotonic() < end:
                time.sleep(_POLL)
        finally:
            _end(process, book, run_folder)
        return _outcome(book, run_folder)


def _spawn(
    experiment: Published, run_folder: Path, ledger: Ledger, lock: IO[str], deadline: float
) -> "subprocess.Popen[bytes]":
    folder = run_folder / "chaos"
    folder.mkdir(parents=True, exist_ok=True)
    variables = {
        toolkit_json.RUN: str(run_folder),
        toolkit_json.LEDGER: str(ledger.path),
        toolkit_json.LIFELINE: "1",
        toolkit_json.LOCK_HELD: "1",
        DEADLINE: repr(deadline),
    }
    with (folder / "output.log").open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "sloproof.chaos.published_child", str(experiment.path)],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=child_environment(variables),
            start_new_session=True,
            pass_fds=(lock.fileno(),),
        )


def _end(process: "subprocess.Popen[bytes]", ledger: Ledger, run_folder: Path) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_TIMEOUT)
    if process.stdin:
        process.stdin.close()
    with contextlib.suppress(PartFailed):
        ledger.close_run(run_folder, "the injecting process has ended")
    with contextlib.suppress(UndoFailed):  # what is left is read from the ledger
        undo_run(ledger, run_folder)


def _outcome(ledger: Ledger, run_folder: Path) -> PublishedOutcome:
    events = journal.read_events(run_folder)
    missed = [event.fault for event in events if event.kind == "tolerance_missed"]
    journal_of = read_toolkit_journal(run_folder / "chaos" / "journal.json")
    unclear = [event.detail for event in events if event.kind == "tolerance_unclear"]
    verdict, reason = judge_journal(journal_of, missed, unclear)
    if journal_of is None and (error := last_error(run_folder / "chaos" / "output.log")):
        reason = f"{reason}: {error}"
    if verdict is Verdict.PASS and not any(event.kind == "started" for event in events):
        verdict, reason = Verdict.UNDECIDED, "our control was not loaded, so nobody watched its probes"
    interrupted = [event.detail for event in events if event.kind == "interrupted"]
    if interrupted and verdict is not Verdict.FAIL:
        verdict, reason = Verdict.UNDECIDED, f"it was ended early: {interrupted[-1]}"
    left = tuple(entry.description for entry in ledger.open_entries(run_folder))
    return PublishedOutcome(verdict, reason, left)


def read_toolkit_journal(file: Path) -> dict[str, Any] | None:
    """The Chaos Toolkit's journal; None when there is none that can be read."""
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def last_error(log: Path) -> str:
    """The last error that the Chaos Toolkit told, such as a module that is missing; empty when it told none.

    Args:
        log: what it wrote; may not exist.
    """
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    told = [found[1] for line in lines if (found := _ERROR.search(_COLOUR.sub("", line)))]
    if not told:
        return ""
    missing = _NO_MODULE.search(told[-1])
    return f"{told[-1]}; install the extension that has `{missing[1]}` beside sloproof" if missing else told[-1]
