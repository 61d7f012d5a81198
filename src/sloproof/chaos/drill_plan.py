"""What a drill does: levels of a known bad ratio, each as long as its arithmetic needs. Pure.

The tiers of an objective are drilled in the order of their thresholds. The level that fires one tier lies at 0.8 of
the threshold of the next one, so that it is that one's control: it must stay quiet.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import ROUND_DOWN, ROUND_UP, Decimal

from sloproof.alerts import BurnPolicy, BurnTier, Timing
from sloproof.alerts.burn_alerts import SLOW_FROM
from sloproof.alerts.promise import Events, clearing_promise, firing_promise
from sloproof.chaos.any_fault import AnyFault
from sloproof.chaos.experiment import Experiment, Fires, Resolves
from sloproof.chaos.faults import AbortRequests, DelayRequests
from sloproof.errors import UsageError
from sloproof.loadtests.profile import LoadProfile
from sloproof.slo import SLO, ErrorRatio, LatencyBelow

CONTROL = Decimal("0.8")
"""A control has this share of the threshold that it must not reach."""
STRONG = Decimal(3)
"""The fastest tier is fired by so many times its threshold: a window that is too long shows as a late alert."""
WEAKEST = Decimal("1.2")
"""A level must be so many times the threshold of its tier, or dice decide when it fires."""
EXTRA_DELAY = timedelta(milliseconds=300)
"""How much longer than its threshold a delayed request waits."""
SPARE = 1.25
SPARE_SECONDS = timedelta(seconds=5)
"""A level lasts so many times its arithmetic, and so much longer."""
TAIL_SPARE = 1.05
"""A stray bad event keeps a long window above its threshold for some time more."""
AT_FIRST = timedelta(seconds=15)
"""Users arrive; nothing is broken before."""
LOOKS_AFTERWARDS = 3
"""An alert has cleared when so many evaluations no longer find it."""
NEWS = timedelta(minutes=1)
"""How long Alertmanager collects the news of a group, as it is divided by the scale."""
LONGEST_LEVEL = timedelta(hours=6)
STATUS = 503
_FINEST = Decimal("0.000001")


@dataclass(frozen=True)
class Level:
    """A stretch of time with one bad ratio.

    Args:
        ratio: bad events over all, as it is asked for, ratio of 1; 0 for a quiet time.
        lasts: how long.
        controls: the tier that must stay quiet because of it; empty for none.
        fires: the tier that it must fire; empty for none.
    """

    ratio: Decimal
    lasts: timedelta
    controls: str = ""
    fires: str = ""


@dataclass(frozen=True)
class DrillPlan:
    """How the tiers of one objective are drilled.

    Args:
        slo: the objective.
        tiers: those that are drilled, the lowest threshold first.
        levels: one after the other, from the start of the load.
        tail: how long the alerts need to clear afterwards.
    """

    slo: SLO
    tiers: tuple[BurnTier, ...]
    levels: tuple[Level, ...]
    tail: timedelta

    @property
    def length(self) -> timedelta:
        """From the start of the load to the last undo."""
        return sum((level.lasts for level in self.levels), timedelta())


@dataclass(frozen=True, kw_only=True)
class DrillOrder:
    """What a drill was asked for.

    Args:
        tiers: names of burn tiers; empty for all of them.
        ratio: the bad ratio that fires the last of them, ratio of 1; None for what the arithmetic suggests.
        control: whether just under the threshold is tried too.
        quiet: how long nothing is broken before a tier is fired; None for the shortest long window.
    """

    tiers: tuple[str, ...] = ()
    ratio: Decimal | None = None
    control: bool = True
    quiet: timedelta | None = None


def plan_drill(slo: SLO, policy: BurnPolicy, timing: Timing, order: DrillOrder) -> DrillPlan:
    """The levels that prove the tiers of an objective.

    Args:
        slo: the objective.
        policy: its tiers.
        timing: intervals and scale of the rules under test.
        order: what is asked for.

    Raises:
        UsageError: nobody knows how to break this objective by a known ratio, a tier does not exist, or lies too near
            the next one or 1 to be fired on its own.
    """
    breaking_fault(slo, Decimal(1), timedelta(), timedelta(seconds=1))
    ranked = sorted(policy.tiers, key=lambda tier: tier.threshold(slo))
    wanted = tuple(tier for tier in ranked if tier.name in order.tiers or not order.tiers)
    if unknown := set(order.tiers) - {tier.name for tier in ranked}:
        known = ", ".join(f"`{tier.name}`" for tier in policy.tiers)
        raise UsageError(f"`{slo.identity}` has no tier `{min(unknown)}`", hint=f"its tiers are {known}")
    levels: list[Level] = []
    for tier in wanted:
        ratio = _firing_ratio(slo, tier, ranked, order.ratio if tier is wanted[-1] else None)
        levels += _before(slo, tier, ranked, timing, order, levels)
        levels.append(_long_enough(Level(ratio, timedelta(), fires=tier.name), slo, tier, timing, levels))
    return DrillPlan(slo, wanted, tuple(levels), _tail(slo, wanted, timing, levels))


def experiment_of(name: str, plans: Sequence[DrillPlan], load: LoadProfile) -> Experiment:
    """The drills of several objectives as one experiment; each has a place of its own.

    Args:
        name: what it is called.
        plans: the drills.
        load: what it runs under.
    """
    expected = [kind(plan.slo, tier=tier.name) for plan in plans for tier in plan.tiers for kind in (Fires, Resolves)]
    faults = tuple(fault for plan in plans for _, fault in level_faults(plan))
    end = max(plan.length + plan.tail for plan in plans)
    tail = end - max(fault.end for fault in faults)
    return Experiment(name=name, system=load.system, load=load, faults=faults, expect=tuple(expected), tail=tail)


def level_faults(plan: DrillPlan) -> list[tuple[Level, AnyFault]]:
    """Each level that breaks something, with its fault."""
    found, at = [], timedelta()
    for level in plan.levels:
        if level.ratio:
            found.append((level, breaking_fault(plan.slo, level.ratio, at, level.lasts)))
        at += level.lasts
    return found


def breaking_fault(slo: SLO, ratio: Decimal, at: timedelta, lasts: timedelta) -> AnyFault:
    """The fault that makes a share of an objective's events bad.

    Args:
        slo: the objective.
        ratio: bad events over all, ratio of 1.
        at: after the start of the load.
        lasts: how long.

    Raises:
        UsageError: no fault has a known ratio for this objective.
    """
    if slo.by or slo.by_slices:
        raise UsageError(
            f"`{slo.identity}` is split by labels or kept by slices, and no fault spoils a known share of those",
            hint="`sloproof prove` shows its alerts without a live system",
        )
    if isinstance(slo.sli, ErrorRatio):
        return AbortRequests(STATUS, percent=ratio * 100, at=at, lasts=lasts)
    if isinstance(slo.sli, LatencyBelow) and slo.sli.client_threshold is not None:
        threshold = timedelta(seconds=float(slo.sli.client_threshold))
        return DelayRequests(threshold + EXTRA_DELAY, percent=ratio * 100, at=at, lasts=lasts)
    raise UsageError(
        f"no fault spoils a known share of the events of `{slo.identity}`",
        hint="objectives of `ErrorRatio` and `LatencyBelow` can be drilled; `sloproof prove` shows the others",
    )


def _firing_ratio(slo: SLO, tier: BurnTier, ranked: Sequence[BurnTier], asked: Decimal | None) -> Decimal:
    threshold = tier.threshold(slo)
    above = next((one.threshold(slo) for one in ranked if one.threshold(slo) > threshold), None)
    most = Decimal(1) if above is None else min(CONTROL * above, Decimal(1))
    ratio = asked if asked is not None else min(STRONG * threshold, most)
    if ratio < WEAKEST * threshold or ratio > 1:
        raise UsageError(
            f"the `{tier.name}` tier of `{slo.identity}` fires above {threshold * 100:f} %, and {ratio * 100:f} % is "
            f"not {WEAKEST} times as much",
            hint="give a higher `--ratio`, or move its threshold away from the next tier's and from 100 %",
        )
    return ratio.quantize(_FINEST, ROUND_DOWN)


def _before(
    slo: SLO, tier: BurnTier, ranked: Sequence[BurnTier], timing: Timing, order: DrillOrder, levels: Sequence[Level]
) -> list[Level]:
    """What comes before the level that fires a tier: its control, and a quiet time before the first one."""
    shortest = min(timing.real(one.long) for one in ranked)
    control = Level((CONTROL * tier.threshold(slo)).quantize(_FINEST, ROUND_UP), shortest / 3, controls=tier.name)
    if levels:
        last = levels[-1]
        if not order.control or last.ratio == control.ratio.quantize(_FINEST, ROUND_DOWN):
            return []
        return [control]
    if len(order.tiers) == 1 or len(ranked) == 1:
        quiet = Level(Decimal(0), shortest if order.quiet is None else order.quiet)
        before = [Level(Decimal(0), AT_FIRST), replace(control, lasts=shortest * 3 / 4)] if order.control else []
        return [*before, quiet]
    quiet = Level(Decimal(0), shortest / 3 if order.quiet is None else order.quiet)
    return [quiet, control] if order.control else [quiet]


def _long_enough(level: Level, slo: SLO, tier: BurnTier, timing: Timing, before: Sequence[Level]) -> Level:
    """A level that lasts until its tier has fired, and some time more."""
    start = sum((one.lasts for one in before), timedelta()).total_seconds()
    tried = timedelta(seconds=64)
    while tried <= LONGEST_LEVEL:
        events = _events([*before, replace(level, lasts=tried)], timing)
        promise = firing_promise(tier, slo, timing, events, since=start)
        if promise is not None and promise.latest - start <= tried.total_seconds():
            needs = timedelta(seconds=math.ceil((promise.latest - start) * SPARE)) + SPARE_SECONDS
            return replace(level, lasts=needs)
        tried *= 2
    raise UsageError(
        f"the `{tier.name}` tier of `{slo.identity}` would take longer than six hours to fire",
        hint="give a higher `--ratio` or a higher `--scale`",
    )


def _tail(slo: SLO, tiers: Sequence[BurnTier], timing: Timing, levels: Sequence[Level]) -> timedelta:
    end = sum((one.lasts for one in levels), timedelta()).total_seconds()
    longest = max(timing.real(tier.short + tier.keep_firing_for) for tier in tiers)
    quiet = Level(Decimal(0), longest * 2 + timedelta(minutes=1))
    events = _events([*levels, quiet], timing)
    ends = [clearing_promise(tier, slo, timing, events, end) for tier in tiers]
    latest = max((found.latest for found in ends if found is not None), default=end + quiet.lasts.total_seconds())
    slowest = timing.slow_evaluation if max(tier.long for tier in tiers) >= SLOW_FROM else timing.evaluation
    news = timing.real(LOOKS_AFTERWARDS * slowest + NEWS)
    return timedelta(seconds=math.ceil((latest - end) * TAIL_SPARE + news.total_seconds())) + SPARE_SECONDS


def _events(levels: Sequence[Level], timing: Timing) -> list[Events]:
    """Even traffic through the levels, in steps that are fine enough for the short windows."""
    step = max(1.0, timing.real(timing.base).total_seconds() / 10)
    found, end, at = [], 0.0, step
    for level in levels:
        end += level.lasts.total_seconds()
        while at <= end:
            found.append(Events(at=at, bad=float(level.ratio), total=1.0))
            at += step
    return found
