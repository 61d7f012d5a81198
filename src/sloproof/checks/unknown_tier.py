"""experiment/unknown-tier: an expectation of an alert that does not exist."""

from collections.abc import Iterator

from sloproof.checks.subject import Subject
from sloproof.errors import Problem

ID = "experiment/unknown-tier"


def check(subject: Subject) -> Iterator[Problem]:
    """Expectations that name a tier which the objective's policy does not have."""
    for reference in subject.tier_references:
        policy = subject.policies.get(reference.slo.identity)
        known = [tier.name for tier in policy.tiers] if policy else []
        if reference.tier not in known:
            yield reference.place.problem(
                f"`{reference.slo.identity}` has no tier `{reference.tier}`",
                ID,
                f"its tiers are {', '.join(f'`{name}`' for name in known)}"
                if known
                else "define the objective in `slo/`",
            )
