"""A run as one HTML file: no network, no script for the essentials, and nothing foreign is executed."""

from functools import cache
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from sloproof.foreign_text import visible
from sloproof.report.drawing import WIDE
from sloproof.report.model import Chart, RunReport
from sloproof.report.page import page_environment, policy, template_text
from sloproof.report.run_view import SECTIONS, run_view, with_run_parts
from sloproof.report.sampling import thinned, within
from sloproof.report.svg import coordinate

_SIGNIFICANT = 4


def render_html(report: RunReport) -> str:
    """Write a run as one self-contained page.

    Args:
        report: the run.

    Returns:
        The page; equal reports give equal pages, to the byte. It loads nothing, opens from a file, and
        its content security policy allows only its own style sheet and its own script (hover values).
    """
    style, script = template_text("report.css"), template_text("report.js")
    page = _environment().get_template("report.html")
    return page.render(
        view=run_view(report),
        style=Markup(style),
        script=Markup(script),
        policy=policy(style, script),
        hover=_hover(report),
    )


@cache
def _environment() -> Environment:
    return with_run_parts(page_environment("report.html", SECTIONS))


def _hover(report: RunReport) -> dict[str, Any]:
    """The values behind the lines, seconds since the start, for the page's own script."""
    axis = WIDE.axis(report)
    return {
        "seconds": axis.seconds,
        "start": report.started_at,
        "charts": [_lines(chart, report) for chart in report.charts],
    }


def _lines(chart: Chart, report: RunReport) -> dict[str, Any]:
    lines = []
    for series in within(chart, report.started_at, report.ended_at).series:
        kept = thinned(series.points, WIDE.buckets)
        values = [None if value is None else float(f"{value:.{_SIGNIFICANT}g}") for _, value in kept]
        times = [float(coordinate(at - report.started_at)) for at, _ in kept]
        lines.append({"label": visible(series.label), "at": times, "values": values})
    return {"unit": chart.unit, "lines": lines}
