"""Counts what happens to requests, second by second; told the time, so that it is the same in a test and in a run."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from sloproof.loadtests import histogram
from sloproof.loadtests.outcome import NO_ANSWER, Kind
from sloproof.loadtests.result import MOST_NAMES, OTHER_NAMES, Censored, NameTotals, RunTotals
from sloproof.loadtests.second import Second
from sloproof.loadtests.traced_request import TracedRequest, TracedRequests

LATE_AFTER = 0.1
"""Seconds of scheduling lag from which a generator is late."""


@dataclass
class _Tally:
    started: int = 0
    completed: int = 0
    errors: dict[str, int] = field(default_factory=dict)
    slower: list[int] = field(default_factory=list)
    latency: dict[int, int] = field(default_factory=dict)
    served_by: dict[str, int] = field(default_factory=dict)
    lag: float = 0.0
    late: float = 0.0
    received: int = 0
    sent: int = 0
    connections: int = 0


class Recorder:
    """The counts of one generator process; memory does not grow with the length of the run.

    Args:
        thresholds: seconds; each gets an exact counter of the completed requests strictly slower than it
            or never answered.
        now: epoch second at which counting starts.
        cpu: processor seconds that the process has used before.
        warm_up: seconds from `now` of which no request is kept with its trace.
    """

    def __init__(self, thresholds: Sequence[Decimal], now: float, cpu: float = 0.0, *, warm_up: float = 0.0) -> None:
        self._texts = [str(threshold) for threshold in thresholds]
        self._limits = [float(threshold) for threshold in thresholds]
        self._next = math.floor(now)
        self._closed_at = now
        self._cpu = cpu
        self._tallies: dict[int, _Tally] = {}
        self._open: dict[int, tuple[str, float, str]] = {}
        self._current: _Tally | None = None
        self._traced = TracedRequests(now + warm_up)
        self._tickets = 0
        self.censored: list[Censored] = []
        self.by_name: dict[str, NameTotals] = {}

    @property
    def totals(self) -> RunTotals:
        """What only the end knows; what the locustfile raised is not known here."""
        return RunTotals(
            censored=self.censored, by_name=self.by_name, slowest=self._traced.slowest, failures=self._traced.failed
        )

    def begin(self, name: str, now: float, trace_id: str = "") -> int:
        """Count a request as started at epoch second `now`; returns the ticket that ends it."""
        self._tickets += 1
        self._open[self._tickets] = (name, now, trace_id)
        self._tally(now).started += 1
        return self._tickets

    def end(self, ticket: int) -> None:
        """The request of this ticket is in flight no more."""
        self._open.pop(ticket, None)

    def censor(self, ticket: int, now: float) -> None:
        """The request of this ticket was cut off at epoch second `now`: it took at least that long."""
        name, started, trace_id = self._open.pop(ticket)
        self.censored.append(Censored(name=name, started_at=started, age=now - started, trace_id=trace_id))

    def censor_open(self, now: float) -> None:
        """Cut off every request that is still in flight at epoch second `now`."""
        for ticket in list(self._open):
            self.censor(ticket, now)

    def complete(
        self,
        name: str,
        seconds: float,
        kind: Kind | None,
        served_by: str | None,
        now: float,
        *,
        received: int = 0,
        status: int = 0,
        trace_id: str = "",
        waited: float = 0.0,
    ) -> None:
        """Count a request as completed at epoch second `now`.

        Args:
            name: method and route.
            seconds: its latency, unrounded.
            kind: what went wrong, None for nothing.
            served_by: the instance that answered, None when unknown.
            now: epoch second.
            received: bytes of the answer's body.
            status: HTTP status code, 0 without an answer.
            trace_id: of the trace that the request began, empty for none.
            waited: seconds of its latency in which it waited to be sent.
        """
        tally = self._tally(now)
        totals = self.by_name.get(name) or self._new_name(name)
        tally.received += received
        number = histogram.bucket(seconds)
        tally.completed += 1
        totals.completed += 1
        tally.latency[number] = tally.latency.get(number, 0) + 1
        totals.latency[number] = totals.latency.get(number, 0) + 1
        for index, limit in enumerate(self._limits):
            if seconds > limit or kind in NO_ANSWER:
                tally.slower[index] += 1
        if kind is not None:
            tally.errors[kind] = tally.errors.get(kind, 0) + 1
            totals.errors[kind] = totals.errors.get(kind, 0) + 1
        if served_by is not None:
            tally.served_by[served_by] = tally.served_by.get(served_by, 0) + 1
        if self._traced.wanted(seconds, kind):
            self._traced.take(
                TracedRequest(
                    trace_id=trace_id,
                    name=name,
                    status=status,
                    kind=kind or "",
                    started_at=now - seconds,
                    latency=seconds,
                    waited=waited,
                )
            )

    def upload(self, size: int, now: float) -> None:
        """A request's body of so many bytes was sent at epoch second `now`."""
        self._tally(now).sent += size

    def connect(self, now: float) -> None:
        """A connection was opened at epoch second `now`."""
        self._tally(now).connections += 1

    def lag(self, due: float, now: float) -> None:
        """The generator was to run at epoch second `due` and ran at `now`."""
        lag = max(0.0, now - due)
        for second in range(max(self._next, math.floor(due)), math.floor(now) + 1):
            tally = self._tally(second)
            tally.lag = max(tally.lag, lag)
            if lag > LATE_AFTER:
                tally.late += min(now, second + 1) - max(due, second)

    def close_until(
        self,
        end: float,
        now: float,
        users: int,
        cpu: float,
        *,
        waiting: int = 0,
        asked: Callable[[float], float] | None = None,
    ) -> Iterator[Second]:
        """Hand over the seconds that begin before `end`, in order, gaps included.

        Args:
            end: epoch second.
            now: epoch second of the call.
            users: users that run now.
            cpu: processor seconds that the process has used so far.
            waiting: arrivals that wait for a free user.
            asked: arrivals per second asked for at an epoch second; None where users wait between tasks.

        Returns:
            One record for each second, each handed over once.
        """
        if self._next >= end:
            return
        share = max(0.0, cpu - self._cpu) / max(now - self._closed_at, 0.001)
        self._cpu, self._closed_at = cpu, now
        while self._next < end:
            second = self._second(self._next, users, share)
            second.waiting, second.asked = waiting, None if asked is None else asked(self._next + 0.5)
            yield second
            self._next += 1

    def _second(self, at: int, users: int, cpu: float) -> Second:
        tally = self._tallies.pop(at, None) or self._new_tally()
        return Second(
            at=at,
            started=tally.started,
            completed=tally.completed,
            errors=tally.errors,
            slower=dict(zip(self._texts, tally.slower, strict=True)),
            latency=tally.latency,
            served_by=tally.served_by,
            users=users,
            in_flight=len(self._open),
            lag=tally.lag,
            late=tally.late,
            cpu=cpu,
            received=tally.received,
            sent=tally.sent,
            connections=tally.connections,
        )

    def _new_name(self, name: str) -> NameTotals:
        known = name if len(self.by_name) < MOST_NAMES else OTHER_NAMES
        return self.by_name.setdefault(known, NameTotals())

    def _tally(self, now: float) -> _Tally:
        # A second that was handed over already is never reopened: what comes late counts in the next.
        second = max(math.floor(now), self._next)
        tally = self._tallies.get(second)
        if tally is None:
            tally = self._tallies[second] = self._new_tally()
        return tally

    def _new_tally(self) -> _Tally:
        return _Tally(slower=[0] * len(self._limits))
