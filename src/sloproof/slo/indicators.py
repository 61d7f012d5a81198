"""What counts as a bad event, and what counts at all.

An indicator is one class that can say its `errors(window)` and its `total(window)`, both in
events per second. Ratios are always a sum of errors over a sum of totals, and no errors yet
are zero errors, not an empty result.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, Protocol

from pydantic import AfterValidator

from sloproof.definition import Definition, Length
from sloproof.promql import Expression, Matcher, Number, Selector, call, equals, parse_selector, rate

_UNIT_SECONDS = {"seconds": Decimal(1), "milliseconds": Decimal("0.001")}


def _readable(text: str) -> str:
    parse_selector(text)
    return text


SelectorText = Annotated[str, AfterValidator(_readable)]
"""PromQL text of one selector, kept as its author wrote it."""


class SampleSeries(Definition):
    """A raw series of an indicator and how fast it grows for a given error ratio; rule tests feed it.

    Args:
        selector: the series, as PromQL.
        share_of_total: events per event, at no errors.
        share_of_errors: events per bad event, added to the above.
    """

    selector: str
    share_of_total: int
    share_of_errors: int


class EventCounters(Definition):
    """The raw counters that count events one by one; exactly one of `bad` and `good` is given.

    Args:
        total: selector of the counter of all events.
        bad: selector of the counter of bad events.
        good: selector of the counter of good events; bad ones are the rest.
    """

    total: str
    bad: str | None = None
    good: str | None = None


class Indicator(Protocol):
    """What the generators need to know of an indicator."""

    @property
    def client_threshold(self) -> Decimal | None:
        """Seconds above which a client calls an answer bad; None where a failed answer is the bad one."""
        ...

    def counters(self) -> EventCounters:
        """The raw counters to count a run's events with."""
        ...

    def errors(self, window: timedelta) -> Expression:
        """Bad events per second over the window, one series, zero when there are none yet."""
        ...

    def total(self, window: timedelta) -> Expression:
        """All events per second over the window, one series."""
        ...

    def samples(self) -> tuple[SampleSeries, ...]:
        """The raw counters behind it, for rule tests."""
        ...

    def sentence(self) -> str:
        """What a good event is, in plain words."""
        ...


class ErrorRatio(Definition):
    """Bad events are counted by a counter of their own, or by a label of the total.

    Args:
        errors: selector of the counter of bad events.
        total: selector of the counter of all events.
        good: what a good event is, in plain words.
    """

    kind: Literal["error-ratio"] = "error-ratio"
    errors_selector: SelectorText
    total_selector: SelectorText
    good: str = "answered without a server error"

    def __init__(self, *, errors: str, total: str, **others: Any) -> None:
        super().__init__(**{"errors_selector": errors, "total_selector": total, **others})

    def errors(self, window: timedelta) -> Expression:
        """Bad events per second over the window; zero when traffic exists and no error was ever seen."""
        seen = rate(parse_selector(self.errors_selector), window).sum()
        return seen.otherwise(Number(0) * self.total(window))

    def total(self, window: timedelta) -> Expression:
        """All events per second over the window."""
        return rate(parse_selector(self.total_selector), window).sum()

    def samples(self) -> tuple[SampleSeries, ...]:
        """A bad series, and a good one where the total does not count the bad one already."""
        errors, total = parse_selector(self.errors_selector), parse_selector(self.total_selector)
        bad = SampleSeries(selector=str(errors), share_of_total=0, share_of_errors=1)
        if errors.metric == total.metric:
            return bad, SampleSeries(selector=str(_apart(total, errors)), share_of_total=1, share_of_errors=-1)
        return bad, SampleSeries(selector=str(total), share_of_total=1, share_of_errors=0)

    @property
    def client_threshold(self) -> None:
        """None: a client calls a failed answer bad, however fast it was."""
        return None

    def counters(self) -> EventCounters:
        """The two counters as they are."""
        return EventCounters(total=self.total_selector, bad=self.errors_selector)

    def sentence(self) -> str:
        """What a good event is."""
        return self.good


def _apart(total: Selector, errors: Selector) -> Selector:
    """A selector of good series only: in the total, and not among the errors."""
    own = [m for m in errors.matchers if m not in total.matchers]
    opposite: dict[str, Literal["=", "!=", "=~", "!~"]] = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}
    return total.matching(*(Matcher(m.label, opposite[m.operator], m.value) for m in own[:1]))


class LatencyBelow(Definition):
    """A good event is answered within a threshold, counted by a classic histogram.

    Args:
        threshold: the longest good answer; must be an edge of one of the histogram's buckets.
        histogram: selector of the histogram, named without `_bucket`.
        unit: the unit of the histogram's bucket edges.
    """

    kind: Literal["latency-below"] = "latency-below"
    threshold: Length
    histogram: SelectorText
    unit: Literal["seconds", "milliseconds"] = "seconds"

    def __init__(self, threshold: str | timedelta, /, **others: Any) -> None:
        super().__init__(**{"threshold": threshold, **others})

    def errors(self, window: timedelta) -> Expression:
        """Answers slower than the threshold per second over the window.

        Empty, not zero, when the threshold is no bucket of the live histogram: silence there
        would look like a perfect service.
        """
        slow = self.total(window) - rate(self.good_bucket(), window).sum()
        return call("clamp_min", slow, Number(0))

    def total(self, window: timedelta) -> Expression:
        """All answers per second over the window."""
        return rate(self._series("_count"), window).sum()

    def good_bucket(self) -> Selector:
        """The bucket that counts the good answers; `1` and `1.0` are both matched."""
        edge = self.edge()
        return self._series("_bucket").matching(
            Matcher("le", "=~", f"{edge}(\\.0)?") if "." not in edge else equals("le", edge)
        )

    @property
    def client_threshold(self) -> Decimal:
        """The threshold in seconds, exact."""
        return Decimal(self.threshold // timedelta(microseconds=1)) / Decimal(1_000_000)

    def counters(self) -> EventCounters:
        """All answers, and those within the threshold."""
        return EventCounters(total=str(self._series("_count")), good=str(self.good_bucket()))

    def edge(self) -> str:
        """The bucket's edge in the histogram's unit, as Prometheus writes it before version 3."""
        text = f"{self.client_threshold / _UNIT_SECONDS[self.unit]:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text

    def samples(self) -> tuple[SampleSeries, ...]:
        """The good bucket and the count."""
        bucket = self._series("_bucket").matching(equals("le", self.edge()))
        return (
            SampleSeries(selector=str(bucket), share_of_total=1, share_of_errors=-1),
            SampleSeries(selector=str(self._series("_count")), share_of_total=1, share_of_errors=0),
        )

    def sentence(self) -> str:
        """What a good event is."""
        milliseconds = self.threshold / timedelta(milliseconds=1)
        return f"answered within {milliseconds:g} ms"

    def _series(self, suffix: str) -> Selector:
        histogram = parse_selector(self.histogram)
        return histogram.renamed(histogram.metric + suffix)


AnyIndicator = ErrorRatio | LatencyBelow
