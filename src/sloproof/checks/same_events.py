"""slo/same-events: two objectives that count the same thing, so that one fault pages twice."""

from collections.abc import Iterator

from sloproof.checks.subject import Place, Subject
from sloproof.errors import Problem
from sloproof.promql.frame import with_sorted_matchers
from sloproof.slo import SLO

ID = "slo/same-events"


def check(subject: Subject) -> Iterator[Problem]:
    """Objectives whose bad and whose total events are the same, in whatever order the labels are written."""
    first: dict[tuple[str, ...], tuple[SLO, Place]] = {}
    for slo, place in subject.slos:
        base = subject.timing.base
        key = (
            with_sorted_matchers(str(slo.sli.errors(base, by=slo.by))),
            with_sorted_matchers(str(slo.sli.total(base, by=slo.by))),
            slo.budgeting,
        )
        other, there = first.setdefault(key, (slo, place))
        if other is not slo:
            yield place.warning(
                f"`{slo.identity}` counts the same events as `{other.identity}` ({there.path}:{there.line})",
                ID,
                "keep one of the two, or let them count what differs; each fault burns both budgets",
            )
