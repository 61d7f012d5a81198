"""How much worse than its baseline a run may be."""

import re
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from sloproof.definition import Definition

_PER_CENT = re.compile(r"(\d+(?:\.\d+)?) ?%")
_WHOLE = Decimal(100)


def _ratio(value: Any) -> Any:
    if value is None or isinstance(value, Decimal):
        return value
    found = _PER_CENT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f'`{value}` is no percentage; write it as text, such as `"10%"`')
    return Decimal(found[1]) / _WHOLE


Percentage = Annotated[Decimal, BeforeValidator(_ratio), Field(ge=0, le=100)]
"""A ratio of 1, given as text such as `10%`."""


class Baseline(Definition):
    """What a run may not be worse by than the pinned earlier run of its profile.

    Without a pinned run, or with one that was asked for another load, nothing passes: it is undecided.

    Args:
        no_slower_than: by how much the latency may grow, such as `10%`; None sets no limit.
        percentile: of the latency that is held to it, such as 95; the mean over the windows of the run.
        failures_within: by how much the share of failed requests may grow, such as `0.1%` (one more in a thousand
            requests); None sets no limit.
    """

    no_slower_than: Percentage | None = None
    percentile: Annotated[Decimal, Field(gt=0, lt=100)] = Decimal(95)
    failures_within: Percentage | None = None

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if self.no_slower_than is None and self.failures_within is None:
            raise ValueError("a baseline without a limit decides nothing: give `no_slower_than` or `failures_within`")
        return self
