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
from sloproof.dashboards.tables import Column, table
from sloproof.dashboards.tiles import FEW, GONE, SHARE, Query, Section, Steps, Tile, lines, stat
from sloproof.definition import format_duration
from sloproof.promql import Expression, Number, Range, Selector, Subquery, call
from sloproof.slo import SLO, Service

LOOKS_BACK = timedelta(days=3)
"""How much of the past a forecast goes by: a day and its night, a few times."""
LOOKS_AHEAD = timedelta(days=14)
"""Long enough to order what is short, and short enough for a straight line."""
_SHOWN = timedelta(days=14)
_STEP = timedelta(minutes=15)
_UNKNOWN_SHARE = -2
"""What stands for a forecast share that nobody can give; shares are cut at -1."""
_MOST = 3
"""Times the most that came, at which a forecast of traffic is cut."""


def _too_little(value: int) -> Mapping[str, Any]:
    """A forecast from less than half of the days it goes by would be a guess; it looks neither fine nor bad."""
    result = {"color": "blue", "index": 3, "text": "too little history"}
    return {"type": "value", "options": {str(value): result}}


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
        marks=Scope(timing, service.name).marking(),
        service=service.name,
        shown=_SHOWN,
    )


def _past(timing: Timing) -> timedelta:
    return timing.real(LOOKS_BACK)


def _ahead(timing: Timing) -> timedelta:
    return timing.real(LOOKS_AHEAD)


def _forecast(past: Expression, timing: Timing) -> Expression:
    return call("predict_linear", past, Number(seconds(_ahead(timing))))


def _past_of(expression: Expression, timing: Timing) -> Subquery:
    """The days that a forecast goes by, a value every quarter of an hour."""
    return Subquery(expression, _past(timing), _step(timing))


def _step(timing: Timing) -> timedelta:
    return max(timing.real(_STEP), timing.scrape)


def _counted(expression: Expression, timing: Timing) -> Expression:
    """How many of those values there are."""
    return call("count_over_time", _past_of(expression, timing))


def _half(timing: Timing) -> int:
    """How many are enough."""
    return _past(timing) // _step(timing) // 2


def _until(left: Expression, falls: Expression, counted: Expression, timing: Timing) -> Expression:
    """Seconds until what is left is gone at this slope; cut at the horizon, which also stands for a slope upwards.

    Zero where nothing is left, and `FEW` where something is and the past is too short to foresee its end.
    """
    horizon = Number(seconds(_ahead(timing)))
    lasts = (left / falls.above(0)).otherwise(left * 0 + horizon).both(counted.at_least(_half(timing)))
    return (left.at_most(0) * 0).otherwise(call("clamp_max", lasts, horizon)).otherwise(left * 0 + FEW)


def _budgets(scope: Scope) -> list[Tile]:
    """All budgets beside each other, the one that is gone first at the top; of each the worst group."""
    budget, timing = scope.recorded(names.BUDGET_LEFT), scope.timing
    past, left = Range(budget, _past(timing)), scope.lowest(names.BUDGET_LEFT)
    later = call("clamp_min", _forecast(past, timing).smallest(by=ROWS_BY), Number(-1))
    falls = Number(0) - call("deriv", past).smallest(by=ROWS_BY)
    counted = _counted(budget, timing).largest(by=ROWS_BY)
    foreseen = later.both(counted.at_least(_half(timing))).otherwise(left * 0 + _UNKNOWN_SHARE)
    gone = _budgets_gone(left, foreseen, _until(left, falls, counted, timing), timing)
    return [gone, _budgets_left(left, call("clamp_max", later, Number(1)), timing)]


def _budgets_gone(left: Expression, later: Expression, until: Expression, timing: Timing) -> Tile:
    horizon = _ahead(timing)
    spent: Steps = ((None, "red"), (Decimal(0), "green"))
    soon, words = _soon(horizon), (_too_little(FEW), GONE, _not_in_sight(horizon))
    unknown = _too_little(_UNKNOWN_SHARE)
    return table(
        "budgets",
        "When each budget is gone",
        f"If the last {format_duration(LOOKS_BACK)} go on in a straight line, and at least half of them was measured. "
        "Below zero an objective is missed; forecasts are cut at -100 %.",
        {names.SERVICE: "service", names.SLO: "objective"},
        [
            Column("left", left, SHARE, steps=spent, decimals=1),
            Column(f"in {format_duration(LOOKS_AHEAD)}", later, SHARE, steps=spent, decimals=1, mappings=(unknown,)),
            Column("gone in", until, "s", steps=soon, decimals=1, mappings=words),
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
        f"leaves of it in {ahead}, cut at -100 %. After a young start it is a guess.",
        [Query(left, "{{slo}}"), Query(later, f"{{{{slo}}}} in {ahead}")],
        unit=SHARE,
        width=14,
        height=9,
        interval=timing.real(timing.slow_evaluation),
    )


def _capacity(key: str, capacity: Capacity, timing: Timing) -> list[Tile]:
    used: Expression = Asked(capacity.expression)
    past = _past_of(used, timing)
    left, fills = Number(capacity.limit) - used.largest(), call("deriv", past).largest()
    foreseen = call("clamp_min", _forecast(past, timing), Number(0))
    until = _until(left, fills, _counted(used, timing).largest(), timing)
    return [
        _when(key, f"{capacity.title}: full in", "it is full", until, timing),
        lines(
            f"{key}-used",
            f"{capacity.title}, and in {format_duration(LOOKS_AHEAD)}",
            f"{capacity.description} The second line is what a straight line through the last "
            f"{format_duration(LOOKS_BACK)} makes of it in {format_duration(LOOKS_AHEAD)}, cut at twice the limit, "
            "which is what there is. After a young start it is a guess.",
            [
                Query(used, capacity.legend or "now"),
                Query(
                    call("clamp_max", foreseen, Number(capacity.limit * 2)),
                    f"{capacity.legend} in {format_duration(LOOKS_AHEAD)}".strip(),
                ),
            ],
            unit=capacity.unit,
            limit=capacity.limit,
            width=18,
            height=6,
            interval=timing.scrape,
        ),
    ]


def _when(key: str, title: str, what: str, until: Expression, timing: Timing) -> Tile:
    horizon = _ahead(timing)
    return stat(
        key,
        title,
        f"When {what}, if the last {format_duration(LOOKS_BACK)} go on in a straight line; not in sight beyond "
        f"{format_duration(LOOKS_AHEAD)}, and not foretold before half of the past was measured.",
        Query(until),
        unit="s",
        steps=_soon(horizon),
        decimals=1,
        mappings=[_too_little(FEW), GONE, _not_in_sight(horizon)],
        width=6,
    )


def _soon(horizon: timedelta) -> Steps:
    return ((None, "red"), (seconds(horizon / 4), "orange"), (seconds(horizon) * Decimal("0.99"), "green"))


def _not_in_sight(horizon: timedelta) -> Mapping[str, Any]:
    words = {"color": "green", "index": 1, "text": f"not within {format_duration(LOOKS_AHEAD)}"}
    limit = float(seconds(horizon))
    return {"type": "range", "options": {"from": limit * 0.999, "to": limit * 1.001, "result": words}}


def _traffic_later(series: Selector, timing: Timing) -> Expression:
    past = Range(series, _past(timing))
    most = call("scalar", call("max_over_time", past).sum() * _MOST)
    return call("clamp_max", call("clamp_min", _forecast(past, timing).sum(), Number(0)), most)


def _traffic(slos: Sequence[SLO], timing: Timing) -> Tile:
    shown = [slo for slo in slos if slo.sli.noun == "event"] or list(slos)
    asked = []
    for slo in shown[:3]:
        series = recorded(names.total(timing.base), slo, timing)
        asked.append(Query(series.sum(), slo.name))
        asked.append(Query(_traffic_later(series, timing), f"{slo.name} in {format_duration(LOOKS_AHEAD)}"))
    return lines(
        "traffic",
        f"Events per second, and in {format_duration(LOOKS_AHEAD)}",
        "What comes, and what a straight line through the last days makes of it: the reason to scale before it hurts. "
        f"The line is cut at {_MOST} times the most that came; after a young start it is a guess.",
        asked,
        unit="eps",
        width=24,
        height=7,
        interval=timing.real(timing.base),
    )
