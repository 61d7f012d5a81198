"""Panels of lines over time, on the wall clock, with thresholds, annotations and a legend."""

import math
from collections.abc import Sequence
from dataclasses import replace

from markupsafe import Markup

from sloproof.report import wording
from sloproof.report.axes import TimeAxis, ValueAxis, value_axis
from sloproof.report.chart_drawing import STYLES, curve
from sloproof.report.drawing import TEXT
from sloproof.report.preview import units
from sloproof.report.preview.colours import NOTHING, colour_class
from sloproof.report.preview.frames import Line, lines_of, reduced
from sloproof.report.preview.json_values import mapping, number, text, texts
from sloproof.report.preview.look import Drawn, Look, Span, nothing, side_by_side
from sloproof.report.recorded import Point
from sloproof.report.sampling import segments, thinned, usual_step
from sloproof.report.svg import coordinate, element, fitted, text_width

MOST_LINES = 60
_NARROW_PLOT = 150.0
_LEAST_PLOT = 70.0
_BELOW = 22.0
_TOP = 8.0
_DESCRIBED = 10
_TICK_ROOM = 70.0
_FAINT = 10
"""Per cent; what is fainter is seen by nobody."""
_CALCULATIONS = {"lastNotNull": "last", "firstNotNull": "first", "mean": "mean", "stdDev": "deviation"}


def graph(look: Look) -> Drawn:
    """Lines over time."""
    found = lines_of(look)
    if not any(line.finite for line in found):
        return nothing(look)
    lines = found[:MOST_LINES]
    rows = math.ceil(len(lines) / max(look.width // 200, 1)) if _has_legend(look) else 0
    plot = max(look.height - 20 * min(rows, 3) - _BELOW - _TOP, _LEAST_PLOT)
    body = side_by_side(
        [_drawing(lines, look, width, _NARROW_PLOT if kind == "narrow" else plot, kind) for width, kind in look.sizes]
    )
    if _has_legend(look):
        body += _legend(lines, look)
    notes = (f"{len(found) - MOST_LINES} more series are not drawn",) if len(found) > MOST_LINES else ()
    return Drawn(body, notes=notes)


def _drawing(lines: Sequence[Line], look: Look, width: float, plot: float, kind: str) -> Markup:
    stacked = _stacked(lines)
    bottom = _TOP + plot
    values = _axis(stacked, bottom)
    ticks = [(values.y(tick), units.shown(tick, lines[0].field.unit)) for tick in values.ticks]
    left = min(max(text_width(words, 11) for _, words in ticks) + 12, width / 3)
    axis = TimeAxis(look.shown.start, look.shown.end, left, width - 8)
    identity = f"graph-{look.number}-{kind}"
    parts = [
        element("title", look.title or "graph", id=f"{identity}-title"),
        element("desc", _described(lines), id=f"{identity}-desc"),
        _grid(axis, ticks, bottom),
        _annotations(look, axis, bottom),
        _areas(lines[0], values, axis),
        # From the last to the first: of stacked lines the lower grounds lie in front.
        *(_curve(line, index, values, axis) for index, line in reversed(list(enumerate(stacked)))),
        _threshold_lines(lines[0], values, axis),
    ]
    named = {"aria-labelledby": f"{identity}-title", "aria-describedby": f"{identity}-desc"}
    height = bottom + _BELOW
    return element("svg", *parts, role="img", **{"viewBox": f"0 0 {width:g} {height:g}", "class": kind, **named})


def _described(lines: Sequence[Line]) -> str:
    told = []
    for line in lines[:_DESCRIBED]:
        finite = line.finite
        if finite:
            low, high, last = (line.field.written(value) for value in (min(finite), max(finite), finite[-1]))
            told.append(f"{line.name}: lowest {low}, highest {high}, last {last}.")
        else:
            told.append(f"{line.name}: {wording.NO_DATA}.")
    more = len(lines) - _DESCRIBED
    return " ".join([*told, *([f"And {more} more lines."] if more > 0 else [])])


def _axis(lines: Sequence[Line], bottom: float) -> ValueAxis:
    field = lines[0].field
    values = [value for line in lines for value in line.finite]
    if field.most is not None:
        values = [min(value, field.most) for value in values] + [field.most]
    if field.least is not None:
        values = [max(value, field.least) for value in values] + [field.least]
    soft = (number(field.custom.get("axisSoftMin")), number(field.custom.get("axisSoftMax")))
    values += [value for value in soft if value is not None]
    logarithmic = mapping(field.custom.get("scaleDistribution")).get("type") == "log"
    return value_axis(values, bottom, _TOP, logarithmic=logarithmic)


def _stacked(lines: Sequence[Line]) -> list[Line]:
    """Lines on top of each other where their panel stacks them; others as they are."""
    heights: dict[tuple[str, float], float] = {}
    found = []
    for line in lines:
        stacking = mapping(line.field.custom.get("stacking"))
        if text(stacking.get("mode"), "none") == "none":
            found.append(line)
            continue
        group = text(stacking.get("group"))
        points: list[Point] = []
        for at, value in line.points:
            if value is not None and math.isfinite(value):
                heights[group, at] = heights.get((group, at), 0.0) + value
                points.append((at, heights[group, at]))
            else:
                points.append((at, None))
        found.append(replace(line, points=tuple(points)))
    return found


def _grid(axis: TimeAxis, ticks: Sequence[tuple[float, str]], bottom: float) -> Markup:
    parts = []
    for y, words in ticks:
        parts.append(element("line", x1=axis.left, x2=axis.right, y1=y, y2=y, class_="grid"))
        parts.append(
            element(
                "text", fitted(words, 11, axis.left - 6), x=axis.left - 6, y=y + 4, text_anchor="end", class_="tick"
            )
        )
    for at, words in axis.clock_ticks(_TICK_ROOM):
        x = axis.x(at)
        parts.append(element("line", x1=x, x2=x, y1=_TOP, y2=bottom, class_="grid"))
        half = text_width(words, 11) / 2
        middle = min(max(x, axis.left + half - 6), axis.right + 8 - half)
        parts.append(element("text", words, x=middle, y=bottom + 15, text_anchor="middle", class_="tick"))
    return Markup("").join(parts)


def stroke_class(line: Line, index: int) -> str:
    """The classes of a line: of the palette by its place, or of the colour that is set for it."""
    if line.field.by_palette:
        return f"line s{index % STYLES}"
    if line.field.colour_mode == "fixed":
        return f"line stroked {colour_class(line.field.fixed_colour)}"
    finite = line.finite
    return f"line stroked {colour_class(line.field.threshold_colour(finite[-1]) if finite else 'text')}"


def _curve(line: Line, index: int, values: ValueAxis, axis: TimeAxis) -> Markup:
    points = tuple((at, value if value is not None and math.isfinite(value) else None) for at, value in line.points)
    buckets = max(int((axis.right - axis.left) / 2), 1)
    parts = []
    opacity = number(line.field.custom.get("fillOpacity")) or 0.0
    if opacity >= _FAINT:
        ground, shade = _ground(points, values, axis, buckets), f"{min(opacity, 100) / 100:.2f}"
        parts.append(element("path", d=ground, class_=f"area {_area_class(line, index)}", fill_opacity=shade))
    drawn = _strokes(text(line.field.custom.get("drawStyle"), "line"), points, values, axis, buckets)
    if drawn:
        parts.append(element("path", d=drawn, class_=stroke_class(line, index)))
    return Markup("").join(parts)


def _strokes(style: str, points: Sequence[Point], values: ValueAxis, axis: TimeAxis, buckets: int) -> str:
    """A path in one of Grafana's styles: `line`, `bars` or `points`."""
    if style not in ("bars", "points"):
        return curve(points, values, axis, buckets)
    base, drawn = coordinate(values.y(max(0.0, values.low))), []
    for at, value in thinned(points, buckets):
        if value is not None:
            x, y = coordinate(axis.x(at)), coordinate(values.y(value))
            drawn.append(f"M{x} {base}V{y}" if style == "bars" else f"M{x} {y}h.1")
    return "".join(drawn)


def _area_class(line: Line, index: int) -> str:
    return f"a{index % STYLES}" if line.field.by_palette else stroke_class(line, index).rpartition(" ")[2]


def _ground(points: Sequence[Point], values: ValueAxis, axis: TimeAxis, buckets: int) -> str:
    drawn = []
    for run in segments(points, usual_step(points)):
        kept = [(at, value) for at, value in thinned(run, buckets) if value is not None]
        top = "L".join(f"{coordinate(axis.x(at))} {coordinate(values.y(value))}" for at, value in kept)
        base = coordinate(values.y(max(0.0, values.low)))
        drawn.append(f"M{coordinate(axis.x(kept[0][0]))} {base}L{top}L{coordinate(axis.x(kept[-1][0]))} {base}Z")
    return "".join(drawn)


def _limits(line: Line) -> list[tuple[float, str]]:
    mode = text(mapping(line.field.custom.get("thresholdsStyle")).get("mode"), "off")
    return [] if mode == "off" else [(step.value, step.colour) for step in line.field.steps if step.value is not None]


def _mode(line: Line) -> str:
    return text(mapping(line.field.custom.get("thresholdsStyle")).get("mode"), "off")


def _areas(line: Line, values: ValueAxis, axis: TimeAxis) -> Markup:
    if "area" not in _mode(line):
        return Markup("")
    edges = [*(step.value for step in line.field.steps[1:]), math.inf]
    parts, low = [], -math.inf
    for step, high in zip(line.field.steps, edges, strict=False):
        top, bottom = (values.y(min(max(value, values.low), values.high)) for value in (high or 0.0, low))
        if colour_class(step.colour) != NOTHING and bottom - top > 0:
            parts.append(
                element(
                    "rect",
                    x=axis.left,
                    width=axis.right - axis.left,
                    y=top,
                    height=bottom - top,
                    class_=f"zone {colour_class(step.colour)}",
                )
            )
        low = high or 0.0
    return Markup("").join(parts)


def _threshold_lines(line: Line, values: ValueAxis, axis: TimeAxis) -> Markup:
    if not {"line", "dashed"} & set(_mode(line).split("+")):
        return Markup("")
    parts = []
    for value, colour in _limits(line):
        if values.low <= value <= values.high and colour_class(colour) != NOTHING:
            y, words = values.y(value), units.shown(value, line.field.unit)
            parts.append(
                element(
                    "line", x1=axis.left, x2=axis.right, y1=y, y2=y, class_=f"threshold stroked {colour_class(colour)}"
                )
            )
            place = y - 4 if y - 4 - TEXT > values.top else y + TEXT
            parts.append(
                element(
                    "text",
                    words,
                    x=axis.right - 4,
                    y=place,
                    text_anchor="end",
                    class_=f"threshold-label lettered {colour_class(colour)}",
                )
            )
    return Markup("").join(parts)


def _annotations(look: Look, axis: TimeAxis, bottom: float) -> Markup:
    """Marked stretches behind the lines, and each mark as a line below them that tells its words."""
    seen = [span for span in look.spans if span.end >= look.shown.start and span.start <= look.shown.end]
    parts = [
        element(
            "rect", y=_TOP, height=bottom - _TOP, class_=f"marked {colour_class(colour)}", **_stretch(start, end, axis)
        )
        for colour, start, end in _joined(seen)
    ]
    for span in seen:
        foot = element(
            "rect",
            y=bottom - 3,
            height=4,
            class_=f"bar-fill {colour_class(span.colour)}",
            **_stretch(span.start, span.end, axis),
        )
        parts.append(element("g", element("title", span.text), foot))
    return Markup("").join(parts)


def _stretch(start: float, end: float, axis: TimeAxis) -> dict[str, float]:
    left, right = axis.x(start), axis.x(end)
    return {"x": left, "width": max(right - left, 1.5)}


def _joined(spans: Sequence[Span]) -> list[tuple[str, float, float]]:
    """Colour, start and end; what overlaps in one colour is one stretch, or its tint would grow darker with each."""
    joined: list[tuple[str, float, float]] = []
    for span in sorted(spans, key=lambda one: (one.colour, one.start)):
        if joined and joined[-1][0] == span.colour and span.start <= joined[-1][2]:
            colour, start, end = joined.pop()
            joined.append((colour, start, max(end, span.end)))
        else:
            joined.append((span.colour, span.start, span.end))
    return joined


def _has_legend(look: Look) -> bool:
    legend = mapping(look.panel.options.get("legend"))
    return bool(legend.get("showLegend", True)) and legend.get("displayMode") != "hidden"


def _legend(lines: Sequence[Line], look: Look) -> Markup:
    calculations = texts(mapping(look.panel.options.get("legend")).get("calcs"))
    items = []
    for index, line in enumerate(lines):
        swatch = element(
            "svg",
            element("line", x1=0, x2=20, y1=5, y2=5, class_=stroke_class(line, index)),
            **{"viewBox": "0 0 20 10", "class": "swatch", "aria-hidden": "true"},
        )
        told = [(_CALCULATIONS.get(how, how), reduced(line.points, how)) for how in calculations or ["lastNotNull"]]
        figures = " ".join(
            f"{word} {line.field.read(value).text}" if calculations else line.field.read(value).text
            for word, value in told
        )
        items.append(
            element(
                "li",
                swatch,
                element("span", line.name, class_="legend-name"),
                element("span", figures, class_="legend-figure"),
            )
        )
    return element("ul", *items, class_="keys")
