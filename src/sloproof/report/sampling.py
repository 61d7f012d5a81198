"""Fewer points that tell the same story: extremes and gaps survive, and a gap is never bridged."""

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from statistics import median

from sloproof.report.model import Chart
from sloproof.report.recorded import Point

_GAP_STEPS = 3.5
"""A pause of this many usual steps is a gap: two lost samples are, a late one is not."""
_REGULAR_SHARE = 0.75
_REGULAR_FACTOR = 1.5


def usual_step(points: Sequence[Point]) -> float:
    """The distance between the points of a series that was sampled regularly, seconds.

    Args:
        points: in the order of time.

    Returns:
        The median distance; zero where most distances differ from it, as in a line drawn from corner to corner.
    """
    steps = [later[0] - earlier[0] for earlier, later in pairwise(points)]
    usual = median(steps) if steps else 0.0
    regular = sum(usual / _REGULAR_FACTOR <= step <= usual * _REGULAR_FACTOR for step in steps)
    return usual if regular >= _REGULAR_SHARE * len(steps) else 0.0


def thinned(points: Sequence[Point], buckets: int) -> list[Point]:
    """At most four points a bucket: its lowest, its highest, and the first one without a measurement.

    Args:
        points: in the order of time.
        buckets: stretches of equal length that the points are divided into.

    Returns:
        The points themselves when there are no more than two a bucket; else those kept, in order.
    """
    if len(points) <= 2 * buckets:
        return list(points)
    start, length = points[0][0], (points[-1][0] - points[0][0]) or 1.0
    grouped = groupby(points, key=lambda point: min(int((point[0] - start) / length * buckets), buckets - 1))
    kept: list[Point] = []
    for _, bucket in grouped:
        kept.extend(_telling(list(bucket)))
    return kept


def _telling(bucket: list[Point]) -> list[Point]:
    measured = [(value, at) for at, value in bucket if value is not None]
    missing: list[Point] = [(at, None) for at, value in bucket if value is None]
    telling = missing[:1]
    if measured:
        telling.extend((at, value) for value, at in {min(measured), max(measured)})
    return sorted(telling, key=lambda point: point[0])


def segments(points: Sequence[Point], step: float) -> Iterator[list[tuple[float, float]]]:
    """Runs of measured points, parted where a measurement or several steps are missing.

    Args:
        points: in the order of time.
        step: the usual distance between points, seconds; zero never parts by time.
    """
    run: list[tuple[float, float]] = []
    for at, value in points:
        late = bool(run) and step > 0 and at - run[-1][0] > _GAP_STEPS * step
        if run and (value is None or late):
            yield run
            run = []
        if value is not None:
            run.append((at, value))
    if run:
        yield run


def gaps(chart: Chart, start: float, end: float, shortest: float) -> list[tuple[float, float]]:
    """Stretches in which no series of the chart has a measurement.

    Args:
        chart: the chart.
        start: epoch seconds of the axis.
        end: epoch seconds of the axis.
        shortest: seconds; shorter stretches are left out.

    Returns:
        Start and end of each stretch, epoch seconds; the whole axis for a chart without measurements.
    """
    if not any(value is not None for series in chart.series for _, value in series.points):
        return [(start, max(end, start + 1))]
    reached, found = start, []
    for first, last in sorted(_covered(chart)):
        if first - reached > shortest:
            found.append((reached, min(first, end)))
        reached = max(reached, last)
    return [*found, (reached, end)] if end - reached > shortest else found


def _covered(chart: Chart) -> Iterator[tuple[float, float]]:
    """Each unbroken run of measurements, with a step on either side that its ends stand for."""
    for series in chart.series:
        step = usual_step(series.points)
        for run in segments(series.points, step):
            yield run[0][0] - step, run[-1][0] + step


def within(chart: Chart, start: float, end: float) -> Chart:
    """The chart without the points outside a time axis.

    Args:
        chart: the chart.
        start: epoch seconds.
        end: epoch seconds.
    """
    kept = [
        series.model_copy(update={"points": tuple(point for point in series.points if start <= point[0] <= end)})
        for series in chart.series
    ]
    return chart.model_copy(update={"series": tuple(kept)})
