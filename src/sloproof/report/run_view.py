"""A run as its page shows it: drawings, tables and the values behind them, for one page or for a part of one."""

from typing import Any

from jinja2 import Environment
from markupsafe import Markup, escape

from sloproof.report import tables, wording
from sloproof.report.alert_times import alert_rows, changes
from sloproof.report.chart_drawing import chart_drawing
from sloproof.report.drawing import LAYOUTS
from sloproof.report.events_drawing import events_drawing
from sloproof.report.load_rows import TraceRow
from sloproof.report.model import Chart, RunReport
from sloproof.report.phase_figures import phase_figures
from sloproof.report.svg import element
from sloproof.report.tables import answer, lasted, span_sentence

SECTIONS = "run_sections.html"
"""The template of everything that a page tells of a run under its verdict."""
_BAR_WIDTH = 100
_HAIRLINE = 0.5


def run_view(report: RunReport, prefix: str = "") -> dict[str, Any]:
    """What the templates show of a run.

    Args:
        report: the run.
        prefix: of all ids in it, for pages with several runs.
    """
    drawn, left_out = alert_rows(report)
    return {
        "report": report,
        "events": [events_drawing(report, layout, prefix) for layout in LAYOUTS] if _happened(report) else [],
        "charts": [_chart(chart, report, number, prefix) for number, chart in enumerate(report.charts, start=1)],
        "alerts": [(row.number, alert, changes(alert, report)) for row in [*drawn, *left_out] for alert in row.lives],
        "left_out": [row.alert for row in left_out],
        "numbered": len(drawn) > 1,
        "promises": [change.verdict for alert in report.alerts for change in changes(alert, report) if change.verdict],
        "load": tables.load(report),
    }


def with_run_parts(environment: Environment) -> Environment:
    """An environment with what `run_sections.html` calls."""
    environment.globals.update(
        share=_share_bar, latency_bar=_latency_bar, lasted=lasted, answer=answer, span_sentence=span_sentence
    )
    return environment


def _happened(report: RunReport) -> bool:
    return bool(report.phases or report.faults or report.alerts or report.deploys)


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


def _chart(chart: Chart, report: RunReport, number: int, prefix: str) -> dict[str, Any]:
    return {
        "title": chart.title,
        "unit": wording.unit_name(chart.unit),
        "logarithmic": chart.logarithmic,
        "drawings": [chart_drawing(chart, report, layout, number, prefix) for layout in LAYOUTS],
        "figures": phase_figures(chart, report.phases) if report.phases else [],
    }
