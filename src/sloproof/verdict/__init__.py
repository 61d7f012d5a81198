"""What the evidence proves: counts in, PASS, FAIL or UNDECIDED out."""

from sloproof.verdict.agreement import DEFAULT_TOLERANCE, Agreement, Tolerance, compare, confirm
from sloproof.verdict.balance import Balance, judge_balance
from sloproof.verdict.evidence import LOAD_GENERATOR, PROMETHEUS, Counts, Evidence
from sloproof.verdict.judge import Judgement, Verdict, combine, judge_objective, judge_objectives
from sloproof.verdict.statistics import clopper_pearson, effective_size

__all__ = [
    "DEFAULT_TOLERANCE",
    "LOAD_GENERATOR",
    "PROMETHEUS",
    "Agreement",
    "Balance",
    "Counts",
    "Evidence",
    "Judgement",
    "Tolerance",
    "Verdict",
    "clopper_pearson",
    "combine",
    "compare",
    "confirm",
    "effective_size",
    "judge_balance",
    "judge_objective",
    "judge_objectives",
]
