"""Indicators that compare two counters: bad or good events with all events."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal

from sloproof.promql import Expression, Matcher, Number, Selector, call, parse_selector, rate, rate_from_birth
from sloproof.slo.indicators import (
    GIVEN_LATER,
    EventCounters,
    EventIndicator,
    SampleSeries,
    SelectorText,
    Words,
    given,
)


class ErrorRatio(EventIndicator):
    """Bad events are counted by a counter of their own, or by a label of the total.

    Args:
        errors: selector of the counter of bad events.
        total: selector of the counter of all events.
        good: what a good event is, in plain words.
        born_late: error series come into being with their first error, as with clients that do not create them at 0.
            Their first value is then counted too, where their target (`job`, `instance`) was scraped before. It
            reads the raw series several times, so mend the client where you can.
    """

    kind: Literal["error-ratio"] = "error-ratio"
    errors_selector: SelectorText
    total_selector: SelectorText
    good: Words = "answered without a server error"
    born_late: bool = False

    def __init__(self, *, errors: str = GIVEN_LATER, total: str = GIVEN_LATER, **others: Any) -> None:
        super().__init__(**given(others, errors_selector=errors, total_selector=total))

    @property
    def seen_by_clients(self) -> bool:
        """True: a failed answer is a bad event."""
        return True

    def errors(self, window: timedelta, *, by: Sequence[str] = ()) -> Expression:
        """Bad events per second over the window; zero when traffic exists and no error was ever seen."""
        seen = self._counted(self.errors_selector, window).sum(by=by)
        return seen.otherwise(Number(0) * self.total(window, by=by))

    def total(self, window: timedelta, *, by: Sequence[str] = ()) -> Expression:
        """All events per second over the window."""
        return self._counted(self.total_selector, window).sum(by=by)

    def samples(self) -> tuple[SampleSeries, ...]:
        """A bad series, and a good one where the total does not count the bad one already."""
        errors, total = parse_selector(self.errors_selector), parse_selector(self.total_selector)
        bad = SampleSeries(selector=str(errors), share_of_total=0, share_of_errors=1)
        if errors.metric == total.metric:
            return bad, SampleSeries(selector=str(_apart(total, errors)), share_of_total=1, share_of_errors=-1)
        return bad, SampleSeries(selector=str(total), share_of_total=1, share_of_errors=0)

    def counters(self) -> EventCounters:
        """The two counters as they are."""
        return EventCounters(total=self.total_selector, bad=self.errors_selector, born_late=self.born_late)

    def selectors(self) -> tuple[str, ...]:
        """The total alone: a service without errors has no error series yet."""
        return (self.total_selector,)

    def sentence(self) -> str:
        """What a good event is."""
        return self.good

    def _counted(self, counter: str, window: timedelta) -> Expression:
        if not self.born_late:
            return rate(parse_selector(counter), window)
        return rate_from_birth(parse_selector(counter), window, parse_selector(self.total_selector))


class GoodRatio(EventIndicator):
    """Good events are counted by a counter of their own, or by a label of the total; the rest are bad.

    A counter of good events that never existed counts none, so that all events are bad: a mistyped
    selector, or a service that has failed since it was started, is loud.

    Args:
        good: selector of the counter of good events.
        total: selector of the counter of all events.
        meaning: what a good event is, in plain words.
    """

    kind: Literal["good-ratio"] = "good-ratio"
    good: SelectorText
    total_selector: SelectorText
    meaning: Words = "answered well"

    def __init__(self, *, total: str = GIVEN_LATER, **others: Any) -> None:
        super().__init__(**given(others, total_selector=total))

    @property
    def seen_by_clients(self) -> bool:
        """True: a failed answer is a bad event."""
        return True

    def errors(self, window: timedelta, *, by: Sequence[str] = ()) -> Expression:
        """Events that were not good per second over the window."""
        total = self.total(window, by=by)
        good = rate(parse_selector(self.good), window).sum(by=by).otherwise(Number(0) * total)
        return call("clamp_min", total - good, Number(0))

    def total(self, window: timedelta, *, by: Sequence[str] = ()) -> Expression:
        """All events per second over the window."""
        return rate(parse_selector(self.total_selector), window).sum(by=by)

    def samples(self) -> tuple[SampleSeries, ...]:
        """The good series, and a bad one where the total does not count bad ones on its own."""
        good, total = parse_selector(self.good), parse_selector(self.total_selector)
        fine = SampleSeries(selector=str(good), share_of_total=1, share_of_errors=-1)
        if good.metric == total.metric:
            return fine, SampleSeries(selector=str(_apart(total, good)), share_of_total=0, share_of_errors=1)
        return fine, SampleSeries(selector=str(total), share_of_total=1, share_of_errors=0)

    def counters(self) -> EventCounters:
        """The two counters as they are."""
        return EventCounters(total=self.total_selector, good=self.good)

    def selectors(self) -> tuple[str, ...]:
        """Both: without the good ones every event is bad."""
        return self.total_selector, self.good

    def sentence(self) -> str:
        """What a good event is."""
        return self.meaning


def _apart(total: Selector, part: Selector) -> Selector:
    """A selector of the other series of the total."""
    own = [m for m in part.matchers if m not in total.matchers]
    opposite: dict[str, Literal["=", "!=", "=~", "!~"]] = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}
    return total.matching(*(Matcher(m.label, opposite[m.operator], m.value) for m in own[:1]))
