"""What the arithmetic promises: how soon an alert fires and clears.

The bounds of a promise are the instants at which the first evaluation can and must see it:
the windows decide the earliest, scrape and evaluation intervals add up to the latest.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import groupby, pairwise

from sloproof.alerts.policy import BurnTier
from sloproof.alerts.recording import RAW_UP_TO
from sloproof.alerts.timing import Timing
from sloproof.slo import SLO

_ROUNDING = 1e-9
"""What may be left of a sum from which everything was taken away again, events."""


def detection_time(tier: BurnTier, slo: SLO, error_ratio: Decimal) -> timedelta | None:
    """How long a steady error ratio burns before this tier's long window crosses its threshold.

    Args:
        tier: the pair of windows.
        slo: the objective it guards.
        error_ratio: bad events over all events from the first second of the fault, ratio of 1;
            before it there were none, for longer than the long window.

    Returns:
        Nominal time from the start of the fault, without scrape, evaluation and `for` delays;
        None where this ratio never fires the tier.

    Source: The Site Reliability Workbook, ch. 5, alerting approach 6.
    """
    threshold = tier.threshold(slo)
    return None if error_ratio <= threshold else tier.long * float(threshold / error_ratio)


def reset_time(tier: BurnTier, slo: SLO, error_ratio: Decimal) -> timedelta | None:
    """How long after the fault's end the short window needs to fall to the threshold.

    Args:
        tier: the pair of windows.
        slo: the objective it guards.
        error_ratio: bad events over all events during the fault, ratio of 1; none after it.

    Returns:
        Nominal time from the end of a fault that filled the short window, without the tier's `keep_firing_for`;
        None where the tier never fired.
    """
    threshold = tier.threshold(slo)
    return None if error_ratio <= threshold else tier.short * float(1 - threshold / error_ratio)


@dataclass(frozen=True)
class Events:
    """What happened in one short step of time.

    Args:
        at: the end of the step, seconds since some start.
        bad: bad events in the step.
        total: all events in the step.
    """

    at: float
    bad: float
    total: float


@dataclass(frozen=True)
class Promise:
    """The time between which an alert must change its state, seconds on the clock of the events."""

    earliest: float
    latest: float


def firing_promise(
    tier: BurnTier, slo: SLO, timing: Timing, events: Sequence[Events], since: float = float("-inf")
) -> Promise | None:
    """When a tier must fire for events that are known one by one.

    Args:
        tier: the pair of windows.
        slo: the objective it guards.
        timing: intervals and scale of the rules under test.
        events: every step of the last long window before the fault and of the fault itself, in order;
            without a history the windows hold only what there is, as Prometheus's do.
        since: when the fault began, on the clock of the events; what crossed before it is not its doing.

    Returns:
        The bounds of the first firing evaluation; None where these events never fire the tier.
    """
    waits = timing.real(tier.hold)
    seen = (waits + delay(tier, timing, slo)).total_seconds()
    states = [(at, burn > 1) for at, burn in _burns(events, tier, slo, timing) if at >= since]
    first = next((at for at, crossed in states if crossed), None)
    if first is None:
        return None
    # A crossing that is over before an evaluation is due need not be seen, so the latest time counts from the first
    # one that stays; where the events end before any stays, from the first of all.
    staying = _first_that_stays(states, seen)
    return Promise(earliest=first + waits.total_seconds(), latest=(first if staying is None else staying) + seen)


def clearing_promise(
    tier: BurnTier, slo: SLO, timing: Timing, events: Sequence[Events], fired: float
) -> Promise | None:
    """When a tier that fired must be quiet for good.

    Args:
        tier: the pair of windows.
        slo: the objective it guards.
        timing: intervals and scale of the rules under test.
        events: as for `firing_promise`, with the steps after the fault.
        fired: when it fired, on the clock of the events.

    Returns:
        The bounds of the first evaluation from which on none fires; None where these events end before it. Events
        that cross the threshold again later fire it again, and rightly.
    """
    after = [event for event in events if event.at > fired]
    start, waits = after[0].at if after else fired, timing.real(tier.keep_firing_for)
    seen = delay(tier, timing, slo).total_seconds()
    states = [(at, burn <= 1) for at, burn in _burns(events, tier, slo, timing) if at >= start]
    changes = [next(alike) for _, alike in groupby(states, key=lambda state: state[1])]
    if not changes or not changes[-1][1]:
        return None
    return Promise(
        earliest=_quiet_from(changes, seen) + waits.total_seconds(),
        latest=changes[-1][0] + waits.total_seconds() + seen,
    )


def highest_burn(
    tier: BurnTier, slo: SLO, timing: Timing, events: Sequence[Events], start: float, end: float
) -> float | None:
    """How near events came to firing a tier in a stretch of time.

    Args:
        tier: the pair of windows.
        slo: the objective it guards.
        timing: intervals and scale of the rules under test.
        events: as for `firing_promise`.
        start: of the stretch, on the clock of the events.
        end: of the stretch.

    Returns:
        The highest error ratio that both windows had at once, over the threshold: above 1 it had to fire. None
        where the stretch holds no event.
    """
    return max((burn for at, burn in _burns(events, tier, slo, timing) if start <= at <= end), default=None)


def delay(tier: BurnTier, timing: Timing, slo: SLO | None = None) -> timedelta:
    """The longest time between a crossing and the evaluation that sees it, without `for`.

    A scrape and an evaluation for raw windows; a derived tier also waits for the base window's
    recording (half a base window and one evaluation of the base rules). All tiers of an objective
    whose budget is spent by slices are derived.
    """
    seen = timing.scrape + timing.real(interval_of(tier, timing))
    if tier.long <= RAW_UP_TO and not (slo and slo.by_slices):
        return seen
    return seen + timing.real(timing.base) + timing.real(timing.evaluation)


def interval_of(tier: BurnTier, timing: Timing) -> timedelta:
    """How often a tier's alert is evaluated, at scale 1."""
    return timing.slow_evaluation if tier.long >= timedelta(days=1) else timing.evaluation


def _quiet_from(changes: Sequence[tuple[float, bool]], seen: float) -> float:
    """The earliest time from which on no evaluation needs to see a crossing; the last of the changes is to quiet."""
    quiet = changes[-1][0]
    for (at, is_quiet), (end, _) in reversed(list(pairwise(changes))):
        if is_quiet:
            quiet = at
        elif end - at >= seen:
            break
    return quiet


def _first_that_stays(states: Sequence[tuple[float, bool]], length: float) -> float | None:
    begun: float | None = None
    for at, crossed in states:
        if not crossed:
            begun = None
        elif begun is None:
            begun = at
        if begun is not None and at - begun >= length:
            return begun
    return None


def _burns(events: Sequence[Events], tier: BurnTier, slo: SLO, timing: Timing) -> list[tuple[float, float]]:
    """At each event, the error ratio of the window that burns less, over the threshold."""
    threshold = float(tier.threshold(slo))
    windows = [_ratios(events, timing.real(window).total_seconds()) for window in (tier.long, tier.short)]
    return [(event.at, min(pair) / threshold) for event, *pair in zip(events, *windows, strict=True)]


def _ratios(events: Sequence[Events], window: float) -> Iterator[float]:
    """The error ratio of the window that ends with each event; 0 without events."""
    bad = total = 0.0
    first = 0
    for event in events:
        bad, total = bad + event.bad, total + event.total
        while events[first].at <= event.at - window:
            bad, total = bad - events[first].bad, total - events[first].total
            first += 1
        yield bad / total if total > _ROUNDING else 0.0
