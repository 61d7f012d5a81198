"""Absence is an alert of its own: nobody can be scraped, or what is counted does not exist.

It is keyed on scrape health, not on a silent counter: no traffic at night is no absence.
"""

from collections.abc import Sequence
from datetime import timedelta

from sloproof import names
from sloproof.alerts.burn_alerts import Links
from sloproof.alerts.cause import grouped
from sloproof.alerts.recording import identity_labels, recorded
from sloproof.alerts.rule_model import AlertRule, RuleGroup
from sloproof.alerts.severity import Severity
from sloproof.alerts.template import literal
from sloproof.alerts.timing import Timing
from sloproof.definition import Definition, Length, format_duration
from sloproof.promql import Binary, Number, Selector, call, equals
from sloproof.slo import SLO, Service

FEWEST_SCRAPES = 2
"""A single failed scrape is no absence."""


class AbsenceAlerts(Definition):
    """When missing data is told, and to whom.

    Args:
        target_down: severity when none of a service's targets can be scraped; None for no such alert.
        target_down_for: how long that must last; two scrapes at least.
        no_series: severity when targets are scraped and an objective's events are not there; None for no such alert.
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
    """One alert for the service's targets, and one for each objective's events; as `absence_groups`."""
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
        | _addresses(alert, service, links),
    )


def _no_series(slo: SLO, severity: Severity, absence: AbsenceAlerts, timing: Timing, links: Links) -> AlertRule:
    alert, service = names.absent_alert(slo.service.name, slo.name), slo.service
    missing = call("absent", recorded(names.total(timing.base), slo, timing))
    healthy = call("scalar", call("max", scraped(service)))  # NaN without a target: then the other alert speaks
    hold = _patience(absence.no_series_for, timing)
    return AlertRule(
        alert=alert,
        expression=(missing * healthy).above(0),
        hold=hold,
        labels=identity_labels(slo, timing) | _told(service, severity),
        annotations={
            "summary": f"{service.name} {slo.name}: nothing is measured although its targets are scraped",
            "description": literal(
                f"Targets of the job `{service.job}` answer scrapes, and the events of this objective have not been "
                f"there for {format_duration(hold)}: its selector matches no series, the metric was renamed, or the "
                "rules are not loaded. This objective is not met, it is unknown. First: paste the total of "
                "the runbook's query into Prometheus."
            ),
        }
        | _addresses(alert, service, links),
    )


def _told(service: Service, severity: Severity) -> dict[str, str]:
    return {names.SEVERITY: severity, names.OWNER: literal(service.owner), names.KIND: names.ABSENT}


def _addresses(alert: str, service: Service, links: Links) -> dict[str, str]:
    return {
        "runbook_url": links.runbook.format(alert=alert),
        "dashboard_url": links.dashboard.format(uid=names.dashboard_uid(service.name)),
    }


def _patience(nominal: timedelta, timing: Timing) -> timedelta:
    return max(timing.real(nominal), timing.scrape * FEWEST_SCRAPES)
