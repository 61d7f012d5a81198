"""slo/alert-name-collision: two definitions whose alerts would bear one name."""

from collections.abc import Iterator

from sloproof import names
from sloproof.checks.subject import GeneratedRule, Place, Subject
from sloproof.errors import Problem

ID = "slo/alert-name-collision"
_HINT = "rename one of the two; runbooks and routes are bound to the alert's name"


def check(subject: Subject) -> Iterator[Problem]:
    """Names that differ as written and read alike as alerts: `a-b/c` and `a/b-c`."""
    first: dict[str, tuple[str, Place]] = {}
    for slo, place in subject.slos:
        alert = names.burn_alert(slo.service.name, slo.name, "fast")
        identity, other = first.setdefault(alert, (slo.identity, place))
        if identity != slo.identity:
            yield place.problem(
                f"the alerts of `{slo.identity}` and of `{identity}` ({other.path}:{other.line}) "
                f"would both be called `{alert}`",
                ID,
                _HINT,
            )
    yield from _of_other_kinds(subject)


def _of_other_kinds(subject: Subject) -> Iterator[Problem]:
    """A cause that is called as a burn alert, or as a cause of another service."""
    first: dict[str, tuple[tuple[str, ...], Place]] = {}
    for group in subject.groups:
        for rule in group.rules:
            if rule.is_alert:
                origin, place = _origin(rule), subject.place_of(rule, group)
                other, there = first.setdefault(rule.name, (origin, place))
                if other != origin and (origin[-1] or other[-1]):
                    where = f"{there.path}:{there.line}" if there.line else there.path
                    yield place.problem(f"this alert and one of {where} would both be called `{rule.name}`", ID, _HINT)


def _origin(rule: GeneratedRule) -> tuple[str, ...]:
    return tuple(rule.labels.get(label, "") for label in (names.SERVICE, names.SLO, names.KIND))
