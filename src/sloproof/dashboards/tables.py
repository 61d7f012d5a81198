"""Tables: a row for each combination of labels, a column for each query."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from grafanalib import core as grafana

from sloproof.dashboards.tiles import (
    EMPTY_WHILE,
    NO_DATA,
    UNKNOWN,
    Query,
    Steps,
    Tile,
    grafana_steps,
    reference_of,
    targets_of,
)
from sloproof.promql import Expression


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
        first: whether it stands before the labels.
    """

    title: str
    expression: Expression | str
    unit: str
    steps: Steps = ()
    decimals: int | None = None
    mappings: Sequence[Mapping[str, Any]] = ()
    first: bool = False


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
    optional: Sequence[str] = (),
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
        optional: headings of labels that a row may lack.
    """
    refs = [reference_of(index) for index in range(len(columns))]
    panel = grafana.Table(
        title=title,
        description=f"{description} {EMPTY_WHILE} {empty_while}." if empty_while else description,
        targets=targets_of([Query(column.expression) for column in columns], instant=True, form="table"),
        transformations=[
            {"id": "merge", "options": {}},
            {"id": "organize", "options": _organized(rows_by, columns, refs)},
        ],
        sortBy=[grafana.TableSortByField(displayName=sort_by, desc=descending)],
        overrides=[
            *(_linked(title, link) for title, link in links.items()),
            *(_named(title, {"noValue": "–", "mappings": []}) for title in optional),
            *(_override(column) for column in columns if column.title),
        ],
        thresholds=grafana_steps([(None, "text")]),
        maxDataPoints=None,
        extraJson={
            "fieldConfig": {"defaults": {"unit": "none", "noValue": empty_while or NO_DATA, "mappings": [UNKNOWN]}}
        },
    )
    return Tile(key, width, height, panel, stretches=True)


def _organized(rows_by: Mapping[str, str], columns: Sequence[Column], refs: Sequence[str]) -> dict[str, Any]:
    # Grafana numbers the values of several queries, and leaves that of a single one alone.
    fields = [f"Value #{ref}" for ref in refs] if len(refs) > 1 else ["Value"]
    named = {name: column.title for name, column in zip(fields, columns, strict=True)}
    values = {name: title for name, title in named.items() if title}
    leading = [name for name, column in zip(fields, columns, strict=True) if column.first]
    order = list(dict.fromkeys([*leading, *rows_by, *values]))
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
        properties["thresholds"] = {"mode": "absolute", "steps": grafana_steps(column.steps)}
        properties["custom.cellOptions"] = {"type": "color-background", "mode": "basic"}
    return _named(column.title, properties)
