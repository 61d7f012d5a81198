"""The indicator for everything else: two PromQL expressions of the author's own."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator

from sloproof.promql import Expression, Number, parse_windowed, selectors_in
from sloproof.slo.indicators import GIVEN_LATER, EventIndicator, SampleSeries, Words, given

_ANY_WINDOW = timedelta(minutes=5)


def _windowed(text: str) -> str:
    parse_windowed(text)
    return text


WindowedText = Annotated[str, AfterValidator(_windowed)]
"""PromQL text that yields an instant vector and has `[$window]` in it, kept as its author wrote it."""


class RawRatio(EventIndicator):
    """Bad and all events per second, as PromQL with `[$window]` where the window belongs.

    Each is summed, or summed by the labels of the objective's groups, which it has to keep for that.

    Args:
        errors: bad events per second, such as `sum(rate(x{code="500"}[$window]))`.
        total: all events per second.
        meaning: what a good event is, in plain words.
    """

    kind: Literal["raw-ratio"] = "raw-ratio"
    errors_promql: WindowedText
    total_promql: WindowedText
    meaning: Words = "answered well"

    def __init__(self, *, errors: str = GIVEN_LATER, total: str = GIVEN_LATER, **others: Any) -> None:
        super().__init__(**given(others, errors_promql=errors, total_promql=total))

    def errors(self, window: timedelta, *, by: Sequence[str] = ()) -> Expression:
        """Bad events per second over the window; zero when there are events and no error was ever seen."""
        seen = parse_windowed(self.errors_promql).over(window).sum(by=by)
        return seen.otherwise(Number(0) * self.total(window, by=by))

    def total(self, window: timedelta, *, by: Sequence[str] = ()) -> Expression:
        """All events per second over the window."""
        return parse_windowed(self.total_promql).over(window).sum(by=by)

    def counters(self) -> None:
        """None: what the expressions count is known to their author alone."""
        return

    def selectors(self) -> tuple[str, ...]:
        """The series of the total."""
        text = str(parse_windowed(self.total_promql).over(_ANY_WINDOW))
        return tuple(str(selector) for selector in selectors_in(text))

    def samples(self) -> tuple[SampleSeries, ...]:
        """None: a rule test cannot make up series for an expression of any shape."""
        return ()

    def sentence(self) -> str:
        """What a good event is."""
        return self.meaning
