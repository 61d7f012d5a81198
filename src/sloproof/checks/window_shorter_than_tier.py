"""slo/window-shorter-than-tier, slo/tier-within-budget: tiers that do not fit the budget's window."""

from collections.abc import Iterator

from sloproof.checks.subject import Subject
from sloproof.definition import format_duration, plain
from sloproof.errors import Problem

ID = "slo/window-shorter-than-tier"
WITHIN_BUDGET = "slo/tier-within-budget"


def check(subject: Subject) -> Iterator[Problem]:
    """Tiers that look back further than the budget does, or fire while the budget would last."""
    for slo, place in subject.slos:
        for tier in subject.policies[slo.identity].tiers:
            factor, long, window = tier.factor(slo.window), format_duration(tier.long), format_duration(slo.window)
            if tier.long >= slo.window:
                yield place.problem(
                    f"the `{tier.name}` tier looks back `{long}`, and the budget's window is only `{window}`",
                    ID,
                    "give this objective a policy with shorter windows, or a longer window",
                )
            elif factor < 1:
                yield place.warning(
                    f"the `{tier.name}` tier fires at `{plain(round(factor, 3))}` of the burn that the budget of "
                    f"`{window}` allows, so it fires while the objective holds",
                    WITHIN_BUDGET,
                    f"give it a shorter long window than `{long}`, or a larger share of the budget",
                )
