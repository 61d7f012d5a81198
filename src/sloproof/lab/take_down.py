"""Ends a lab so that no process, socket or temporary folder of it is left."""

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sloproof.errors import PartFailed
from sloproof.lab import processes
from sloproof.lab.state import LabState, forget_state, load_state
from sloproof.supervisor import Supervisor

RUNTIME_PREFIX = "sloproof-lab-"
_PATIENCE = 20.0
"""Seconds that supervisord may take to end everything in good order."""
_LAST_PATIENCE = 3.0


def down(folder: Path, say: Callable[[str], None]) -> bool:
    """End the lab of a folder; see `sloproof.lab.down`."""
    state = load_state(folder.absolute())
    if state is None:
        return False
    end(state, say)
    return True


def end(state: LabState, say: Callable[[str], None]) -> None:
    """End everything that belongs to this lab, then forget it.

    Args:
        state: of the lab; it may be half started, half ended, or killed.
        say: told in one line what happens.
    """
    say(f"ending the lab of `{state.system}`")
    supervisord = _ask_supervisord(state)
    if supervisord:
        _wait_for_end(supervisord)
    ended = sweep(state.runtime)
    if ended:
        say(f"{len(ended)} processes had to be ended one by one")
    forget_state(state.folder)


def sweep(runtime: Path) -> list[int]:
    """End what carries the mark of this temporary folder, then remove the folder.

    Returns:
        Process ids that were ended.
    """
    ended = processes.end_all(runtime, within=_LAST_PATIENCE)
    if runtime.name.startswith(RUNTIME_PREFIX) and runtime.parent == runtime_root():
        shutil.rmtree(runtime, ignore_errors=True)
    return ended


def runtime_root() -> Path:
    """Where temporary folders of labs are made: short, because a Unix socket's path has at most 103 bytes."""
    short = Path("/tmp")
    return short if short.is_dir() else Path(tempfile.gettempdir())


def _ask_supervisord(state: LabState) -> int:
    supervisor = Supervisor(state.supervisor_socket, timeout=3.0)
    try:
        pid = supervisor.own_pid()
        supervisor.shutdown()
    except PartFailed:
        return 0
    return pid


def _wait_for_end(pid: int) -> None:
    until = time.monotonic() + _PATIENCE
    while processes.alive(pid) and time.monotonic() < until:
        time.sleep(0.05)
