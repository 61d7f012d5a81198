"""What the arithmetic promises: how soon an alert fires and clears.

The bounds of a promise are the instants at which the first evaluation can and must see it:
the windows decide the earliest, scrape and evaluation intervals add up to the latest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from sloproof.alerts.policy import BurnTier
from sloproof.alerts.recording import RAW_UP_TO
from sloproof.alerts.timing import Timing
from sloproof.slo import SLO


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
    crossing = _first(events, tier, slo, timing, above=True, start=since)
    return None if crossing is None else _bounds(crossing, tier, slo, timing, hold=timing.real(tier.hold))


def clearing_promise(
    tier: BurnTier, slo: SLO, timing: Timing, events: Sequence[Events], fired: float
) -> Promise | None:
    """When a tier that fired must clear again.

    Args:
        tier: the pair of windows.
        slo: the objective it guards.
        timing: intervals and scale of the rules under test.
        events: as for `firing_promise`, with the steps after the fault.
        fired: when it fired, on the clock of the events.

    Returns:
        The bounds of the first evaluation that no longer fires; None where these events end before it.
    """
    after = [event for event in events if event.at > fired]
    crossing = _first(events, tier, slo, timing, above=False, start=after[0].at if after else fired)
    return None if crossing is None else _bounds(crossing, tier, slo, timing, hold=timing.real(tier.keep_firing_for))


def delay(tier: BurnTier, timing: Timing, slo: SLO | None = None) -> timedelta:
    """The longest time between a crossing and the evaluation that sees it, without `for`.

    A scrape and an evaluation for raw windows; a derived tier also waits for the base window's
    recording (half a base window and one evaluation of the base rules). All tiers of an objective
    whose budget is spent by slices are derived.
    """
    interval = timing.slow_evaluation if tier.long >= timedelta(days=1) else timing.evaluation
    seen = timing.scrape + timing.real(interval)
    if tier.long <= RAW_UP_TO and not (slo and slo.by_slices):
        return seen
    return seen + timing.real(timing.base) + timing.real(timing.evaluation)


def _bounds(crossing: float, tier: BurnTier, slo: SLO, timing: Timing, hold: timedelta) -> Promise:
    waits = hold.total_seconds()
    return Promise(earliest=crossing + waits, latest=crossing + waits + delay(tier, timing, slo).total_seconds())


def _first(
    events: Sequence[Events], tier: BurnTier, slo: SLO, timing: Timing, *, above: bool, start: float = float("-inf")
) -> float | None:
    threshold = float(tier.threshold(slo))
    long, short = timing.real(tier.long).total_seconds(), timing.real(tier.short).total_seconds()
    for index, event in enumerate(events):
        if event.at < start:
            continue
        firing = all(_burns(events, index, window, threshold) for window in (long, short))
        if firing is above:
            return event.at
    return None


def _burns(events: Sequence[Events], last: int, window: float, threshold: float) -> bool:
    bad = total = 0.0
    for event in reversed(events[: last + 1]):
        if event.at <= events[last].at - window:
            break
        bad += event.bad
        total += event.total
    return total > 0 and bad / total > threshold
