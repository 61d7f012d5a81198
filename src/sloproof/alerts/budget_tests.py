"""promtool cases for budget alerts: each fires when it must, and keeps quiet when it must not."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from sloproof import names
from sloproof.alerts.budget_alerts import BudgetAlerts, budget_group
from sloproof.alerts.burn_alerts import Links
from sloproof.alerts.cause_tests import MARGIN, TestCase, case
from sloproof.alerts.policy import BurnPolicy
from sloproof.alerts.recording import recorded
from sloproof.alerts.rule_model import RecordingRule
from sloproof.alerts.timing import Timing
from sloproof.definition import plain
from sloproof.slo import SLO

STEP = timedelta(seconds=30)
LAYER = "minutes"
TRAFFIC = 100_000
"""Events per second in the cases: enough that 99.999 % allows more bad events in minutes than a floor asks for."""
BEYOND, SHORT_OF = Decimal("1.25"), Decimal("0.8")
"""The values that fire and that keep quiet, as multiples of the limit."""
HALF = Decimal("0.5")
"""How much of a period of the calendar is over in the cases: enough is left for every forecast."""
UNLUCKY = Decimal("0.0001")
"""Bad events per second that stay under every floor for as long as a case lasts."""


def budget_cases(slo: SLO, policy: BurnPolicy, alerts: BudgetAlerts, timing: Timing) -> list[TestCase]:
    """The cases of an SLO's budget alerts, at real windows.

    Args:
        slo: the objective.
        policy: its burn policy.
        alerts: which alerts, with their limits.
        timing: intervals of the generated rules, at scale 1.
    """
    return list(_budget_cases(slo, policy, alerts, timing))


def _budget_cases(slo: SLO, policy: BurnPolicy, alerts: BudgetAlerts, timing: Timing) -> Iterator[TestCase]:
    feed = _Feed(slo, policy, alerts, timing)
    after = -(-alerts.hold // STEP) * STEP + STEP * MARGIN
    if alerts.below is not None:
        limit, alert = alerts.below / 100, names.budget_low_alert(slo.service.name, slo.name)
        for words, share, bad, fires in (
            ("fires below its limit", limit * SHORT_OF, Decimal(1), 1),
            ("keeps quiet above its limit", limit * BEYOND, Decimal(1), 0),
            ("keeps quiet after one bad event", limit * SHORT_OF, UNLUCKY, 0),
        ):
            yield _case(alert, words, feed.series(share, bad / TRAFFIC, after), after, fires)
    if alerts.exhausted_within is not None and alerts.forecasts(slo):
        alert = names.budget_forecast_alert(slo.service.name, slo.name)
        left = Decimal(str(alerts.exhausted_within / slo.window))  # then a burn rate of 1 is the limit
        for words, burn, fires in (("fires in time", BEYOND, 1), ("keeps quiet at a slower rate", SHORT_OF, 0)):
            yield _case(alert, words, feed.series(left, min(Decimal(1), slo.budget * burn), after), after, fires)
    if alerts.reviews(slo):
        alert, limit = names.burn_review_alert(slo.service.name, slo.name), alerts.review_limit(slo)
        for words, ratio, fires in (("fires after much", BEYOND, 1), ("keeps quiet after less", SHORT_OF, 0)):
            yield _case(alert, words, feed.series(Decimal(1), min(Decimal(1), limit * ratio), after), after, fires)


class _Feed:
    """The recorded series of an SLO, without those that its budget group records itself."""

    def __init__(self, slo: SLO, policy: BurnPolicy, alerts: BudgetAlerts, timing: Timing) -> None:
        self._slo, self._timing = slo, timing
        group = budget_group(slo, policy, alerts, timing, Links())
        made = {rule.record for rule in (group.rules if group else ()) if isinstance(rule, RecordingRule)}
        windows = (alerts.rate_over, alerts.review_window)
        self._ratios = {names.error_ratio(window) for window in windows} - made
        self._counts = {names.error_count(window) for window in (*windows, slo.budget_window)} - made

    def series(self, left: Decimal, ratio: Decimal, until: timedelta) -> list[dict[str, str]]:
        """Input series of a steady error ratio and of a share of the budget that is left."""
        values = {
            names.BUDGET_LEFT: left,
            names.PERIOD_BUDGET_LEFT: left,
            **({names.PERIOD_ELAPSED: HALF} if self._slo.calendar else {}),
            names.coverage(self._slo.budget_window): Decimal(1),
            names.errors(self._timing.base): ratio * TRAFFIC,
            names.total(self._timing.base): Decimal(TRAFFIC),
            **dict.fromkeys(sorted(self._ratios), ratio),
            **dict.fromkeys(sorted(self._counts), ratio * TRAFFIC * 3600),
        }
        count = until // STEP + MARGIN
        return [
            _series(str(recorded(metric, self._slo, self._timing)), f"{plain(value)}x{count}")
            for metric, value in values.items()
        ]


def _case(alert: str, words: str, series: list[dict[str, str]], after: timedelta, fires: int) -> TestCase:
    document = case(f"{alert} {words}", alert, STEP, series, [(after, fires)])
    return TestCase(alert, LAYER, STEP, document, kind=words)


def _series(series: str, values: str) -> dict[str, str]:
    return {"series": series, "values": values}
