"""The panels that a workspace adds, as tiles."""

from sloproof.alerts import Timing
from sloproof.dashboards.custom import Panel
from sloproof.dashboards.tiles import Query, Steps, Tile, gauge, lines, stat

_PLAIN: Steps = ((None, "text"),)


def custom_tile(key: str, panel: Panel, timing: Timing) -> Tile:
    """One panel of somebody's own.

    Args:
        key: stable name of the panel.
        panel: the definition.
        timing: the clock.
    """
    query, steps = Query(panel.expression, panel.legend), tuple((step.at, step.colour) for step in panel.steps)
    if panel.kind == "lines":
        return lines(
            key,
            panel.title,
            panel.description,
            [query],
            unit=panel.unit,
            limit=panel.limit,
            steps=steps,
            stacked=panel.stacked,
            width=panel.width,
            interval=timing.scrape,
        )
    draw = stat if panel.kind == "figure" else gauge
    limit: Steps = ((None, "green"), (panel.limit, "red")) if panel.limit is not None else _PLAIN
    return draw(key, panel.title, panel.description, query, unit=panel.unit, steps=steps or limit, width=panel.width)
