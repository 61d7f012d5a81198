"""An alert's changes of state, each beside the time that was promised, and its lives in one row."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sloproof.report.model import AlertBar, FaultBar, RunReport, Span
from sloproof.report.recorded import Verdict
from sloproof.report.wording import between, elapsed

MOST_ROWS = 8
"""Alerts that a drawing has room for; the others are named in a sentence."""


@dataclass(frozen=True)
class Change:
    """One change of state.

    Args:
        state: `pending`, `firing`, `notified` or `resolved`.
        at: epoch seconds; None when it did not happen.
        since: the instant its time is told from, epoch seconds.
        origin: what that instant is, in words.
        promised: the epoch seconds between which it had to happen; None without a promise.
        before: it happened before anybody watched, so that nobody knows when.
    """

    state: str
    at: float | None
    since: float
    origin: str
    promised: Span | None = None
    before: bool = False

    @property
    def letter(self) -> str:
        """The mark on the timeline."""
        return self.state[0].upper()

    @property
    def measured(self) -> str:
        """The time it took, that it did not happen, or that it had happened before."""
        if self.at is None:
            return "already" if self.before else "never"
        return elapsed(self.at - self.since)

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
    fired_before = alert.active_before and alert.pending_at is None
    return [
        Change("pending", None if alert.active_before else alert.pending_at, *begun, before=alert.active_before),
        Change("firing", None if fired_before else alert.firing_at, *begun, alert.promised_firing, before=fired_before),
        Change("notified", alert.notified_at, *begun, before=fired_before),
        Change("resolved", alert.resolved_at, *undone, alert.promised_clearing),
    ]


@dataclass(frozen=True)
class AlertRow:
    """All lives of one alert.

    Args:
        number: its number in drawings and tables, from 1.
        alert: the alert's name.
        lives: in the order of time; those that stayed quiet last.
    """

    number: int
    alert: str
    lives: tuple[AlertBar, ...]

    @property
    def weight(self) -> int:
        """What earns it a place in a full drawing: 3 for one that fired, 2 pending, 1 promised, 0 else."""
        if any(life.firing_at is not None for life in self.lives):
            return 3
        if any(life.began_at is not None for life in self.lives):
            return 2
        return int(any(life.promised_firing is not None for life in self.lives))


def alert_rows(report: RunReport) -> tuple[list[AlertRow], list[AlertRow]]:
    """One row an alert name: those that are drawn, and those there is no room for.

    Args:
        report: the run.

    Returns:
        Both in the order of the report, numbered through; who fired goes before who was only watched.
    """
    lives: dict[str, list[AlertBar]] = {}
    for bar in report.alerts:
        lives.setdefault(bar.alert, []).append(bar)
    rows = [AlertRow(0, alert, tuple(sorted(bars, key=_began))) for alert, bars in lives.items()]
    chosen = {row.alert for row in sorted(rows, key=lambda row: -row.weight)[:MOST_ROWS]}
    ordered = sorted(rows, key=lambda row: row.alert not in chosen)
    numbered = [replace(row, number=number) for number, row in enumerate(ordered, start=1)]
    return numbered[:MOST_ROWS], numbered[MOST_ROWS:]


def ends(row: AlertRow, report: RunReport) -> list[float]:
    """When each life of a row is over, epoch seconds; none reaches into the next one.

    Args:
        row: an alert's lives.
        report: the run, for its phases.
    """
    found = [_end(life, report) for life in row.lives]
    begins = [life.began_at for life in row.lives[1:]] + [None]
    return [end if begin is None else min(end, begin) for end, begin in zip(found, begins, strict=True)]


def _end(life: AlertBar, report: RunReport) -> float:
    if life.resolved_at is not None:
        return life.resolved_at
    if life.until is not None:
        return life.until
    began = _began(life)
    return next((phase.end for phase in report.phases if phase.start <= began < phase.end), report.ended_at)


def _began(life: AlertBar) -> float:
    return math.inf if life.began_at is None else life.began_at


def _origins(
    alert: AlertBar, faults: Sequence[FaultBar], started_at: float
) -> tuple[tuple[float, str], tuple[float, str]]:
    fault = next((fault for fault in faults if fault.label == alert.fault), None)
    if fault is None:
        start = (started_at, "after the start")
        return start, start
    begun = (fault.injected_at, "after the fault")
    return begun, begun if fault.undone_at is None else (fault.undone_at, "after its undo")
