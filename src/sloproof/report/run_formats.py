"""Every format that a run can be written in, all from one model; gates have the same, see `gate_formats`."""

from collections.abc import Callable, Mapping

from sloproof.report.html import render_html
from sloproof.report.json import render_json
from sloproof.report.judged import of_run
from sloproof.report.junit import render_junit
from sloproof.report.markdown import render_markdown
from sloproof.report.model import RunReport
from sloproof.report.run_openmetrics import render_openmetrics
from sloproof.report.sarif import render_sarif

FORMATS: Mapping[str, tuple[Callable[[RunReport], str], str]] = {
    "html": (render_html, "report.html"),
    "markdown": (render_markdown, "report.md"),
    "junit": (lambda report: render_junit(of_run(report)), "report.junit.xml"),
    "json": (render_json, "report.json"),
    "sarif": (lambda report: render_sarif(of_run(report)), "report.sarif"),
    "openmetrics": (render_openmetrics, "report.metrics.txt"),
}
"""Each format's renderer, and the file that it goes to where nobody names one."""
