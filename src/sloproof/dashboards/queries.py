"""What the panels of one SLO ask Prometheus."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Protocol, runtime_checkable

from sloproof import names
from sloproof.alerts import BurnPolicy, BurnTier, Timing
from sloproof.alerts.recording import calendar_of, recorded, shown_budget_left, whole_budget_left
from sloproof.dashboards.expressions import RateInterval
from sloproof.promql import Expression, Matcher, Number, Selector, Subquery, call, equals, parse_selector
from sloproof.slo import SLO, EventCounters

WINDOWS_IN_SIGHT = 10
"""Times to exhaustion are cut here: what lasts ten budget windows is no news."""

_WITHOUT_EVENTS = -1
ALERT_STATES = {
    0: ("quiet", "green"),
    1: ("pending", "orange"),
    2: ("firing", "red"),
    _WITHOUT_EVENTS: ("no events", "blue"),
}


@runtime_checkable
class CountedByHistogram(Protocol):
    """An indicator whose good events are one bucket of a classic histogram."""

    @property
    def threshold(self) -> timedelta:
        """The longest good event."""
        ...

    @property
    def unit(self) -> str:
        """The unit of the bucket edges: `seconds` or `milliseconds`."""
        ...

    def good_bucket(self) -> Selector:
        """The bucket of the good events."""
        ...


def indicator(window: names.Window, slo: SLO, timing: Timing) -> Expression:
    """Good events of all events in the window, ratio of 1."""
    return Number(1) - recorded(names.error_ratio(window), slo, timing)


def burn(window: timedelta, slo: SLO, timing: Timing) -> Expression:
    """How many times too fast the window spent the budget."""
    return recorded(names.error_ratio(window), slo, timing) / Number(slo.budget)


def longest_in_sight(slo: SLO, timing: Timing) -> timedelta:
    """The time to exhaustion beyond which no figure is shown."""
    return timing.real(slo.window) * WINDOWS_IN_SIGHT


def seconds_left(window: timedelta, slo: SLO, timing: Timing) -> Expression:
    """Seconds until the budget is gone, if it burns on as in the window; cut at `longest_in_sight`."""
    left = call("clamp_min", shown_budget_left(slo, timing), Number(0))
    until = left * Number(seconds(timing.real(slo.window))) / burn(window, slo, timing)
    return call("clamp_max", until, Number(seconds(longest_in_sight(slo, timing))))


def burn_down(slo: SLO, timing: Timing) -> Expression:
    """What is left of the budget of the shown range, from 1 at its start; the range must be the SLO's window.

    A budget of the calendar is shown as it is recorded: it starts anew with each period.

    The budget is that of the events that came in the range, so that the line ends at the budget left now.
    """
    if calendar_of(slo, timing) is not None:
        return whole_budget_left(slo, timing)
    window, step = timing.real(slo.window), timing.real(timing.base)
    bad = recorded(names.errors(timing.base), slo, timing) * call("scalar", _since_start())
    spent = call("sum_over_time", Subquery(bad, window, step))
    total = call("sum_over_time", Subquery(recorded(names.total(timing.base), slo, timing), window, step, "end()"))
    return Number(1) - spent / (total * Number(slo.budget))


def even_burn_down(slo: SLO, timing: Timing) -> Expression:
    """What would be left if the budget were spent evenly over the shown range."""
    if calendar_of(slo, timing) is not None:
        return Number(1) - recorded(names.PERIOD_ELAPSED, slo, timing)
    return Number(1) - (_now() - _start()) / Number(seconds(timing.real(slo.window)))


def alert_state(tier: BurnTier, slo: SLO, timing: Timing) -> Expression:
    """2 when the tier's alert fires, 1 while it is pending, 0 when quiet, -1 without events in its window.

    Nothing while the objective is not measured.
    """
    alert = equals(names.ALERT_NAME, names.burn_alert(slo.service.name, slo.name, tier.name))
    alerts = recorded("ALERTS", slo, timing).matching(alert)
    firing = call("max", alerts.matching(equals("alertstate", "firing"))) * 2
    pending = call("max", alerts.matching(equals("alertstate", "pending")))
    judged = call("max", recorded(names.error_ratio(tier.long), slo, timing)) * 0
    counted = call("max", recorded(names.total(timing.base), slo, timing)) * 0 + _WITHOUT_EVENTS
    return firing.otherwise(pending).otherwise(judged).otherwise(counted)


def kept_where_enough(
    figure: Expression, window: timedelta, policy: BurnPolicy, slo: SLO, timing: Timing
) -> Expression:
    """The figure where its window holds enough events, or enough bad ones, for it to say something.

    Enough are as many events as make the threshold of the fastest tier decide, and not its minimum of bad events.

    Args:
        figure: of the objective, one series a group.
        window: that it was taken over.
        policy: of the objective.
        slo: the objective.
        timing: intervals and scale.
    """
    needed = slo.minimum_bad_events / min(Decimal(1), policy.tiers[0].threshold(slo))
    events, bad = (_count(metric(timing.base), window, slo, timing) for metric in (names.total, names.errors))
    enough = events.at_least(Decimal(math.ceil(needed))).otherwise(bad.at_least(slo.minimum_bad_events))
    return figure.both(enough)


def too_few(window: timedelta, slo: SLO, timing: Timing) -> Expression:
    """`FEW` while events of the objective are counted at all; nothing without data."""
    return call("max", _count(names.total(timing.base), window, slo, timing)) * 0 - 1


def _count(metric: str, window: timedelta, slo: SLO, timing: Timing) -> Expression:
    """How many events a window holds, by the recorded rate."""
    counted = call("sum_over_time", recorded(metric, slo, timing).over(timing.real(window)))
    return counted * Number(seconds(timing.real(timing.evaluation)))


def worst_state(slo: SLO, timing: Timing) -> Expression:
    """The worst state of an objective's burn alerts, as `state_of` numbers them."""
    alerts = recorded("ALERTS", slo, timing).matching(Matcher(names.TIER, "!=", ""))
    return _numbered(alerts, slo, timing)


def state_of(alert: str, slo: SLO, timing: Timing) -> Expression:
    """2 when an alert of the objective fires, 1 while it is pending, 0 when quiet; nothing while it has no events."""
    alerts = recorded("ALERTS", slo, timing).matching(equals(names.ALERT_NAME, alert))
    return _numbered(alerts, slo, timing)


def _numbered(alerts: Selector, slo: SLO, timing: Timing) -> Expression:
    firing = call("max", alerts.matching(equals("alertstate", "firing"))) * 2
    pending = call("max", alerts.matching(equals("alertstate", "pending")))
    return firing.otherwise(pending).otherwise(call("max", recorded(names.total(timing.base), slo, timing)) * 0)


def bad_by(labels: Sequence[str], counters: EventCounters) -> Expression:
    """Bad events per second from an SLO's own raw counters, split by labels; zero for those without any."""
    total = _rate_by(labels, counters.total)
    if counters.bad is not None:
        return _rate_by(labels, counters.bad).otherwise(total * 0)
    return call("clamp_min", total - _rate_by(labels, counters.good or counters.total), Number(0))


def all_by(labels: Sequence[str], counters: EventCounters) -> Expression:
    """All events per second from an SLO's own raw counters, split by labels."""
    return _rate_by(labels, counters.total)


def bucket_rate(histogram: str, labels: Sequence[str]) -> Expression:
    """The rate of a classic histogram's buckets, split by labels."""
    selector = parse_selector(histogram)
    return call("rate", RateInterval(selector.renamed(f"{selector.metric}_bucket"))).sum(by=["le", *labels])


def latency_quantile(share: Decimal, buckets: CountedByHistogram) -> Expression:
    """The latency that this share of events stayed within, in the histogram's unit."""
    good = buckets.good_bucket()
    every = replace(good, matchers=tuple(matcher for matcher in good.matchers if matcher.label != "le"))
    return call("histogram_quantile", Number(share), call("rate", RateInterval(every)).sum(by=["le"]))


def page_window(policy: BurnPolicy) -> timedelta:
    """The window by which "now" is judged: the long one of the fastest tier."""
    return policy.tiers[0].long


def seconds(duration: timedelta) -> Decimal:
    """A duration as an exact number of seconds."""
    return Decimal(duration // timedelta(microseconds=1)) / Decimal(1_000_000)


def _rate_by(labels: Sequence[str], counter: str) -> Expression:
    return call("rate", RateInterval(parse_selector(counter))).sum(by=labels)


def _now() -> Expression:
    return call("vector", call("time"))


def _start() -> Expression:
    """The first instant of the shown range; Grafana's own variables ignore a panel's fixed range."""
    second = timedelta(seconds=1)
    return call("max_over_time", Subquery(_now(), second, second, "start()"))


def _since_start() -> Expression:
    """1 from the start of the shown range on, 0 before it."""
    return call("clamp_max", call("clamp_min", _now() - _start(), Number(0)), Number(1))
