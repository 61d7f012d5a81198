"""Counts what happens to requests, second by second; told the time, so that it is the same in a test and in a run."""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from sloproof.loadtests import histogram
from sloproof.loadtests.outcome import NO_ANSWER, Kind
from sloproof.loadtests.phases import PhaseCounter
from sloproof.loadtests.result import MOST_NAMES, OTHER_NAMES, Censored, NameTotals, RunTotals
from sloproof.loadtests.second import Second
from sloproof.loadtests.traced_request import TracedRequests, trace_id

LATE_AFTER = 0.1
"""Seconds of scheduling lag from which a generator is late."""


_Outcome = tuple[str, int, int, Kind | None, str | None, int]
"""What completed requests of one second have in common: name, bucket of the latency, how many thresholds it exceeds,
kind of error, instance, phase. Requests are many and outcomes are few, so a request costs one count, and all sums are
made when the second is over."""


@dataclass
class _Tally:
    started: int = 0
    outcomes: dict[_Outcome, int] = field(default_factory=dict)
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
        phases: counts each request in the phase in which it was due, too.
    """

    def __init__(
        self,
        thresholds: Sequence[Decimal],
        now: float,
        cpu: float = 0.0,
        *,
        warm_up: float = 0.0,
        phases: PhaseCounter | None = None,
    ) -> None:
        self._texts = [str(threshold) for threshold in sorted(thresholds)]
        self._limits = sorted(float(threshold) for threshold in thresholds)
        self._next = math.floor(now)
        self._closed_at = now
        self._cpu = cpu
        self._tallies: dict[int, _Tally] = {}
        self._open: dict[int, tuple[str, float, Sequence[str]]] = {}
        self._current = _Tally()
        self._current_from = self._current_to = 0.0
        self._traced = TracedRequests(now + warm_up)
        self._phases = phases or PhaseCounter([], [], now)
        self._tickets = 0
        self.censored: list[Censored] = []
        self.by_name: dict[str, NameTotals] = {}

    @property
    def totals(self) -> RunTotals:
        """What only the end knows; what the locustfile raised is not known here."""
        return RunTotals(
            censored=self.censored, by_name=self.by_name, slowest=self._traced.slowest, failures=self._traced.failed
        )

    def begin(self, name: str, now: float, trace: Sequence[str] = ()) -> int:
        """Count a request as started at epoch second `now`; returns the ticket that ends it."""
        self._tickets += 1
        self._open[self._tickets] = (name, now, trace)
        tally = self._current if self._current_from <= now < self._current_to else self._tally(now)
        tally.started += 1
        return self._tickets

    def end(self, ticket: int) -> None:
        """The request of this ticket is in flight no more."""
        self._open.pop(ticket, None)

    def censor(self, ticket: int, now: float) -> None:
        """The request of this ticket was cut off at epoch second `now`: it took at least that long."""
        name, started, trace = self._open.pop(ticket)
        self.censored.append(Censored(name=name, started_at=started, age=now - started, trace_id=trace_id(trace)))

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
        received: int = 0,
        status: int = 0,
        trace: Sequence[str] = (),
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
            trace: its one `traceparent`, or nothing.
            waited: seconds of its latency in which it waited to be sent.
        """
        tally = self._current if self._current_from <= now < self._current_to else self._tally(now)
        tally.received += received
        exceeded = bisect_left(self._limits, seconds) if kind not in NO_ANSWER else len(self._limits)
        place = self._phases.place(now - seconds) if self._phases.several else 0
        outcome = (name, histogram.bucket(seconds), exceeded, kind, served_by, place)
        outcomes = tally.outcomes
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
        if seconds > self._traced.floor or kind is not None:
            self._traced.take((trace, name, status, kind or "", now - seconds, seconds, waited))

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
        tally = self._tallies.pop(at, None) or _Tally()
        if self._current is tally:
            self._current_to = 0.0
        second = Second(
            at=at,
            started=tally.started,
            slower=dict.fromkeys(self._texts, 0),
            users=users,
            in_flight=len(self._open),
            lag=tally.lag,
            late=tally.late,
            cpu=cpu,
            received=tally.received,
            sent=tally.sent,
            connections=tally.connections,
        )
        self._sum_up(tally, second)
        return second

    def _sum_up(self, tally: _Tally, second: Second) -> None:
        for (name, number, exceeded, kind, served_by, place), count in tally.outcomes.items():
            self._phases.add(place, number, exceeded, kind, count)
            totals = self.by_name.get(name) or self._new_name(name)
            for counted in (second, totals):
                counted.completed += count
                counted.latency[number] = counted.latency.get(number, 0) + count
                if kind is not None:
                    counted.errors[kind] = counted.errors.get(kind, 0) + count
            for text in self._texts[:exceeded]:
                second.slower[text] += count
            if served_by is not None:
                second.served_by[served_by] = second.served_by.get(served_by, 0) + count

    def _new_name(self, name: str) -> NameTotals:
        known = name if len(self.by_name) < MOST_NAMES else OTHER_NAMES
        return self.by_name.setdefault(known, NameTotals())

    def _tally(self, now: float) -> _Tally:
        # A second that was handed over already is never reopened: what comes late counts in the next.
        second = max(math.floor(now), self._next)
        tally = self._tallies.get(second)
        if tally is None:
            tally = self._tallies[second] = _Tally()
        if second > self._current_from or self._current_to <= self._next:
            self._current, self._current_from, self._current_to = tally, float(second), second + 1.0
        return tally
