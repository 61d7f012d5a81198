"""Decisions of a gate for the tests of its reports."""

from sloproof.report.gate_report import GateReport
from sloproof.verdict.gate_decision import GateDecision, GateFinding
from sloproof.verdict.judge import Verdict
from tests.unit import report_samples

HOSTILE = (
    "<script>document.title='owned'</script>\"'></style><svg onload=alert(1)> ]]> -- &amp; | `b` [a](http://x.test) "
    "@user \u2028 \u202e \x1b[31m \x00 [red]x[/red] {{ 7*7 }} \\ \ud800 \n# EOF\nsloproof_gate_passed 1"
)


def finding(verdict: Verdict, **changes: object) -> GateFinding:
    told = {"requirement": "load steady", "expected": "`tasks/latency` holds its 95 %", "observed": "0.4 % were bad"}
    return GateFinding.model_validate({**told, "verdict": verdict, **changes})


def decision(*findings: GateFinding, **changes: object) -> GateDecision:
    told = {
        "gate": "release",
        "system": "tasks",
        "release": "1.4.2",
        "started_at": 1_795_342_147.25,
        "ended_at": 1_795_342_215.75,
        "description": "Before a build leaves the lab.",
        "path": "loadtests/gates.py",
        "line": 7,
    }
    return GateDecision.model_validate({**told, "findings": findings, **changes})


def mixed() -> GateDecision:
    """One of each kind: passed, missed, not shown, and a part that failed."""
    return decision(
        finding(Verdict.PASS, requirement="no open faults", expected="no fault is in place", observed="none is open"),
        finding(Verdict.PASS, evidence="12 bad of 3,874 requests: at most 0.8 % are bad, within the budget of 5 %"),
        finding(Verdict.FAIL, expected="`tasks/availability` holds its 99.9 %", evidence="720 bad of 4,504 requests"),
        finding(Verdict.UNDECIDED, requirement="not slower steady", observed="no comparison"),
        finding(
            Verdict.UNDECIDED,
            requirement="budget left",
            expected="at least 20 % of every error budget is left",
            observed="Prometheus at `http://127.0.0.1:9` cannot be reached",
            code=6,
            hint="start Prometheus, or correct its URL",
        ),
    )


def passing() -> GateDecision:
    return decision(finding(Verdict.PASS), finding(Verdict.PASS, expected="`tasks/availability` holds its 99.9 %"))


def told(made: GateDecision) -> GateReport:
    """A decision as its page gets it, with two runs that it rests on."""
    runs = (report_samples.realistic("FAIL"), report_samples.empty())
    return GateReport(decision=made, runs=runs, environment={"sloproof": "0.1.0"}, command="sloproof gate release")


def hostile_report() -> GateReport:
    """Hostile names everywhere, in the runs too."""
    return GateReport(
        decision=hostile(), runs=(report_samples.hostile(),), environment={HOSTILE: HOSTILE}, command=HOSTILE
    )


def hostile() -> GateDecision:
    """Names and measurements that try to be markup in each of the formats."""
    told = {"requirement": HOSTILE, "expected": HOSTILE, "observed": HOSTILE, "evidence": HOSTILE, "hint": HOSTILE}
    return decision(
        finding(Verdict.FAIL, **told),
        finding(Verdict.UNDECIDED, **told),
        gate=HOSTILE,
        system=HOSTILE,
        release=HOSTILE,
        description=HOSTILE,
        path=f"loadtests/{HOSTILE}.py",
    )
