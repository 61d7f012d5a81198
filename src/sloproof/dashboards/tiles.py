"""The panels we use, built with grafanalib; only `frame` imports it beside this module."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType
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
    """

    key: str
    width: int
    height: int
    panel: Any


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
        targets=_targets([query], instant=True),
        format=unit,
        decimals=decimals,
        noValue=empty_is,
        reduceCalc="lastNotNull",
        graphMode="none",
        maxDataPoints=None,
        colorMode="background" if loud else "value",
        thresholds=_steps(steps),
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
        targets=_targets([query], instant=True),
        format=unit,
        noValue=NO_DATA,
        reduceCalc="lastNotNull",
        maxDataPoints=None,
        thresholds=_steps(steps),
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
        targets=_targets(queries, instant=False),
        unit=unit,
        fillOpacity=60 if stacked else 8,
        stacking={"group": "A", "mode": "normal" if stacked else "none"},
        thresholds=_steps(steps or [(None, "transparent"), *([(limit, limit_colour)] if limit is not None else [])]),
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
    return Tile(key, width, height, panel)


def states(
    key: str,
    title: str,
    description: str,
    queries: Sequence[Query],
    *,
    named: Mapping[int, tuple[str, str]],
    width: int,
    interval: timedelta,
) -> Tile:
    """A band for each query; `named` gives each whole value its word and colour, gaps are unknown."""
    results = {str(value): {"color": colour, "index": value, "text": word} for value, (word, colour) in named.items()}
    panel = grafana.StateTimeline(
        title=title,
        description=description,
        targets=_targets(queries, instant=False),
        mappings=[UNKNOWN, {"type": "value", "options": results}],
        thresholds=_steps([(None, GREY)]),
        showValue="never",
        interval=format_duration(interval),
        maxDataPoints=None,
        extraJson={
            "fieldConfig": {"defaults": {"unit": "none", "noValue": NO_DATA}},
            "options": {"legend": {"showLegend": False}},
        },
    )
    return Tile(key, width, 3 + len(queries), panel)


@dataclass(frozen=True)
class Column:
    """A column of a table, filled by one query; coloured cells are those with steps.

    Args:
        title: its heading.
        expression: one value for each row.
        unit: Grafana's name of the unit.
        steps: colours of the cell; none leaves it plain.
        decimals: digits after the point; Grafana's choice when None.
        mappings: words for certain values.
    """

    title: str
    expression: Expression | str
    unit: str
    steps: Steps = ()
    decimals: int | None = None
    mappings: Sequence[Mapping[str, Any]] = ()


def table(
    key: str,
    title: str,
    description: str,
    rows_by: Mapping[str, str],
    columns: Sequence[Column],
    *,
    sort_by: str,
    height: int,
    links: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    descending: bool = False,
    width: int = 24,
    empty_while: str = "",
) -> Tile:
    """One row for each combination of labels, smallest `sort_by` first.

    Args:
        key: stable name of the panel.
        title: what is shown.
        description: how to read it.
        rows_by: label to heading, in the order shown.
        columns: the values, joined by the labels; one without a title only makes the rows.
        sort_by: heading of the column to sort by.
        height: in rows.
        links: Grafana data links of cells, by their column's heading.
        descending: whether the largest comes first.
        width: of 24 columns.
        empty_while: why no rows may be as it should be, in words; empty where no rows always mean no data.
    """
    refs = [_reference(index) for index in range(len(columns))]
    panel = grafana.Table(
        title=title,
        description=f"{description} {EMPTY_WHILE} {empty_while}." if empty_while else description,
        targets=_targets([Query(column.expression) for column in columns], instant=True, form="table"),
        transformations=[
            {"id": "merge", "options": {}},
            {"id": "organize", "options": _organized(rows_by, columns, refs)},
        ],
        sortBy=[grafana.TableSortByField(displayName=sort_by, desc=descending)],
        overrides=[
            *(_linked(title, link) for title, link in links.items()),
            *(_override(column) for column in columns if column.title),
        ],
        thresholds=_steps([(None, "text")]),
        maxDataPoints=None,
        extraJson={
            "fieldConfig": {"defaults": {"unit": "none", "noValue": empty_while or NO_DATA, "mappings": [UNKNOWN]}}
        },
    )
    return Tile(key, width, height, panel)


def whole_unit(duration: timedelta) -> str:
    """A duration in one unit, as Grafana's relative times want it: `30d`, `90m`; at least a second."""
    seconds = max(1, round(duration.total_seconds()))
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _reference(index: int) -> str:
    return chr(ord("A") + index)


def _targets(queries: Sequence[Query], *, instant: bool, form: str = "time_series") -> list[Any]:
    return [
        grafana.Target(
            expr=str(query.expression), legendFormat=query.legend, refId=_reference(index), instant=instant, format=form
        )
        for index, query in enumerate(queries)
    ]


def _steps(steps: Steps) -> list[dict[str, Any]]:
    return [{"color": colour} | ({} if value is None else {"value": float(value)}) for value, colour in steps]


def _coloured(mode: str) -> dict[str, Any]:
    return {"fieldConfig": {"defaults": {"color": {"mode": mode}}}}


def _soft_maximum(limit: Decimal | None) -> dict[str, Any]:
    """The soft maximum as a fraction: grafanalib takes whole numbers only."""
    if limit is None or limit >= 1:
        return {}
    return {"fieldConfig": {"defaults": {"custom": {"axisSoftMax": float(limit * 5 / 4)}}}}


def _organized(rows_by: Mapping[str, str], columns: Sequence[Column], refs: Sequence[str]) -> dict[str, Any]:
    # Grafana numbers the values of several queries, and leaves that of a single one alone.
    fields = [f"Value #{ref}" for ref in refs] if len(refs) > 1 else ["Value"]
    named = {name: column.title for name, column in zip(fields, columns, strict=True)}
    values = {name: title for name, title in named.items() if title}
    order = [*rows_by, *values]
    return {
        "excludeByName": {"Time": True, "__name__": True} | {name: True for name in named if name not in values},
        "includeByName": {},
        "indexByName": {name: index for index, name in enumerate(order)},
        "renameByName": {**rows_by, **values},
    }


def _named(title: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "matcher": {"id": "byName", "options": title},
        "properties": [{"id": name, "value": value} for name, value in properties.items()],
    }


def _linked(title: str, link: Mapping[str, Any]) -> dict[str, Any]:
    return _named(title, {"links": [dict(link)]})


def _override(column: Column) -> dict[str, Any]:
    properties: dict[str, Any] = {"unit": column.unit}
    if column.mappings:
        properties["mappings"] = [UNKNOWN, *column.mappings]
    if column.decimals is not None:
        properties["decimals"] = column.decimals
    if column.steps:
        properties["thresholds"] = {"mode": "absolute", "steps": _steps(column.steps)}
        properties["custom.cellOptions"] = {"type": "color-background", "mode": "basic"}
    return _named(column.title, properties)
