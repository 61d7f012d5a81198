"""Histories of traffic, written as promtool reads series."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from sloproof.alerts.sample_labels import concrete
from sloproof.definition import plain
from sloproof.promql import Selector, equals, parse_selector
from sloproof.slo import SampleSeries

BORN = equals("born", "later")
"""The label of a series that appears in the middle of a case."""


@dataclass(frozen=True)
class Stretch:
    """Some scrapes in a row with one kind of traffic.

    Args:
        scrapes: how many.
        events: events between two scrapes.
        error_ratio: bad events of them, ratio of 1.
        missing: whether the scrapes fail; the events go on unseen.
        restarted: whether every counter begins again from zero.
    """

    scrapes: int
    events: Decimal
    error_ratio: Decimal = Decimal(0)
    missing: bool = False
    restarted: bool = False


def counters(
    samples: Sequence[SampleSeries], history: Sequence[Stretch], *, without_errors: bool = False
) -> dict[str, str]:
    """The raw counters of an indicator.

    Args:
        samples: the indicator's counters.
        history: from the first scrape on, which finds every counter at zero.
        without_errors: leave out the counters of bad events alone: they do not exist before the first one.

    Returns:
        Values in promtool's notation, by series.
    """
    fed = [sample for sample in samples if not (without_errors and _only_errors(sample))]
    return {str(series_of(sample)): _values("0", _grown(sample, history)) for sample in fed}


def counters_born_later(
    samples: Sequence[SampleSeries], before: Sequence[Stretch], after: Sequence[Stretch]
) -> dict[str, str]:
    """Counters of which some are born with the fault.

    Where bad events have a counter of their own, it is born at its first bad event; elsewhere a new instance is
    born that serves everything from then on.

    Args:
        samples: the indicator's counters.
        before: the history up to the birth.
        after: the history from the birth on.

    Returns:
        Values by series; those born later bear one label more, and their first value is not zero.
    """
    own = any(_only_errors(sample) for sample in samples)
    absent, found = sum(stretch.scrapes for stretch in before) + 1, {}
    for sample in samples:
        dies = _only_errors(sample) if own else True
        rest = [replace(stretch, events=Decimal(0)) for stretch in after] if dies else after
        found[str(series_of(sample))] = _values("0", _grown(sample, [*before, *rest]))
        if dies:
            newborn = series_of(sample).matching(BORN)
            found[str(newborn)] = _values(f"_x{absent}", _grown(sample, after))
    return found


def levels(values: Iterable[tuple[int, Decimal]]) -> str:
    """A series that keeps a level for some samples, then the next: `(samples, level)` in order."""
    return " ".join(f"{plain(level)}+0x{count - 1}" for count, level in values if count > 0)


def series_of(sample: SampleSeries) -> Selector:
    """The series that stands for an indicator's counter.

    Raises:
        ValueError: its selector has a pattern for which no example was found.
    """
    return concrete(parse_selector(sample.selector))


def _only_errors(sample: SampleSeries) -> bool:
    return sample.share_of_total == 0


def _grown(sample: SampleSeries, history: Sequence[Stretch]) -> list[tuple[Stretch, Decimal]]:
    """Each stretch with what the counter grows by between two of its scrapes."""
    share = [sample.share_of_total + sample.share_of_errors * stretch.error_ratio for stretch in history]
    return [(stretch, stretch.events * part) for stretch, part in zip(history, share, strict=True)]


def _values(first: str, grown: Sequence[tuple[Stretch, Decimal]]) -> str:
    value, written = Decimal(0), [first]
    for stretch, growth in grown:
        value = Decimal(0) if stretch.restarted else value
        if stretch.scrapes <= 0:
            continue
        if stretch.missing:
            written.append(f"_x{stretch.scrapes}")
        else:
            written.append(f"{plain(value + growth)}+{plain(growth)}x{stretch.scrapes - 1}")
        value += growth * stretch.scrapes
    return " ".join(written)
