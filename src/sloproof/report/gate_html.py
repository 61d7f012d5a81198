"""A gate's decision as one HTML file: no network, no script, and nothing foreign is executed."""

from functools import cache

from jinja2 import Environment
from markupsafe import Markup

from sloproof.report.gate_report import GateReport
from sloproof.report.page import page_environment, policy, template_text
from sloproof.report.run_view import SECTIONS, run_view, with_run_parts
from sloproof.verdict.gate_decision import GateDecision, GateFinding
from sloproof.verdict.judge import Verdict


def render_html(report: GateReport) -> str:
    """Write a decision as one self-contained page, with every run that it was decided by.

    Args:
        report: what the gate decided, and by what.

    Returns:
        The page; equal reports give equal pages, to the byte. Its content security policy allows its own style
        sheet and nothing else.
    """
    style, decision = template_text("report.css"), report.decision
    return (
        _environment()
        .get_template("gate.html")
        .render(
            decision=decision,
            report=report,
            runs=[(f"run-{number}-", run_view(run, f"run-{number}-")) for number, run in enumerate(report.runs, 1)],
            style=Markup(style),
            policy=policy(style),
            groups=_groups(decision),
            counts={verdict.value: _count(decision, verdict) for verdict in Verdict},
        )
    )


@cache
def _environment() -> Environment:
    return with_run_parts(page_environment("gate.html", SECTIONS))


def _groups(decision: GateDecision) -> list[tuple[str, list[GateFinding]]]:
    """Each requirement with its findings, in the order of the gate."""
    groups: dict[str, list[GateFinding]] = {}
    for finding in decision.findings:
        groups.setdefault(finding.requirement, []).append(finding)
    return list(groups.items())


def _count(decision: GateDecision, verdict: Verdict) -> int:
    return sum(finding.verdict is verdict for finding in decision.findings)
