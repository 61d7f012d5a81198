"""The whole way from the base series of an objective to the alert on what is left of its budget.

The other cases of budget alerts feed what the budget rules record; here these rules are under test: the counts of the
window, its ratio, how much of it was measured, and what is left. promtool loads 10,000 samples a query, so the samples
of a window lie far apart, and rules are evaluated a few times in all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from sloproof import names
from sloproof.alerts.budget_alerts import BudgetAlerts
from sloproof.alerts.budget_tests import TRAFFIC
from sloproof.alerts.calendar_window import PHASES
from sloproof.alerts.proof import Check, Document, ProofCase
from sloproof.alerts.proof_feed import group_labels
from sloproof.alerts.proof_recorded import series_of
from sloproof.alerts.proof_rules import rules_behind, without_records
from sloproof.alerts.proof_traffic import levels
from sloproof.alerts.timing import Timing
from sloproof.promql import Selector, call, equals
from sloproof.slo import LONGEST, SLO

SAMPLES = 720
"""In a window: one an hour in 30 days."""
PARTS = 8
"""Of a window between two evaluations; and half a sample, so that none falls on the edge of a window."""
OF_WINDOW, OF_PERIOD = 9, 5
"""The evaluations after which is asked: the last one's window began after the second one; a first month is not over."""
BEYOND, SHORT_OF = Decimal("0.8"), Decimal("1.2")
"""What is left, as multiples of the limit."""


def budget_left_cases(
    slo: SLO, alerts: BudgetAlerts, timing: Timing, groups: Sequence[Document]
) -> Iterator[ProofCase]:
    """A burst in the middle of the window that spends just enough of the budget, and one that does not.

    Args:
        slo: the objective.
        alerts: its budget alerts; nothing comes of them without a limit.
        timing: intervals of the real rules; the scale is 1.
        groups: the groups of all rules files of the service, as YAML reads them.
    """
    if alerts.below is None:
        return
    stage = _Stage(slo, alerts.severity, timing, groups)
    limit = alerts.below / 100
    fires = Check(
        call("count", stage.firing()), stage.at, 1, "it is silent when the window's events have spent so much"
    )
    quiet = Check(
        call("count", stage.firing()), stage.at, None, "it fires when the window's events have not spent so much"
    )
    yield stage.case("fires when its window has spent enough", limit * BEYOND, fires)
    yield stage.case("quiet when its window has not spent enough", limit * SHORT_OF, quiet)


@dataclass(frozen=True)
class _Stage:
    """An objective, the severity of the alert on its budget, and the rules that are judged."""

    slo: SLO
    severity: str
    timing: Timing
    groups: Sequence[Document]

    @property
    def alert(self) -> str:
        """The alert's name."""
        return names.budget_low_alert(self.slo.service.name, self.slo.name)

    @property
    def step(self) -> timedelta:
        """Between two samples, whole milliseconds and even."""
        return timedelta(milliseconds=-(-self.slo.window // timedelta(milliseconds=SAMPLES * 2)) * 2)

    @property
    def evaluation(self) -> timedelta:
        """Between two evaluations of the rules."""
        return self.step * (SAMPLES // PARTS) + self.step / 2

    @property
    def at(self) -> timedelta:
        """When it is asked."""
        return self.evaluation * (OF_WINDOW if self.slo.calendar is None else OF_PERIOD)

    @property
    def old(self) -> int:
        """How many samples are older than the window."""
        return 0 if self.slo.calendar is not None else (self.at - self.slo.window) // self.step + 1

    def case(self, title: str, left: Decimal, check: Check) -> ProofCase:
        """A window in which so much is left, as a share of the whole budget."""
        burst = SAMPLES // PARTS
        bad = (1 - left) * self.slo.budget * self.whole() / burst * TRAFFIC
        rest = self.at // self.step + 1 - self.old - burst * 2
        # What is older than the window has spent it all: only a window that is too long still sees it.
        worse = Decimal(0) if check.value else bad * PARTS
        errors = levels([(self.old, worse), (burst, Decimal(0)), (burst, bad), (rest, Decimal(0))])
        total = levels([(self.at // self.step + 1, Decimal(TRAFFIC))])
        fed = {self.read(names.errors(self.timing.base)): errors, self.read(names.total(self.timing.base)): total}
        kept = rules_behind(without_records(self.groups, list(fed)), self.alert)
        series = {str(series_of(metric, self.slo, self.timing)): shown for metric, shown in fed.items()}
        return ProofCase(self.alert, title, kept, self.evaluation, self.step, series, (check,))

    def whole(self) -> Decimal:
        """The samples of a whole window, had they come as often as they are recorded; of a period, as fed."""
        if self.slo.calendar is None:
            return Decimal(self.timing.slo_steps(self.slo.window))
        seen = Decimal(self.at // self.step + 1)
        over = (self.at + self.timing.evaluation) / _first_period(self.slo)
        return seen / Decimal(str(over))

    def read(self, base: str) -> str:
        """The base series as the budget reads it; promtool's clock begins in the first period of the calendar."""
        period = self.slo.calendar
        return base if period is None else names.in_phase(base, period, 1, PHASES[period])

    def firing(self) -> Selector:
        """The alert while it fires, for the group that is fed."""
        labels = {
            names.ALERT_NAME: self.alert,
            "alertstate": "firing",
            names.SEVERITY: self.severity,
            **group_labels(self.slo),
        }
        return Selector("ALERTS", tuple(equals(label, value) for label, value in labels.items()))


def _first_period(slo: SLO) -> timedelta:
    """January of 1970, and its first quarter."""
    return LONGEST["month"] if slo.calendar == "month" else timedelta(days=90)
