"""What must stand before this process may inject: the run's lock, the watchdog, and ears for signals.

The Chaos Toolkit drops what a control raises and goes on; so each injection asks here once more.
"""

import contextlib
import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from types import FrameType
from typing import IO, NoReturn

from sloproof.chaos import journal, watchdog
from sloproof.chaos.injection import Place
from sloproof.chaos.run_lock import hold
from sloproof.chaos.target import read_target
from sloproof.chaos.toolkit_json import LIFELINE, LOCK_HELD
from sloproof.errors import PartFailed

_EXIT_WITH_ROLLBACKS = 20  # what chaoslib.exit raises for a graceful exit
_HARD_END_AFTER = 45.0
_STDIN = 0


class Guard:
    """The protections of this process; each is put up once and checked again.

    Args:
        place: where the run breaks things.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._lock: IO[str] | None = None
        self._watchdog: subprocess.Popen[str] | None = None
        self._listening = False
        self._ending = False

    def stand(self) -> None:
        """Put up whatever does not stand.

        Raises:
            Refused: another run has the system.
            PartFailed: the lab is down, or the watchdog does not start.
        """
        if not self._listening:
            self.listen()
        if self._lock is None and LOCK_HELD not in os.environ:
            system = read_target(self._place.lab_file).system
            self._lock = hold(self._place.ledger.path.parent, system)
        if self._watchdog is None or self._watchdog.poll() is not None:
            self._watchdog = watchdog.start(self._place.ledger.path, self._place.run_folder, os.getpid())

    def dismiss(self) -> None:
        """Close the run, so that the watchdog can go home."""
        with contextlib.suppress(PartFailed):
            self._place.ledger.close_run(self._place.run_folder, "the run has ended")

    def end(self, reason: str) -> NoReturn:
        """Leave the experiment now, through its rollbacks.

        Args:
            reason: why, for the journal.
        """
        self._ending = True
        with contextlib.suppress(OSError):
            journal.record(self._place.run_folder, "interrupted", detail=reason)
        # An ordinary exception would be taken for a failed activity, and the next fault injected.
        raise SystemExit(_EXIT_WITH_ROLLBACKS)

    def listen(self) -> None:
        """Take the signals, also back from whoever took them since."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
            signal.signal(number, self._on_signal)
        if LIFELINE in os.environ and not self._listening:
            threading.Thread(target=self._hold_lifeline, daemon=True, name="lifeline").start()
        self._listening = True

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        # A second signal must not cut the rollbacks short; the watchdog stands behind them anyway.
        if not self._ending:
            self.end(f"{signal.Signals(number).name} received")

    def _hold_lifeline(self) -> None:
        while os.read(_STDIN, 1):
            pass
        main = threading.main_thread().ident
        if main is not None:
            signal.pthread_kill(main, signal.SIGTERM)
        time.sleep(_HARD_END_AFTER)
        os._exit(_EXIT_WITH_ROLLBACKS)


_GUARDS: dict[Path, Guard] = {}


def guard_of(place: Place) -> Guard:
    """The guard of this process for a run; the same one at each call."""
    return _GUARDS.setdefault(place.run_folder, Guard(place))
