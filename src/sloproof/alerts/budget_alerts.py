"""What burn rates do not say: the budget is nearly gone, will soon be gone, or a week has cost too much."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from sloproof import names
from sloproof.alerts.burn_alerts import Links, percent
from sloproof.alerts.policy import BurnPolicy
from sloproof.alerts.recording import (
    calendar_of,
    count_rule,
    identity_labels,
    recorded,
    tier_windows,
    whole_budget_left,
    window_rules,
)
from sloproof.alerts.rule_model import AlertRule, RecordingRule, RuleGroup
from sloproof.alerts.severity import Severity
from sloproof.alerts.template import PER_CENT, VALUE_LEFT, literal, queried, share_left
from sloproof.alerts.timing import Timing
from sloproof.definition import Definition, Duration, Length, exact, format_duration, plain
from sloproof.promql import Expression, Number, call
from sloproof.slo import SLO

Share = Annotated[Decimal, exact("share"), Field(gt=0, lt=100)]
"""Per cent of the error budget, exact."""


class BudgetAlerts(Definition):
    """The alerts on the error budget itself; a field that is None drops its alert.

    Args:
        below: fires when less than this is left of the budget, per cent.
        exhausted_within: fires when the budget will be gone within this time at the current rate.
        rate_over: the window whose error ratio is the current rate.
        review_share: fires when the review window spent more than this of the whole budget at even traffic, per cent.
        review_window: the window of the review.
        severity: of all three.
        hold: how long a condition must last (`for`).
        applies_to: the SLOs it is for; empty means every SLO without one of its own.
    """

    below: Share | None = Decimal(10)
    exhausted_within: Length | None = timedelta(days=3)
    rate_over: Length = timedelta(days=1)
    review_share: Share | None = Decimal(20)
    review_window: Length = timedelta(days=7)
    severity: Severity = "ticket"
    hold: Duration = timedelta(minutes=5)
    applies_to: tuple[SLO, ...] = ()

    def forecasts(self, slo: SLO) -> bool:
        """Whether the forecast makes sense: its rate is of a shorter window than the budget's."""
        return self.exhausted_within is not None and self.rate_over < slo.window

    def reviews(self, slo: SLO) -> bool:
        """Whether a review makes sense: its window is shorter than the budget's, and a ratio can pass its limit."""
        return self.review_share is not None and self.review_window < slo.window and self.review_limit(slo) < 1

    def review_limit(self, slo: SLO) -> Decimal:
        """The error ratio of the review window above which it spent too much, ratio of 1."""
        return (self.review_share or Decimal(0)) / 100 * _times(slo.window, self.review_window) * slo.budget


def budget_alerts_for(slo: SLO, found: Sequence[BudgetAlerts]) -> BudgetAlerts:
    """The alerts that name this SLO, else the general ones, else the defaults."""
    own = (one for one in found if any(other.identity == slo.identity for other in one.applies_to))
    general = (one for one in found if not one.applies_to)
    return next(own, None) or next(general, None) or BudgetAlerts()


def budget_group(slo: SLO, policy: BurnPolicy, alerts: BudgetAlerts, timing: Timing, links: Links) -> RuleGroup | None:
    """The budget alerts of an SLO and the windows that only they read.

    Args:
        slo: the objective.
        policy: its burn policy; windows that it records are not recorded again.
        alerts: which alerts, with their limits.
        timing: intervals and scale.
        links: where the alerts point.

    Returns:
        A slow group; None when every alert was dropped.
    """
    wanted = [
        *([alerts.rate_over] if alerts.forecasts(slo) else []),
        *([alerts.review_window] if alerts.reviews(slo) else []),
    ]
    known = {*tier_windows(policy), slo.budget_window}
    rules: list[RecordingRule | AlertRule] = [
        *window_rules(slo, sorted(set(wanted) - known), frozenset(), timing),
        *_counts(slo, policy, alerts, timing),
        *budget_alert_rules(slo, alerts, timing, links),
    ]
    name = names.rule_group(slo.service.name, slo.name, "budget")
    return RuleGroup(name, timing.real(timing.slow_evaluation), tuple(rules)) if rules else None


def budget_alert_rules(slo: SLO, alerts: BudgetAlerts, timing: Timing, links: Links) -> list[AlertRule]:
    """The alerts alone, without the series that they read."""
    return list(_alerts(slo, alerts, timing, links))


def _counts(slo: SLO, policy: BurnPolicy, alerts: BudgetAlerts, timing: Timing) -> list[RecordingRule]:
    """The counts of bad events that neither a burn tier nor the budget has recorded already."""
    wanted = [
        *([alerts.rate_over] if alerts.forecasts(slo) else []),
        *([alerts.review_window] if alerts.reviews(slo) else []),
    ]
    known = {slo.budget_window, *(tier.long for tier in policy.tiers)}
    return [count_rule(slo, window, frozenset(), timing) for window in sorted(set(wanted) - known)]


def _alerts(slo: SLO, alerts: BudgetAlerts, timing: Timing, links: Links) -> Iterator[AlertRule]:
    if alerts.below is not None:
        yield _low(slo, alerts, alerts.below, timing, links)
    if alerts.exhausted_within is not None and alerts.forecasts(slo):
        yield _forecast(slo, alerts, alerts.exhausted_within, timing, links)
    if alerts.review_share is not None and alerts.reviews(slo):
        yield _review(slo, alerts, alerts.review_share, timing, links)


def _low(slo: SLO, alerts: BudgetAlerts, share: Decimal, timing: Timing, links: Links) -> AlertRule:
    limit = share / 100
    left, errors = whole_budget_left(slo, timing), recorded(names.ERRORS_LEFT, slo, timing)
    grown = "until the budget has grown again" if slo.calendar is None else f"until the next {slo.calendar} begins"
    return _alert(
        names.budget_low_alert(slo.service.name, slo.name),
        left.below(limit).both(_enough(slo, slo.budget_window, timing)),
        f"less than {percent(limit)} of the error budget is left",
        f"{VALUE_LEFT} of the budget of {slo.window_now} is left at even traffic; by "
        f"{slo.noun}s, {queried(errors, 'humanize', slo.by)} bad ones more; below zero the objective is missed. First: "
        f"stop risky changes to this service {grown}.",
        slo,
        alerts,
        timing,
        links,
    )


def _forecast(slo: SLO, alerts: BudgetAlerts, within: timedelta, timing: Timing, links: Links) -> AlertRule:
    left = whole_budget_left(slo, timing).above(0)
    burn = recorded(names.error_ratio(alerts.rate_over), slo, timing).above(0) / Number(slo.budget)
    seconds_left = left * Number(_seconds(timing.real(slo.window))) / burn
    soon = seconds_left.below(_seconds(timing.real(within)))
    if calendar_of(slo, timing) is not None:  # what would be gone later is a new budget by then
        rest = Number(1) - call("scalar", recorded(names.PERIOD_ELAPSED, slo, timing))
        soon = soon.below(rest * Number(_seconds(slo.window)))
    return _alert(
        names.budget_forecast_alert(slo.service.name, slo.name),
        soon.both(_enough(slo, alerts.rate_over, timing)),
        f"the error budget will be gone within {format_duration(within)} at the current rate",
        f"At the rate of the last {format_duration(alerts.rate_over)} the rest of the budget, "
        f"{queried(whole_budget_left(slo, timing), PER_CENT, slo.by)}, lasts "
        "{{ $value | humanizeDuration }}. First: open the dashboard and find out what has burned since then.",
        slo,
        alerts,
        timing,
        links,
    )


def _review(slo: SLO, alerts: BudgetAlerts, share: Decimal, timing: Timing, links: Links) -> AlertRule:
    window, limit = alerts.review_window, alerts.review_limit(slo)
    spent = recorded(names.error_ratio(window), slo, timing) / Number(slo.budget * _times(slo.window, window))
    return _alert(
        names.burn_review_alert(slo.service.name, slo.name),
        _reviewed(slo, window, limit, timing).both(_enough(slo, window, timing)),
        f"more than {percent(share / 100)} of the error budget went in {format_duration(window)}: time for a review",
        f"{{{{ $value | {PER_CENT} }}}} of {slo.noun}s were bad over {format_duration(window)}, more than "
        f"{percent(_rounded(limit))}: {queried(spent, PER_CENT, slo.by)} of the "
        f"{slo.budget_adjective} budget at even traffic; by {slo.noun}s, "
        f"{share_left(recorded(names.BUDGET_LEFT, slo, timing), slo.by)} of it is left. "
        "First: put a review of this week's incidents and releases on the calendar.",
        slo,
        alerts,
        timing,
        links,
    )


def _reviewed(slo: SLO, window: timedelta, limit: Decimal, timing: Timing) -> Expression:
    """The window's error ratio above its limit, also when what was not measured of the window counts as good."""
    ratio = recorded(names.error_ratio(window), slo, timing)
    if calendar_of(slo, timing) is not None:
        return ratio.above(limit)
    covered = recorded(names.coverage(slo.window), slo, timing) * Number(_times(slo.window, window))
    return ratio.above(limit).both((ratio * call("clamp_max", covered, Number(1))).above(limit))


def _enough(slo: SLO, window: names.Window, timing: Timing) -> Expression:
    """Enough bad events to mean it: one unlucky request spends a quiet service's young budget."""
    return recorded(names.error_count(window), slo, timing).at_least(slo.minimum_bad_events)


def _alert(
    alert: str,
    condition: Expression,
    summary: str,
    description: str,
    slo: SLO,
    alerts: BudgetAlerts,
    timing: Timing,
    links: Links,
) -> AlertRule:
    scaled = f" Windows are divided by {timing.scale} here." if timing.scale != 1 else ""
    return AlertRule(
        alert=alert,
        expression=condition,
        hold=timing.real(alerts.hold),
        labels=identity_labels(slo, timing)
        | {
            names.SEVERITY: alerts.severity,
            names.OWNER: literal(slo.service.owner),
            names.KIND: names.BUDGET,
        },
        annotations={
            "summary": f"{slo.service.name} {slo.name}: {summary}",
            "description": description + scaled,
            "runbook_url": links.runbook.format(alert=alert),
            "dashboard_url": links.dashboard.format(
                uid=names.dashboard_uid(names.slo_dashboard(slo.service.name, slo.name))
            ),
        },
    )


def _times(one: timedelta, other: timedelta) -> Decimal:
    microsecond = timedelta(microseconds=1)
    return Decimal(one // microsecond) / Decimal(other // microsecond)


def _rounded(ratio: Decimal) -> Decimal:
    return Decimal(plain(Decimal(f"{ratio:.4g}")))


def _seconds(duration: timedelta) -> Decimal:
    return Decimal(duration // timedelta(microseconds=1)) / Decimal(1_000_000)
