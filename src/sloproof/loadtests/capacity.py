"""The highest arrival rate at which the objectives hold: which rate to try next, and what the tries prove.

A search doubles the rate until something gives way, then narrows the gap between the highest rate that held and the
lowest that did not. A rate that stays undecided is no bound: the search goes around it, and the gap stays wider.
"""

from collections.abc import Sequence
from decimal import Context, Decimal
from itertools import pairwise
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from sloproof.errors import UsageError
from sloproof.verdict.judge import Verdict

GROWTH = Decimal(2)
"""Times the rate before, as long as nothing gives way; a step far above the capacity leaves a longer queue behind."""
LONGEST_REPEAT = 4.0
"""A step that this many times its length would not decide is left undecided."""
MOST_STEPS = 24
_LOWEST_SHARE = Decimal(32)
_DIGITS = Context(prec=3)
_FINEST, _COARSEST = Decimal("0.01"), Decimal(1)

GivesWay = Literal["latency", "errors", "throughput"]


class Limits(BaseModel):
    """Where a search looks, and how closely.

    Args:
        first: arrivals per second of the first step.
        most: never asked for more; None for as much as the generator can make.
        precision: the search ends when its bounds are this close, ratio of the upper one.
        least: no lower rate is tried: a step there would hold too few requests for any of them to prove that it holds.
    """

    model_config = ConfigDict(frozen=True)

    first: Decimal
    most: Decimal | None = None
    precision: Decimal = Decimal("0.05")
    least: Decimal = Decimal(0)

    def checked(self) -> "Limits":
        """These limits, if they make sense.

        Raises:
            UsageError: no rate is left to try, or the precision is out of reach.
        """
        if self.first <= 0:
            raise UsageError(f"`{self.first}` is no rate to begin with", hint="give arrivals per second, as `10`")
        if self.most is not None and self.most < self.first:
            raise UsageError(
                f"the search begins at `{self.first}`/s and ends at `{self.most}`/s", hint="begin lower or end higher"
            )
        if not _FINEST <= self.precision < _COARSEST:
            raise UsageError(f"`{self.precision}` is no precision", hint="give a ratio from `0.01` to below `1`")
        return self


class GaveWay(BaseModel):
    """What did not hold at a rate.

    Args:
        kind: answers too slow, too many failed, or fewer answered than asked.
        objective: identity of the objective; empty for throughput.
        reason: the figures, in a sentence.
    """

    kind: GivesWay
    objective: str = ""
    reason: str


class Step(BaseModel):
    """One rate that was tried.

    Args:
        rate: arrivals per second asked for.
        verdict: PASS where every objective holds and the target keeps up; FAIL where one surely does not.
        gave_way: what did not hold, what is surest first.
        achieved: requests per second answered; None without a measured second.
        saturated: the generator did not make the rate.
        longer: times its length that would likely decide an undecided step; None where it is not foreseeable.
        requests: how many were evaluated.
        reason: why it is undecided, in words; empty otherwise.
    """

    rate: Decimal
    verdict: Verdict
    gave_way: list[GaveWay] = []
    achieved: float | None = None
    saturated: bool = False
    longer: float | None = None
    requests: int = 0
    reason: str = ""


class Ask(NamedTuple):
    """The next step: arrivals per second, and how many times as long as an ordinary one."""

    rate: Decimal
    longer: float = 1.0


class Capacity(BaseModel):
    """What a search found.

    Args:
        outcome: `found`: between two bounds that are close enough; `at-least`: the highest rate that was to be tried
            holds; `none-holds`: an objective is missed at the lowest rate tried; `undecided`: anything else.
        holds: the highest rate at which every objective was proven to hold, below everything that gave way.
        gives_way: the lowest rate at which something was proven not to hold.
        gave_way: what that was.
        steps: everything that was tried, in order.
        notes: what a reader must know, in words.
    """

    model_config = ConfigDict(populate_by_name=True)

    version: Literal[1] = Field(default=1, alias="schema")
    profile: str = ""
    system: str = ""
    target: str = ""
    objectives: list[str] = []
    outcome: Literal["found", "at-least", "none-holds", "undecided"]
    holds: Decimal | None
    gives_way: Decimal | None
    gave_way: list[GaveWay]
    steps: list[Step]
    notes: list[str] = []

    @property
    def verdict(self) -> Verdict:
        """PASS for a capacity or a lower bound that was asked for, FAIL where nothing holds."""
        return {"found": Verdict.PASS, "at-least": Verdict.PASS, "none-holds": Verdict.FAIL}.get(
            self.outcome, Verdict.UNDECIDED
        )


def next_step(steps: Sequence[Step], limits: Limits) -> Ask | None:
    """What to try next.

    Args:
        steps: what was tried, in order.
        limits: where to look.

    Returns:
        None when the search is over: the bounds are close, or nothing that may still be tried would bring them closer.
    """
    if not steps:
        return Ask(limits.first)
    if len(steps) >= MOST_STEPS:
        return None
    again = _again(steps)
    if again is not None:
        return again
    known = _known(steps)
    holds, fails = _bounds(known)
    if fails is None:
        return _upwards(known, limits)
    if holds is None:
        return _downwards(known, limits)
    return _between(sorted(rate for rate in known if holds <= rate <= fails), limits)


def concluded(steps: Sequence[Step], limits: Limits, notes: Sequence[str] = ()) -> Capacity:
    """What the steps prove.

    Args:
        steps: what was tried, in order.
        limits: where the search looked.
        notes: why it ended before its time, if it did.
    """
    known = _known(steps)
    holds, fails = _bounds(known)
    outcome: Literal["found", "at-least", "none-holds", "undecided"] = "undecided"
    if holds is not None and fails is not None and _close(holds, fails, limits):
        outcome = "found"
    elif holds is not None and fails is None and holds == limits.most:
        outcome = "at-least"
    elif fails is not None and holds is None and fails == min(known):
        outcome = "none-holds"
    return Capacity(
        outcome=outcome,
        holds=holds,
        gives_way=fails,
        gave_way=known[fails].gave_way if fails is not None else [],
        steps=list(steps),
        notes=list(notes),
    )


def _known(steps: Sequence[Step]) -> dict[Decimal, Step]:
    """The last step at each rate."""
    return {step.rate: step for step in steps}


def _bounds(known: dict[Decimal, Step]) -> tuple[Decimal | None, Decimal | None]:
    """The highest rate that held below the lowest that did not, and the latter."""
    fails = min((rate for rate, step in known.items() if step.verdict is Verdict.FAIL), default=None)
    holds = [rate for rate, step in known.items() if step.verdict is Verdict.PASS and (fails is None or rate < fails)]
    return max(holds, default=None), fails


def _again(steps: Sequence[Step]) -> Ask | None:
    """The last step once more, if it was undecided and a longer one would likely decide."""
    last = steps[-1]
    tried_twice = sum(step.rate == last.rate for step in steps) > 1
    if last.verdict is not Verdict.UNDECIDED or last.saturated or tried_twice or last.longer is None:
        return None
    return Ask(last.rate, last.longer) if last.longer <= LONGEST_REPEAT else None


def _upwards(known: dict[Decimal, Step], limits: Limits) -> Ask | None:
    highest = max(known)
    if known[highest].saturated or (limits.most is not None and highest >= limits.most):
        return None
    rate = _readable(highest * GROWTH)
    return Ask(rate if limits.most is None else min(rate, limits.most))


def _downwards(known: dict[Decimal, Step], limits: Limits) -> Ask | None:
    lowest = min(known)
    # Fewer requests than those that left a rate undecided would decide nothing either.
    if known[lowest].verdict is not Verdict.FAIL or lowest * _LOWEST_SHARE <= limits.first:
        return None
    rate = _readable(lowest / 2)
    return Ask(rate) if rate >= limits.least else None


def _between(rates: Sequence[Decimal], limits: Limits) -> Ask | None:
    """The middle of the gap above the highest rate that holds, else of the one below the lowest that does not."""
    gaps = list(pairwise(rates))
    for low, high in (gaps[0], gaps[-1]):
        middle = _readable((low * high).sqrt())
        if not _close(low, high, limits) and low < middle < high:
            return Ask(middle)
    return None


def _close(low: Decimal, high: Decimal, limits: Limits) -> bool:
    return high - low <= limits.precision * high


def _readable(rate: Decimal) -> Decimal:
    """Three digits are enough to ask for."""
    return Decimal(f"{_DIGITS.create_decimal(rate):f}")
