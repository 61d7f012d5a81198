"""A gate's decision with what its page shows beside it: the runs that it was decided by, versions, how to repeat it."""

from pydantic import Field

from sloproof.report.model import RunReport
from sloproof.report.recorded import Recorded
from sloproof.verdict.gate_decision import GateDecision


class GateReport(Recorded):
    """Everything that is told about one gate.

    Args:
        decision: what the gate decided.
        runs: the runs that it was decided by, in order; those whose records are gone are left out.
        environment: names and versions.
        command: what decides it again; empty when unknown.
    """

    decision: GateDecision
    runs: tuple[RunReport, ...] = ()
    environment: dict[str, str] = Field(default_factory=dict)
    command: str = ""
