"""Where panels go: sections below each other, tiles from left to right, lines as high as their highest tile.

No line has a hole: each tile is as high as its line, and its last one takes the room that is left, if it can use it.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sloproof.dashboards.finish import panel_ids
from sloproof.dashboards.tiles import Section, Tile, heading

COLUMNS = 24


def placed(sections: Sequence[Section]) -> list[Any]:
    """Every panel with its id and its place.

    Args:
        sections: in the order shown; keys of tiles differ within a section.

    Returns:
        Panels that neither overlap nor leave the grid, headings included.
    """
    ids = panel_ids(key for section in sections for key in _keys(section))
    panels: list[Any] = []
    top = 0
    for section in sections:
        if section.title:
            row = heading(section.title)
            panels.append(_put(Tile(section.key, COLUMNS, 1, row), ids[section.key], 0, top))
            top += 1
        for line in _lines(section.tiles):
            left = 0
            for tile in _filled(line):
                panels.append(_put(tile, ids[_key(section, tile)], left, top))
                left += tile.width
            top += max(tile.height for tile in line)
    return panels


def _filled(line: Sequence[Tile]) -> list[Tile]:
    height, free = max(tile.height for tile in line), COLUMNS - sum(tile.width for tile in line)
    *others, last = (replace(tile, height=height) for tile in line)
    return [*others, replace(last, width=last.width + free) if last.stretches else last]


def _keys(section: Section) -> list[str]:
    return [section.key, *(_key(section, tile) for tile in section.tiles)]


def _key(section: Section, tile: Tile) -> str:
    return f"{section.key}/{tile.key}"


def _put(tile: Tile, number: int, left: int, top: int) -> Any:
    tile.panel.id = number
    tile.panel.gridPos = {"h": tile.height, "w": tile.width, "x": left, "y": top}
    return tile.panel


def _lines(tiles: Sequence[Tile]) -> list[list[Tile]]:
    lines: list[list[Tile]] = []
    used = COLUMNS
    for tile in tiles:
        if used + tile.width > COLUMNS:
            lines.append([])
            used = 0
        lines[-1].append(tile)
        used += tile.width
    return lines
