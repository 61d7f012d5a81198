"""Whether every instance serves its fair share; noise is not called imbalance."""

from collections.abc import Mapping
from decimal import Decimal

from sloproof.definition import Definition
from sloproof.verdict.judge import Verdict
from sloproof.verdict.statistics import clopper_pearson
from sloproof.verdict.wording import percent, quantity


class Balance(Definition):
    """How requests were shared among instances.

    Args:
        verdict: PASS if no instance exceeds its fair share by more than the margin, even at the upper bound.
        shares: each instance's share of all requests, ratio of 1.
        fair: what each would get, ratio of 1.
        worst: the instance with the largest share; empty without data.
        excess: its share less the fair one, percentage points.
        excess_lower: it is at least this, percentage points.
        excess_upper: it is at most this, percentage points.
        idle: instances that served nothing, although a fair share would have brought them something.
        reason: one plain sentence.
    """

    verdict: Verdict
    shares: dict[str, float]
    fair: float
    worst: str = ""
    excess: float = 0
    excess_lower: float = 0
    excess_upper: float = 0
    idle: tuple[str, ...] = ()
    reason: str


def judge_balance(counts: Mapping[str, float], margin: Decimal, confidence: str = "0.95") -> Balance:
    """Whether the requests were shared fairly.

    Args:
        counts: requests of each instance; instances that served none must be in it too.
        margin: how far above the fair share an instance may be, percentage points.
        confidence: that none of the bounds is wrong, ratio of 1; split over the instances (Bonferroni).

    Returns:
        FAIL if an instance surely exceeds its fair share by more than the margin or an instance surely gets
        nothing like its share, PASS if surely none does, else UNDECIDED. Bounds are exact for requests that are
        assigned at random; a rotating balancer spreads more evenly than that.
    """
    total = sum(counts.values())
    if len(counts) <= 1 or not 0 < total < float("inf"):
        what = "no requests were counted" if len(counts) > 1 else "balance needs at least two instances"
        return Balance(verdict=Verdict.UNDECIDED, shares={}, fair=1 / max(len(counts), 1), reason=what)
    fair = 1 / len(counts)
    sure = 1 - (1 - float(confidence)) / len(counts)
    bounds = {name: clopper_pearson(count, total, sure) for name, count in counts.items()}
    worst = max(counts, key=lambda name: counts[name])
    figures = Balance(
        verdict=Verdict.UNDECIDED,
        shares={name: count / total for name, count in counts.items()},
        fair=fair,
        worst=worst,
        excess=(counts[worst] / total - fair) * 100,
        excess_lower=(bounds[worst][0] - fair) * 100,
        excess_upper=(max(upper for _, upper in bounds.values()) - fair) * 100,
        idle=tuple(name for name, count in counts.items() if count == 0 and bounds[name][1] < fair),
        reason="",
    )
    verdict = _verdict(figures, float(margin))
    return figures.model_copy(update={"verdict": verdict, "reason": _sentence(figures, verdict, margin, total)})


def _verdict(figures: Balance, margin: float) -> Verdict:
    if figures.idle or figures.excess_lower > margin:
        return Verdict.FAIL
    return Verdict.PASS if figures.excess_upper <= margin else Verdict.UNDECIDED


def _sentence(figures: Balance, verdict: Verdict, margin: Decimal, total: float) -> str:
    if figures.idle:
        idle = ", ".join(f"`{name}`" for name in figures.idle)
        return f"{idle} served none of {quantity(total)} requests"
    seen = (
        f"`{figures.worst}` served {percent(figures.shares[figures.worst])} of {quantity(total)} requests, "
        f"{figures.excess:.1f} points over the fair share of {percent(figures.fair)}"
    )
    if verdict is Verdict.UNDECIDED:
        return f"{seen}: too few to tell whether that is more than {margin} points"
    return f"{seen}: {'more' if verdict is Verdict.FAIL else 'not more'} than the margin of {margin} points"
