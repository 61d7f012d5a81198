"""The Chaos Toolkit as a child process, in a session of its own, judged by our journal."""

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Self

from sloproof.chaos import toolkit_json
from sloproof.chaos.child_environment import child_environment
from sloproof.chaos.journal import EVENTS, read_events
from sloproof.chaos.ledger import Ledger
from sloproof.chaos.outcome import ChaosOutcome, outcome
from sloproof.chaos.run_lock import hold
from sloproof.chaos.target import read_target
from sloproof.chaos.undo import undo_run
from sloproof.errors import PartFailed, Refused, UndoFailed

STOP_TIMEOUT = 45.0
"""Seconds in which a stopped child may undo its faults before it is killed and we do it."""

_POLL = 0.1
_LAST_LINES = 12


class ChaosProcess:
    """A running experiment; made by `start`."""

    def __init__(
        self, process: subprocess.Popen[bytes], lock: IO[str], ledger: Ledger, run_folder: Path, planned: list[str]
    ) -> None:
        self._process = process
        self._lock = lock
        self._ledger = ledger
        self._run_folder = run_folder
        self._planned = planned
        self._outcome: ChaosOutcome | None = None

    @classmethod
    def start(
        cls,
        experiment_json: Path,
        *,
        lab_file: Path,
        run_folder: Path,
        ledger: Path,
        started_at: float | None = None,
        allowed: Sequence[str] = (),
        lock: IO[str] | None = None,
    ) -> Self:
        """Start an experiment against a lab that is up.

        Args:
            experiment_json: the generated Chaos Toolkit JSON.
            lab_file: state file of the lab.
            run_folder: a folder of its own for this run.
            ledger: `.sloproof/ledger.jsonl` of the workspace.
            started_at: the moment that each `at` counts from, epoch seconds; None is the child's own start.
            allowed: targets beyond loopback that the workspace lists.
            lock: the right to break the system, as `reserve` gave it; None to take it here.

        Returns:
            The running experiment; call `wait` or `stop`.

        Raises:
            Refused: another run has the system, a fault of an earlier run is still open, or the folder is used.
            PartFailed: the lab is down, the experiment cannot be read or the Chaos Toolkit is not installed.
        """
        if importlib.util.find_spec("chaostoolkit") is None:
            raise PartFailed("the Chaos Toolkit is not installed", hint='pip install "sloproof[chaos]"')
        lab_file, run_folder, book = lab_file.resolve(), run_folder.resolve(), Ledger(ledger.resolve())
        planned = _planned(experiment_json)
        if (run_folder / EVENTS).exists():
            raise Refused(f"`{run_folder}` already holds the journal of a run")
        lock = lock or reserve(lab_file, book)
        try:
            variables = {
                toolkit_json.LAB: str(lab_file),
                toolkit_json.RUN: str(run_folder),
                toolkit_json.LEDGER: str(book.path),
                toolkit_json.STARTED_AT: "" if started_at is None else repr(started_at),
                toolkit_json.TARGETS: ",".join(allowed),
                toolkit_json.LIFELINE: "1",
                toolkit_json.LOCK_HELD: "1",
            }
            process = _spawn(experiment_json.resolve(), run_folder, variables, lock)
        except BaseException:
            lock.close()
            raise
        return cls(process, lock, book, run_folder, planned)

    @property
    def pid(self) -> int:
        """The child's process."""
        return self._process.pid

    def poll(self) -> ChaosOutcome | None:
        """The outcome when the experiment is over, else None."""
        return None if self._process.poll() is None else self._finish()

    def wait(self, timeout: float) -> ChaosOutcome:
        """Wait for the end of the experiment, and stop it when it takes too long.

        Args:
            timeout: seconds.

        Returns:
            What became of it; nothing is left to undo, or `not_undone` names it.
        """
        try:
            end = time.monotonic() + timeout
            while self._process.poll() is None and time.monotonic() < end:
                time.sleep(_POLL)
        except BaseException:
            self.stop()
            raise
        return self.stop()

    def stop(self) -> ChaosOutcome:
        """End the experiment now and undo what it has broken; safe to repeat.

        Returns:
            What became of it; nothing is left to undo, or `not_undone` names it.
        """
        if self._process.poll() is None:
            with contextlib.suppress(PartFailed):
                self._ledger.close_run(self._run_folder, "the run was stopped")
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(STOP_TIMEOUT)
        return self._finish()

    def _finish(self) -> ChaosOutcome:
        if self._outcome is None:
            with contextlib.suppress(PartFailed):
                self._ledger.close_run(self._run_folder, "the injecting process has ended")
            # What is left is read from the ledger below, so the exception has no more to say.
            with contextlib.suppress(UndoFailed):
                undo_run(self._ledger, self._run_folder)
            left = [entry.description for entry in self._ledger.open_entries(self._run_folder)]
            words = _last_words(self._run_folder / "chaos" / "output.log", self._process.returncode)
            self._outcome = outcome(read_events(self._run_folder), self._planned, not_undone=left, otherwise=words)
            if self._process.stdin:
                self._process.stdin.close()
            self._lock.close()
        return self._outcome


def _spawn(experiment: Path, run_folder: Path, variables: dict[str, str], lock: IO[str]) -> subprocess.Popen[bytes]:
    folder = run_folder / "chaos"
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-P", "-m", "chaostoolkit", "--no-version-check", "--settings", "settings.yaml"]
    command += ["--log-file", str(folder / "chaostoolkit.log"), "run", "--rollback-strategy=always"]
    command += ["--journal-path", str(folder / "journal.json"), str(experiment)]
    with (folder / "output.log").open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=child_environment(variables),
            start_new_session=True,
            pass_fds=(lock.fileno(),),
        )


def _planned(experiment: Path) -> list[str]:
    try:
        return toolkit_json.planned_faults(json.loads(experiment.read_text(encoding="utf-8")))
    except (OSError, ValueError, AttributeError) as error:
        raise PartFailed(f"`{experiment}` is not a Chaos Toolkit experiment: {error}") from error


def reserve(lab_file: Path, ledger: Ledger) -> IO[str]:
    """Take the right to break a system, before anything is sent to it.

    Args:
        lab_file: state file of the lab.
        ledger: the workspace's ledger.

    Returns:
        The lock; whoever holds it open, or a child of theirs, has the system.

    Raises:
        Refused: another run has the system, or a fault of an earlier run is still open.
    """
    system = read_target(lab_file).system
    lock = hold(ledger.path.parent, system)
    try:
        _check_nothing_open(ledger, system)
    except BaseException:
        lock.close()
        raise
    return lock


def _check_nothing_open(ledger: Ledger, system: str) -> None:
    left = [entry for entry in ledger.open_entries() if entry.system == system]
    if left:
        raise Refused(
            f"a fault of an earlier run is still open: {left[0].description}", hint="run `sloproof chaos undo` first"
        )


def _last_words(output: Path, code: int) -> str:
    ending = f"it was ended by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    with contextlib.suppress(OSError):
        lines = output.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:]
        return f"the Chaos Toolkit: {ending}; last lines of `{output.name}`:{os.linesep}" + os.linesep.join(lines)
    return f"the Chaos Toolkit: {ending}"
