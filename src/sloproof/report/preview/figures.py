"""Panels of single figures: stat, gauge and bar gauge."""

import math
from collections.abc import Sequence

from markupsafe import Markup

from sloproof.report.axes import TimeAxis, value_axis
from sloproof.report.chart_drawing import curve
from sloproof.report.preview.colours import INK, colour_class
from sloproof.report.preview.frames import Line, knows, lines_of, reduced
from sloproof.report.preview.json_values import mapping, text, texts
from sloproof.report.preview.look import Drawn, Look, nothing
from sloproof.report.preview.reading import Field, Shown
from sloproof.report.svg import element

_MOST = 60
_SPARK = (200.0, 40.0)
_ARC = (100.0, 60.0)
_RADIUS, _RING = 42.0, 50.5
"""User units of a gauge: its arc, and the thin ring of its thresholds."""
_BAR = 100.0


def stat(look: Look) -> Drawn:
    """One large figure for each series."""
    figures = _figures(look)
    if not figures:
        return nothing(look)
    loud = text(look.panel.options.get("colorMode"), "value").startswith("background")
    plain = look.panel.options.get("colorMode") == "none"
    named = text(look.panel.options.get("textMode"), "auto")
    tiles = []
    for line, _, said in figures[:_MOST]:
        name = line.name if named in ("value_and_name", "name") or (named == "auto" and len(figures) > 1) else ""
        tiles.append(
            _tile(said, name if named != "name" else "", line.name if named == "name" else said.text, loud, plain)
        )
        if look.panel.options.get("graphMode", "area") == "area" and len(line.finite) > 1:
            tiles[-1] += _spark(line, look)
    body = element(
        "div",
        *(element("div", tile, class_=_ground(said, loud)) for tile, (_, _, said) in zip(tiles, figures, strict=False)),
        class_="figures",
    )
    return Drawn(body, empty=not any(said.known for _, _, said in figures), notes=_notes(look, len(figures)))


def _tile(said: Shown, name: str, figure: str, loud: bool, plain: bool) -> Markup:
    tone = "" if loud or plain or not said.known else f" toned {colour_class(said.colour or 'text')}"
    label = element("span", name, class_="figure-name") if name else Markup("")
    return element("span", figure, class_=f"big{tone}") + label


def _ground(said: Shown, loud: bool) -> str:
    if not said.known:
        return "tile absent"
    colour = colour_class(said.colour or "text")
    return f"tile filled {colour}" if loud and colour != INK else "tile"


def _spark(line: Line, look: Look) -> Markup:
    width, height = _SPARK
    values = value_axis(line.finite, height - 2, 2, logarithmic=False)
    drawn = curve(line.points, values, TimeAxis(look.shown.start, look.shown.end, 0, width), 100)
    path = element("path", d=drawn, class_="spark-line") if drawn else Markup("")
    return element(
        "svg",
        path,
        **{
            "viewBox": f"0 0 {width:g} {height:g}",
            "preserveAspectRatio": "none",
            "class": "spark",
            "aria-hidden": "true",
        },
    )


def _figures(look: Look) -> list[tuple[Line, float | None, Shown]]:
    calculations = texts(mapping(look.panel.options.get("reduceOptions")).get("calcs"))
    how = calculations[0] if calculations else "lastNotNull"
    found = [(line, reduced(line.points, how)) for line in lines_of(look)]
    return [(line, value, line.field.read(value)) for line, value in found]


def _notes(look: Look, count: int) -> tuple[str, ...]:
    calculations = texts(mapping(look.panel.options.get("reduceOptions")).get("calcs"))
    unknown = [one for one in calculations[:1] if not knows(one)]
    notes = [f"the calculation `{one}` is not drawn here; this is the last value" for one in unknown]
    return (*notes, *([f"{count - _MOST} more series are not drawn"] if count > _MOST else []))


def gauge(look: Look) -> Drawn:
    """An arc for each series, its thresholds around it."""
    figures = _figures(look)
    if not figures:
        return nothing(look)
    tiles = [
        element(
            "div",
            _arc(line.field, value, said),
            _tile(said, line.name if len(figures) > 1 else "", said.text, False, False),
            class_="tile gauge",
        )
        for line, value, said in figures[:_MOST]
    ]
    body = element("div", *tiles, class_="figures")
    return Drawn(body, empty=not any(said.known for _, _, said in figures), notes=_notes(look, len(figures)))


def _arc(field: Field, value: float | None, said: Shown) -> Markup:
    width, height = _ARC
    parts = [element("path", d=_sweep(0, 1, _RADIUS), class_="arc-ground")]
    edges = [0.0, *(_threshold(field, step.value) for step in field.steps[1:]), 1.0]
    for step, low, high in zip(field.steps, edges, edges[1:], strict=False):
        if high > low:
            parts.append(
                element("path", d=_sweep(low, high, _RING), class_=f"ring stroked {colour_class(step.colour)}")
            )
    if value is not None and math.isfinite(value):
        parts.append(
            element(
                "path",
                d=_sweep(0, max(field.share(value), 0.005), _RADIUS),
                class_=f"arc stroked {colour_class(said.colour or 'text')}",
            )
        )
    return element(
        "svg", *parts, **{"viewBox": f"-4 0 {width + 8:g} {height:g}", "aria-hidden": "true", "class": "arc-drawing"}
    )


def _threshold(field: Field, value: float | None) -> float:
    if value is None:
        return 0.0
    return min(max(value / 100, 0.0), 1.0) if field.by_share else field.share(value)


def _sweep(low: float, high: float, radius: float) -> str:
    """A path along a half circle, from left to right, ratio of 1."""
    places = [
        (50 - radius * math.cos(math.pi * share), 56 - radius * math.sin(math.pi * share)) for share in (low, high)
    ]
    (x1, y1), (x2, y2) = places
    return f"M{x1:.1f} {y1:.1f}A{radius:g} {radius:g} 0 0 1 {x2:.1f} {y2:.1f}"


def bar_gauge(look: Look) -> Drawn:
    """A bar for each series from the least to the most."""
    figures = _figures(look)
    if not figures:
        return nothing(look)
    bounded = [_spread(line.field, [value for _, value, _ in figures]) for line, _, _ in figures]
    rows = [
        _bar(line.name, share, said)
        for (line, value, said), (low, high) in zip(figures[:_MOST], bounded, strict=False)
        for share in [
            None if value is None or not math.isfinite(value) else min(max((value - low) / ((high - low) or 1), 0), 1)
        ]
    ]
    body = element("div", *rows, class_="bars")
    return Drawn(body, empty=not any(said.known for _, _, said in figures), notes=_notes(look, len(figures)))


def _spread(field: Field, values: Sequence[float | None]) -> tuple[float, float]:
    """Least and most of the bars; without a setting those of the values, as in Grafana."""
    low, high = field.bounds
    if field.most is None and field.unit != "percentunit":
        high = max([value for value in values if value is not None and math.isfinite(value)], default=high)
    return low, high


def _bar(name: str, share: float | None, said: Shown) -> Markup:
    colour = colour_class(said.colour or "text")
    parts = [element("rect", width=_BAR, height=10, class_="bar-ground")]
    if share is not None:
        parts.append(element("rect", width=max(share * _BAR, 0.5), height=10, class_=f"bar-fill {colour}"))
    drawn = element(
        "svg",
        *parts,
        **{"viewBox": f"0 0 {_BAR:g} 10", "preserveAspectRatio": "none", "aria-hidden": "true", "class": "bar-drawing"},
    )
    figure = element("span", said.text, class_=f"figure toned {colour}" if said.known else "figure absent")
    return element("div", element("span", name, class_="bar-name"), drawn, figure, class_="bar-row")
