"""Proofs from promtool files that are there already: causes, absences and budgets bring their own cases."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sloproof import names
from sloproof.alerts.proof import Check, Document, NotExpressible, Promised, ProofCase, ProofPlan
from sloproof.alerts.proof_rules import rules_behind
from sloproof.alerts.rule_model import AlertRule
from sloproof.definition import parse_duration
from sloproof.promql import selectors_in

CLEARS_BY_ARITHMETIC = "when it clears is arithmetic, no case shows it"
NO_CASE = "no promtool case is known for an expression of this shape"


def document_plans(
    groups: Sequence[Document],
    expected: Mapping[str, Promised],
    files: Sequence[Document],
    reasons: Mapping[str, str],
) -> list[ProofPlan]:
    """One plan for each alert of some rules files, from the cases of their test files.

    Args:
        groups: the groups of the rules files.
        expected: the alerts there must be, by the definitions, with what is promised of each.
        files: the test files, as YAML reads them.
        reasons: why an alert has no case, by its name.

    Returns:
        Plans in the order expected; an alert without a rule or without a case has a gap that says so.
    """
    tests = [(file, test) for file in files for test in file["tests"]]
    return [_plan(alert, (promised,), groups, tests, reasons) for alert, promised in expected.items()]


def condition_promise(rule: AlertRule, interval: timedelta, seen: timedelta) -> Promised:
    """How soon an alert fires and clears whose condition is met or is not.

    Args:
        rule: the alert.
        interval: how often it is evaluated.
        seen: the longest time until what it reads shows what happened.

    Returns:
        Times from where its condition is met and from where it is no longer; the pending alert waits for whole
        evaluations.
    """
    holds = -(-rule.hold // interval) * interval
    return Promised(None, seen + interval + holds, seen + interval + rule.keep)


def _plan(
    alert: str,
    promised: tuple[Promised, ...],
    groups: Sequence[Document],
    tests: Sequence[tuple[Document, Document]],
    reasons: Mapping[str, str],
) -> ProofPlan:
    behind = rules_behind(groups, alert)
    labels: Mapping[str, str] = next(
        (rule["labels"] for group in behind for rule in group["rules"] if rule.get("alert") == alert), {}
    )
    if not behind:
        return ProofPlan(alert, labels, promised, (), (NotExpressible("exists", f"no rule is named `{alert}`"),))
    cases = tuple(_case(alert, behind, file, test) for file, test in tests if alert in _asked_alerts(test))
    gaps = () if cases else (NotExpressible("fires and keeps quiet", reasons.get(alert, NO_CASE)),)
    notes = () if any(case.title.startswith("clears") for case in cases) else (CLEARS_BY_ARITHMETIC,)
    return ProofPlan(alert, labels, promised, cases, gaps, notes)


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
