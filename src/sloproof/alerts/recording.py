"""The hybrid recording rules: two event-weighted series, and every window derived from them or from the raw series.

The windows of the fast page (up to an hour) read the raw series, so that it is not delayed by the
recorded step (120-150 s otherwise). All other windows and the budget are sums of the two recorded series:
65 times fewer samples than windows over 2,000 raw series, and a true ratio of sums.
"""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from sloproof import names
from sloproof.alerts.policy import BurnPolicy
from sloproof.alerts.rule_model import RecordingRule
from sloproof.alerts.timing import Timing
from sloproof.promql import Binary, Expression, Number, Selector, call, equals
from sloproof.slo import SLO

RAW_UP_TO = timedelta(hours=1)
"""Pairs whose long window is up to this length are computed from the raw series."""


def identity_labels(slo: SLO, timing: Timing) -> dict[str, str]:
    """The labels of every series of an SLO; the scale only where windows are divided."""
    labels = {names.SERVICE: slo.service.name, names.SLO: slo.name}
    return labels | ({names.SCALE: str(timing.scale)} if timing.scale != 1 else {})


def recorded(metric: str, slo: SLO, timing: Timing) -> Selector:
    """The recorded series of this name that belongs to the SLO."""
    return Selector(metric, tuple(equals(label, value) for label, value in identity_labels(slo, timing).items()))


def base_rules(slo: SLO, timing: Timing) -> list[RecordingRule]:
    """The two series everything longer is derived from: bad and all events per second."""
    labels, window = identity_labels(slo, timing), timing.real(timing.base)
    return [
        RecordingRule(names.errors(timing.base), slo.sli.errors(window), labels),
        RecordingRule(names.total(timing.base), slo.sli.total(window), labels),
    ]


def raw_windows(policy: BurnPolicy) -> frozenset[timedelta]:
    """The windows of the fast pages: read from the raw series, so that detection is not delayed."""
    return frozenset(w for tier in policy.tiers if tier.long <= RAW_UP_TO for w in (tier.short, tier.long))


def window_rules(
    slo: SLO, windows: Iterable[timedelta], raw: frozenset[timedelta], timing: Timing
) -> list[RecordingRule]:
    """The error ratio of each window, ratio of 1; absent while there is no traffic."""
    labels = identity_labels(slo, timing)
    return [
        RecordingRule(names.error_ratio(w), (_raw_ratio if w in raw else _derived_ratio)(slo, w, timing), labels)
        for w in windows
    ]


def count_rule(slo: SLO, window: timedelta, timing: Timing) -> RecordingRule:
    """Bad events seen in a window, a count: the floor under which a burn alert keeps quiet."""
    if window <= RAW_UP_TO:
        real = timing.real(window)
        counted: Expression = slo.sli.errors(real) * Number(_seconds(real))
    else:
        counted = _sum_of(names.errors(timing.base), slo, window, timing) * Number(
            _seconds(timing.real(timing.evaluation))
        )
    return RecordingRule(names.error_count(window), counted, identity_labels(slo, timing))


def budget_rules(slo: SLO, timing: Timing) -> list[RecordingRule]:
    """The whole budget window: its error ratio, what is left of it, and how much of the window was measured."""
    labels, step = identity_labels(slo, timing), _seconds(timing.real(timing.evaluation))
    bad = _sum_of(names.errors(timing.base), slo, slo.window, timing)
    total = _sum_of(names.total(timing.base), slo, slo.window, timing)
    ratio = recorded(names.error_ratio(slo.window), slo, timing)
    measured = call("count_over_time", recorded(names.total(timing.base), slo, timing).over(timing.real(slo.window)))
    expected = Number(timing.slo_steps(slo.window))
    return [
        *window_rules(slo, [slo.window], frozenset(), timing),
        RecordingRule(names.BUDGET_LEFT, Number(1) - ratio / Number(slo.budget), labels),
        RecordingRule(names.ERRORS_LEFT, (total * Number(slo.budget) - bad) * Number(step), labels),
        RecordingRule(names.coverage(slo.window), measured / expected, labels),
        RecordingRule(names.OBJECTIVE, call("vector", Number(slo.objective / 100)), labels),
        RecordingRule(names.INFO, call("vector", Number(1)), labels | _description(slo)),
    ]


def tier_windows(policy: BurnPolicy) -> list[timedelta]:
    """Every window of a policy once, shortest first."""
    return sorted({window for tier in policy.tiers for window in (tier.short, tier.long)})


def _description(slo: SLO) -> dict[str, str]:
    return {names.OWNER: slo.service.owner, "objective": str(slo.objective), "job": slo.service.job}


def _raw_ratio(slo: SLO, window: timedelta, timing: Timing) -> Binary:
    real = timing.real(window)
    return slo.sli.errors(real) / slo.sli.total(real).above(0)


def _derived_ratio(slo: SLO, window: timedelta, timing: Timing) -> Binary:
    bad = _sum_of(names.errors(timing.base), slo, window, timing)
    return bad / _sum_of(names.total(timing.base), slo, window, timing).above(0)


def _sum_of(metric: str, slo: SLO, window: timedelta, timing: Timing) -> Expression:
    return call("sum_over_time", recorded(metric, slo, timing).over(timing.real(window)))


def _seconds(duration: timedelta) -> Decimal:
    return Decimal(duration // timedelta(microseconds=1)) / Decimal(1_000_000)
