"""Puts the seconds of several generator processes together, so that no request is lost or counted twice."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from sloproof.loadtests import histogram
from sloproof.loadtests.distribution import WorkerReport
from sloproof.loadtests.result import RunTotals, WorkerRecord, summed
from sloproof.loadtests.second import Second

MOST_CLOCK_DIFFERENCE = 1.0
"""Seconds by which a worker's clock may differ from the master's: by more, its requests count in other seconds."""


@dataclass
class _Worker:
    number: int
    name: str
    told: int = 0
    lost_at: float | None = None
    totals: RunTotals | None = None
    in_flight: int = 0
    completed: int = 0
    cpu: list[float] = field(default_factory=lambda: [0.0, 0.0])
    lag_max: float = 0.0
    late: float = 0.0
    judged: int = 0
    clock_off: float = 0.0

    @property
    def awaited(self) -> bool:
        return self.lost_at is None and self.totals is None


class Merger:
    """The seconds of all workers as the seconds of one generator.

    A second is handed over when every worker that is not lost has told it. What a lost worker tells later counts in
    the next second: the sums stay exact.

    Args:
        started_at: epoch second of the first user.
        asked: arrivals per second asked of all workers together, at an epoch second; None without.
    """

    def __init__(self, started_at: float, asked: Callable[[float], float | None]) -> None:
        self.drained_from = math.inf
        self._next = math.floor(started_at)
        self._asked = asked
        self._told: dict[int, list[Second]] = {}
        self._workers: dict[str, _Worker] = {}

    @property
    def names(self) -> list[str]:
        """The workers, by the names that they joined with, in the order of their numbers."""
        return list(self._workers)

    @property
    def awaited(self) -> list[str]:
        """The workers that are neither over nor lost."""
        return [worker.name for worker in self._workers.values() if worker.awaited]

    @property
    def lost(self) -> int:
        """How many workers have gone missing."""
        return sum(worker.lost_at is not None for worker in self._workers.values())

    def join(self, name: str) -> int:
        """A worker takes part from the beginning; returns its number, from 1."""
        worker = self._workers.setdefault(name, _Worker(len(self._workers) + 1, name, told=self._next))
        return worker.number

    def take(self, name: str, report: WorkerReport, now: float) -> None:
        """Count what a worker reports, also a lost one.

        Args:
            name: the worker; of one that never joined nothing is counted.
            report: what it says.
            now: epoch second by the master's clock.
        """
        worker = self._workers.get(name)
        if worker is None:
            return
        worker.clock_off = report.clock - now
        for second in report.seconds:
            self._told.setdefault(max(math.floor(second.at), self._next), []).append(second)
            worker.told = max(worker.told, math.floor(second.at) + 1)
            worker.in_flight, worker.completed = second.in_flight, worker.completed + second.completed
            if second.at + 1 <= self.drained_from:
                _watch(worker, second)
        if report.totals is not None:
            worker.totals = report.totals
            if self.drained_from == math.inf:
                self.lose(name, now)

    def lose(self, name: str, at: float) -> None:
        """A worker went missing at epoch second `at`."""
        worker = self._workers[name]
        if worker.lost_at is None:
            worker.lost_at = at

    def ready(self) -> Iterator[Second]:
        """Hand over the seconds that all workers have told, in order, each once."""
        waiting = [worker.told for worker in self._workers.values() if worker.awaited]
        yield from self._until(min(waiting) if waiting else self._next)

    def rest(self, end: float) -> Iterator[Second]:
        """Hand over all that is left, gaps included, so that the seconds reach the epoch second `end`."""
        yield from self._until(max([math.ceil(end), *(at + 1 for at in self._told)]))

    @property
    def totals(self) -> RunTotals:
        """What the workers told at their end."""
        return RunTotals.merged([worker.totals for worker in self._workers.values() if worker.totals is not None])

    @property
    def in_flight_of_lost(self) -> int:
        """Requests in flight on workers that never came to their end, as they last told."""
        return sum(worker.in_flight for worker in self._workers.values() if worker.totals is None)

    def records(self) -> list[WorkerRecord]:
        """How each worker fared, in the order of their numbers."""
        return [_record(worker) for worker in self._workers.values()]

    def notes(self) -> list[str]:
        """What a reader must know about the workers, in words."""
        found = []
        for worker in self._workers.values():
            if abs(worker.clock_off) > MOST_CLOCK_DIFFERENCE:
                found.append(
                    f"the clock of worker {worker.number} (`{worker.name}`) is {worker.clock_off:+.1f} s off: "
                    "its requests count in other seconds"
                )
        return found

    def _until(self, end: int) -> Iterator[Second]:
        while self._next < end:
            at = self._next
            self._next += 1
            second = merged(at, self._told.pop(at, []))
            second.asked, second.lost = self._asked(at + 0.5), self.lost
            yield second


def merged(at: float, parts: Sequence[Second]) -> Second:
    """One second of several processes.

    Args:
        at: epoch second it begins with.
        parts: what the processes tell of it; a process may tell several.

    Returns:
        Sums of all counts; the worst lag, the busiest core, and the mean share of time that was late.
    """
    return Second(
        at=at,
        started=sum(part.started for part in parts),
        completed=sum(part.completed for part in parts),
        errors=summed(part.errors for part in parts),
        slower=summed(part.slower for part in parts),
        latency=histogram.merged(part.latency for part in parts),
        served_by=summed(part.served_by for part in parts),
        users=sum(part.users for part in parts),
        waiting=sum(part.waiting for part in parts),
        in_flight=sum(part.in_flight for part in parts),
        lag=_greatest(part.lag for part in parts),
        late=sum(part.late for part in parts) / max(len(parts), 1),
        cpu=_greatest(part.cpu for part in parts),
        received=sum(part.received for part in parts),
        sent=sum(part.sent for part in parts),
        connections=sum(part.connections for part in parts),
    )


def _greatest(values: Iterable[float]) -> float:
    return max(values, default=0.0)


def _watch(worker: _Worker, second: Second) -> None:
    worker.judged += 1
    worker.cpu = [worker.cpu[0] + second.cpu, max(worker.cpu[1], second.cpu)]
    worker.lag_max = max(worker.lag_max, second.lag)
    worker.late += second.late


def _record(worker: _Worker) -> WorkerRecord:
    judged = max(worker.judged, 1)
    return WorkerRecord(
        number=worker.number,
        name=worker.name,
        completed=worker.completed,
        cpu_mean=worker.cpu[0] / judged,
        cpu_max=worker.cpu[1],
        lag_max=worker.lag_max,
        late=worker.late / judged,
        lost_at=worker.lost_at,
    )
