"""What the checks look at: definitions with their places, as plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sloproof.alerts import BurnPolicy
from sloproof.errors import Problem
from sloproof.slo import SLO


@dataclass(frozen=True)
class Place:
    """Where a definition stands.

    Args:
        path: file, relative to the workspace.
        line: its line, from 1.
        name: the variable it is bound to.
    """

    path: str
    line: int
    name: str

    def problem(self, what: str, check: str, hint: str) -> Problem:
        """A problem at this place."""
        return Problem(path=self.path, line=self.line, name=self.name, what=what, check=check, hint=hint)


@dataclass(frozen=True)
class TierReference:
    """An expectation that names a burn tier of an objective."""

    slo: SLO
    tier: str
    place: Place


@dataclass(frozen=True)
class Subject:
    """The definitions of a workspace, as checks see them.

    Args:
        slos: objectives with their places.
        policies: the burn policy of each objective, by identity.
        tier_references: what experiments expect of tiers.
    """

    slos: Sequence[tuple[SLO, Place]]
    policies: Mapping[str, BurnPolicy]
    tier_references: Sequence[TierReference] = field(default=())
