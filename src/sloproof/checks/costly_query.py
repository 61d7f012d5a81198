"""rules/costly-query, rules/slow-group: rules that the server cannot afford."""

from collections.abc import Iterator

from sloproof.checks.subject import GeneratedGroup, Subject
from sloproof.definition import format_duration
from sloproof.errors import PartFailed, Problem
from sloproof.http import Unreachable
from sloproof.prometheus import Prometheus
from sloproof.prometheus_answers import Cost

ID = "rules/costly-query"
SLOW = "rules/slow-group"
SAMPLES = 5_000_000
"""Samples an evaluation. Over 2,000 raw series our dearest expression reads 0.2 million, and one 30-day window of raw
series 128 million: what is above this reads long windows of raw series."""
SHARE_OF_INTERVAL = 0.25
"""A group that takes longer than its interval skips evaluations; this leaves room for a busy hour."""


def check(subject: Subject, prometheus: Prometheus, start: float, end: float) -> Iterator[Problem]:
    """Expressions that read too many samples, and groups that take too much of their interval."""
    for group in subject.groups:
        yield from _group(subject, group, prometheus, end)


def _group(subject: Subject, group: GeneratedGroup, prometheus: Prometheus, at: float) -> Iterator[Problem]:
    costs: dict[str, Cost] = {}
    for rule in group.rules:
        found = _cost(prometheus, rule.expression, at)
        place = subject.place_of(rule, group)
        if isinstance(found, PartFailed):
            yield place.warning(f"what `{rule.name}` costs cannot be told: {found.message}", ID, found.hint)
            continue
        costs[rule.name] = found
        if found.samples > SAMPLES:
            yield place.warning(
                f"`{rule.name}` reads {found.samples:,} samples in {found.seconds:.2g} s at each evaluation",
                ID,
                f"select fewer series, or record them first; more than {SAMPLES:,} samples are dear",
            )
    seconds = sum(cost.seconds for cost in costs.values())
    if group.interval and seconds > group.interval.total_seconds() * SHARE_OF_INTERVAL:
        dearest = max(costs, key=lambda name: costs[name].seconds)
        yield subject.place_of(group.rules[0], group).warning(
            f"the group `{group.name}` takes {seconds:.2g} s of its interval of `{format_duration(group.interval)}`, "
            f"most of it for `{dearest}`",
            SLOW,
            "select fewer series, or evaluate less often; a group that is late leaves holes in what it records",
        )


def _cost(prometheus: Prometheus, expression: str, at: float) -> Cost | PartFailed:
    """Its cost, or why the server would not evaluate it: too long and too much are answers too."""
    try:
        return prometheus.cost(expression, at)
    except Unreachable:
        raise
    except PartFailed as error:
        return error
