"""Which rules files a workspace implies, as values: what is written, and what the checks look at."""

from collections.abc import Iterator
from dataclasses import dataclass

from sloproof import names
from sloproof.alerts import (
    AbsenceAlerts,
    BudgetAlerts,
    CauseAlert,
    RuleGroup,
    Timing,
    absence_for,
    absence_groups,
    base_group,
    budget_alerts_for,
    budget_group,
    burn_groups,
    cause_groups,
    rules_yaml,
)
from sloproof.slo import Service
from sloproof.workspace.files import Artifact
from sloproof.workspace.loading import Workspace

FOLDER = f"alerts/{names.GENERATED}"


@dataclass(frozen=True)
class RuleFile:
    """A rules file before it is written.

    Args:
        path: relative to the workspace.
        groups: in the order they are written.
    """

    path: str
    groups: tuple[RuleGroup, ...]

    def artifact(self) -> Artifact:
        """The file as it is written; each expression was parsed back.

        Raises:
            ValueError: an expression is not PromQL.
        """
        return Artifact(self.path, rules_yaml(self.groups))


def services_with_rules(workspace: Workspace) -> list[str]:
    """The names of the services that have objectives, then of those that have only causes."""
    causes = (cause.service.name for cause in workspace.all_of(CauseAlert))
    return list(dict.fromkeys((*(service.name for service in workspace.services), *causes)))


def files_of(workspace: Workspace, service: str, timing: Timing) -> Iterator[RuleFile]:
    """The rules files of one service, by its name."""
    if workspace.slos_of(service):
        yield from burn_files(workspace, service, timing)
    yield from _other_files(workspace, service, timing)


def other_files(workspace: Workspace, timing: Timing) -> Iterator[RuleFile]:
    """The files of what is no burn tier: budgets and absences of each service, and causes."""
    for service in services_with_rules(workspace):
        yield from _other_files(workspace, service, timing)


def burn_files(workspace: Workspace, service: str, timing: Timing) -> tuple[RuleFile, RuleFile]:
    """The base rules of a service, and its windows with the alerts on them."""
    slos, links = workspace.slos_of(service), workspace.settings.links()
    groups = [group for slo in slos for group in burn_groups(slo, workspace.policy(slo), timing, links)]
    return (
        RuleFile(f"{FOLDER}/{names.base_rules_file(service)}", tuple(base_group(slo, timing) for slo in slos)),
        RuleFile(f"{FOLDER}/{names.rules_file(service)}", tuple(groups)),
    )


def _other_files(workspace: Workspace, service: str, timing: Timing) -> Iterator[RuleFile]:
    if slos := workspace.slos_of(service):
        yield from _budget_file(workspace, slos[0].service, timing)
    if causes := workspace.causes_of(service):
        groups = cause_groups(service, causes, timing, workspace.settings.links())
        yield RuleFile(f"{FOLDER}/{names.cause_rules_file(service)}", tuple(groups))


def _budget_file(workspace: Workspace, service: Service, timing: Timing) -> Iterator[RuleFile]:
    slos, links = workspace.slos_of(service.name), workspace.settings.links()
    budgets = [budget_alerts_for(slo, workspace.all_of(BudgetAlerts)) for slo in slos]
    groups = [
        budget_group(slo, workspace.policy(slo), budget, timing, links)
        for slo, budget in zip(slos, budgets, strict=True)
    ]
    absence = absence_for(service, workspace.all_of(AbsenceAlerts))
    kept = [
        *(group for group in groups if group is not None),
        *absence_groups(service, slos, absence, timing, links),
    ]
    if kept:
        yield RuleFile(f"{FOLDER}/{names.budget_rules_file(service.name)}", tuple(kept))
