"""What the processes of one group use of a machine, and what the machine has."""

import os
import subprocess
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_GROUP, _USER, _SYSTEM = 2, 11, 12  # fields of /proc/PID/stat after the command's closing bracket, proc(5)
_NANOSECONDS = 1e9


def resident_bytes(group: int) -> int:
    """The memory that the processes of a group hold.

    Args:
        group: number of the process group.
    """
    asked = subprocess.run(["ps", "-A", "-o", "pgid=,rss="], capture_output=True, text=True, timeout=5, check=False)
    rows = (line.split() for line in asked.stdout.splitlines())
    return sum(int(row[1]) * 1024 for row in rows if len(row) == 2 and int(row[0]) == group)  # noqa: PLR2004 - columns


def cpu_seconds(group: int) -> float:
    """The CPU time that the living processes of a group have used; Linux.

    Args:
        group: number of the process group.
    """
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[_GROUP]) == group:
            total += int(fields[_USER]) + int(fields[_SYSTEM])
    return total / _TICKS


def waited_seconds(pid: int) -> float | None:
    """How long the threads of a process have waited for a CPU while they could have run; None when nobody can tell.

    Args:
        pid: the process.

    Source: the kernel's Documentation/scheduler/sched-stats, `/proc/PID/schedstat`.
    """
    try:
        files = list(Path(f"/proc/{pid}/task").glob("*/schedstat"))
        return sum(int(file.read_text().split()[1]) for file in files) / _NANOSECONDS if files else None
    except (OSError, IndexError, ValueError):
        return None


def available_memory() -> int:
    """The bytes that could be taken without the machine having to swap."""
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        for line in meminfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    # Elsewhere nobody tells what is free: half of what there is.
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
