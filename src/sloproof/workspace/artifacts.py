"""Everything that the definitions imply, as texts in memory."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from sloproof import names
from sloproof.alerts import (
    Routing,
    Timing,
    alertmanager_config,
    burn_alert,
)
from sloproof.alerts.rule_tests import rule_tests
from sloproof.chaos.experiment import Experiment
from sloproof.chaos.kubernetes import KillPods, kubernetes_json
from sloproof.errors import SloproofError, UsageError
from sloproof.workspace.alert_artifacts import extra_pages, extra_tests
from sloproof.workspace.alert_memory import SEEN, AlertMemory
from sloproof.workspace.collection import no_collection
from sloproof.workspace.drill_memory import DRILLS, seen_in_drills
from sloproof.workspace.files import Artifact
from sloproof.workspace.loading import Workspace
from sloproof.workspace.made_rules import made_rules
from sloproof.workspace.rule_files import FOLDER, burn_files

ExistingPage = Callable[[str], str | None]
"""Reads a runbook page that is there already, None for a new one; hand-written parts are kept from it."""


def all_artifacts(workspace: Workspace, existing: ExistingPage) -> list[Artifact]:
    """Every generated file of a workspace.

    Args:
        workspace: the definitions.
        existing: reads the runbook pages that are there already, by path.

    Returns:
        Artifacts by path; the same bytes for the same definitions and pages.

    Raises:
        UsageError: two definitions would write the same file, or one of them leaves no way to write its tests.
    """
    with no_collection():
        return _all_artifacts(workspace, existing)


def _all_artifacts(workspace: Workspace, existing: ExistingPage) -> list[Artifact]:
    from sloproof.workspace.dashboard_artifacts import dashboard_artifacts

    found = [
        *rule_artifacts(workspace, workspace.settings.timing()),
        *_rule_tests(workspace),
        *extra_tests(workspace),
        *dashboard_artifacts(workspace),
        *_runbooks(workspace, existing),
        *extra_pages(workspace, existing),
        *_experiments(workspace),
    ]
    _refuse_collisions(found)
    return sorted(found, key=lambda artifact: artifact.path)


def _refuse_collisions(found: Sequence[Artifact]) -> None:
    """Two definitions whose names read alike would overwrite each other's file."""
    written = Counter(artifact.path for artifact in found)
    for path, times in written.items():
        if times > 1:
            raise UsageError(
                f"{times} definitions would write `{path}`", hint="`sloproof check` names them; rename all but one"
            )


def rule_artifacts(workspace: Workspace, timing: Timing, routing: Routing | None = None) -> list[Artifact]:
    """The rules of every service, and Alertmanager's configuration.

    Args:
        workspace: the definitions.
        timing: real windows, or windows divided by a factor.
        routing: overrides the workspace's own routes; the lab points them at its receiver.
    """
    found = [artifact for made in made_rules(workspace, timing, checked=False) for artifact in made.artifacts]
    route = routing or next(iter(workspace.all_of(Routing)), None)
    if route is not None:
        grouping = {label for slo in workspace.slos for label in slo.by}
        text = alertmanager_config(route, workspace.policies, timing.scale, grouping)
        found.append(Artifact(f"{FOLDER}/{names.ALERTMANAGER_FILE}", text))
    return found


def service_rules(workspace: Workspace, service: str, timing: Timing) -> tuple[str, str]:
    """The base rules and the other rules of a service, as YAML."""
    base, rules = burn_files(workspace, service, timing)
    return base.artifact().text, rules.artifact().text


def _rule_tests(workspace: Workspace) -> Iterator[Artifact]:
    for service in workspace.services:
        pairs = [(slo, workspace.policy(slo)) for slo in workspace.slos_of(service.name)]
        try:
            files = rule_tests(service.name, pairs)
        except (ValueError, re.error) as error:
            raise UsageError(
                f"the rule tests of `{service.name}` cannot be written: {error}",
                hint="write its selectors so that a series to test with can be made up, such as `[0-9]+` for a class",
            ) from None
        for file, text in files.items():
            yield Artifact(f"alerts/tests/{file}", text)


def _runbooks(workspace: Workspace, existing: ExistingPage) -> Iterator[Artifact]:
    from sloproof.runbooks import runbook_page

    timing, links = workspace.settings.timing(), workspace.settings.links()
    drilled, memory = seen_in_drills(existing(DRILLS)), AlertMemory(workspace, existing(SEEN))
    for slo in workspace.slos:
        policy = workspace.policy(slo)
        for tier in policy.tiers:
            rule = burn_alert(slo, tier, timing, links)
            path = f"runbooks/{names.runbook_file(rule.alert)}"
            try:
                evidence = memory.evidence(rule.alert, slo.service.name)
                seen = drilled.get(rule.alert, "")
                page = runbook_page(rule, slo, tier, policy, timing, existing(path), seen, evidence, links.prometheus)
            except SloproofError as error:
                raise type(error)(f"`{path}`: {error.message}", hint=error.hint) from None
            yield Artifact(path, page)


def _experiments(workspace: Workspace) -> Iterator[Artifact]:
    from sloproof.chaos.toolkit_json import experiment_json

    for experiment in workspace.all_of(Experiment):
        yield Artifact(f"chaos/{names.GENERATED}/{names.experiment_file(experiment.name)}", experiment_json(experiment))
    for pods in workspace.all_of(KillPods):
        yield Artifact(f"chaos/{names.GENERATED}/{names.experiment_file(pods.name)}", kubernetes_json(pods))


def read_page(root: Path) -> ExistingPage:
    """Reads runbook pages below a workspace's root."""

    def read(path: str) -> str | None:
        file = root / path
        if not file.is_file():
            return None
        try:
            return file.read_bytes().decode("utf-8")  # line ends as they are
        except UnicodeDecodeError as error:
            raise UsageError(f"not UTF-8 text: {error.reason}", hint="mend the file; nothing was written") from None

    return read
