"""Every format that a gate's decision can be written in, all from one model."""

from collections.abc import Callable, Mapping

from sloproof.report.gate_html import render_html
from sloproof.report.gate_json import render_json
from sloproof.report.gate_junit import render_junit
from sloproof.report.gate_openmetrics import render_openmetrics
from sloproof.report.gate_sarif import render_sarif
from sloproof.report.gate_text import render_markdown
from sloproof.verdict.gate_decision import GateDecision

FORMATS: Mapping[str, tuple[Callable[[GateDecision], str], str]] = {
    "junit": (render_junit, "gate.junit.xml"),
    "markdown": (render_markdown, "gate.md"),
    "json": (render_json, "gate.json"),
    "html": (render_html, "gate.html"),
    "sarif": (render_sarif, "gate.sarif"),
    "openmetrics": (render_openmetrics, "metrics.txt"),
}
"""Each format's renderer, and the file that it goes to where nobody names one."""
