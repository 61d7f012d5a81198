"""Whether the objectives held at one arrival rate, from the load generator's record of that step alone."""

import math
from collections.abc import Sequence
from decimal import Decimal

from sloproof.loadtests.capacity import LONGEST_REPEAT, GaveWay, Step
from sloproof.loadtests.doubts import WORTH_TELLING
from sloproof.loadtests.early_stop import Watched
from sloproof.loadtests.evaluation import judge_by_generator
from sloproof.loadtests.generator import GeneratorHealth, generator_health
from sloproof.loadtests.outcome import NO_ANSWER, TOO_MANY
from sloproof.loadtests.plan import MOST_USERS
from sloproof.loadtests.result import LoadResult
from sloproof.loadtests.second import Second
from sloproof.verdict.judge import Judgement, Verdict
from sloproof.verdict.statistics import surely_above
from sloproof.verdict.wording import percent

_MARGIN = 1.2
"""A step is repeated a little longer than what would just decide."""
_GROWS = 0.03
"""A backlog that grows by this share of the arrivals is one that never ends."""
_LEAST_GROWTH = 3
_STEADY_SHARE = 0.25
_THIRDS = 3
_PATIENCE = 2.0
_CONFIDENCE = 0.95


def most_at_once(rate: Decimal, watched: Sequence[Watched]) -> int:
    """Users that a step needs: with all of them waiting, an answer takes twice the slowest threshold.

    Args:
        rate: arrivals per second.
        watched: what must hold; without a threshold among them, one second is slow.
    """
    return min(round(float(rate) * _PATIENCE * _slowest(watched)) + 10, MOST_USERS)


def least_rate(watched: Sequence[Watched], seconds: float) -> Decimal:
    """The lowest rate at which a step can prove that all holds, if not one request of it is bad.

    Args:
        watched: what must hold.
        seconds: the length of a step; it may be repeated in its longest form.

    Returns:
        Arrivals per second: with fewer, the exact upper bound of no bad requests is above the smallest budget.
    """
    budget = float(min(one.budget for one in watched))
    needed = math.log(1 - _CONFIDENCE) / math.log1p(-budget)
    return Decimal(str(needed / (seconds * LONGEST_REPEAT)))


def judge_step(rate: Decimal, load: LoadResult, watched: Sequence[Watched]) -> Step:
    """Judge one step.

    Args:
        rate: arrivals per second that it asked for.
        load: its record, warm-up included.
        watched: what must hold.

    Returns:
        PASS only where all objectives are proven and what arrives is worked off; undecided where the generator was
        not fit, or the step was cut short for another reason than a sure miss.
    """
    measured = load.evaluated()
    health = _health(measured, watched)
    judged = judge_by_generator(load, watched)
    loaded = [second for second in measured.seconds if second.at + 1 <= load.drained_from]
    missed = [
        *_missed(judged, watched, measured.failed),
        *_turned_away(loaded, float(rate)),
        *_backlog(loaded, float(rate)),
    ]
    step = Step(
        rate=rate,
        verdict=Verdict.UNDECIDED,
        achieved=_answered(loaded) if loaded else None,
        saturated=health.saturated,
        requests=measured.completed + measured.in_flight_at_end,
    )
    if health.saturated:
        return step.model_copy(update={"reason": f"the load generator was saturated: {'; '.join(health.reasons)}"})
    if missed:
        return step.model_copy(update={"verdict": Verdict.FAIL, "gave_way": missed})
    if load.partial:
        return step.model_copy(update={"reason": "the step was cut short"})
    return _held(step, judged)


def _held(step: Step, judged: Sequence[Judgement]) -> Step:
    open_ones = [one for one in judged if one.verdict is not Verdict.PASS]
    if judged and not open_ones:
        return step.model_copy(update={"verdict": Verdict.PASS})
    reasons = "; ".join(f"{one.slo}: {one.reason}" for one in open_ones) or "no objective was judged"
    needed = [one.needs_more for one in open_ones]
    longer = None
    if open_ones and all(more is not None for more in needed):
        longer = _MARGIN * max(1 + (one.needs_more or 0) / max(one.counts.total, 1) for one in open_ones)
    return step.model_copy(update={"reason": reasons, "longer": longer})


def _missed(judged: Sequence[Judgement], watched: Sequence[Watched], failed: int) -> list[GaveWay]:
    """What failed, the most overspent first; where most of what was bad did fail, it was not too slow."""
    thresholds = {one.name: one.threshold for one in watched}
    missed = sorted((one for one in judged if one.verdict is Verdict.FAIL), key=lambda one: -(one.budget_spent or 0))
    return [
        GaveWay(
            kind="errors" if thresholds[one.slo] is None or 2 * failed > one.counts.bad else "latency",
            objective=one.slo,
            reason=one.reason,
        )
        for one in missed
    ]


def _turned_away(seconds: Sequence[Second], rate: float) -> list[GaveWay]:
    """A limit on the rate: with each 429 the target says itself that it did not serve what was asked."""
    completed = sum(second.completed for second in seconds)
    limited = sum(second.errors.get(TOO_MANY, 0) for second in seconds)
    if not surely_above(WORTH_TELLING, limited, completed, _CONFIDENCE):
        return []
    return [
        GaveWay(
            kind="throughput",
            reason=f"{_answered(seconds):.1f}/s were served of {rate:g}/s asked, and "
            f"{percent(limited / completed)} of the answers were 429",
        )
    ]


def _answered(seconds: Sequence[Second]) -> float:
    """Answers per second; a refused connection is none, nor is one that says that there were too many."""
    unanswered = sum(second.errors.get(kind, 0) for second in seconds for kind in (*NO_ANSWER, TOO_MANY))
    return (sum(second.completed for second in seconds) - unanswered) / max(len(seconds), 1)


def _backlog(seconds: Sequence[Second], rate: float) -> list[GaveWay]:
    """A queue that grows and grows: the objectives may hold for a while, the rate does not."""
    held = [second.in_flight + second.waiting for second in seconds]
    size = len(held) // _THIRDS
    if not size:
        return []
    first, middle, last = (sum(held[part * size : (part + 1) * size]) / size for part in range(_THIRDS))
    growth = last - first
    steady = min(middle - first, last - middle) >= _STEADY_SHARE * growth
    per_second = growth / (2 * size)
    if growth < _LEAST_GROWTH or not steady or per_second < _GROWS * rate:
        return []
    return [
        GaveWay(
            kind="throughput",
            reason=f"{_answered(seconds):.1f}/s were answered of {rate:g}/s asked, and the requests in flight grew by "
            f"{per_second:.1f} a second, {percent(per_second / rate)} of what arrived",
        )
    ]


def _health(load: LoadResult, watched: Sequence[Watched]) -> GeneratorHealth:
    """How the generator fared; users that all wait for a slow target are no fault of the generator.

    By Little's law the target then takes, on average, as long as there are users for each answer of a second.
    """
    health, loaded = load.generator, [second for second in load.seconds if second.at + 1 <= load.drained_from]
    full = any(second.waiting for second in loaded)
    if not full or load.users < _answered(loaded) * _PATIENCE * _slowest(watched):
        return health
    forgiven = [second.model_copy(update={"waiting": 0, "started": math.ceil(second.asked or 0)}) for second in loaded]
    return generator_health(forgiven, users=load.users, asked_rate=load.asked_rate, drained_from=load.drained_from)


def _slowest(watched: Sequence[Watched]) -> float:
    return max((float(one.threshold) for one in watched if one.threshold is not None), default=1.0)
