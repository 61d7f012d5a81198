"""slo/alert-name-collision: two definitions whose alerts would bear one name."""

from collections.abc import Iterator

from sloproof import names
from sloproof.checks.subject import GeneratedRule, Place, Subject
from sloproof.errors import Problem

ID = "slo/alert-name-collision"
_HINT = "rename one of the two; runbooks and routes are bound to the alert's name"


def check(subject: Subject) -> Iterator[Problem]:
    """Names that differ as written and read alike as alerts: `a-b/c` and `a/b-c`, or a cause and a burn alert.

    Alerts of all kinds and of all services are compared with each other; two definitions are told once.
    """
    first: dict[str, tuple[GeneratedRule, Place]] = {}
    told: set[tuple[Place, Place]] = set()
    for group in subject.groups:
        for rule in group.rules:
            if not rule.is_alert:
                continue
            place = subject.place_of(rule, group)
            other, there = first.setdefault(rule.name, (rule, place))
            if other is rule or _are_causes(rule, other):  # of one name, causes are told apart by their places alone
                continue
            if (place, there) not in told:
                told.add((place, there))
                yield place.problem(_sentence(rule, other, there), ID, _HINT)
    for alert, place in subject.cause_twins:
        taken = _where(subject.causes[alert])
        yield place.problem(f"this cause and that of {taken} would both be called `{alert}`", ID, _HINT)


def _are_causes(*rules: GeneratedRule) -> bool:
    return all(rule.labels.get(names.KIND) == names.CAUSE for rule in rules)


def _sentence(rule: GeneratedRule, other: GeneratedRule, there: Place) -> str:
    mine, theirs = _identity(rule), _identity(other)
    if mine and theirs and mine != theirs:
        return f"the alerts of `{mine}` and of `{theirs}` ({_where(there)}) would both be called `{rule.name}`"
    return f"this alert and one of {_where(there)} would both be called `{rule.name}`"


def _identity(rule: GeneratedRule) -> str:
    """The objective of an alert; empty for alerts of a service."""
    slo = rule.labels.get(names.SLO, "")
    return names.identity(rule.labels.get(names.SERVICE, ""), slo) if slo else ""


def _where(place: Place) -> str:
    return f"{place.path}:{place.line}" if place.line else place.path
