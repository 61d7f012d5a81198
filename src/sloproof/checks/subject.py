"""What the checks look at: definitions with their places, and what is generated from them, as plain values."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from sloproof import names
from sloproof.alerts import REAL, BurnPolicy, Timing
from sloproof.errors import Problem
from sloproof.slo import SLO, AllOf, Composite, Indicator, Service

if TYPE_CHECKING:
    from sloproof.checks.recorded import Recorded


@dataclass(frozen=True)
class Place:
    """Where a definition stands.

    Args:
        path: file, relative to the workspace.
        line: its line, from 1; 0 when unknown.
        name: the variable it is bound to.
    """

    path: str
    line: int
    name: str

    def problem(self, what: str, check: str, hint: str) -> Problem:
        """Something at this place that is wrong."""
        return Problem(path=self.path, line=self.line, name=self.name, what=what, check=check, hint=hint)

    def warning(self, what: str, check: str, hint: str) -> Problem:
        """Something at this place that is unwise."""
        return Problem(
            path=self.path, line=self.line, name=self.name, what=what, check=check, hint=hint, severity="warning"
        )


def indicators_of(slo: SLO) -> tuple[Indicator, ...]:
    """The indicator of an objective, or the parts of a composed one."""
    sli = slo.sli
    return sli.indicators() if isinstance(sli, Composite | AllOf) else (sli,)


@dataclass(frozen=True)
class TierReference:
    """An expectation that names a burn tier of an objective."""

    slo: SLO
    tier: str
    place: Place


@dataclass(frozen=True)
class PartReference:
    """A fault that names a part of its system.

    Args:
        system: the system's name.
        kind: what it names, such as `instance` or `route`.
        name: its name.
        place: where the experiment stands.
    """

    system: str
    kind: str
    name: str
    place: Place


@dataclass(frozen=True)
class UnlistedAim:
    """A fault that names an address to which nothing may be sent.

    Args:
        fault: what it does, as a sentence goes on after "to".
        why: what is wrong with the address.
        hint: what can be done.
        place: where the experiment stands.
    """

    fault: str
    why: str
    hint: str
    place: Place


@dataclass(frozen=True)
class EarlyFault:
    """An experiment whose first fault begins before its load can have told of a steady state.

    Args:
        system: the system's name.
        at: when the fault begins, after the start of the run.
        earliest: when it may begin.
        place: where the experiment stands.
    """

    system: str
    at: timedelta
    earliest: timedelta
    place: Place


@dataclass(frozen=True)
class LateFault:
    """An experiment whose first fault begins when its load should be over.

    Args:
        at: when the fault begins, after the start of the run.
        load: name of the load profile.
        load_lasts: how long that lasts by itself.
        run_lasts: how long it is made to last.
        place: where the experiment stands.
    """

    at: timedelta
    load: str
    load_lasts: timedelta
    run_lasts: timedelta
    place: Place


@dataclass(frozen=True)
class GeneratedRule:
    """A rule as it will be written.

    Args:
        name: of the recorded series or of the alert.
        is_alert: whether it is an alert.
        expression: PromQL.
        labels: that the rule adds.
    """

    name: str
    is_alert: bool
    expression: str
    labels: Mapping[str, str]


@dataclass(frozen=True)
class GeneratedGroup:
    """A group of rules as it will be written.

    Args:
        file: relative to the workspace.
        name: of the group.
        interval: between evaluations; zero where the server decides.
        rules: in the order of their evaluation.
    """

    file: str
    name: str
    interval: timedelta
    rules: Sequence[GeneratedRule]


@dataclass(frozen=True)
class Subject:
    """The definitions of a workspace, as checks see them.

    Args:
        slos: objectives with their places.
        policies: the burn policy of each objective, by identity.
        tier_references: what experiments expect of tiers.
        part_references: what faults of experiments take hold of.
        unlisted_aims: faults that are aimed where nothing may be sent.
        early_faults: experiments that break something before a steady state can be told.
        late_faults: experiments that break nothing before their load should be over.
        parts: the names of each kind of part, by system; only systems that somebody knows.
        groups: the rules that the definitions imply.
        causes: where the alert of each cause is defined, by the alert's name; of several of one name the first.
        cause_twins: the further causes of a name that another cause has already: the alert's name, and where.
        pages: the runbook pages that exist: their text by path, such as `runbooks/X.md`.
        runs: the names of what can be run, by kind (`load`, `chaos`); a kind that is missing is not known.
        panels: the title and the PromQL of each panel of the workspace's own, and where it is defined.
        timing: the clock of the rules.
        judged: what the checks of rules found while the rules were made; None where they have not looked yet.
        whole: the subject that this is a part of; its rules are what is recorded.
    """

    slos: Sequence[tuple[SLO, Place]]
    policies: Mapping[str, BurnPolicy]
    tier_references: Sequence[TierReference] = field(default=())
    part_references: Sequence[PartReference] = field(default=())
    unlisted_aims: Sequence[UnlistedAim] = field(default=())
    early_faults: Sequence[EarlyFault] = field(default=())
    late_faults: Sequence[LateFault] = field(default=())
    parts: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    groups: Sequence[GeneratedGroup] = field(default=())
    causes: Mapping[str, Place] = field(default_factory=dict)
    cause_twins: Sequence[tuple[str, Place]] = field(default=())
    pages: Mapping[str, str] = field(default_factory=dict)
    runs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    panels: Sequence[tuple[str, str, Place]] = field(default=())
    timing: Timing = REAL
    judged: Sequence[Problem] | None = None
    whole: "Subject | None" = None

    def services(self) -> Iterator[tuple[Service, Place]]:
        """Each service once, where its first objective stands."""
        seen: set[str] = set()
        for slo, place in self.slos:
            if slo.service.name not in seen:
                seen.add(slo.service.name)
                yield slo.service, place

    def alerts(self) -> Iterator[tuple[GeneratedRule, Place]]:
        """Each alert once, where what it comes from is defined."""
        seen: set[str] = set()
        for group in self.groups:
            for rule in group.rules:
                if rule.is_alert and rule.name not in seen:
                    seen.add(rule.name)
                    yield rule, self.place_of(rule, group)

    def place_of(self, rule: GeneratedRule, group: GeneratedGroup) -> Place:
        """Where the definition of a rule stands; its file, where nothing is known of it."""
        service, slo = rule.labels.get(names.SERVICE, ""), rule.labels.get(names.SLO, "")
        if rule.is_alert and rule.labels.get(names.KIND) == names.CAUSE and rule.name in self.causes:
            return self.causes[rule.name]
        return self._places.get((service, slo)) or Place(group.file, 0, rule.name)

    @cached_property
    def recorded(self) -> "Recorded":
        """What the rules record, worked out once for all checks that ask."""
        from sloproof.checks.recorded import Recorded  # which is made of the rules of this module

        return Recorded(self.groups) if self.whole is None else self.whole.recorded

    @cached_property
    def _places(self) -> dict[tuple[str, str], Place]:
        services = {(service.name, ""): place for service, place in self.services()}
        return services | {(slo.service.name, slo.name): place for slo, place in self.slos}
