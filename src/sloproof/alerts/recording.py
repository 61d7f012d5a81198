"""The hybrid recording rules: two event-weighted series, and every window derived from them or from the raw series.

The windows of the fast page (up to an hour) read the raw series, so that it is not delayed by the
recorded step (120-150 s otherwise). All other windows and the budget are sums of the two recorded series:
65 times fewer samples than windows over 2,000 raw series, and a true ratio of sums.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache

from sloproof import names
from sloproof.alerts.calendar_window import elapsed_ratio, elapsed_seconds, phase_rules, since_start
from sloproof.alerts.policy import BurnPolicy
from sloproof.alerts.rule_model import RecordingRule
from sloproof.alerts.timing import Timing
from sloproof.promql import Binary, Expression, Number, Selector, call, equals, replaced
from sloproof.slo import SLO

RAW_UP_TO = timedelta(hours=1)
"""Pairs whose long window is up to this length are computed from the raw series."""


def identity_labels(slo: SLO, timing: Timing) -> dict[str, str]:
    """The labels of every series of an SLO; the scale only where windows are divided."""
    return _identity(slo.service.name, slo.name, timing.scale)


def recorded(metric: str, slo: SLO, timing: Timing) -> Selector:
    """The recorded series of this name that belongs to the SLO."""
    return _recorded(metric, slo.service.name, slo.name, timing.scale)


def base_rules(slo: SLO, timing: Timing) -> list[RecordingRule]:
    """The two series everything longer is derived from: bad and all events per second."""
    labels, total = identity_labels(slo, timing), names.total(timing.base)
    window = timing.real(timing.base)
    rules = [
        RecordingRule(total, slo.total(window), labels),
        RecordingRule(names.errors(timing.base), _errors_beside(total, slo, window, timing), labels),
    ]
    period = calendar_of(slo, timing)
    if period is None:
        return rules
    return rules + [one for rule in rules for one in phase_rules(recorded(rule.record, slo, timing), period, labels)]


def calendar_of(slo: SLO, timing: Timing) -> names.CalendarPeriod | None:
    """The period of the calendar that the budget is kept over; None where the budget's window rolls.

    A divided month has no place in the calendar: where windows are divided it rolls, under the same names.
    """
    return slo.calendar if timing.scale == 1 else None


def raw_windows(policy: BurnPolicy) -> frozenset[timedelta]:
    """The windows of the fast pages: read from the raw series, so that detection is not delayed."""
    return frozenset(w for tier in policy.tiers if tier.long <= RAW_UP_TO for w in (tier.short, tier.long))


def window_rules(
    slo: SLO, windows: Iterable[timedelta], raw: frozenset[timedelta], timing: Timing
) -> list[RecordingRule]:
    """The error ratio of each window, ratio of 1; absent while there is no traffic."""
    return [
        rule
        for window in windows
        for rule in (
            _raw_rules(slo, window, timing)
            if window in raw and not slo.by_slices
            else [
                RecordingRule(
                    names.error_ratio(window), _derived_ratio(slo, window, timing), identity_labels(slo, timing)
                )
            ]
        )
    ]


def count_rule(slo: SLO, window: timedelta, raw: frozenset[timedelta], timing: Timing) -> RecordingRule:
    """Bad events seen in a window, a count: the floor under which an alert keeps quiet.

    Args:
        slo: the objective.
        window: how far back it counts.
        raw: the windows that are read from the raw series; no other one has a total of its own.
        timing: intervals and scale.
    """
    if window in raw and not slo.by_slices and window != timing.base:
        # Both were recorded a moment ago; the raw series are read once for all three.
        rate = recorded(names.error_ratio(window), slo, timing) * recorded(names.total(window), slo, timing)
        counted: Expression = rate * Number(_seconds(timing.real(window)))
    elif window in raw and not slo.by_slices:
        counted = slo.errors(timing.real(window)) * Number(_seconds(timing.real(window)))
    else:
        counted = _sum_of(names.errors(timing.base), slo, window, timing) * Number(
            _seconds(timing.real(timing.evaluation))
        )
    return RecordingRule(names.error_count(window), counted, identity_labels(slo, timing))


def budget_rules(slo: SLO, timing: Timing) -> list[RecordingRule]:
    """The whole budget window: its error ratio, what is left of it, and how much of the window was measured."""
    labels, window = identity_labels(slo, timing), slo.budget_window
    step = Number(_seconds(timing.real(timing.evaluation)))
    bad, total = (recorded(name(window), slo, timing) for name in (names.error_count, names.total_count))
    ratio = recorded(names.error_ratio(window), slo, timing)
    spent = ratio / Number(slo.budget)
    return [
        RecordingRule(bad.metric, _of_budget_window("sum_over_time", names.errors, slo, timing) * step, labels),
        RecordingRule(total.metric, _of_budget_window("sum_over_time", names.total, slo, timing) * step, labels),
        RecordingRule(ratio.metric, bad / total.above(0), labels),
        RecordingRule(names.BUDGET_LEFT, _left(spent, slo, timing), labels),
        RecordingRule(names.ERRORS_LEFT, total * Number(slo.budget) - bad, labels),
        RecordingRule(names.coverage(window), _coverage(slo, timing), labels),
        *_period_rules(slo, spent, timing),
        RecordingRule(names.OBJECTIVE, call("vector", Number(slo.objective / 100)), labels),
        RecordingRule(names.INFO, call("vector", Number(1)), labels | _description(slo)),
    ]


def allowed_rule(slo: SLO, timing: Timing) -> RecordingRule:
    """Bad events that the budget allows at the traffic of its window, a count; of a whole period of the calendar."""
    allowed = recorded(names.total_count(slo.budget_window), slo, timing) * Number(slo.budget)
    if calendar_of(slo, timing) is not None:
        allowed = allowed / _elapsed(slo, timing)
    return RecordingRule(names.ERRORS_ALLOWED, allowed, identity_labels(slo, timing))


def whole_budget_left(slo: SLO, timing: Timing) -> Selector:
    """The share of the whole window's budget that is left, at even traffic.

    A month that has just begun, and an objective that is half an hour old, have few events, and a few bad ones are all
    that these allow; so whoever foresees or warns asks for the share of the whole window.
    """
    return recorded(names.PERIOD_BUDGET_LEFT, slo, timing)


def shown_budget_left(slo: SLO, timing: Timing) -> Selector:
    """The share of the budget that is left as people are shown it: by events, or of a whole period of the calendar."""
    return recorded(names.BUDGET_LEFT, slo, timing) if slo.calendar is None else whole_budget_left(slo, timing)


def _period_rules(slo: SLO, spent: Expression, timing: Timing) -> list[RecordingRule]:
    """What is left of the whole window's budget, and for the calendar how much of its period is over."""
    labels, period = identity_labels(slo, timing), calendar_of(slo, timing)
    if period is None:
        measured = call("clamp_max", recorded(names.coverage(slo.window), slo, timing), Number(1))
        return [RecordingRule(names.PERIOD_BUDGET_LEFT, Number(1) - spent * measured, labels)]
    return [
        RecordingRule(names.PERIOD_ELAPSED, elapsed_ratio(period, timing), labels),
        RecordingRule(names.PERIOD_BUDGET_LEFT, _left(spent * _elapsed(slo, timing), slo, timing), labels),
    ]


def _left(spent: Expression, slo: SLO, timing: Timing) -> Expression:
    """What is left when this share is spent; a period of the calendar that is still without traffic is whole."""
    left = Number(1) - spent
    if calendar_of(slo, timing) is None:
        return left
    return left.otherwise(recorded(names.total_count(slo.budget_window), slo, timing) * 0 + 1)


def _coverage(slo: SLO, timing: Timing) -> Expression:
    """Measured steps of the budget window over all of its steps that are over."""
    measured, period = _of_budget_window("count_over_time", names.total, slo, timing), calendar_of(slo, timing)
    if period is None:
        return measured / Number(timing.slo_steps(slo.window))
    share = measured * Number(_seconds(timing.evaluation)) / elapsed_seconds(period, timing)
    return call("clamp_max", share, Number(1))


def _elapsed(slo: SLO, timing: Timing) -> Expression:
    return call("scalar", recorded(names.PERIOD_ELAPSED, slo, timing))


def _of_budget_window(function: str, metric_of: Callable[[timedelta], str], slo: SLO, timing: Timing) -> Expression:
    """A function over the samples of a base series in the budget window."""
    series, period = recorded(metric_of(timing.base), slo, timing), calendar_of(slo, timing)
    if period is None:
        return call(function, series.over(timing.real(slo.window)))
    return since_start(function, series, period)


def tier_windows(policy: BurnPolicy) -> list[timedelta]:
    """Every window of a policy once, shortest first."""
    return sorted({window for tier in policy.tiers for window in (tier.short, tier.long)})


def _identity(service: str, slo: str, scale: int) -> dict[str, str]:
    labels = {names.SERVICE: service, names.SLO: slo}
    return labels if scale == 1 else labels | {names.SCALE: str(scale)}


@lru_cache(maxsize=1024)  # the rules and texts of an objective read its two dozen series a hundred times
def _recorded(metric: str, service: str, slo: str, scale: int) -> Selector:
    matchers = tuple(equals(label, value) for label, value in _identity(service, slo, scale).items())
    return Selector(metric, matchers)


def _description(slo: SLO) -> dict[str, str]:
    return {names.OWNER: slo.service.owner, "objective": str(slo.objective), "job": slo.service.job}


def _raw_rules(slo: SLO, window: timedelta, timing: Timing) -> list[RecordingRule]:
    """The ratio from the raw series; its total is recorded first, so that the raw series are read only once."""
    labels, real = identity_labels(slo, timing), timing.real(window)
    if window == timing.base:  # the base group records this total, at another moment
        return [RecordingRule(names.error_ratio(window), slo.errors(real) / slo.total(real).above(0), labels)]
    total = names.total(window)
    ratio = _errors_beside(total, slo, real, timing) / recorded(total, slo, timing).sum(by=slo.by).above(0)
    return [RecordingRule(total, slo.total(real), labels), RecordingRule(names.error_ratio(window), ratio, labels)]


def _errors_beside(total: str, slo: SLO, window: timedelta, timing: Timing) -> Expression:
    """The errors of a window whose total was recorded by the rule before; the sum drops the recorded identity."""
    return replaced(slo.errors(window), slo.total(window), recorded(total, slo, timing).sum(by=slo.by))


def _derived_ratio(slo: SLO, window: timedelta, timing: Timing) -> Binary:
    bad = _sum_of(names.errors(timing.base), slo, window, timing)
    return bad / _sum_of(names.total(timing.base), slo, window, timing).above(0)


def _sum_of(metric: str, slo: SLO, window: timedelta, timing: Timing) -> Expression:
    return call("sum_over_time", recorded(metric, slo, timing).over(timing.real(window)))


def _seconds(duration: timedelta) -> Decimal:
    return Decimal(duration // timedelta(microseconds=1)) / Decimal(1_000_000)
