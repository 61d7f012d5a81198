"""Advisory locks on files, waited for with an end; the kernel frees them when their holder dies."""

import fcntl
import time
from typing import IO, Any

_STEP = 0.02


def lock(file: IO[Any], *, timeout: float) -> bool:
    """Take an exclusive lock on an open file.

    Args:
        file: an open file; the lock is freed when it is closed everywhere.
        timeout: seconds to wait; zero tries once.

    Returns:
        False when somebody else held it the whole time.
    """
    end = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(_STEP)
