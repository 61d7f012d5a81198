"""Cause alerts: a limit on something that harms users sooner or later, such as CPU, locks or connections."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from sloproof import names
from sloproof.alerts.burn_alerts import Links
from sloproof.alerts.rule_model import LARGEST_GROUP, AlertRule, RuleGroup
from sloproof.alerts.severity import Severity
from sloproof.alerts.template import literal
from sloproof.alerts.timing import REAL, SCRAPES_IN_BASE_WINDOW, Timing
from sloproof.definition import Definition, Duration, Length, Name, exact, format_duration, plain
from sloproof.promql import Expression, parse_scaled, parse_written
from sloproof.slo import Service


def _measured(text: str) -> str:
    parse_written(text)
    return text


def _one_line(text: str) -> str:
    if "\n" in text or "{{" in text or not text.strip():
        raise ValueError(f"`{text}` is not one static line; values belong into dashboards, or into the expression")
    return text


Threshold = Annotated[Decimal, exact("threshold"), Field(allow_inf_nan=False)]
"""A limit as an exact decimal, given as text or a whole number."""
Sentence = Annotated[str, AfterValidator(_one_line)]
"""One line of plain words, without a template in it."""


class CauseAlert(Definition):
    """A limit on one measured value; it fires when the value stays beyond it.

    Args:
        service: whose alert it is.
        name: what is wrong, such as `high-cpu`; unique within the service.
        expression: PromQL of what is measured, without a comparison; each series is an alert of its own.
        above: it fires above this value; text, kept exact. Exactly one of `above` and `below` is given.
        below: it fires below this value.
        hold: how long the value must stay there (`for`).
        severity: `page` or `critical` wake somebody, `ticket` or `warning` wait for the morning.
        summary: one static sentence on what is wrong.
        first_step: what to open or do first.
        runs_every: how often it is evaluated; as often as the paging rules when it is not given.
        keep_firing_for: how long it goes on firing after the value came back; against flapping.
        measures: what the value is, in words that stand before `is above`: `the share of requests that fail`.
        unit: of the value; `ratio` is told as per cent, `seconds` as a length of time, anything else as it is written.
        consequence: what it does to users when it goes on, one sentence without a full stop.
    """

    service: Service
    name: Name
    expression: Annotated[str, AfterValidator(_measured)]
    above: Threshold | None = None
    below: Threshold | None = None
    hold: Duration
    severity: Severity
    summary: Sentence
    first_step: Sentence
    runs_every: Length | None = None
    keep_firing_for: Duration = timedelta()
    measures: Sentence = "the value of this alert"
    unit: Annotated[str, AfterValidator(_one_line)] | None = None
    consequence: Sentence | None = None

    @model_validator(mode="after")
    def _one_limit(self) -> "CauseAlert":
        if (self.above is None) == (self.below is None):
            raise ValueError("give exactly one of `above` and `below`; a value between two limits takes two alerts")
        return self

    @property
    def alert(self) -> str:
        """The alert's name, unique in a workspace."""
        return names.cause_alert(self.service.name, self.name)

    @property
    def identity(self) -> str:
        """`service/name`, unique among the causes of a workspace."""
        return names.identity(self.service.name, self.name)

    @property
    def limit(self) -> Decimal:
        """The value that must not be passed."""
        found = self.above if self.above is not None else self.below
        assert found is not None  # the constructor saw to it
        return found

    def condition(self, timing: Timing = REAL) -> Expression:
        """The series that are beyond the limit, the windows in the expression divided by the clock's scale."""
        fewest = timing.scrape * SCRAPES_IN_BASE_WINDOW
        measured = parse_scaled(self.expression, timing.scale, fewest)
        return measured.above(self.limit) if self.above is not None else measured.below(self.limit)

    def in_words(self) -> str:
        """The limit as a reader says it: `above 0.85 for 3m`."""
        side = "above" if self.above is not None else "below"
        return f"{side} {plain(self.limit)}" + (f" for {format_duration(self.hold)}" if self.hold else "")


def cause_rule(cause: CauseAlert, timing: Timing, links: Links) -> AlertRule:
    """The rule of one cause.

    Args:
        cause: the definition.
        timing: divides `for` and the windows inside the expression, which keep four scrapes at least.
        links: where the alert points.
    """
    return AlertRule(
        alert=cause.alert,
        expression=cause.condition(timing),
        hold=timing.real(cause.hold),
        keep=timing.real(cause.keep_firing_for),
        labels={
            names.SERVICE: cause.service.name,
            names.SEVERITY: cause.severity,
            names.OWNER: literal(cause.service.owner),
            names.KIND: names.CAUSE,
        },
        annotations={
            "summary": f"{cause.service.name}: {cause.summary}",
            "description": f"It is {{{{ $value | humanize }}}}, {cause.in_words()}. First: {cause.first_step}",
            "runbook_url": links.runbook.format(alert=cause.alert),
            "dashboard_url": links.dashboard.format(uid=names.dashboard_uid(cause.service.name)),
        },
    )


def cause_groups(service: str, causes: Sequence[CauseAlert], timing: Timing, links: Links) -> list[RuleGroup]:
    """The groups of a service's causes, by how often they run, none larger than Mimir allows.

    Args:
        service: the service's name.
        causes: its causes, in the order they are defined.
        timing: intervals and scale.
        links: where the alerts point.
    """
    groups = []
    for interval in dict.fromkeys(cause.runs_every or timing.evaluation for cause in causes):
        rules = [cause_rule(c, timing, links) for c in causes if (c.runs_every or timing.evaluation) == interval]
        part = f"causes-{format_duration(interval)}"
        groups += grouped(names.service_group(service, part), timing.real(interval), rules)
    return groups


def grouped(name: str, interval: timedelta, rules: Iterable[AlertRule]) -> list[RuleGroup]:
    """Rules in groups of a size that every ruler accepts.

    Args:
        name: of the group; further ones get a number.
        interval: how often they run.
        rules: any number of independent rules.
    """
    left = tuple(rules)
    parts = [left[start : start + LARGEST_GROUP] for start in range(0, len(left), LARGEST_GROUP)]
    return [
        RuleGroup(name if number == 1 else f"{name}-{number}", interval, part)
        for number, part in enumerate(parts, start=1)
    ]
