"""A service-level objective: which share of events is promised to be good, over which window."""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator

from sloproof import names
from sloproof.definition import Definition, Length, Name
from sloproof.slo.indicators import AnyIndicator
from sloproof.slo.service import Service


def _exact(value: Any) -> Any:
    if isinstance(value, float):
        raise ValueError(f'write the objective as text, `"{value}"`: a float is not exact')
    return value


EVERYTHING = 100
"""Per cent."""

Percent = Annotated[Decimal, BeforeValidator(_exact)]
"""A percentage as an exact decimal, given as text or a whole number."""


class SLO(Definition):
    """One promise about one service.

    Args:
        service: whose promise it is.
        name: what is promised, such as `availability`; unique within the service.
        objective: good events of all events, per cent, above 0 and below 100; text, kept exact.
        sli: the indicator that counts good and bad events.
        window: the length of the rolling budget window.
        minimum_bad_events: a burn alert needs at least so many bad events in its long window.
        description: one sentence on why users care.
    """

    service: Service
    name: Name
    objective: Percent
    sli: Annotated[AnyIndicator, Field(discriminator="kind")]
    window: Length = timedelta(days=30)
    minimum_bad_events: int = Field(default=3, ge=1)
    description: str = ""

    @field_validator("objective")
    @classmethod
    def _possible(cls, objective: Decimal) -> Decimal:
        if objective == EVERYTHING:
            raise ValueError(
                "`100` leaves no error budget: the first bad event breaks it for the whole window; "
                "promise less, for example `99.9`"
            )
        if not 0 < objective < EVERYTHING:
            raise ValueError(
                f"`{objective}` is not a percentage above 0 and below 100; give the share of good events, as `99.9`"
            )
        return objective

    @property
    def identity(self) -> str:
        """`service/slo`, unique in a workspace."""
        return names.identity(self.service.name, self.name)

    @property
    def budget(self) -> Decimal:
        """The error budget: bad events of all events that may happen, ratio of 1."""
        return 1 - self.objective / 100
