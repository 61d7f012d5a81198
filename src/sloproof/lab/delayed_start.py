"""Waits as long as a file says, then becomes the real program, with the same process id.

Run as `python -m sloproof.lab.delayed_start [--user NAME] NAME_FILE -- COMMAND...`.
The first start does not wait. Each later start waits the seconds that the file holds, 1 without a file; a
change of the file counts at once, also for one who is already waiting.
"""

import math
import os
import pwd
import sys
import time
from collections.abc import Callable
from pathlib import Path

DEFAULT_DELAY = 1.0
LONGEST_DELAY = 3600.0
_STEP = 0.05


def read_delay(file: Path) -> float:
    """The seconds that a file holds, between 0 and an hour; 1 when it is missing or holds no number."""
    try:
        seconds = float(file.read_text())
    except (OSError, ValueError):
        return DEFAULT_DELAY
    return min(max(seconds, 0.0), LONGEST_DELAY) if math.isfinite(seconds) else DEFAULT_DELAY


def write_delay(file: Path, seconds: float) -> None:
    """Set how long a program stays away once it is killed.

    Args:
        file: `<restart_delay_folder>/<program>`.
        seconds: from the moment supervisord starts it again, which is within a second of its death.
    """
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    beside.write_text(f"{seconds:g}")
    beside.replace(file)


def first_start(file: Path) -> bool:
    """Whether this program is started for the first time; the next call for the same file says no."""
    mark = file.with_name(f".{file.name}.started")
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def wait_out(file: Path, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
    """Return once the file's delay has passed since the call; the file is read again and again."""
    begun = clock()
    while (left := begun + read_delay(file) - clock()) > 0:
        sleep(min(left, _STEP))


def become(user: str) -> None:
    """Give up root for the account, for good."""
    account = pwd.getpwnam(user)
    os.initgroups(user, account.pw_gid)
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)


def main(arguments: list[str]) -> None:
    """Wait, then become the command."""
    user = ""
    if arguments[:1] == ["--user"]:
        user, arguments = arguments[1], arguments[2:]
    file, separator, *command = arguments
    if separator != "--" or not command:
        raise SystemExit("usage: python -m sloproof.lab.delayed_start [--user NAME] NAME_FILE -- COMMAND...")
    if not first_start(Path(file)):
        wait_out(Path(file), time.monotonic, time.sleep)
    if user:
        become(user)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
