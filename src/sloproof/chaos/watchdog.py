"""A process of its own that undoes what outlives its deadline or its owner.

Started as `python -m sloproof.chaos.watchdog LEDGER RUN OWNER_PID`, in a session of its own, before
anything is injected. It ends when the run holds no open fault and is closed or has lost its owner.
"""

import contextlib
import subprocess
import sys
import time
from pathlib import Path

from sloproof.chaos.companion import say_ready, start_companion
from sloproof.chaos.ledger import Contents, Entry, Ledger
from sloproof.chaos.process_identity import ProcessIdentity, identify
from sloproof.chaos.undo import undo_entry
from sloproof.errors import PartFailed, UndoFailed

POLL = 0.25
"""Seconds between two looks at the ledger and the owner."""

GIVE_UP_AFTER = 600.0
"""Seconds of failing undos after which only `sloproof chaos undo` is left."""

LIFETIME = 7 * 24 * 3600.0
_LONGEST_PAUSE = 15.0


def start(ledger: Path, run: Path, owner_pid: int) -> subprocess.Popen[str]:
    """Start a watchdog and wait until it watches.

    Args:
        ledger: the workspace's ledger.
        run: folder of the run.
        owner_pid: the process whose death ends the run.

    Returns:
        The watchdog; it outlives its starter.

    Raises:
        PartFailed: it did not come up; nothing may be injected then.
    """
    log = run / "chaos" / "watchdog.log"
    return start_companion("the watchdog", "sloproof.chaos.watchdog", str(ledger), str(run), str(owner_pid), log=log)


def watch(ledger: Ledger, run: Path, owner: ProcessIdentity) -> int:
    """Watch one run until nothing of it is left to undo.

    Args:
        ledger: the workspace's ledger.
        run: folder of the run.
        owner: the process whose death ends the run.

    Returns:
        Exit code: 0, or 7 when something could not be undone in time.
    """
    end, failing_since, pause = time.monotonic() + LIFETIME, None, POLL
    while time.monotonic() < end:
        contents, owner_alive = ledger.read(), owner.alive
        entries = contents.open_entries(run)
        if not entries and not (owner_alive and run not in contents.closed):
            return 0
        due = entries if not owner_alive else [entry for entry in entries if entry.deadline <= time.time()]
        if due and not _undo(ledger, run, contents, due, owner_alive):
            failing_since = failing_since or time.monotonic()
            if time.monotonic() - failing_since > GIVE_UP_AFTER:
                return UndoFailed.exit_code
            pause = min(pause * 2, _LONGEST_PAUSE)
        else:
            failing_since, pause = None, POLL
        time.sleep(pause)
    return UndoFailed.exit_code


def _undo(ledger: Ledger, run: Path, contents: Contents, due: list[Entry], owner_alive: bool) -> bool:
    if run not in contents.closed:
        with contextlib.suppress(PartFailed):
            ledger.close_run(run, "a deadline has passed" if owner_alive else "the injecting process has ended")
    succeeded = True
    for entry in reversed(due):
        try:
            undo_entry(ledger, entry)
        except (UndoFailed, PartFailed) as error:
            sys.stderr.write(f"{time.time():.3f} {error}\n")
            sys.stderr.flush()
            succeeded = False
    return succeeded


def main(arguments: list[str]) -> int:
    """Watch the run that the arguments name: ledger, folder of the run, pid of the owner."""
    ledger, run, owner_pid = arguments
    owner = identify(int(owner_pid))
    say_ready()
    return watch(Ledger(Path(ledger)), Path(run), owner)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
