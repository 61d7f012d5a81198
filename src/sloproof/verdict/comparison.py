"""How a run differs from an earlier one: an effect with its bounds, not a p-value.

Latency and throughput are compared by a figure of each window of time (a quantile of each second, say), so that a long
run does not make every difference significant. Neighbouring windows are alike, so they are put together until they no
longer are. Failures are compared by their exact bounds.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean

from sloproof.definition import Definition
from sloproof.verdict.evidence import Evidence
from sloproof.verdict.judge import Verdict, bad_ratio_bounds
from sloproof.verdict.statistics import FEWEST_BATCHES, student_quantile
from sloproof.verdict.wording import percent

FEWEST_WINDOWS = FEWEST_BATCHES
"""Fewer windows do not show how much a run varies by itself."""
NOTHING_TO_COMPARE_WITH = "there is no earlier run to compare with: pin one with `sloproof history pin ID`"
LATENCY = ("slower", "faster")
AMOUNT = ("higher", "lower")
_SMALL_CORRELATION = 0.1
_LARGEST_CORRELATION = 0.5


class Comparison(Definition):
    """How a figure changed between two runs.

    Args:
        figure: what was compared, such as `p95`.
        verdict: FAIL where it surely grew by more than the tolerance, PASS where it surely did not, UNDECIDED where
            the runs do not tell or no tolerance was set.
        decides: whether anybody asked for the verdict; else it is only told.
        tolerance: growth that is still accepted, ratio of 1; for failures the growth of their share, ratio of 1.
        before: the figure of the earlier run; None without one.
        after: the figure of this run.
        change: `after` over `before`, less 1; None where that is no number.
        lower: the true change is at least this, ratio of 1; for failures that of their share.
        upper: the true change is at most this.
        confidence: of each bound, ratio of 1.
        reason: one sentence, without a full stop.
    """

    figure: str
    verdict: Verdict
    decides: bool = True
    tolerance: float | None = None
    before: float | None = None
    after: float | None = None
    change: float | None = None
    lower: float | None = None
    upper: float | None = None
    confidence: float = 0.95
    reason: str

    @classmethod
    def impossible(
        cls, figure: str, reason: str, *, tolerance: float | None = None, decides: bool = True
    ) -> "Comparison":
        """A comparison that could not be made, which never passes.

        Args:
            figure: what should have been compared.
            reason: why it was not.
            tolerance: as above.
            decides: whether somebody asked for a verdict.
        """
        return cls(figure=figure, verdict=Verdict.UNDECIDED, decides=decides, tolerance=tolerance, reason=reason)


def compare(
    figure: str,
    before: Sequence[float] | None,
    after: Sequence[float],
    *,
    tolerance: float | None = 0.1,
    words: tuple[str, str] = LATENCY,
    confidence: float = 0.95,
) -> Comparison:
    """Compare the windows of two runs by the ratio of their means.

    Args:
        figure: what the windows hold.
        before: one value a window of the earlier run; None when there is none.
        after: one value a window of this run, in the same unit.
        tolerance: growth that is still accepted, ratio of 1; None decides nothing.
        words: what more and what less of it is called.
        confidence: of each bound, ratio of 1.

    Returns:
        UNDECIDED without an earlier run, with too few windows, and where the bounds hold the tolerance between them.

    Source: batch means as in Law and Carson, Operations Research 27 (1979); the ratio by its logarithm (delta method),
    with the degrees of freedom of Welch and Satterthwaite. `benchmarks/verdict_coverage.py` shows how often it holds.
    """
    if before is None:
        return Comparison.impossible(figure, NOTHING_TO_COMPARE_WITH, tolerance=tolerance)
    few = min(len(before), len(after))
    if few < FEWEST_WINDOWS:
        reason = f"{few} windows do not show how much {figure} varies; it takes at least {FEWEST_WINDOWS} in each run"
        return Comparison.impossible(figure, reason, tolerance=tolerance, decides=tolerance is not None)
    if fmean(before) <= 0 or fmean(after) <= 0:
        reason = f"{figure} is zero throughout a run, and nothing is a multiple of that"
        return Comparison.impossible(figure, reason, tolerance=tolerance, decides=tolerance is not None)
    change, lower, upper = (factor - 1 for factor in _ratio_of_means(before, after, confidence))
    told = _change_in_words(figure, change, lower, upper, words)
    return Comparison(
        figure=figure,
        verdict=_verdict(lower, upper, tolerance),
        decides=tolerance is not None,
        tolerance=tolerance,
        before=fmean(before),
        after=fmean(after),
        change=change,
        lower=lower,
        upper=upper,
        confidence=confidence,
        reason=told if tolerance is None else f"{told}; at most {percent(tolerance)} {words[0]} is accepted",
    )


def compare_failures(
    before: Evidence, after: Evidence, *, tolerance: float | None = None, confidence: float = 0.95
) -> Comparison:
    """Compare the shares of failed requests of two runs.

    Args:
        before: failures as bad events of the earlier run; with numbers, of at least one event.
        after: the same of this run.
        tolerance: by how much the share may grow, ratio of 1; None decides nothing.
        confidence: of each bound, ratio of 1.

    Returns:
        UNDECIDED with too few windows, and where the bounds hold the tolerance between them. `lower` and `upper` are of
        the difference of the shares, which has bounds also where one run had no failure.

    Source: the bounds of the two shares become one of their difference and of their ratio by MOVER: Zou and Donner,
    Statistics in Medicine 27 (2008).
    """
    few = min(len(before.batches), len(after.batches))
    if few < FEWEST_WINDOWS:
        reason = f"{few} windows do not show how failures cluster; it takes at least {FEWEST_WINDOWS} in each run"
        return Comparison.impossible("failures", reason, tolerance=tolerance, decides=tolerance is not None)
    shares = [one.counts.possibly_bad / one.counts.total for one in (before, after)]
    bounds = [bad_ratio_bounds(one, confidence) for one in (before, after)]
    difference = shares[1] - shares[0]
    lower = difference - math.hypot(shares[1] - bounds[1].lower, bounds[0].upper - shares[0])
    upper = difference + math.hypot(bounds[1].upper - shares[1], shares[0] - bounds[0].lower)
    told = _failures_in_words(shares, (lower, upper), [(one.lower, one.upper) for one in bounds])
    return Comparison(
        figure="failures",
        verdict=_verdict(lower, upper, tolerance),
        decides=tolerance is not None,
        tolerance=tolerance,
        before=shares[0],
        after=shares[1],
        change=shares[1] / shares[0] - 1 if shares[0] else None,
        lower=lower,
        upper=upper,
        confidence=confidence,
        reason=told if tolerance is None else f"{told}; at most {_points(tolerance)} more are accepted",
    )


def _verdict(lower: float, upper: float, tolerance: float | None) -> Verdict:
    if tolerance is None:
        return Verdict.UNDECIDED
    if lower > tolerance:
        return Verdict.FAIL
    return Verdict.PASS if upper <= tolerance else Verdict.UNDECIDED


def _ratio_of_means(before: Sequence[float], after: Sequence[float], confidence: float) -> tuple[float, float, float]:
    """The ratio, its lower and its upper bound."""
    parts = [_relative_variance(windows) for windows in (before, after)]
    variance = sum(share for share, _ in parts)
    middle = math.log(fmean(after) / fmean(before))
    if not variance:
        return (math.exp(middle),) * 3
    degrees = variance**2 / sum(share**2 / free for share, free in parts)
    reach = student_quantile(degrees, confidence) * math.sqrt(variance)
    return math.exp(middle), math.exp(middle - reach), math.exp(middle + reach)


def _relative_variance(windows: Sequence[float]) -> tuple[float, int]:
    """The variance of the windows' mean over its square, the largest of all lengths of batch, and its degrees."""
    found = (0.0, len(windows) - 1)
    while True:
        mean, count = fmean(windows), len(windows)
        residuals = [value - mean for value in windows]
        squares = sum(r * r for r in residuals)
        products = sum(first * second for first, second in pairwise(residuals))
        correlation = min(max(products / squares, 0.0), _LARGEST_CORRELATION) if squares else 0.0
        variance = squares / (count - 1) / count * (1 + correlation) / (1 - correlation) / mean**2
        found = max(found, (variance, count - 1))
        if correlation <= _SMALL_CORRELATION or count // 2 < FEWEST_WINDOWS:
            return found
        pairs = [windows[at : at + 2] for at in range(0, count - 1, 2)]
        windows = [fmean(pair) for pair in (*pairs[:-1], windows[2 * (len(pairs) - 1) :])]


def _change_in_words(figure: str, change: float, lower: float, upper: float, words: tuple[str, str]) -> str:
    more, less = words
    if lower <= 0 <= upper:
        return f"no change of {figure} seen: between {percent(-lower)} {less} and {percent(upper)} {more}"
    word, near, far = (more, lower, upper) if change > 0 else (less, -upper, -lower)
    return f"{figure} is {word} by {percent(abs(change))} ({percent(near)} to {percent(far)})"


def _failures_in_words(
    shares: Sequence[float], difference: tuple[float, float], bounds: Sequence[tuple[float, float]]
) -> str:
    then, now = (percent(share) if share else "none" for share in shares)
    seen = f"failures: {then} then, {now} now"
    lower, upper = difference
    if lower <= 0 <= upper:
        return f"{seen}; no change seen: between {_points(-lower)} fewer and {_points(upper)} more"
    (low_then, high_then), (low_now, high_now) = bounds
    if not all((*shares, low_then, low_now)):
        more = lower > 0
        near, far = (lower, upper) if more else (-upper, -lower)
        return f"{seen}: {_points(near)} to {_points(far)} {'more' if more else 'fewer'}"
    ratio = shares[1] / shares[0]
    least = ratio * math.exp(-math.hypot(math.log(shares[1] / low_now), math.log(high_then / shares[0])))
    most = ratio * math.exp(math.hypot(math.log(high_now / shares[1]), math.log(shares[0] / low_then)))
    return f"{seen}: {ratio:.2g}x as many ({least:.2g}x to {most:.2g}x)"


def _points(share: float) -> str:
    """A difference of shares: `0.2 points`, where a point is one in a hundred requests."""
    return f"{percent(share).removesuffix(' %')} points"
