"""The panels of one SLO, in the order in which somebody on call asks: how bad, how fast, since when, where."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sloproof import names
from sloproof.alerts import REAL, BurnPolicy, BurnTier, Links, Timing
from sloproof.alerts.burn_alerts import percent
from sloproof.alerts.recording import recorded, shown_budget_left
from sloproof.dashboards import queries
from sloproof.dashboards.breakdown_definition import Breakdown
from sloproof.dashboards.burners import burners
from sloproof.dashboards.frame import NOTE, framed, plain_words
from sloproof.dashboards.latency import latency
from sloproof.dashboards.objective_alerts import OtherAlert, alert_states, pair_name, runbook_table
from sloproof.dashboards.tiles import (
    COVERED,
    GONE,
    SHARE,
    TIMES,
    TOO_FEW,
    Query,
    Section,
    Steps,
    Tile,
    lines,
    stat,
    text,
    whole_unit,
)
from sloproof.dashboards.ways import query_links, runbook_link
from sloproof.definition import format_duration, plain
from sloproof.promql import Expression, Matcher, call, equals
from sloproof.slo import SLO
from sloproof.slo.indicators import names_a_thing

_GOOD_ABOVE_ZERO: Steps = ((None, "red"), (Decimal(0), "green"))


def slo_dashboard(
    slo: SLO,
    policy: BurnPolicy,
    timing: Timing = REAL,
    links: Links = Links(),  # noqa: B008 - frozen, so one value serves every call
    alerts: Sequence[OtherAlert] = (),
    breakdowns: Sequence[Breakdown] = (),
) -> dict[str, Any]:
    """Everything about one SLO: where its alerts send their reader.

    Args:
        slo: the objective.
        policy: its burn tiers.
        timing: intervals and scale of the rules that record its series.
        links: where its runbooks and Prometheus are.
        alerts: its alerts beside the burn tiers.
        breakdowns: of its service, for the question who burns the budget.

    Returns:
        Grafana JSON as plain values, the same for the same definitions.
    """
    promise = _promise(slo)
    pairs = [_pair(slo, tier, len(policy.tiers), timing, links) for tier in policy.tiers]
    since = [_burn_down(slo, timing, links), _ratios(slo, policy, timing), _events(slo, timing)]
    sections = [
        Section("now", f"{slo.name}: {promise}", tuple(_figures(slo, policy, timing))),
        Section(
            "alerts", "", (alert_states(slo, policy, timing, alerts), runbook_table(slo, policy, timing, links, alerts))
        ),
        Section("burn", "How fast it burns: each pair of windows, and the line above which it fires", tuple(pairs)),
        Section("since", "Since when", (*since, *latency(slo, timing))),
        Section("who", "Who burns it", tuple(burners(slo, breakdowns, timing))),
        Section("about", "", (_about(slo),)),
    ]
    return framed(
        names.slo_dashboard(slo.service.name, slo.name),
        f"{slo.service.name} / {slo.name}: {plain(slo.objective)} %",
        f"The objective {slo.identity}: {promise}.",
        [section for section in sections if section.tiles],
        timing,
        tags=("slo", slo.service.name),
        marks=recorded("ALERTS", slo, timing).matching(equals("alertstate", "firing"), Matcher(names.TIER, "!=", "")),
        service=slo.service.name,
        links=(("The service", f"/d/{names.dashboard_uid(slo.service.name)}"),),
    )


def _promise(slo: SLO) -> str:
    """What is promised, in words that fit a heading."""
    good, alone = slo.sli.sentence(), f"a {slo.sli.noun} "
    if names_a_thing(good) and not good.startswith(alone):
        share = f"{plain(slo.objective)} % of {slo.sli.noun}s good over {slo.promised_over}"
        return f"{share}, where a good one is {good}"
    kept = f"of {slo.sli.noun}s {good.removeprefix(alone)}" if good.startswith(alone) else good
    return f"{plain(slo.objective)} % {kept}, over {slo.promised_over}"


def _about(slo: SLO) -> Tile:
    facts = {"Why it matters": slo.description, "Owner": slo.service.owner, "Escalation": slo.service.escalation}
    line = " · ".join(f"**{label}:** {plain_words(fact)}" for label, fact in facts.items() if fact)
    return text(
        "about",
        "About this objective",
        "Why it is promised and who answers for it.",
        f"{line}\n\n{NOTE}",
        width=24,
        height=4,
    )


def _figures(slo: SLO, policy: BurnPolicy, timing: Timing) -> list[Tile]:
    places = max(0, -int(slo.objective.normalize().as_tuple().exponent))
    return [
        _objective(slo, timing, places),
        *_indicator(slo, policy, timing, places),
        *_budget(slo, timing),
        *_speed(slo, policy, timing),
        _coverage(slo, timing),
    ]


def _objective(slo: SLO, timing: Timing, places: int) -> Tile:
    return stat(
        "objective",
        "Objective",
        f"What is promised: {_promise(slo)}.",
        Query(recorded(names.OBJECTIVE, slo, timing)),
        unit=SHARE,
        steps=((None, "text"),),
        decimals=places,
    )


def _indicator(slo: SLO, policy: BurnPolicy, timing: Timing, places: int) -> list[Tile]:
    judged: Steps = ((None, "red"), (slo.objective / 100, "green"))
    now, window = policy.tiers[0].short, names.spelt(slo.window) if slo.calendar is None else slo.window_now
    return [
        stat(
            "indicator",
            f"Good over {window}",
            "The share of events that were good over the whole budget window. Red below the objective.",
            Query(_lowest(queries.indicator(slo.budget_window, slo, timing), slo)),
            unit=SHARE,
            steps=judged,
            decimals=places + 1,
        ),
        stat(
            "indicator-now",
            f"Good, last {format_duration(now)}",
            "The share of events that were good just now. Red below the objective; no traffic shows as no data.",
            Query(_said(queries.indicator(now, slo, timing), now, slo, policy, timing, lowest=True)),
            unit=SHARE,
            steps=judged,
            decimals=places + 1,
            mappings=[TOO_FEW],
        ),
    ]


def _budget(slo: SLO, timing: Timing) -> list[Tile]:
    return [
        stat(
            "budget-left",
            "Error budget left",
            f"The share of the {slo.budget_adjective} error budget ({percent(slo.budget)} of events) that is not "
            "spent. Below zero the objective is missed.",
            Query(_lowest(recorded(names.BUDGET_LEFT, slo, timing), slo)),
            unit=SHARE,
            steps=_GOOD_ABOVE_ZERO,
            decimals=1,
            loud=True,
        ),
        stat(
            "errors-left",
            "Bad events left",
            "So many more bad events may happen, at the traffic of the budget window, before the objective is missed.",
            Query(_lowest(recorded(names.ERRORS_LEFT, slo, timing), slo)),
            unit="short",
            steps=_GOOD_ABOVE_ZERO,
        ),
    ]


def _speed(slo: SLO, policy: BurnPolicy, timing: Timing) -> list[Tile]:
    now = queries.page_window(policy)
    return [
        stat(
            "exhaustion",
            "Budget gone in",
            f"How long the rest lasts if it burns on as in the last {format_duration(now)}.",
            Query(_gone_in(now, slo, policy, timing)),
            unit="s",
            steps=_urgency(slo, policy, timing),
            decimals=1,
            mappings=[TOO_FEW, GONE, _far_away(slo, timing)],
        ),
        stat(
            "burn-now",
            f"Burn rate, {format_duration(now)}",
            "How many times too fast the budget is spent: 1 spends exactly all of it over its window.",
            Query(_said(queries.burn(now, slo, timing), now, slo, policy, timing, lowest=False)),
            unit=TIMES,
            steps=((None, "green"), (Decimal(1), "orange"), (_lowest_page(slo, policy), "red")),
            decimals=1,
            mappings=[TOO_FEW],
            loud=True,
        ),
    ]


def _gone_in(now: timedelta, slo: SLO, policy: BurnPolicy, timing: Timing) -> Expression:
    """Zero where the budget is gone, however few events there are now; else how long it lasts."""
    gone = _lowest(shown_budget_left(slo, timing), slo).at_most(0) * 0
    lasts = _said(queries.seconds_left(now, slo, timing), now, slo, policy, timing, lowest=True)
    return call("max", gone).otherwise(lasts)


def _coverage(slo: SLO, timing: Timing) -> Tile:
    return stat(
        "coverage",
        "Measured",
        f"The share of {slo.window_now} in which this SLO was measured at all. "
        "Every figure here speaks only of that time.",
        Query(_lowest(recorded(names.coverage(slo.budget_window), slo, timing), slo)),
        unit=SHARE,
        steps=COVERED,
        decimals=1,
    )


def _lowest_page(slo: SLO, policy: BurnPolicy) -> Decimal:
    """The burn rate from which somebody is woken; the fastest tier's when none pages."""
    factors = [tier.factor(slo.window) for tier in policy.tiers if tier.severity == names.PAGE]
    return max(min(factors, default=policy.tiers[0].factor(slo.window)), Decimal("1.01"))


def _urgency(slo: SLO, policy: BurnPolicy, timing: Timing) -> Steps:
    """Red while a full budget would page, orange while it would not last its window."""
    window = queries.seconds(timing.real(slo.window))
    return ((None, "red"), (window / _lowest_page(slo, policy), "orange"), (window, "green"))


def _far_away(slo: SLO, timing: Timing) -> Mapping[str, Any]:
    limit = queries.longest_in_sight(slo, timing)
    words = f"over {whole_unit(limit)}"
    result = {"color": "green", "index": 0, "text": words}
    return {"type": "value", "options": {plain(queries.seconds(limit)): result}}


def _pair(slo: SLO, tier: BurnTier, count: int, timing: Timing, links: Links) -> Tile:
    alert, factor = names.burn_alert(slo.service.name, slo.name, tier.name), tier.factor(slo.window)
    ratio = str(recorded(names.error_ratio(tier.long), slo, timing))
    corner = [*runbook_link(alert, links), *query_links(ratio, links)]
    return lines(
        f"burn-{tier.name}",
        f"Burn, {tier.name} pair {pair_name(tier)}",
        f"{alert} fires ({tier.severity}) while both lines are above {plain(factor)}, with at least "
        f"{slo.minimum_bad_events} bad events in {format_duration(tier.long)}. The long window proves that it matters, "
        "the short one that it still goes on.",
        [
            Query(queries.burn(window, slo, timing), _each(format_duration(window), slo))
            for window in (tier.long, tier.short)
        ],
        unit=TIMES,
        limit=factor,
        limit_colour="red" if tier.severity == names.PAGE else "orange",
        width=max(6, 24 // count),
        height=7,
        interval=timing.real(timing.evaluation),
        links=corner,
    )


def _ratios(slo: SLO, policy: BurnPolicy, timing: Timing) -> Tile:
    lengths = {policy.tiers[0].short, policy.tiers[0].long, policy.tiers[-1].long}
    rolling = {slo.window} if slo.calendar is None else set()
    windows = [*sorted(lengths | rolling), *([slo.calendar] if slo.calendar else [])]
    return lines(
        "error-ratio",
        "Bad events of all events",
        f"Each line is a window; the limit is the budget, {percent(slo.budget)}; above it the objective is missed.",
        [
            Query(recorded(names.error_ratio(window), slo, timing), _each(names.spelt(window), slo))
            for window in windows
        ],
        unit=SHARE,
        limit=slo.budget,
        limit_colour="orange",
        interval=timing.real(timing.evaluation),
    )


def _burn_down(slo: SLO, timing: Timing, links: Links) -> Tile:
    window, ends = slo.window_now, "it ends at the budget left now"
    if slo.calendar is not None:
        ends = f"each {slo.calendar} starts with a whole one, which is reckoned at even traffic"
    return lines(
        "burn-down",
        f"Budget burn-down, {window.removeprefix('the ')}",
        f"How the budget of {window} was spent, against an even burn; {ends}. "
        "Steps are incidents. Below the even line the budget runs out early if that goes on.",
        [
            Query(queries.burn_down(slo, timing), _each("left", slo)),
            Query(queries.even_burn_down(slo, timing), "even burn"),
        ],
        unit=SHARE,
        limit=None,
        last=timing.real(slo.longest_window),
        interval=timing.real(timing.base),
        links=query_links(str(recorded(names.BUDGET_LEFT, slo, timing)), links),
    )


def _events(slo: SLO, timing: Timing) -> Tile:
    return lines(
        "events",
        "Events",
        "All events and the bad ones, per second. A ratio over few events says little: look here before you trust it.",
        [
            Query(recorded(names.total(timing.base), slo, timing), _each("all", slo)),
            Query(recorded(names.errors(timing.base), slo, timing), _each("bad", slo)),
        ],
        unit="eps",
        interval=timing.real(timing.evaluation),
    )


def _lowest(expression: Expression, slo: SLO) -> Expression:
    """One figure for an objective with groups: that of the worst one, where less is worse."""
    return expression.smallest() if slo.by else expression


def _said(
    figure: Expression, window: timedelta, slo: SLO, policy: BurnPolicy, timing: Timing, *, lowest: bool
) -> Expression:
    """The worst group's figure of those with enough events; `FEW` where none has them."""
    enough = queries.kept_where_enough(figure, window, policy, slo, timing)
    worst = enough.smallest() if lowest else enough.largest()
    return worst.otherwise(queries.too_few(window, slo, timing))


def _each(legend: str, slo: SLO) -> str:
    """A line's name, with the group that it belongs to."""
    return " ".join([legend, *(f"{{{{{label}}}}}" for label in slo.by)])
