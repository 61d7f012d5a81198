"""The phases of a load, each with its own exact counts: a ramp, a plateau and a spike are different loads."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, NamedTuple

from pydantic import BaseModel, StringConstraints

from sloproof.loadtests import histogram
from sloproof.loadtests.outcome import FAILURES, Kind

PhaseName = Annotated[str, StringConstraints(min_length=1, max_length=40, strip_whitespace=True)]
WARM_UP = "warm-up"
UNNAMED = "load"


class Span(NamedTuple):
    """A phase from one second of the load to another."""

    name: str
    start: float
    end: float


class PhaseTotals(BaseModel):
    """What became of the requests that were due in a phase.

    Args:
        name: its name.
        start: seconds from the beginning of the load.
        end: seconds from there; where the load ended early, that is its end.
        completed: requests that ended, well or badly.
        in_flight: requests that were still in flight when the load was over.
        errors: kind -> completed requests.
        slower: threshold in seconds, as text -> completed requests strictly slower than it or never answered,
            exact and unrounded.
        latency: histogram of all completed requests, see `histogram`.
    """

    name: str
    start: float
    end: float
    completed: int = 0
    in_flight: int = 0
    errors: dict[str, int] = {}
    slower: dict[str, int] = {}
    latency: dict[int, int] = {}

    @property
    def failed(self) -> int:
        """Requests that broke a promise: 5xx, connection, time-out, other; neither 4xx nor 429."""
        return sum(count for kind, count in self.errors.items() if kind in FAILURES)

    @property
    def rate(self) -> float:
        """Requests per second that were due in it."""
        return (self.completed + self.in_flight) / max(self.end - self.start, 1e-3)

    def quantile(self, q: float) -> float | None:
        """Latency in seconds that a share `q` of the requests does not exceed, within 1 %; None if unknown."""
        return histogram.quantile(self.latency, q, self.in_flight)


def spans(stages: Iterable[tuple[timedelta, str | None]], duration: timedelta, warm_up: timedelta) -> list[Span]:
    """The phases that tile a load.

    Args:
        stages: length and phase of each stage, in order; one without a phase belongs to the one before.
        duration: how long load is asked for; the last phase stays until then.
        warm_up: the beginning that an evaluation leaves out; a phase of its own.

    Returns:
        In order, without gaps, none of length 0; neighbours of one name are one.
    """
    warm = warm_up.total_seconds()
    at, name, found = 0.0, UNNAMED, [Span(WARM_UP, 0.0, warm)]
    for length, phase in stages:
        name = phase or name
        found.append(Span(name, max(at, warm), at + length.total_seconds()))
        at = found[-1].end
    found.append(Span(name, max(at, warm), duration.total_seconds()))
    return _joined(found)


def _joined(pieces: Iterable[Span]) -> list[Span]:
    joined: list[Span] = []
    for piece in pieces:
        if piece.end <= piece.start:
            continue
        if joined and joined[-1].name == piece.name:
            joined[-1] = joined[-1]._replace(end=piece.end)
        else:
            joined.append(piece)
    return joined


class PhaseCounter:
    """Counts each request in the phase in which it was due; memory does not grow with the length of the run.

    Args:
        spans: the phases, in order.
        thresholds: seconds, each with an exact counter.
        begun: epoch second from which the phases count.
    """

    def __init__(self, spans: Sequence[Span], thresholds: Sequence[Decimal], begun: float) -> None:
        self.begun = begun
        self._texts = [str(threshold) for threshold in sorted(thresholds)]
        slower = dict.fromkeys(self._texts, 0)
        self.totals = [
            PhaseTotals(name=span.name, start=span.start, end=span.end, slower=dict(slower)) for span in spans
        ]
        self._starts = [span.start for span in spans]
        self.several = len(self._starts) > 1

    def place(self, due: float) -> int:
        """Which phase a request belongs to that was sent, or was to be sent, at epoch second `due`.

        Logins before the first task belong to the first phase, and what comes late to the last.
        """
        return max(0, bisect_right(self._starts, due - self.begun) - 1) if self.several else 0

    def add(self, place: int, bucket: int, exceeded: int, kind: Kind | None, count: int) -> None:
        """Count requests that ended alike.

        Args:
            place: their phase, as `place` tells it.
            bucket: of the histogram of latencies.
            exceeded: how many of the thresholds, from the lowest up, they were slower than, or never answered.
            kind: what went wrong, None for nothing.
            count: how many.
        """
        if not self.totals:
            return
        phase = self.totals[place]
        phase.completed += count
        phase.latency[bucket] = phase.latency.get(bucket, 0) + count
        for text in self._texts[:exceeded]:
            phase.slower[text] += count
        if kind is not None:
            phase.errors[kind] = phase.errors.get(kind, 0) + count

    def over(self, cut_off: Iterable[float], ended: float) -> list[PhaseTotals]:
        """The counts of a load that is over.

        Args:
            cut_off: epoch seconds at which requests were due that are still in flight.
            ended: epoch second from which no more load was asked for.

        Returns:
            The phases in order, cut to the time in which load was asked for.
        """
        found = [phase.model_copy() for phase in self.totals]
        for due in cut_off if found else ():
            found[self.place(due)].in_flight += 1
        last = max(0.0, ended - self.begun)
        for number, phase in enumerate(found):
            end = last if number == len(found) - 1 else phase.end
            phase.end = max(phase.start, min(end, last))
        return found


def merged(several: Sequence[Sequence[PhaseTotals]]) -> list[PhaseTotals]:
    """The phases of several processes of one load together; processes that counted none are left out."""
    return [_together(parts) for parts in zip(*filter(None, several), strict=True)]


def _together(parts: Sequence[PhaseTotals]) -> PhaseTotals:
    return parts[0].model_copy(
        update={
            "end": max(part.end for part in parts),
            "completed": sum(part.completed for part in parts),
            "in_flight": sum(part.in_flight for part in parts),
            "errors": _sum([part.errors for part in parts]),
            "slower": _sum([part.slower for part in parts]),
            "latency": histogram.merged(part.latency for part in parts),
        }
    )


def _sum(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    keys = dict.fromkeys(key for one in counts for key in one)
    return {key: sum(one.get(key, 0) for one in counts) for key in keys}
