"""Every process of this machine that this account may see, at one moment, told by `ps`."""

import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sloproof.errors import PartFailed

_TIMEOUT = 10.0
_FIELDS = 4
_STOPPED = "T"  # by a signal; a small `t` is a debugger's


@dataclass(frozen=True)
class SeenProcess:
    """One process.

    Args:
        pid: its number.
        parent: the number of its parent.
        stopped: SIGSTOP or the like holds it.
        command: its words, joined by spaces.
    """

    pid: int
    parent: int
    stopped: bool
    command: str


def running_processes() -> list[SeenProcess]:
    """All of them, without those that have ended and wait to be collected.

    Raises:
        PartFailed: `ps` is missing or fails.
    """
    try:
        asked = subprocess.run(
            ["ps", "-ww", "-A", "-o", "pid=,ppid=,stat=,args="],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise PartFailed(f"`ps` does not list the processes: {error}") from error
    return [seen for line in asked.stdout.splitlines() if (seen := _seen(line)) is not None]


def descendants(pid: int, processes: Sequence[SeenProcess]) -> list[SeenProcess]:
    """A process and all that it started, and what those started.

    Args:
        pid: the first.
        processes: all there are.
    """
    found = [one for one in processes if one.pid == pid]
    known: set[int] = {one.pid for one in found}
    while further := [one for one in processes if one.parent in known and one.pid not in known]:
        found += further
        known |= {one.pid for one in further}
    return found


def without_owner(one: SeenProcess, processes: Iterable[SeenProcess]) -> bool:
    """Whether the process that started this one is gone, so that init or another collector has taken it over.

    Args:
        one: a process that only Python starts.
        processes: all there are.
    """
    parent = next((other for other in processes if other.pid == one.parent), None)
    return parent is None or parent.pid == 1 or not any(word in parent.command for word in ("python", "sloproof"))


def _seen(line: str) -> SeenProcess | None:
    words = line.split(maxsplit=_FIELDS - 1)
    if len(words) < _FIELDS or words[2].startswith("Z"):
        return None
    return SeenProcess(int(words[0]), int(words[1]), words[2].startswith(_STOPPED), words[3])
