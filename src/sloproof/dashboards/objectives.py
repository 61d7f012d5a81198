"""Objectives beside each other: a table with the worst budget first, how many are in trouble, and how they went."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

from sloproof import names
from sloproof.alerts import DEFAULT_POLICY, BurnPolicy
from sloproof.alerts.recording import recorded
from sloproof.dashboards import queries
from sloproof.dashboards.alert_list import WAKES
from sloproof.dashboards.scope import ROWS_BY, Scope, some_or_zero
from sloproof.dashboards.tables import Column, table
from sloproof.dashboards.tiles import COVERED, FEW, SHARE, TIMES, Query, Steps, Tile, lines, stat
from sloproof.promql import Expression, Number, Selector
from sloproof.slo import LONGEST, SLO

Policies = Mapping[str, BurnPolicy]
"""The burn policy of an objective by its `service/slo`; the workbook's where there is none."""

_NO_EVENTS: Mapping[str, Any] = {
    "type": "value",
    "options": {str(FEW): {"color": "blue", "index": 1, "text": "no events"}},
}
_LEFT_STEPS: Steps = ((None, "red"), (Decimal(0), "green"))
NONE_IS_GOOD: Steps = ((None, "green"), (Decimal(1), "red"))
"""Colours of a number of things in trouble."""


def policy_of(slo: SLO, policies: Policies) -> BurnPolicy:
    """The burn policy of an objective."""
    return policies.get(slo.identity, DEFAULT_POLICY)


def numbers(slos: Sequence[SLO], scope: Scope, *, width: int = 4) -> list[Tile]:
    """How many objectives there are, are not measured, are missed, and page somebody."""
    return [_defined(slos, scope, width), _unmeasured(slos, scope, width), *_troubles(scope, width)]


def _defined(slos: Sequence[SLO], scope: Scope, width: int) -> Tile:
    return stat(
        "defined",
        "Objectives",
        f"How many objectives Prometheus has rules for. {len(slos)} were defined when this page was generated.",
        Query(some_or_zero(scope.recorded(names.OBJECTIVE))),
        unit="none",
        steps=((None, "orange"), (Decimal(len(slos)), "text")),
        width=width,
    )


def _unmeasured(slos: Sequence[SLO], scope: Scope, width: int) -> Tile:
    measured = some_or_zero(scope.highest(names.total(scope.timing.base)))
    return stat(
        "unmeasured",
        "Not measured",
        "Defined objectives whose events are not counted now: their series are missing. Not fine: unknown.",
        Query(Number(len(slos)) - measured),
        unit="none",
        steps=NONE_IS_GOOD,
        width=width,
        loud=True,
    )


def _troubles(scope: Scope, width: int) -> list[Tile]:
    missed = (Number(0) - scope.lowest(names.BUDGET_LEFT)).above(0)
    pages = scope.of_objectives().matching(WAKES).otherwise(scope.of_causes().matching(WAKES))
    return [
        stat(
            "missed",
            "Budgets spent",
            "Objectives whose error budget is gone: they are missed over their window.",
            Query(scope.counted(missed)),
            unit="none",
            steps=NONE_IS_GOOD,
            width=width,
            loud=True,
        ),
        stat(
            "paging",
            "Pages firing",
            "Alerts that wake somebody and fire now, causes included.",
            Query(scope.counted(pages)),
            unit="none",
            steps=NONE_IS_GOOD,
            width=width,
            loud=True,
        ),
    ]


def objectives_table(slos: Sequence[SLO], policies: Policies, scope: Scope, *, highest: int = 20) -> Tile:
    """One row for each objective, the worst budget first; of one with groups, the worst group.

    Args:
        slos: which.
        policies: their burn policies.
        scope: of the page.
        highest: in rows; lower where there are fewer objectives.
    """
    shown = {names.SERVICE: "service", names.SLO: "objective"}
    links = {"objective": {"title": "Dashboard of ${__data.fields.objective}", "url": _page_of_each(slos)}}
    if not scope.service:
        links["service"] = {"title": "Dashboard of ${__value.text}", "url": _page_of_service(slos)}
    return table(
        "objectives",
        "Objectives, worst budget first",
        "Burn is over the long window of the fastest pair; above 1 the budget will not last. Of an objective with "
        "groups this is the worst group. Names open their dashboards.",
        shown,
        _columns(slos, policies, scope),
        sort_by="budget left",
        links=links,
        height=min(highest, 3 + len(slos)),
    )


def _page_of_each(slos: Sequence[SLO]) -> str:
    """Where an objective's dashboard is, from a row; Grafana's search finds those whose uid had to be shortened."""
    uid = names.dashboard_uid(names.slo_dashboard("X", "Y"))
    plain = uid.replace("X", "{service}").replace("Y", "{slo}")
    for slo in slos:
        pages = names.dashboard_uid(names.slo_dashboard(slo.service.name, slo.name))
        if pages != plain.format(service=slo.service.name, slo=slo.name):
            return "/dashboards?tag=sloproof&query=${__data.fields.service} ${__data.fields.objective}"
    return "/d/" + plain.format(service="${__data.fields.service}", slo="${__data.fields.objective}")


def _page_of_service(slos: Sequence[SLO]) -> str:
    if any(names.dashboard_uid(slo.service.name) != f"sloproof-{slo.service.name}" for slo in slos):
        return "/dashboards?tag=sloproof&query=${__value.text}"
    return f"/d/{names.dashboard_uid('')}${{__value.text}}"


def _columns(slos: Sequence[SLO], policies: Policies, scope: Scope) -> list[Column]:
    left, objective = scope.lowest(names.BUDGET_LEFT), scope.highest(names.OBJECTIVE)
    good = Number(1) - (Number(1) - left) * (Number(1) - objective)
    firing = scope.of_objectives().sum(by=ROWS_BY).otherwise(left * 0)
    burn, steps = burn_of_each(slos, policies, scope), burn_steps(slos, policies)
    quiet = scope.highest(names.total(scope.timing.base)) * 0 + FEW
    return [
        Column("budget left", left, SHARE, steps=_LEFT_STEPS, decimals=1),
        Column("burn now", burn.otherwise(quiet), TIMES, steps=steps, decimals=1, mappings=(_NO_EVENTS,)),
        Column("alerts firing", firing, "none", steps=NONE_IS_GOOD),
        Column("bad events left", scope.lowest(names.ERRORS_LEFT), "short"),
        Column("promised", objective, SHARE),
        Column("good", good, SHARE, decimals=3),
        Column("events", scope.recorded(names.total(scope.timing.base)).sum(by=ROWS_BY), "eps"),
        Column("measured", _coverage(slos, scope), SHARE, steps=COVERED, decimals=1),
    ]


def burn_steps(slos: Sequence[SLO], policies: Policies) -> Steps:
    """Colours of burn rates: orange when the budget will not last, red from where somebody is woken."""
    pages = [
        tier.factor(slo.window)
        for slo in slos
        for tier in policy_of(slo, policies).tiers
        if tier.severity == names.PAGE
    ]
    loud = max(min(pages, default=Decimal("14.4")), Decimal("1.01"))
    return ((None, "green"), (Decimal(1), "orange"), (loud, "red"))


def budgets(scope: Scope) -> Tile:
    """What is left of each budget, over time."""
    return lines(
        "budgets",
        "Error budget left",
        "Each line is an objective, of one with groups the worst group; below zero it is missed.",
        [Query(scope.lowest(names.BUDGET_LEFT), _legend(scope))],
        unit=SHARE,
        interval=scope.timing.real(scope.timing.slow_evaluation),
    )


def burns(slos: Sequence[SLO], policies: Policies, scope: Scope) -> Tile:
    """How fast each budget burns, over time."""
    return lines(
        "burns",
        "Burn rate now",
        "Each line is an objective, over the long window of its fastest pair. The line is an even burn.",
        [Query(burn_of_each(slos, policies, scope), _legend(scope))],
        unit=TIMES,
        limit=Decimal(1),
        limit_colour="orange",
        interval=scope.timing.real(scope.timing.evaluation),
    )


def _legend(scope: Scope) -> str:
    return "{{slo}}" if scope.service else "{{service}}/{{slo}}"


def burn_of_each(
    slos: Sequence[SLO],
    policies: Policies,
    scope: Scope,
    window_of: Callable[[BurnPolicy], timedelta] = queries.page_window,
) -> Expression:
    """The burn rate of each objective over a window of its policy; the long one of its fastest pair by default."""
    budget = Number(1) - scope.highest(names.OBJECTIVE)
    return _each(slos, lambda slo: window_of(policy_of(slo, policies)), names.error_ratio, scope, _highest) / budget


def _coverage(slos: Sequence[SLO], scope: Scope) -> Expression:
    return _each(slos, lambda slo: slo.budget_window, names.coverage, scope, _lowest)


def _each(
    slos: Sequence[SLO],
    window_of: Callable[[SLO], names.Window],
    metric_of: Callable[[names.Window], str],
    scope: Scope,
    worst: Callable[[Selector], Expression],
) -> Expression:
    """One series for each SLO, of the window that is its own and of its worst group.

    The window that most SLOs use is asked for once for all; SLOs with another one are named before
    it, because an SLO also records windows of its other tiers.
    """
    windows = [window_of(slo) for slo in slos]
    usual = max(sorted(set(windows), key=_length), key=windows.count, default=timedelta(hours=1))
    expression = worst(scope.recorded(metric_of(usual)))
    others = sorted(
        (slo for slo in slos if window_of(slo) != usual), key=lambda slo: (_length(window_of(slo)), slo.identity)
    )
    for window, group in groupby(others, key=window_of):
        for slo in group:
            expression = worst(recorded(metric_of(window), slo, scope.timing)).otherwise(expression)
    return expression


def _highest(series: Selector) -> Expression:
    return series.largest(by=ROWS_BY)


def _lowest(series: Selector) -> Expression:
    return series.smallest(by=ROWS_BY)


def _length(window: names.Window) -> tuple[timedelta, str]:
    return (LONGEST[window], window) if isinstance(window, str) else (window, "")
