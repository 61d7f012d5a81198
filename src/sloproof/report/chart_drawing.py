"""One chart of the timeline: its lines, limits and gaps, with the run's events drawn through it."""

from collections.abc import Sequence
from itertools import chain, pairwise

from markupsafe import Markup

from sloproof.report import wording
from sloproof.report.axes import TimeAxis, ValueAxis, value_axis
from sloproof.report.drawing import (
    AXIS_ROW,
    MARK_ROW,
    TEXT,
    Layout,
    apart,
    background,
    grid,
    hatch,
    mark_lines,
    marks,
    time_axis,
    wall_clock,
)
from sloproof.report.model import Chart, Limit, RunReport, Series
from sloproof.report.recorded import Point
from sloproof.report.sampling import gaps, segments, thinned, usual_step, within
from sloproof.report.svg import coordinate, element, fitted, text_width

STYLES = 6
"""Colours and dash patterns there are; a seventh line begins anew."""
_LABEL_DISTANCE = 15.0
_NOTICEABLE_GAP = 0.02
_SWATCH = 20.0


def chart_drawing(chart: Chart, report: RunReport, layout: Layout, number: int, prefix: str = "") -> Markup:
    """A chart as one SVG on the report's time axis.

    Args:
        chart: one of the report's charts.
        report: the run.
        layout: its measures.
        number: its place in the report, from 1; part of its ids.
        prefix: of its ids, for pages with several runs.
    """
    axis, top = layout.axis(report), MARK_ROW
    chart = within(chart, axis.start, axis.end)
    bottom = top + layout.plot
    values = value_axis(_values(chart), bottom, top, logarithmic=chart.logarithmic)
    identity, last = f"{prefix}chart-{number}-{layout.name}", number == len(report.charts)
    below = bottom + AXIS_ROW * (2 if last else 1)
    parts = [
        element("title", f"{chart.title}, {chart.unit}, over the time of the run", id=f"{identity}-title"),
        element("desc", description(chart, report), id=f"{identity}-desc"),
        hatch(f"{identity}-hatch"),
        background(report, axis, top, bottom, f"{identity}-hatch"),
        grid(axis, layout, top, bottom),
        _value_grid(chart, values, axis),
        *_measured(chart, values, axis, layout),
        mark_lines(marks(report), axis, top, bottom),
        *_limit_labels(chart, values, axis),
        _labels(chart, values, layout, below + 8),
        time_axis(axis, layout, bottom + 14),
        wall_clock(axis, bottom + 14 + AXIS_ROW) if last else Markup(""),
    ]
    height = below + 4 + _LABEL_DISTANCE * len(chart.series) * layout.labels_below
    shape = {"viewBox": f"0 0 {layout.width:g} {height:g}", "class": layout.name, "data-chart": str(number - 1)}
    named = {"aria-labelledby": f"{identity}-title", "aria-describedby": f"{identity}-desc"}
    return element("svg", *parts, role="img", **shape, **named, **_plot(axis, top, bottom))


def _measured(chart: Chart, values: ValueAxis, axis: TimeAxis, layout: Layout) -> list[Markup]:
    return [
        _no_data(chart, axis, values.top, values.bottom),
        _band(chart, values, axis, layout) if chart.band else Markup(""),
        *(_line(series, values, axis, layout, index) for index, series in enumerate(chart.series)),
        *_limits(chart, values, axis),
    ]


def description(chart: Chart, report: RunReport) -> str:
    """The chart in words: each line's lowest, highest and last value, and each limit."""
    told = [_series_in_words(series, chart, report) for series in chart.series] or [f"{wording.NO_DATA}."]
    told += [f"Limit {limit.label}: {wording.measurement(limit.value, chart.unit)}." for limit in chart.limits]
    return " ".join(told)


def _series_in_words(series: Series, chart: Chart, report: RunReport) -> str:
    measured = [(value, at) for at, value in series.points if value is not None]
    if not measured:
        return f"{series.label}: {wording.NO_DATA}."

    def told(value: float, at: float) -> str:
        return f"{wording.measurement(value, chart.unit)} at {wording.elapsed(at - report.started_at)}"

    return f"{series.label}: lowest {told(*min(measured))}, highest {told(*max(measured))}, last {told(*measured[-1])}."


def _plot(axis: TimeAxis, top: float, bottom: float) -> dict[str, str]:
    edges = {"left": axis.left, "right": axis.right, "top": top, "bottom": bottom}
    return {f"data-{name}": coordinate(value) for name, value in edges.items()}


def _values(chart: Chart) -> list[float]:
    points = chain.from_iterable(series.points for series in chart.series)
    return [value for _, value in points if value is not None] + [limit.value for limit in chart.limits]


def _value_grid(chart: Chart, values: ValueAxis, axis: TimeAxis) -> Markup:
    at_most = "≤ " if chart.logarithmic and any(value <= 0 for value in _values(chart)) else ""
    parts = []
    for tick in values.ticks if _values(chart) else ():
        y = values.y(tick)
        text = (at_most if tick == values.ticks[0] else "") + wording.measurement(tick, chart.unit)
        parts.append(element("line", x1=axis.left, x2=axis.right, y1=y, y2=y, class_="grid"))
        parts.append(element("text", text, x=axis.left - 5, y=y + 4, text_anchor="end", class_="tick"))
    return Markup("").join(parts)


def _no_data(chart: Chart, axis: TimeAxis, top: float, bottom: float) -> Markup:
    parts = []
    for start, end in gaps(chart, axis.start, axis.end, axis.seconds * _NOTICEABLE_GAP):
        left, right = axis.x(start), axis.x(end)
        box = {"x": left, "width": right - left, "y": top, "height": bottom - top}
        parts.append(element("rect", class_="no-data", **box))
        if text_width(wording.NO_DATA, TEXT) < right - left - 4:
            middle = {"x": (left + right) / 2, "y": bottom - 8}
            parts.append(element("text", wording.NO_DATA, class_="no-data-text", text_anchor="middle", **middle))
    return Markup("").join(parts)


def _band(chart: Chart, values: ValueAxis, axis: TimeAxis, layout: Layout) -> Markup:
    """The ground between the first line and the last, where both were measured at the same instants."""
    above = dict(chart.series[-1].points)
    low = [(at, value if above.get(at) is not None else None) for at, value in chart.series[0].points]
    paths = []
    for run in segments(low, usual_step(low)):
        high = thinned([(at, above[at]) for at, _ in run], layout.buckets)
        edge = [*thinned(run, layout.buckets), *reversed(high)]
        paths.append(_path([(axis.x(at), values.y(value)) for at, value in edge if value is not None]) + "Z")
    return element("path", d="".join(paths), class_="band") if paths else Markup("")


def _line(series: Series, values: ValueAxis, axis: TimeAxis, layout: Layout, index: int) -> Markup:
    drawn = curve(series.points, values, axis, layout.buckets)
    return element("path", d=drawn, class_=f"line s{index % STYLES}") if drawn else Markup("")


def curve(points: Sequence[Point], values: ValueAxis, axis: TimeAxis, buckets: int) -> str:
    """The path of a line, broken where measurements are missing; empty where there is none at all.

    Args:
        points: in the order of time.
        values: the axis upwards.
        axis: the axis across.
        buckets: stretches of time that keep their extremes.
    """
    paths = []
    for run in segments(points, usual_step(points)):
        kept = [(at, value) for at, value in thinned(run, buckets) if value is not None]
        paths.append(_path([(axis.x(at), values.y(value)) for at, value in kept]))
    return "".join(paths)


def _path(places: Sequence[tuple[float, float]]) -> str:
    drawn = [f"{coordinate(x)} {coordinate(y)}" for x, y in places]
    return "M" + "L".join(drawn if len(drawn) > 1 else drawn * 2)


def _limits(chart: Chart, values: ValueAxis, axis: TimeAxis) -> list[Markup]:
    heights = [values.y(limit.value) for limit in chart.limits]
    return [element("line", x1=axis.left, x2=axis.right, y1=y, y2=y, class_="limit") for y in heights]


def _limit_labels(chart: Chart, values: ValueAxis, axis: TimeAxis) -> list[Markup]:
    """The limits' meanings, drawn last: neither lines nor alerts run through them."""
    heights = [values.y(limit.value) for limit in chart.limits]
    together = _limits_in_one_line(chart, values, axis)
    if together and any(low - high < TEXT + 1 for high, low in pairwise(sorted(heights))):
        return [element("text", together, x=axis.left + 5, y=values.top + TEXT, class_="limit-label")]
    beside = [y - 4 if y - 4 - TEXT >= values.top else y + TEXT + 2 for y in heights]
    places = apart(beside, TEXT + 1, values.top + TEXT, values.bottom)
    return [
        element("text", _limit_text(limit, chart, axis), x=axis.left + 5, y=y, class_="limit-label")
        for limit, y in zip(chart.limits, places, strict=True)
    ]


def _limits_in_one_line(chart: Chart, values: ValueAxis, axis: TimeAxis) -> str:
    """All limits' meanings, the highest first, for those that lie too close for one each; empty without room."""
    ordered = sorted(chart.limits, key=lambda limit: values.y(limit.value))
    told = ", ".join(f"{limit.label}: {wording.measurement(limit.value, chart.unit)}" for limit in ordered)
    return told if text_width(told, TEXT) <= axis.right - axis.left - 10 else ""


def _limit_text(limit: Limit, chart: Chart, axis: TimeAxis) -> str:
    return fitted(f"{limit.label}: {wording.measurement(limit.value, chart.unit)}", TEXT, axis.right - axis.left)


def _labels(chart: Chart, values: ValueAxis, layout: Layout, below: float) -> Markup:
    """Each line's name and last value beside its end, or in rows under the plot."""
    ends = [_last(series) for series in chart.series]
    if layout.labels_below:
        left, room = layout.left, layout.width - layout.left - layout.right
        places = [below + _LABEL_DISTANCE * index for index in range(len(ends))]
    else:
        left, room = layout.width - layout.right + 6, layout.right - 6
        middle = (values.top + values.bottom) / 2
        wanted = [middle if end is None else values.y(end) for end in ends]
        places = apart(wanted, _LABEL_DISTANCE, values.top + 4, values.bottom)
    told = zip(chart.series, ends, places, strict=True)
    return Markup("").join(
        _label(series.label, wording.measurement(end, chart.unit), index, (left, y), room)
        for index, (series, end, y) in enumerate(told)
    )


def _label(name: str, last: str, index: int, place: tuple[float, float], room: float) -> Markup:
    x, y = place
    full, room = f"{name} {last}", room - _SWATCH - 6
    # A cut figure would be a wrong figure: leave it out as a whole.
    text = full if text_width(full, TEXT) <= room else fitted(name, TEXT, room)
    swatch = element("line", x1=x, x2=x + _SWATCH, y1=y, y2=y, class_=f"line s{index % STYLES}")
    return swatch + element("text", element("title", full), text, x=x + _SWATCH + 5, y=y + 4, class_="label")


def _last(series: Series) -> float | None:
    return next((value for _, value in reversed(series.points) if value is not None), None)
