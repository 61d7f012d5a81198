"""The panels we use, built with grafanalib; only `tables` and `frame` import it beside this module."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from grafanalib import core as grafana

from sloproof.definition import format_duration
from sloproof.promql import Expression

NO_DATA = "no data"
GREY = "#8e8e8e"
"""The colour of what is not known; never the colour of what is fine."""

UNKNOWN: dict[str, Any] = {
    "type": "special",
    "options": {"match": "null+nan", "result": {"color": GREY, "index": 0, "text": NO_DATA}},
}
"""A value mapping that keeps an empty answer from taking the colour of the lowest threshold."""

FEW = -1
"""What a query answers, in place of a figure that is never negative, where there were too few events for it."""
TOO_FEW: dict[str, Any] = {
    "type": "value",
    "options": {str(FEW): {"color": "blue", "index": 1, "text": "too few events"}},
}
"""A value mapping that tells too few events from fine, from bad and from no data."""

GONE: dict[str, Any] = {"type": "value", "options": {"0": {"color": "red", "index": 2, "text": "gone"}}}
"""A value mapping for the time until a budget is gone, where it is."""

EMPTY_WHILE = "Empty while"
"""How the description of a panel begins to say that no rows are its natural state, and while what."""

TIMES = "suffix:x"
SHARE = "percentunit"

Steps = Sequence[tuple[Decimal | None, str]]
"""Colours from below; the first step has no value."""

COVERED: Steps = ((None, "red"), (Decimal("0.5"), "orange"), (Decimal("0.95"), "green"))
"""Colours of a share of time that was measured."""


@dataclass(frozen=True)
class Query:
    """One question to Prometheus.

    Args:
        expression: what is asked.
        legend: name of the result; `{{label}}` becomes the label's value.
    """

    expression: Expression | str
    legend: str = ""


@dataclass(frozen=True)
class Tile:
    """A panel and the room it takes.

    Args:
        key: stable name within a dashboard; the panel's id comes from it.
        width: of 24 columns.
        height: in rows of 30 pixels.
        panel: what grafanalib built.
        stretches: whether it takes the room that its line leaves, as the last one of it.
    """

    key: str
    width: int
    height: int
    panel: Any
    stretches: bool = False


@dataclass(frozen=True)
class Section:
    """A headed group of tiles; without a title there is no heading."""

    key: str
    title: str
    tiles: tuple[Tile, ...] = field(default=())


def heading(title: str) -> Any:
    """The row that heads a section."""
    return grafana.RowPanel(title=title)


def text(key: str, title: str, description: str, content: str, *, width: int, height: int) -> Tile:
    """Words in Markdown."""
    return Tile(key, width, height, grafana.Text(title=title, description=description, content=content))


def stat(
    key: str,
    title: str,
    description: str,
    query: Query,
    *,
    unit: str,
    steps: Steps,
    decimals: int | None = None,
    mappings: Sequence[Mapping[str, Any]] = (),
    width: int = 3,
    loud: bool = False,
    empty_is: str = NO_DATA,
) -> Tile:
    """One figure, now. `loud` colours the whole tile, for the figures that decide what to do next."""
    panel = grafana.Stat(
        title=title,
        description=description,
        targets=targets_of([query], instant=True),
        format=unit,
        decimals=decimals,
        noValue=empty_is,
        reduceCalc="lastNotNull",
        graphMode="none",
        maxDataPoints=None,
        colorMode="background" if loud else "value",
        thresholds=grafana_steps(steps),
        mappings=[UNKNOWN, *mappings],
        extraJson=_coloured("thresholds"),
    )
    return Tile(key, width, 4, panel)


def gauge(key: str, title: str, description: str, query: Query, *, unit: str, steps: Steps, width: int = 6) -> Tile:
    """A dial for each series, now; one of a share runs from 0 to 1."""
    whole = {"min": 0, "max": 1} if unit == SHARE else {"min": 0}
    # grafanalib's gauge is that of Grafana 6; a stat has the parts of a current one.
    panel = grafana.Stat(
        title=title,
        description=description,
        targets=targets_of([query], instant=True),
        format=unit,
        noValue=NO_DATA,
        reduceCalc="lastNotNull",
        maxDataPoints=None,
        thresholds=grafana_steps(steps),
        mappings=[UNKNOWN],
        extraJson={"type": "gauge", "fieldConfig": {"defaults": {"color": {"mode": "thresholds"}, **whole}}},
    )
    return Tile(key, width, 8, panel)


def lines(
    key: str,
    title: str,
    description: str,
    queries: Sequence[Query],
    *,
    unit: str,
    width: int = 12,
    height: int = 8,
    limit: Decimal | None = None,
    limit_colour: str = "red",
    steps: Steps = (),
    stacked: bool = False,
    last: timedelta | None = None,
    interval: timedelta | None = None,
    links: Sequence[Mapping[str, Any]] = (),
) -> Tile:
    """Values over time, with a line at `limit` and the area above it tinted.

    Args:
        key: stable name of the panel.
        title: what is shown.
        description: how to read it.
        queries: one or more lines each.
        unit: Grafana's name of the unit.
        width: of 24 columns.
        height: in rows.
        limit: where the line is drawn, in the unit.
        limit_colour: its colour.
        steps: lines at several values in place of `limit`.
        stacked: whether values add up.
        last: a fixed range that ends now, instead of the dashboard's.
        interval: the shortest step, for series that do not change more often.
        links: Grafana links in the panel's corner.
    """
    panel = grafana.TimeSeries(
        title=title,
        description=description,
        targets=targets_of(queries, instant=False),
        unit=unit,
        fillOpacity=60 if stacked else 8,
        stacking={"group": "A", "mode": "normal" if stacked else "none"},
        thresholds=grafana_steps(
            steps or [(None, "transparent"), *([(limit, limit_colour)] if limit is not None else [])]
        ),
        thresholdsStyleMode="dashed" if steps else "off" if limit is None else "line+area",
        axisSoftMin=0,
        # A limit far above the lines stays in sight: without it a calm panel has no scale.
        axisSoftMax=None if limit is None or limit < 1 else int(limit * 5 / 4) + 1,
        tooltipMode="multi",
        tooltipSort="desc",
        timeFrom=None if last is None else whole_unit(last),
        interval=None if interval is None else format_duration(interval),
        maxDataPoints=None,
        links=list(links),
        extraJson=_soft_maximum(limit),
    )
    return Tile(key, width, height, panel, stretches=True)


def states(
    key: str,
    title: str,
    description: str,
    queries: Sequence[Query],
    *,
    named: Mapping[int, tuple[str, str]],
    width: int,
    interval: timedelta,
    bands: int = 0,
) -> Tile:
    """A band for each series; `named` gives each whole value its word and colour, gaps are unknown.

    Args:
        key: stable name of the panel.
        title: what is shown.
        description: how to read it.
        queries: one band each, unless `bands` says how many they give together.
        named: word and colour of each value.
        width: of 24 columns.
        interval: the shortest step.
        bands: how many to make room for; one for each query when 0.
    """
    results = {
        str(value): {"color": colour, "index": index, "text": word}
        for index, (value, (word, colour)) in enumerate(named.items())
    }
    panel = grafana.StateTimeline(
        title=title,
        description=description,
        targets=targets_of(queries, instant=False),
        mappings=[UNKNOWN, {"type": "value", "options": results}],
        thresholds=grafana_steps([(None, GREY)]),
        showValue="never",
        interval=format_duration(interval),
        maxDataPoints=None,
        extraJson={
            "fieldConfig": {"defaults": {"unit": "none", "noValue": NO_DATA}},
            "options": {"legend": {"showLegend": False}},
        },
    )
    return Tile(key, width, 3 + (bands or len(queries)), panel, stretches=True)


def whole_unit(duration: timedelta) -> str:
    """A duration in one unit, as Grafana's relative times want it: `30d`, `90m`; at least a second."""
    seconds = max(1, round(duration.total_seconds()))
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def reference_of(index: int) -> str:
    """The letter of a query."""
    return chr(ord("A") + index)


def targets_of(queries: Sequence[Query], *, instant: bool, form: str = "time_series") -> list[Any]:
    """Queries as grafanalib wants them."""
    return [
        grafana.Target(
            expr=str(query.expression),
            legendFormat=query.legend,
            refId=reference_of(index),
            instant=instant,
            format=form,
        )
        for index, query in enumerate(queries)
    ]


def grafana_steps(steps: Steps) -> list[dict[str, Any]]:
    """Colours from below as Grafana writes thresholds."""
    return [{"color": colour} | ({} if value is None else {"value": float(value)}) for value, colour in steps]


def _coloured(mode: str) -> dict[str, Any]:
    return {"fieldConfig": {"defaults": {"color": {"mode": mode}}}}


def _soft_maximum(limit: Decimal | None) -> dict[str, Any]:
    """The soft maximum as a fraction: grafanalib takes whole numbers only."""
    if limit is None or limit >= 1:
        return {}
    return {"fieldConfig": {"defaults": {"custom": {"axisSoftMax": float(limit * 5 / 4)}}}}
