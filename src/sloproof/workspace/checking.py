"""A workspace's definitions, and what is generated from them, as the checks want them."""

from collections.abc import Iterable, Iterator

from sloproof import names
from sloproof.alerts import AlertRule, CauseAlert, RecordingRule
from sloproof.chaos.experiment import Experiment
from sloproof.checks import GeneratedGroup, GeneratedRule, Place, Subject, TierReference
from sloproof.slo import SLO
from sloproof.workspace.artifacts import read_page
from sloproof.workspace.contradictions import Located
from sloproof.workspace.loading import Workspace
from sloproof.workspace.rule_files import RuleFile, rule_files


def subject_of(workspace: Workspace, files: Iterable[RuleFile] | None = None) -> Subject:
    """The definitions with their places, the rules that they imply, and the runbook pages that exist.

    Args:
        workspace: the definitions.
        files: the rules that they imply, if somebody has made them already; each is asked for once.
    """
    timing = workspace.settings.timing()
    slos = [(one.definition, _place(one)) for one in workspace.definitions if isinstance(one.definition, SLO)]
    causes = list(_causes(workspace))
    first = dict(reversed(causes))
    return Subject(
        slos=slos,
        policies={slo.identity: workspace.policy(slo) for slo, _ in slos},
        tier_references=tuple(_tier_references(workspace)),
        groups=tuple(_groups(rule_files(workspace, timing) if files is None else files)),
        causes=first,
        cause_twins=tuple((alert, place) for alert, place in causes if first[alert] != place),
        pages=_pages(workspace),
        timing=timing,
    )


def _place(located: Located) -> Place:
    return Place(located.path, located.line, located.variable)


def _tier_references(workspace: Workspace) -> Iterator[TierReference]:
    for located in workspace.definitions:
        if isinstance(located.definition, Experiment):
            for expectation in located.definition.expect:
                slo, tier = getattr(expectation, "slo", None), getattr(expectation, "tier", None)
                if slo is not None and tier is not None:
                    yield TierReference(slo, tier, _place(located))


def _groups(files: Iterable[RuleFile]) -> Iterator[GeneratedGroup]:
    """The rules as they will be written."""
    for file in files:
        for group in file.groups:
            yield GeneratedGroup(file.path, group.name, group.interval, tuple(_rule(rule) for rule in group.rules))


def _rule(rule: AlertRule | RecordingRule) -> GeneratedRule:
    if isinstance(rule, AlertRule):
        return GeneratedRule(rule.alert, True, rule.text, rule.labels)
    return GeneratedRule(rule.record, False, rule.text, rule.labels)


def _causes(workspace: Workspace) -> Iterator[tuple[str, Place]]:
    for located in workspace.definitions:
        if isinstance(located.definition, CauseAlert):
            yield names.cause_alert(located.definition.service.name, located.definition.name), _place(located)


def _pages(workspace: Workspace) -> dict[str, str]:
    read, root = read_page(workspace.root), workspace.root
    paths = sorted(file.relative_to(root).as_posix() for file in (root / "runbooks").glob("*.md"))
    return {path: text for path in paths if (text := read(path)) is not None}
