"""A workspace's definitions, and what is generated from them, as the checks want them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sloproof.chaos.experiment import Experiment
from sloproof.chaos.reach import objections
from sloproof.checks import Subject, TierReference
from sloproof.checks.subject import EarlyFault, LateFault, PartReference, Place, UnlistedAim
from sloproof.dashboards.breakdown_definition import Capacity
from sloproof.dashboards.custom import CustomPanels
from sloproof.errors import Problem
from sloproof.loadtests.profile import LoadProfile
from sloproof.workspace.artifacts import read_page
from sloproof.workspace.loading import Workspace
from sloproof.workspace.made_rules import MadeRules, made_rules
from sloproof.workspace.places import cause_places, objective_places, place_of


def subject_of(
    workspace: Workspace,
    made: Iterable[MadeRules] | None = None,
    parts: Mapping[str, Mapping[str, Sequence[str]]] | None = None,
) -> Subject:
    """The definitions with their places, the rules that they imply, and the runbook pages that exist.

    Args:
        workspace: the definitions.
        made: the rules that they imply, if somebody has made them already; each is asked for once.
        parts: names of each kind of part (`instance`, `route`, `dependency`), by system; None where none is known.
    """
    timing = workspace.settings.timing()
    slos, causes = objective_places(workspace), cause_places(workspace)
    first = dict(reversed(causes))
    rules = list(made_rules(workspace, timing) if made is None else made)
    return Subject(
        slos=slos,
        policies={slo.identity: workspace.policy(slo) for slo, _ in slos},
        tier_references=tuple(_tier_references(workspace)),
        part_references=tuple(_part_references(workspace)),
        unlisted_aims=tuple(_unlisted_aims(workspace)),
        early_faults=tuple(_early_faults(workspace)),
        late_faults=tuple(_late_faults(workspace)),
        parts=parts or {},
        groups=tuple(group for one in rules for group in one.groups),
        causes=first,
        cause_twins=tuple((alert, place) for alert, place in causes if first[alert] != place),
        pages=_pages(workspace),
        runs={
            "load": [profile.name for profile in workspace.all_of(LoadProfile)],
            "chaos": [experiment.name for experiment in workspace.all_of(Experiment)],
        },
        panels=tuple(_own_panels(workspace)),
        timing=timing,
        judged=_judged(rules),
    )


def _judged(rules: Iterable[MadeRules]) -> tuple[Problem, ...] | None:
    """What was found in the rules while they were made, if all of them could be judged there."""
    found: list[Problem] = []
    for one in rules:
        if one.problems is None:
            return None
        found += one.problems
    return tuple(found)


def _tier_references(workspace: Workspace) -> Iterator[TierReference]:
    for located in workspace.definitions:
        if isinstance(located.definition, Experiment):
            for expectation in located.definition.expect:
                slo, tier = getattr(expectation, "slo", None), getattr(expectation, "tier", None)
                if slo is not None and tier is not None:
                    yield TierReference(slo, tier, place_of(located))


def _part_references(workspace: Workspace) -> Iterator[PartReference]:
    for located in workspace.definitions:
        if isinstance(located.definition, Experiment):
            for fault in located.definition.faults:
                for kind, name in fault.parts.items():
                    yield PartReference(located.definition.system, kind, name, place_of(located))


def _unlisted_aims(workspace: Workspace) -> Iterator[UnlistedAim]:
    for located in workspace.definitions:
        if isinstance(located.definition, Experiment):
            for fault in located.definition.faults:
                for one in objections(fault, workspace.settings.targets):
                    yield UnlistedAim(fault.describe(), one.what, one.hint, place_of(located))


def _early_faults(workspace: Workspace) -> Iterator[EarlyFault]:
    for located in workspace.definitions:
        one = located.definition
        if isinstance(one, Experiment) and one.first_fault_at < one.earliest_fault:
            yield EarlyFault(one.system, one.first_fault_at, one.earliest_fault, place_of(located))


def _late_faults(workspace: Workspace) -> Iterator[LateFault]:
    for located in workspace.definitions:
        one = located.definition
        if isinstance(one, Experiment) and one.first_fault_at >= one.load.duration:
            load = one.load
            yield LateFault(one.first_fault_at, load.name, load.duration, one.run_length, place_of(located))


def _own_panels(workspace: Workspace) -> Iterator[tuple[str, str, Place]]:
    for located in workspace.definitions:
        if isinstance(located.definition, CustomPanels):
            yield from ((one.title, one.expression, place_of(located)) for one in located.definition.panels)
        elif isinstance(located.definition, Capacity):
            yield located.definition.title, located.definition.expression, place_of(located)


def _pages(workspace: Workspace) -> dict[str, str]:
    read, root = read_page(workspace.root), workspace.root
    paths = sorted(file.relative_to(root).as_posix() for file in (root / "runbooks").glob("*.md"))
    return {path: text for path in paths if (text := read(path)) is not None}
