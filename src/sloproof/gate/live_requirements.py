"""What a gate can require of the live system: objectives that hold now, and budget that is left."""

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal

from pydantic import field_validator

from sloproof.definition import Length, format_duration, plain
from sloproof.gate.requirement import PerCent, Requirement, same_system
from sloproof.gate.world import BudgetNow, World
from sloproof.slo import SLO
from sloproof.verdict.gate_decision import GateFinding
from sloproof.verdict.judge import Judgement, Verdict, combine
from sloproof.verdict.wording import percent

SHORTEST_LIVE = timedelta(hours=1)
"""Recorded series tell slices of five minutes; a judgement needs ten of them, and an hour has twelve."""

_MANY_TIMES = 10
"""From here on a budget is told to be spent so many times over."""


class ObjectivesHold(Requirement):
    """Objectives hold in the live system now, by what Prometheus recorded of real traffic.

    Args:
        slos: the objectives; none for every objective of the system.
        over: how far back it is looked, before the lab divides it.
    """

    kind: Literal["objectives_hold"] = "objectives_hold"
    slos: tuple[SLO, ...] = ()
    over: Length = SHORTEST_LIVE

    def __init__(self, *slos: SLO, **others: Any) -> None:
        super().__init__(**{"slos": slos, **others} if slos else others)

    @field_validator("over")
    @classmethod
    def _long_enough(cls, over: timedelta) -> timedelta:
        if over < SHORTEST_LIVE:
            raise ValueError(f"`{format_duration(over)}` is too short to judge; give `1h` or more")
        return over

    @property
    def title(self) -> str:
        """What it is called."""
        return "objectives hold"

    def describe(self) -> str:
        """What must be seen."""
        return f"the objectives hold over the last {format_duration(self.over)}"

    def check_system(self, system: str) -> None:
        """Refuse objectives of another system."""
        _own_objectives(self.slos, system)

    def examine(self, world: World) -> Iterator[GateFinding]:
        """One finding for each objective."""
        slos = self.slos or world.objectives()
        if not slos:
            yield self.found(Verdict.UNDECIDED, "the system has no objectives", hint="define them in `slo/`")
        for slo in slos:
            yield self._of_objective(slo, world.live(slo, self.over))

    def _of_objective(self, slo: SLO, judged: Sequence[Judgement]) -> GateFinding:
        expected = f"`{slo.identity}` holds its {plain(slo.objective)} % over the last {format_duration(self.over)}"
        if not judged:
            hint = "see that its rules are loaded and its service is scraped"
            return self.found(Verdict.UNDECIDED, "no data: nothing is recorded", expected=expected, hint=hint)
        verdict = combine(one.verdict for one in judged)
        worst = max((one for one in judged if one.verdict is verdict), key=lambda one: one.ratio or 0)
        seen = "no data" if worst.ratio is None else f"{percent(worst.ratio)} of events were bad"
        return self.found(verdict, seen, expected=expected, evidence=worst.reason)


class BudgetLeft(Requirement):
    """So much of each error budget is left.

    Args:
        least: share of the budget, per cent, as text: `20%`.
        slos: the objectives; none for every objective of the system.
    """

    kind: Literal["budget_left"] = "budget_left"
    least: PerCent
    slos: tuple[SLO, ...] = ()

    def __init__(self, least: str | Decimal, **others: Any) -> None:
        super().__init__(**{"least": least, **others})

    @property
    def title(self) -> str:
        """What it is called."""
        return "budget left"

    def describe(self) -> str:
        """What must be seen."""
        return f"at least {plain(self.least)} % of every error budget is left"

    def check_system(self, system: str) -> None:
        """Refuse objectives of another system."""
        _own_objectives(self.slos, system)

    def examine(self, world: World) -> Iterator[GateFinding]:
        """One finding for each objective."""
        slos = self.slos or world.objectives()
        if not slos:
            yield self.found(Verdict.UNDECIDED, "the system has no objectives", hint="define them in `slo/`")
            return
        found = {one.slo: one for one in world.budgets(slos)}
        for slo in slos:
            yield self._of_budget(slo, found.get(slo.identity))

    def _of_budget(self, slo: SLO, budget: BudgetNow | None) -> GateFinding:
        expected = f"at least {plain(self.least)} % of the budget of `{slo.identity}` is left"
        if budget is None or budget.left is None or not math.isfinite(budget.left):
            notes = "; ".join(budget.notes) if budget else ""
            return self.found(Verdict.UNDECIDED, "no figure", expected=expected, evidence=notes)
        covered = "an unknown part" if budget.coverage is None else percent(budget.coverage)
        evidence = "; ".join((f"{covered} of its {budget.window} window was measured", *budget.notes))
        seen = _left(budget.left)
        if budget.left < float(self.least) / 100:  # what was not measured can only have spent more
            return self.found(Verdict.FAIL, seen, expected=expected, evidence=evidence)
        verdict = Verdict.PASS if budget.measured else Verdict.UNDECIDED
        seen += "" if budget.measured else ", if nothing was spent while nobody measured"
        return self.found(verdict, seen, expected=expected, evidence=evidence)


def _own_objectives(slos: Iterable[SLO], system: str) -> None:
    for slo in slos:
        same_system(f"the objective `{slo.identity}`", slo.service.name, system)


def _left(ratio: float) -> str:
    """What is left of a budget in words; nobody has a use for `-50100 %`."""
    if ratio >= 0:
        return f"{percent(ratio)} is left"
    spent = 1 - ratio
    times = f"{percent(spent)} of it was spent" if spent < _MANY_TIMES else f"it was spent {spent:,.0f} times over"
    return f"nothing is left: {times}"
