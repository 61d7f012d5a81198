"""Grafana's dashboard JSON as values: its panels with their places, its variables, annotations and links.

Whatever a Grafana or a person wrote is read; what is missing or has another type gets Grafana's default.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sloproof.errors import UsageError
from sloproof.report.preview.json_values import mapping, mappings, text, texts, whole

COLUMNS = 24
_ROW = "row"
_GRAFANA = "-- Grafana --"
_DEEPEST = 100_000
"""Rows of the grid; a place below that is a mistake, and would make a page without an end."""


@dataclass(frozen=True)
class Place:
    """Where a panel stands on a grid of 24 columns, in rows of 30 pixels; all from 0."""

    x: int
    y: int
    w: int
    h: int


@dataclass(frozen=True)
class Target:
    """One query of a panel.

    Args:
        ref: its letter.
        expression: PromQL with Grafana's variables in it.
        legend: the name of each series; empty where Grafana picks one.
        instant: whether it is asked for one moment.
        table: whether its labels become columns.
    """

    ref: str
    expression: str
    legend: str
    instant: bool
    table: bool


@dataclass(frozen=True)
class Panel:
    """One panel; `defaults`, `overrides`, `options` and `transformations` are Grafana's own objects."""

    kind: str
    title: str
    description: str
    place: Place
    targets: tuple[Target, ...]
    defaults: Mapping[str, Any]
    overrides: Sequence[Mapping[str, Any]]
    options: Mapping[str, Any]
    transformations: Sequence[Mapping[str, Any]]
    links: Sequence[tuple[str, str]]
    interval: str = ""
    time_from: str = ""
    time_shift: str = ""
    repeat: str = ""
    shared: bool = False
    """Whether it belongs to Grafana's own library, so that the file does not hold it."""

    @property
    def is_row(self) -> bool:
        """Whether it heads a section."""
        return self.kind == _ROW


@dataclass(frozen=True)
class Annotation:
    """Marks on the graphs, from one query; `own` ones are kept in Grafana's database, found by their tags."""

    name: str
    expression: str
    title: str
    colour: str
    own: bool
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dashboard:
    """A dashboard; `variables` are Grafana's own objects, and rows stand among the panels."""

    title: str
    description: str
    uid: str
    tags: tuple[str, ...]
    time_from: str
    time_to: str
    panels: tuple[Panel, ...]
    variables: Sequence[Mapping[str, Any]]
    annotations: tuple[Annotation, ...]
    links: Sequence[tuple[str, str]]


def read_dashboard(source: str, name: str) -> Dashboard:
    """Read a dashboard.

    Args:
        source: JSON, as a file of Grafana's export or provisioning holds it.
        name: what is read, for the message.

    Raises:
        UsageError: it is no JSON, or no dashboard.
    """
    try:
        document = json.loads(source)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"`{name}` is not JSON: {error}", hint="give a dashboard's JSON file") from None
    found = mapping(document)
    found = mapping(found.get("dashboard")) or found  # the HTTP API wraps it
    if not isinstance(found.get("panels"), list):
        raise UsageError(f"`{name}` holds no dashboard: it has no list of panels", hint="give a dashboard's JSON file")
    times = mapping(found.get("time"))
    return Dashboard(
        title=text(found.get("title")) or name,
        description=text(found.get("description")),
        uid=text(found.get("uid")),
        tags=tuple(texts(found.get("tags"))),
        time_from=text(times.get("from"), "now-6h"),
        time_to=text(times.get("to"), "now"),
        panels=tuple(_unfolded(mappings(found["panels"]))),
        variables=mappings(mapping(found.get("templating")).get("list")),
        annotations=tuple(_annotations(mappings(mapping(found.get("annotations")).get("list")))),
        links=_links(found.get("links")),
    )


def _unfolded(given: Sequence[Mapping[str, Any]]) -> Iterator[Panel]:
    """All panels from the top; a folded row is opened, and what stands below it moves down."""
    down = 0
    for raw in sorted(given, key=lambda one: (_place(one).y, _place(one).x)):
        panel = _moved(_panel(raw), down)
        yield panel
        inside = [_panel(one) for one in mappings(raw.get("panels"))] if panel.is_row else []
        if inside:
            first = min(one.place.y for one in inside)
            last = max(one.place.y + one.place.h for one in inside)
            shift = panel.place.y + 1 - first
            yield from sorted((_moved(one, shift) for one in inside), key=lambda one: (one.place.y, one.place.x))
            down += last - first


def _moved(panel: Panel, rows: int) -> Panel:
    return replace(panel, place=replace(panel.place, y=panel.place.y + rows))


def _place(raw: Mapping[str, Any]) -> Place:
    given = mapping(raw.get("gridPos"))
    x = min(max(whole(given.get("x"), 0), 0), COLUMNS - 1)
    w = min(max(whole(given.get("w"), COLUMNS if raw.get("type") == _ROW else 12), 1), COLUMNS - x)
    h = min(max(whole(given.get("h"), 1 if raw.get("type") == _ROW else 8), 1), 200)
    return Place(x, min(max(whole(given.get("y"), 0), 0), _DEEPEST), w, h)


def _panel(raw: Mapping[str, Any]) -> Panel:
    config = mapping(raw.get("fieldConfig"))
    return Panel(
        kind=text(raw.get("type"), "unknown"),
        title=text(raw.get("title")),
        description=text(raw.get("description")),
        place=_place(raw),
        targets=tuple(_targets(mappings(raw.get("targets")))),
        defaults=mapping(config.get("defaults")),
        overrides=mappings(config.get("overrides")),
        options=mapping(raw.get("options")),
        transformations=[one for one in mappings(raw.get("transformations")) if not one.get("disabled")],
        links=_links(raw.get("links")),
        interval=text(raw.get("interval")),
        time_from=text(raw.get("timeFrom")),
        time_shift=text(raw.get("timeShift")),
        repeat=text(raw.get("repeat")),
        shared="libraryPanel" in raw,
    )


def _targets(given: Sequence[Mapping[str, Any]]) -> Iterator[Target]:
    for index, raw in enumerate(given):
        expression = text(raw.get("expr"))
        if expression.strip() and not raw.get("hide"):
            legend = text(raw.get("legendFormat"))
            yield Target(
                ref=text(raw.get("refId")) or chr(ord("A") + index % 26),
                expression=expression,
                legend="" if legend == "__auto" else legend,
                # Grafana may ask both ways at once; the range holds the moment too.
                instant=bool(raw.get("instant")) and not raw.get("range"),
                table=raw.get("format") == "table",
            )


def _annotations(given: Sequence[Mapping[str, Any]]) -> Iterator[Annotation]:
    for raw in given:
        source = mapping(raw.get("datasource"))
        own = source.get("uid") == _GRAFANA or source.get("type") in ("datasource", "grafana")
        expression = text(raw.get("expr")) or text(mapping(raw.get("target")).get("expr"))
        if raw.get("enable", True) and (own or expression):
            yield Annotation(
                name=text(raw.get("name"), "annotations"),
                expression=expression,
                title=text(raw.get("titleFormat")),
                colour=text(raw.get("iconColor"), "red"),
                own=own,
                tags=tuple(texts(mapping(raw.get("target")).get("tags"))) if own else (),
            )


def _links(value: Any) -> list[tuple[str, str]]:
    return [(text(raw.get("title")), text(raw.get("url"))) for raw in mappings(value) if text(raw.get("url"))]
