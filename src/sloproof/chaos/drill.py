"""Whether the tiers of an objective fired, were told, inhibited and cleared as promised. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sloproof import names
from sloproof.alerts import BurnTier
from sloproof.alerts.promise import Promise, clearing_promise, firing_promise, highest_burn
from sloproof.chaos.drill_plan import DrillPlan, Level, level_faults
from sloproof.chaos.expecting import RESOLUTION, Finding, timed
from sloproof.chaos.facts import AlertTimeline, RunFacts
from sloproof.chaos.outcome import FaultOutcome
from sloproof.slo import SLO
from sloproof.verdict.judge import Verdict, combine
from sloproof.verdict.wording import percent

SUPPRESSED = "suppressed"
SETTLING = 2.0
"""Seconds that Alertmanager may take to notice that a slower tier is inhibited."""


@dataclass(frozen=True)
class AlertSight:
    """How Alertmanager held its alerts at one moment.

    Args:
        at: epoch seconds.
        states: `active` or `suppressed`, by the alert's name.
    """

    at: float
    states: Mapping[str, str]


@dataclass(frozen=True)
class TierDrill:
    """What a drill showed of one tier; times are seconds after the fault, or after its undo.

    Args:
        slo: the objective.
        tier: the tier.
        began_at: when its fault took hold, epoch seconds; None when it never did.
        asked: the bad ratio of its fault, as asked for, ratio of 1.
        seen: the bad ratio that its users saw, ratio of 1; None without events.
        firing: when it had to fire after the fault; None without a promise.
        fired: when it fired; None for never.
        clearing: when it had to clear after the undo; None without a promise.
        cleared: when it cleared; None for never.
        control: how near its control came to the threshold, 1 for at it; None without a control.
        findings: what was expected and seen.
    """

    slo: SLO
    tier: BurnTier
    began_at: float | None
    asked: float
    seen: float | None
    firing: tuple[float, float] | None
    fired: float | None
    clearing: tuple[float, float] | None
    cleared: float | None
    control: float | None
    findings: tuple[Finding, ...]

    @property
    def alert(self) -> str:
        """The alert's name."""
        return names.burn_alert(self.slo.service.name, self.slo.name, self.tier.name)

    @property
    def verdict(self) -> Verdict:
        """Of all that was expected of this tier."""
        return combine([finding.verdict for finding in self.findings])


def judge_drill(
    plans: Sequence[DrillPlan],
    facts: RunFacts,
    sights: Sequence[AlertSight],
    notifications: Sequence[Mapping[str, Any]],
) -> list[TierDrill]:
    """Judge the tiers of all plans.

    Args:
        plans: what was done, in the order of the experiment's faults.
        facts: what every source says of it.
        sights: Alertmanager's alerts, about once a second.
        notifications: what the receiver recorded: `received_at` (epoch seconds) and Alertmanager's `payload`.

    Returns:
        One for each tier that was drilled, fastest first within an objective.
    """
    outcomes, found = iter(facts.chaos.faults), []
    for plan in plans:
        faults = [(level, next(outcomes, None)) for level, _ in level_faults(plan)]
        drilled = _PlanDrill(plan, faults, facts, sights, notifications)
        found += [drilled.judge(tier) for tier in reversed(plan.tiers)]
    return found


@dataclass(frozen=True)
class _PlanDrill:
    """The drill of one objective, after it was run."""

    plan: DrillPlan
    faults: Sequence[tuple[Level, FaultOutcome | None]]
    facts: RunFacts
    sights: Sequence[AlertSight]
    notifications: Sequence[Mapping[str, Any]]

    def judge(self, tier: BurnTier) -> TierDrill:
        level, fault = next((level, fault) for level, fault in self.faults if level.fires == tier.name)
        began = fault.injected_at if fault else None
        undone = self._last_undo()
        alert = self._timeline(tier)
        if fault is None or began is None or undone is None or alert is None:
            lost = Finding(self._told(tier, "fires"), "the fault never took hold", Verdict.UNDECIDED)
            return TierDrill(
                self.plan.slo, tier, began, float(level.ratio), None, None, None, None, None, None, (lost,)
            )
        firing, clearing = self._promises(tier, alert, undone)
        if firing is not None and firing.earliest < began - RESOLUTION:
            return self._disturbed(tier, level, alert, fault)
        findings = tuple(self._findings(tier, alert, fault, undone, firing, clearing))
        return TierDrill(
            slo=self.plan.slo,
            tier=tier,
            began_at=began,
            asked=float(level.ratio),
            seen=self._ratio(began, fault.undone_at or undone),
            firing=_after(firing, began),
            fired=None if alert.firing_at is None else alert.firing_at - began,
            clearing=_after(clearing, undone),
            cleared=None if alert.cleared_at is None else alert.cleared_at - undone,
            control=self._control(tier),
            findings=findings,
        )

    def _disturbed(self, tier: BurnTier, level: Level, alert: AlertTimeline, fault: FaultOutcome) -> TierDrill:
        """Something else made the tier burn first: nothing that it did then says anything of its own fault."""
        began = fault.injected_at or 0.0
        controlled = any(one.controls == tier.name for one, _ in self.faults)
        detail = "something else made it burn; drill it again on a system that is well"
        what = self._told(tier, "fires within its promise")
        findings = (
            *([self._controlled(tier, alert, began)] if controlled else []),
            Finding(what, "its threshold was crossed before its fault", Verdict.UNDECIDED, detail),
        )
        seen = self._ratio(began, fault.undone_at or began)
        return TierDrill(
            self.plan.slo,
            tier,
            began,
            float(level.ratio),
            seen,
            None,
            None,
            None,
            None,
            self._control(tier),
            findings,
        )

    def _findings(
        self,
        tier: BurnTier,
        alert: AlertTimeline,
        fault: FaultOutcome,
        undone: float,
        firing: Promise | None,
        clearing: Promise | None,
    ) -> Iterator[Finding]:
        began = fault.injected_at or 0.0
        before = Verdict.UNDECIDED if alert.active_before else Verdict.PASS
        yield Finding(self._told(tier, "is inactive before"), "active" if alert.active_before else "inactive", before)
        if any(level.controls == tier.name for level, _ in self.faults):
            yield self._controlled(tier, alert, began)
        yield self._fired(tier, alert, began, firing)
        if tier.hold:
            yield self._pending(tier, alert)
        if alert.firing_at is not None:
            yield self._right_tier(tier, fault)
            yield from self._inhibits(tier, alert)
        yield self._cleared(tier, alert, undone, clearing)

    def _controlled(self, tier: BurnTier, alert: AlertTimeline, began: float) -> Finding:
        what, peak = self._told(tier, "stays quiet under its threshold"), self._control(tier)
        if peak is None:
            return Finding(what, "the control never took hold", Verdict.UNDECIDED)
        fired = alert.firing_at is not None and alert.firing_at < began - RESOLUTION
        rose = f"both windows rose to {peak:.2f} times the threshold"
        if peak > 1:
            return Finding(what, rose, Verdict.UNDECIDED, "by chance the control was none; drill it again")
        return Finding(what, "fired" if fired else "stayed quiet", Verdict.FAIL if fired else Verdict.PASS, rose)

    def _fired(self, tier: BurnTier, alert: AlertTimeline, began: float, promise: Promise | None) -> Finding:
        what = self._told(tier, "fires within its promise")
        if promise is None:
            seen = "did not fire" if alert.firing_at is None else f"fired after {alert.firing_at - began:.1f} s"
            detail = "these events never cross its threshold, so they say nothing"
            return Finding(what, seen, Verdict.UNDECIDED if alert.firing_at is None else Verdict.FAIL, detail)
        return timed(what, "fired", alert.firing_at, alert.notified_at, began, promise, None)

    def _pending(self, tier: BurnTier, alert: AlertTimeline) -> Finding:
        what, hold = self._told(tier, "is pending first"), self.facts.timing.real(tier.hold).total_seconds()
        if alert.pending_at is None or alert.firing_at is None:
            return Finding(what, "was not pending", Verdict.FAIL)
        waited = alert.firing_at - alert.pending_at
        verdict = Verdict.PASS if waited >= hold - 0.1 else Verdict.FAIL
        return Finding(what, f"was pending for {waited:.1f} s", verdict, f"it waits {hold:.1f} s")

    def _right_tier(self, tier: BurnTier, fault: FaultOutcome) -> Finding:
        """No tier with a higher threshold may fire while this one's fault lasts."""
        policy, slo = self.facts.policies[self.plan.slo.identity], self.plan.slo
        higher = [one for one in policy.tiers if one.threshold(slo) > tier.threshold(slo)]
        end = fault.undone_at or float("inf")
        loud = [one for one in higher if self._fires_between(one, 0.0, end)]
        what = self._told(tier, "is the right tier")
        if not loud:
            return Finding(what, "the fastest that fired", Verdict.PASS)
        events, start = self.facts.events(slo), self.facts.load.started_at
        due = [firing_promise(one, slo, self.facts.timing, events, start) for one in loud]
        # Where more was bad than asked for, the faster tier did what it must.
        rightly = all(promise is not None and promise.earliest < end for promise in due)
        return Finding(what, f"`{loud[0].name}` fired too", Verdict.UNDECIDED if rightly else Verdict.FAIL)

    def _inhibits(self, tier: BurnTier, alert: AlertTimeline) -> Iterator[Finding]:
        """Once Alertmanager knows this tier, it tells nobody of a slower one until this one clears."""
        since = (alert.notified_at or alert.firing_at or 0.0) + SETTLING
        until = min(alert.paused_at or alert.cleared_at or float("inf"), self._next_firing(tier)) - SETTLING / 2
        for slower in self._slower(tier):
            name = self._name(slower)
            held = [one.states[name] for one in self.sights if since <= one.at <= until and name in one.states]
            told = any(_tells_firing(one, name) for one in self.notifications if since <= one["received_at"] <= until)
            what = self._told(tier, f"keeps `{slower.name}` quiet")
            if not held:
                continue
            quiet = all(state == SUPPRESSED for state in held) and not told
            seen = f"suppressed in {sum(state == SUPPRESSED for state in held)} of {len(held)} looks"
            yield Finding(what, seen + (", and told" if told else ""), Verdict.PASS if quiet else Verdict.FAIL)

    def _cleared(self, tier: BurnTier, alert: AlertTimeline, undone: float, promise: Promise | None) -> Finding:
        what = self._told(tier, "resolves within its promise")
        if alert.firing_at is None:
            return Finding(what, "it never fired, so it could not resolve", Verdict.UNDECIDED)
        if promise is None:
            return Finding(what, "the run ended first", Verdict.UNDECIDED, "watch longer after the undo")
        return timed(what, "resolved", alert.cleared_at, alert.resolution_at, undone, promise, None)

    def _promises(self, tier: BurnTier, alert: AlertTimeline, undone: float) -> tuple[Promise | None, Promise | None]:
        slo, timing, events = self.plan.slo, self.facts.timing, self.facts.events(self.plan.slo)
        firing = firing_promise(tier, slo, timing, events, self.facts.load.started_at)
        fired = max(undone, alert.firing_at or undone)
        return firing, clearing_promise(tier, slo, timing, events, fired)

    def _control(self, tier: BurnTier) -> float | None:
        """How near a tier came to its threshold from its control until its own fault."""
        control = next((fault for level, fault in self.faults if level.controls == tier.name), None)
        shared = [(one, after) for (_, one), (after, _) in pairwise(self.faults) if after.fires == tier.name]
        fault = control or (shared[0][0] if shared else None)
        own = next(fault for level, fault in self.faults if level.fires == tier.name)
        if fault is None or fault.injected_at is None or own is None or own.injected_at is None:
            return None
        slo, timing = self.plan.slo, self.facts.timing
        return highest_burn(tier, slo, timing, self.facts.events(slo), fault.injected_at, own.injected_at)

    def _ratio(self, start: float, end: float) -> float | None:
        events = [event for event in self.facts.events(self.plan.slo) if start + 1 < event.at <= end]
        total = sum(event.total for event in events)
        return sum(event.bad for event in events) / total if total else None

    def _last_undo(self) -> float | None:
        return self.faults[-1][1].undone_at if self.faults[-1][1] else None

    def _slower(self, tier: BurnTier) -> list[BurnTier]:
        """The tiers that this one inhibits: longer windows, and never a page by a ticket."""
        policy = self.facts.policies[self.plan.slo.identity]
        slower = [one for one in policy.tiers if (one.long, one.short) > (tier.long, tier.short)]
        return [one for one in slower if tier.severity == names.PAGE or one.severity != names.PAGE]

    def _next_firing(self, tier: BurnTier) -> float:
        """When the next faster tier of the drill fires, which then inhibits in place of this one."""
        policy, slo = self.facts.policies[self.plan.slo.identity], self.plan.slo
        higher = [self._timeline(one) for one in policy.tiers if one.threshold(slo) > tier.threshold(slo)]
        return min((one.firing_at for one in higher if one and one.firing_at is not None), default=float("inf"))

    def _fires_between(self, tier: BurnTier, start: float, end: float) -> bool:
        alert = self._timeline(tier)
        return alert is not None and alert.firing_at is not None and start <= alert.firing_at < end

    def _timeline(self, tier: BurnTier) -> AlertTimeline | None:
        return self.facts.alerts.get(self._name(tier))

    def _name(self, tier: BurnTier) -> str:
        return names.burn_alert(self.plan.slo.service.name, self.plan.slo.name, tier.name)

    def _told(self, tier: BurnTier, what: str) -> str:
        return f"`{self.plan.slo.identity}` {tier.name}: {what}"


def seen_sentence(drilled: TierDrill, date: str, scale: int) -> str:
    """What a drill showed, as a runbook tells it.

    Args:
        drilled: what it showed.
        date: the day, `YYYY-MM-DD`.
        scale: what windows were divided by.
    """
    divided = f", windows divided by {scale}" if scale != 1 else ""
    if drilled.fired is None:
        return f"seen on {date}: did not fire at {percent(drilled.seen or 0.0)} bad events{divided}"
    fired = f"fired after {drilled.fired:.0f} s, promised {_span(drilled.firing)}"
    cleared = "did not clear" if drilled.cleared is None else f"cleared {drilled.cleared:.0f} s after the undo"
    promised = f", promised {_span(drilled.clearing)}" if drilled.clearing else ""
    return f"seen on {date}: {fired}; {cleared}{promised} ({percent(drilled.seen or 0.0)} bad events{divided})"


def _span(promised: tuple[float, float] | None) -> str:
    return "never" if promised is None else f"{max(promised[0], 0):.0f}-{promised[1]:.0f} s"


def _after(promise: Promise | None, start: float) -> tuple[float, float] | None:
    """The promise in seconds after an instant, as wide as it is judged."""
    return None if promise is None else (promise.earliest - start - RESOLUTION, promise.latest - start + RESOLUTION)


def _tells_firing(notification: Mapping[str, Any], alert: str) -> bool:
    return any(
        one.get("status") == "firing" and one.get("labels", {}).get(names.ALERT_NAME) == alert
        for one in notification["payload"].get("alerts", ())
    )
