"""promtool cases for absence alerts: each fires when errors cannot be known, and keeps quiet when nothing happens."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from sloproof import names
from sloproof.alerts.absent import AbsenceAlerts, absence_rules, errors_read, reads_raw, scraped
from sloproof.alerts.burn_alerts import Links
from sloproof.alerts.cause_tests import MARGIN, TestCase, case, early
from sloproof.alerts.input_series import NoInputSeries
from sloproof.alerts.proof_feed import (
    OTHER_GROUP,
    Feed,
    GroupedFeed,
    NoFeed,
    feeds_of,
    group_labels,
    lone_feeds_of,
)
from sloproof.alerts.proof_traffic import Stretch
from sloproof.alerts.recording import recorded
from sloproof.alerts.rule_model import AlertRule
from sloproof.alerts.sample_labels import selects
from sloproof.alerts.timing import Timing
from sloproof.promql import Expression, equals, parse_selector, selectors_in
from sloproof.slo import SLO, Service

STEP = timedelta(seconds=30)
LAYER = "minutes"
NOTHING_MATCHES = "fires when its selector matches nothing"
WITHOUT_TRAFFIC = "keeps quiet without traffic"
TARGET_UP = "keeps quiet while its targets are scraped"
TARGET_DOWN = "keeps quiet when the target is down"


def absence_cases(service: Service, slos: Sequence[SLO], absence: AbsenceAlerts, timing: Timing) -> list[TestCase]:
    """The cases of a service's absence alerts, at real windows.

    Args:
        service: the service.
        slos: its objectives.
        absence: which alerts, how soon.
        timing: intervals of the generated rules, at scale 1.

    Returns:
        Cases that feed the recorded series; raw ones where the alert reads these.
    """
    by_alert = {names.absent_alert(service.name, slo.name): slo for slo in slos}
    found: list[TestCase] = []
    for rule in absence_rules(service, slos, absence, timing, Links()):
        stage = _Stage(rule, service, timing)
        slo = by_alert.get(rule.alert)
        found += stage.target_cases() if slo is None else stage.objective_cases(slo)
    return found


@dataclass(frozen=True)
class _Stage:
    """One absence alert, and the targets of its service.

    Args:
        rule: the alert.
        service: whose targets they are.
        timing: intervals of the generated rules.
    """

    rule: AlertRule
    service: Service
    timing: Timing

    @property
    def after(self) -> timedelta:
        """When it must have fired."""
        return -(-self.rule.hold // STEP) * STEP + STEP * MARGIN

    @property
    def steps(self) -> int:
        """How many samples a series gets after its first one."""
        return self.after // STEP + MARGIN

    def target_cases(self) -> Iterator[TestCase]:
        """Of the alert on the targets."""
        yield self.case("fires when no target answers", self.up(0), 1)
        yield self.case("fires when there is no target", {}, 1)
        yield self.case("keeps quiet while one of two targets answers", self.up(1) | self.up(0, "b"), 0)

    def objective_cases(self, slo: SLO) -> Iterator[TestCase]:
        """Of the alert on an objective's errors."""
        always_there = all(self.reads_up(errors) for errors in errors_read(slo, self.timing))
        title = TARGET_UP if always_there else NOTHING_MATCHES
        yield self.case(title, self.up(1), 0 if always_there else 1)
        yield self.case(TARGET_DOWN, self.up(0), 0)
        if reads_raw(slo):
            yield from self.raw_cases(slo)
        else:
            yield from self.recorded_cases(slo)

    def recorded_cases(self, slo: SLO) -> Iterator[TestCase]:
        """Cases that feed what the base rules record."""
        one = group_labels(slo)
        groups = [one] if group_labels(slo, OTHER_GROUP) == one else [one, group_labels(slo, OTHER_GROUP)]
        totals = {series: value for group in groups for series, value in self.flat(names.total, slo, group).items()}
        errors = [self.flat(names.errors, slo, group) for group in groups]
        yield self.case("fires when its errors cannot be computed", self.up(1) | totals, 1)
        if len(groups) > 1:
            yield self.case("fires when a group's errors cannot be computed", self.up(1) | totals | errors[0], 1)
        every = {series: value for group in errors for series, value in group.items()}
        yield self.case(WITHOUT_TRAFFIC, self.up(1) | totals | every, 0)

    def raw_cases(self, slo: SLO) -> Iterator[TestCase]:
        """Cases that feed raw series, as far as these are known; none is joined with another objective's."""
        try:
            whole = self.quiet(feeds_of(slo, self.timing.scrape, self.timing.base)[:1])
            parts = lone_feeds_of(slo, self.timing.scrape, self.timing.base)
        except (NoFeed, NoInputSeries):
            return
        yield self.case(WITHOUT_TRAFFIC, self.up(1) | whole, 0, alone=True)
        read, other = errors_read(slo, self.timing), group_labels(slo, OTHER_GROUP)
        for number, missing in enumerate(parts, start=1):
            if self.reads_up(read[number - 1]):
                continue  # the series of its targets are there in every case
            others = [part for part in parts if part is not missing]
            title = f"fires when part {number} has no series"
            yield self.case(title, self.up(1) | self.quiet(others), 1, alone=True)
            if other != group_labels(slo):
                lacking = [replace(part, labels=other) for part in others if isinstance(part, GroupedFeed)]
                yield self.case(f"{title} in a group", self.up(1) | whole | self.quiet(lacking), 1, alone=True)

    def up(self, value: int, instance: str = "a") -> dict[str, str]:
        """The series of a target."""
        return {str(scraped(self.service).matching(equals("instance", instance))): f"{value}x{self.steps}"}

    def reads_up(self, errors: Expression) -> bool:
        """Whether errors are computed from the scrapes of the service's own targets."""
        (series,) = map(parse_selector, self.up(1))
        return any(selects(selector, series) for selector in selectors_in(str(errors)))

    def flat(self, metric_of: Callable[[timedelta], str], slo: SLO, group: Mapping[str, str]) -> dict[str, str]:
        """A recorded series of one group, at zero."""
        labels = [equals(label, value) for label, value in group.items()]
        series = recorded(metric_of(self.timing.base), slo, self.timing).matching(*labels)
        return {str(series): f"0x{self.steps}"}

    def quiet(self, feeds: Sequence[Feed]) -> dict[str, str]:
        """Raw series of feeds to which nothing happens."""
        nothing = [Stretch(self.steps, Decimal(0))]
        return {series: values for feed in feeds for series, values in feed.series(nothing).items()}

    def case(self, words: str, series: Mapping[str, str], fires: int, *, alone: bool = False) -> TestCase:
        """A case that asks how many such alerts fire in the end."""
        name = self.rule.alert
        fed = [{"series": one, "values": values} for one, values in series.items()]
        checks = [*(early(self.rule.hold, STEP) if fires else []), (self.after, fires)]
        document = case(f"{name} {words}", self.rule, STEP, fed, checks)
        return TestCase(name, LAYER, STEP, document, kind="" if alone else words)
