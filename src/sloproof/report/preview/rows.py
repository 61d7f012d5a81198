"""Query results as the rows of a table, and Grafana's transformations of them."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sloproof.report.preview.frames import legend, reduced
from sloproof.report.preview.json_values import items, mapping, mappings, number, text, texts, whole
from sloproof.report.preview.look import Look
from sloproof.report.preview.reading import found

TIME, VALUE = "Time", "Value"
Cell = str | float | None
Row = dict[str, Cell]
"""Cells by the name of their column; a text, a number (times are epoch milliseconds), or nothing."""
Frame = list[Row]
"""The rows that one query gave."""
Change = Callable[[list[Frame], Mapping[str, Any]], list[Frame]]


def frames_of(look: Look) -> tuple[list[Frame], list[str]]:
    """The rows of every query after the panel's transformations.

    Returns:
        One frame a query, or fewer where they were joined; and what the transformations could not do here.
    """
    frames, told = [_frame(look, index) for index in range(len(look.replies))], []
    for one in look.panel.transformations:
        name = text(one.get("id"))
        change = _CHANGES.get(name)
        if change is None:
            told.append(f"the transformation `{name}` is not done here")
        else:
            frames = change(frames, mapping(one.get("options")))
    return frames, told


def columns_of(frames: Sequence[Frame]) -> list[str]:
    """Every column in the order of its first appearance."""
    return list(dict.fromkeys(name for frame in frames for row in frame for name in row))


def _frame(look: Look, index: int) -> Frame:
    target, reply = look.replies[index]
    value_name = VALUE if len(look.replies) == 1 else f"{VALUE} #{target.ref}"
    rows: Frame = []
    for series in reply.series:
        labels: Row = dict(sorted(series.labels.items()))
        if not target.table and "__name__" not in labels and not labels:
            labels = {"Series": legend(target, series, (), look)}
        points = series.points if target.instant else series.points[-1:]
        rows += [{TIME: at * 1000, **labels, value_name: None if math.isnan(value) else value} for at, value in points]
    return rows


def _merge(frames: list[Frame], _: Mapping[str, Any]) -> list[Frame]:
    """Rows whose shared columns are equal become one; times of one evaluation are equal enough."""
    merged: dict[tuple[tuple[str, str], ...], Row] = {}
    for frame in frames:
        for row in frame:
            key = tuple(sorted((name, value) for name, value in row.items() if isinstance(value, str)))
            merged.setdefault(key, {}).update(row)
    return [list(merged.values())]


def _joined(frames: list[Frame], options: Mapping[str, Any]) -> list[Frame]:
    field = text(options.get("byField"), TIME)
    joined: dict[Cell, Row] = {}
    for frame in frames:
        for row in frame:
            if field in row:
                joined.setdefault(row[field], {}).update(row)
    return [list(joined.values())]


def _organize(frames: list[Frame], options: Mapping[str, Any]) -> list[Frame]:
    left_out, renamed = mapping(options.get("excludeByName")), mapping(options.get("renameByName"))
    kept, places = mapping(options.get("includeByName")), mapping(options.get("indexByName"))
    last = len(places) + 1000.0

    def place(name: str) -> float:
        found_at = number(places.get(name))
        return last if found_at is None else found_at

    def organized(frame: Frame) -> Frame:
        names = sorted(columns_of([frame]), key=place)
        names = [name for name in names if not left_out.get(name) and (not any(kept.values()) or kept.get(name))]
        return [{text(renamed.get(name)) or name: row.get(name) for name in names} for row in frame]

    return [organized(frame) for frame in frames]


def _renamed(frames: list[Frame], options: Mapping[str, Any]) -> list[Frame]:
    try:
        pattern = re.compile(text(options.get("regex")))
    except re.error:
        return frames
    new = re.sub(r"\$(\d)", r"\\\1", text(options.get("renamePattern")))
    try:
        return [[{pattern.sub(new, name): value for name, value in row.items()} for row in frame] for frame in frames]
    except (re.error, IndexError):
        return frames


def _filtered(frames: list[Frame], options: Mapping[str, Any]) -> list[Frame]:
    def kept(name: str) -> bool:
        wanted, unwanted = mapping(options.get("include")), mapping(options.get("exclude"))
        chosen = not wanted or name in texts(wanted.get("names")) or _patterned(wanted, name)
        dropped = name in texts(unwanted.get("names")) or _patterned(unwanted, name)
        return chosen and not dropped

    return [[{name: value for name, value in row.items() if kept(name)} for row in frame] for frame in frames]


def _patterned(chooser: Mapping[str, Any], name: str) -> bool:
    pattern = text(chooser.get("pattern"))
    return bool(pattern) and found(pattern, name)


def _sorted(frames: list[Frame], options: Mapping[str, Any]) -> list[Frame]:
    result = frames
    for one in reversed(mappings(options.get("sort"))):
        result = [in_order(frame, text(one.get("field")), bool(one.get("desc"))) for frame in result]
    return result


def in_order(frame: Frame, column: str, downwards: bool) -> Frame:
    """Rows by one column; those without a value come last either way.

    Args:
        frame: the rows.
        column: by which; one that is not there leaves them as they are.
        downwards: whether the largest comes first.
    """
    known = [row for row in frame if row.get(column) is not None]
    rest = [row for row in frame if row.get(column) is None]
    return sorted(known, key=lambda row: _key(row[column]), reverse=downwards) + rest


def _key(cell: Cell) -> tuple[int, float, str]:
    return (1, 0.0, cell) if isinstance(cell, str) else (0, cell or 0.0, "")


def _limited(frames: list[Frame], options: Mapping[str, Any]) -> list[Frame]:
    return [frame[: max(whole(options.get("limitField"), 10), 0)] for frame in frames]


def _reduce(frames: list[Frame], options: Mapping[str, Any]) -> list[Frame]:
    """Each column of numbers becomes a row with its calculations."""
    rows: Frame = []
    hows = [one for one in items(options.get("reducers")) if isinstance(one, str)] or ["lastNotNull"]
    for frame in frames:
        for name in columns_of([frame]):
            points = [(float(place), row.get(name)) for place, row in enumerate(frame)]
            numbers = [(at, value) for at, value in points if not isinstance(value, str)]
            if name != TIME and any(value is not None for _, value in numbers):
                rows.append({"Field": name, **{how[:1].upper() + how[1:]: reduced(numbers, how) for how in hows}})
    return [rows]


def _same(frames: list[Frame], _: Mapping[str, Any]) -> list[Frame]:
    return frames


_CHANGES: Mapping[str, Change] = {
    "merge": _merge,
    "seriesToRows": _merge,
    "seriesToColumns": _joined,
    "joinByField": _joined,
    "organize": _organize,
    "renameByRegex": _renamed,
    "filterFieldsByName": _filtered,
    "sortBy": _sorted,
    "limit": _limited,
    "reduce": _reduce,
    "labelsToFields": _same,  # labels are columns here from the start
    "convertFieldType": _same,
}
