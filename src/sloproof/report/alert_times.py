"""An alert's changes of state, each beside the time that was promised."""

from collections.abc import Sequence
from dataclasses import dataclass

from sloproof.report.model import AlertBar, FaultBar, RunReport, Span, Verdict
from sloproof.report.wording import between, elapsed


@dataclass(frozen=True)
class Change:
    """One change of state.

    Args:
        state: `pending`, `firing`, `notified` or `resolved`.
        at: epoch seconds; None when it did not happen.
        since: the instant its time is told from, epoch seconds.
        origin: what that instant is, in words.
        promised: the epoch seconds between which it had to happen; None without a promise.
    """

    state: str
    at: float | None
    since: float
    origin: str
    promised: Span | None = None

    @property
    def letter(self) -> str:
        """The mark on the timeline."""
        return self.state[0].upper()

    @property
    def measured(self) -> str:
        """The time it took, or that it did not happen."""
        return "never" if self.at is None else elapsed(self.at - self.since)

    @property
    def promise(self) -> str:
        """The promised times, `61-66 s`; empty without a promise."""
        if self.promised is None:
            return ""
        return between(self.promised.start - self.since, self.promised.end - self.since)

    @property
    def judgement(self) -> str:
        """`in time`, `early`, `late` or `did not happen`; empty without a promise."""
        if self.promised is None:
            return ""
        if self.at is None:
            return "did not happen"
        if self.at < self.promised.start:
            return "early"
        return "late" if self.at > self.promised.end else "in time"

    @property
    def verdict(self) -> Verdict | None:
        """Whether the promise was kept; None without one."""
        if not self.judgement:
            return None
        return "PASS" if self.judgement == "in time" else "FAIL"


def changes(alert: AlertBar, report: RunReport) -> list[Change]:
    """The four changes of an alert, pending to resolved.

    Args:
        alert: one of the report's alerts.
        report: where its fault is looked up.

    Returns:
        Times are told from the fault's injection, the resolution from its undo; without a fault, from the run's start.
    """
    begun, undone = _origins(alert, report.faults, report.started_at)
    return [
        Change("pending", alert.pending_at, *begun),
        Change("firing", alert.firing_at, *begun, alert.promised_firing),
        Change("notified", alert.notified_at, *begun),
        Change("resolved", alert.resolved_at, *undone, alert.promised_clearing),
    ]


def _origins(
    alert: AlertBar, faults: Sequence[FaultBar], started_at: float
) -> tuple[tuple[float, str], tuple[float, str]]:
    fault = next((fault for fault in faults if fault.label == alert.fault), None)
    if fault is None:
        start = (started_at, "after the start")
        return start, start
    begun = (fault.injected_at, "after the fault")
    return begun, begun if fault.undone_at is None else (fault.undone_at, "after its undo")
