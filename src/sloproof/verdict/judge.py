"""Evidence in, judgement out. No data, partial data or too little data never passes."""

import math
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, Self

from sloproof.definition import Definition
from sloproof.verdict.evidence import Counts, Evidence
from sloproof.verdict.statistics import (
    FEWEST_BATCHES,
    allowance,
    clopper_pearson,
    clusterings,
    inflation,
    surely_above,
    surely_at_most,
)
from sloproof.verdict.wording import counted, percent, quantity, span

_LARGEST_FORECAST = 10**8
_SLICED_SHARE = 0.95
"""Slices that hold fewer of the events than this do not speak for the run."""
_GUESS = 0.5
"""A bound of no more confidence than this is a guess."""
_WORTH_TELLING = 0.9
"""An effective size below this share of the requests is told."""


class Verdict(StrEnum):
    """What is decided about an objective."""

    PASS = "PASS"
    FAIL = "FAIL"
    UNDECIDED = "UNDECIDED"

    @property
    def exit_code(self) -> int:
        """What a command ends with: 0, 1 or 3."""
        return {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.UNDECIDED: 3}[self]


class Bounds(NamedTuple):
    """What is known of a true bad ratio.

    Args:
        lower: it is at least this, ratio of 1.
        upper: it is at most this, ratio of 1.
        effective: independent events that the events are worth.
    """

    lower: float
    upper: float
    effective: float


def bad_ratio_bounds(evidence: Evidence, confidence: float = 0.95) -> Bounds:
    """Exact one-sided bounds of the true bad ratio, on the effective size of the sample.

    Args:
        evidence: what was counted; its counts must be numbers, of at least one event.
        confidence: of each bound, ratio of 1.
    """
    return _bounds(evidence.counts, _Clusters(evidence, confidence), confidence, confidence)


def combine(verdicts: Iterable[Verdict]) -> Verdict:
    """One verdict for several.

    Args:
        verdicts: in any order.

    Returns:
        FAIL if any failed, else UNDECIDED if any is undecided or there are none, else PASS.
    """
    seen = set(verdicts)
    if Verdict.FAIL in seen:
        return Verdict.FAIL
    return Verdict.PASS if seen == {Verdict.PASS} else Verdict.UNDECIDED


class Judgement(Definition):
    """The verdict on one objective, and what it rests on.

    Args:
        slo: the objective's identity.
        verdict: PASS only where the objective is proven at the stated confidence.
        counts: what was counted.
        confidence: of the upper bound, and of the lower one unless several objectives were judged at once; ratio of 1.
        miss_confidence: of the lower bound, ratio of 1; see `judge_objectives`.
        ratio: bad events of all events, open ones counted as bad, ratio of 1; None without usable data.
        lower: the true bad ratio is at least this, ratio of 1; open events counted as good.
        upper: the true bad ratio is at most this, ratio of 1; open events counted as bad.
        effective_size: independent events that the events are worth.
        budget_spent: share of what this run's own events may spend that they did spend, ratio of 1.
        observed_within_budget: whether `budget_spent` is at most 1. It says what happened in this run and proves
            nothing about the objective; None without usable data.
        needs_more: events that would likely decide at the ratio seen; None when decided or not foreseeable.
        needs_seconds: how long those take at the run's rate; None where either is not known.
        reason: one plain sentence.
    """

    slo: str
    verdict: Verdict
    counts: Counts
    confidence: float
    miss_confidence: float = 0.95
    ratio: float | None = None
    lower: float | None = None
    upper: float | None = None
    effective_size: float = 0
    budget_spent: float | None = None
    observed_within_budget: bool | None = None
    needs_more: int | None = None
    needs_seconds: float | None = None
    reason: str

    def undecided_because(self, reason: str) -> Self:
        """The same figures without a verdict: generator saturated, sources disagree, fault without effect.

        Args:
            reason: one plain sentence, without a full stop.
        """
        return self.model_copy(
            update={"verdict": Verdict.UNDECIDED, "needs_more": None, "needs_seconds": None, "reason": reason}
        )


def judge_objectives(claims: Sequence[tuple[Decimal, Evidence]], confidence: str = "0.95") -> list[Judgement]:
    """Judge several objectives of one run, so that together they fail no sooner than one would by itself.

    Args:
        claims: the error budget (ratio of 1) and the evidence of each.
        confidence: that no objective that is kept is called missed, and of each upper bound by itself; ratio of 1.

    Returns:
        Judgements in the order given. All of them must pass, so a wrong pass of the whole needs no correction: it is
        one of an objective that is missed. Any failing one fails the whole, so misses are corrected for their number:
        the surest must hold at 1 - alpha/n, the next at 1 - alpha/(n - 1), and so on. One that would have failed
        alone, and does not with the others beside it, is undecided.

    Source: Holm, Scandinavian Journal of Statistics 6 (1979): valid however the objectives depend on one another.
    """
    found = [judge_objective(budget, evidence, confidence) for budget, evidence in claims]
    missed = [at for at, judged in enumerate(found) if judged.verdict is Verdict.FAIL]
    chance, tested = 1 - Decimal(confidence), len(found)
    while missed and tested > 1:
        surer = str(1 - chance / tested)
        again = {at: judge_objective(*claims[at], confidence, surer) for at in missed}
        surest = next((at for at in missed if again[at].verdict is Verdict.FAIL), None)
        if surest is None:
            for at in missed:
                found[at] = _beside_others(again[at], len(found))
            break
        found[surest] = again[surest]
        missed.remove(surest)
        tested -= 1
    return found


def _beside_others(judged: Judgement, objectives: int) -> Judgement:
    if judged.verdict is not Verdict.UNDECIDED:
        return judged
    return judged.model_copy(
        update={
            "reason": f"{judged.reason}; alone it would have failed, but with {objectives} objectives tested at once a "
            f"miss must be {percent(judged.miss_confidence)} sure"
        }
    )


def judge_objective(
    budget: Decimal, evidence: Evidence, confidence: str = "0.95", miss_confidence: str | None = None
) -> Judgement:
    """Whether the evidence proves that an objective holds, or that it is missed.

    Args:
        budget: the error budget, ratio of 1 (0.001 for 99.9 %).
        evidence: what was counted.
        confidence: of each bound, ratio of 1, between one half and 1.
        miss_confidence: of the lower bound, where it must be surer than that, as beside other objectives.

    Returns:
        PASS if the upper bound of the bad ratio is at most the budget, FAIL if the lower bound is above it,
        else UNDECIDED. Both bounds are exact ones on the effective size of the sample.

    Raises:
        ValueError: the budget or the confidence is impossible.
    """
    sure, miss = float(confidence), float(miss_confidence or confidence)
    if not 0 < budget < 1:
        raise ValueError(f"`{budget}` is not a budget above 0 and below 1")
    for given, value in ((confidence, sure), (miss_confidence, miss)):
        if not _GUESS < value < 1:
            raise ValueError(f"`{given}` is not a confidence above 0.5 and below 1")
    unusable = _unusable(evidence.counts)
    if unusable:
        return Judgement(
            slo=evidence.slo,
            verdict=Verdict.UNDECIDED,
            counts=evidence.counts,
            confidence=sure,
            miss_confidence=miss,
            reason=unusable,
        )
    return _weigh(float(budget), evidence, sure, miss)


def _named(source: str) -> str:
    """A source in a sentence: the load generator, but Prometheus."""
    return source if source[:1].isupper() else f"the {source}"


def _unusable(counts: Counts) -> str:
    if not math.isfinite(counts.total) or not math.isfinite(counts.bad):
        return f"{_named(counts.source)} gave no number: `{counts.bad:g}` bad of `{counts.total:g}`"
    if 0 <= counts.total < 1:
        return f"no data: {_named(counts.source)} counted no requests"
    if not 0 <= counts.bad <= counts.possibly_bad <= counts.total:
        return (
            f"{_named(counts.source)} contradicts itself: {quantity(counts.bad)} bad and {counts.censored} open "
            f"of {quantity(counts.total)}"
        )
    return ""


def _weigh(budget: float, evidence: Evidence, confidence: float, miss_confidence: float) -> Judgement:
    counts, clusters = evidence.counts, _Clusters(evidence, confidence)
    bounds = _bounds(counts, clusters, confidence, miss_confidence)
    verdict, doubt = _decide(budget, bounds, evidence)
    forecast = verdict is Verdict.UNDECIDED and not evidence.partial
    more = _needs_more(budget, evidence, clusters, (miss_confidence, confidence)) if forecast else None
    spent = counts.possibly_bad / (budget * counts.total)
    figures = Judgement(
        slo=evidence.slo,
        verdict=verdict,
        counts=counts,
        confidence=confidence,
        miss_confidence=miss_confidence,
        ratio=counts.possibly_bad / counts.total,
        lower=bounds.lower,
        upper=bounds.upper,
        effective_size=bounds.effective,
        budget_spent=spent,
        observed_within_budget=spent <= 1,
        needs_more=more,
        needs_seconds=more / evidence.rate if more is not None and evidence.rate else None,
        reason=doubt,
    )
    return figures if doubt else figures.model_copy(update={"reason": _sentence(figures, bounds, budget)})


class _Clusters:
    """How the events of one piece of evidence cluster.

    Where bad events are the rarer ones, a run that saw few of them also saw too little of how they cluster, so that
    the upper bound needs the allowance; a run that saw many saw their clusters too, so that the lower bound does not.
    """

    def __init__(self, evidence: Evidence, confidence: float) -> None:
        self._own = clusterings(evidence.batches)
        self._all = (*self._own, *clusterings(evidence.looser))
        self._total = evidence.counts.total
        self._bad_is_rarer = 2 * evidence.counts.bad < self._total
        self._confidence = confidence

    def divisors(self, growth: float = 1) -> tuple[float, float]:
        """Events that are worth one independent event, for the lower and for the upper bound."""
        high = allowance(self._all, self._confidence, growth)
        low = inflation(self._own) if self._bad_is_rarer else high
        most = max(self._total * growth, 1.0)
        return min(low, most), min(high, most)


def _bounds(counts: Counts, clusters: _Clusters, confidence: float, miss_confidence: float) -> Bounds:
    low, high = clusters.divisors()
    fewest, most = counts.total / low, counts.total / high
    return Bounds(
        lower=clopper_pearson(counts.bad / low, fewest, miss_confidence)[0],
        upper=clopper_pearson(counts.possibly_bad / high, most, confidence)[1],
        effective=fewest,
    )


def _decide(budget: float, bounds: Bounds, evidence: Evidence) -> tuple[Verdict, str]:
    """The verdict, and why a sample that is good enough by its bounds may not pass."""
    slices = len(evidence.batches)
    if slices > 1 and bounds.lower > budget:
        return Verdict.FAIL, ""
    if evidence.partial:
        return Verdict.UNDECIDED, f"partial evidence never passes: {evidence.partial}"
    if slices < FEWEST_BATCHES:
        return Verdict.UNDECIDED, (
            f"{slices} slices of time do not show whether bad events cluster; it takes at least {FEWEST_BATCHES}"
        )
    sliced = sum(total for _, total in evidence.batches) / evidence.counts.total
    if not _SLICED_SHARE <= sliced <= 1 / _SLICED_SHARE:
        return Verdict.UNDECIDED, (
            f"the slices of time hold {percent(sliced)} of the requests, so they do not speak for the run"
        )
    return (Verdict.PASS if bounds.upper <= budget else Verdict.UNDECIDED), ""


def _sentence(judged: Judgement, bounds: Bounds, budget: float) -> str:
    counts = judged.counts
    seen = f"{quantity(counts.possibly_bad)} bad of {quantity(counts.total)} requests"
    if bounds.effective < _WORTH_TELLING * counts.total:
        seen += f", worth {quantity(round(bounds.effective))} independent ones"
    sure, surer = (f"{percent(level)} confidence" for level in (judged.confidence, judged.miss_confidence))
    limit = f"the budget of {percent(budget)}"
    if judged.verdict is Verdict.PASS:
        assumed = "" if counts.possibly_bad else ", taking it that bad requests do not come in clusters"
        return f"{seen}: with {sure} at most {percent(bounds.upper)} are bad, within {limit}{assumed}"
    if judged.verdict is Verdict.FAIL:
        return f"{seen}: with {surer} at least {percent(bounds.lower)} are bad, over {limit}"
    each = f"each with {sure}" if judged.confidence == judged.miss_confidence else f"with {surer}, with {sure}"
    between = f"at least {percent(bounds.lower)} and at most {percent(bounds.upper)} are bad ({each})"
    more = "more requests at this ratio may not decide"
    if judged.needs_more is not None:
        more = f"needs {counted(judged.needs_more, 'more request')}"
        if judged.needs_seconds is not None:
            more += f", {span(judged.needs_seconds)} at this rate"
    return f"{seen}: {between}, so {limit} may be kept or missed; {more}"


def _needs_more(budget: float, evidence: Evidence, clusters: _Clusters, confidences: tuple[float, float]) -> int | None:
    """Events that would decide if the run went on with the ratio and the clustering seen so far.

    `confidences` are those of the lower and of the upper bound.
    """
    counts = evidence.counts
    if counts.possibly_bad / counts.total < budget:
        bad, side, decided = counts.possibly_bad, 1, surely_at_most
    elif counts.bad / counts.total > budget:
        bad, side, decided = counts.bad, 0, surely_above
    else:
        return None

    def would_decide(total: int) -> bool:
        divisor = clusters.divisors(total / counts.total)[side]
        return decided(budget, bad / counts.total * total / divisor, total / divisor, confidences[side])

    slices = len(evidence.batches)
    enough_slices = math.ceil(counts.total * FEWEST_BATCHES / max(slices, 1)) if slices < FEWEST_BATCHES else 0
    needed = _least(would_decide, math.ceil(counts.total))
    return None if needed is None else max(needed, enough_slices) - math.floor(counts.total)


def _least(holds: Callable[[int], bool], start: int) -> int | None:
    """The least number from `start` up for which `holds`, by doubling and bisecting; None beyond a hundred million."""
    low, high = start, start
    while not holds(high):
        if high > _LARGEST_FORECAST:
            return None
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
