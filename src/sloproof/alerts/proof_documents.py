"""Proofs from promtool files that are there already: causes, absences and budgets bring their own cases."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sloproof import names
from sloproof.alerts.proof import Check, Document, NotExpressible, ProofCase, ProofPlan
from sloproof.alerts.proof_rules import rules_behind
from sloproof.definition import parse_duration
from sloproof.promql import selectors_in

NO_CASE = "no promtool case is known for an expression of this shape"


def document_plans(
    groups: Sequence[Document], expected: Sequence[str], files: Sequence[Document], reasons: Mapping[str, str]
) -> list[ProofPlan]:
    """One plan for each alert of some rules files, from the cases of their test files.

    Args:
        groups: the groups of the rules files.
        expected: the alerts there must be, by the definitions.
        files: the test files, as YAML reads them.
        reasons: why an alert has no case, by its name.

    Returns:
        Plans in the order expected; an alert without a rule or without a case has a gap that says so.
    """
    tests = [(file, test) for file in files for test in file["tests"]]
    return [_plan(alert, groups, tests, reasons) for alert in expected]


def _plan(
    alert: str, groups: Sequence[Document], tests: Sequence[tuple[Document, Document]], reasons: Mapping[str, str]
) -> ProofPlan:
    behind = rules_behind(groups, alert)
    labels: Mapping[str, str] = next(
        (rule["labels"] for group in behind for rule in group["rules"] if rule.get("alert") == alert), {}
    )
    if not behind:
        return ProofPlan(alert, labels, (), (), (NotExpressible("exists", f"no rule is named `{alert}`"),))
    cases = tuple(_case(alert, behind, file, test) for file, test in tests if alert in _asked_alerts(test))
    gaps = () if cases else (NotExpressible("fires and keeps quiet", reasons.get(alert, NO_CASE)),)
    return ProofPlan(alert, labels, (), cases, gaps)


def _case(alert: str, groups: Sequence[Document], file: Document, test: Document) -> ProofCase:
    title = str(test["name"]).removeprefix(f"{alert} ").removeprefix(f"{alert}: ")
    return ProofCase(
        alert,
        title,
        groups,
        parse_duration(file["evaluation_interval"]),
        parse_duration(test["interval"]),
        {one["series"]: one["values"] for one in test["input_series"]},
        tuple(_checks(test)),
    )


def _checks(test: Document) -> Iterator[Check]:
    for asked in test["promql_expr_test"]:
        value = asked["exp_samples"][0]["value"] if asked["exp_samples"] else None
        wrong = "it fires" if value is None else "it is silent"
        yield Check(asked["expr"], parse_duration(asked["eval_time"]), value, f"{wrong} after {asked['eval_time']}")


def _asked_alerts(test: Mapping[str, Any]) -> set[str]:
    read = [selector for asked in test["promql_expr_test"] for selector in selectors_in(asked["expr"])]
    return {matcher.value for selector in read for matcher in selector.matchers if matcher.label == names.ALERT_NAME}
