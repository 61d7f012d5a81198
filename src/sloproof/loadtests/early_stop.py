"""Whether a running load may end because an objective is surely missed, by the seconds that it has told so far."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sloproof.loadtests.generator import generator_health
from sloproof.loadtests.outcome import FAILURES
from sloproof.loadtests.plan import LoadPlan
from sloproof.loadtests.result import LoadResult
from sloproof.loadtests.second import Second
from sloproof.slo import SLO
from sloproof.verdict.sequential import FALSE_STOPS, EarlyStop


@dataclass(frozen=True)
class SureMiss:
    """An objective that was missed beyond doubt while its load still ran.

    Args:
        slo: the objective.
        after: seconds that were evaluated until then.
        bad: bad events in them.
        total: all events in them.
        false_stops: the chance to call this a miss of a target that keeps its budget, ratio of 1, at most.
    """

    slo: SLO
    after: int
    bad: int
    total: int
    false_stops: float


class MissWatch:
    """Looks at every second once; all objectives together stop a healthy target as rarely as one would.

    Args:
        slos: the objectives.
        warm_up: seconds at the start that are left out.
    """

    def __init__(self, slos: Sequence[SLO], warm_up: float) -> None:
        self._share = FALSE_STOPS / max(len(slos), 1)
        self._tests = [(slo, EarlyStop(float(slo.budget), self._share)) for slo in slos]
        self._warm_up = warm_up
        self._from: float | None = None
        self._events: dict[str, tuple[int, int]] = {slo.identity: (0, 0) for slo in slos}
        self.misses: dict[str, SureMiss] = {}

    def add(self, seconds: Sequence[Second]) -> SureMiss | None:
        """Take in the seconds that are new; the first objective that is surely missed by now, if any is."""
        for second in seconds:
            self._from = second.at + self._warm_up if self._from is None else self._from
            if second.at >= self._from:
                self._weigh(second)
        return next(iter(self.misses.values()), None)

    def _weigh(self, second: Second) -> None:
        for slo, test in self._tests:
            if slo.identity in self.misses:
                continue
            bad, total = second_counts(second, slo)
            before = self._events[slo.identity]
            self._events[slo.identity] = (before[0] + bad, before[1] + total)
            if test.add(bad, total):
                self.misses[slo.identity] = SureMiss(
                    slo, test.stopped_after or 0, *self._events[slo.identity], false_stops=self._share
                )


class StopWatch:
    """A watch over one running load.

    Args:
        slos: the objectives.
        plan: what runs.
    """

    def __init__(self, slos: Sequence[SLO], plan: LoadPlan) -> None:
        self._misses = MissWatch(slos, plan.warm_up)
        self._plan = plan
        self._seen = 0

    def missed(self, seconds: Sequence[Second]) -> SLO | None:
        """The objective for which the load may be stopped now.

        Args:
            seconds: all that the run has told so far.

        Returns:
            None while none is surely missed, and as long as the generator is not fit to decide.
        """
        found = self._misses.add(seconds[self._seen :])
        self._seen = len(seconds)
        if found is None:
            return None
        plan, now = self._plan, seconds[-1].at + 1
        measured = [second for second in seconds if second.at >= seconds[0].at + plan.warm_up]
        health = generator_health(measured, users=plan.users, asked_rate=plan.asked_rate, drained_from=now)
        return None if health.saturated else found.slo


def sure_misses(load: LoadResult, slos: Sequence[SLO]) -> dict[str, SureMiss]:
    """Every objective that a run missed beyond doubt, by its identity; as a watch on it would have found.

    Args:
        load: the run, whole.
        slos: the same objectives in the same number as were watched.
    """
    watch = MissWatch(slos, load.warm_up)
    watch.add(load.seconds)
    return watch.misses


def second_counts(second: Second, slo: SLO) -> tuple[int, int]:
    """Bad and all events of one second: failed requests, or those slower than the objective's threshold."""
    threshold = slo.sli.client_threshold
    if threshold is None:
        return sum(count for kind, count in second.errors.items() if kind in FAILURES), second.completed
    slower = (count for text, count in second.slower.items() if Decimal(text) == threshold)
    return next(slower, 0), second.completed
