"""Indicators that count the events of a histogram under a threshold."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from sloproof.definition import Length, plain
from sloproof.promql import Expression, Matcher, Number, Selector, call, equals, parse_selector, rate
from sloproof.slo.indicators import (
    GIVEN_LATER,
    EventCounters,
    EventIndicator,
    ExactNumber,
    SampleSeries,
    Words,
    given,
)

_UNIT_SECONDS = {"seconds": Decimal(1), "milliseconds": Decimal("0.001")}
_WRITTEN_WITH_EXPONENT = 1_000_000
"""From here on Go's and Prometheus's own text format write a bucket's edge as `1e+06`."""


_SERIES_OF_HISTOGRAMS = ("_bucket", "_count", "_sum")


def _histogram(text: str) -> str:
    selector = parse_selector(text)
    for suffix in _SERIES_OF_HISTOGRAMS:
        if selector.metric.endswith(suffix):
            raise ValueError(
                f"`{selector.metric}` is one series of a histogram; name the histogram without `{suffix}`, "
                f"as `{selector.metric.removesuffix(suffix)}`"
            )
    for matcher in selector.matchers:
        if matcher.label == "le":
            raise ValueError(
                f"`{matcher}` picks a bucket of the histogram; leave it out: the threshold or limit picks the bucket"
            )
    return text


HistogramText = Annotated[str, AfterValidator(_histogram)]
"""PromQL text of the selector of a histogram, without the suffix and the `le` of its series."""


class _BucketIndicator(EventIndicator):
    """Good events are those of one bucket of a classic histogram."""

    histogram: HistogramText

    def edge(self) -> str:
        """The bucket's edge in the histogram's unit, without trailing zeros."""
        raise NotImplementedError  # each kind below knows its own edge

    def errors(self, window: timedelta, *, by: Sequence[str] = ()) -> Expression:
        """Events above the threshold per second over the window.

        Empty, not zero, when the threshold is no bucket of the live histogram: silence there
        would look like a perfect service.
        """
        above = self.total(window, by=by) - rate(self.good_bucket(), window).sum(by=by)
        return call("clamp_min", above, Number(0))

    def total(self, window: timedelta, *, by: Sequence[str] = ()) -> Expression:
        """All events per second over the window."""
        return rate(self._series("_count"), window).sum(by=by)

    def good_bucket(self) -> Selector:
        """The bucket that counts the good events; `1` and `1.0` are both matched."""
        edge = self.edge()
        if "." in edge:
            return self._series("_bucket").matching(equals("le", edge))
        exponent = f"|{_with_exponent(edge)}" if int(edge) >= _WRITTEN_WITH_EXPONENT else ""
        return self._series("_bucket").matching(Matcher("le", "=~", f"{edge}(\\.0)?{exponent}"))

    def counters(self) -> EventCounters:
        """All events, and those within the threshold."""
        return EventCounters(total=str(self._series("_count")), good=str(self.good_bucket()))

    def selectors(self) -> tuple[str, ...]:
        """The count and the bucket."""
        return str(self._series("_count")), str(self.good_bucket())

    def samples(self) -> tuple[SampleSeries, ...]:
        """The good bucket and the count."""
        bucket = self._series("_bucket").matching(equals("le", self.edge()))
        return (
            SampleSeries(selector=str(bucket), share_of_total=1, share_of_errors=-1),
            SampleSeries(selector=str(self._series("_count")), share_of_total=1, share_of_errors=0),
        )

    def _series(self, suffix: str) -> Selector:
        histogram = parse_selector(self.histogram)
        return histogram.renamed(histogram.metric + suffix)


class LatencyBelow(_BucketIndicator):
    """A good event is answered within a threshold, counted by a classic histogram.

    Args:
        threshold: the longest good answer; must be an edge of one of the histogram's buckets.
        histogram: selector of the histogram, named without `_bucket`.
        unit: the unit of the histogram's bucket edges.
    """

    kind: Literal["latency-below"] = "latency-below"
    threshold: Length
    unit: Literal["seconds", "milliseconds"] = "seconds"

    def __init__(self, threshold: str | timedelta = GIVEN_LATER, /, **others: Any) -> None:
        super().__init__(**given(others, threshold=threshold))

    @property
    def seen_by_clients(self) -> bool:
        """True: a client measures it."""
        return True

    @property
    def client_threshold(self) -> Decimal:
        """The threshold in seconds, exact."""
        return _seconds(self.threshold)

    def edge(self) -> str:
        """The bucket's edge in the histogram's unit, as Prometheus writes it before version 3."""
        return plain(self.client_threshold / _UNIT_SECONDS[self.unit])

    def sentence(self) -> str:
        """What a good event is."""
        return _within(self.threshold)


class HistogramBelow(_BucketIndicator):
    """A good event is at most a limit, counted by a classic histogram of any unit: a layout shift, a size.

    Args:
        limit: the largest good value; must be an edge of one of the histogram's buckets.
        histogram: selector of the histogram, named without `_bucket`.
        meaning: what a good event is, in plain words; the limit alone when empty.
    """

    kind: Literal["histogram-below"] = "histogram-below"
    limit: ExactNumber = Field(ge=0)
    meaning: Words = ""

    def __init__(self, limit: str | Decimal | int = GIVEN_LATER, /, **others: Any) -> None:
        super().__init__(**given(others, limit=limit))

    def edge(self) -> str:
        """The bucket's edge."""
        return plain(self.limit)

    def sentence(self) -> str:
        """What a good event is."""
        return self.meaning or f"measured at most {plain(self.limit)}"


class NativeLatencyBelow(EventIndicator):
    """A good event is answered within a threshold, counted by a native histogram.

    `histogram_fraction` takes the events of the bucket that the threshold falls into as spread evenly over it
    (in Prometheus 2.42; exponentially since 3.0), so the count of bad events is wrong by at most that
    bucket's own events. A bucket of schema 3 is 9 % wide, of schema 0 it doubles; a threshold that is an
    edge of the schema (a power of two in seconds fits every one) is exact.

    Args:
        threshold: the longest good answer.
        histogram: selector of the histogram, in seconds.
    """

    kind: Literal["native-latency-below"] = "native-latency-below"
    threshold: Length
    histogram: HistogramText

    def __init__(self, threshold: str | timedelta = GIVEN_LATER, /, **others: Any) -> None:
        super().__init__(**given(others, threshold=threshold))

    def errors(self, window: timedelta, *, by: Sequence[str] = ()) -> Expression:
        """Answers slower than the threshold per second over the window; zero, not NaN, without traffic."""
        within = call(
            "histogram_fraction", Number(Decimal("-Infinity")), Number(self.client_threshold), self._rate(window, by)
        )
        total = self.total(window, by=by)
        slow = call("clamp_min", total.above(0) * (Number(1) - within), Number(0))
        return slow.otherwise(Number(0) * total)

    def total(self, window: timedelta, *, by: Sequence[str] = ()) -> Expression:
        """All answers per second over the window."""
        return call("histogram_count", self._rate(window, by))

    @property
    def seen_by_clients(self) -> bool:
        """True: a client measures it."""
        return True

    @property
    def client_threshold(self) -> Decimal:
        """The threshold in seconds, exact."""
        return _seconds(self.threshold)

    def counters(self) -> None:
        """None: a native histogram counts in buckets that move with its schema."""
        return

    def selectors(self) -> tuple[str, ...]:
        """The histogram."""
        return (self.histogram,)

    def samples(self) -> tuple[SampleSeries, ...]:
        """None: rule tests of Prometheus before 2.46 have no native histograms."""
        return ()

    def sentence(self) -> str:
        """What a good event is."""
        return _within(self.threshold)

    def _rate(self, window: timedelta, by: Sequence[str]) -> Expression:
        return rate(parse_selector(self.histogram), window).sum(by=by)


def _within(threshold: timedelta) -> str:
    return f"answered within {threshold / timedelta(milliseconds=1):g} ms"


def _seconds(length: timedelta) -> Decimal:
    return Decimal(length // timedelta(microseconds=1)) / Decimal(1_000_000)


def _with_exponent(edge: str) -> str:
    """A whole number as Go writes it, escaped for a regular expression: `1800000` as `1.8e+06`."""
    digits = edge.rstrip("0")
    fraction = f"\\.{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{fraction}e\\+{len(edge) - 1:02d}"
