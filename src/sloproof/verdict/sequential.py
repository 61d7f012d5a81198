"""Whether a running load may stop because its objective is missed already: a sequential test, never a peek.

Looking at a bound again and again fails any target sooner or later. A likelihood ratio may be looked at after each
second: under the hypothesis that the budget is kept, the chance that it ever passes 1 / alpha is at most alpha.
"""

import math
from collections.abc import Sequence

from sloproof.verdict.statistics import Slice, clusterings, inflation

ALTERNATIVES = (2.0, 4.0, 10.0)
"""How many times over its budget a target that is stopped may be; the test weighs them alike."""
FALSE_STOPS = 0.005
"""The chance to stop a target that keeps its budget, at most."""
FEWEST_SECONDS = 10
"""Fewer seconds do not show whether bad events come in clusters."""
FEWEST_BAD_SECONDS = 5
"""A single stall is one event, however many requests it holds."""
_MOST = 0.999


class EarlyStop:
    """Told each second, it says from when on the objective is missed beyond doubt.

    Requests that queue are bad together. So the evidence is divided by how much more the seconds vary than those of
    independent requests would (see `statistics.clusterings`).

    Args:
        budget: the error budget, ratio of 1.
        false_stops: the chance to stop a target that keeps its budget, ratio of 1.
    """

    def __init__(self, budget: float, false_stops: float = FALSE_STOPS) -> None:
        self._budget = budget
        self._limit = -math.log(false_stops)
        self._seconds: list[Slice] = []
        self.stopped_after: int | None = None

    def add(self, bad: int, total: int) -> bool:
        """One second more; whether the load may stop.

        Args:
            bad: bad events of the second.
            total: all events of the second.
        """
        self._seconds.append((bad, total))
        if self.stopped_after is None and self._surely_missed():
            self.stopped_after = len(self._seconds)
        return self.stopped_after is not None

    @property
    def evidence(self) -> float:
        """The logarithm of how many times better a spent budget explains the seconds than a kept one."""
        return evidence(self._seconds, self._budget)

    def _surely_missed(self) -> bool:
        if len(self._seconds) < FEWEST_SECONDS or sum(bad > 0 for bad, _ in self._seconds) < FEWEST_BAD_SECONDS:
            return False
        return self.evidence >= self._limit


def evidence(seconds: Sequence[Slice], budget: float) -> float:
    """The logarithm of the mean likelihood ratio of the alternatives to a target right at its budget.

    Args:
        seconds: bad and all events, second by second.
        budget: ratio of 1.

    Returns:
        Below zero where the budget explains the seconds better.

    Source: Wald, Sequential Analysis, 1947; mixtures as in Robbins, Annals of Mathematical Statistics 41 (1970).
    """
    divisor = inflation(clusterings(seconds))
    bad, total = (sum(part) / divisor for part in zip(*seconds, strict=True)) if seconds else (0.0, 0.0)
    ratios = [_log_ratio(bad, total - bad, budget, min(budget * factor, _MOST)) for factor in ALTERNATIVES]
    most = max(ratios)
    return most + math.log(sum(math.exp(ratio - most) for ratio in ratios) / len(ratios))


def _log_ratio(bad: float, good: float, kept: float, missed: float) -> float:
    if missed <= kept:
        return 0.0  # a budget near 1 leaves no worse target to tell apart
    return bad * math.log(missed / kept) + good * math.log((1 - missed) / (1 - kept))
