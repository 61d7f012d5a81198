"""Signals to one process, never to another one that was given its number later; and whether it is stopped."""

import os
import signal
import subprocess
from pathlib import Path

from sloproof.chaos.process_identity import ProcessIdentity


def send(process: ProcessIdentity, number: signal.Signals) -> bool:
    """Send a signal to this very process.

    Args:
        process: to whom.
        number: the signal.

    Returns:
        False when it has ended.

    Raises:
        PermissionError: it belongs to somebody else.
    """
    try:
        if not hasattr(os, "pidfd_open"):
            if process.alive:
                os.kill(process.pid, number)
            return process.alive
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return False
    try:
        # What the descriptor holds cannot be replaced any more, so that the look and the signal are of one process.
        if not process.alive:
            return False
        signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)
    return True


def is_stopped(pid: int) -> bool:
    """Whether a process is stopped by SIGSTOP.

    Args:
        pid: its number; False when it has ended.
    """
    try:
        if Path("/proc/self/stat").exists():
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
            return stat.rpartition(")")[2].split()[0] == "T"
    except (FileNotFoundError, ProcessLookupError):
        return False
    asked = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, timeout=5, check=False
    )
    return asked.stdout.strip().startswith("T")
