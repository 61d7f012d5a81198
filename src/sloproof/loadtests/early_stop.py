"""Whether a running load may end because something is surely missed, by the seconds that it has told so far."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from sloproof.loadtests.generator import generator_health
from sloproof.loadtests.outcome import FAILURES
from sloproof.loadtests.plan import LoadPlan
from sloproof.loadtests.promises import LoadPromise
from sloproof.loadtests.result import EarlyMiss
from sloproof.loadtests.second import Second
from sloproof.slo import SLO
from sloproof.verdict.sequential import FALSE_STOPS, EarlyStop


@dataclass(frozen=True)
class Watched:
    """An objective, or a promise of a profile, as far as a load generator can count it.

    Args:
        name: the objective's identity, or the promise's sentence.
        budget: the share of requests that may be bad, ratio of 1.
        threshold: seconds above which a request is bad; None where failed requests are.
    """

    name: str
    budget: Decimal
    threshold: Decimal | None

    @classmethod
    def of(cls, kept: SLO | LoadPromise) -> Self:
        """What a client sees of an objective or a promise."""
        if isinstance(kept, SLO):
            return cls(kept.identity, kept.budget, kept.sli.client_threshold)
        return cls(kept.describe(), kept.budget, kept.threshold)

    def counts(self, second: Second) -> tuple[int, int]:
        """Bad and all events of one second."""
        if self.threshold is None:
            return sum(count for kind, count in second.errors.items() if kind in FAILURES), second.completed
        slower = (count for text, count in second.slower.items() if Decimal(text) == self.threshold)
        return next(slower, 0), second.completed


class StopWatch:
    """A watch over one running load; all that is watched together stops a healthy target as rarely as one would.

    Args:
        watched: what must hold.
    """

    def __init__(self, watched: Sequence[Watched]) -> None:
        share = FALSE_STOPS / max(len(watched), 1)
        self._tests = [_Test(one, share) for one in watched]
        self._seen = 0

    def missed(self, seconds: Sequence[Second], plan: LoadPlan) -> list[EarlyMiss]:
        """What is missed beyond doubt, for which the load may be stopped now.

        Args:
            seconds: all that the run has told so far.
            plan: what runs; a locustfile may change it until the first second is told.

        Returns:
            Nothing as long as the generator is not fit to decide.
        """
        for second in seconds[self._seen :]:
            if second.at >= seconds[0].at + plan.warm_up:
                for test in self._tests:
                    test.add(second)
        self._seen = len(seconds)
        found = [test.miss for test in self._tests if test.miss is not None]
        return found if found and _fit(seconds, plan) else []


class _Test:
    """The sequential test of one objective, and its counts until it was decided."""

    def __init__(self, watched: Watched, false_stops: float) -> None:
        self._watched = watched
        self._false_stops = false_stops
        self._test = EarlyStop(float(watched.budget), false_stops)
        self._after = self._bad = self._total = 0
        self.miss: EarlyMiss | None = None

    def add(self, second: Second) -> None:
        if self.miss is not None:
            return
        bad, total = self._watched.counts(second)
        self._after, self._bad, self._total = self._after + 1, self._bad + bad, self._total + total
        if self._test.add(bad, total):
            self.miss = EarlyMiss(
                objective=self._watched.name,
                budget=float(self._watched.budget),
                after=self._after,
                bad=self._bad,
                total=self._total,
                false_stops=self._false_stops,
            )


def _fit(seconds: Sequence[Second], plan: LoadPlan) -> bool:
    now = seconds[-1].at + 1
    measured = [second for second in seconds if second.at >= seconds[0].at + plan.warm_up]
    health = generator_health(measured, users=plan.users, asked_rate=plan.asked_rate, drained_from=now)
    return not health.saturated
