"""Whether two sources that counted the same run tell the same story."""

import math

from pydantic import Field

from sloproof.definition import Definition
from sloproof.verdict.evidence import Counts
from sloproof.verdict.judge import Judgement
from sloproof.verdict.wording import percent, quantity


class Tolerance(Definition):
    """How far two sources may differ; the wider of the relative and the absolute limit counts.

    Args:
        total: of the larger total, ratio of 1.
        bad: of the larger number of bad events, ratio of 1. Wider than `total`, because a request that takes about as
            long as the limit is slow for the client, who also waits for the network, and not for the server.
        events: a difference of so many events is health probes and scrape edges, whatever the ratio.
    """

    total: float = Field(default=0.02, ge=0, lt=1)
    bad: float = Field(default=0.10, ge=0, lt=1)
    events: float = Field(default=5, ge=0)


DEFAULT_TOLERANCE = Tolerance()


class Agreement(Definition):
    """How two sources compare.

    Args:
        agrees: whether both differences lie within the tolerance.
        total_difference: the second source's total less the first's, in events; None when one is no number.
        total_relative: the same over the larger total, ratio of 1.
        bad_difference: the second source's bad events less the first's; None when one is no number.
        bad_relative: the same over the larger number of bad events, ratio of 1.
        reason: one plain sentence.
    """

    agrees: bool
    total_difference: float | None = None
    total_relative: float | None = None
    bad_difference: float | None = None
    bad_relative: float | None = None
    reason: str


def compare(first: Counts, second: Counts, tolerance: Tolerance = DEFAULT_TOLERANCE) -> Agreement:
    """Lay two sources side by side.

    Args:
        first: usually the load generator's counts.
        second: usually Prometheus's counts.
        tolerance: how far they may differ; events still open at the end of either widen it.

    Returns:
        Their differences, second less first. Sources that both counted nothing do not agree: neither saw the run.
    """
    figures = (first.total, first.bad, second.total, second.bad)
    if not all(math.isfinite(figure) for figure in figures):
        return Agreement(agrees=False, reason=f"`{first.source}` or `{second.source}` gave no number")
    if first.total <= 0 or second.total <= 0:
        silent = " and ".join(counts.source for counts in (first, second) if counts.total <= 0)
        return Agreement(agrees=False, reason=f"no data: the {silent} counted no requests")
    open_events = first.censored + second.censored
    totals_agree = _near(first.total, second.total, tolerance.total, tolerance.events + open_events)
    bad_agrees = _near(first.bad, second.bad, tolerance.bad, tolerance.events + open_events)
    return Agreement(
        agrees=totals_agree and bad_agrees,
        total_difference=second.total - first.total,
        total_relative=_relative(first.total, second.total),
        bad_difference=second.bad - first.bad,
        bad_relative=_relative(first.bad, second.bad),
        reason=_sentence(first, second, tolerance, totals_agree, bad_agrees),
    )


def confirm(judgement: Judgement, agreement: Agreement) -> Judgement:
    """The judgement, or the same without a verdict when the sources disagree.

    Args:
        judgement: made from one of the two sources.
        agreement: how the two compare.
    """
    return judgement if agreement.agrees else judgement.undecided_because(agreement.reason)


def _near(first: float, second: float, relative: float, absolute: float) -> bool:
    return abs(second - first) <= max(absolute, relative * max(first, second))


def _relative(first: float, second: float) -> float:
    return (second - first) / max(first, second) if first != second else 0.0


def _sentence(first: Counts, second: Counts, tolerance: Tolerance, totals_agree: bool, bad_agrees: bool) -> str:
    if not totals_agree:
        what, counted, limit = "requests", (first.total, second.total), tolerance.total
    elif not bad_agrees:
        what, counted, limit = "bad requests", (first.bad, second.bad), tolerance.bad
    else:
        return f"the {first.source} and {second.source} agree within the tolerance"
    return (
        f"the sources disagree: the {first.source} counted {quantity(counted[0])} {what}, {second.source} "
        f"{quantity(counted[1])}; the tolerance is {percent(limit)} or {quantity(tolerance.events)}"
    )
