"""A gate's decision as OpenMetrics text, which GitLab compares between branches (`artifacts:reports:metrics`)."""

from collections.abc import Iterator

from sloproof.report.wording import visible
from sloproof.verdict.gate_decision import GateDecision
from sloproof.verdict.judge import Verdict

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


def render_openmetrics(decision: GateDecision) -> str:
    """Write a decision as gauges; the release is no label, or no two pipelines could be compared.

    Args:
        decision: what the gate decided.

    Returns:
        The exposition, which ends with `# EOF`. `sloproof_gate_passed` is 1 for PASS alone.

    Source: OpenMetrics 1.0, section "Text format".
    """
    return "".join(f"{line}\n" for line in [*_lines(decision), "# EOF"])


def _lines(decision: GateDecision) -> Iterator[str]:
    own = {"gate": decision.gate, "system": decision.system}
    yield from _family("sloproof_gate_passed", "Whether the gate passed: 1 for PASS, 0 for FAIL and UNDECIDED.")
    yield _sample("sloproof_gate_passed", own, int(decision.verdict is Verdict.PASS))
    yield from _family("sloproof_gate_exit_code", "What the command ended with.")
    yield _sample("sloproof_gate_exit_code", own, decision.exit_code)
    yield from _family("sloproof_gate_duration_seconds", "How long the gate took.", unit="seconds")
    yield _sample("sloproof_gate_duration_seconds", own, round(decision.ended_at - decision.started_at, 3))
    yield from _family("sloproof_gate_findings", "How many findings have this verdict.")
    for verdict in Verdict:
        count = sum(finding.verdict is verdict for finding in decision.findings)
        yield _sample("sloproof_gate_findings", {**own, "verdict": verdict.value}, count)
    yield from _family("sloproof_gate_finding_passed", "Whether a finding passed: 1 for PASS, else 0.")
    for number, finding in enumerate(decision.findings, start=1):
        labels = {**own, "requirement": finding.requirement, "expected": finding.expected, "number": str(number)}
        yield _sample("sloproof_gate_finding_passed", labels, int(finding.verdict is Verdict.PASS))


def _family(name: str, meaning: str, unit: str = "") -> Iterator[str]:
    yield f"# TYPE {name} gauge"
    if unit:
        yield f"# UNIT {name} {unit}"
    yield f"# HELP {name} {meaning}"


def _sample(name: str, labels: dict[str, str], value: float) -> str:
    told = ",".join(f'{key}="{visible(text).translate(_ESCAPES)}"' for key, text in labels.items())
    return f"{name}{{{told}}} {value:g}"
