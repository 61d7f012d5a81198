"""SIGINT, SIGTERM and SIGHUP end a command the same way: by an exception, so that everything is put back."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """Somebody wants the command to stop.

    Args:
        number: the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.signal = number


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn the signals into `Interrupted` while the block runs, then give the old handlers back."""
    old = {number: signal.signal(number, _interrupt) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def _interrupt(number: int, _: FrameType | None) -> None:
    raise Interrupted(number)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold the signals off while something is put back; a second Ctrl-C must not leave a fault behind."""
    old = {number: signal.signal(number, signal.SIG_IGN) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
