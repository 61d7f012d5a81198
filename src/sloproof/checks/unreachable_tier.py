"""slo/unreachable-tier: a threshold above 100 % bad events can never be crossed."""

from collections.abc import Iterator
from decimal import ROUND_UP, Decimal

from sloproof.alerts.burn_alerts import percent
from sloproof.checks.subject import Subject
from sloproof.definition import plain
from sloproof.errors import Problem

ID = "slo/unreachable-tier"


def check(subject: Subject) -> Iterator[Problem]:
    """Tiers that not even a full outage fires."""
    for slo, place in subject.slos:
        for tier in subject.policies[slo.identity].tiers:
            factor = tier.factor(slo.window)
            if factor * slo.budget >= 1:
                lowest = ((1 - 1 / factor) * 100).quantize(Decimal("0.01"), rounding=ROUND_UP)
                yield place.problem(
                    f"`{plain(factor)}` x the budget of {percent(slo.budget)} is not below 1, "
                    f"so the `{tier.name}` tier can never fire",
                    ID,
                    f"raise the objective above {lowest} %, or drop the tier",
                )
