"""Panels of states over time: a band for each series, a word and a colour for each state."""

import math
from collections.abc import Sequence
from itertools import groupby, zip_longest

from markupsafe import Markup

from sloproof.report import wording
from sloproof.report.axes import TimeAxis
from sloproof.report.preview.colours import colour_class
from sloproof.report.preview.frames import Line, lines_of
from sloproof.report.preview.look import Drawn, Look, nothing, side_by_side
from sloproof.report.preview.reading import Shown
from sloproof.report.svg import element, fitted, text_width

MOST_BANDS = 40
_LABEL, _BAND, _GAP = 15.0, 14.0, 6.0
_LATE = 1.5
"""Steps after which a state that was not seen again is not known any more."""

Stretch = tuple[float, float, float | None]
"""From, to, and the value in between; None where nothing was measured."""


def bands(look: Look) -> Drawn:
    """States over time."""
    found = lines_of(look)
    lines = found[:MOST_BANDS]
    stretches = [_stretches(line, look) for line in lines]
    if not any(value is not None for one in stretches for _, _, value in one):
        return nothing(look)
    body = side_by_side([_drawing(lines, stretches, look, width, kind) for width, kind in look.sizes])
    notes = (f"{len(found) - MOST_BANDS} more series are not drawn",) if len(found) > MOST_BANDS else ()
    return Drawn(body + _keys(lines, stretches), notes=notes)


def _stretches(line: Line, look: Look) -> list[Stretch]:
    """The whole range, cut where the value changes or is missing."""
    pieces: list[Stretch] = []
    reached, late = look.shown.start, look.step * _LATE
    for (at, value), after in zip_longest(line.points, [at for at, _ in line.points[1:]]):
        if at - reached > late:
            pieces.append((reached, at, None))
        until = after if after is not None and after - at <= late else min(at + look.step, look.shown.end)
        pieces.append((at, until, None if value is None or not math.isfinite(value) else value))
        reached = until
    if look.shown.end - reached > late:
        pieces.append((reached, look.shown.end, None))
    grouped = (list(same) for _, same in groupby(pieces, key=lambda piece: piece[2]))
    return [(same[0][0], same[-1][1], same[0][2]) for same in grouped]


def _drawing(lines: Sequence[Line], stretches: Sequence[list[Stretch]], look: Look, width: float, kind: str) -> Markup:
    axis = TimeAxis(look.shown.start, look.shown.end, 4, width - 8)
    identity = f"bands-{look.number}-{kind}"
    parts = [
        element("title", look.title or "states", id=f"{identity}-title"),
        element("desc", _described(lines, stretches), id=f"{identity}-desc"),
    ]
    row = _LABEL + _BAND + _GAP
    for index, (line, found) in enumerate(zip(lines, stretches, strict=True)):
        y = index * row
        parts.append(element("text", fitted(line.name, 12, width - 12), x=4, y=y + 12, class_="label"))
        parts.extend(_band(one, line, axis, y + _LABEL) for one in found)
    bottom = len(lines) * row
    for at, words in axis.clock_ticks(70):
        x = min(max(axis.x(at), text_width(words, 11) / 2), width - text_width(words, 11) / 2)
        parts.append(element("text", words, x=x, y=bottom + 10, text_anchor="middle", class_="tick"))
    named = {"aria-labelledby": f"{identity}-title", "aria-describedby": f"{identity}-desc"}
    return element("svg", *parts, role="img", **{"viewBox": f"0 0 {width:g} {bottom + 16:g}", "class": kind, **named})


def _band(stretch: Stretch, line: Line, axis: TimeAxis, y: float) -> Markup:
    start, end, value = stretch
    left, right = axis.x(start), axis.x(end)
    said = line.field.read(value)
    full = f"{line.name}: {said.text}, {wording.clock(start)} to {wording.clock(end)} UTC"
    style = f"state {colour_class(said.colour or 'gray')}" if said.known else "no-data"
    box = element("rect", x=left, width=max(right - left, 1.5), y=y, height=_BAND, class_=style)
    room = right - left - 6
    words = (
        element(
            "text",
            said.text,
            x=(left + right) / 2,
            y=y + 11,
            text_anchor="middle",
            class_=f"state-word {colour_class(said.colour or 'gray')}" if said.known else "no-data-text",
        )
        if text_width(said.text, 11) < room
        else Markup("")
    )
    return element("g", element("title", full), box, words)


def _states(lines: Sequence[Line], stretches: Sequence[list[Stretch]]) -> list[Shown]:
    """The states that were seen, each once."""
    seen: dict[str, Shown] = {}
    for line, found in zip(lines, stretches, strict=True):
        for _, _, value in found:
            said = line.field.read(value)
            seen.setdefault(said.text, said)
    return list(seen.values())


def _keys(lines: Sequence[Line], stretches: Sequence[list[Stretch]]) -> Markup:
    items = []
    for said in _states(lines, stretches)[:12]:
        style = f"state {colour_class(said.colour or 'gray')}" if said.known else "no-data"
        swatch = element(
            "svg",
            element("rect", width=14, height=10, class_=style),
            **{"viewBox": "0 0 14 10", "class": "swatch", "aria-hidden": "true"},
        )
        items.append(element("li", swatch, element("span", said.text, class_="legend-name")))
    return element("ul", *items, class_="keys")


def _described(lines: Sequence[Line], stretches: Sequence[list[Stretch]]) -> str:
    told = []
    for line, found in zip(lines, stretches, strict=True):
        last = line.field.read(found[-1][2] if found else None).text
        told.append(f"{line.name}: {len(found)} stretch{'es' if len(found) != 1 else ''}, last {last}.")
    return " ".join(told[:20])
