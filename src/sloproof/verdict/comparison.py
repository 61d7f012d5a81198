"""Whether a run is slower than a pinned one: an effect with its bounds, not a p-value.

Two runs are compared by a figure of each window of time (a quantile of each second, say), so that a long run does not
make every difference significant. Neighbouring windows are alike, so whole blocks of them are drawn again.
"""

import math
import random
from collections.abc import Sequence
from statistics import fmean

from sloproof.definition import Definition
from sloproof.verdict.judge import Verdict
from sloproof.verdict.wording import percent

FEWEST_WINDOWS = 10
"""Fewer windows do not show how much a run varies by itself."""
RESAMPLES = 1000
"""Draws; the bounds are then known to about a twentieth of their distance."""
NOTHING_TO_COMPARE_WITH = "there is no earlier run to compare with; pin one, and the next run is compared with it"


class Comparison(Definition):
    """How a figure changed between two runs.

    Args:
        figure: what was compared, such as `p95 of GET /tarefas`.
        verdict: FAIL where it surely grew by more than is tolerated, PASS where it surely did not.
        tolerance: growth that is still accepted, ratio of 1.
        before: mean over the windows of the earlier run; None without one.
        after: mean over the windows of this run.
        change: `after` over `before`, minus 1; None without an earlier run.
        lower: the true change is at least this.
        upper: the true change is at most this.
        reason: one plain sentence, without a full stop.
    """

    figure: str
    verdict: Verdict
    tolerance: float
    before: float | None = None
    after: float | None = None
    change: float | None = None
    lower: float | None = None
    upper: float | None = None
    reason: str


def compare(
    figure: str,
    before: Sequence[float] | None,
    after: Sequence[float],
    *,
    tolerance: float = 0.1,
    confidence: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Compare the windows of two runs.

    Args:
        figure: what the windows hold.
        before: one value a window of the earlier run; None when there is none.
        after: one value a window of this run, in the same unit.
        tolerance: growth that is still accepted, ratio of 1.
        confidence: of each bound, ratio of 1.
        seed: of the draws; the same seed gives the same bounds.

    Returns:
        UNDECIDED without an earlier run, with too few windows, and where the bounds hold the tolerance between them.

    Source: Kunsch, Annals of Statistics 17 (1989), for the blocks; the bounds are percentiles of the draws.
    """
    if before is None:
        return Comparison(figure=figure, verdict=Verdict.UNDECIDED, tolerance=tolerance, reason=NOTHING_TO_COMPARE_WITH)
    few = min(len(before), len(after))
    if few < FEWEST_WINDOWS or fmean(before) <= 0:
        reason = (
            f"{few} windows do not show how much a run varies; it takes at least {FEWEST_WINDOWS}"
            if few < FEWEST_WINDOWS
            else "the earlier run is zero throughout, and nothing is a multiple of that"
        )
        return Comparison(figure=figure, verdict=Verdict.UNDECIDED, tolerance=tolerance, reason=reason)
    change, (lower, upper) = fmean(after) / fmean(before) - 1, _bounds(before, after, confidence, seed)
    verdict = Verdict.FAIL if lower > tolerance else Verdict.PASS if upper <= tolerance else Verdict.UNDECIDED
    return Comparison(
        figure=figure,
        verdict=verdict,
        tolerance=tolerance,
        before=fmean(before),
        after=fmean(after),
        change=change,
        lower=lower,
        upper=upper,
        reason=_sentence(figure, change, lower, upper, tolerance),
    )


def _bounds(before: Sequence[float], after: Sequence[float], confidence: float, seed: int) -> tuple[float, float]:
    dice = random.Random(seed)
    drawn = sorted(
        ratio
        for _ in range(RESAMPLES)
        if math.isfinite(ratio := _ratio(_drawn_mean(after, dice), _drawn_mean(before, dice)))
    )
    tail = 1 - confidence
    return drawn[math.floor(tail * len(drawn))] - 1, drawn[math.ceil(confidence * len(drawn)) - 1] - 1


def _ratio(after: float, before: float) -> float:
    return after / before if before > 0 else math.inf


def _drawn_mean(windows: Sequence[float], dice: random.Random) -> float:
    """The mean of blocks of successive windows, drawn with replacement; the end goes on at the beginning."""
    count = len(windows)
    length = max(1, round(math.cbrt(count)))
    total = 0.0
    for _ in range(-(-count // length)):
        start = dice.randrange(count)
        total += sum(windows[(start + step) % count] for step in range(length))
    return total / (-(-count // length) * length)


def _sentence(figure: str, change: float, lower: float, upper: float, tolerance: float) -> str:
    word = "higher" if change > 0 else "lower"
    bounds = sorted((abs(lower), abs(upper))) if lower * upper > 0 else None
    shown = f"{percent(bounds[0])} to {percent(bounds[1])}" if bounds else f"{_signed(lower)} to {_signed(upper)}"
    return f"{figure} is {word} by {percent(abs(change))} ({shown}); {percent(tolerance)} more is accepted"


def _signed(share: float) -> str:
    return f"{'-' if share < 0 else '+'}{percent(abs(share))}"
