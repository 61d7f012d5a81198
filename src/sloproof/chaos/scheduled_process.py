"""One run of a schedule as a process of its own: brings its system up, runs, and ends the system in any case."""

import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

from sloproof.chaos.schedule import Errand, Schedule
from sloproof.errors import Refused


class ScheduledProcess:
    """The commands of an errand, one after the other.

    Args:
        errand: what is done.
        workspace: working directory of each command.
        log: what they say is appended to it.
    """

    def __init__(self, errand: Errand, workspace: Path, log: Path) -> None:
        self._errand, self._workspace, self._log = errand, workspace, log
        self._steps = [words for words in (errand.before, errand.run) if words]
        self._last = self._begun = False
        self._code = 0
        self._process = self._next(self._steps.pop(0))

    @classmethod
    def of(cls, schedule: Schedule, errand: Errand, workspace: Path, state: Path) -> "ScheduledProcess":
        """Start a schedule's errand, with its log in the state folder."""
        folder = state / "schedule"
        folder.mkdir(parents=True, exist_ok=True)
        return cls(errand, workspace, folder / f"{schedule.name}.log")

    def poll(self) -> int | None:
        """The errand's exit code, that of the first command that failed; None while one of them runs."""
        code = self._process.poll()
        if code is None:
            return None
        if not self._last:
            self._code = self._code or code
            if not code and self._steps:
                self._begun = True
                self._process = self._next(self._steps.pop(0))
                return None
            self._last = True
            if self._errand.after and not self._somebody_elses(code):
                self._process = self._next(self._errand.after)
                return None
        return self._code

    def _somebody_elses(self, code: int) -> bool:
        """Whether what should have been brought up was there already, so that it is not ours to end."""
        return code == Refused.exit_code and bool(self._errand.before) and not self._begun

    def end(self) -> None:
        """Ask the command that runs to end; what was brought up is ended after it."""
        self._steps.clear()
        if not self._last:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)

    def _next(self, words: tuple[str, ...]) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return _started(words, self._workspace, log)


def _started(words: tuple[str, ...], workspace: Path, log: IO[bytes]) -> subprocess.Popen[bytes]:
    log.write(f"$ sloproof {' '.join(words)}\n".encode())
    log.flush()
    return subprocess.Popen(
        [sys.executable, "-m", "sloproof", *words],
        cwd=workspace,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
