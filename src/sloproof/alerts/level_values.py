"""Values of a gauge that is bad for a share of the time, in promtool's notation."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

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
    if series.form == "age":
        ages = [series.bad if is_bad else series.good for is_bad in bad]
        return " ".join(_plain(seconds * index - age) for index, age in enumerate(ages))
    return " ".join(_runs([_plain(series.bad if is_bad else series.good) for is_bad in bad]))


def _runs(values: Sequence[str]) -> list[str]:
    found: list[tuple[str, int]] = []
    for value in values:
        if found and found[-1][0] == value:
            found[-1] = (value, found[-1][1] + 1)
        else:
            found.append((value, 1))
    return [value if count == 1 else f"{value}+0x{count - 1}" for value, count in found]


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
