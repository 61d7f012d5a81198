"""Objectives whose rules differ in nothing but names: what holds of one of them holds of all.

A workspace has few kinds of objectives, and asking what becomes of the labels in each of their rules is most of the
work of checking them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from sloproof import names
from sloproof.checks.subject import GeneratedGroup, GeneratedRule, Subject
from sloproof.promql.expression import Matcher
from sloproof.promql.frame import framed
from sloproof.promql.label_sets import numbered_selectors
from sloproof.promql.parsing import matchers_of

_Objective = tuple[str, str]
"""The names of a service and of its objective; that of an objective is empty where a rule belongs to none."""


def first_of_each_kind(subject: Subject) -> Subject:
    """The same subject, seen through one objective of each kind, and through the rules that belong to no objective.

    Args:
        subject: all definitions, or those of some services.

    Returns:
        What is recorded is still that of all of them. A problem of an objective that was left out has its like in one
        that was kept, so that where nothing is found here, nothing is to be found.
    """
    kept, seen = set(), set()
    split = {(slo.service.name, slo.name): slo.by for slo, _ in subject.slos}
    for objective, rules in _by_objective(subject.groups).items():
        kind = split.get(objective), _kind(*objective, rules)
        if not objective[1] or kind not in seen:
            seen.add(kind)
            kept.add(objective)
    slos = [pair for pair in subject.slos if (pair[0].service.name, pair[0].name) in kept]
    return replace(subject, slos=slos, groups=list(_only(subject.groups, kept)), whole=subject)


def _by_objective(groups: Sequence[GeneratedGroup]) -> dict[_Objective, list[GeneratedRule]]:
    found: dict[_Objective, list[GeneratedRule]] = {}
    for group in groups:
        for rule in group.rules:
            found.setdefault(_objective(rule), []).append(rule)
    return found


def _objective(rule: GeneratedRule) -> _Objective:
    return rule.labels.get(names.SERVICE, ""), rule.labels.get(names.SLO, "")


def _only(groups: Sequence[GeneratedGroup], kept: set[_Objective]) -> Iterator[GeneratedGroup]:
    for group in groups:
        rules = tuple([rule for rule in group.rules if _objective(rule) in kept])
        if rules:
            yield replace(group, rules=rules)


def _kind(service: str, slo: str, rules: Sequence[GeneratedRule]) -> tuple[Any, ...]:
    """What is left of an objective's rules without the names in them; values of labels become numbers."""
    own, numbers = f'{names.SERVICE}="{service}",{names.SLO}="{slo}"', {service: -2, slo: -1}
    found: list[Any] = []
    for rule in rules:
        found.append("" if rule.is_alert else rule.name)
        found += [(key, numbers.setdefault(value, len(numbers))) for key, value in rule.labels.items()]
        frame, braces = framed(rule.expression)
        found.append(frame)
        if "absent" in frame:  # the labels of its series are those that its matchers name
            matchers = [matcher for one in braces for matcher in _matchers(one)]
            found += [(m.label, m.operator, numbers.setdefault(m.value, len(numbers))) for m in matchers]
        else:
            found += [braces[number].replace(own, "") for number in _recorded(frame)]
    return tuple(found)


def _matchers(braces: str) -> tuple[Matcher, ...]:
    try:
        return matchers_of(braces)
    except ValueError:  # they name a metric
        return (Matcher("__name__", "=", braces),)


@lru_cache(maxsize=4096)
def _recorded(frame: str) -> tuple[int, ...]:
    """The numbers of the matchers that stand at recorded series."""
    selectors = numbered_selectors(frame)
    return tuple(
        number
        for selector, number in selectors
        if number is not None and (not selector.metric or selector.metric.startswith(names.RECORDED))
    )
