"""The rules that one alert needs, and no others: what makes a proof quick, and what makes it the alert's own."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sloproof.alerts.proof import Document
from sloproof.promql import Selector, selectors_in


def rules_behind(groups: Sequence[Document], alert: str) -> list[Document]:
    """The alert and every recorded series it reads, directly or through others.

    Args:
        groups: the groups of one or more rules files, in the order they are loaded.
        alert: the alert's name.

    Returns:
        The groups that are left, with their rules in the order they had; annotations are gone, for
        promtool would ask their queries at every evaluation. Empty when there is no such alert.
    """
    rules = [rule for group in groups for rule in group["rules"]]
    needed = {id(rule) for rule in rules if rule.get("alert") == alert}
    waiting = [selector for rule in rules if id(rule) in needed for selector in selectors_in(str(rule["expr"]))]
    recorded = _by_name(rules)
    while waiting:
        selector = waiting.pop()
        for rule in recorded.get(selector.metric, ()):
            if id(rule) not in needed and _may_be(rule, selector):
                needed.add(id(rule))
                waiting.extend(selectors_in(str(rule["expr"])))
    return list(_kept(groups, needed))


def without_records(groups: Sequence[Document], records: Sequence[str]) -> list[Document]:
    """The groups without the rules that record these series; a case feeds them itself."""
    kept = {id(rule) for group in groups for rule in group["rules"] if rule.get("record") not in records}
    return list(_kept(groups, kept))


def _by_name(rules: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for rule in rules:
        if "record" in rule:
            found.setdefault(rule["record"], []).append(rule)
    return found


def _may_be(rule: Mapping[str, Any], selector: Selector) -> bool:
    """Whether a recorded series can match; labels that the rule does not set may come from its expression."""
    labels = rule.get("labels") or {}
    equal = [matcher for matcher in selector.matchers if matcher.operator == "="]
    return all(str(labels.get(matcher.label, matcher.value)) == matcher.value for matcher in equal)


def _kept(groups: Sequence[Document], needed: set[int]) -> Iterator[Document]:
    for group in groups:
        rules = [_bare(rule) for rule in group["rules"] if id(rule) in needed]
        if rules:
            yield {**group, "rules": rules}


def _bare(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: value for key, value in rule.items() if key != "annotations"} if "annotations" in rule else rule
