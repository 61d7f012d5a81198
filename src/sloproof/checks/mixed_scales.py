"""server/mixed-scales: rules with divided windows beside real ones on one server."""

from collections.abc import Iterator

from sloproof import names
from sloproof.checks.subject import Subject
from sloproof.errors import Problem
from sloproof.prometheus import Prometheus
from sloproof.promql import Selector

ID = "server/mixed-scales"
REAL = "1"


def check(subject: Subject, prometheus: Prometheus, start: float, end: float) -> Iterator[Problem]:
    """Objectives that the server records with windows of more than one scale."""
    scales: dict[tuple[str, str], set[str]] = {}
    for series in prometheus.instant(Selector(names.OBJECTIVE), end).series:
        key = series.labels.get(names.SERVICE, ""), series.labels.get(names.SLO, "")
        scales.setdefault(key, set()).add(series.labels.get(names.SCALE, REAL))
    all_scales = sorted({scale for found in scales.values() for scale in found}, key=int)
    for slo, place in subject.slos:
        if len(all_scales) > 1 and (slo.service.name, slo.name) in scales:
            listed = " and ".join(f"`{scale}`" for scale in all_scales)
            yield place.problem(
                f"`{prometheus.url}` evaluates rules whose windows are divided by {listed}; "
                f"`{slo.identity}` is among them",
                ID,
                "let one server see one scale only; take the rules of a lab away from the real ones",
            )
            return
