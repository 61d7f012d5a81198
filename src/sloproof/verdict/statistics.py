"""Exact bounds of a bad ratio, and how many independent events a correlated stream is worth.

Pure Python: the beta distribution is computed from the continued fraction of the incomplete beta function.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from statistics import NormalDist

Slice = tuple[int, int]
"""Bad events and all events of one slice of time; the slices of a run are equally long and successive."""

FEWEST_BATCHES = 10
"""Batches are not merged to fewer than this: a variance from fewer is mostly noise."""

_SMALL_CORRELATION = 0.1
# Past one half the AR(1) factor of `_batch_clustering` triples the variance on the word of a few batches.
_LARGEST_CORRELATION = 0.5
# A larger sample is taken as this large: its bounds are a hair wider than they need be, and the fraction converges.
_LARGEST_SAMPLE = 1e8
_LEAST_EVENT = 1e-9
"""A part of an event below this is none."""
_TINY = 1e-300
_PRECISION = 1e-14
_FRACTION_STEPS = 100_000
_STEPS = 200


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function: the chance that a Beta(a, b) value is at most `x`.

    Args:
        a: first shape, above 0.
        b: second shape, above 0.
        x: ratio of 1.

    Returns:
        A probability, ratio of 1.

    Source: Abramowitz and Stegun 26.5.8, evaluated by the modified Lentz method.
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = math.exp(_log_front(a, b, x))
    if x < (a + 1) / (a + b + 2):
        return front * _beta_fraction(a, b, x) / a
    return 1 - front * _beta_fraction(b, a, 1 - x) / b


def _beta_fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _FRACTION_STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _away_from_zero(1 + term * d)
            c = _away_from_zero(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < _PRECISION:
            break
    return value


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def beta_quantile(a: float, b: float, probability: float) -> float:
    """The value that a Beta(a, b) value stays at or below with this probability.

    Args:
        a: first shape, above 0.
        b: second shape, above 0.
        probability: ratio of 1.

    Returns:
        Ratio of 1.
    """
    low, high, x = 0.0, 1.0, a / (a + b)
    for _ in range(_STEPS):
        excess = incomplete_beta(a, b, x) - probability
        low, high = (x, high) if excess < 0 else (low, x)
        # Newton's step where it stays between the bounds, else their middle.
        density = math.exp(_log_front(a, b, x)) / (x * (1 - x))
        step = excess / density if density else math.inf
        following = x - step if low < x - step < high else (low + high) / 2
        if abs(following - x) <= _PRECISION * x or following in (low, high):
            return following
        x = following
    return x


def _log_front(a: float, b: float, x: float) -> float:
    return math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)


def clopper_pearson(bad: float, total: float, confidence: float = 0.95) -> tuple[float, float]:
    """Exact one-sided bounds of the true bad ratio: each of the two holds with this confidence.

    Args:
        bad: bad events; need not be whole, so that an effective sample size can be used.
        total: all events, at least `bad`; zero knows nothing.
        confidence: of each bound by itself, ratio of 1.

    Returns:
        Lower and upper bound, ratios of 1.

    Source: Clopper and Pearson, Biometrika 26 (1934).
    """
    if total <= 0:
        return 0.0, 1.0
    bad, total = _computable(bad, total)
    chance = 1 - confidence
    if bad < _LEAST_EVENT:
        return 0.0, -math.expm1(math.log(chance) / total)
    if total - bad < _LEAST_EVENT:
        return math.exp(math.log(chance) / total), 1.0
    return beta_quantile(bad, total - bad + 1, chance), beta_quantile(bad + 1, total - bad, confidence)


def _computable(bad: float, total: float) -> tuple[float, float]:
    return (bad, total) if total <= _LARGEST_SAMPLE else (bad / total * _LARGEST_SAMPLE, _LARGEST_SAMPLE)


def surely_at_most(limit: float, bad: float, total: float, confidence: float) -> bool:
    """Whether the upper Clopper-Pearson bound is at most `limit`; cheaper than the bound itself.

    Args:
        limit: ratio of 1.
        bad: bad events; need not be whole.
        total: all events.
        confidence: of the bound, ratio of 1.
    """
    bad, total = _computable(bad, total)
    return total - bad >= _LEAST_EVENT and incomplete_beta(bad + 1, total - bad, limit) >= confidence


def surely_above(limit: float, bad: float, total: float, confidence: float) -> bool:
    """Whether the lower Clopper-Pearson bound is above `limit`; cheaper than the bound itself.

    Args:
        limit: ratio of 1.
        bad: bad events; need not be whole.
        total: all events.
        confidence: of the bound, ratio of 1.
    """
    bad, total = _computable(bad, total)
    return bad >= _LEAST_EVENT and total > 0 and incomplete_beta(bad, total - bad + 1, limit) < 1 - confidence


@lru_cache(maxsize=4096)  # forecasts and neighbouring judgements ask for the same again and again
def student_quantile(degrees: float, probability: float) -> float:
    """The value that Student's t stays at or below with this probability.

    Args:
        degrees: degrees of freedom, above 0.
        probability: ratio of 1, at least one half.
    """
    squared = beta_quantile(0.5, degrees / 2, 2 * probability - 1)
    return math.sqrt(degrees * squared / (1 - squared))


@dataclass(frozen=True)
class Clustering:
    """How much more the bad ratio varies than that of independent events, seen at one length of batch.

    Args:
        inflation: variance over binomial variance, at least 1 (Kish's design effect).
        carriers: batches that hold the rarer outcome; the fewer they are, the less is known about `inflation`.
    """

    inflation: float
    carriers: float

    def allowance(self, confidence: float, growth: float = 1) -> float:
        """The inflation with a margin for how few batches it was seen in.

        Args:
            confidence: of the bound that it will be used for, ratio of 1.
            growth: how many times longer the run is imagined to be.

        Returns:
            Events that are worth one independent event, at least 1. The margin is the squared ratio of Student's t
            to the normal quantile, as in Korn and Graubard, Survey Methodology 24 (1998); its degrees of freedom are
            the carriers, since a few clusters of rare events tell little about the next one's size.
            `benchmarks/verdict_coverage.py` shows what that brings.
        """
        student = student_quantile(self.carriers * growth, confidence)
        margin: float = (student / NormalDist().inv_cdf(confidence)) ** 2
        return 1 + (self.inflation - 1) * margin


def clusterings(slices: Sequence[Slice]) -> tuple[Clustering, ...]:
    """The variance inflation of the bad ratio, from batch means, at each length of batch that was tried.

    Successive batches are merged in pairs while their lag-1 correlation is above 0.1 and at least 10 would be left.

    Args:
        slices: bad and all events of equally long, successive slices of time.

    Returns:
        The shortest batches first; empty when there is nothing to learn: fewer than two slices, or only
        one of the two outcomes.

    Source: batch means as in Law and Carson, Operations Research 27 (1979); the variance of a ratio of sums as in
    Cochran, Sampling Techniques, 6.4; what correlation is left is put in by the AR(1) factor (1 + r) / (1 - r).
    """
    bad, total = sum(b for b, _ in slices), sum(n for _, n in slices)
    if len(slices) <= 1 or not 0 < bad < total:
        return ()
    found = []
    while True:
        clustering, correlation = _batch_clustering(slices, bad / total, total)
        found.append(clustering)
        if correlation <= _SMALL_CORRELATION or len(slices) // 2 < FEWEST_BATCHES:
            return tuple(found)
        slices = _merged_in_pairs(slices)


def _batch_clustering(batches: Sequence[Slice], ratio: float, total: int) -> tuple[Clustering, float]:
    residuals = [bad - ratio * size for bad, size in batches]
    squares = sum(r * r for r in residuals)
    products = sum(first * second for first, second in pairwise(residuals))
    correlation = min(max(products / squares, 0.0), _LARGEST_CORRELATION) if squares else 0.0
    count = len(batches)
    variance = squares * count / (count - 1) * (1 + correlation) / (1 - correlation)
    carriers = min(sum(bad > 0 for bad, _ in batches), sum(bad < size for bad, size in batches), count - 1)
    return Clustering(max(variance / (total * ratio * (1 - ratio)), 1.0), max(carriers, 1)), correlation


def _merged_in_pairs(batches: Sequence[Slice]) -> list[Slice]:
    pairs = [batches[i : i + 2] for i in range(0, len(batches) - 1, 2)]
    if len(batches) % 2:
        pairs[-1] = batches[-3:]
    return [(sum(bad for bad, _ in pair), sum(size for _, size in pair)) for pair in pairs]


def inflation(found: Sequence[Clustering]) -> float:
    """The largest inflation among these clusterings, at least 1.

    Args:
        found: clusterings at several lengths of batch.
    """
    return max((clustering.inflation for clustering in found), default=1.0)


def allowance(found: Sequence[Clustering], confidence: float, growth: float = 1) -> float:
    """The largest allowance among these clusterings, at least 1.

    Args:
        found: clusterings at several lengths of batch, of one or more counts.
        confidence: of the bound that it will be used for, ratio of 1.
        growth: how many times longer the run is imagined to be.
    """
    return max((clustering.allowance(confidence, growth) for clustering in found), default=1.0)


def effective_size(slices: Sequence[Slice]) -> float:
    """How many independent events the events of these slices are worth.

    Args:
        slices: bad and all events of equally long, successive slices of time.

    Returns:
        All events over their variance inflation: between 1 and all events, 0 for none. All of them where only one
        outcome occurs, for then nothing shows that it clusters.
    """
    total = sum(n for _, n in slices)
    return min(float(total), max(1.0, total / inflation(clusterings(slices))))
