"""A gate's decision as JUnit XML: the undecided is an error, and nothing is skipped, which CI reads as green."""

from datetime import UTC, datetime
from xml.etree import ElementTree

from sloproof.report.wording import visible
from sloproof.verdict.gate_decision import GateDecision, GateFinding
from sloproof.verdict.judge import Verdict


def render_junit(decision: GateDecision) -> str:
    """Write a decision as JUnit XML, one case a finding.

    Args:
        decision: what the gate decided.

    Returns:
        The document. A finding that failed is a `failure`; an undecided one is an `error` of type `undecided`.
    """
    counts = {
        "tests": str(len(decision.findings)),
        "failures": str(_count(decision, Verdict.FAIL)),
        "errors": str(_count(decision, Verdict.UNDECIDED)),
        "skipped": "0",
        "time": f"{decision.ended_at - decision.started_at:.3f}",
    }
    suites = ElementTree.Element("testsuites", {"name": "sloproof gate", **counts})
    name = visible(f"gate {decision.gate} of {decision.system}")
    timestamp = datetime.fromtimestamp(decision.started_at, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    suite = ElementTree.SubElement(suites, "testsuite", {"name": name, "timestamp": timestamp, **counts})
    properties = ElementTree.SubElement(suite, "properties")
    for key, value in (("release", decision.release), ("verdict", decision.verdict.value)):
        ElementTree.SubElement(properties, "property", {"name": key, "value": visible(value)})
    for number, finding in enumerate(decision.findings):
        suite.append(_case(decision, finding, number))
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _case(decision: GateDecision, finding: GateFinding, number: int) -> ElementTree.Element:
    first = next(i for i, one in enumerate(decision.findings) if one.expected == finding.expected)
    name = finding.expected if first == number else f"{finding.expected} ({number + 1})"
    group = f"sloproof.gate.{decision.gate}.{finding.requirement}".replace(" ", "-")
    attributes = {"classname": visible(group), "name": visible(name), "time": "0.000"}
    if decision.path:
        attributes["file"] = visible(decision.path)
    case = ElementTree.Element("testcase", attributes)
    told = visible("; ".join(part for part in (finding.observed, finding.evidence) if part))
    if finding.verdict is Verdict.PASS:
        ElementTree.SubElement(case, "system-out").text = told
    else:
        case.append(_problem(finding, told))
    return case


def _problem(finding: GateFinding, told: str) -> ElementTree.Element:
    failed = finding.verdict is Verdict.FAIL
    kind = {"type": "fail" if failed else "undecided", "message": visible(finding.observed)}
    problem = ElementTree.Element("failure" if failed else "error", kind)
    problem.text = told + (visible(f"; hint: {finding.hint}") if finding.hint else "")
    return problem


def _count(decision: GateDecision, verdict: Verdict) -> int:
    return sum(finding.verdict is verdict for finding in decision.findings)
