"""Arrivals by the clock: an open model asks on, however slowly the target answers.

A closed model cannot see a stall: its users wait with the target. Here the times of all arrivals follow from the
definition alone, and each latency counts from the time its arrival was due.
"""

import math
import random
from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from sloproof.definition import Definition, Duration

Spacing = Literal["even", "poisson"]


def _exact(value: object) -> object:
    if isinstance(value, float):
        raise ValueError(f'write the rate as text, `"{value}"`: a float is not exact')
    return value


Rate = Annotated[Decimal, BeforeValidator(_exact), Field(ge=0, le=100_000)]
"""Arrivals per second, exact."""


class RateStage(Definition):
    """A stretch in which the rate moves in a straight line.

    Args:
        rate: arrivals per second at the end of the stretch.
        over: its length; `0s` jumps.
    """

    rate: Rate
    over: Duration


class Arrivals(Definition):
    """Tasks that begin by the clock.

    Args:
        rate: arrivals per second at the beginning.
        stages: what follows, one after the other; the last rate stays until the load ends.
        spacing: `even` arrives like clockwork; `poisson` like people who know nothing of one another.
        seed: of the Poisson arrivals; the same seed gives the same times.
    """

    rate: Rate
    stages: tuple[RateStage, ...] = ()
    spacing: Spacing = "even"
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if not any((self.rate, *(stage.rate for stage in self.stages))):
            raise ValueError("no rate is above 0: nothing would be sent")
        return self

    def stretches(self, duration: timedelta) -> "list[Stretch]":
        """The rate as straight pieces that tile the load.

        Args:
            duration: how long load is asked for.

        Returns:
            Pieces in order, none of length 0; they end with the load.

        Raises:
            ValueError: the stages last longer than the load.
        """
        found, at, rate = [], timedelta(), float(self.rate)
        for stage in self.stages:
            if stage.over:
                found.append(Stretch(seconds=stage.over.total_seconds(), first=rate, last=float(stage.rate)))
            at, rate = at + stage.over, float(stage.rate)
        if at > duration:
            raise ValueError(f"the stages last {at.total_seconds():g} s, the load {duration.total_seconds():g} s")
        if at < duration:
            found.append(Stretch(seconds=(duration - at).total_seconds(), first=rate, last=rate))
        return found


class Stretch(BaseModel):
    """A length of time with a rate that moves in a straight line.

    Args:
        seconds: its length.
        first: arrivals per second at its beginning.
        last: arrivals per second at its end.
    """

    seconds: float
    first: float
    last: float

    @property
    def expected(self) -> float:
        """Arrivals in all of it."""
        return (self.first + self.last) / 2 * self.seconds

    def when(self, count: float) -> float:
        """Seconds from its beginning after which so many arrivals are expected; `count` is within `expected`."""
        slope = (self.last - self.first) / self.seconds
        return 2 * count / (self.first + math.sqrt(max(0.0, self.first**2 + 2 * slope * count)))


class Schedule(BaseModel):
    """The arrivals of one run, as the generator process is told of them.

    Args:
        stretches: the rate.
        spacing: how arrivals keep apart.
        seed: of Poisson arrivals.
    """

    stretches: list[Stretch]
    spacing: Spacing
    seed: int

    @classmethod
    def of(cls, arrivals: Arrivals, duration: timedelta) -> Self:
        """The schedule of a definition.

        Raises:
            ValueError: as `Arrivals.stretches`.
        """
        return cls(stretches=arrivals.stretches(duration), spacing=arrivals.spacing, seed=arrivals.seed)

    @property
    def expected(self) -> float:
        """Arrivals in all; Poisson ones vary around it."""
        return sum(stretch.expected for stretch in self.stretches)

    @property
    def mean_rate(self) -> float:
        """Arrivals per second over the whole run."""
        seconds = sum(stretch.seconds for stretch in self.stretches)
        return self.expected / seconds if seconds else 0.0

    def times(self) -> Iterator[float]:
        """Each arrival, seconds from the beginning, in order; made one by one, so that a long run takes no memory."""
        marks = _even_marks() if self.spacing == "even" else _poisson_marks(self.seed)
        mark = next(marks)
        begun, passed = 0.0, 0.0
        for stretch in self.stretches:
            while mark < passed + stretch.expected:
                yield begun + stretch.when(mark - passed)
                mark = next(marks)
            begun, passed = begun + stretch.seconds, passed + stretch.expected


def _even_marks() -> Iterator[float]:
    number = 0
    while True:
        yield number + 0.5
        number += 1


def _poisson_marks(seed: int) -> Iterator[float]:
    """Source: Cinlar, Introduction to Stochastic Processes, 1975, ch. 4.7: unit arrivals, stretched by the rate."""
    dice, mark = random.Random(seed), 0.0
    while True:
        mark += dice.expovariate(1.0)
        yield mark


def rate_at(stretches: Sequence[Stretch], second: float) -> float:
    """Arrivals per second asked for at a time; 0 outside of the run.

    Args:
        stretches: the rate.
        second: from the beginning.
    """
    for stretch in stretches:
        if 0 <= second < stretch.seconds:
            return stretch.first + (stretch.last - stretch.first) * second / stretch.seconds
        second -= stretch.seconds
    return 0.0
