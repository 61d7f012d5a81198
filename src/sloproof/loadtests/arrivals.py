"""Arrivals by the clock: an open model asks on, however slowly the target answers.

A closed model cannot see a stall: its users wait with the target. Here the times of all arrivals follow from the
definition alone, and each latency counts from the time its arrival was due.
"""

import math
import random
from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, model_validator

from sloproof.definition import Definition, Duration
from sloproof.loadtests.phases import PhaseName
from sloproof.loadtests.trace import MINUTE

Spacing = Literal["even", "poisson"]
_TINY = 1e-6


def _exact(value: object) -> object:
    if isinstance(value, float):
        raise ValueError(f'write the rate as text, `"{value}"`: a float is not exact')
    return value


Rate = Annotated[Decimal, BeforeValidator(_exact), Field(ge=0, le=1_000_000)]
"""Arrivals per second, exact."""


def _inside_loadtests(path: str) -> str:
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or parts.suffix != ".csv":
        raise ValueError(f"`{path}` must be a CSV file inside loadtests/, such as `traces/day.csv`")
    return path


class RateStage(Definition):
    """A stretch in which the rate moves in a straight line.

    Args:
        rate: arrivals per second at the end of the stretch.
        over: its length; `0s` jumps.
        phase: the phase of the load that it begins, such as `peak`; figures are told for each phase.
    """

    rate: Rate
    over: Duration
    phase: PhaseName | None = None


class Arrivals(Definition):
    """Tasks that begin by the clock.

    Args:
        rate: arrivals per second at the beginning.
        stages: what follows, one after the other; the last rate stays until the load ends.
        trace: a CSV file of requests per minute to replay in place of a rate, relative to the workspace's loadtests/
            folder; one that is longer than the load is replayed in part.
        scale: the factor that the requests of the trace are multiplied by.
        spacing: `even` arrives like clockwork; `poisson` like people who know nothing of one another.
        seed: of the Poisson arrivals; the same seed gives the same times.
    """

    rate: Rate = Decimal(0)
    stages: tuple[RateStage, ...] = ()
    trace: Annotated[str, AfterValidator(_inside_loadtests)] | None = None
    scale: Annotated[Decimal, BeforeValidator(_exact), Field(gt=0, le=1_000)] = Decimal(1)
    spacing: Spacing = "even"
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if self.trace is not None:
            if self.rate or self.stages:
                raise ValueError("give `trace` or `rate` and `stages`, not both: the trace says what the rate is")
            return self
        if self.scale != 1:
            raise ValueError("`scale` goes with `trace`")
        if not any((self.rate, *(stage.rate for stage in self.stages))):
            raise ValueError("no rate is above 0: nothing would be sent")
        return self

    def stretches(
        self, duration: timedelta, minutes: Sequence[Decimal] = (), share: Decimal = Decimal(1)
    ) -> "list[Stretch]":
        """The rate as straight pieces that tile the load.

        Args:
            duration: how long load is asked for.
            minutes: the requests of each minute of the trace, where there is one.
            share: the part of its length in which the trace is replayed; its rates stay as they are.

        Returns:
            Pieces in order, none of length 0; they end with the load.

        Raises:
            ValueError: the stages last longer than the load, or the trace less long.
        """
        if self.trace is not None:
            return self._replayed(duration.total_seconds(), minutes, MINUTE * float(share))
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

    def _replayed(self, duration: float, minutes: Sequence[Decimal], length: float) -> "list[Stretch]":
        """Each minute at its own rate; within a microsecond of the load's end there is no piece more."""
        found, left = [], duration
        for requests in minutes:
            if left <= _TINY:
                break
            rate = float(requests * self.scale) / MINUTE
            found.append(Stretch(seconds=min(length, left), first=rate, last=rate))
            left -= length
        if left > _TINY:
            raise ValueError(f"`{self.trace}` lasts {duration - left:g} s, the load {duration:g} s")
        if not any(piece.first for piece in found):
            raise ValueError(f"`{self.trace}` asks for no request in the time of the load")
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
    def of(
        cls,
        arrivals: Arrivals,
        duration: timedelta,
        minutes: Sequence[Decimal] = (),
        share: Decimal = Decimal(1),
    ) -> Self:
        """The schedule of a definition; arguments and errors as of `Arrivals.stretches`."""
        return cls(stretches=arrivals.stretches(duration, minutes, share), spacing=arrivals.spacing, seed=arrivals.seed)

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
