"""What the cases of one burn alert share: its clock, its bounds, its rules and the questions asked of it.

promtool evaluates all rules at one interval and loads 10,000 samples a query at most, so each alert is proven on
the coarsest clock on which its promise can still be told from a broken one. Raw counters are always scraped as
often as in reality. Cases are placed so that an evaluation falls on the last instant that was promised.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from sloproof import names
from sloproof.alerts.policy import BurnTier
from sloproof.alerts.promise import delay, detection_time, reset_time
from sloproof.alerts.proof import Check, Document, ProofCase
from sloproof.alerts.proof_feed import Feed, GroupedFeed, group_labels
from sloproof.alerts.proof_recorded import RecordedFeed, recorded_feed
from sloproof.alerts.proof_traffic import Stretch
from sloproof.alerts.recording import RAW_UP_TO, recorded
from sloproof.alerts.timing import Timing
from sloproof.definition import format_duration
from sloproof.promql import Selector, call, equals
from sloproof.slo import SLO

SAMPLES_A_QUERY = 10_000
"""promtool's own limit; above it a query fails with `would load too many samples`."""
EVENTS_A_SECOND = 1000
"""Enough that an objective of 99.999 % sees bad events between two scrapes."""
FAULT_FACTOR = 10
"""The bad ratio of a fault, as a multiple of the threshold (or everything, where that is less)."""
FINER = (1, 2, 5, 10)
"""Parts of the base window that a clock may tick in; only then do the recorded rates tile the time."""


@dataclass(frozen=True)
class Bench:
    """One burn alert and everything its cases are made of.

    Args:
        slo: the objective.
        tier: the pair of windows.
        timing: intervals of the real rules; the scale is 1.
        groups: the rule groups that the alert needs.
        feed: the series that tell it a history.
    """

    slo: SLO
    tier: BurnTier
    timing: Timing
    groups: Sequence[Document]
    feed: Feed | RecordedFeed

    @property
    def alert(self) -> str:
        """The alert's name."""
        return names.burn_alert(self.slo.service.name, self.slo.name, self.tier.name)

    @property
    def raw(self) -> bool:
        """Whether its windows are read from the raw series."""
        return self.tier.long <= RAW_UP_TO and not self.slo.by_slices

    @property
    def fine(self) -> bool:
        """Whether its faults can be any share of what is counted; else everything turns bad at once."""
        return self.feed.fine and (self.recorded or not self.slo.by_slices)

    @property
    def recorded(self) -> bool:
        """Whether it is fed the recorded series, because its raw ones are not known."""
        return isinstance(self.feed, RecordedFeed)

    @property
    def fault(self) -> Decimal:
        """The error ratio of its faults, ratio of 1."""
        return min(Decimal(1), self.tier.threshold(self.slo) * FAULT_FACTOR) if self.fine else Decimal(1)

    @property
    def delay(self) -> timedelta:
        """Between a crossing and the last evaluation that may see it, without `for`."""
        return delay(self.tier, self.timing, self.slo)

    @property
    def clock(self) -> timedelta:
        """How often promtool evaluates the rules of its cases."""
        if self.raw:
            return self.timing.evaluation
        ticks = [self.timing.base / parts for parts in FINER]
        fitting = [
            tick for tick in ticks if tick >= self.timing.evaluation and self._sharp(tick) and self._counts(tick)
        ]
        return fitting[0] if fitting else self.timing.evaluation

    def _sharp(self, tick: timedelta) -> bool:
        """Whether a rule that keeps its promise still does on this clock, whose windows are one tick longer."""
        share = float(self.tier.threshold(self.slo) / self.fault)
        seen = self.timing.base / 2 + self.timing.scrape
        waits = self.on_clock(self.tier.hold, tick) - self.tier.hold
        return max(tick * share + waits, tick * (1 - share)) + seen <= self.delay

    def _counts(self, tick: timedelta) -> bool:
        """Whether the youngest fault passes the floor on this clock, on which recorded rates add up to less."""
        burnt = self.tier.short.total_seconds() * 2 * float(self.tier.threshold(self.slo))
        bad = max(burnt, self.delay.total_seconds() * float(self.fault)) * (EVENTS_A_SECOND if self.fine else 1)
        return self.slo.minimum_bad_events * (tick / self.timing.evaluation) <= bad

    @property
    def grain(self) -> timedelta:
        """How much a slice, which is bad or good as a whole, is rounded by on a clock that ticks slower."""
        return self.clock if self.slo.by_slices and not self.recorded else timedelta()

    @property
    def coarse_clock(self) -> timedelta:
        """For cases in which nothing must happen in time."""
        return self.clock if self.raw else self.timing.base

    def crossing(self) -> timedelta:
        """When the long window crosses the threshold, from the start of the fault, after a long time without errors."""
        return detection_time(self.tier, self.slo, self.fault) or timedelta()

    def young_crossing(self, age: timedelta) -> timedelta:
        """The same after a history of only this age, which a window then ends with."""
        threshold, fault = self.tier.threshold(self.slo), self.fault
        return min(self.crossing(), age * float(threshold / (fault - threshold)))

    def reset(self) -> timedelta:
        """When the short window has fallen to the threshold and `keep_firing_for` is over, from the fault's end."""
        return (reset_time(self.tier, self.slo, self.fault) or timedelta()) + self.tier.keep_firing_for

    def stretch(self, length: timedelta, error_ratio: Decimal = Decimal(0), share: Decimal = Decimal(1)) -> Stretch:
        """Traffic of this length, which is a whole number of scrapes; `share` is that of the usual events."""
        seconds = Decimal(self.timing.scrape // timedelta(milliseconds=1)) / 1000
        return Stretch(length // self.timing.scrape, EVENTS_A_SECOND * seconds * share, error_ratio)

    def scrapes(self, length: timedelta) -> timedelta:
        """The length, rounded up to whole scrapes."""
        return -(-length // self.timing.scrape) * self.timing.scrape

    def ended_scrapes(self, length: timedelta) -> timedelta:
        """The length, rounded down to whole scrapes."""
        return length // self.timing.scrape * self.timing.scrape

    def on_clock(self, length: timedelta, tick: timedelta | None = None) -> timedelta:
        """The length, rounded up to the clock of the cases."""
        step = tick or self.clock
        return -(-length // step) * step

    def before(self, least: timedelta, then: timedelta, tick: timedelta | None = None) -> timedelta:
        """A length of at least `least` after which `then` ends on the clock."""
        return self.scrapes(least) + (-(self.scrapes(least) + then)) % (tick or self.clock)

    def fires(self, at: timedelta, meaning: str) -> Check:
        """The alert must fire at this instant."""
        return Check(call("count", self.firing()), at, 1, meaning)

    def quiet(self, at: timedelta, meaning: str) -> Check:
        """The alert must not fire at this instant."""
        return Check(call("count", self.firing()), at, None, meaning)

    def ratio(self, window: timedelta) -> Selector:
        """The recorded error ratio of a window."""
        return recorded(names.error_ratio(window), self.slo, self.timing)

    def told(
        self,
        title: str,
        history: Sequence[Stretch],
        *checks: Check,
        clock: timedelta | None = None,
        without_errors: bool = False,
    ) -> ProofCase:
        """A case that tells the alert a history."""
        if isinstance(self.feed, RecordedFeed):
            interval = self.timing.scrape if self.raw else self.clock
            series = self.feed.series(history, interval)
            return ProofCase(self.alert, title, self.feed.groups, clock or self.clock, interval, series, checks)
        return self.case(title, self.feed.series(history, without_errors=without_errors), *checks, clock=clock)

    def case(self, title: str, series: dict[str, str], *checks: Check, clock: timedelta | None = None) -> ProofCase:
        """A case that feeds raw series."""
        return ProofCase(self.alert, title, self.groups, clock or self.clock, self.timing.scrape, series, checks)

    def of_group(self, labels: Mapping[str, str]) -> "Bench | None":
        """The same alert, fed series of another group; None where the objective's selectors leave no other."""
        if labels == group_labels(self.slo):
            return None
        if isinstance(self.feed, RecordedFeed):
            return replace(self, feed=replace(self.feed, group=labels))
        assert isinstance(self.feed, GroupedFeed)  # the objective has groups
        return replace(self, feed=replace(self.feed, labels=labels))

    def on_recorded(self) -> "Bench":
        """The same alert, fed the recorded series."""
        return replace(self, feed=recorded_feed(self.slo, self.tier, self.timing, self.groups))

    def firing(self, group: Sequence[str] | None = None) -> Selector:
        """The alert while it fires, for the group that is proven, or for any when its labels are left out."""
        labels = {
            names.ALERT_NAME: self.alert,
            "alertstate": "firing",
            names.SERVICE: self.slo.service.name,
            names.SLO: self.slo.name,
            names.TIER: self.tier.name,
            names.SEVERITY: self.tier.severity,
            names.OWNER: self.slo.service.owner,
            names.KIND: "",  # a cause is held back by the symptom, which has none
            **{label: value for label, value in group_labels(self.slo).items() if group is None or label in group},
        }
        return Selector("ALERTS", tuple(equals(label, value) for label, value in labels.items()))

    def too_long(self) -> str:
        """Why promtool cannot hold its windows; empty when it can."""
        held = self.tier.long // self.clock
        if self.raw or held < SAMPLES_A_QUERY:
            return ""
        return (
            f"its window of `{format_duration(self.tier.long)}` holds {held} samples of the recorded series and "
            f"promtool loads {SAMPLES_A_QUERY} a query at most"
        )
