"""A run or a gate as JUnit XML: the undecided is an error, and nothing is skipped, which CI reads as green."""

from datetime import UTC, datetime
from xml.etree import ElementTree

from sloproof.foreign_text import visible
from sloproof.report.judged import Judged, JudgedFinding
from sloproof.verdict.judge import Verdict


def render_junit(judged: Judged) -> str:
    """Write findings as JUnit XML, one case a finding.

    Args:
        judged: a run or a gate.

    Returns:
        The document. A finding that failed is a `failure`; an undecided one is an `error` of type `undecided`.
    """
    counts = {
        "tests": str(len(judged.findings)),
        "failures": str(judged.count(Verdict.FAIL)),
        "errors": str(judged.count(Verdict.UNDECIDED)),
        "skipped": "0",
        "time": f"{judged.ended_at - judged.started_at:.3f}",
    }
    suites = ElementTree.Element("testsuites", {"name": visible(f"sloproof {judged.kind}"), **counts})
    timestamp = datetime.fromtimestamp(judged.started_at, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    named = {"name": visible(judged.title), "timestamp": timestamp}
    suite = ElementTree.SubElement(suites, "testsuite", {**named, **counts})
    properties = ElementTree.SubElement(suite, "properties")
    for key, value in (("system", judged.system), ("release", judged.release), ("verdict", judged.verdict.value)):
        ElementTree.SubElement(properties, "property", {"name": key, "value": visible(value)})
    for number, finding in enumerate(judged.findings):
        suite.append(_case(judged, finding, number))
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _case(judged: Judged, finding: JudgedFinding, number: int) -> ElementTree.Element:
    first = next(i for i, one in enumerate(judged.findings) if one.expected == finding.expected)
    name = finding.expected if first == number else f"{finding.expected} ({number + 1})"
    group = f"sloproof.{judged.kind}.{judged.name}.{finding.group}".replace(" ", "-")
    attributes = {"classname": visible(group), "name": visible(name), "time": "0.000"}
    if judged.path:
        attributes["file"] = visible(judged.path)
    case = ElementTree.Element("testcase", attributes)
    told = visible("; ".join(part for part in (finding.observed, finding.evidence) if part))
    if finding.verdict is Verdict.PASS:
        ElementTree.SubElement(case, "system-out").text = told
    else:
        case.append(_problem(finding, told))
    return case


def _problem(finding: JudgedFinding, told: str) -> ElementTree.Element:
    failed = finding.verdict is Verdict.FAIL
    kind = {"type": "fail" if failed else "undecided", "message": visible(finding.observed)}
    problem = ElementTree.Element("failure" if failed else "error", kind)
    problem.text = told + (visible(f"; hint: {finding.hint}") if finding.hint else "")
    return problem
