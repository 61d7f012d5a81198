"""What Prometheus counted of an objective in a stretch of time, from the raw counters."""

import math

from sloproof.prometheus import Prometheus
from sloproof.slo import SLO
from sloproof.verdict.evidence import PROMETHEUS, Counts


def count_events(prometheus: Prometheus, slo: SLO, start: float, end: float) -> Counts | None:
    """The increase of an objective's counters, exact at its scrapes.

    Args:
        prometheus: the adapter.
        slo: the objective.
        start: epoch seconds; best a scrape before the first request.
        end: epoch seconds; best a scrape after the last one.

    Returns:
        The counts; None where the total has no samples, Prometheus warns of partial data, or nothing counts
        the events one by one. A counter of errors that does not exist counts none.
    """
    counters = slo.sli.counters()
    if counters is None:
        return None
    total = _increase(prometheus, counters.total, start, end)
    if total is None:
        return None
    if counters.bad is not None:
        bad = _increase(prometheus, counters.bad, start, end) or 0.0
    else:
        good = _increase(prometheus, counters.good or "", start, end)
        bad = math.nan if good is None else max(total - good, 0.0)
    return Counts(source=PROMETHEUS, total=total, bad=bad)


def _increase(prometheus: Prometheus, selector: str, start: float, end: float) -> float | None:
    found = prometheus.counter_increase(selector, start, end)
    # A warning means that data may be missing; what is left then is no count.
    return None if found.warnings else found.value
