"""promtool cases for budget alerts: each fires when it must, and keeps quiet when it must not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from sloproof import names
from sloproof.alerts.budget_alerts import BudgetAlerts, budget_alert_rules, budget_group
from sloproof.alerts.burn_alerts import Links
from sloproof.alerts.cause_tests import MARGIN, TestCase, case, early
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
BEYOND, SHORT_OF = Decimal("1.05"), Decimal("0.95")
"""The values that fire and that keep quiet, as multiples of the limit."""
HALF = Decimal("0.5")
"""How much of a period of the calendar is over in the cases: enough is left for every forecast."""
OVERSPENT = Decimal("-0.5")


def budget_cases(slo: SLO, policy: BurnPolicy, alerts: BudgetAlerts, timing: Timing) -> list[TestCase]:
    """The cases of an SLO's budget alerts, at real windows.

    Args:
        slo: the objective.
        policy: its burn policy.
        alerts: which alerts, with their limits.
        timing: intervals of the generated rules, at scale 1.
    """
    stage = _Stage(slo, policy, alerts, timing)
    return [*stage.low(), *stage.forecast(), *stage.review()]


@dataclass(frozen=True)
class _Moment:
    """What is recorded of an objective.

    Args:
        left: the share of the whole window's budget that is left.
        ratio: the error ratio of every window.
        covered: how much of the budget's window was measured, ratio of 1.
        lucky: whether fewer bad events were seen than the floor asks for.
    """

    left: Decimal = Decimal(1)
    ratio: Decimal = Decimal(0)
    covered: Decimal = Decimal(1)
    lucky: bool = False


@dataclass(frozen=True)
class _Stage:
    """An objective, its budget alerts, and the series that they read."""

    slo: SLO
    policy: BurnPolicy
    alerts: BudgetAlerts
    timing: Timing

    def low(self) -> Iterator[TestCase]:
        """Little is left."""
        if self.alerts.below is None:
            return
        alert, limit = names.budget_low_alert(self.slo.service.name, self.slo.name), self.alerts.below / 100
        little, ratio = limit * SHORT_OF, self.slo.budget
        yield self.case(alert, "fires below its limit", _Moment(little, ratio), 1)
        yield self.case(alert, "keeps quiet above its limit", _Moment(limit * BEYOND, ratio), 0)
        yield self.case(alert, "keeps quiet after few bad events", _Moment(little, ratio, lucky=True), 0)

    def forecast(self) -> Iterator[TestCase]:
        """What is left will soon be gone."""
        if self.alerts.exhausted_within is None or not self.alerts.forecasts(self.slo):
            return
        alert = names.budget_forecast_alert(self.slo.service.name, self.slo.name)
        left = Decimal(str(self.alerts.exhausted_within / self.slo.window))  # then a burn rate of 1 is the limit
        quick, slow = (min(Decimal(1), self.slo.budget * burn) for burn in (BEYOND, SHORT_OF))
        yield self.case(alert, "fires in time", _Moment(left, quick), 1)
        yield self.case(alert, "keeps quiet at a slower rate", _Moment(left, slow), 0)
        yield self.case(alert, "keeps quiet at few bad events", _Moment(left, quick, lucky=True), 0)
        yield self.case(alert, "keeps quiet when nothing is left", _Moment(OVERSPENT, quick), 0)

    def review(self) -> Iterator[TestCase]:
        """A week has cost too much."""
        if not self.alerts.reviews(self.slo):
            return
        alert, limit = names.burn_review_alert(self.slo.service.name, self.slo.name), self.alerts.review_limit(self.slo)
        much, less = (min(Decimal(1), limit * part) for part in (BEYOND, SHORT_OF))
        yield self.case(alert, "fires after much", _Moment(ratio=much), 1)
        yield self.case(alert, "keeps quiet after less", _Moment(ratio=less), 0)
        yield self.case(alert, "keeps quiet after few bad events of a bad week", _Moment(ratio=much, lucky=True), 0)
        if self.slo.calendar is None:
            half = HALF * Decimal(str(self.alerts.review_window / self.slo.window))
            moment = _Moment(ratio=much, covered=half)
            yield self.case(alert, "keeps quiet when half of the window was measured", moment, 0)

    def case(self, alert: str, words: str, moment: _Moment, fires: int) -> TestCase:
        """A case in which nothing changes."""
        hold = self.alerts.hold
        after = -(-hold // STEP) * STEP + STEP * MARGIN
        (rule,) = (
            rule for rule in budget_alert_rules(self.slo, self.alerts, self.timing, Links()) if rule.alert == alert
        )
        checks = [*(early(hold, STEP) if fires else []), (after, fires)]
        document = case(f"{alert} {words}", rule, STEP, self.series(moment, after), checks)
        return TestCase(alert, LAYER, STEP, document, kind=words)

    def series(self, moment: _Moment, until: timedelta) -> list[dict[str, str]]:
        """Input series of a moment that lasts, without those that the budget group records itself."""
        steps = until // STEP
        bad = self.bad_events(moment, steps)
        values = {**self.figures(moment), **dict.fromkeys(sorted(self.counts()), bad)}
        rate = (
            bad / (steps + 1) / Decimal(str(self.timing.evaluation.total_seconds()))
        )  # so many are counted at `until`
        values[names.errors(self.timing.base)] = rate
        values[names.total(self.timing.base)] = rate / moment.ratio
        return [
            {"series": str(recorded(metric, self.slo, self.timing)), "values": f"{plain(value)}x{steps + MARGIN}"}
            for metric, value in values.items()
        ]

    def bad_events(self, moment: _Moment, steps: int) -> Decimal:
        """In every window, at the end of the case."""
        if moment.lucky:
            return self.slo.minimum_bad_events - HALF
        return max(moment.ratio * TRAFFIC * steps * STEP.seconds, Decimal(self.slo.minimum_bad_events * 2))

    def figures(self, moment: _Moment) -> Mapping[str, Decimal]:
        """The ratios; by events the opposite is left of what is left of the whole window."""
        return {
            names.BUDGET_LEFT: Decimal(1) if moment.left < HALF else OVERSPENT,
            names.PERIOD_BUDGET_LEFT: moment.left,
            **({names.PERIOD_ELAPSED: HALF} if self.slo.calendar else {}),
            names.coverage(self.slo.budget_window): moment.covered,
            **dict.fromkeys(sorted(self.ratios()), moment.ratio),
        }

    def ratios(self) -> set[str]:
        """The error ratios that are recorded elsewhere."""
        windows = (self.alerts.rate_over, self.alerts.review_window)
        return {names.error_ratio(window) for window in windows} - self.made()

    def counts(self) -> set[str]:
        """The counts that are recorded elsewhere."""
        windows = (self.alerts.rate_over, self.alerts.review_window, self.slo.budget_window)
        return {names.error_count(window) for window in windows} - self.made()

    def made(self) -> set[str]:
        """What the budget group records itself."""
        group = budget_group(self.slo, self.policy, self.alerts, self.timing, Links())
        return {rule.record for rule in (group.rules if group else ()) if isinstance(rule, RecordingRule)}
