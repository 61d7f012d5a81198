"""A run as one HTML file: no network, no script for the essentials, and nothing foreign is executed."""

from functools import cache
from typing import Any

from jinja2 import Environment
from markupsafe import Markup, escape

from sloproof.report import tables, wording
from sloproof.report.alert_times import alert_rows, changes
from sloproof.report.chart_drawing import chart_drawing
from sloproof.report.drawing import LAYOUTS, WIDE
from sloproof.report.events_drawing import events_drawing
from sloproof.report.load_rows import TraceRow
from sloproof.report.model import Chart, RunReport
from sloproof.report.page import page_environment, policy, template_text
from sloproof.report.phase_figures import phase_figures
from sloproof.report.sampling import thinned, within
from sloproof.report.svg import coordinate, element
from sloproof.report.tables import answer, lasted, span_sentence

_BAR_WIDTH = 100
_HAIRLINE = 0.5
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
    drawn, left_out = alert_rows(report)
    return (
        _environment()
        .get_template("report.html")
        .render(
            report=report,
            style=Markup(style),
            script=Markup(script),
            policy=policy(style, script),
            events=[events_drawing(report, layout) for layout in LAYOUTS] if _happened(report) else [],
            charts=[_chart(chart, report, number) for number, chart in enumerate(report.charts, start=1)],
            alerts=[(row.number, alert, changes(alert, report)) for row in [*drawn, *left_out] for alert in row.lives],
            left_out=[row.alert for row in left_out],
            numbered=len(drawn) > 1,
            promises=[change.verdict for alert in report.alerts for change in changes(alert, report) if change.verdict],
            hover=_hover(report),
            load=tables.load(report),
        )
    )


def _happened(report: RunReport) -> bool:
    return bool(report.phases or report.faults or report.alerts)


@cache
def _environment() -> Environment:
    environment = page_environment("report.html")
    environment.globals.update(
        share=_share_bar, latency_bar=_latency_bar, lasted=lasted, answer=answer, span_sentence=span_sentence
    )
    return environment


def _share_bar(share: float | None) -> Markup:
    if share is None:
        return Markup(escape(wording.NO_DATA))
    bars = element("rect", width=_BAR_WIDTH, height=10, class_="bar-ground") + element(
        "rect", width=share * _BAR_WIDTH, height=10, class_="bar"
    )
    hidden = {"viewBox": f"0 0 {_BAR_WIDTH} 10", "aria-hidden": "true", "class": "share"}
    return element("span", wording.ratio(share), class_="figure share-figure") + element("svg", bars, **hidden)


def _latency_bar(row: TraceRow) -> Markup:
    """A request from its beginning to its end, with the stretches that the target's spans cover."""
    if not row.spans or not row.latency:
        return Markup("")
    bars = element("rect", width=_BAR_WIDTH, height=10, class_="bar-ground")
    for span in row.spans:
        begin = min(max(span.began_after / row.latency, 0.0), 1.0)
        width = max(min(span.lasted / row.latency, 1.0 - begin) * _BAR_WIDTH, _HAIRLINE)
        bars += element("rect", x=begin * _BAR_WIDTH, width=width, height=10, class_="bar")
    return element(
        "svg",
        bars,
        **{"viewBox": f"0 0 {_BAR_WIDTH} 10", "preserveAspectRatio": "none", "aria-hidden": "true", "class": "latency"},
    )


def _chart(chart: Chart, report: RunReport, number: int) -> dict[str, Any]:
    return {
        "title": chart.title,
        "unit": wording.unit_name(chart.unit),
        "logarithmic": chart.logarithmic,
        "drawings": [chart_drawing(chart, report, layout, number) for layout in LAYOUTS],
        "figures": phase_figures(chart, report.phases) if report.phases else [],
    }


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
        lines.append({"label": wording.visible(series.label), "at": times, "values": values})
    return {"unit": chart.unit, "lines": lines}
