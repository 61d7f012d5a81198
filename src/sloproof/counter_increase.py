"""How much counters really grew, from their raw samples: no extrapolation, resets and births counted."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from pydantic import ConfigDict

from sloproof.definition import Definition
from sloproof.prometheus_answers import Point, Series


class SeriesIncrease(Definition):
    """How much one counter grew.

    Args:
        labels: of its series.
        increase: events between `first` and `last`.
        first: time of the sample it is counted from, seconds since the epoch.
        last: time of the newest sample.
        samples: how many were read.
        resets: how often it started again from zero; what it had counted after its last scrape before that is lost.
        born: whether it began within the time asked for.
        unseen: its first value, where it began and nothing tells whether it had counted before; not in `increase`.
    """

    model_config = ConfigDict(allow_inf_nan=True)

    labels: Mapping[str, str]
    increase: float
    first: float
    last: float
    samples: int
    resets: int = 0
    born: bool = False
    unseen: float = 0


class Increase(Definition):
    """What Prometheus counted between two instants.

    Args:
        series: each counter that matched.
        warnings: any warning means that data may be missing.
    """

    series: tuple[SeriesIncrease, ...]
    warnings: tuple[str, ...] = ()

    @property
    def value(self) -> float | None:
        """All events; None when no counter matched, which is not the same as none."""
        return math.fsum(one.increase for one in self.series) if self.series else None

    @property
    def first(self) -> float | None:
        """Time of the oldest sample that was counted from, seconds since the epoch."""
        return min((one.first for one in self.series), default=None)

    @property
    def last(self) -> float | None:
        """Time of the newest sample, seconds since the epoch."""
        return max((one.last for one in self.series), default=None)

    @property
    def resets(self) -> int:
        """How often any of them started again from zero."""
        return sum(one.resets for one in self.series)

    @property
    def unseen(self) -> float:
        """First values of counters whose past nobody saw; not in `value`."""
        return math.fsum(one.unseen for one in self.series)

    def by(self, label: str) -> dict[str, float]:
        """The increase summed by the values of a label.

        Args:
            label: such as `instance`; series without it count under an empty value.
        """
        sums: dict[str, float] = {}
        for one in self.series:
            sums[one.labels.get(label, "")] = sums.get(one.labels.get(label, ""), 0) + one.increase
        return sums


def increase_of(series: Series, start: float, *, scraped_before: bool) -> SeriesIncrease:
    """How much one counter grew since `start`.

    Args:
        series: its raw samples, those of a while before `start` among them.
        start: seconds since the epoch. Counted from is the newest sample at or before it.
        scraped_before: whether its target had been scraped before the series' first sample. Then a series that has no
            sample at or before `start` began at zero, and its first value counts; else that value is `unseen`.
    """
    before = [point for point in series.points if point[0] <= start]
    points: list[Point] = [*before[-1:], *(point for point in series.points if point[0] > start)]
    born = not before
    grown, resets = _growth([value for _, value in points])
    first_value = points[0][1] if born else 0.0
    return SeriesIncrease(
        labels=series.labels,
        increase=grown + (first_value if scraped_before else 0),
        first=points[0][0],
        last=points[-1][0],
        samples=len(points),
        resets=resets,
        born=born,
        unseen=0 if scraped_before else first_value,
    )


def _growth(values: Sequence[float]) -> tuple[float, int]:
    steps = [(later if later < earlier else later - earlier) for earlier, later in pairwise(values)]
    return math.fsum(steps), sum(later < earlier for earlier, later in pairwise(values))


def born_after(series: Iterable[Series], start: float) -> tuple[Series, ...]:
    """The series without a sample at or before `start`.

    Args:
        series: raw samples.
        start: seconds since the epoch.
    """
    return tuple(one for one in series if one.points[0][0] > start)
