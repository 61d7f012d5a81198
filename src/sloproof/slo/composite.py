"""Indicators made of other indicators."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from functools import reduce
from typing import Annotated, Literal, TypeVar

from pydantic import Field

from sloproof.definition import Definition
from sloproof.promql import Expression, Number, call, parse_selector
from sloproof.slo.indicators import ExactNumber, Indicator, JudgedValue, SampleSeries, SliceSeries, Words
from sloproof.slo.latency import HistogramBelow, LatencyBelow, NativeLatencyBelow
from sloproof.slo.ratio import ErrorRatio, GoodRatio
from sloproof.slo.raw import RawRatio
from sloproof.slo.slices import FreshWithin, GaugeAbove, GaugeBelow, ProbeUp, ThroughputAtLeast

SimpleIndicator = (
    ErrorRatio
    | GoodRatio
    | LatencyBelow
    | HistogramBelow
    | NativeLatencyBelow
    | ProbeUp
    | GaugeBelow
    | GaugeAbove
    | ThroughputAtLeast
    | FreshWithin
    | RawRatio
)
Part = Annotated[SimpleIndicator, Field(discriminator="kind")]
Fed = TypeVar("Fed", SampleSeries, SliceSeries)
Weight = Annotated[ExactNumber, Field(gt=0)]


class _Composed(Definition):
    """What indicators with parts share.

    A part without series adds nothing, as a whole or in a group, where another part has them: the errors of the
    others are seen. That it is missing is for the absence alert to tell, which looks at each part on its own.
    """

    @property
    def client_threshold(self) -> Decimal | None:
        """None: a client does not see the parts."""
        return None

    @property
    def seen_by_clients(self) -> bool:
        """False: a client does not see the parts."""
        return False

    @property
    def noun(self) -> str:
        """What its parts count; events, where they count different things."""
        nouns = {part.noun for part in self.indicators()}
        return nouns.pop() if len(nouns) == 1 else "event"

    @property
    def by_slices(self) -> bool:
        """True as soon as one part is."""
        return any(part.by_slices for part in self.indicators())

    def counters(self) -> None:
        """None: no one counter holds them."""
        return

    def judged(self) -> JudgedValue | None:
        """None: each part has its own."""
        return None

    def indicators(self) -> tuple[Indicator, ...]:
        """The parts."""
        raise NotImplementedError  # each kind below keeps them in its own way

    def selectors(self) -> tuple[str, ...]:
        """Those of every part."""
        return tuple(dict.fromkeys(text for part in self.indicators() for text in part.selectors()))


class Composite(_Composed):
    """Events of several kinds in one sum, in which an event of a part counts as often as its weight says.

    It is the weighted sum of errors over the weighted sum of totals, so a part with more traffic counts
    for more; parts of seconds and parts of requests have very different totals and are better kept apart.

    Args:
        parts: pairs of an indicator and its weight, at least one; weights are above zero.
        meaning: what a good event is, in plain words; the parts' own words when empty.
    """

    kind: Literal["composite"] = "composite"
    parts: tuple[tuple[Part, Weight], ...] = Field(min_length=1)
    meaning: Words = ""

    def errors(self, window: timedelta, *, by: Sequence[str] = ()) -> Expression:
        """Weighted bad events per second over the window; a part without series adds none."""
        errors = [_weighted(part.errors(window, by=by), weight) for part, weight in self.parts]
        none = Number(0) * self.total(window, by=by)
        return _added([one.otherwise(none) if len(errors) > 1 else one for one in errors])

    def total(self, window: timedelta, *, by: Sequence[str] = ()) -> Expression:
        """Weighted events per second over the window; a part without series adds none."""
        totals = [part.total(window, by=by) for part, _ in self.parts]
        return _added(
            [
                _or_none(_weighted(own, weight), [other for other in totals if other != own])
                for own, (_, weight) in zip(totals, self.parts, strict=True)
            ]
        )

    def indicators(self) -> tuple[Indicator, ...]:
        """The parts without their weights."""
        return tuple(part for part, _ in self.parts)

    def ways_to_fail(self) -> tuple[tuple[Indicator, ...], ...]:
        """All parts alike: then the weighted ratio is theirs, whatever the weights."""
        return (self.indicators(),)

    def samples(self) -> tuple[SampleSeries, ...]:
        """Those of the parts, where each has its own and none feeds another's."""
        return _together([part.samples() for part in self.indicators()])

    def levels(self) -> tuple[SliceSeries, ...]:
        """Those of the parts, where each has its own and none feeds another's."""
        return _together([part.levels() for part in self.indicators()])

    def sentence(self) -> str:
        """What a good event is."""
        return self.meaning or "; ".join(dict.fromkeys(part.sentence() for part in self.indicators()))


class AllOf(_Composed):
    """Events that are good only when every part is good, such as answered well and in time.

    Metrics do not say which bad events of two parts are the same ones. The truth lies between the worst part's
    error ratio and the sum of all; this takes the sum, at most 1, so it is never better than the truth and
    at most as much worse as the parts overlap.

    Args:
        parts: indicators, at least two; the first one's events are those that are counted, or those of the next one
            where the first has no series.
        meaning: what a good event is, in plain words; the parts' own words when empty.
    """

    kind: Literal["all-of"] = "all-of"
    parts: tuple[Part, ...] = Field(min_length=2)
    meaning: Words = ""

    def errors(self, window: timedelta, *, by: Sequence[str] = ()) -> Expression:
        """Bad events per second over the window, an upper bound; a part without traffic or series adds none."""
        total = self.total(window, by=by)
        ratios = [part.errors(window, by=by) / part.total(window, by=by).above(0) for part in self.parts]
        added = _added([ratio.otherwise(Number(0) * total) for ratio in ratios])
        return call("clamp_max", added, Number(1)) * total

    def total(self, window: timedelta, *, by: Sequence[str] = ()) -> Expression:
        """All events per second of the first part that has series."""
        return _first([part.total(window, by=by) for part in self.parts])

    def indicators(self) -> tuple[Indicator, ...]:
        """The parts."""
        return tuple(self.parts)

    def ways_to_fail(self) -> tuple[tuple[Indicator, ...], ...]:
        """Each part alone."""
        return tuple((part,) for part in self.parts)

    def samples(self) -> tuple[SampleSeries, ...]:
        """None: an error ratio of the whole does not say which part is to fail."""
        return ()

    def levels(self) -> tuple[SliceSeries, ...]:
        """None, for the same reason."""
        return ()

    def sentence(self) -> str:
        """What a good event is."""
        return self.meaning or " and ".join(dict.fromkeys(part.sentence() for part in self.parts))


AnyIndicator = SimpleIndicator | Composite | AllOf


def _first(expressions: Sequence[Expression]) -> Expression:
    """The first one that has a series, for each group on its own."""
    return reduce(lambda one, other: one.otherwise(other), dict.fromkeys(expressions))


def _or_none(events: Expression, others: Sequence[Expression]) -> Expression:
    return events.otherwise(Number(0) * _first(others)) if others else events


def _weighted(expression: Expression, weight: Decimal) -> Expression:
    return expression if weight == 1 else expression * weight


def _together(parts: Sequence[tuple[Fed, ...]]) -> tuple[Fed, ...]:
    metrics = [{parse_selector(series.selector).metric for series in some} for some in parts]
    apart = sum(len(names) for names in metrics) == len(set().union(*metrics))
    return tuple(series for some in parts for series in some) if apart and all(parts) else ()


def _added(expressions: Sequence[Expression]) -> Expression:
    return reduce(lambda one, other: one + other, expressions)
