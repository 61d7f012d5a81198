"""Every dashboard that the definitions imply, as texts in memory."""

from collections.abc import Iterator
from typing import Any

from sloproof import names
from sloproof.alerts import AbsenceAlerts, BudgetAlerts, Timing, absence_for, budget_alerts_for
from sloproof.chaos.experiment import Experiment
from sloproof.dashboards import (
    AskedLoad,
    Breakdown,
    Capacity,
    CustomPanels,
    OtherAlert,
    PlannedFaults,
    breakdown_dashboard,
    chaos_dashboard,
    home_dashboard,
    load_dashboard,
    overview_dashboard,
    service_dashboard,
    slo_dashboard,
    to_json,
    trend_dashboard,
)
from sloproof.definition import format_duration
from sloproof.loadtests.profile import LoadProfile
from sloproof.slo import SLO, Service
from sloproof.workspace.files import Artifact
from sloproof.workspace.loading import Workspace

FOLDER = f"dashboards/{names.GENERATED}"

Named = tuple[str, dict[str, Any]]
"""A dashboard's name, as `names` spells it, and its Grafana JSON as plain values."""


def dashboard_artifacts(workspace: Workspace) -> Iterator[Artifact]:
    """The files of all dashboards, at real windows."""
    for name, dashboard in dashboards(workspace, workspace.settings.timing()):
        yield Artifact(f"{FOLDER}/{names.dashboard_file(name)}", to_json(dashboard))


def dashboards(workspace: Workspace, timing: Timing) -> Iterator[Named]:
    """Every dashboard: on call, all objectives, then each service with its objectives and its sides.

    Args:
        workspace: the definitions.
        timing: the clock of the rules that record the series; a lab divides it.
    """
    if not workspace.slos:
        return
    policies = {slo.identity: workspace.policy(slo) for slo in workspace.slos}
    yield names.HOME, home_dashboard(workspace.slos, policies, timing, workspace.settings.links())
    yield names.OVERVIEW, overview_dashboard(workspace.slos, policies, timing)
    for service in workspace.services:
        yield from _of_service(workspace, service, timing)


def _of_service(workspace: Workspace, service: Service, timing: Timing) -> Iterator[Named]:
    slos, links, name = workspace.slos_of(service.name), workspace.settings.links(), service.name
    policies = {slo.identity: workspace.policy(slo) for slo in slos}
    extra = [panel for one in workspace.all_of(CustomPanels) if one.service.name == name for panel in one.panels]
    yield name, service_dashboard(service, slos, policies, timing, links, extra)
    breakdowns = _breakdowns(workspace, service)
    for slo in slos:
        page = slo_dashboard(slo, workspace.policy(slo), timing, links, _others(workspace, slo), breakdowns)
        yield names.slo_dashboard(name, slo.name), page
    for breakdown in breakdowns:
        yield breakdown.dashboard, breakdown_dashboard(breakdown, timing)
    yield from _sides(workspace, service, timing)


def _breakdowns(workspace: Workspace, service: Service) -> list[Breakdown]:
    return [one for one in workspace.all_of(Breakdown) if one.service.name == service.name]


def _sides(workspace: Workspace, service: Service, timing: Timing) -> Iterator[Named]:
    """Under load and under faults where there are such, and over weeks."""
    name, slos = service.name, workspace.slos_of(service.name)
    policies = {slo.identity: workspace.policy(slo) for slo in slos}
    loads = [_load(one) for one in workspace.all_of(LoadProfile) if one.system == name]
    if loads:
        yield names.view_dashboard(name, "load"), load_dashboard(service, slos, policies, loads, timing)
    experiments = [_experiment(one) for one in workspace.all_of(Experiment) if one.system == name]
    if experiments:
        breakdowns = _breakdowns(workspace, service)
        faults = chaos_dashboard(service, slos, policies, experiments, timing, breakdowns)
        yield names.view_dashboard(name, "chaos"), faults
    capacities = [one for one in workspace.all_of(Capacity) if one.service.name == name]
    yield names.view_dashboard(name, "trend"), trend_dashboard(service, slos, capacities, timing)


def _others(workspace: Workspace, slo: SLO) -> list[OtherAlert]:
    """The alerts of an objective that are no burn tiers."""
    service, budget = slo.service, budget_alerts_for(slo, workspace.all_of(BudgetAlerts))
    absence = absence_for(service, workspace.all_of(AbsenceAlerts))
    found = []
    if budget.below is not None:
        found.append(OtherAlert(names.budget_low_alert(service.name, slo.name), budget.severity))
    if budget.forecasts(slo):
        found.append(OtherAlert(names.budget_forecast_alert(service.name, slo.name), budget.severity))
    if budget.reviews(slo):
        found.append(OtherAlert(names.burn_review_alert(service.name, slo.name), budget.severity))
    if absence.no_series is not None:
        found.append(OtherAlert(names.absent_alert(service.name, slo.name), absence.no_series))
    return found


def _load(profile: LoadProfile) -> AskedLoad:
    arrivals = profile.arrivals
    rate = profile.rate
    if arrivals is not None and arrivals.trace is None:
        rate = max((arrivals.rate, *(stage.rate for stage in arrivals.stages)))
    return AskedLoad(
        profile.name, profile.description, profile.most_users, rate or None, format_duration(profile.duration)
    )


def _experiment(experiment: Experiment) -> PlannedFaults:
    faults = tuple(f"{format_duration(fault.at)}: {fault.describe()}" for fault in experiment.faults)
    return PlannedFaults(experiment.name, faults, tuple(one.describe() for one in experiment.expect))
