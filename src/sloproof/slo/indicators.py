"""What the generators know of an indicator.

An indicator is one class that can say its `errors(window)` and its `total(window)`, both in
events per second. Ratios are always a sum of errors over a sum of totals, and no errors yet
are zero errors, not an empty result. Where nothing is counted at all there is no result either:
silence is never a perfect service.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, Protocol

from pydantic import AfterValidator

from sloproof.definition import Definition, exact
from sloproof.promql import Expression, parse_selector

_THING = re.compile(r"an? ([\w-]+ ){1,3}(that|which|who|whose|where|in which|with|without) ")


def names_a_thing(sentence: str) -> bool:
    """Whether what a good event is can follow `a good event is`: `a page that stays`, and not `a page stays`.

    Args:
        sentence: as an indicator says it.
    """
    return _THING.match(sentence) is not None


def _readable(text: str) -> str:
    parse_selector(text)
    return text


def _sayable(text: str) -> str:
    if "\n" in text:
        raise ValueError(f"`{text}` must be one line; it is shown inside sentences")
    return text


SelectorText = Annotated[str, AfterValidator(_readable)]
"""PromQL text of one selector, kept as its author wrote it."""

Words = Annotated[str, AfterValidator(_sayable)]
"""A few plain words for alerts, pages and panels."""

ExactNumber = Annotated[Decimal, exact("number")]
"""A number as an exact decimal, given as text or a whole number."""

GIVEN_LATER: Any = object()
"""The default of an argument that a definition's own reloading gives by its field's name."""


def given(others: Mapping[str, Any], **named: Any) -> dict[str, Any]:
    """The arguments of a definition, without those that were not given.

    Args:
        others: keyword arguments as they came.
        named: arguments that may have been given in another way than by their field's name.
    """
    return {**others, **{name: value for name, value in named.items() if value is not GIVEN_LATER}}


class SampleSeries(Definition):
    """A raw counter of an indicator and how fast it grows for a given error ratio; rule tests feed it.

    Args:
        selector: the series, as PromQL.
        share_of_total: events per event, at no errors.
        share_of_errors: events per bad event, added to the above.
    """

    selector: str
    share_of_total: Decimal
    share_of_errors: Decimal


class SliceSeries(Definition):
    """A raw series of an indicator and what it shows in a good and in a bad moment; rule tests feed it.

    Args:
        selector: the series, as PromQL.
        good: its value in a good moment.
        bad: its value in a bad moment.
        form: `level`: the value itself; `age`: a Unix time so many seconds ago; `growth`: a counter's growth a second.
        each_counts: whether every sample of every such series is an event; else all series together are judged once.
    """

    selector: str
    good: Decimal
    bad: Decimal
    form: Literal["level", "age", "growth"] = "level"
    each_counts: bool = False


class JudgedValue(Definition):
    """An expression of an indicator's author and the values it takes in a good and in a bad moment.

    Args:
        expression: PromQL that yields what is judged.
        good: its value in a good moment.
        bad: its value in a bad moment.
    """

    expression: str
    good: Decimal
    bad: Decimal


class EventCounters(Definition):
    """The raw counters that count events one by one; exactly one of `bad` and `good` is given.

    Args:
        total: selector of the counter of all events.
        bad: selector of the counter of bad events.
        good: selector of the counter of good events; bad ones are the rest.
        born_late: the first value of a bad series that is born with it is counted too.
    """

    total: str
    bad: str | None = None
    good: str | None = None
    born_late: bool = False


class Indicator(Protocol):
    """What the generators need to know of an indicator."""

    @property
    def client_threshold(self) -> Decimal | None:
        """Seconds above which a client calls an answer bad; None where a failed answer is the bad one."""
        ...

    @property
    def seen_by_clients(self) -> bool:
        """Whether a client can tell good events from bad ones itself: a failed answer, or a slow one."""
        ...

    @property
    def noun(self) -> str:
        """What is counted, in the singular: `event`, `second` or `probe`."""
        ...

    @property
    def by_slices(self) -> bool:
        """Whether only a base window can be judged; longer ones are then sums of recorded base windows."""
        ...

    def counters(self) -> EventCounters | None:
        """The raw counters to count a run's events with; None where nothing counts them one by one."""
        ...

    def selectors(self) -> tuple[str, ...]:
        """The raw series that must exist for it to be measured."""
        ...

    def errors(self, window: timedelta, *, by: Sequence[str] = ()) -> Expression:
        """Bad events per second over the window, one series a group, zero when there are none yet."""
        ...

    def total(self, window: timedelta, *, by: Sequence[str] = ()) -> Expression:
        """All events per second over the window, one series a group."""
        ...

    def samples(self) -> tuple[SampleSeries, ...]:
        """The raw counters behind it, for rule tests; empty where a test cannot make them up from counters."""
        ...

    def levels(self) -> tuple[SliceSeries, ...]:
        """The raw gauges behind it, for rule tests; empty where a test cannot make them up from gauges."""
        ...

    def judged(self) -> JudgedValue | None:
        """The expression that is judged moment by moment; None where there is none."""
        ...

    def ways_to_fail(self) -> "tuple[tuple[Indicator, ...], ...]":
        """The parts that fail together when the whole is as bad as they are, each way once; empty without parts."""
        ...

    def sentence(self) -> str:
        """What a good event is, in plain words."""
        ...


class Undivided(Definition):
    """What indicators without parts share."""

    @property
    def seen_by_clients(self) -> bool:
        """False, unless a kind below counts answers."""
        return False

    def judged(self) -> JudgedValue | None:
        """None, unless a kind below judges an expression."""
        return None

    def ways_to_fail(self) -> tuple[tuple[Indicator, ...], ...]:
        """None: it has no parts."""
        return ()


class EventIndicator(Undivided):
    """What indicators share whose events are answers: a client sees a failed one as bad."""

    @property
    def client_threshold(self) -> Decimal | None:
        """None: a client calls a failed answer bad, however fast it was."""
        return None

    @property
    def noun(self) -> str:
        """It counts events."""
        return "event"

    @property
    def by_slices(self) -> bool:
        """False: any window can be judged from the raw series."""
        return False

    def levels(self) -> tuple[SliceSeries, ...]:
        """None: its events are counted by counters."""
        return ()
