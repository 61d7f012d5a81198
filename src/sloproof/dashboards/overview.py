"""Every objective on one page, the worst budget first."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

from sloproof import names
from sloproof.alerts import DEFAULT_POLICY, REAL, BurnPolicy, Timing
from sloproof.alerts.recording import recorded
from sloproof.dashboards import queries
from sloproof.dashboards.frame import NOTE, framed
from sloproof.dashboards.tiles import (
    COVERED,
    SHARE,
    TIMES,
    Column,
    Query,
    Section,
    Steps,
    Tile,
    lines,
    stat,
    table,
    text,
)
from sloproof.promql import Expression, Matcher, Number, Selector, call, equals
from sloproof.slo import LONGEST, SLO

OVERVIEW = "overview"

_ROWS_BY = (names.SERVICE, names.SLO)
_LEFT_STEPS: Steps = ((None, "red"), (Decimal(0), "green"))
_NONE_IS_GOOD: Steps = ((None, "green"), (Decimal(1), "red"))


def overview_dashboard(
    slos: Sequence[SLO], policies: Mapping[str, BurnPolicy], timing: Timing = REAL
) -> dict[str, Any]:
    """One row for each SLO, and how many are in trouble.

    Args:
        slos: every SLO of the workspace.
        policies: burn policy by an SLO's `service/slo`; the workbook's where there is none.
        timing: intervals and scale of the rules that record the series.

    Returns:
        Grafana JSON as plain values. An SLO without data keeps its row, and says so.
    """
    ordered = sorted(slos, key=lambda slo: slo.identity)
    sections = [
        Section("now", "", (*_counts(ordered, timing), *_troubles(timing), _note())),
        Section("slos", "", (_objectives(ordered, policies, timing),)),
        Section("trends", "", (_budgets(timing), _burns(ordered, policies, timing))),
    ]
    return framed(
        OVERVIEW,
        "Service-level objectives",
        "Every objective: budget left, burn now, alerts that fire; the worst first.",
        sections,
        timing,
        tags=("slo",),
        marks=_firing(timing),
    )


def _counts(slos: Sequence[SLO], timing: Timing) -> list[Tile]:
    defined = _counted(_recorded(names.OBJECTIVE, timing))
    measured = _counted(_recorded(names.total(timing.base), timing))
    return [
        stat(
            "defined",
            "Objectives",
            f"How many objectives Prometheus has rules for. {len(slos)} were defined when this page was generated.",
            Query(defined),
            unit="none",
            steps=((None, "orange"), (Decimal(len(slos)), "text")),
            width=4,
        ),
        stat(
            "unmeasured",
            "Not measured",
            "Defined objectives whose events are not counted now: their series are missing. Not fine: unknown.",
            Query(Number(len(slos)) - measured),
            unit="none",
            steps=_NONE_IS_GOOD,
            width=4,
            loud=True,
        ),
    ]


def _troubles(timing: Timing) -> list[Tile]:
    left = _recorded(names.BUDGET_LEFT, timing)
    pages = _firing(timing).matching(equals(names.SEVERITY, names.PAGE))
    missed = call("count", (Number(0) - left).above(0))
    return [
        stat(
            "missed",
            "Budgets spent",
            "Objectives whose error budget is gone: they are missed over their window.",
            Query(missed.otherwise(_zero_if(left))),
            unit="none",
            steps=_NONE_IS_GOOD,
            width=4,
            loud=True,
        ),
        stat(
            "paging",
            "Pages firing",
            "Burn alerts of severity page that fire now.",
            Query(call("count", pages).otherwise(_zero_if(left))),
            unit="none",
            steps=_NONE_IS_GOOD,
            width=4,
            loud=True,
        ),
    ]


def _counted(selector: Selector) -> Expression:
    """How many there are; zero, not nothing, when there are none."""
    return call("count", selector).otherwise(call("vector", Number(0)))


def _zero_if(measured: Selector) -> Expression:
    """Zero while anything is measured at all, else nothing."""
    return call("max", measured) * 0


def _note() -> Tile:
    description = "Where this dashboard comes from and how to read it."
    return text("note", "About this page", description, NOTE, width=8, height=4)


def _objectives(slos: Sequence[SLO], policies: Mapping[str, BurnPolicy], timing: Timing) -> Tile:
    return table(
        "objectives",
        "Objectives, worst budget first",
        "Burn is over the long window of the fastest pair; above 1 the budget will not last. "
        "A service's name opens its dashboard.",
        {names.SERVICE: "service", names.SLO: "objective"},
        _columns(slos, policies, timing),
        sort_by="budget left",
        link={
            "title": "Dashboard of ${__value.text}",
            "url": f"/d/{names.dashboard_uid('')}${{__value.text}}",
        },
        height=min(20, 4 + len(slos)),
    )


def _columns(slos: Sequence[SLO], policies: Mapping[str, BurnPolicy], timing: Timing) -> list[Column]:
    left, objective = _recorded(names.BUDGET_LEFT, timing), _recorded(names.OBJECTIVE, timing)
    good = Number(1) - (Number(1) - left) * (Number(1) - objective)
    firing = _by_row(_firing(timing)).otherwise(_by_row(left) * 0)
    return [
        Column("promised", _by_row(objective), SHARE),
        Column("good", _by_row(good), SHARE, decimals=3),
        Column("budget left", _by_row(left), SHARE, steps=_LEFT_STEPS, decimals=1),
        Column("bad events left", _by_row(_recorded(names.ERRORS_LEFT, timing)), "short"),
        Column(
            "burn now", _by_row(_burn(slos, policies, timing)), TIMES, steps=_burn_steps(slos, policies), decimals=1
        ),
        Column("alerts firing", firing, "none", steps=_NONE_IS_GOOD),
        Column("events", _by_row(_recorded(names.total(timing.base), timing)), "eps"),
        Column("measured", _by_row(_coverage(slos, timing)), SHARE, steps=COVERED, decimals=1),
    ]


def _burn_steps(slos: Sequence[SLO], policies: Mapping[str, BurnPolicy]) -> Steps:
    pages = [
        tier.factor(slo.window) for slo in slos for tier in _policy(slo, policies).tiers if tier.severity == names.PAGE
    ]
    loud = max(min(pages, default=Decimal("14.4")), Decimal("1.01"))
    return ((None, "green"), (Decimal(1), "orange"), (loud, "red"))


def _budgets(timing: Timing) -> Tile:
    return lines(
        "budgets",
        "Error budget left",
        "Each line is an objective; below zero it is missed.",
        [Query(_recorded(names.BUDGET_LEFT, timing), "{{service}}/{{slo}}")],
        unit=SHARE,
        interval=timing.real(timing.slow_evaluation),
    )


def _burns(slos: Sequence[SLO], policies: Mapping[str, BurnPolicy], timing: Timing) -> Tile:
    return lines(
        "burns",
        "Burn rate now",
        "Each line is an objective, over the long window of its fastest pair. The line is an even burn.",
        [Query(_burn(slos, policies, timing), "{{service}}/{{slo}}")],
        unit=TIMES,
        limit=Decimal(1),
        limit_colour="orange",
        interval=timing.real(timing.evaluation),
    )


def _burn(slos: Sequence[SLO], policies: Mapping[str, BurnPolicy], timing: Timing) -> Expression:
    budget = Number(1) - _recorded(names.OBJECTIVE, timing)
    ratio = _each(slos, lambda slo: queries.page_window(_policy(slo, policies)), names.error_ratio, timing)
    return ratio / budget


def _coverage(slos: Sequence[SLO], timing: Timing) -> Expression:
    return _each(slos, lambda slo: slo.budget_window, names.coverage, timing)


def _each(
    slos: Sequence[SLO],
    window_of: Callable[[SLO], names.Window],
    metric_of: Callable[[names.Window], str],
    timing: Timing,
) -> Expression:
    """One series for each SLO, of the window that is its own.

    The window that most SLOs use is asked for once for all; SLOs with another one are named before
    it, because an SLO also records windows of its other tiers.
    """
    windows = [window_of(slo) for slo in slos]
    usual = max(sorted(set(windows), key=_length), key=windows.count, default=timedelta(hours=1))
    expression: Expression = _recorded(metric_of(usual), timing)
    others = sorted(
        (slo for slo in slos if window_of(slo) != usual), key=lambda slo: (_length(window_of(slo)), slo.identity)
    )
    for window, group in groupby(others, key=window_of):
        for slo in group:
            expression = recorded(metric_of(window), slo, timing).otherwise(expression)
    return expression


def _length(window: names.Window) -> tuple[timedelta, str]:
    return (LONGEST[window], window) if isinstance(window, str) else (window, "")


def _policy(slo: SLO, policies: Mapping[str, BurnPolicy]) -> BurnPolicy:
    return policies.get(slo.identity, DEFAULT_POLICY)


def _by_row(expression: Expression) -> Expression:
    """Without the metric's name, so that Grafana can join the columns into rows."""
    return expression.sum(by=_ROWS_BY)


def _recorded(metric: str, timing: Timing) -> Selector:
    scale = (equals(names.SCALE, str(timing.scale)),) if timing.scale != 1 else ()
    return Selector(metric, scale)


def _firing(timing: Timing) -> Selector:
    return _recorded("ALERTS", timing).matching(equals("alertstate", "firing"), Matcher(names.TIER, "!=", ""))
