"""What is known after a run, gathered from every source, before anything is judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sloproof.alerts import BurnPolicy, BurnTier, Timing
from sloproof.alerts.promise import Events, Promise, clearing_promise, firing_promise
from sloproof.chaos.outcome import ChaosOutcome, FaultOutcome
from sloproof.loadtests.evaluation import ObjectiveResult, per_second
from sloproof.loadtests.result import LoadResult
from sloproof.slo import SLO


@dataclass(frozen=True)
class AlertTimeline:
    """What became of an alert; epoch seconds, None for what did not happen.

    Args:
        alert: its name.
        pending_at: the first evaluation that found its condition true, when it waits (`for`).
        firing_at: the first evaluation that fired it.
        notified_at: when its notification was received.
        paused_at: the first evaluation that did not fire it although a later one did; beside its threshold an alert
            may come and go.
        cleared_at: the first evaluation from which on none fired it.
        resolution_at: when the news of its end was received.
        active_before: whether it was pending or firing when the watching began.
    """

    alert: str
    pending_at: float | None = None
    firing_at: float | None = None
    notified_at: float | None = None
    paused_at: float | None = None
    cleared_at: float | None = None
    resolution_at: float | None = None
    active_before: bool = False


@dataclass(frozen=True)
class RunFacts:
    """Everything that a run showed.

    Args:
        load: the load generator's record.
        chaos: what was broken, and whether it was seen and put back.
        objectives: each objective judged over the whole run.
        alerts: timelines by alert name.
        before: events of each objective before the run, by identity, oldest first.
        policies: burn policies by identity.
        timing: the clock of the rules that ran.
        instances: names of the instances that share the load.
        unwatched: stretches in which Prometheus evaluated no rule, such as while it was away; epoch seconds.
    """

    load: LoadResult
    chaos: ChaosOutcome
    objectives: Sequence[ObjectiveResult]
    alerts: Mapping[str, AlertTimeline]
    before: Mapping[str, Sequence[Events]]
    policies: Mapping[str, BurnPolicy]
    timing: Timing
    instances: Sequence[str] = field(default=())
    unwatched: Sequence[tuple[float, float]] = field(default=())

    @property
    def fault(self) -> FaultOutcome | None:
        """The fault that took hold first, whatever place it has in the definition."""
        held = [fault for fault in self.chaos.faults if fault.injected_at is not None]
        return min(held, key=lambda fault: fault.injected_at or 0.0, default=None)

    @property
    def broken_from(self) -> float | None:
        """When the first fault took hold, epoch seconds."""
        return self.fault.injected_at if self.fault else None

    @property
    def whole_again_at(self) -> float | None:
        """When the last fault was over, traffic back on every instance included; epoch seconds."""
        ends = [max(fault.undone_at or 0, fault.rejoined_at or 0) for fault in self.chaos.faults if fault.undone_at]
        return max(ends, default=None)

    def undone_before(self, moment: float | None) -> float | None:
        """When something was last put back before a moment, and else when it was first; epoch seconds.

        Args:
            moment: epoch seconds; None for the end of the run.
        """
        ends = sorted(fault.undone_at for fault in self.chaos.faults if fault.undone_at is not None)
        before = [end for end in ends if moment is None or end <= moment]
        return before[-1] if before else next(iter(ends), None)

    def tier(self, slo: SLO, name: str) -> BurnTier:
        """A tier of an objective's policy."""
        return self.policies[slo.identity].tier(name)

    def events(self, slo: SLO) -> list[Events]:
        """The events of an objective, second by second: what Prometheus knew before, what the generator saw since."""
        seen = [Events(at=at, bad=bad, total=total) for at, bad, total in per_second(self.load, slo)]
        start = seen[0].at - 1 if seen else float("inf")
        return [event for event in self.before.get(slo.identity, ()) if event.at <= start] + seen

    def firing_promise(self, slo: SLO, tier: str) -> Promise | None:
        """When the tier had to fire for these events, epoch seconds; None where they never fire it."""
        since = self.broken_from if self.broken_from is not None else float("-inf")
        return firing_promise(self.tier(slo, tier), slo, self.timing, self.events(slo), since)

    def crossed_unbroken(self, slo: SLO, tier: str) -> bool:
        """Whether the events before the first fault fire the tier by themselves."""
        broken = self.broken_from if self.broken_from is not None else float("inf")
        events = [event for event in self.events(slo) if event.at <= broken]
        return firing_promise(self.tier(slo, tier), slo, self.timing, events) is not None

    def clearing_promise(self, slo: SLO, tier: str, undone_at: float) -> Promise | None:
        """When the tier had to clear after the undo, epoch seconds; None where these events end before it."""
        return clearing_promise(self.tier(slo, tier), slo, self.timing, self.events(slo), undone_at)
