"""Latency quantiles with bounds, from histograms by windows of time.

A bound of a quantile and a bound of a bad ratio are one statement: p95 is at most 500 ms exactly where at most 5 % of
the requests are slower than 500 ms. So the bounds are those of `verdict`, asked at the edges of the histogram's
buckets, where its counts are exact; only the value itself carries the histogram's relative error.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import accumulate

from sloproof.definition import Definition
from sloproof.loadtests import histogram
from sloproof.loadtests.histogram import Buckets
from sloproof.loadtests.result import LoadResult
from sloproof.verdict.evidence import LOAD_GENERATOR, Counts, Evidence
from sloproof.verdict.judge import bad_ratio_bounds
from sloproof.verdict.statistics import FEWEST_BATCHES, Slice

FEWEST_BURSTS = 5
"""Windows with slowish answers; fewer are an accident of this run, and no measure of how slow answers cluster."""
LOOSER = 2
"""Slow answers cluster; where few are over a threshold, those over the threshold divided by this show how much."""
MOST_WINDOWS = 600
"""A longer run is looked at in windows of several seconds."""
SHOWN = (0.5, 0.9, 0.95, 0.99)
"""The quantiles that a run is told by."""


class LatencyQuantile(Definition):
    """A latency quantile of a run.

    Args:
        q: the share of the requests that are not slower, ratio of 1.
        value: seconds, within `relative_error`; None where so many requests were never answered that it is not known.
        lower: the true quantile is above this, seconds; None where the run does not tell.
        upper: the true quantile is at most this, seconds; None where the run does not tell.
        confidence: of each bound, ratio of 1.
        relative_error: of the value, ratio of 1; the bounds have none.
    """

    q: float
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    confidence: float = 0.95
    relative_error: float = histogram.RELATIVE_ERROR


class LatencyWindows:
    """The latencies of a run, window by window, counted against any edge of a bucket.

    Args:
        windows: histograms of equally long, successive windows of time.
        never_answered: requests in flight at the end: slower than anything in the upper bounds, than nothing in the
            lower ones.
    """

    def __init__(self, windows: Sequence[Buckets], never_answered: int = 0) -> None:
        self._windows = [_Cumulated(window) for window in windows]
        self._all = _Cumulated(histogram.merged(windows))
        self._edges = self._all.numbers
        self._answered = self._all.total
        self._open = never_answered

    def quantile(self, q: float, confidence: float = 0.95) -> LatencyQuantile:
        """A quantile with its bounds.

        Args:
            q: ratio of 1, above 0 and below 1.
            confidence: of each bound, ratio of 1.

        Returns:
            No value without requests; no bounds with fewer windows than show how slow answers cluster.
        """
        total = self._answered + self._open
        if not total:
            return LatencyQuantile(q=q, confidence=confidence)
        rank = max(1, math.ceil(q * total))
        place = _first(lambda at: self._answered - self._all.above(self._edges[at]) >= rank, len(self._edges))
        value = histogram.latency(self._edges[place]) if place < len(self._edges) else None
        known = LatencyQuantile(q=q, value=value, confidence=confidence)
        if len(self._windows) < FEWEST_BATCHES:
            return known
        share, last = 1 - q, len(self._edges)
        above = _first(lambda at: self._bounds(at, confidence)[0] <= share, last)
        within = _first(lambda at: self._bounds(at, confidence)[1] <= share, last)
        return known.model_copy(
            update={
                "lower": histogram.longest(self._edges[above - 1]) if above else None,
                "upper": histogram.longest(self._edges[within]) if within < last else None,
            }
        )

    def _slices(self, edge: int) -> tuple[Slice, ...]:
        return tuple((window.above(edge), window.total) for window in self._windows)

    def _bounds(self, place: int, confidence: float) -> tuple[float, float]:
        """Of the share of requests over an edge, as an objective with that threshold has them."""
        edge = self._edges[place]
        looser = self._slices(edge - _BUCKETS_LOOSER)
        batches = self._slices(edge)
        counts = Counts(
            source=LOAD_GENERATOR,
            total=self._answered + self._open,
            bad=sum(bad for bad, _ in batches),
            censored=self._open,
        )
        shown = looser if sum(slow > 0 for slow, _ in looser) >= FEWEST_BURSTS else ()
        evidence = Evidence(slo="", objective=Decimal(0), counts=counts, batches=batches, looser=shown)
        bounds = bad_ratio_bounds(evidence, confidence)
        return bounds.lower, bounds.upper


_BUCKETS_LOOSER = histogram.bucket(1.0) - histogram.bucket(1.0 / LOOSER)


class _Cumulated:
    """One histogram, summed once and asked often."""

    def __init__(self, buckets: Buckets) -> None:
        self.numbers = sorted(buckets)
        self._upto = [0, *accumulate(buckets[number] for number in self.numbers)]
        self.total = self._upto[-1]

    def above(self, edge: int) -> int:
        """Samples in buckets after this one."""
        return self.total - self._upto[bisect_right(self.numbers, edge)]


def _first(holds: Callable[[int], bool], count: int) -> int:
    """The first of the places from 0 at which something holds that holds at all later ones; `count` where at none."""
    return bisect_left(range(count), True, key=holds)


def quantiles(
    windows: Sequence[Buckets], never_answered: int, wanted: Sequence[float] = SHOWN
) -> tuple[LatencyQuantile, ...]:
    """Several quantiles of one run; see `LatencyWindows`.

    Args:
        windows: histograms of equally long, successive windows of time.
        never_answered: requests in flight at the end.
        wanted: ratios of 1.
    """
    seen = LatencyWindows(windows, never_answered)
    return tuple(seen.quantile(q) for q in wanted)


def load_quantiles(load: LoadResult) -> tuple[LatencyQuantile, ...]:
    """The quantiles of a run without its warm-up; a long run is looked at in windows of several seconds.

    Args:
        load: the run.
    """
    part = load.evaluated()
    seconds = [second.latency for second in sorted(part.seconds, key=lambda second: second.at)]
    width = max(1, math.ceil(len(seconds) / MOST_WINDOWS))
    windows = [histogram.merged(seconds[at : at + width]) for at in range(0, len(seconds), width)]
    return quantiles(windows, part.in_flight_at_end)
