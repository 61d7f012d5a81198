"""The quantiles of an objective that a classic histogram counts."""

from datetime import timedelta
from decimal import Decimal

from sloproof.alerts import Timing
from sloproof.dashboards import queries
from sloproof.dashboards.tiles import Query, Tile, lines
from sloproof.definition import plain
from sloproof.slo import SLO


def latency(slo: SLO, timing: Timing, *, key: str = "latency", title: str = "Latency") -> list[Tile]:
    """The quantiles of an objective that is counted by a classic histogram, against its threshold; else nothing.

    Args:
        slo: the objective.
        timing: the clock.
        key: stable name of the panel.
        title: of the panel.
    """
    buckets = slo.sli
    if not isinstance(buckets, queries.CountedByHistogram):
        return []
    shares = sorted({Decimal("0.5"), Decimal("0.95"), Decimal("0.99"), slo.objective / 100})
    size = timedelta(milliseconds=1) if buckets.unit == "milliseconds" else timedelta(seconds=1)
    return [
        lines(
            key,
            title,
            "What so many of the events stayed within, interpolated between bucket edges. The limit is the objective's "
            f"threshold: p{plain(slo.objective)} has to stay below it.",
            [Query(queries.latency_quantile(share, buckets), f"p{plain(share * 100)}") for share in shares],
            unit="ms" if buckets.unit == "milliseconds" else "s",
            limit=_in_units(buckets.threshold, size),
            width=24,
            interval=timing.scrape,
        )
    ]


def _in_units(length: timedelta, unit: timedelta) -> Decimal:
    return Decimal(length // timedelta(microseconds=1)) / Decimal(unit // timedelta(microseconds=1))
