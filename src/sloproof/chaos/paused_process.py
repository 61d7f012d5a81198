"""A process that is stopped in its tracks: how it is let go again, and how its silence is seen."""

import signal
import time
from collections.abc import Callable
from typing import Literal

from sloproof.chaos.balancer_view import why_taken_out
from sloproof.chaos.effect import Observation, Showing
from sloproof.chaos.http_exchange import healthy
from sloproof.chaos.process_identity import ProcessIdentity
from sloproof.chaos.process_signal import is_stopped, send
from sloproof.chaos.undoing import Undoing
from sloproof.errors import PartFailed

_STEP = 0.1
_AWAKE_WITHIN = 5.0
_ANSWER_WITHIN = 20.0
_LOOK_TIMEOUT = 0.5


class ProcessContinued(Undoing):
    """SIGCONT to the very process that was stopped.

    Args:
        process: that process; whoever has its number later is left alone.
        name: what people call it.
        health: its health URL; empty when it has none.
        envoy_admin: base URL of the balancer's admin port; empty when there is none.
        holder: socket of the supervisord that keeps it; empty when it is in no lab.
        allowed: targets beyond loopback that the workspace listed.
    """

    kind: Literal["process_continued"] = "process_continued"
    process: ProcessIdentity
    name: str
    health: str = ""
    envoy_admin: str = ""
    holder: str = ""
    allowed: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """The supervisord, else the process."""
        return self.holder or f"process {self.process.pid}"

    @property
    def rejoins(self) -> str:
        """The instance, where a balancer stands before it."""
        return self.name if self.envoy_admin else ""

    def perform(self, patience: float) -> str:
        """Let it go on, and wait until it does."""
        if not send(self.process, signal.SIGCONT):
            return f"process {self.process.pid} of `{self.name}` has ended, and is not stopped any more"
        _wait(lambda: not is_stopped(self.process.pid), _AWAKE_WITHIN, f"process {self.process.pid} is still stopped")
        if not self.health:
            return f"process {self.process.pid} of `{self.name}` runs again"
        silent = f"`{self.name}` runs again, but does not answer its health URL"
        _wait(lambda: healthy(self.health, allowed=self.allowed), max(patience, _ANSWER_WITHIN), silent)
        return f"process {self.process.pid} of `{self.name}` runs again and answers its health URL"

    def ended(self) -> str | None:
        """Its process has ended, and the stop with it."""
        return None if self.process.alive else f"process {self.process.pid} of `{self.name}` has ended"

    def is_over(self) -> bool:
        """It runs, answers, and gets traffic."""
        if self.process.alive and is_stopped(self.process.pid):
            return False
        if self.health and not healthy(self.health, allowed=self.allowed):
            return False
        return not self.envoy_admin or why_taken_out(self.envoy_admin, self.health, allowed=self.allowed) is None


class ProcessPaused(Showing):
    """The process is there, is stopped, and does not answer.

    Args:
        process: the process.
        health: its health URL; empty when it has none.
        envoy_admin: base URL of the balancer's admin port; empty when there is none.
        allowed: targets beyond loopback that the workspace listed.
    """

    kind: Literal["process_paused"] = "process_paused"
    process: ProcessIdentity
    health: str = ""
    envoy_admin: str = ""
    allowed: tuple[str, ...] = ()

    def observe(self) -> Observation:
        """Look at the process, at its health URL and at the balancer."""
        stopped = self.process.alive and is_stopped(self.process.pid)
        seen = [f"process {self.process.pid} is {'stopped' if stopped else 'not stopped'}"]
        silent, out = True, True
        if self.health:
            silent = not healthy(self.health, allowed=self.allowed, timeout=_LOOK_TIMEOUT)
            seen.append(f"the health URL {'does not answer' if silent else 'answers'}")
        if self.envoy_admin:
            reason = why_taken_out(self.envoy_admin, self.health, allowed=self.allowed)
            out = reason is not None
            seen.append(f"the balancer has taken it out ({reason})" if out else "the balancer has not taken it out")
        return Observation(stopped and silent, stopped and silent and out, "; ".join(seen))


def _wait(condition: Callable[[], bool], seconds: float, otherwise: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= end:
            raise PartFailed(otherwise)
        time.sleep(_STEP)
