"""An experiment: a load, what is broken under it, and what must be seen."""

from abc import abstractmethod
from datetime import timedelta
from decimal import Decimal
from itertools import combinations
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from sloproof.chaos.any_fault import AnyFault
from sloproof.chaos.faults import Share, plain
from sloproof.definition import Definition, Length, Name, format_duration
from sloproof.loadtests.profile import LoadProfile
from sloproof.slo.objective import SLO

SHORTEST_STEADY = timedelta(seconds=5)
"""Load, without its warm-up, below which a stretch tells nothing of a steady state."""


class Expectation(Definition):
    """Something that a run must show."""

    @abstractmethod
    def describe(self) -> str:
        """What must be seen, in one plain sentence without a full stop."""


class Holds(Expectation):
    """The objective is met over the whole run, fault included.

    Args:
        slo: the objective.
    """

    kind: Literal["holds"] = "holds"
    slo: SLO

    def __init__(self, slo: SLO, **others: Any) -> None:
        super().__init__(**{"slo": slo, **others})

    def describe(self) -> str:
        """What must be seen."""
        return f"`{self.slo.identity}` holds its {plain(self.slo.objective)} %"


class Fires(Expectation):
    """A burn alert of the objective fires while the fault lasts.

    Args:
        slo: the objective.
        tier: the name of the burn tier, such as `slow`.
        within: longest time from the first fault's start to firing; None is what the arithmetic promises.
    """

    kind: Literal["fires"] = "fires"
    slo: SLO
    tier: Name
    within: Length | None = None

    def __init__(self, slo: SLO, **others: Any) -> None:
        super().__init__(**{"slo": slo, **others})

    def describe(self) -> str:
        """What must be seen."""
        return f"the `{self.tier}` alert of `{self.slo.identity}` fires {_within(self.within)}"


class Resolves(Expectation):
    """A burn alert of the objective that fired resolves after the fault's undo.

    Args:
        slo: the objective.
        tier: the name of the burn tier, such as `slow`.
        within: longest time from the undo to resolved, alone; of several undos from the last one before it. None is
            what the arithmetic promises, no sooner and no later.
    """

    kind: Literal["resolves"] = "resolves"
    slo: SLO
    tier: Name
    within: Length | None = None

    def __init__(self, slo: SLO, **others: Any) -> None:
        super().__init__(**{"slo": slo, **others})

    def describe(self) -> str:
        """What must be seen."""
        return f"the `{self.tier}` alert of `{self.slo.identity}` resolves {_within(self.within)}"


class Quiet(Expectation):
    """An alert does not fire while the run lasts; pending is no firing.

    Args:
        slo: the objective whose burn alerts must stay quiet; None with `alert`.
        tier: one burn tier of it; None for all of them.
        alert: the name of any other alert, such as `TasksNoSpareInstance`; None with `slo`.
    """

    kind: Literal["quiet"] = "quiet"
    slo: SLO | None = None
    tier: Name | None = None
    alert: str | None = Field(default=None, min_length=1)

    def __init__(self, slo: SLO | None = None, **others: Any) -> None:
        super().__init__(**{"slo": slo, **others})

    def describe(self) -> str:
        """What must be seen."""
        if self.slo is None:
            return f"the alert `{self.alert}` stays quiet"
        which = "every burn alert" if self.tier is None else f"the `{self.tier}` alert"
        return f"{which} of `{self.slo.identity}` stays quiet"

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.slo is None) is (self.alert is None):
            raise ValueError("say what stays quiet: an objective, or the name of an `alert`, and not both")
        if self.slo is None and self.tier is not None:
            raise ValueError("a `tier` belongs to an objective; give the objective too")
        return self


class RecoversWithin(Expectation):
    """After the last undo the indicator is back within its objective, and stays there until the run ends.

    Args:
        limit: longest time from the last undo to the first second of the good stretch.
        slo: the objective; None for every objective of the system.
    """

    kind: Literal["recovers-within"] = "recovers-within"
    limit: Length
    slo: SLO | None = None

    def __init__(self, limit: str | timedelta, **others: Any) -> None:
        super().__init__(**{"limit": limit, **others})

    def describe(self) -> str:
        """What must be seen."""
        what = "every objective" if self.slo is None else f"`{self.slo.identity}`"
        return f"{what} is met again within {format_duration(self.limit)} of the undo"


class Balanced(Expectation):
    """No instance serves more than its fair share by more than a margin, before the faults and after them.

    Args:
        tolerance: the margin in percentage points, as text or a whole number.
    """

    kind: Literal["balanced"] = "balanced"
    tolerance: Share = Decimal(10)

    def describe(self) -> str:
        """What must be seen."""
        return f"no instance serves more than its fair share by over {plain(self.tolerance)} percentage points"


AnyExpectation = Annotated[Holds | Fires | Resolves | Quiet | RecoversWithin | Balanced, Field(discriminator="kind")]
"""Every expectation there is."""


class Experiment(Definition):
    """A system under a load, broken on a schedule, with what must be seen.

    Args:
        name: short name, also of the generated file.
        system: the lab system it breaks.
        load: the load it runs under.
        faults: what is broken, each at its own time; two in one place may not overlap.
        expect: what must be seen, at least one thing.
        description: one sentence on why this matters.
        tail: how long to keep watching after the last undo.
    """

    name: Name
    system: Name
    load: LoadProfile
    faults: Annotated[tuple[AnyFault, ...], Field(min_length=1)]
    expect: Annotated[tuple[AnyExpectation, ...], Field(min_length=1)]
    description: str = ""
    tail: Length = timedelta(seconds=10)

    @property
    def length(self) -> timedelta:
        """From the start of the run to the end of the watching."""
        return max(fault.end for fault in self.faults) + self.tail

    @property
    def run_length(self) -> timedelta:
        """How long its load lasts: as long as the profile says, or until the watching ends where that is later."""
        return max(self.load.duration, self.length)

    @property
    def earliest_fault(self) -> timedelta:
        """The beginning of the first fault, after the start of the run, before which a steady state can be told."""
        return self.load.warm_up + SHORTEST_STEADY

    @property
    def first_fault_at(self) -> timedelta:
        """When something is broken first, after the start of the run."""
        return min(fault.at for fault in self.faults)

    @property
    def other_alerts(self) -> tuple[str, ...]:
        """Alerts that are watched beside the burn alerts of the system, because an expectation names them."""
        return tuple(sorted({e.alert for e in self.expect if isinstance(e, Quiet) and e.alert is not None}))

    def fault_id(self, index: int) -> str:
        """What a fault is called in journals: `1-kill-instance`; the index counts from 0."""
        return f"{index + 1}-{self.faults[index].kind}"

    @model_validator(mode="after")
    def _one_system(self) -> Self:
        if self.load.system != self.system:
            raise ValueError(
                f"the load `{self.load.name}` is for the system `{self.load.system}`, "
                f"the experiment is for `{self.system}`"
            )
        return self

    @model_validator(mode="after")
    def _apart(self) -> Self:
        for first, second in combinations(self.faults, 2):
            if first.place == second.place and first.at < second.end and second.at < first.end:
                raise ValueError(
                    f"two faults hold the {first.place} at once, from {format_duration(max(first.at, second.at))}; "
                    "let the first end before the second begins"
                )
        return self

    @model_validator(mode="after")
    def _resolves_what_fires(self) -> Self:
        fired = {(e.slo.identity, e.tier) for e in self.expect if isinstance(e, Fires)}
        for expectation in self.expect:
            if isinstance(expectation, Resolves) and (expectation.slo.identity, expectation.tier) not in fired:
                raise ValueError(f"expect `Fires` too: {expectation.describe()} only after it fired")
        return self

    @model_validator(mode="after")
    def _no_contradiction(self) -> Self:
        fired = {(e.slo.identity, e.tier) for e in self.expect if isinstance(e, Fires)}
        for quiet in (e for e in self.expect if isinstance(e, Quiet) and e.slo is not None):
            for identity, tier in sorted(fired):
                if quiet.slo is not None and quiet.slo.identity == identity and quiet.tier in (None, tier):
                    raise ValueError(f"the `{tier}` alert of `{identity}` cannot both fire and stay quiet")
        return self


def _within(limit: timedelta | None) -> str:
    return "within its promise" if limit is None else f"within {format_duration(limit)}"
