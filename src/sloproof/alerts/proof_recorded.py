"""Histories told by recorded series: for what is not decided by raw series, or where those are not known.

A pair that is derived reads the two base series; a pair that is read from the raw series is told its windows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import accumulate

from sloproof import names
from sloproof.alerts.level_values import runs
from sloproof.alerts.policy import BurnTier
from sloproof.alerts.proof import Document
from sloproof.alerts.proof_feed import group_labels, seconds
from sloproof.alerts.proof_rules import rules_behind, without_records
from sloproof.alerts.proof_traffic import Stretch
from sloproof.alerts.recording import RAW_UP_TO, recorded
from sloproof.alerts.timing import Timing
from sloproof.definition import plain
from sloproof.promql import Selector, equals
from sloproof.slo import SLO

_DIGITS = Decimal("1E-9")


@dataclass(frozen=True)
class RecordedFeed:
    """An objective's recorded series.

    Args:
        slo: the objective.
        tier: the pair of windows of the alert that reads them.
        timing: intervals of the real rules.
        groups: the alert and the rules that are left when these series are fed.
        group: the labels by which the objective is promised.
    """

    slo: SLO
    tier: BurnTier
    timing: Timing
    groups: Sequence[Document]
    group: Mapping[str, str]
    fine: bool = True
    counted: bool = False
    single: bool = False
    bears: bool = False

    def series(self, history: Sequence[Stretch], interval: timedelta) -> dict[str, str]:
        """Values by series, as the rules would have recorded them.

        Args:
            history: stretches of scrapes; the first scrape comes before them and finds nothing.
            interval: of the values, a whole number of scrapes.
        """
        bad, total = _sums(history, bad=True), _sums(history, bad=False)
        at = range(0, len(total), interval // self.timing.scrape)
        if not reads_windows(self.slo, self.tier):
            base = self.timing.base // self.timing.scrape
            rates = {names.errors(self.timing.base): bad, names.total(self.timing.base): total}
            length = seconds(self.timing.base)
            return {
                str(series_of(metric, self.slo, self.timing, self.group)): _text(
                    [_over(sums, index, base) / length for index in at]
                )
                for metric, sums in rates.items()
            }
        found: dict[str, list[Decimal | None]] = {}
        for window in (self.tier.short, self.tier.long):
            steps = window // self.timing.scrape
            counts = [(_over(bad, index, steps), _over(total, index, steps)) for index in at]
            found[names.error_ratio(window)] = [one / of if of else None for one, of in counts]
        steps = self.tier.long // self.timing.scrape
        found[names.error_count(self.tier.long)] = [_over(bad, index, steps) for index in at]
        return {
            str(series_of(metric, self.slo, self.timing, self.group)): _text(values) for metric, values in found.items()
        }


def recorded_feed(slo: SLO, tier: BurnTier, timing: Timing, groups: Sequence[Document]) -> RecordedFeed:
    """The feed of an alert, with the rules that it needs besides.

    Args:
        slo: the objective.
        tier: the pair of windows.
        timing: intervals of the real rules.
        groups: all rules that the alert needs.
    """
    alert = names.burn_alert(slo.service.name, slo.name, tier.name)
    kept = without_records(groups, fed_records(slo, tier, timing))
    return RecordedFeed(slo, tier, timing, rules_behind(kept, alert), group_labels(slo))


def fed_records(slo: SLO, tier: BurnTier, timing: Timing) -> list[str]:
    """The names of the series that a recorded feed feeds."""
    if reads_windows(slo, tier):
        return [names.error_ratio(tier.short), names.error_ratio(tier.long), names.error_count(tier.long)]
    return [names.errors(timing.base), names.total(timing.base)]


def reads_windows(slo: SLO, tier: BurnTier) -> bool:
    """Whether the pair is read from the raw series, so that its windows are what was recorded."""
    return tier.long <= RAW_UP_TO and not slo.by_slices


def series_of(metric: str, slo: SLO, timing: Timing, group: Mapping[str, str] | None = None) -> Selector:
    """A recorded series of a group of the objective; of the one that is proven where none is given."""
    labels = group_labels(slo) if group is None else group
    return recorded(metric, slo, timing).matching(*(equals(label, value) for label, value in labels.items()))


def constant(values: Mapping[str, Decimal], slo: SLO, timing: Timing, count: int) -> dict[str, str]:
    """Recorded series that keep one value: `count` of them after the first."""
    return {str(series_of(metric, slo, timing)): f"{plain(value)}x{count}" for metric, value in values.items()}


def _sums(history: Sequence[Stretch], *, bad: bool) -> list[Decimal]:
    """Events up to each scrape, of all or of the bad ones."""
    grown = [
        stretch.events * (stretch.error_ratio if bad else 1) for stretch in history for _ in range(stretch.scrapes)
    ]
    return list(accumulate(grown, initial=Decimal(0)))


def _over(sums: Sequence[Decimal], index: int, steps: int) -> Decimal:
    return sums[index] - sums[max(0, index - steps)]


def _text(values: Sequence[Decimal | None]) -> str:
    return " ".join(runs(["_" if value is None else plain(value.quantize(_DIGITS)) for value in values]))
