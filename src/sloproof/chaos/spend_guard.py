"""A process of its own that ends a run when it spends too much, or when nobody can tell what it spends.

Started as `python -m sloproof.chaos.spend_guard ORDERS OWNER_PID`. It ends with 4 when it has stopped the run and
with 0 when the run is over or its owner is gone. Whoever started it takes any other end for a stop, too.
"""

import contextlib
import math
import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

from sloproof.chaos import journal
from sloproof.chaos.companion import say_ready, start_companion
from sloproof.chaos.ledger import Ledger
from sloproof.chaos.process_identity import ProcessIdentity, identify
from sloproof.chaos.undo import undo_run
from sloproof.errors import GuardStopped, PartFailed, SloproofError, UndoFailed
from sloproof.loadtests.prometheus_counts import count_events
from sloproof.prometheus import Prometheus
from sloproof.slo import SLO

EVERY = 1.0
"""Seconds between two looks at Prometheus."""
LONGEST_SILENCE = 10.0
"""Seconds without an answer that end the run; a Prometheus that restarts is back before."""
FIRST_SAMPLES_WITHIN = 30.0
"""Seconds after which counters without a single sample are an answer that says nothing."""
ANSWER_WITHIN = timedelta(seconds=2)
FEWEST_BAD = 3
"""A burn rate of fewer bad events says nothing."""

Spans = tuple[tuple[float, float], ...]
"""Beginnings and ends, seconds after the start of a run."""


class Limit(BaseModel):
    """How much of one error budget a run may spend.

    Args:
        slo: the objective.
        spend: of the whole budget, ratio of 1; None sets no limit.
        burn: times too fast, over the run; None sets no limit.
        window: seconds of the budget's window, as the rules that run divide it.
    """

    model_config = ConfigDict(frozen=True)

    slo: SLO
    spend: float | None
    burn: float | None
    window: float

    def why_over(self, bad: float, total: float, elapsed: float) -> str:
        """Why the run must end; empty while it may go on.

        Args:
            bad: bad events since its start.
            total: all events since its start.
            elapsed: seconds since its start, more than zero.
        """
        if bad < FEWEST_BAD or total <= 0:
            return ""
        burn = bad / total / float(self.slo.budget)
        spent = burn * elapsed / self.window
        if self.spend is not None and spent > self.spend:
            told, limit = f"{spent * 100:.2f} %", f"{self.spend * 100:.2f} %"
            return f"`{self.slo.identity}` has spent {told} of its budget, and the run may spend {limit}"
        if self.burn is not None and burn > self.burn:
            return f"`{self.slo.identity}` burns {burn:.1f} times too fast, and {self.burn:.1f} is the limit"
        return ""


class Orders(BaseModel):
    """What a guard watches.

    Args:
        prometheus: its base URL.
        allowed: targets beyond loopback that the workspace lists.
        limits: one for each objective.
        started_at: since when events count, epoch seconds.
        away: when a fault keeps Prometheus away on purpose, in seconds after that; silence counts from its end.
        run: folder of the run.
        ledger: the workspace's ledger.
    """

    model_config = ConfigDict(frozen=True)

    prometheus: str
    allowed: tuple[str, ...]
    limits: tuple[Limit, ...]
    started_at: float
    away: Spans = ()
    run: Path
    ledger: Path


class SpendGuard:
    """A running guard; made by `start`, ended by `dismiss`."""

    def __init__(self, process: "subprocess.Popen[str]", run: Path) -> None:
        self._process = process
        self._run = run

    @classmethod
    def start(cls, orders: Orders) -> Self:
        """Start a guard and wait until it watches.

        Args:
            orders: what it watches.

        Raises:
            PartFailed: it did not come up; nothing may be injected then.
        """
        folder = orders.run / "chaos"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "guard.json"
        file.write_text(orders.model_dump_json(), encoding="utf-8")
        words = ("the guard of the error budget", "sloproof.chaos.spend_guard", str(file), str(os.getpid()))
        process = start_companion(*words, log=folder / "guard.log")
        return cls(process, orders.run)

    def check(self) -> None:
        """Raise when the run must end.

        Raises:
            GuardStopped: the guard has stopped it, or is gone without a word.
        """
        code = self._process.poll()
        if code is None:
            return
        stops = [event for event in journal.read_events(self._run) if event.kind == "guard_stopped"]
        reason = stops[-1].detail if stops else f"the guard of the error budget ended by itself (code {code})"
        raise GuardStopped(f"the run was stopped: {reason}", hint="every fault is put back; the journal tells the rest")

    def dismiss(self) -> None:
        """End the guard; safe to repeat."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(timeout=5)


def watch(orders: Orders, owner: ProcessIdentity) -> int:
    """Watch one run until it is over, spends too much, or cannot be watched.

    Args:
        orders: what is watched.
        owner: the run ends with this process anyway.

    Returns:
        Exit code: 0, or 4 when the run was stopped.
    """
    answered = time.monotonic()
    with Prometheus(orders.prometheus, timeout=ANSWER_WITHIN, allowed=orders.allowed) as prometheus:
        while owner.alive:
            try:
                reason = why_stop(orders, prometheus, time.time())
                answered = time.monotonic()
            except (SloproofError, OSError, ValueError) as error:
                away = since_away(orders.away, time.time() - orders.started_at)
                answered = max(answered, time.monotonic() - away)
                silent = time.monotonic() - answered >= LONGEST_SILENCE
                reason = f"what is spent cannot be told: {error}" if silent else ""
            if reason:
                _stop(orders, reason)
                return GuardStopped.exit_code
            time.sleep(EVERY)
    return 0


def within(spans: Spans, elapsed: float) -> bool:
    """Whether a moment, in seconds after a run's start, lies in one of the spans."""
    return any(begin <= elapsed <= end for begin, end in spans)


def since_away(spans: Spans, elapsed: float) -> float:
    """Seconds since the last span that has begun, 0 within one, infinite before the first.

    Args:
        spans: in seconds after a run's start.
        elapsed: a moment, likewise.
    """
    return min((max(elapsed - end, 0.0) for begin, end in spans if begin <= elapsed), default=math.inf)


def why_stop(orders: Orders, prometheus: Prometheus, now: float) -> str:
    """Why the run must end at this moment; empty while it may go on.

    Args:
        orders: what is watched.
        prometheus: the server that scrapes the system.
        now: epoch seconds.

    Raises:
        PartFailed: Prometheus does not answer, or only in part.
    """
    if not prometheus.ready():
        raise PartFailed(f"Prometheus at `{prometheus.url}` does not answer")
    elapsed = max(now - orders.started_at, EVERY)
    for limit in orders.limits:
        counts = count_events(prometheus, limit.slo, orders.started_at, now)
        if counts is None and limit.slo.sli.counters() is not None and elapsed > FIRST_SAMPLES_WITHIN:
            raise PartFailed(f"`{limit.slo.identity}` has no samples since the run began, or only a part of them")
        if counts is not None and (reason := limit.why_over(counts.bad, counts.total, elapsed)):
            return reason
    return ""


def _stop(orders: Orders, reason: str) -> None:
    """Let the run inject nothing more and put everything back here; a hung owner must not keep a fault in place."""
    ledger = Ledger(orders.ledger)
    with contextlib.suppress(PartFailed):
        ledger.close_run(orders.run, f"the guard stopped it: {reason}")
    with contextlib.suppress(OSError):
        journal.record(orders.run, "guard_stopped", detail=reason)
    with contextlib.suppress(UndoFailed):  # the ledger keeps it open, and whoever ends the run tells it
        undo_run(ledger, orders.run)


def main(arguments: list[str]) -> int:
    """Guard the run that the arguments name: file of the orders, pid of the owner."""
    file, owner_pid = arguments
    orders, owner = Orders.model_validate_json(Path(file).read_bytes()), identify(int(owner_pid))
    say_ready()
    return watch(orders, owner)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
