"""SIGINT, SIGTERM and SIGHUP end a command the same way: by an exception, so that everything is put back."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_ALREADY_ENDING = b"\nalready ending: what was started or broken is put back first\n"


class Interrupted(BaseException):
    """Somebody wants the command to stop.

    No `KeyboardInterrupt`: the option parser would turn that into exit code 130, whatever the signal was.

    Args:
        number: the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.signal = number


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn the first signal into `Interrupted` while the block runs, then give the old handlers back.

    Later signals are answered with a word and change nothing: `timeout`, a closed terminal and an impatient
    user send more than one, and half an undo is worse than a slow one. After an interruption they stay without
    effect to the end of the process, so that one that comes in its last moment does not change its exit code.
    """
    old = {number: signal.signal(number, _interrupt) for number in _SIGNALS}
    try:
        yield
    finally:
        interrupted = signal.getsignal(signal.SIGINT) is _already_ending
        for number, handler in old.items():
            signal.signal(number, signal.SIG_IGN if interrupted else handler)


def _interrupt(number: int, _: FrameType | None) -> None:
    for each in _SIGNALS:
        signal.signal(each, _already_ending)
    raise Interrupted(number)


def _already_ending(_: int, __: FrameType | None) -> None:
    os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, _ALREADY_ENDING)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold the signals off while something is put back; one that came meanwhile takes effect afterwards."""
    held: list[int] = []
    old = {number: signal.signal(number, lambda number, _: held.append(number)) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
        if held:
            signal.raise_signal(held[0])
