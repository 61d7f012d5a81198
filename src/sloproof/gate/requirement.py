"""What every requirement of a gate has in common."""

from abc import abstractmethod
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from sloproof.definition import Definition, exact
from sloproof.gate.world import World
from sloproof.verdict.gate_decision import GateFinding
from sloproof.verdict.judge import Verdict


def _without_sign(value: Any) -> Any:
    return value.strip().removesuffix("%").strip() if isinstance(value, str) else value


PerCent = Annotated[Decimal, BeforeValidator(_without_sign), exact("percentage"), Field(ge=0, lt=100)]
"""A percentage as text: `20%` or `20`."""


class Requirement(Definition):
    """Something that must be true before a release goes on.

    Attributes:
        runs: it loads or breaks the system; that is spared once something before it has failed.
    """

    runs: ClassVar[bool] = False

    @property
    @abstractmethod
    def title(self) -> str:
        """What it is called in reports, such as `load steady`."""

    @abstractmethod
    def describe(self) -> str:
        """What must be seen, in one plain sentence without a full stop."""

    @abstractmethod
    def examine(self, world: World) -> Iterable[GateFinding]:
        """Ask the world, and judge what it answers.

        Args:
            world: where the answers come from.

        Raises:
            SloproofError: a part failed, so that nothing can be said.
        """

    def check_system(self, system: str) -> None:
        """Refuse to be required of a system that it is not about.

        Raises:
            ValueError: it is about another one.
        """

    def found(self, verdict: Verdict, observed: str, **others: Any) -> GateFinding:
        """A finding of this requirement."""
        expected = others.pop("expected", self.describe())
        return GateFinding(requirement=self.title, expected=expected, observed=observed, verdict=verdict, **others)


def same_system(what: str, own: str, system: str) -> None:
    """Refuse what belongs to another system than the gate.

    Raises:
        ValueError: it does.
    """
    if own != system:
        raise ValueError(f"{what} is for the system `{own}`, the gate is for `{system}`")


def stamp(at: float) -> str:
    """A time as it stands in evidence, UTC: `2026-11-22 14:03:22 UTC`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
