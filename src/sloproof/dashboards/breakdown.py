"""One service's requests split by a label: by route, by tenant, by instance behind a balancer."""

from decimal import Decimal
from typing import Any

from sloproof.alerts import REAL, Timing
from sloproof.dashboards import queries
from sloproof.dashboards.breakdown_definition import Breakdown
from sloproof.dashboards.frame import NOTE, framed, plain_words
from sloproof.dashboards.scope import Scope
from sloproof.dashboards.tables import Column, table
from sloproof.dashboards.tiles import SHARE, TIMES, Query, Section, Steps, Tile, lines, stat, text
from sloproof.promql import Expression, Number, call
from sloproof.slo import EventCounters

_SLOW = Decimal("0.95")


def breakdown_dashboard(breakdown: Breakdown, timing: Timing = REAL) -> dict[str, Any]:
    """Who gets which part of the requests, of the errors and of the waiting.

    Args:
        breakdown: the definition.
        timing: the clock.

    Returns:
        Grafana JSON as plain values.
    """
    label, service = breakdown.label, breakdown.service.name
    sections = [
        *([Section("balance", "Balance", tuple(_balance(breakdown, timing)))] if breakdown.even else []),
        Section("values", "", (_table(breakdown),)),
        Section("requests", "Requests", tuple(_requests(breakdown, timing))),
        Section("latency", "Latency", tuple(_latency(breakdown, timing))),
        Section("about", "", (_about(breakdown),)),
    ]
    return framed(
        breakdown.dashboard,
        f"{service} by {label}",
        f"Requests, errors and latency of {service} for each {label}.",
        [section for section in sections if section.tiles],
        timing,
        tags=("breakdown", service),
        marks=Scope(timing, service).marking(),
        service=service,
    )


def _counters(breakdown: Breakdown) -> EventCounters:
    return EventCounters(total=breakdown.requests, bad=breakdown.errors)


def _rate(breakdown: Breakdown) -> Expression:
    return queries.all_by([breakdown.label], _counters(breakdown))


def _bad(breakdown: Breakdown) -> Expression:
    return queries.bad_by([breakdown.label], _counters(breakdown))


def _quantiles(breakdown: Breakdown, share: Decimal) -> Expression:
    """NaN where nothing was requested."""
    rates = queries.bucket_rate(breakdown.histogram or "", [breakdown.label])
    return call("histogram_quantile", Number(share), rates)


def _share(breakdown: Breakdown) -> Expression:
    """Of all requests; NaN while there are none."""
    return _rate(breakdown) / call("scalar", _rate(breakdown).sum())


def _table(breakdown: Breakdown) -> Tile:
    rate, label = _rate(breakdown), breakdown.label
    columns = [
        Column("requests per second", rate, "reqps", decimals=1),
        Column("share", _share(breakdown), SHARE, decimals=1),
        # Nothing of nothing is NaN, which is told as no data; without its rows the column would be gone.
        Column("failed", _bad(breakdown) / rate, SHARE, steps=_FAILED, decimals=2),
    ]
    if breakdown.histogram:
        columns.append(Column("p95", _quantiles(breakdown, _SLOW), breakdown.latency_unit, decimals=3))
    return table(
        "values",
        f"Each {label} now",
        f"One row for each {label}, the busiest first. {breakdown.description}",
        {label: label},
        columns,
        sort_by="requests per second",
        descending=True,
        height=8,
    )


_FAILED: Steps = ((None, "green"), (Decimal("0.001"), "orange"), (Decimal("0.01"), "red"))


def _balance(breakdown: Breakdown, timing: Timing) -> list[Tile]:
    return [_serving(breakdown), _busiest(breakdown), _fairness(breakdown, timing)]


def _serving(breakdown: Breakdown) -> Tile:
    return stat(
        "serving",
        "Serving",
        f"How many values of `{breakdown.label}` answer requests now.",
        Query(call("count", _rate(breakdown).above(0))),
        unit="none",
        steps=((None, "red"), (Decimal(2), "green")),
        width=4,
    )


def _busiest(breakdown: Breakdown) -> Tile:
    rate = _rate(breakdown)
    return stat(
        "most",
        "Busiest against its fair share",
        f"How many times its fair share the busiest one has; 1 is perfectly even, {breakdown.most} too much. "
        "No data without requests.",
        Query(rate.largest() / call("avg", rate).above(0)),
        unit=TIMES,
        steps=((None, "green"), (breakdown.most, "red")),
        decimals=2,
        width=4,
    )


def _fairness(breakdown: Breakdown, timing: Timing) -> Tile:
    rate, label = _rate(breakdown), breakdown.label
    fair = call("scalar", call("avg", rate).above(0))
    return lines(
        "fair",
        "Requests against the fair share",
        f"Times its fair share that each {label} answers; 1 is even. One that falls to zero is out of the balancer "
        "or dead, and the others have more than 1.",
        [Query(rate / fair, f"{{{{{label}}}}}")],
        unit=TIMES,
        limit=breakdown.most,
        width=16,
        interval=timing.scrape,
    )


def _requests(breakdown: Breakdown, timing: Timing) -> list[Tile]:
    label, legend, share = breakdown.label, f"{{{{{breakdown.label}}}}}", _share(breakdown).measured()
    shown = (
        ("rate", "Requests", f"Requests per second of each {label}.", _rate(breakdown), "reqps", False),
        (
            "share",
            "Share of all requests",
            f"What part each {label} is of all.",
            share,
            SHARE,
            True,
        ),
        ("failed", "Failed requests", f"Failed requests per second of each {label}.", _bad(breakdown), "reqps", False),
        (
            "ratio",
            "Failed of its own requests",
            f"The part of its own requests that fails, for each {label}; no line without requests.",
            _bad(breakdown) / _rate(breakdown).above(0),
            SHARE,
            False,
        ),
    )
    return [
        lines(key, title, words, [Query(asked, legend)], unit=unit, stacked=stacked, interval=timing.scrape)
        for key, title, words, asked, unit, stacked in shown
    ]


def _latency(breakdown: Breakdown, timing: Timing) -> list[Tile]:
    if breakdown.histogram is None:
        return []
    return [
        lines(
            f"p{part}",
            f"p{part} by {breakdown.label}",
            f"What {part} % of the requests of each {breakdown.label} stayed within, between bucket edges.",
            [Query(_quantiles(breakdown, Decimal(part) / 100).measured(), f"{{{{{breakdown.label}}}}}")],
            unit=breakdown.latency_unit,
            width=8,
            interval=timing.scrape,
        )
        for part in (50, 95, 99)
    ]


def _about(breakdown: Breakdown) -> Tile:
    words = f"{plain_words(breakdown.description)}\n\n{NOTE}"
    return text("about", "About this page", "What is split, and where this page comes from.", words, width=24, height=4)
