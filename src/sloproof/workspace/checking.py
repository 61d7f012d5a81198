"""A workspace's definitions as the checks want them."""

from collections.abc import Iterator

from sloproof.chaos.experiment import Experiment
from sloproof.checks import Place, Subject, TierReference
from sloproof.slo import SLO
from sloproof.workspace.contradictions import Located
from sloproof.workspace.loading import Workspace


def subject_of(workspace: Workspace) -> Subject:
    """The definitions with their places."""
    slos = [(one.definition, _place(one)) for one in workspace.definitions if isinstance(one.definition, SLO)]
    return Subject(
        slos=slos,
        policies={slo.identity: workspace.policy(slo) for slo, _ in slos},
        tier_references=tuple(_tier_references(workspace)),
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
