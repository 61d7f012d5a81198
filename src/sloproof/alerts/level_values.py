"""Values of a gauge that is bad for a share of the time, in promtool's notation."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import accumulate

from sloproof.definition import plain
from sloproof.slo import SliceSeries


def level_values(series: SliceSeries, stages: Sequence[tuple[timedelta, Decimal]], step: timedelta) -> str:
    """One value a step; within a stage the bad ones are spread as evenly as steps allow.

    Args:
        series: what the gauge shows in a good and in a bad moment.
        stages: how long each lasts, and its share of bad moments, ratio of 1; the first starts at time 0.
        step: the interval of the values.

    Returns:
        Values parted by spaces; runs of equal ones in short form.
    """
    bad: list[bool] = []
    for length, share in stages:
        bad += [int((index + 1) * share) > int(index * share) for index in range(length // step)]
    seconds = Decimal(step // timedelta(microseconds=1)) / Decimal(1_000_000)
    return " ".join(runs(shown(series, bad, seconds)))


def shown(series: SliceSeries, bad: Sequence[bool], seconds: Decimal) -> list[str]:
    """What a series shows in moments that are bad or not.

    Args:
        series: what it shows in a good and in a bad moment.
        bad: the moments, the first at time 0.
        seconds: between two of them.

    Returns:
        One plain number a moment.
    """
    if series.form == "level":
        good, ill = plain(series.good), plain(series.bad)
        return [ill if is_bad else good for is_bad in bad]
    chosen = [series.bad if is_bad else series.good for is_bad in bad]
    if series.form == "age":
        return [plain(seconds * index - age) for index, age in enumerate(chosen)]
    grown = accumulate(chosen[1:], lambda value, rate: value + rate * seconds, initial=Decimal(0))
    return [plain(value) for value in grown]


def runs(values: Sequence[str]) -> list[str]:
    """Values in promtool's notation; equal ones in a row in short form, `_` for none."""
    found: list[tuple[str, int]] = []
    for value in values:
        if found and found[-1][0] == value:
            found[-1] = (value, found[-1][1] + 1)
        else:
            found.append((value, 1))
    return [_run(value, count) for value, count in found]


def _run(value: str, count: int) -> str:
    if count == 1:
        return value
    return f"_x{count}" if value == "_" else f"{value}+0x{count - 1}"
