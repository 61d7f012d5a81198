"""Who burns the budget: the label values with the most bad events, and the series that is furthest over its limit."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol, runtime_checkable

from sloproof.alerts import Timing
from sloproof.dashboards import queries
from sloproof.dashboards.breakdown_definition import Breakdown
from sloproof.dashboards.expressions import Asked
from sloproof.dashboards.tables import Column, table
from sloproof.dashboards.tiles import SHARE, TIMES, Query, Tile, lines
from sloproof.promql import Call, Expression, Number, call
from sloproof.slo import SLO, EventCounters

SHOWN = 10
"""Label values in a table; who burns most is among the first."""
_PLACE = "instance"


@runtime_checkable
class Limited(Protocol):
    """An indicator that judges a value against a limit."""

    @property
    def limit(self) -> Decimal:
        """The last good value, in the value's unit."""
        ...


def burners(slo: SLO, breakdowns: Sequence[Breakdown], timing: Timing) -> list[Tile]:
    """The tables and graphs that say where bad events come from.

    Args:
        slo: the objective.
        breakdowns: of its service; those whose counters are not the objective's own add what they see.
        timing: the clock.
    """
    counters = slo.sli.counters()
    if counters is None:
        return _values(slo, timing)
    tiles = [_table(label, f"top-{label}", counters, slo) for label in dict.fromkeys((*slo.by, _PLACE))]
    tiles += [_other(one, slo) for one in breakdowns if one.label not in slo.by and one.label != _PLACE]
    return [*tiles, _over_time(counters, timing)]


def _other(breakdown: Breakdown, slo: SLO) -> Tile:
    """By a label that the objective's own series may not have, as the breakdown counts it."""
    if isinstance(slo.sli, queries.CountedByHistogram) and breakdown.histogram:
        return _slowest(breakdown, slo)
    counters = EventCounters(total=breakdown.requests, bad=breakdown.errors)
    return _table(breakdown.label, f"top-by-{breakdown.label}", counters, slo, of=" (by the counters of the breakdown)")


def _table(label: str, key: str, counters: EventCounters, slo: SLO, of: str = "") -> Tile:
    bad, total = queries.bad_by([label], counters), queries.all_by([label], counters)
    top = call("topk", Number(SHOWN), bad)
    all_bad = call("scalar", call("clamp_min", bad.sum(), Number(Decimal("0.000001"))))  # none of none is none
    return table(
        key,
        f"Top burning, by {label}",
        f"The {SHOWN} values of `{label}` with the most bad events now{of}. Burn is what this value alone would do to "
        "the budget if all events were its own.",
        {label: label},
        [
            Column("bad per second", top, "eps"),
            Column("share of all bad", (bad / all_bad).both(top), SHARE, decimals=0),
            # NaN where nothing came, which is told as no data; without its rows a column would be gone.
            Column("bad of its own", (bad / total).both(top), SHARE, decimals=2),
            Column("burn", (bad / total / Number(slo.budget)).both(top), TIMES, steps=_BURNING, decimals=1),
        ],
        sort_by="bad per second",
        descending=True,
        width=12,
        height=7,
    )


_BURNING = ((None, "green"), (Decimal(1), "orange"), (Decimal("14.4"), "red"))


def _slowest(breakdown: Breakdown, slo: SLO) -> Tile:
    label = breakdown.label
    every = queries.bucket_rate(breakdown.histogram or "", [label])
    share = slo.objective / 100
    rate = queries.all_by([label], EventCounters(total=breakdown.requests, bad=breakdown.errors))
    slow = call("topk", Number(SHOWN), call("histogram_quantile", Number(share), every).measured())
    return table(
        f"top-by-{label}",
        f"Slowest, by {label}",
        f"The {SHOWN} values of `{label}` with the slowest answers now: what the promised share of them stayed within.",
        {label: label},
        [
            Column("latency", slow, breakdown.latency_unit, decimals=3),
            Column("requests per second", rate.both(slow), "reqps"),
        ],
        sort_by="latency",
        descending=True,
        width=12,
        height=7,
    )


def _over_time(counters: EventCounters, timing: Timing) -> Tile:
    return lines(
        "bad-by-instance",
        "Bad events by instance",
        "Bad events per second as each scraped target counts them. One line above the rest points at a place, all "
        "of them together at something they share.",
        [Query(queries.bad_by([_PLACE], counters), f"{{{{{_PLACE}}}}}")],
        unit="eps",
        interval=timing.scrape,
    )


def _values(slo: SLO, timing: Timing) -> list[Tile]:
    """What is judged moment by moment, the worst ten series of it, with the limit."""
    judged = slo.sli.judged()
    if judged is None:
        return []
    value: Expression = Asked(judged.expression)
    worst: Call = call("topk" if judged.bad > judged.good else "bottomk", Number(SHOWN), value)
    limit = slo.sli.limit if isinstance(slo.sli, Limited) else None
    return [
        lines(
            "judged",
            "What is judged",
            f"The {SHOWN} worst series of the value that this objective judges; beyond the line a second is bad: good "
            f"is {slo.sli.sentence()}.",
            [Query(worst)],
            unit="short",
            steps=() if limit is None else ((None, "transparent"), (limit, "red")),
            width=24,
            interval=timing.scrape,
        )
    ]
