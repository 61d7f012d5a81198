"""The processes of one lab, found by the mark that each of them carries, never by name."""

import contextlib
import os
import signal
from pathlib import Path

import psutil

MARK = "SLOPROOF_LAB"
"""Environment variable of every lab process: the lab's temporary folder, which no other lab shares."""
_POSTGRES = "postgres"


def lab_processes(runtime: Path) -> list[psutil.Process]:
    """Live processes of the lab with this temporary folder, without the caller and its parents.

    PostgreSQL overwrites its environment with its title, so it is known by the folder among its arguments.
    """
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    return [process for process in psutil.process_iter() if process.pid not in own and _belongs(process, str(runtime))]


def end_all(runtime: Path, within: float) -> list[int]:
    """End what still runs of a lab: asked first, then killed.

    Args:
        runtime: the lab's temporary folder.
        within: seconds between asking and killing.

    Returns:
        Process ids that had to be ended this way.
    """
    found = lab_processes(runtime)
    for process in found:
        _ask_to_end(process)
    _, left = psutil.wait_procs(found, timeout=within)
    for process in left:
        _kill(process)
    psutil.wait_procs(left, timeout=5.0)
    # What was started while the first ones were ended; PostgreSQL's own children end with it.
    for process in lab_processes(runtime):
        _kill(process)
    return [process.pid for process in found]


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead but not yet collected by its parent does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def birth(pid: int) -> float | None:
    """When a process was started, to tell it from a later one with the same id; None when it is gone."""
    try:
        process = psutil.Process(pid)
        return process.create_time() if process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def _belongs(process: psutil.Process, runtime: str) -> bool:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return _is_its_postgres(process, runtime) or process.environ().get(MARK) == runtime
    except (psutil.Error, OSError):
        # Gone meanwhile, or another account's: then it is none that this account could have started.
        return False


def _is_its_postgres(process: psutil.Process, runtime: str) -> bool:
    return process.name() == _POSTGRES and any(word.startswith(f"{runtime}/") for word in process.cmdline())


def _ask_to_end(process: psutil.Process) -> None:
    # PostgreSQL takes SIGTERM as "when the last client has gone", and SIGINT as "now, in good order".
    with contextlib.suppress(psutil.Error):
        process.send_signal(signal.SIGINT if process.name() == _POSTGRES else signal.SIGTERM)


def _kill(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.Error):
        process.kill()
