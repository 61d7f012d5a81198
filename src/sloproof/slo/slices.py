"""Indicators that judge moments, not events: a bad event is a bad second of the measured ones.

A gauge is looked at in `SLICES` equally spaced moments of each window. A stretch of bad time is therefore
known to within one slice: an hour to 30 s, five minutes to 2.5 s. Moments without a value, or with NaN,
are not measured: they are neither good nor bad, and a gauge that is gone leaves nothing behind. (A series that ends
without Prometheus's mark of staleness, such as a pushed one, is still read for five minutes.)
"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from sloproof.definition import Length, format_duration
from sloproof.promql import (
    Expression,
    Number,
    Selector,
    Subquery,
    call,
    parse_selector,
    parse_written,
    rate,
    selectors_in,
)
from sloproof.slo.indicators import (
    GIVEN_LATER,
    ExactNumber,
    JudgedValue,
    SampleSeries,
    SelectorText,
    SliceSeries,
    Undivided,
    Words,
    given,
)

SLICES = 120
"""Moments in a window: an hour at the usual scrape interval of 30 s."""
_SHORTEST_SLICE = timedelta(milliseconds=1)


def _vector(text: str) -> str:
    parse_written(text)
    return text


VectorText = Annotated[str, AfterValidator(_vector)]
"""PromQL text that yields an instant vector, kept as its author wrote it."""


class _SliceIndicator(Undivided):
    """What is judged moment by moment."""

    @property
    def client_threshold(self) -> Decimal | None:
        """None: no client sees these moments."""
        return None

    @property
    def noun(self) -> str:
        """It counts seconds."""
        return "second"

    @property
    def by_slices(self) -> bool:
        """False: any window can be judged from the raw series."""
        return False

    def counters(self) -> None:
        """None: time is not counted by a counter."""
        return

    def samples(self) -> tuple[SampleSeries, ...]:
        """None: it reads gauges."""
        return ()

    def levels(self) -> tuple[SliceSeries, ...]:
        """None, unless a kind below says them."""
        return ()

    def bad(self, by: Sequence[str]) -> Expression:
        """1 in a bad moment, 0 in a good one, nothing in one that is not measured."""
        raise NotImplementedError  # each kind below knows what is bad

    def errors(self, window: timedelta, *, by: Sequence[str] = ()) -> Expression:
        """Bad seconds per second over the window."""
        return self._share("sum_over_time", window, by)

    def total(self, window: timedelta, *, by: Sequence[str] = ()) -> Expression:
        """Measured seconds per second over the window: 1 without gaps, to within a slice."""
        return self._share("count_over_time", window, by)

    def _share(self, function: str, window: timedelta, by: Sequence[str]) -> Expression:
        step = max(timedelta(milliseconds=round(window / SLICES / _SHORTEST_SLICE)), _SHORTEST_SLICE)
        counted = call(function, Subquery(self.bad(by), window, step))
        return counted * Number(_seconds(step)) / Number(_seconds(window))


class _GaugeIndicator(_SliceIndicator):
    """A gauge, or anything computed from gauges and rates, and a limit.

    With several series the worst counts: an average would hide one full disk among ten empty ones.
    """

    limit: ExactNumber
    gauge: VectorText
    meaning: Words = ""

    def selectors(self) -> tuple[str, ...]:
        """Every series of the expression."""
        return tuple(str(selector) for selector in selectors_in(self.gauge))

    def levels(self) -> tuple[SliceSeries, ...]:
        """The gauge where it is a plain one; a computed one cannot be made up."""
        try:
            gauge = parse_selector(self.gauge)
        except ValueError:
            return ()
        good, bad = self._levels()
        return (SliceSeries(selector=str(gauge), good=good, bad=bad),)

    def judged(self) -> JudgedValue:
        """The gauge, computed or not; what is computed is a little off, so its good value keeps away from the limit."""
        good, bad = self._levels()
        return JudgedValue(expression=self.gauge, good=good - (bad - good if good else Decimal(0)), bad=bad)

    def _levels(self) -> tuple[Decimal, Decimal]:
        raise NotImplementedError  # a good value and a bad one


class GaugeBelow(_GaugeIndicator):
    """A good second is one in which a gauge is at most a limit.

    Args:
        limit: the largest good value, in the gauge's unit; text, kept exact.
        gauge: PromQL that yields one value a series, such as a selector or `avg by (pod) (...)`.
        meaning: what a good second is, in plain words; the limit alone when empty.
    """

    kind: Literal["gauge-below"] = "gauge-below"

    def __init__(self, limit: str | Decimal | int = GIVEN_LATER, /, **others: Any) -> None:
        super().__init__(**given(others, limit=limit))

    def bad(self, by: Sequence[str]) -> Expression:
        """1 while the largest value is above the limit."""
        return parse_written(self.gauge).measured().largest(by=by).exceeds(self.limit)

    def sentence(self) -> str:
        """What a good second is."""
        return self.meaning or f"a second at or below {self.limit:f}"

    def _levels(self) -> tuple[Decimal, Decimal]:
        return self.limit, self.limit + _step(self.limit)


class GaugeAbove(_GaugeIndicator):
    """A good second is one in which a gauge is at least a limit.

    Args:
        limit: the smallest good value, in the gauge's unit; text, kept exact.
        gauge: PromQL that yields one value a series, such as a selector or a ratio of rates.
        meaning: what a good second is, in plain words; the limit alone when empty.
    """

    kind: Literal["gauge-above"] = "gauge-above"

    def __init__(self, limit: str | Decimal | int = GIVEN_LATER, /, **others: Any) -> None:
        super().__init__(**given(others, limit=limit))

    def bad(self, by: Sequence[str]) -> Expression:
        """1 while the smallest value is below the limit."""
        return parse_written(self.gauge).measured().smallest(by=by).falls_below(self.limit)

    def sentence(self) -> str:
        """What a good second is."""
        return self.meaning or f"a second at or above {self.limit:f}"

    def _levels(self) -> tuple[Decimal, Decimal]:
        return self.limit, self.limit - _step(self.limit)


class FreshWithin(_SliceIndicator):
    """A good second is one in which the last success is recent enough.

    With several series the oldest success counts. A last success at 0, which many clients show before the
    first one, is very old.

    Args:
        limit: the greatest good age.
        last_success: selector of a gauge that holds the Unix time of the last success, seconds.
    """

    kind: Literal["fresh-within"] = "fresh-within"
    limit: Length
    last_success: SelectorText

    def __init__(self, limit: str | timedelta = GIVEN_LATER, /, **others: Any) -> None:
        super().__init__(**given(others, limit=limit))

    def bad(self, by: Sequence[str]) -> Expression:
        """1 while the oldest last success is longer ago than the limit."""
        age = call("time") - parse_selector(self.last_success).measured().smallest(by=by)
        return age.exceeds(_seconds(self.limit))

    def selectors(self) -> tuple[str, ...]:
        """The gauge."""
        return (self.last_success,)

    def levels(self) -> tuple[SliceSeries, ...]:
        """A success just now, and one a quarter older than is good."""
        bad = _seconds(self.limit) * Decimal("1.25")
        return (SliceSeries(selector=self.last_success, good=Decimal(0), bad=bad, form="age"),)

    def sentence(self) -> str:
        """What a good second is."""
        return f"a second in which the last success is at most {format_duration(self.limit)} old"


class ThroughputAtLeast(_SliceIndicator):
    """A good slice is a base window in which enough events were served.

    A rate needs a window of its own, and only the base window is known to hold enough scrapes. So each
    base window is judged by its mean rate, and longer windows are sums of judged base windows: an alert on
    it comes up to a base window later than one on a gauge. No traffic is bad, no series is not measured.

    Args:
        limit: the smallest good rate, events per second; text, kept exact.
        requests: selector of the counter of served events.
    """

    kind: Literal["throughput-at-least"] = "throughput-at-least"
    limit: ExactNumber = Field(gt=0)
    requests: SelectorText

    def __init__(self, limit: str | Decimal | int = GIVEN_LATER, /, **others: Any) -> None:
        super().__init__(**given(others, limit=limit))

    @property
    def by_slices(self) -> bool:
        """True: see above."""
        return True

    def errors(self, window: timedelta, *, by: Sequence[str] = ()) -> Expression:
        """1 when the window's mean rate is below the limit, else 0."""
        return self._rate(window, by).falls_below(self.limit)

    def total(self, window: timedelta, *, by: Sequence[str] = ()) -> Expression:
        """1 when the window was measured."""
        return self._rate(window, by) * 0 + 1

    def selectors(self) -> tuple[str, ...]:
        """The counter."""
        return (self.requests,)

    def levels(self) -> tuple[SliceSeries, ...]:
        """The counter, growing a quarter faster and a quarter slower than is enough."""
        good, bad = self.limit * Decimal("1.25"), self.limit * Decimal("0.75")
        return (SliceSeries(selector=self.requests, good=good, bad=bad, form="growth"),)

    def sentence(self) -> str:
        """What a good slice is."""
        return f"a second of a window that serves at least {self.limit:f} a second"

    def _rate(self, window: timedelta, by: Sequence[str]) -> Expression:
        return rate(parse_selector(self.requests), window).sum(by=by)


class ProbeUp(_SliceIndicator):
    """A good event is a probe that answered: a sample of 1 of a gauge that is 1 or 0, such as `up`.

    Args:
        probe: selector of the gauge.
        meaning: what a good probe is, in plain words.
    """

    kind: Literal["probe-up"] = "probe-up"
    probe: SelectorText
    meaning: Words = "a probe that was answered"

    @property
    def noun(self) -> str:
        """It counts probes."""
        return "probe"

    def errors(self, window: timedelta, *, by: Sequence[str] = ()) -> Expression:
        """Failed probes per second over the window."""
        failed = self._counted("count_over_time", window, by) - self._counted("sum_over_time", window, by)
        return failed / Number(_seconds(window))

    def total(self, window: timedelta, *, by: Sequence[str] = ()) -> Expression:
        """All probes per second over the window."""
        return self._counted("count_over_time", window, by) / Number(_seconds(window))

    def selectors(self) -> tuple[str, ...]:
        """The gauge."""
        return (self.probe,)

    def levels(self) -> tuple[SliceSeries, ...]:
        """The gauge at 1 and at 0."""
        return (SliceSeries(selector=self.probe, good=Decimal(1), bad=Decimal(0), each_counts=True),)

    def sentence(self) -> str:
        """What a good probe is."""
        return self.meaning

    def _counted(self, function: str, window: timedelta, by: Sequence[str]) -> Expression:
        return call(function, self._probe().over(window)).sum(by=by)

    def _probe(self) -> Selector:
        return parse_selector(self.probe)


def _seconds(length: timedelta) -> Decimal:
    return Decimal(length // timedelta(microseconds=1)) / Decimal(1_000_000)


def _step(limit: Decimal) -> Decimal:
    """How far a bad value lies beyond a limit: near, so that a test notices when the limit moves."""
    return abs(limit) / 20 or Decimal(1)
