"""What a gate decides from its findings, and what its command ends with."""

from collections.abc import Sequence
from typing import Self

from pydantic import Field, model_validator

from sloproof.definition import Definition
from sloproof.errors import Undecided
from sloproof.verdict.judge import Verdict, combine

PRECEDENCE = (7, 1, 5, 6, 4, 2, 3)
"""Of the exit codes of several findings the first of these counts: what is still broken, what was proven to be missed,
what was refused, what could not be asked, what was stopped, what was asked wrongly, what stayed open."""


class GateFinding(Definition):
    """One thing that a gate requires, and what was seen of it.

    Args:
        requirement: what asked for it, such as `load steady`; findings of one requirement share it.
        expected: what had to be seen, one plain sentence without a full stop.
        observed: what was seen, in a few words.
        verdict: whether they agree.
        evidence: the figures behind it, and where and when they come from.
        code: the exit code that an error asks for; 0 where nothing went wrong on the way.
        hint: what the reader can do next; may be empty.
    """

    requirement: str
    expected: str
    observed: str
    verdict: Verdict
    evidence: str = ""
    code: int = Field(default=0, ge=0)
    hint: str = ""

    @model_validator(mode="after")
    def _no_error_passes(self) -> Self:
        if self.code and self.verdict is Verdict.PASS:
            raise ValueError(f"what ended with `{self.code}` did not pass")
        return self

    @property
    def exit_code(self) -> int:
        """What a command ends with that has only this finding."""
        return self.code or self.verdict.exit_code


class GateDecision(Definition):
    """All that a gate found, and so whether it is open.

    Args:
        gate: its name.
        system: the system that it guards.
        release: what was judged; empty when nobody said.
        started_at: epoch seconds.
        ended_at: epoch seconds.
        findings: in the order of the requirements.
        description: what the gate is for; may be empty.
        path: the file of its definition, relative to the workspace; empty when unknown.
        line: the line there, from 1; 0 when unknown.
    """

    gate: str
    system: str
    release: str = ""
    started_at: float
    ended_at: float
    findings: tuple[GateFinding, ...]
    description: str = ""
    path: str = ""
    line: int = Field(default=0, ge=0)

    @property
    def verdict(self) -> Verdict:
        """FAIL if anything failed, PASS only if everything passed; a gate without findings is undecided."""
        return combine(finding.verdict for finding in self.findings)

    @property
    def exit_code(self) -> int:
        """What the command ends with: 0 only for PASS."""
        codes = {finding.exit_code for finding in self.findings} - {0}
        if self.verdict is Verdict.PASS:
            return 0
        return next((code for code in PRECEDENCE if code in codes), Undecided.exit_code)

    @property
    def headline(self) -> str:
        """One sentence: how many requirements are met, and the first that is not."""
        met = sum(finding.verdict is Verdict.PASS for finding in self.findings)
        told = f"{met} of {len(self.findings)} findings passed"
        first = _first(self.findings, self.verdict)
        if first is None:
            return f"{told}."
        return f"{told}; first that did not: {first.expected}: {first.observed}."


def _first(findings: Sequence[GateFinding], verdict: Verdict) -> GateFinding | None:
    if verdict is Verdict.PASS:
        return None
    return next((finding for finding in findings if finding.verdict is verdict), None)
