"""slo/threshold-no-bucket: a latency threshold between two buckets counts nothing, so its alert is silent."""

from collections.abc import Iterator
from decimal import Decimal

from sloproof.checks.subject import Subject
from sloproof.errors import Problem
from sloproof.prometheus import Prometheus
from sloproof.slo import LatencyBelow

ID = "slo/threshold-no-bucket"


def check(subject: Subject, prometheus: Prometheus, start: float, end: float) -> Iterator[Problem]:
    """Thresholds that are no edge of their live histogram."""
    for slo, place in subject.slos:
        if isinstance(slo.sli, LatencyBelow):
            edges = prometheus.buckets(slo.sli.histogram, start, end)
            wanted = Decimal(slo.sli.edge())
            if edges and wanted not in edges:
                near = sorted((edge for edge in edges if edge.is_finite()), key=lambda edge: abs(edge - wanted))[:2]
                yield place.problem(
                    f"`{slo.sli.edge()}` {slo.sli.unit} is no bucket of `{slo.sli.histogram}`, so nothing is counted",
                    ID,
                    f"its nearest buckets are {' and '.join(f'`{edge}`' for edge in sorted(near))}; "
                    "choose one of them, or add the bucket where the histogram is made",
                )
