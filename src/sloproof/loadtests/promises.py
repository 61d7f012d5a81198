"""What a load profile itself promises, beside the objectives of its system: judged from the generator's own counts."""

import re
from abc import abstractmethod
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from sloproof.definition import Definition, Length, format_duration, plain

_PERCENT = re.compile(r"(\d+(?:\.\d+)?) ?%?")


def _share(value: object) -> object:
    """A percentage without its sign, kept exact."""
    if isinstance(value, float):
        raise ValueError(f'write the share as text, `"{value:g}%"`: a float is not exact')
    if isinstance(value, str):
        found = _PERCENT.fullmatch(value)
        if found is None:
            raise ValueError(f"`{value}` is no share; write it as `10%`")
        return Decimal(found[1])
    return value


class LoadPromise(Definition):
    """Something that a load must show."""

    @property
    @abstractmethod
    def threshold(self) -> Decimal | None:
        """Seconds above which a request is bad; None where failed requests are."""

    @property
    @abstractmethod
    def budget(self) -> Decimal:
        """The share of requests that may be bad, ratio of 1."""

    @abstractmethod
    def describe(self) -> str:
        """What must be seen, in one plain sentence without a full stop."""


class Quantile(LoadPromise):
    """A quantile of the latency stays below a limit; the latency of failed requests counts too.

    Args:
        quantile: `p50`, `p95`, `p99` or `p99.9`.
        below: the limit.
    """

    kind: Literal["quantile"] = "quantile"
    quantile: Annotated[str, StringConstraints(pattern=r"^p[1-9][0-9]?(\.[0-9]+)?$")]
    below: Length

    def __init__(self, quantile: str, **others: Any) -> None:
        super().__init__(**{"quantile": quantile, **others})

    @property
    def threshold(self) -> Decimal:
        """The limit in seconds."""
        return Decimal(round(self.below.total_seconds() * 1000)) / 1000

    @property
    def budget(self) -> Decimal:
        """The share of requests that may be slower, ratio of 1."""
        return 1 - Decimal(self.quantile[1:]) / 100

    def describe(self) -> str:
        """What must be seen."""
        return f"{self.quantile} is below {format_duration(self.below)}"


class Failures(LoadPromise):
    """The share of failed requests (5xx, connection, time-out, other) stays below a limit; 4xx and 429 are answers.

    Args:
        below: per cent, above 0 and below 100, as `10%`.
    """

    kind: Literal["failures"] = "failures"
    below: Annotated[Decimal, BeforeValidator(_share), Field(gt=0, lt=100)]

    @property
    def threshold(self) -> None:
        """None: it is no matter of time."""
        return

    @property
    def budget(self) -> Decimal:
        """The share of requests that may fail, ratio of 1."""
        return self.below / 100

    def describe(self) -> str:
        """What must be seen."""
        return f"fewer than {plain(self.below)} % of requests fail"


AnyPromise = Annotated[Quantile | Failures, Field(discriminator="kind")]
"""Every promise there is."""
