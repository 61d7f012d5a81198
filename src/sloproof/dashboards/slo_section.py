"""The panels of one SLO, in the order in which somebody on call asks: how bad, how fast, since when, where."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sloproof import names
from sloproof.alerts import BurnPolicy, BurnTier, Links, Timing
from sloproof.alerts.burn_alerts import percent
from sloproof.alerts.recording import recorded
from sloproof.dashboards import queries
from sloproof.dashboards.tiles import (
    COVERED,
    SHARE,
    TIMES,
    Query,
    Section,
    Steps,
    Tile,
    lines,
    stat,
    states,
    text,
    whole_unit,
)
from sloproof.definition import format_duration, plain
from sloproof.promql import Expression
from sloproof.slo import SLO

_GOOD_ABOVE_ZERO: Steps = ((None, "red"), (Decimal(0), "green"))


def slo_section(slo: SLO, policy: BurnPolicy, timing: Timing, links: Links) -> Section:
    """Everything about one SLO.

    Args:
        slo: the objective.
        policy: its burn tiers.
        timing: intervals and scale of the rules that record its series.
        links: where its runbooks are.

    Returns:
        A section headed by the objective in words.
    """
    title = f"{slo.name}: {plain(slo.objective)} % {slo.sli.sentence()}, over {slo.promised_over}"
    tiles = [
        *_figures(slo, policy, timing),
        _alerts(slo, policy, timing),
        _runbooks(slo, policy, links),
        *(_pair(slo, tier, len(policy.tiers), timing, links) for tier in policy.tiers),
        _ratios(slo, policy, timing),
        _burn_down(slo, timing),
        _events(slo, timing),
        *_bad_by_instance(slo, timing),
        *_latency(slo, timing),
    ]
    return Section(slo.name, title, tuple(tiles))


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
        f"What is promised: this share of events is {slo.sli.sentence()}, over {slo.promised_over}.",
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
            Query(_lowest(queries.indicator(now, slo, timing), slo)),
            unit=SHARE,
            steps=judged,
            decimals=places + 1,
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
            f"How long the rest lasts if it burns on as in the last {format_duration(now)}; zero when it is gone.",
            Query(_lowest(queries.seconds_left(now, slo, timing), slo)),
            unit="s",
            steps=_urgency(slo, policy, timing),
            decimals=1,
            mappings=[_far_away(slo, timing)],
        ),
        stat(
            "burn-now",
            f"Burn rate, {format_duration(now)}",
            "How many times too fast the budget is spent: 1 spends exactly all of it over its window.",
            Query(_highest(queries.burn(now, slo, timing), slo)),
            unit=TIMES,
            steps=((None, "green"), (Decimal(1), "orange"), (_lowest_page(slo, policy), "red")),
            decimals=1,
            loud=True,
        ),
    ]


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


def _alerts(slo: SLO, policy: BurnPolicy, timing: Timing) -> Tile:
    asked = [Query(queries.alert_state(tier, slo, timing), f"{tier.name} ({tier.severity})") for tier in policy.tiers]
    return states(
        "alerts",
        "Alerts",
        "The state of each burn alert. A gap means that its window was not measured, which is not the same as quiet.",
        asked,
        named=queries.ALERT_STATES,
        width=16,
        interval=timing.real(timing.evaluation),
    )


def _runbooks(slo: SLO, policy: BurnPolicy, links: Links) -> Tile:
    rows = []
    for tier in policy.tiers:
        alert = names.burn_alert(slo.service.name, slo.name, tier.name)
        cells = (tier.name, _pair_name(tier), percent(tier.threshold(slo)), _reference(alert, links))
        rows.append(f"| {' | '.join(cells)} |")
    content = "\n".join(["| tier | pair | fires above | runbook |", "|---|---|---|---|", *rows])
    return text(
        "runbooks",
        "Runbooks",
        "One page for each alert: what it means, what to look at, how to stop it.",
        content,
        width=8,
        height=3 + len(policy.tiers),
    )


def _address(alert: str, links: Links) -> str:
    return links.runbook.format(alert=alert)


def _reference(alert: str, links: Links) -> str:
    """A link where the address works from Grafana; a path in the repository is only named."""
    address = _address(alert, links)
    return f"[{alert}]({address})" if _reachable(address) else f"`{address}`"


def _reachable(address: str) -> bool:
    return address.startswith(("http://", "https://", "/"))


def _pair_name(tier: BurnTier) -> str:
    return f"{format_duration(tier.long)}/{format_duration(tier.short)}"


def _pair(slo: SLO, tier: BurnTier, count: int, timing: Timing, links: Links) -> Tile:
    alert, factor = names.burn_alert(slo.service.name, slo.name, tier.name), tier.factor(slo.window)
    address = _address(alert, links)
    corner = [{"title": f"Runbook of {alert}", "url": address, "targetBlank": True}] if _reachable(address) else []
    return lines(
        f"burn-{tier.name}",
        f"Burn, {tier.name} pair {_pair_name(tier)}",
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


def _burn_down(slo: SLO, timing: Timing) -> Tile:
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


def _bad_by_instance(slo: SLO, timing: Timing) -> list[Tile]:
    counters = slo.sli.counters()
    if counters is None:
        return []
    return [
        lines(
            "bad-by-instance",
            "Bad events by instance",
            "Bad events per second as each scraped target counts them. One line above the rest points at a place, all "
            "of them together at something they share.",
            [Query(queries.bad_by(["instance"], counters), "{{instance}}")],
            unit="eps",
            interval=timing.scrape,
        )
    ]


def _latency(slo: SLO, timing: Timing) -> list[Tile]:
    buckets = slo.sli
    if not isinstance(buckets, queries.CountedByHistogram):
        return []
    shares = sorted({Decimal("0.5"), Decimal("0.95"), Decimal("0.99"), slo.objective / 100})
    size = timedelta(milliseconds=1) if buckets.unit == "milliseconds" else timedelta(seconds=1)
    return [
        lines(
            "latency",
            "Latency",
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


def _lowest(expression: Expression, slo: SLO) -> Expression:
    """One figure for an objective with groups: that of the worst one, where less is worse."""
    return expression.smallest() if slo.by else expression


def _highest(expression: Expression, slo: SLO) -> Expression:
    """One figure for an objective with groups: that of the worst one, where more is worse."""
    return expression.largest() if slo.by else expression


def _each(legend: str, slo: SLO) -> str:
    """A line's name, with the group that it belongs to."""
    return " ".join([legend, *(f"{{{{{label}}}}}" for label in slo.by)])
