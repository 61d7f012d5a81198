"""How long an undo waits for what comes back, and how often it tries what may fail once."""

import time
from collections.abc import Callable

from sloproof.errors import PartFailed

_STEP = 0.2
_ATTEMPTS = 3


def comes_true(look: Callable[[], bool], seconds: float) -> bool:
    """Whether something is so, or becomes so in time.

    Args:
        look: whether it is so now; called at least once.
        seconds: how long it may take.
    """
    end = time.monotonic() + seconds
    while not look():
        if time.monotonic() >= end:
            return False
        time.sleep(_STEP)
    return True


def insist(change: Callable[[], None]) -> None:
    """Make a change, and try again where a part did not take it.

    Args:
        change: what to do; safe to repeat.

    Raises:
        PartFailed: the last attempt failed too.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return change()
        except PartFailed:
            time.sleep(_STEP)
    return change()
