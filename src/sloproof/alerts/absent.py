"""Absence is an alert of its own: nobody can be scraped, or what is counted does not exist.

It is keyed on scrape health and on the errors of each objective. Where nothing happens there are no errors, which
is a zero and no absence. Errors that cannot be computed are absent, and no other alert can then speak of them.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import reduce

from sloproof import names
from sloproof.alerts.burn_alerts import Links
from sloproof.alerts.cause import grouped
from sloproof.alerts.recording import identity_labels, recorded
from sloproof.alerts.rule_model import AlertRule, RuleGroup
from sloproof.alerts.severity import Severity
from sloproof.alerts.template import literal
from sloproof.alerts.timing import Timing
from sloproof.definition import Definition, Length, format_duration
from sloproof.promql import Binary, Expression, Number, Selector, call, equals
from sloproof.slo import SLO, Indicator, Service

FEWEST_SCRAPES = 2
"""A single failed scrape is no absence."""


class AbsenceAlerts(Definition):
    """When missing data is told, and to whom.

    Args:
        target_down: severity when none of a service's targets can be scraped; None for no such alert.
        target_down_for: how long that must last; two scrapes at least.
        no_series: severity when targets are scraped and an objective's errors cannot be computed, as a whole, in a
            group or in a part; None for no such alert.
        no_series_for: how long that must last; counters that are born at the first request need patience.
        applies_to: the services it is for; empty means every service without one of its own.
    """

    target_down: Severity | None = "page"
    target_down_for: Length = timedelta(minutes=2)
    no_series: Severity | None = "ticket"
    no_series_for: Length = timedelta(minutes=15)
    applies_to: tuple[Service, ...] = ()


def absence_for(service: Service, found: Sequence[AbsenceAlerts]) -> AbsenceAlerts:
    """The alerts that name this service, else the general ones, else the defaults."""
    own = (one for one in found if any(other.name == service.name for other in one.applies_to))
    general = (one for one in found if not one.applies_to)
    return next(own, None) or next(general, None) or AbsenceAlerts()


def absence_groups(
    service: Service, slos: Sequence[SLO], absence: AbsenceAlerts, timing: Timing, links: Links
) -> list[RuleGroup]:
    """The absence alerts of a service, quick ones: without data every other alert is blind.

    Args:
        service: the service.
        slos: its objectives.
        absence: which alerts, how soon.
        timing: intervals and scale.
        links: where the alerts point.
    """
    rules = absence_rules(service, slos, absence, timing, links)
    return grouped(names.service_group(service.name, "absence"), timing.real(timing.evaluation), rules)


def absence_rules(
    service: Service, slos: Sequence[SLO], absence: AbsenceAlerts, timing: Timing, links: Links
) -> list[AlertRule]:
    """One alert for the service's targets, and one for each objective's errors; as `absence_groups`."""
    down = [] if absence.target_down is None else [_target_down(service, absence.target_down, absence, timing, links)]
    missing = absence.no_series
    return [*down, *(_no_series(slo, missing, absence, timing, links) for slo in slos if missing is not None)]


def scraped(service: Service) -> Selector:
    """Prometheus's own series on the service's targets: 1 where it was scraped."""
    return Selector(names.UP, (equals("job", service.job),))


def _target_down(
    service: Service, severity: Severity, absence: AbsenceAlerts, timing: Timing, links: Links
) -> AlertRule:
    alert, hold = names.target_down_alert(service.name), _patience(absence.target_down_for, timing)
    return AlertRule(
        alert=alert,
        expression=call("absent", Binary(scraped(service), "==", Number(1))),
        hold=hold,
        labels={names.SERVICE: service.name} | _told(service, severity),
        annotations={
            "summary": f"{service.name}: no target can be scraped, so nothing is known of it",
            "description": literal(
                f"No target of the job `{service.job}` has answered a scrape for {format_duration(hold)}: it is down, "
                "or unreachable, or no longer in Prometheus's configuration. All other alerts of this service are "
                "blind meanwhile. First: open Prometheus's page of targets and read the error beside the job."
            ),
        }
        | _addresses(alert, service.name, links),
    )


def errors_read(slo: SLO, timing: Timing) -> tuple[Expression, ...]:
    """What must not be absent: the errors of an objective, or of each part where it is made of parts.

    They are the recorded ones. Raw ones are read where the recorded ones do not tell: a slice is recorded only with
    traffic, and a sum over parts is there as long as one of them is.
    """
    window, parts = timing.real(timing.base), _parts(slo)
    if parts:
        return tuple(dict.fromkeys(part.errors(window, by=slo.by) for part in parts))
    if reads_raw(slo):
        return (slo.sli.errors(window, by=slo.by),)
    return (recorded(names.errors(timing.base), slo, timing),)


def reads_raw(slo: SLO) -> bool:
    """Whether the absence of its errors is read from the raw series; see `errors_read`."""
    return bool(_parts(slo)) or slo.budgeting == "slices"


def _parts(slo: SLO) -> tuple[Indicator, ...]:
    return tuple(part for way in slo.sli.ways_to_fail() for part in way)


def _absent(slo: SLO, timing: Timing) -> Expression:
    """One series when nothing can be computed; else one for each group of events whose errors cannot."""
    read = errors_read(slo, timing)
    missing: list[Expression] = [call("absent", errors) for errors in read]
    if slo.by:
        missing += [_lacking(_events(slo, timing), errors) for errors in read]
    return reduce(lambda one, other: one.otherwise(other), missing)


def _events(slo: SLO, timing: Timing) -> Expression:
    if reads_raw(slo):
        return slo.sli.total(timing.real(timing.base), by=slo.by)
    return recorded(names.total(timing.base), slo, timing)


def _lacking(events: Expression, errors: Expression) -> Expression:
    """1 for each group with events and without errors; none where no group has errors, which is told as a whole."""
    return (events.unless(errors) * 0 + 1).during(errors)


def _no_series(slo: SLO, severity: Severity, absence: AbsenceAlerts, timing: Timing, links: Links) -> AlertRule:
    alert, service = names.absent_alert(slo.service.name, slo.name), slo.service
    healthy = call("scalar", call("max", scraped(service)))  # NaN without a target: then the other alert speaks
    hold = _patience(absence.no_series_for, timing)
    return AlertRule(
        alert=alert,
        expression=(_absent(slo, timing) * healthy).above(0),
        hold=hold,
        labels=identity_labels(slo, timing) | _told(service, severity),
        annotations={
            "summary": f"{service.name} {slo.name}: its errors cannot be computed although its targets are scraped",
            "description": literal(
                f"Targets of the job `{service.job}` answer scrapes, and the errors of this objective could not be "
                f"computed for {format_duration(hold)}: {', '.join(_causes(slo))}. This objective is not met, it is "
                "unknown. First: paste the first query of the runbook into Prometheus."
            ),
        }
        | _addresses(alert, names.slo_dashboard(service.name, slo.name), links),
    )


def _causes(slo: SLO) -> list[str]:
    causes = ["a selector matches no series", "a metric was renamed", "a threshold is no bucket of the histogram"]
    if _parts(slo):
        causes.append("a part has no series while others have")
    return [*causes[:-1], f"or {causes[-1]}"] if reads_raw(slo) else [*causes, "or the rules are not loaded"]


def _told(service: Service, severity: Severity) -> dict[str, str]:
    return {names.SEVERITY: severity, names.OWNER: literal(service.owner), names.KIND: names.ABSENT}


def _addresses(alert: str, dashboard: str, links: Links) -> dict[str, str]:
    return {
        "runbook_url": links.runbook.format(alert=alert),
        "dashboard_url": links.dashboard.format(uid=names.dashboard_uid(dashboard)),
    }


def _patience(nominal: timedelta, timing: Timing) -> timedelta:
    return max(timing.real(nominal), timing.scrape * FEWEST_SCRAPES)
