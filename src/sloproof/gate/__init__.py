"""A gate: what must be true of a system before a release goes on, asked of runs, Prometheus, ledger and proofs."""

from sloproof.gate.definition import Gate
from sloproof.gate.requirements import (
    AlertsProven,
    BudgetLeft,
    Load,
    NoOpenFaults,
    NotSlower,
    ObjectivesHold,
    Requirement,
    Survives,
)

__all__ = [
    "AlertsProven",
    "BudgetLeft",
    "Gate",
    "Load",
    "NoOpenFaults",
    "NotSlower",
    "ObjectivesHold",
    "Requirement",
    "Survives",
]
