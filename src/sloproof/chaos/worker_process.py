"""A worker of ours that keeps a fault going: started with a file that it holds, ended by that file.

The file is made before the worker, and the worker holds a lock on it as long as anything of it lives, so that
whoever gets the lock and takes the file away knows that nothing works any more, and that nothing will begin to.
"""

import os
import signal
import tempfile
import time
import uuid
from pathlib import Path
from typing import Literal

from sloproof.chaos.companion import start_companion
from sloproof.chaos.file_lock import lock
from sloproof.chaos.process_identity import ProcessIdentity
from sloproof.chaos.process_signal import send
from sloproof.chaos.undoing import Undoing
from sloproof.chaos.work import Order, Report
from sloproof.errors import PartFailed

_END_TIMEOUT = 10.0
_STEP = 0.05


def new_worker_file() -> Path:
    """A path for the file of a worker; nothing is made yet."""
    return Path(tempfile.gettempdir()).resolve() / f"sloproof-worker-{uuid.uuid4().hex}"


def start_worker(file: Path, order: Order) -> int:
    """Start a worker and wait until it is at work.

    Args:
        file: its file; made here.
        order: what it does, and until when at the latest.

    Returns:
        Its process, which leads a session of its own.

    Raises:
        PartFailed: it did not begin.
    """
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    words = (str(file), order.model_dump_json())
    return start_companion("the worker of the fault", "sloproof.chaos.worker", *words).pid


def read_report(file: Path) -> Report | None:
    """What a worker wrote into its file; None before it wrote anything, or when the file is gone."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    return Report.model_validate_json(text) if text.endswith("\n") else None


class WorkerEnded(Undoing):
    """End a worker, and all that it started.

    Args:
        file: its file.
        holder: socket of the supervisord of the lab that it works in; empty when it is in no lab.
    """

    kind: Literal["worker_ended"] = "worker_ended"
    file: Path
    holder: str = ""

    @property
    def place(self) -> str:
        """The lab, else the worker itself."""
        return self.holder or f"worker {self.file}"

    def perform(self, patience: float) -> str:
        """End it; its file is gone only when nothing of it lives."""
        try:
            descriptor = self.file.open("r+b")
        except FileNotFoundError:
            return "its worker has ended"
        with descriptor as held:
            end = time.monotonic() + _END_TIMEOUT
            while not lock(held, timeout=_STEP):
                if time.monotonic() >= end:
                    raise PartFailed(f"the worker that holds `{self.file}` does not end")
                self._kill()
            self.file.unlink(missing_ok=True)
        return "its worker has ended"

    def _kill(self) -> None:
        report = read_report(self.file)
        if report is None:
            return
        # The group outlives its leader as long as the lock is held, so that its number is nobody else's.
        try:
            os.killpg(report.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            send(report.process, signal.SIGKILL)

    def ended(self) -> str | None:
        """Nobody can end a worker by ending its lab."""
        return self.perform(0)

    def is_over(self) -> bool:
        """Its file is gone."""
        return not self.file.exists()


def is_at_work(file: Path) -> ProcessIdentity | None:
    """The leader of a worker that is at work, else None."""
    report = read_report(file)
    return report.process if report is not None and report.process.alive else None
