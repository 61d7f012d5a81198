"""slo/same-events: two objectives that count the same thing, so that one fault pages twice."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

from sloproof.checks.subject import Place, Subject
from sloproof.errors import Problem
from sloproof.promql import Selector
from sloproof.slo import SLO

ID = "slo/same-events"


def check(subject: Subject) -> Iterator[Problem]:
    """Objectives whose bad and whose total events are the same, in whatever order the labels are written."""
    first: dict[tuple[str, ...], tuple[SLO, Place]] = {}
    for slo, place in subject.slos:
        base = subject.timing.base
        counted = _ordered((slo.sli.errors(base, by=slo.by), slo.sli.total(base, by=slo.by)))
        key = (*map(str, counted), slo.budgeting)
        other, there = first.setdefault(key, (slo, place))
        if other is not slo:
            yield place.warning(
                f"`{slo.identity}` counts the same events as `{other.identity}` ({there.path}:{there.line})",
                ID,
                "keep one of the two, or let them count what differs; each fault burns both budgets",
            )


def _ordered(value: Any) -> Any:
    """An expression whose selectors have their matchers in one order."""
    if isinstance(value, Selector):
        return replace(value, matchers=tuple(sorted(value.matchers, key=str)))
    if isinstance(value, tuple):
        return tuple(_ordered(one) for one in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: _ordered(getattr(value, field.name)) for field in fields(value)})
    return value
