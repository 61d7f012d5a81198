"""A process that is in no lab, found by its pidfile or by its command line; one, of this user, never of this tool."""

import os
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sloproof.chaos.effect import Observation, Showing
from sloproof.chaos.ledger_value import LedgerValue
from sloproof.chaos.process_identity import ProcessIdentity, identify
from sloproof.chaos.undoing import Undoing
from sloproof.errors import PartFailed, Refused

_STEP = 0.2
_BACK_WITHIN = 20.0
_OUR_OWN = re.compile(r"(^|[\s/])(sloproof|chaos|chaostoolkit)(\s|$)|sloproof\.(chaos|lab|cli|loadtests)")


class Wanted(LedgerValue):
    """Which process is meant; one of the two.

    Args:
        pidfile: a file that holds its number; None to go by the pattern.
        pattern: regular expression that is found in its command line; empty to go by the pidfile.
    """

    pidfile: Path | None = None
    pattern: str = ""

    def __str__(self) -> str:
        """As a sentence goes on: the process of..."""
        return f"of `{self.pidfile}`" if self.pidfile else f"like `{self.pattern}`"


@dataclass(frozen=True)
class _Listed:
    pid: int
    parent: int
    user: int
    command: str


def find(wanted: Wanted) -> ProcessIdentity:
    """The one process that is meant.

    Args:
        wanted: which.

    Returns:
        Its identity.

    Raises:
        PartFailed: there is none.
        Refused: there are several, it is this tool's own, or it belongs to somebody else.
    """
    processes = _listed()
    protected = _protected(processes)
    if wanted.pidfile is not None:
        found = [process for process in processes if process.pid == _number(wanted.pidfile)]
    else:
        pattern = re.compile(wanted.pattern)
        found = [p for p in processes if pattern.search(p.command) and p.pid not in protected]
    if not found:
        raise PartFailed(f"no process {wanted} is there")
    if len(found) > 1:
        numbers = ", ".join(str(process.pid) for process in found[:5])
        raise Refused(
            f"{len(found)} processes {wanted} are there ({numbers}); nothing was sent",
            hint="name one by a longer pattern, or by its pidfile",
        )
    (one,) = found
    if one.pid in protected:
        raise Refused(f"process {one.pid} {wanted} is this tool's own, or what it runs under; nothing was sent")
    if one.user != os.geteuid():
        raise Refused(f"process {one.pid} {wanted} belongs to another user; nothing was sent")
    return identify(one.pid)


def _number(pidfile: Path) -> int:
    try:
        text = pidfile.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise PartFailed(f"`{pidfile}` holds no process number: {error.strerror or error}") from error
    first = next(iter(text.split()), "")
    if not (first.isascii() and first.isdigit() and int(first)):
        raise PartFailed(f"`{pidfile}` holds no process number: {f'`{first[:20]}`' if first else 'it is empty'}")
    return int(first)


def _listed() -> list[_Listed]:
    words = ["ps", "-A", "-ww", "-o", "pid=,ppid=,uid=,args="]
    try:
        asked = subprocess.run(words, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise PartFailed(f"`ps` does not tell which processes run: {error}") from error
    rows = (line.split(None, 3) for line in asked.stdout.splitlines())
    return [_Listed(int(row[0]), int(row[1]), int(row[2]), row[3]) for row in rows if len(row) == 4]  # noqa: PLR2004 - columns


def _protected(processes: list[_Listed]) -> set[int]:
    """This process, what it runs under, the init process, and everything of this tool."""
    parents = {process.pid: process.parent for process in processes}
    protected, pid = {0, 1}, os.getpid()
    while pid not in protected:
        protected.add(pid)
        pid = parents.get(pid, 0)
    return protected | {process.pid for process in processes if _OUR_OWN.search(process.command)}


class ProcessReplaced(Undoing):
    """Wait until whoever keeps a killed process has started another one.

    Args:
        wanted: which process is meant.
        before: the one that was killed.
    """

    kind: Literal["process_replaced"] = "process_replaced"
    wanted: Wanted
    before: ProcessIdentity

    @property
    def place(self) -> str:
        """The process."""
        return f"process {self.wanted}"

    def perform(self, patience: float) -> str:
        """Wait for it; this tool cannot start it."""
        end = time.monotonic() + max(patience, _BACK_WITHIN)
        while (now := self._now()) is None:
            if time.monotonic() >= end:
                raise PartFailed(f"nobody has started another process {self.wanted} within {_BACK_WITHIN:g} s")
            time.sleep(_STEP)
        return f"process {now.pid} {self.wanted} runs"

    def ended(self) -> str | None:
        """Only another process proves it."""
        return None

    def is_over(self) -> bool:
        """Another one runs."""
        return self._now() is not None

    def _now(self) -> ProcessIdentity | None:
        try:
            found = find(self.wanted)
        except (PartFailed, Refused):
            return None
        # Killed or not: where the fault was never injected, the one that was there is still the right one.
        return found if found.alive else None


class ProcessKilled(Showing):
    """The process is gone.

    Args:
        process: the process.
    """

    kind: Literal["process_killed"] = "process_killed"
    process: ProcessIdentity

    def observe(self) -> Observation:
        """Look whether it is there."""
        gone = not self.process.alive
        return Observation(gone, gone, f"process {self.process.pid} is {'gone' if gone else 'still there'}")
