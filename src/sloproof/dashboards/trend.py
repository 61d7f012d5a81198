"""What will run out, and when: budgets, and the resources that fill up as a service grows."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sloproof import names
from sloproof.alerts import REAL, Timing
from sloproof.alerts.recording import recorded
from sloproof.dashboards.breakdown_definition import Capacity
from sloproof.dashboards.expressions import Asked
from sloproof.dashboards.frame import framed
from sloproof.dashboards.queries import seconds
from sloproof.dashboards.scope import ROWS_BY, Scope
from sloproof.dashboards.tiles import SHARE, Column, Query, Section, Steps, Tile, lines, stat, table, whole_unit
from sloproof.definition import format_duration
from sloproof.promql import Expression, Number, Range, Subquery, call
from sloproof.slo import SLO, Service

LOOKS_BACK = timedelta(days=3)
"""How much of the past a forecast goes by: a day and its night, a few times."""
LOOKS_AHEAD = timedelta(days=14)
"""Long enough to order what is short, and short enough for a straight line."""
_SHOWN = timedelta(days=14)
_STEP = timedelta(minutes=15)


def trend_dashboard(
    service: Service, slos: Sequence[SLO], capacities: Sequence[Capacity], timing: Timing = REAL
) -> dict[str, Any]:
    """Straight lines through the last days: what each budget and each resource will be in two weeks.

    Args:
        service: whose growth it is.
        slos: its objectives.
        capacities: its resources.
        timing: intervals and scale of the rules that record the series; it divides the days too.

    Returns:
        Grafana JSON as plain values.
    """
    # Two resources of one title are told apart by their order, so that their panels' ids differ.
    titles = [capacity.title for capacity in capacities]
    keys = [f"{title}/{titles[:at].count(title)}" for at, title in enumerate(titles)]
    full = [tile for key, one in zip(keys, capacities, strict=True) for tile in _capacity(key, one, timing)]
    sections = [
        Section("traffic", "Traffic", (_traffic(slos, timing),)),
        Section("capacity", "Resources", tuple(full)),
        Section("budgets", "Error budgets", tuple(_budgets(Scope(timing, service.name)))),
    ]
    return framed(
        names.view_dashboard(service.name, "trend"),
        f"{service.name}: trend and forecast",
        f"What {service.name} will run out of, if the last {format_duration(LOOKS_BACK)} go on.",
        [section for section in sections if section.tiles],
        timing,
        tags=("trend", service.name),
        marks=Scope(timing, service.name).alerts("firing"),
        service=service.name,
        shown=_SHOWN,
    )


def _past(timing: Timing) -> timedelta:
    return timing.real(LOOKS_BACK)


def _ahead(timing: Timing) -> timedelta:
    return timing.real(LOOKS_AHEAD)


def _forecast(past: Expression, timing: Timing) -> Expression:
    return call("predict_linear", past, Number(seconds(_ahead(timing))))


def _until(left: Expression, falls: Expression, timing: Timing) -> Expression:
    """Seconds until what is left is gone at this slope; cut at the horizon, which also stands for a slope upwards."""
    horizon = Number(seconds(_ahead(timing)))
    gone = call("clamp_min", left, Number(0)) / falls.above(0)
    return call("clamp_max", gone.otherwise(left * 0 + horizon), horizon)


def _budgets(scope: Scope) -> list[Tile]:
    """All budgets beside each other, the one that is gone first at the top; of each the worst group."""
    past = Range(scope.recorded(names.BUDGET_LEFT), _past(scope.timing))
    left, later = scope.lowest(names.BUDGET_LEFT), _forecast(past, scope.timing).smallest(by=ROWS_BY)
    falls = Number(0) - call("deriv", past).smallest(by=ROWS_BY)
    return [_budgets_gone(left, later, falls, scope.timing), _budgets_left(left, later, scope.timing)]


def _budgets_gone(left: Expression, later: Expression, falls: Expression, timing: Timing) -> Tile:
    horizon = _ahead(timing)
    spent: Steps = ((None, "red"), (Decimal(0), "green"))
    until, soon, never = _until(left, falls, timing), _soon(horizon), _not_in_sight(horizon)
    return table(
        "budgets",
        "When each budget is gone",
        f"If the last {format_duration(LOOKS_BACK)} go on in a straight line. Below zero an objective is missed.",
        {names.SERVICE: "service", names.SLO: "objective"},
        [
            Column("left", left, SHARE, steps=spent, decimals=1),
            Column(f"in {format_duration(LOOKS_AHEAD)}", later, SHARE, steps=spent, decimals=1),
            Column("gone in", until, "s", steps=soon, decimals=1, mappings=(never,)),
        ],
        sort_by="gone in",
        width=10,
        height=9,
    )


def _budgets_left(left: Expression, later: Expression, timing: Timing) -> Tile:
    ahead = format_duration(LOOKS_AHEAD)
    return lines(
        "budgets-left",
        f"Budgets left, and in {ahead}",
        f"What is left of each budget, and what a straight line through the last {format_duration(LOOKS_BACK)} "
        f"leaves of it in {ahead}.",
        [Query(left, "{{slo}}"), Query(later, f"{{{{slo}}}} in {ahead}")],
        unit=SHARE,
        width=14,
        height=9,
        interval=timing.real(timing.slow_evaluation),
    )


def _capacity(key: str, capacity: Capacity, timing: Timing) -> list[Tile]:
    used: Expression = Asked(capacity.expression)
    past = Subquery(used, _past(timing), max(timing.real(_STEP), timing.scrape))
    left = Number(capacity.limit) - used.largest()
    return [
        _when(
            key,
            f"{capacity.title}: full in",
            "it is full",
            left,
            call("deriv", past).largest(),
            timing,
        ),
        lines(
            f"{key}-used",
            f"{capacity.title}, and in {format_duration(LOOKS_AHEAD)}",
            f"{capacity.description} The second line is what a straight line through the last "
            f"{format_duration(LOOKS_BACK)} makes of it in {format_duration(LOOKS_AHEAD)}; the limit is what there is.",
            [
                Query(used, capacity.legend or "now"),
                Query(_forecast(past, timing), f"{capacity.legend} in {format_duration(LOOKS_AHEAD)}".strip()),
            ],
            unit=capacity.unit,
            limit=capacity.limit,
            width=18,
            height=6,
            interval=timing.scrape,
        ),
    ]


def _when(key: str, title: str, what: str, left: Expression, falls: Expression, timing: Timing) -> Tile:
    horizon = _ahead(timing)
    return stat(
        key,
        title,
        f"When {what}, if the last {format_duration(LOOKS_BACK)} go on in a straight line; not in sight beyond "
        f"{format_duration(LOOKS_AHEAD)}.",
        Query(_until(left, falls, timing)),
        unit="s",
        steps=_soon(horizon),
        decimals=1,
        mappings=[_not_in_sight(horizon)],
        width=6,
    )


def _soon(horizon: timedelta) -> Steps:
    return ((None, "red"), (seconds(horizon / 4), "orange"), (seconds(horizon) * Decimal("0.99"), "green"))


def _not_in_sight(horizon: timedelta) -> Mapping[str, Any]:
    words = {"color": "green", "index": 1, "text": f"not within {whole_unit(horizon)}"}
    limit = float(seconds(horizon))
    return {"type": "range", "options": {"from": limit * 0.999, "to": limit * 1.001, "result": words}}


def _traffic(slos: Sequence[SLO], timing: Timing) -> Tile:
    shown = [slo for slo in slos if slo.sli.noun == "event"] or list(slos)
    asked = []
    for slo in shown[:3]:
        series = recorded(names.total(timing.base), slo, timing)
        asked.append(Query(series.sum(), slo.name))
        asked.append(
            Query(
                _forecast(Range(series, _past(timing)), timing).sum(),
                f"{slo.name} in {format_duration(LOOKS_AHEAD)}",
            )
        )
    return lines(
        "traffic",
        f"Events per second, and in {format_duration(LOOKS_AHEAD)}",
        "What comes, and what a straight line through the last days makes of it: the reason to scale before it hurts.",
        asked,
        unit="eps",
        width=24,
        height=7,
        interval=timing.real(timing.base),
    )
