"""slo/threshold-no-bucket: a latency threshold between two buckets counts nothing, so its alert is silent."""

from collections.abc import Iterator
from decimal import Decimal

from sloproof.checks.subject import Place, Subject, indicators_of
from sloproof.errors import Problem
from sloproof.prometheus import Prometheus
from sloproof.slo import HistogramBelow, LatencyBelow

ID = "slo/threshold-no-bucket"


def check(subject: Subject, prometheus: Prometheus, start: float, end: float) -> Iterator[Problem]:
    """Thresholds that are no edge of their live histogram."""
    for slo, place in subject.slos:
        for indicator in indicators_of(slo):
            if isinstance(indicator, LatencyBelow | HistogramBelow):
                edges = prometheus.buckets(indicator.histogram, start, end)
                if edges and Decimal(indicator.edge()) not in edges:
                    yield _problem(place, indicator, edges)


def _problem(place: Place, indicator: LatencyBelow | HistogramBelow, edges: frozenset[Decimal]) -> Problem:
    edge, unit = indicator.edge(), f" {indicator.unit}" if isinstance(indicator, LatencyBelow) else ""
    near = sorted((one for one in edges if one.is_finite()), key=lambda one: abs(one - Decimal(edge)))[:2]
    return place.problem(
        f"`{edge}`{unit} is no bucket of `{indicator.histogram}`, so nothing is counted",
        ID,
        f"its nearest buckets are {' and '.join(f'`{one}`' for one in sorted(near))}; "
        "choose one of them, or add the bucket where the histogram is made",
    )
