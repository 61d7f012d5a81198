"""The proofs of a workspace: which alerts there are, and which rules files are judged."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from sloproof import names
from sloproof.alerts import BudgetAlerts, CauseAlert, budget_alerts_for
from sloproof.alerts.proof import AlertProof, Document, Promised, ProofCase, ProofPlan, gap_results
from sloproof.alerts.proof_batch import prove_cases
from sloproof.alerts.proof_budget import budget_left_cases
from sloproof.alerts.proof_cases import burn_plan
from sloproof.alerts.proof_documents import condition_promise, document_plans
from sloproof.errors import UsageError
from sloproof.promtool import run_rule_tests
from sloproof.workspace.alert_artifacts import alert_rules, extra_rules, extra_tests, unproven_causes
from sloproof.workspace.artifacts import service_rules
from sloproof.workspace.loading import Workspace


def plans(workspace: Workspace, folder: Path | None = None, only: Sequence[str] = ()) -> list[ProofPlan]:
    """What proves each alert of a workspace.

    Args:
        workspace: the definitions, which say what is expected.
        folder: rules files to judge, as `sloproof generate` names them; None for what the definitions imply now.
        only: names of alerts; empty for all.

    Returns:
        One plan an alert, in the order of the definitions.

    Raises:
        UsageError: a rules file is missing or is none, an alert does not exist, or there is none at all.
    """
    found: list[ProofPlan] = []
    for service in workspace.services:
        found.extend(_service_plans(workspace, service.name, folder))
    found.extend(_other_plans(workspace, folder))
    known = [plan.alert for plan in found]
    for alert in only:
        if alert not in known:
            raise UsageError(f"there is no alert `{alert}`", hint=f"there are: {', '.join(known) or 'none'}")
    if not found:
        raise UsageError("no alerts to prove", hint="define an objective in `slo/`")
    return [plan for plan in found if not only or plan.alert in only]


def proven(promtool: Path, plans: Sequence[ProofPlan]) -> list[AlertProof]:
    """Run every case of these plans.

    Args:
        promtool: the program.
        plans: as `plans` makes them.

    Returns:
        One proof a plan, in their order.

    Raises:
        PartFailed: promtool cannot be run.
    """
    cases = [(index, case) for index, plan in enumerate(plans) for case in plan.cases]
    found = prove_cases([case for _, case in cases], lambda tests: run_rule_tests(promtool, tests))
    results = [gap_results(plan) for plan in plans]
    for (index, _), result in zip(cases, found, strict=True):
        results[index].append(result)
    return [AlertProof(plan, tuple(result)) for plan, result in zip(plans, results, strict=True)]


def _service_plans(workspace: Workspace, service: str, folder: Path | None) -> list[ProofPlan]:
    timing = workspace.settings.timing()
    groups = _groups(workspace, service, folder)
    return [
        burn_plan(slo, tier, timing, groups)
        for slo in workspace.slos
        if slo.service.name == service
        for tier in workspace.policy(slo).tiers
    ]


def _other_plans(workspace: Workspace, folder: Path | None) -> list[ProofPlan]:
    """Causes, absences and budgets, from the promtool cases that are generated for them."""
    timing = workspace.settings.timing()
    expected = [_parsed(artifact.text, folder) for artifact in extra_rules(workspace, timing)]
    files = [Path(artifact.path).name for artifact in extra_rules(workspace, timing)]
    judged = expected if folder is None else [_parsed(_read(folder / file), folder) for file in files]
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    tests = [yaml.load(artifact.text, Loader=loader) for artifact in extra_tests(workspace, joined=False)]
    groups = [group for found in judged for group in found]
    plans = document_plans(groups, _promised(workspace), tests, dict(unproven_causes(workspace)))
    whole = _whole_budgets(workspace, groups, folder)
    return [replace(plan, cases=(*plan.cases, *whole.get(plan.alert, ()))) for plan in plans]


def _whole_budgets(
    workspace: Workspace, others: Sequence[Document], folder: Path | None
) -> dict[str, tuple[ProofCase, ...]]:
    """For each alert on what is left of a budget, the cases that put the budget's own rules to the test."""
    timing, found, budgets = workspace.settings.timing(), {}, workspace.all_of(BudgetAlerts)
    for service in workspace.services:
        groups = [
            *_groups(workspace, service.name, folder),
            *(group for group in others if _is_of(group, service.name)),
        ]
        for slo in workspace.slos_of(service.name):
            alert = names.budget_low_alert(service.name, slo.name)
            found[alert] = tuple(budget_left_cases(slo, budget_alerts_for(slo, budgets), timing, groups))
    return found


def _is_of(group: Document, service: str) -> bool:
    return any((rule.get("labels") or {}).get(names.SERVICE) == service for rule in group["rules"])


def _promised(workspace: Workspace) -> dict[str, Promised]:
    """What is promised of each alert that is no burn tier, in the order of the rules files."""
    timing = workspace.settings.timing()
    every = {cause.alert: cause.runs_every or timing.evaluation for cause in workspace.all_of(CauseAlert)}
    recorded = timing.scrape + timing.base + timing.evaluation  # until a recorded rate shows it all
    found = {}
    for owned in alert_rules(workspace, timing):
        rule, kind = owned.rule, owned.rule.labels.get(names.KIND)
        if kind == names.CAUSE:
            found[rule.alert] = condition_promise(rule, every[rule.alert], timing.scrape)
        elif kind == names.BUDGET:
            found[rule.alert] = condition_promise(rule, timing.slow_evaluation, recorded + timing.slow_evaluation)
        elif kind == names.ABSENT:
            at_once = rule.alert == names.target_down_alert(owned.service.name)
            found[rule.alert] = condition_promise(rule, timing.evaluation, timing.scrape if at_once else recorded)
    return found


def _groups(workspace: Workspace, service: str, folder: Path | None) -> list[Document]:
    if folder is None:
        texts = list(service_rules(workspace, service, workspace.settings.timing()))
    else:
        texts = [_read(folder / name(service)) for name in (names.base_rules_file, names.rules_file)]
    return [group for text in texts for group in _parsed(text, folder)]


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"`{file}` cannot be read: {error}", hint="run `sloproof generate`") from None


def _parsed(text: str, folder: Path | None) -> list[Document]:
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        groups = yaml.load(text, Loader=loader)["groups"]
        return [group for group in groups if isinstance(group["rules"], list)]
    except (yaml.YAMLError, TypeError, KeyError) as error:
        raise UsageError(f"`{folder}` holds a file that is no rules file: {error!r}") from None
