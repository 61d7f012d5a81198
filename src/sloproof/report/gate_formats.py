"""Every format that a gate's decision can be written in, all from one model."""

from collections.abc import Callable, Mapping

from sloproof.report.gate_html import render_html
from sloproof.report.gate_json import render_json
from sloproof.report.gate_openmetrics import render_openmetrics
from sloproof.report.gate_text import render_markdown
from sloproof.report.judged import of_gate
from sloproof.report.junit import render_junit
from sloproof.report.sarif import render_sarif
from sloproof.verdict.gate_decision import GateDecision

FORMATS: Mapping[str, tuple[Callable[[GateDecision], str], str]] = {
    "junit": (lambda decision: render_junit(of_gate(decision)), "gate.junit.xml"),
    "markdown": (render_markdown, "gate.md"),
    "json": (render_json, "gate.json"),
    "html": (render_html, "gate.html"),
    "sarif": (lambda decision: render_sarif(of_gate(decision)), "gate.sarif"),
    "openmetrics": (render_openmetrics, "metrics.txt"),
}
"""Each format's renderer, and the file that it goes to where nobody names one."""
