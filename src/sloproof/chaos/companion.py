"""Starting a process of ours that lives beside a run, in a session of its own: it outlives whoever started it."""

import select
import subprocess
import sys
from pathlib import Path

from sloproof.chaos.child_environment import child_environment
from sloproof.errors import PartFailed

_READY = "ready"
_START_TIMEOUT = 20.0


def start_companion(what: str, module: str, *words: str, log: Path | None = None) -> "subprocess.Popen[str]":
    """Start a module as a process and wait until it has said that it is at work.

    Args:
        what: what it is, for the message: `the watchdog`.
        module: its name; it calls `say_ready` once it is at work.
        words: its arguments.
        log: where its standard error goes, with folders that are made for it; without one nobody keeps it.

    Returns:
        The process, which leads a session of its own and whose standard output is closed.

    Raises:
        PartFailed: it did not say so within 20 s; it is killed then.
    """
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
    with (log or Path("/dev/null")).open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
            env=child_environment({}),
            cwd="/",
        )
    assert process.stdout is not None
    with process.stdout as says:
        readable, _, _ = select.select([says], [], [], _START_TIMEOUT)
        told = says.readline().strip() if readable else "nothing"
    if told != _READY:
        process.kill()
        process.wait(timeout=_START_TIMEOUT)
        raise PartFailed(f"{what} did not start: it said `{told}`" + (f"; see `{log}`" if log else ""))
    return process


def say_ready() -> None:
    """Tell whoever started this process that it is at work."""
    sys.stdout.write(f"{_READY}\n")
    sys.stdout.flush()
