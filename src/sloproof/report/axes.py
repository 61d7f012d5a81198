"""Scales: epoch seconds to a place across, values to a place up, and where their ticks stand."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

_TIME_STEPS = (
    1,
    2,
    5,
    10,
    15,
    20,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    14400,
    28800,
    86400,
    172800,
    432000,
    864000,
)
_DAY, _MINUTE = 86400, 60
_MINUTES_FROM = 600
_HOURS_FROM = 36000
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_LOG_STEPS = (1.0, 2.0, 5.0)
_TICKS_UP = 5
_HEADROOM = 1.06
_LOG_HEADROOM = 1.3
_LEAST = 1e-12
"""What is smaller is rounding, and is drawn as zero."""


@dataclass(frozen=True)
class TimeAxis:
    """Epoch seconds to user units.

    Args:
        start: epoch seconds at the left edge.
        end: epoch seconds at the right edge.
        left: user units.
        right: user units.
    """

    start: float
    end: float
    left: float
    right: float

    @property
    def seconds(self) -> float:
        """The length of the axis; a run without any length is drawn as one second."""
        return max(self.end - self.start, 1.0)

    def x(self, at: float) -> float:
        """Where an instant stands, kept within the plot."""
        across = (at - self.start) / self.seconds
        return self.left + min(max(across, 0.0), 1.0) * (self.right - self.left)

    def ticks(self, room: float) -> list[tuple[float, str]]:
        """Round times since the start with their texts.

        Args:
            room: user units that one tick's text needs.
        """
        most = max((self.right - self.left) / room, 1)
        step = next((step for step in _TIME_STEPS if self.seconds / step <= most), _TIME_STEPS[-1])
        return [(self.start + n * step, self._since(n * step)) for n in range(math.floor(self.seconds / step) + 1)]

    def clock_ticks(self, room: float) -> list[tuple[float, str]]:
        """Round times of the wall clock, UTC, with their texts: `14:05`, and the date where a day begins.

        Args:
            room: user units that one tick's text needs.
        """
        most = max((self.right - self.left) / room, 1)
        step = next((step for step in _TIME_STEPS if self.seconds / step <= most), _TIME_STEPS[-1])
        first, last = math.ceil(self.start / step), math.floor((self.start + self.seconds) / step)
        return [(n * step, _clock(n * step, step)) for n in range(first, last + 1)]

    def _since(self, seconds: int) -> str:
        if self.seconds > _HOURS_FROM:
            return f"{seconds / 3600:g} h"
        return f"{seconds / 60:g} min" if self.seconds > _MINUTES_FROM else f"{seconds} s"


def _clock(at: int, step: int) -> str:
    pattern = "%m-%d" if at % _DAY == 0 else "%H:%M:%S" if step < _MINUTE else "%H:%M"
    return datetime.fromtimestamp(at, UTC).strftime(pattern)


@dataclass(frozen=True)
class ValueAxis:
    """Values to user units, upwards.

    Args:
        low: value on the bottom line.
        high: value on the top line.
        bottom: user units.
        top: user units; smaller than `bottom`.
        logarithmic: whether equal distances are equal factors.
        ticks: the values to name.
    """

    low: float
    high: float
    bottom: float
    top: float
    logarithmic: bool
    ticks: tuple[float, ...]

    def y(self, value: float) -> float:
        """Where a value stands, kept within the plot."""
        if self.logarithmic:
            up = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        else:
            up = (value - self.low) / (self.high - self.low)
        return self.bottom - min(max(up, 0.0), 1.0) * (self.bottom - self.top)


def value_axis(values: Iterable[float], bottom: float, top: float, *, logarithmic: bool) -> ValueAxis:
    """An axis that holds all values, with round ticks.

    Args:
        values: what will be drawn, limits included; may be empty.
        bottom: user units.
        top: user units.
        logarithmic: ignored where no value is above zero.

    Returns:
        A linear axis starts at zero, or below where values are.
    """
    given = list(values)
    positive = [value for value in given if value >= _LEAST]
    if logarithmic and positive:
        return _logarithmic(min(positive), max(positive), bottom, top)
    return _linear(min([0.0, *given]), max([0.0, *given]), bottom, top)


def _linear(least: float, most: float, bottom: float, top: float) -> ValueAxis:
    if most - least < _LEAST:
        most = least + 1.0
    step = _round_step((most - least) / _TICKS_UP)
    first, last = math.floor(least / step), math.floor(most * _HEADROOM / step)
    ticks = tuple(n * step for n in range(first, last + 1))
    high = max(most * _HEADROOM, ticks[-1])
    return ValueAxis(ticks[0], high, bottom, top, logarithmic=False, ticks=ticks)


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in _STEPS if step * power >= rough * (1 - 1e-9))


def _logarithmic(least: float, most: float, bottom: float, top: float) -> ValueAxis:
    low, high = least / _LOG_HEADROOM, most * _LOG_HEADROOM
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = _LOG_STEPS if len(decades) <= _TICKS_UP else _LOG_STEPS[:1]
    ticks = [step * 10.0**decade for decade in decades for step in steps]
    low = max([tick for tick in ticks if tick <= low], default=low)
    kept = tuple(tick for tick in ticks if low <= tick <= high)
    return ValueAxis(low, high, bottom, top, logarithmic=True, ticks=kept)
