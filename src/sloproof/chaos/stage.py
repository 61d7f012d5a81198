"""One part of a run with what was expected of it, and the verdict over all parts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from sloproof.chaos.expecting import Finding, findings, judge, promise_findings
from sloproof.chaos.experiment import Experiment, Holds
from sloproof.chaos.facts import RunFacts
from sloproof.loadtests.promises import LoadPromise
from sloproof.verdict.judge import Verdict, combine


@dataclass(frozen=True)
class Stage:
    """One part of a run: what happened, and what was expected of it.

    Args:
        name: for headings.
        facts: what every source says.
        findings: expected against observed.
    """

    name: str
    facts: RunFacts
    findings: tuple[Finding, ...]

    @classmethod
    def of_load(cls, name: str, facts: RunFacts, promises: Sequence[LoadPromise] = ()) -> Self:
        """A load without faults: every objective of the system must hold, and what its profile promises."""
        held = (judge(Holds(result.slo), facts) for result in facts.objectives)
        return cls(name, facts, (*held, *promise_findings(promises, facts)))

    @classmethod
    def of_experiment(cls, experiment: Experiment, facts: RunFacts) -> Self:
        """An experiment: what it expects must be seen."""
        return cls(experiment.name, facts, tuple(findings(experiment, facts)))


def verdict_of(stages: Sequence[Stage]) -> Verdict:
    """One verdict for all findings; a run that was ended early never passes.

    Args:
        stages: the parts of the run; none at all is undecided.
    """
    early = [
        Verdict.UNDECIDED for stage in stages if stage.facts.load.partial or stage.facts.chaos.status != "completed"
    ]
    return combine([finding.verdict for stage in stages for finding in stage.findings] + early)
