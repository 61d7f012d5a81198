"""Prometheus's series as a panel's lines: named by their legend, with their own options, reduced to one figure."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median, pvariance

from sloproof.prometheus_answers import Series
from sloproof.report.preview.dashboard import Target
from sloproof.report.preview.look import Look
from sloproof.report.preview.reading import Field
from sloproof.report.recorded import Point

_PLACE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_P95 = 0.95


@dataclass(frozen=True)
class Line:
    """A series of a panel; a point without a value was not measured."""

    name: str
    points: tuple[Point, ...]
    field: Field
    labels: Mapping[str, str]

    @property
    def finite(self) -> list[float]:
        """Its values that can be drawn."""
        return [value for _, value in self.points if value is not None and math.isfinite(value)]


def lines_of(look: Look) -> list[Line]:
    """Every series of a panel in the order of its queries."""
    lines = []
    for target, reply in look.replies:
        varying = _varying(reply.series)
        for one in reply.series:
            name = legend(target, one, varying, look)
            field = look.field(name, target.ref)
            points = tuple((at, None if math.isnan(value) else value) for at, value in one.points)
            lines.append(Line(field.name or name, points, field, one.labels))
    return lines


def legend(target: Target, series: Series, varying: Sequence[str], look: Look) -> str:
    """What a series is called.

    Args:
        target: its query.
        series: the series.
        varying: labels that tell the query's series apart.
        look: fills in variables.
    """
    if target.legend:
        # Variables first: a label's value that looks like one must stay what it is.
        return with_labels(look.say(target.legend), series.labels)
    if varying:
        return " ".join(series.labels.get(label, "") for label in varying)
    shown = [f'{name}="{value}"' for name, value in sorted(series.labels.items()) if name != "__name__"]
    metric = series.labels.get("__name__", "")
    return f"{metric}{{{', '.join(shown)}}}" if shown else metric or look.fill(target.expression)


def with_labels(words: str, labels: Mapping[str, str]) -> str:
    """Text in which each `{{label}}` became the label's value."""
    return _PLACE.sub(lambda match: labels.get(match[1], ""), words).strip()


def _varying(series: Sequence[Series]) -> list[str]:
    names = sorted({label for one in series for label in one.labels})
    return [name for name in names if len({one.labels.get(name) for one in series}) > 1] if len(series) > 1 else []


def reduced(points: Sequence[Point], how: str) -> float | None:
    """One figure of a series.

    Args:
        points: in the order of time.
        how: one of Grafana's calculations; one that is not known is the last value.

    Returns:
        None where nothing was measured.
    """
    values = [value for _, value in points if value is not None]
    if how == "last":
        return points[-1][1] if points else None
    if not values:
        return 0.0 if how == "count" else None
    return _REDUCERS.get(how, _last)(values)


def knows(how: str) -> bool:
    """Whether a calculation of Grafana's is drawn as such."""
    return how in _REDUCERS or how == "last"


def _last(values: Sequence[float]) -> float:
    return values[-1]


def _share_over(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(math.floor(len(values) * share), len(values) - 1)]


_REDUCERS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "lastNotNull": _last,
    "first": lambda values: values[0],
    "firstNotNull": lambda values: values[0],
    "min": min,
    "max": max,
    "mean": fmean,
    "median": median,
    "sum": math.fsum,
    "count": lambda values: float(len(values)),
    "range": lambda values: max(values) - min(values),
    "delta": lambda values: values[-1] - values[0],
    "diff": lambda values: values[-1] - values[0],
    "variance": pvariance,
    "stdDev": lambda values: math.sqrt(pvariance(values)),
    "distinctCount": lambda values: float(len(set(values))),
    "p95": lambda values: _share_over(values, _P95),
}
