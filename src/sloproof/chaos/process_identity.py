"""Which process a number means: a pid together with the moment its process began."""

import os
import subprocess
from pathlib import Path

from pydantic import BaseModel, ConfigDict

_STATE, _START_TIME = 0, 19  # fields of /proc/PID/stat after the command's closing bracket, proc(5)


class ProcessIdentity(BaseModel):
    """One process, not whichever process now has its number.

    Args:
        pid: its number.
        started: the moment it began, as the system words it; compared, never read.
    """

    model_config = ConfigDict(frozen=True)

    pid: int
    started: str

    @property
    def alive(self) -> bool:
        """Whether this very process still runs; a zombie does not."""
        return started(self.pid) == self.started


def this_process() -> ProcessIdentity:
    """The calling process."""
    return identify(os.getpid())


def identify(pid: int) -> ProcessIdentity:
    """The process that has this number now.

    Args:
        pid: a number; of a process that has ended gives an identity that is not alive.
    """
    return ProcessIdentity(pid=pid, started=started(pid) or "ended")


def started(pid: int) -> str | None:
    """The moment a process began, or None when it has ended (a zombie has).

    Args:
        pid: its number.
    """
    if Path("/proc/self/stat").exists():
        return _from_proc(pid)
    return _from_ps(pid)


def _from_proc(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[_STATE] in "ZX" else fields[_START_TIME]


def _from_ps(pid: int) -> str | None:
    asked = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, timeout=5, check=False
    )
    state, _, start = asked.stdout.strip().partition(" ")
    return start.strip() or None if state and not state.startswith("Z") else None
