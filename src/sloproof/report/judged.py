"""What a run or a gate found, as findings alone: the common ground of the formats that machines read."""

from collections.abc import Iterator
from dataclasses import dataclass

from sloproof.errors import UndoFailed
from sloproof.report import wording
from sloproof.report.model import ExpectationRow, RunReport
from sloproof.verdict.gate_decision import GateDecision
from sloproof.verdict.judge import Verdict, combine


@dataclass(frozen=True)
class JudgedFinding:
    """One thing that was asked for, and what was seen of it.

    Args:
        group: what asked for it: a gate's requirement, or a phase of a run.
        expected: what had to be seen.
        observed: what was seen.
        verdict: whether they agree.
        evidence: the figures behind it.
        hint: what can be done about it.
        exit_code: what a command ends with that has only this finding.
        failed_part: whether a part failed on the way, so that nothing could be seen.
    """

    group: str
    expected: str
    observed: str
    verdict: Verdict
    evidence: str = ""
    hint: str = ""
    exit_code: int = 0
    failed_part: bool = False


@dataclass(frozen=True)
class Judged:
    """A run or a gate with its findings.

    Args:
        kind: `gate`, `load`, `chaos`, `drill`, `demo`, or `run` where nobody said.
        name: of the gate, the profile, the experiment or the drill.
        title: one line for a heading.
        system: the system under test.
        release: what was judged; may be empty.
        started_at: epoch seconds.
        ended_at: epoch seconds.
        verdict: of the whole.
        exit_code: what the command ends with.
        findings: in order; never empty.
        path: the file of its definition, relative to the workspace; empty when unknown.
        line: the line there, from 1; 0 when unknown.
    """

    kind: str
    name: str
    title: str
    system: str
    release: str
    started_at: float
    ended_at: float
    verdict: Verdict
    exit_code: int
    findings: tuple[JudgedFinding, ...]
    path: str = ""
    line: int = 0

    def count(self, verdict: Verdict) -> int:
        """How many findings have this verdict."""
        return sum(finding.verdict is verdict for finding in self.findings)


def of_gate(decision: GateDecision) -> Judged:
    """A gate's decision.

    Args:
        decision: what the gate decided.
    """
    findings = tuple(
        JudgedFinding(
            group=one.requirement,
            expected=one.expected,
            observed=one.observed,
            verdict=one.verdict,
            evidence=one.evidence,
            hint=one.hint,
            exit_code=one.exit_code,
            failed_part=bool(one.code),
        )
        for one in decision.findings
    )
    return Judged(
        kind="gate",
        name=decision.gate,
        title=f"gate {decision.gate} of {decision.system}",
        system=decision.system,
        release=decision.release,
        started_at=decision.started_at,
        ended_at=decision.ended_at,
        verdict=decision.verdict,
        exit_code=decision.exit_code,
        findings=findings,
        path=decision.path,
        line=decision.line,
    )


def of_run(report: RunReport) -> Judged:
    """A run's expectations; where they do not add up to its verdict, the run itself is a finding too.

    Args:
        report: the run.
    """
    own = Verdict(report.verdict)
    findings = (*map(_expectation, report.expectations), *_whole(report, own), *_still_broken(report))
    verdict = combine([own, *(one.verdict for one in findings)])
    return Judged(
        kind=report.kind or "run",
        name=report.name or report.title,
        title=report.title,
        system=report.system,
        release=report.release,
        started_at=report.started_at,
        ended_at=report.ended_at,
        verdict=verdict,
        exit_code=max((one.exit_code for one in findings if one.failed_part), default=verdict.exit_code),
        findings=findings,
    )


def _still_broken(report: RunReport) -> Iterator[JudgedFinding]:
    for fault in report.faults:
        if fault.undone_at is None:
            yield JudgedFinding(
                group="run",
                expected=f"{fault.label} is put back",
                observed="it was still in place at the end of the run",
                verdict=Verdict.FAIL,
                hint="run `sloproof chaos undo`",
                exit_code=UndoFailed.exit_code,
                failed_part=True,
            )


def _expectation(row: ExpectationRow) -> JudgedFinding:
    verdict = Verdict(row.verdict)
    return JudgedFinding(
        group=row.phase or "run",
        expected=row.expected,
        observed=row.observed,
        verdict=verdict,
        evidence=row.detail,
        exit_code=verdict.exit_code,
    )


def _whole(report: RunReport, verdict: Verdict) -> Iterator[JudgedFinding]:
    """No findings read as green in CI, and so do findings that passed in a run that ended too early."""
    if not report.expectations or combine(Verdict(row.verdict) for row in report.expectations) is not verdict:
        took = f"it took {wording.elapsed(report.ended_at - report.started_at)}"
        yield JudgedFinding(
            group="run",
            expected="the run runs to its end and decides something",
            observed=report.headline,
            verdict=verdict,
            evidence=took,
            exit_code=verdict.exit_code,
        )
