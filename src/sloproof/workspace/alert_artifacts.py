"""The alerts that are not burn tiers, as files: causes, absences and budgets, with their tests and pages."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from sloproof import names
from sloproof.alerts import (
    AbsenceAlerts,
    AlertRule,
    BudgetAlerts,
    CauseAlert,
    Timing,
    absence_for,
    absence_rules,
    budget_alert_rules,
    budget_alerts_for,
    burn_alert,
    cause_rule,
)
from sloproof.alerts.absence_tests import absence_cases
from sloproof.alerts.absent import errors_read, scraped
from sloproof.alerts.budget_tests import budget_cases
from sloproof.alerts.cause_tests import case_files, cause_tests, not_proven
from sloproof.errors import SloproofError
from sloproof.promql import Binary, Expression, Number
from sloproof.runbooks.asking import jobs_read
from sloproof.runbooks.evidence import Evidence
from sloproof.slo import SLO, Service
from sloproof.workspace.alert_memory import SEEN, AlertMemory
from sloproof.workspace.files import Artifact
from sloproof.workspace.loading import Workspace
from sloproof.workspace.rule_files import other_files, services_with_rules

ExistingPage = Callable[[str], str | None]


@dataclass(frozen=True)
class OwnedAlert:
    """An alert rule and the service it belongs to."""

    rule: AlertRule
    service: Service


def alert_rules(workspace: Workspace, timing: Timing) -> list[OwnedAlert]:
    """Every alert of a workspace, burn tiers first.

    Args:
        workspace: the definitions.
        timing: intervals and scale.
    """
    links, found = workspace.settings.links(), []
    for slo in workspace.slos:
        rules = [burn_alert(slo, tier, timing, links) for tier in workspace.policy(slo).tiers]
        rules += budget_alert_rules(slo, _budget(workspace, slo), timing, links)
        found += [OwnedAlert(rule, slo.service) for rule in rules]
    for service in workspace.services:
        absence = absence_for(service, workspace.all_of(AbsenceAlerts))
        rules = absence_rules(service, workspace.slos_of(service.name), absence, timing, links)
        found += [OwnedAlert(rule, service) for rule in rules]
    found += [OwnedAlert(cause_rule(cause, timing, links), cause.service) for cause in workspace.all_of(CauseAlert)]
    return found


def extra_rules(workspace: Workspace, timing: Timing) -> Iterator[Artifact]:
    """The rules files of causes, and of budgets and absences."""
    return (file.artifact() for file in other_files(workspace, timing))


def extra_tests(workspace: Workspace, *, joined: bool = True) -> Iterator[Artifact]:
    """Their promtool cases, at real windows.

    Args:
        workspace: the definitions.
        joined: whether alerts that are fed alike share a case, which is quicker and tells less apart.
    """
    timing = workspace.settings.timing()
    for service in workspace.services:
        slos, absence = workspace.slos_of(service.name), absence_for(service, workspace.all_of(AbsenceAlerts))
        cases = [
            case for slo in slos for case in budget_cases(slo, workspace.policy(slo), _budget(workspace, slo), timing)
        ] + absence_cases(service, slos, absence, timing)
        files = case_files(service.name, "budget", names.budget_rules_file(service.name), cases, joined=joined)
        yield from (Artifact(f"alerts/tests/{file}", text) for file, text in files.items())
    for name in services_with_rules(workspace):
        tests = cause_tests(name, causes) if (causes := workspace.causes_of(name)) else {}
        yield from (Artifact(f"alerts/tests/{file}", text) for file, text in tests.items())


def unproven_causes(workspace: Workspace) -> list[tuple[str, str]]:
    """The cause alerts that have no promtool case: the alert's name, and why."""
    return not_proven(workspace.all_of(CauseAlert))


def extra_pages(workspace: Workspace, existing: ExistingPage) -> Iterator[Artifact]:
    """Their runbook pages.

    Args:
        workspace: the definitions.
        existing: reads the pages that are there already, by path.

    Raises:
        DamagedPage: a page's markers do not pair up; the message names the page.
    """
    from sloproof.runbooks import absence_page, budget_page, cause_page

    timing, links = workspace.settings.timing(), workspace.settings.links()
    memory = AlertMemory(workspace, existing(SEEN))
    for cause in workspace.all_of(CauseAlert):
        rule = cause_rule(cause, timing, links)
        slos = workspace.slos_of(cause.service.name)
        made = partial(cause_page, rule, cause, slos, timing, prometheus=links.prometheus)
        yield _page(rule, existing, memory, cause.service, made)
    for slo in workspace.slos:
        for rule in budget_alert_rules(slo, _budget(workspace, slo), timing, links):
            made = partial(budget_page, rule, slo, _budget(workspace, slo), timing, prometheus=links.prometheus)
            yield _page(rule, existing, memory, slo.service, made)
    for service in workspace.services:
        absence, slos = absence_for(service, workspace.all_of(AbsenceAlerts)), workspace.slos_of(service.name)
        for rule in absence_rules(service, slos, absence, timing, links):
            asked, jobs = _missing(rule, service, slos, timing)
            made = partial(absence_page, rule, service, asked, timing, jobs=jobs, prometheus=links.prometheus)
            yield _page(rule, existing, memory, service, made)


def _page(
    rule: AlertRule,
    existing: ExistingPage,
    memory: AlertMemory,
    service: Service,
    made: Callable[[str | None, Evidence], str],
) -> Artifact:
    path = f"runbooks/{names.runbook_file(rule.alert)}"
    try:
        return Artifact(path, made(existing(path), memory.evidence(rule.alert, service.name)))
    except SloproofError as error:
        raise type(error)(f"`{path}`: {error.message}", hint=error.hint) from None


def _missing(
    rule: AlertRule, service: Service, slos: Sequence[SLO], timing: Timing
) -> tuple[Sequence[Expression], tuple[str, ...]]:
    """What an absence alert waits for, of each part where it has parts, and the jobs whose targets it is read from."""
    for slo in slos:
        if rule.alert == names.absent_alert(service.name, slo.name):
            return errors_read(slo, timing), jobs_read(slo.sli.selectors())
    return (Binary(scraped(service), "==", Number(1)),), (service.job,)


def _budget(workspace: Workspace, slo: SLO) -> BudgetAlerts:
    return budget_alerts_for(slo, workspace.all_of(BudgetAlerts))
