"""Every format that a gate's decision can be written in, all from one model."""

from collections.abc import Callable, Mapping

from sloproof.report.gate_html import render_html
from sloproof.report.gate_json import render_json
from sloproof.report.gate_openmetrics import render_openmetrics
from sloproof.report.gate_report import GateReport
from sloproof.report.gate_text import render_markdown
from sloproof.report.judged import of_gate
from sloproof.report.junit import render_junit
from sloproof.report.sarif import render_sarif

FORMATS: Mapping[str, tuple[Callable[[GateReport], str], str]] = {
    "junit": (lambda report: render_junit(of_gate(report.decision)), "gate.junit.xml"),
    "markdown": (lambda report: render_markdown(report.decision), "gate.md"),
    "json": (lambda report: render_json(report.decision), "gate.json"),
    "html": (render_html, "gate.html"),
    "sarif": (lambda report: render_sarif(of_gate(report.decision)), "gate.sarif"),
    "openmetrics": (lambda report: render_openmetrics(report.decision), "metrics.txt"),
}
"""Each format's renderer, and the file that it goes to where nobody names one."""
