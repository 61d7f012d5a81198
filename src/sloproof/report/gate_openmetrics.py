"""A gate's decision as OpenMetrics text, which GitLab compares between branches (`artifacts:reports:metrics`)."""

from collections.abc import Iterator

from sloproof.report.openmetrics import exposition, gauge
from sloproof.verdict.gate_decision import GateDecision
from sloproof.verdict.judge import Verdict


def render_openmetrics(decision: GateDecision) -> str:
    """Write a decision as gauges; the release is no label, or no two pipelines could be compared.

    Args:
        decision: what the gate decided.

    Returns:
        The exposition. `sloproof_gate_passed` is 1 for PASS alone.
    """
    return exposition(_lines(decision))


def _lines(decision: GateDecision) -> Iterator[str]:
    own = {"gate": decision.gate, "system": decision.system}
    took = round(decision.ended_at - decision.started_at, 3)
    passed = int(decision.verdict is Verdict.PASS)
    yield from gauge(
        "sloproof_gate_passed", "Whether the gate passed: 1 for PASS, 0 for FAIL and UNDECIDED.", [(own, passed)]
    )
    yield from gauge("sloproof_gate_exit_code", "What the command ended with.", [(own, decision.exit_code)])
    yield from gauge("sloproof_gate_duration_seconds", "How long the gate took.", [(own, took)], unit="seconds")
    counts = [
        ({**own, "verdict": verdict.value}, sum(one.verdict is verdict for one in decision.findings))
        for verdict in Verdict
    ]
    yield from gauge("sloproof_gate_findings", "How many findings have this verdict.", counts)
    each = [
        (
            {**own, "requirement": one.requirement, "expected": one.expected, "number": str(number)},
            int(one.verdict is Verdict.PASS),
        )
        for number, one in enumerate(decision.findings, start=1)
    ]
    yield from gauge("sloproof_gate_finding_passed", "Whether a finding passed: 1 for PASS, else 0.", each)
